import { AgentFailed } from '@llm-eval/agents'
import type { RunEnding } from '@llm-eval/formats/agui'
import { Failure } from '@llm-eval/protocol'
import { hearAdk, tellAdk } from './hear-adk.ts'
import { hearAgui, tellAgui } from './hear-agui.ts'
import { Quiet } from './quiet.ts'
import { runEvent, type Running, type Send, type Telling } from './running.ts'

/** Asks an agent, records what it says, and tells it to the front end; whatever happens, the last event says how it came out. */
export async function answer(running: Running, send: Send): Promise<void> {
  const { options, recorder, request } = running
  return request.target.kind === 'agui'
    ? tell(tellAgui(running), (telling, hearing) => hearAgui(running, telling, hearing))
    : tell(tellAdk(running), (telling, hearing) => hearAdk(running, telling, hearing))

  async function tell<T extends Telling>(
    telling: T,
    hear: (telling: T, hearing: Parameters<typeof hearAdk>[2]) => Promise<RunEnding>,
  ): Promise<void> {
    await send(telling.start())
    const wanted = AbortSignal.any([request.signal, options.closing, running.takenOver])
    const quiet = new Quiet(wanted, request.target.timeoutMs)
    let ending: RunEnding
    try {
      ending = await hear(telling, { signal: quiet.signal, heard: () => quiet.heard(), send })
    } catch (error) {
      ending = endingOf(error, { running, quiet })
    } finally {
      quiet.stop()
    }
    await recorder.flush()
    await finish(running, { telling, ending: recorder.failure ? notRecorded(recorder.failure.error) : ending, send })
  }
}

/** What broke an answer off. */
function endingOf(error: unknown, { running, quiet }: { running: Running; quiet: Quiet }): RunEnding {
  const { options, request } = running
  if (request.signal.aborted)
    return { how: 'failed', status: 'cancelled', code: 'CANCELLED', message: 'Nobody wanted the answer any more.' }
  if (options.closing.aborted) return truncated('SHUTTING_DOWN', 'The server of the bridge is shutting down.')
  if (running.takenOver.aborted) return notRecorded(new Failure('conversation_busy'))
  if (quiet.isOver)
    return truncated('UPSTREAM_TIMEOUT', `The agent said nothing for ${request.target.timeoutMs / 1_000} s.`)
  if (error instanceof AgentFailed)
    return { how: 'failed', code: `UPSTREAM_${error.fault.code.toUpperCase()}`, message: error.fault.message }
  if (error instanceof Failure) return notRecorded(error)
  // That of a connection which ends in the middle: what `fetch` throws while a body is read.
  if (error instanceof TypeError && error.message === 'terminated')
    return truncated('UPSTREAM_CUT', 'The connection to the agent broke off.')
  options.log.error({ err: error }, 'an answer of an agent broke off')
  return {
    how: 'failed',
    code: 'BRIDGE_FAILED',
    message: 'The bridge failed; the operator finds the reason in its log.',
  }
}

function truncated(code: string, message: string): RunEnding {
  return { how: 'failed', status: 'truncated', code, message }
}

/** What the agent said cannot be kept: it is not listened to any longer, since nobody would know. */
function notRecorded(error: unknown): Extract<RunEnding, { how: 'failed' }> {
  const isTakenOver = error instanceof Failure && error.code === 'conversation_busy'
  const said = error instanceof Failure ? error.message : 'The database does not take writes at the moment.'
  const why = isTakenOver ? 'Another server, which had not heard of this one for long, has taken it over.' : said
  return { how: 'failed', code: 'RECORDING_FAILED', message: `The conversation cannot be recorded: ${why}` }
}

/** Everything is on disk before the front end hears that the run is over. */
async function finish(
  running: Running,
  { telling, ending, send }: { telling: Telling; ending: RunEnding; send: Send },
): Promise<void> {
  const events = telling.end(ending)
  const { code = null, message: why = null, status = 'failed' } = telling.outcome ?? {}
  const message = why ?? (running.lost.size === 0 ? null : `Not as it was written: ${[...running.lost].join('; ')}`)
  try {
    await running.append([runEvent(running, 'run_end', { status, code, message })])
  } catch (error) {
    const { log, recording } = running.options
    log.error({ err: error, thread_id: running.request.input.threadId }, 'the end of a request could not be recorded')
    const says = notRecorded(error)
    const last = { code: says.code, message: says.message, timestamp: Math.round(recording.now()) }
    events.splice(-1, 1, { type: 'RUN_ERROR', ...last })
  }
  await send(events)
}
