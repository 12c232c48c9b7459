import { AgentFailed, callServer } from '@llm-eval/agents'
import { type AguiEvent, readAguiEvent, type RunEnding, type RunOutcome } from '@llm-eval/formats/agui'
import { createSseDecoder, limits, statusOfOutcome } from '@llm-eval/protocol'
import { bounded } from './hear-adk.ts'
import { type Hearing, type Running, type Telling, wasHeard } from './running.ts'

/** What an agent of AG-UI says, as it says it; its last word waits until everything is on disk. */
export interface AguiTelling extends Telling {
  push: (event: AguiEvent) => AguiEvent[]
  readonly isOver: boolean
}

export function tellAgui({ options }: Running): AguiTelling {
  let last: AguiEvent | undefined
  let outcome: RunOutcome | undefined
  return {
    start: () => [],
    push(event) {
      if (last !== undefined) return []
      if (event.type !== 'RUN_FINISHED' && event.type !== 'RUN_ERROR') return [event]
      last = event
      return []
    },
    end(ending) {
      if (ending.how === 'failed') {
        const { status = 'failed', code, message } = ending
        outcome = { status, code, message }
        return [{ type: 'RUN_ERROR', code, message, timestamp: Math.round(options.recording.now()) }]
      }
      if (last === undefined)
        return this.end({ how: 'failed', status: 'truncated', code: 'UPSTREAM_TRUNCATED', message: noLastWord })
      outcome = outcomeOf(last)
      return [last]
    },
    get outcome() {
      return outcome
    },
    get isOver() {
      return last !== undefined
    },
  }
}

const noLastWord = 'The answer of the agent ended without RUN_FINISHED.'

function outcomeOf(event: AguiEvent): RunOutcome {
  if (event.type === 'RUN_ERROR') return { status: 'failed', code: event.code ?? null, message: event.message }
  if (event.type !== 'RUN_FINISHED') return { status: 'truncated', code: null, message: noLastWord }
  return { status: statusOfOutcome(event.outcome), code: null, message: null }
}

/** Asks an agent of AG-UI the same, and records and passes on what it says, to the end of its answer. */
export async function hearAgui(running: Running, telling: AguiTelling, hearing: Hearing): Promise<RunEnding> {
  const { options, recorder, request } = running
  const { headers, input, target } = request
  const { fetch } = options
  const { signal, heard, send } = hearing
  const response = await callServer(target, { fetch, signal, headers, url: target.url, body: input })
  wasHeard(running)
  const frames: string[] = []
  const decoder = createSseDecoder({ onMessage: ({ data }) => void frames.push(data) }, limits.conversationEventBytes)
  const text = new TextDecoder()
  for await (const chunk of bounded(response, { heard, most: options.answerBytes ?? limits.bridgeAnswerBytes })) {
    feed(text.decode(chunk, { stream: true }))
    for (const data of frames.splice(0)) {
      const read = readFrame(data)
      if (read === undefined) continue
      const event = withoutKeys(read, (said) => target.conceal(said, headers))
      options.tap?.raw(event, input)
      await recorder.agui(event)
      if (recorder.failure) throw recorder.failure.error
      const events = telling.push(event)
      if (events.length > 0) await send(events)
    }
    if (telling.isOver) break
  }
  return { how: 'complete' }

  function feed(piece: string): void {
    try {
      decoder.feed(piece)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const message = `An event of the agent holds more than ${limits.conversationEventBytes} characters.`
      throw new AgentFailed({ code: 'too_large', message })
    }
  }
}

/** Some agents say the keys that they were asked with in what they say of a failure. */
function withoutKeys(event: AguiEvent, conceal: (text: string) => string): AguiEvent {
  if (event.type !== 'RUN_ERROR') return event
  const { code, message } = event
  return { ...event, message: conceal(message), ...(typeof code === 'string' ? { code: conceal(code) } : {}) }
}

/** Undefined for an event of a kind that is not known here: it is not passed on, as older clients refuse it. */
function readFrame(data: string): AguiEvent | undefined {
  let json: unknown
  try {
    json = JSON.parse(data)
  } catch {
    throw new AgentFailed({ code: 'invalid_json', message: 'The agent said what is no JSON.' })
  }
  const read = readAguiEvent(json)
  if ('fault' in read) throw new AgentFailed({ code: 'unreadable', message: read.fault })
  return 'event' in read ? read.event : undefined
}
