import { AgentFailed } from '@llm-eval/agents'
import { type AdkStreamItem, readAdkStream } from '@llm-eval/formats/adk'
import { AdkToAgui, type RunEnding } from '@llm-eval/formats/agui'
import { limits } from '@llm-eval/protocol'
import { type Hearing, runEvent, type Running, sessionOf, type Telling, wasHeard } from './running.ts'

/** What an agent of ADK says, in the words of AG-UI. */
export interface AdkTelling extends Telling {
  push: AdkToAgui['push']
}

export function tellAdk({ options, request }: Running): AdkTelling {
  const reducer = new AdkToAgui({ now: options.recording.now })
  const { threadId, runId, parentRunId, protocolVersion, state } = request.input
  return {
    start: () => reducer.start({ threadId, runId, parentRunId, protocolVersion, state }),
    push: (event) => reducer.push(event),
    end: (ending) => reducer.end(ending),
    get outcome() {
      return reducer.outcome
    },
  }
}

/** Asks an agent of ADK, and records and tells what it says, to the end of its answer. */
export async function hearAdk(running: Running, telling: AdkTelling, hearing: Hearing): Promise<RunEnding> {
  const { known, options, recorder, request } = running
  const { threadId, runId } = request.input
  const body = await ask(running, hearing)
  const conceal = (text: string) => request.target.conceal(text, request.headers)
  for await (const said of readAdkStream(body, { signal: hearing.signal })) {
    const item = withoutKeys(said, conceal)
    options.tap?.raw(item.kind === 'event' ? item.event : item, { threadId, runId })
    if (item.kind === 'error') return { how: 'failed', code: item.code ?? 'AGENT_ERROR', message: item.message }
    if (item.kind === 'malformed') {
      const message = `What the agent says cannot be read from line ${item.line} on: it ${item.message}.`
      return { how: 'failed', code: 'UPSTREAM_MALFORMED', message }
    }
    const { event } = item
    for (const one of item.lost) if (running.lost.size < mostLost) running.lost.add(one)
    await recorder.adk(event)
    if (recorder.failure) throw recorder.failure.error
    Object.assign(known.state, event.actions?.stateDelta)
    const events = telling.push(event)
    if (events.length > 0) await hearing.send(events)
  }
  return { how: 'complete' }
}

/** What is told of one answer that could not be kept as it was written. */
const mostLost = 20

/** Some agents say the keys that they were asked with in what they say of a failure. */
function withoutKeys(item: AdkStreamItem, conceal: (text: string) => string): AdkStreamItem {
  if (item.kind === 'malformed') return { ...item, message: conceal(item.message) }
  if (item.kind === 'error')
    return { ...item, code: item.code === null ? null : conceal(item.code), message: conceal(item.message) }
  const { errorCode, errorMessage } = item.event
  if (errorCode === undefined && errorMessage === undefined) return item
  const event = {
    ...item.event,
    ...(errorCode === undefined ? {} : { errorCode: conceal(errorCode) }),
    ...(errorMessage === undefined ? {} : { errorMessage: conceal(errorMessage) }),
  }
  return { ...item, event }
}

async function ask(running: Running, { heard, signal }: Hearing): Promise<AsyncIterable<Uint8Array>> {
  const { asked, options, request } = running
  const { client } = request.target
  if (!client || !asked.newMessage) throw new Error('there is nobody or nothing to ask')
  const { response, sessionId } = await client.ask({
    ...sessionOf(running),
    message: asked.newMessage,
    stateDelta: asked.stateDelta,
    headers: request.headers,
    signal,
  })
  heard()
  wasHeard(running)
  await rememberSession(running, sessionId)
  return bounded(response, { heard, most: options.answerBytes ?? limits.bridgeAnswerBytes })
}

/** A server that names its sessions itself is asked in the same one the next time, also after a restart. */
async function rememberSession(running: Running, sessionId: string): Promise<void> {
  const { append, known, request } = running
  if (request.target.kind !== 'agent_engine' || known.sessionId === sessionId) return
  known.sessionId = sessionId
  const { input, target } = request
  const payload = { parent_run_id: input.parentRunId ?? null, target: target.name, session_id: sessionId }
  await append([runEvent(running, 'run_start', payload)])
}

/** The bytes of an answer, up to a bound. */
export async function* bounded(
  { body }: Response,
  { heard, most }: { heard: () => void; most: number },
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of body ?? []) {
    heard()
    bytes += chunk.length
    if (bytes > most) throw new AgentFailed({ code: 'too_large', message: `The answer holds more than ${most} bytes.` })
    yield chunk
  }
}
