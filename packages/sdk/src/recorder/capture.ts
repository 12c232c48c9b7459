import { readRunAgentInput, toAdkRequest } from '@llm-eval/formats/agui'
import { type ConversationEventInput, type ConversationRunStatus, statusOfOutcome } from '@llm-eval/protocol'
import { isObject } from '../inside.ts'
import type { AgentHearing, AgentListener } from './agent.ts'
import { type Happening, readMessages, type Said } from './messages.ts'
import type { Kept, Telling } from './recording.ts'

/** Where what is heard goes. */
export interface CaptureSink {
  readonly threadId: string
  /** Messages that were recorded, by their ids: each request sends the whole history again. */
  readonly known: Set<string>
  /** Whether nothing was recorded yet. */
  isEmpty(): boolean
  /** RFC 3339. */
  now(): string
  add(event: ConversationEventInput, telling: Telling): Kept | null
  /** What was held may be told now. */
  release(): void
  warn(warning: string): void
  /** What a bridge that records says of the thread: whose it is. */
  onBridge(told: Record<string, unknown>): void
}

/** One request to an agent, from when it is made until it is over. */
interface Heard {
  id: string
  /** What waits to be told until it is known whether the bridge records too. */
  held: Kept[] | null
  telling: Telling
  /** Messages of the user that the agent has not answered to yet: they are sent again if it never does. */
  said: string[]
  /** How it ended, as the agent said it. */
  end: { status: ConversationRunStatus; code: string | null; message: string | null } | null
}

/** Hears the requests to an agent of AG-UI, and says what happened in each. */
export class Capture implements AgentListener {
  readonly #sink: CaptureSink
  #run: Heard | null = null

  constructor(sink: CaptureSink) {
    this.#sink = sink
  }

