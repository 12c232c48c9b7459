import { type ConversationEvent, type ConversationState, errorOf, limits, statusOfOutcome } from '@llm-eval/protocol'

/** A request to an agent: how it stands. */
export interface Request {
  state: ConversationState
  error: string | null
  /** Milliseconds since 1970; null while it runs. */
  endedAt: number | null
}

export interface Watch {
  /** Milliseconds since 1970: a request of which nothing was heard for long before it counts as truncated. */
  now?: number
}

/** The requests of a conversation by their ids, as far as their beginning or end was recorded. */
export function requestsOf(events: readonly ConversationEvent[], { now }: Watch = {}): Map<string, Request> {
  const requests = new Map<string, Request>()
  const heardAt = new Map<string, number>()
  for (const event of events) {
    if (event.run_id === null) continue
    heardAt.set(event.run_id, Date.parse(event.at))
    const told = toldBy(event)
    if (told) requests.set(event.run_id, told)
  }
  for (const [id, request] of requests) {
    const silence = now === undefined ? 0 : now - (heardAt.get(id) ?? now)
    if (request.state === 'running' && silence >= limits.conversationSilenceSeconds * 1_000) request.state = 'truncated'
  }
  return requests
}

function toldBy(event: ConversationEvent): Request | undefined {
  const at = Date.parse(event.at)
  if (event.kind === 'run_start') return { state: 'running', error: null, endedAt: null }
  if (event.kind === 'run_end') {
    const { status, code, message } = event.payload
    const isBad = status === 'failed' || status === 'truncated'
    return { state: status, error: isBad ? errorOf(code, message) : null, endedAt: at }
  }
  return event.kind === 'agui_event' ? aguiRequest(event.payload, at) : undefined
}

/** AG-UI says itself where a request begins and ends. */
function aguiRequest({ type, outcome, code, message }: Record<string, unknown>, at: number): Request | undefined {
  if (type === 'RUN_STARTED') return { state: 'running', error: null, endedAt: null }
  if (type === 'RUN_ERROR') return { state: 'failed', error: errorOf(code, message), endedAt: at }
  if (type !== 'RUN_FINISHED') return undefined
  return { state: statusOfOutcome(outcome), error: null, endedAt: at }
}
