import type { ConversationRunStatus } from '@llm-eval/protocol'
import type { AdkEvent, AdkPart } from '../adk/index.ts'
import { Emission } from './emission.ts'
import type { AguiEvent, AguiUsage } from './events.ts'
import { GrowingCalls } from './growing-calls.ts'
import { isLastWord } from './last-word.ts'
import { isPlain, isPlainPart } from './plain.ts'
import { hasRefused, stateEvent } from './state.ts'
import {
  beginStream,
  compare,
  hush,
  say,
  sayMore,
  stampOf,
  textKind,
  type TextPart,
  type TextStream,
} from './text-streams.ts'
import { UsageSum } from './usage.ts'

/** What a run begins with. */
export interface RunBeginning {
  threadId: string
  runId: string
  parentRunId?: string | null | undefined
  /** Of AG-UI, as the front end says; those of 1.0 say so. */
  protocolVersion?: string | null | undefined
  /** The front end's; a change of it can be told as a patch only where it is an object. */
  state?: unknown
}

/** How the answer of an agent ended, as far as it was read: to its end, or by what broke it off. */
export type RunEnding =
  | { how: 'complete' }
  | { how: 'failed'; status?: 'failed' | 'cancelled' | 'truncated'; code: string; message: string }

/** How a run came out. */
export interface RunOutcome {
  status: ConversationRunStatus
  code: string | null
  message: string | null
}

/**
 * Makes events of AG-UI of events of ADK, for one run: RUN_STARTED first, exactly one RUN_FINISHED or RUN_ERROR last, whatever
 * comes between. Nothing is said twice: of text and of calls that came in pieces, the whole that follows only adds what is new.
 * `@ag-ui/client` 1.0.0 and 0.0.59 accept every stream.
 */
export class AdkToAgui {
  readonly #now: () => number
  #run: RunBeginning | undefined
  #outcome: RunOutcome | undefined
  /** By invocation, author and branch. */
  readonly #streams = new Map<string, TextStream>()
  readonly #calls = new Set<string>()
  readonly #growing = new GrowingCalls()
  readonly #longRunning = new Set<string>()
  readonly #results = new Map<string, number>()
  readonly #frames = new Map<string, number>()
  /** Ids of messages: how often each was asked for. */
  readonly #messages = new Map<string, number>()
  readonly #usage = new UsageSum()
  #author: string | undefined
  #step: string | undefined
  #hasState = false
  /** Whether the agent said its last word, as far as can be told. */
  #final = false
  #error: { code: string; message: string } | undefined

  /** @param now milliseconds since 1970, for the events that come of no event of ADK */
  constructor({ now }: { now: () => number }) {
    this.#now = now
  }

  /** How the run came out; undefined before its end. */
  get outcome(): RunOutcome | undefined {
    return this.#outcome
  }