  onRunInitialized = ({ input }: AgentHearing): void => {
    this.#run = null
    if (!isObject(input)) return
    const { threadId } = this.#sink
    if (input['threadId'] !== threadId)
      return this.#sink.warn(`a request of thread ${String(input['threadId'])} was passed over: this is ${threadId}`)
    const run: Heard = { id: String(input['runId']), held: [], telling: 'held', said: [], end: null }
    this.#run = run
    if (this.#sink.isEmpty()) this.#history(readMessages(input['messages']))
    const parent = typeof input['parentRunId'] === 'string' ? input['parentRunId'] : null
    this.#add(run, { kind: 'run_start', event_id: null, payload: { parent_run_id: parent, target: null } })
    for (const said of this.#said(run, input)) this.#add(run, said)
  }

  onEvent = ({ event }: AgentHearing): void => {
    const run = this.#run
    if (!run || !isObject(event)) return
    const payload = copied(event)
    if (payload === null) return this.#sink.warn('an event that is no JSON was left out')
    this.#settle(run, payload)
    this.#learn(run, payload)
    run.end = endOf(payload) ?? run.end
    this.#add(run, { kind: 'agui_event', event_id: null, payload })
  }

  onRunFailed = ({ error }: AgentHearing): void => {
    const run = this.#run
    if (!run || run.end) return
    const [name, message] = error instanceof Error ? [error.name, error.message] : ['Error', String(error)]
    const status = name === 'AbortError' ? 'cancelled' : 'failed'
    run.end = { status, code: null, message }
  }

  onRunFinalized = (): void => {
    const run = this.#run
    this.#run = null
    if (!run) return
    // A connection that closes early looks like success to the client: what counts is that the agent said it is through.
    const end = run.end ?? {
      status: 'truncated' as const,
      code: null,
      message: 'The stream ended before the agent did.',
    }
    this.#add(run, { kind: 'run_end', event_id: null, payload: end })
    this.#decide(run, 'told')
  }

  /** What a request tells the agent, of the whole thread that it sends: read as the bridge reads it. */
  #said(run: Heard, input: Record<string, unknown>): Happening[] {
    const { known } = this.#sink
    const warn = (warning: string) => this.#sink.warn(warning)
    const read = readRunAgentInput(input)
    if ('faults' in read) {
      warn(
        `what the page said cannot be read: ${read.faults.map(({ path, message }) => `${path} ${message}`).join('; ')}`,
      )
      return []
    }
    const { users, results, warnings } = toAdkRequest(read.input, { isSeen: (id) => known.has(id), state: {} })
    run.said = users.map(({ id }) => id)
    for (const warning of warnings) warn(warning)
    return [
      ...results.map((result): Happening => {
        return { kind: 'tool_result', event_id: null, payload: { ...result, author: 'user' } }
      }),
      ...users.map((user): Happening => ({ kind: 'user_message', event_id: null, payload: { ...user, author: null } })),
    ]
  }

  /** What was said before anybody listened, as far as it can be known. */
  #history(messages: readonly Said[]): void {
    const last = messages.map(({ role }) => role).lastIndexOf('assistant')
    const before = messages.slice(0, last + 1)
    for (const { id } of before) if (id !== null) this.#sink.known.add(id)
    if (before.length === 0) return
    this.#sink.warn(
      'what was said before the recorder listened is taken from the messages of the page: its times and its agents are unknown',
    )
    for (const event of before.flatMap(({ events }) => events))
      this.#sink.add({ ...event, at: this.#sink.now(), run_id: null, invocation_id: null }, 'untold')
  }

  /** The first event of a request says whether its bridge records too, and when it did. */
  #settle(run: Heard, { metadata }: Record<string, unknown>): void {
    if (run.held === null) return
    const told = isObject(metadata) ? metadata['llm_eval'] : undefined
    if (!isObject(told)) return this.#decide(run, 'told')
    this.#sink.onBridge(told)
    const at = typeof told['at'] === 'string' ? Date.parse(told['at']) : Number.NaN
    // What was said has the time of the bridge, so that both make the same file of it.
    if (!Number.isNaN(at)) for (const { event } of run.held) event.at = new Date(at).toISOString()
    this.#decide(run, 'untold')
  }

  #decide(run: Heard, telling: Telling): void {
    if (run.held === null) return
    run.telling = telling
    for (const kept of run.held) kept.telling = telling
    run.held = null
    this.#sink.release()
  }

  /** Whoever answers has heard; of one that failed the bridge says it. Messages that it makes come back with the next request. */
  #learn(run: Heard, event: Record<string, unknown>): void {
    const { metadata, type } = event
    const told = isObject(metadata) ? metadata['llm_eval'] : undefined
    const hears = type === 'RUN_ERROR' ? isObject(told) && told['heard'] === true : type !== 'RUN_STARTED'
    if (hears) for (const id of run.said.splice(0)) this.#sink.known.add(id)
    for (const name of ['messageId', 'toolCallId'])
      if (typeof event[name] === 'string') this.#sink.known.add(event[name])
  }

  #add(run: Heard, happening: Happening): void {
    const event = { ...happening, at: this.#sink.now(), run_id: run.id, invocation_id: null }
    const kept = this.#sink.add(event, run.telling)
    if (kept && run.held) run.held.push(kept)
  }
}

/** How an event of AG-UI ends a request; null of one that does not. */
function endOf(event: Record<string, unknown>): Heard['end'] {
  const { type, code, message, outcome } = event
  const told = { code: typeof code === 'string' ? code : null, message: typeof message === 'string' ? message : null }
  if (type === 'RUN_ERROR') return { ...told, status: code === 'abort' ? 'cancelled' : 'failed' }
  if (type !== 'RUN_FINISHED') return null
  return { ...told, status: statusOfOutcome(outcome) }
}

/** The client goes on to change what it hands out. */
function copied(event: Record<string, unknown>): Record<string, unknown> | null {
  try {
    const copy: unknown = JSON.parse(JSON.stringify(event))
    return isObject(copy) ? copy : null
  } catch {
    return null
  }
}