  /** Begins the run. */
  start(run: RunBeginning): AguiEvent[] {
    this.#run = run
    this.#hasState = typeof run.state === 'object' && run.state !== null && !Array.isArray(run.state)
    const { threadId, runId, parentRunId } = run
    const parent = typeof parentRunId === 'string' ? { parentRunId } : {}
    return [{ type: 'RUN_STARTED', threadId, runId, ...parent, timestamp: this.#ms() }]
  }

  /** What comes of one event. Nothing after the end, and nothing of users: the front end has what they said. */
  push(event: AdkEvent): AguiEvent[] {
    if (this.#outcome !== undefined || event.author === 'user') return []
    for (const id of event.longRunningToolIds ?? []) this.#longRunning.add(id)
    return [...this.#enter(event), ...(event.partial === true ? this.#piece(event) : this.#whole(event))]
  }

  /** Ends the run, once: closes what is open, and says how it came out. */
  end(ending: RunEnding): AguiEvent[] {
    if (this.#outcome !== undefined || this.#run === undefined) return []
    const broken = [...this.#streams.values()].some(({ pieces }) => pieces.some(({ open }) => open))
    const closed = [...this.#streams.values()].flatMap((stream) => {
      this.#usage.add(stream.last)
      return hush(stream, stampOf(stream.last))
    })
    const calls = this.#growing.drop(this.#ms())
    const step = this.#leave()
    this.#outcome = this.#outcomeOf(ending, broken)
    return [...closed, ...calls, ...step, this.#terminal(this.#run, this.#outcome)]
  }

  #outcomeOf(ending: RunEnding, broken: boolean): RunOutcome {
    if (ending.how === 'failed') {
      const { status = 'failed', code, message } = ending
      return { status, code, message }
    }
    if (this.#error) return { status: 'failed', ...this.#error }
    if (broken || !this.#final)
      return {
        status: 'truncated',
        code: 'UPSTREAM_TRUNCATED',
        message: 'The answer of the agent ended before its last word.',
      }
    return { status: this.#longRunning.size > 0 ? 'waiting' : 'finished', code: null, message: null }
  }

  #terminal({ threadId, runId, protocolVersion }: RunBeginning, { code, message }: RunOutcome): AguiEvent {
    const total = this.#usage.total()
    const usage: { usage?: AguiUsage[] } = total.length === 0 ? {} : { usage: total }
    const timestamp = this.#ms()
    if (message !== null) return { type: 'RUN_ERROR', message, ...(code === null ? {} : { code }), ...usage, timestamp }
    const finished = { type: 'RUN_FINISHED', threadId, runId, ...usage, timestamp } as const
    const pendingToolCallIds = [...this.#longRunning]
    if (pendingToolCallIds.length === 0) return { ...finished, outcome: { type: 'success' } }
    // Clients before 1.0 break on an outcome with a member that they do not know, so they find it beside.
    const told = { ...finished, metadata: { adk: { pendingToolCallIds } } }
    const knows = typeof protocolVersion === 'string'
    return { ...told, outcome: { type: 'success', ...(knows ? { pendingToolCallIds } : {}) } }
  }

  /** Another agent speaks: a step of its own, unless both speak at once. */
  #enter(event: AdkEvent): AguiEvent[] {
    const { author } = event
    if (author === this.#author) return []
    for (const stream of this.#streams.values())
      if (stream.author !== author && stream.pieces.at(-1)?.open === true) return []
    const isFirst = this.#author === undefined
    this.#author = author
    if (isFirst) return []
    const left = this.#leave()
    this.#step = author
    return [...left, { type: 'STEP_STARTED', stepName: author, ...stampOf(event) }]
  }

  #leave(): AguiEvent[] {
    const stepName = this.#step
    this.#step = undefined
    return stepName === undefined ? [] : [{ type: 'STEP_FINISHED', stepName, timestamp: this.#ms() }]
  }

  #piece(event: AdkEvent): AguiEvent[] {
    this.#final = false
    const key = keyOf(event)
    let stream = this.#streams.get(key)
    if (stream === undefined && event.content?.parts?.some((part) => textKind(part) !== undefined)) {
      stream = beginStream(event, (id) => this.#messageId(id))
      this.#streams.set(key, stream)
    }
    const said = stream ? say(stream, event) : []
    const called = this.#growing.push(event, { key, isDone: (id) => this.#calls.has(id) })
    const begins = called.some(({ type }) => type === 'TOOL_CALL_START')
    return [...said, ...(stream && begins ? hush(stream, stampOf(event)) : []), ...called]
  }

  #whole(event: AdkEvent): AguiEvent[] {
    this.#judge(event)
    this.#usage.add(event)
    const parts = event.content?.parts ?? []
    const stream = this.#streams.get(keyOf(event))
    const frame = (this.#frames.get(event.id) ?? 0) + 1
    this.#frames.set(event.id, frame)
    const words = new Emission(event, frame)
    const texts = parts.flatMap((part): TextPart[] => {
      const kind = textKind(part)
      return kind === undefined ? [] : [{ kind, text: part.text ?? '', part }]
    })
    const said = stream !== undefined && texts.length > 0 && this.#finishStream(stream, { event, texts, words })
    if (stream !== undefined && texts.length === 0 && parts.some(({ functionCall }) => functionCall !== undefined))
      words.add(hush(stream, stampOf(event)))
    for (const [index, part] of parts.entries()) {
      const kind = textKind(part)
      if (kind === undefined) this.#tell(part, { event, index, words })
      else if (!said) words.text({ id: this.#messageId(event.id), kind }, part)
    }
    const state = stateEvent(event.actions?.stateDelta, this.#hasState ? 'known' : 'unknown')
    if (state) {
      this.#hasState = true
      words.add([{ ...state, ...words.stamp() }])
    }
    if (!isPlain(event) || hasRefused(event.actions?.stateDelta)) words.verbatim()
    // The wholes of calls that grew side by side may come in events of their own, so one of them ends no other.
    if (event.errorCode !== undefined) words.add(this.#growing.drop(stampOf(event).timestamp, keyOf(event)))
    return words.done()
  }

  /** Whether the whole was said before, and what is left to say of it was said now. */
  #finishStream(
    stream: TextStream,
    { event, texts, words }: { event: AdkEvent; texts: readonly TextPart[]; words: Emission },
  ): boolean {
    this.#streams.delete(keyOf(event))
    const comparison = compare(stream, texts)
    if (comparison.is === 'more') for (const rest of comparison.rest) words.add(sayMore(stream, { ...rest, event }))
    const isOpen = stream.pieces.at(-1)?.open === true
    const leads = texts.every(({ part }, at) => event.content?.parts?.[at] === part)
    const isSame = compare(stream, texts).is === 'same'
    if (isOpen && isSame && leads && isPlain(event)) {
      words.add(hush(stream, stampOf(event, { ...words.whole(), stream: stream.id })))
    } else {
      words.add(hush(stream, stampOf(event)))
      words.verbatim(stream.id)
    }
    for (const [at, { part }] of texts.entries()) {
      const piece = stream.pieces[at]
      if (isSame && piece && part.thoughtSignature !== undefined) words.sign('message', piece.id, part.thoughtSignature)
    }
    return comparison.is !== 'other'
  }

  #tell(part: AdkPart, { event, index, words }: { event: AdkEvent; index: number; words: Emission }): void {
    const { functionCall: call, functionResponse: answer } = part
    if (call) {
      const id = call.id ?? `${event.id}:${index}`
      if (this.#calls.has(id) || !isPlainPart(part)) words.verbatim()
      if (this.#calls.has(id)) return
      this.#calls.add(id)
      const grown = this.#growing.finish(id, call.args ?? {})
      if (grown?.isExact === false) words.verbatim()
      if (grown?.rest === null) return
      if (grown) words.restOfCall(id, grown.rest)
      else words.call({ id, name: call.name ?? 'unknown', args: call.args ?? {} })
      if (part.thoughtSignature !== undefined) words.sign('tool-call', id, part.thoughtSignature)
    } else if (answer) {
      const { id } = answer
      // What takes long has no result yet, whatever its tool said for now.
      if (id === undefined || this.#longRunning.has(id)) return words.verbatim()
      const number = (this.#results.get(id) ?? 0) + 1
      this.#results.set(id, number)
      words.result({ id, messageId: resultId(id, number), response: answer.response ?? {} })
    }
  }

  /** Whether the run may end after this event, and whether it failed. */
  #judge(event: AdkEvent): void {
    if (event.errorCode !== undefined || event.errorMessage !== undefined) {
      const code = event.errorCode ?? 'AGENT_ERROR'
      if (event.content?.parts === undefined || event.content.parts.length === 0)
        this.#error = { code, message: event.errorMessage ?? `The agent failed: ${code}.` }
    } else if (event.content?.parts?.some(({ text }) => text !== undefined && text !== '')) {
      this.#error = undefined
    }
    this.#final = isLastWord(event, this.#longRunning)
  }

  /** ADK gives the pieces of a text and the whole one id, and messages must have one each. */
  #messageId(id: string): string {
    let number = (this.#messages.get(id) ?? 0) + 1
    let free = numbered(id, number)
    while (number > 1 && this.#messages.has(free)) free = numbered(id, ++number)
    this.#messages.set(id, number)
    if (number > 1) this.#messages.set(free, 1)
    return free
  }

  #ms(): number {
    return Math.round(this.#now())
  }
}

/** Id of the message that a result is for the front end, by which it is known when it comes back with the history. */
function resultId(callId: string, number: number): string {
  return numbered(`result:${callId}`, number)
}

function numbered(id: string, number: number): string {
  return number === 1 ? id : `${id}:${number}`
}

function keyOf({ invocationId, author, branch = '' }: AdkEvent): string {
  return JSON.stringify([invocationId, author, branch])
}
