import { type AgentNote, type AgentPart, type AgentToolCall, limits } from '@llm-eval/protocol'
import { AgentFailed } from './fault.ts'
import { joinUsage, type Usage } from './usage.ts'

/** What is told of a call of a tool; what is absent was not said. */
export interface CallTold {
  id?: string | null | undefined
  name?: string | undefined
  args?: unknown
  /** Under which pieces of its arguments come, where that is not its id. */
  key?: string | undefined
}

export interface ResultTold {
  id?: string | null | undefined
  name?: string | undefined
  result?: unknown
  succeeded?: boolean | null | undefined
  error?: string | null | undefined
}

/** A call while more may be said of it. */
interface OpenCall extends AgentToolCall {
  /** Arguments that came in pieces of JSON. */
  pieces: string[] | null
  /** Made of a narration: the call itself may still come. */
  narrated: boolean
}

/** What one turn of an agent is seen to do, put together from whatever order it tells it in. */
export class TurnRecorder {
  readonly captured = new Set<AgentPart>()
  readonly notes: AgentNote[] = []
  readonly warnings = new Set<string>()
  readonly usages: Usage[] = []
  /** A cost that is told for the whole answer, US dollars. */
  totalCost: number | null = null
  model: string | null = null
  sessionId: string | null = null
  firstTokenMs: number | null = null
  /** The agent said that it is done. */
  complete = false
  readonly #turn: number
  readonly #elapsed: () => number
  #calls: OpenCall[] = []
  #byId = new Map<string, OpenCall>()
  /** Without a result, oldest first. */
  #open: OpenCall[] = []
  #text: string[] = []
  #chars = 0

  /** @param elapsed milliseconds since the turn was sent */
  constructor(turn: number, elapsed: () => number) {
    this.#turn = turn
    this.#elapsed = elapsed
  }

  get output(): string {
    return this.#text.join('')
  }

  get hasOutput(): boolean {
    return this.#chars > 0
  }

  /** A piece of the answer. */
  addText(piece: string): void {
    if (piece === '') return
    this.#chars += piece.length
    if (this.#chars > limits.agentOutputChars)
      throw new AgentFailed({
        code: 'too_large',
        message: `The answer is longer than ${limits.agentOutputChars} characters.`,
      })
    this.firstTokenMs ??= this.#elapsed()
    this.captured.add('output').add('first_token')
    this.#text.push(piece)
  }

  /** The whole answer, in place of the pieces before it. */
  setText(text: string): void {
    this.#text = []
    this.#chars = 0
    const { firstTokenMs } = this
    this.addText(text)
    this.firstTokenMs = firstTokenMs ?? this.firstTokenMs
    this.captured.add('output')
  }

  call({ id = null, name = 'unknown', args, key }: CallTold): void {
    this.captured.add('tools')
    if (args !== undefined) this.captured.add('tool_arguments')
    const before = this.#calls.at(-1)
    // Some agents narrate a call and then make it; that is one step.
    if (before?.narrated === true && before.name === name) {
      Object.assign(before, { id, args: args ?? null, narrated: false })
      if (id !== null) this.#byId.set(id, before)
      return
    }
    const call = this.#add({ id, name, args: args ?? null })
    if (key !== undefined) this.#byId.set(key, call)
  }

  /** Whether a call with this id was told. */
  knows(id: string | null): boolean {
    return id !== null && this.#byId.has(id)
  }

  /** A piece of JSON of the arguments of a call, in their order. */
  addArguments(piece: string, { id = null }: { id?: string | null }): void {
    const call = this.#openCall({ id })
    if (!call) return
    this.captured.add('tool_arguments')
    call.pieces = [...(call.pieces ?? []), piece]
  }

  setArguments(args: unknown, { id = null }: { id?: string | null }): void {
    const call = this.#openCall({ id })
    if (!call) return
    this.captured.add('tool_arguments')
    call.args = args
    call.pieces = null
  }

  /** Goes to the call with its id; without one to the oldest call of its name, or of any, that has no result. */
  result(told: ResultTold): void {
    this.captured.add('tools').add('tool_results')
    const call = this.#openCall(told)
    if (!call) {
      this.warnings.add('A tool result came without its call: emit `tool_call` first, and give both the same id.')
      return
    }
    const open = this.#open.indexOf(call)
    if (open >= 0) this.#open.splice(open, 1)
    call.result = told.result ?? null
    call.error = told.error ?? null
    call.succeeded = told.succeeded ?? (told.error ? false : null)
    call.ended_ms = this.#elapsed()
  }

  /** A word about a step; with a tool it is the call of that tool, unless one stands beside it. */
  narrate(text: string, tool: string | undefined): void {
    this.note('narration', text)
    if (tool === undefined) return
    this.captured.add('tools')
    const before = this.#calls.at(-1)
    if (before?.name === tool) return
    this.#add({ id: null, name: tool, args: null }).narrated = true
  }

  note(kind: AgentNote['kind'], text: string): void {
    if (this.notes.length >= limits.agentNotes) return
    this.notes.push({ kind, text: text.slice(0, limits.agentExcerptChars), at_ms: this.#elapsed(), turn: this.#turn })
  }

  usage(usage: Usage): void {
    this.captured.add('tokens')
    if (usage.cost !== null) this.captured.add('cost')
    this.usages.push(usage)
    // Streams that tell their usage without end would otherwise be kept without end.
    if (this.usages.length > 1_000)
      this.usages.splice(0, 2, joinUsage(this.usages[0] ?? usage, this.usages[1] ?? usage))
  }

  /** Usage that stands for all that was told before, as in streams that count on. */
  replaceUsage(usage: Usage): void {
    this.usages.length = 0
    this.usage(usage)
  }

  cost(dollars: number): void {
    this.captured.add('cost')
    this.totalCost = dollars
  }

  /** The calls, with arguments that came in pieces put together. */
  calls(): AgentToolCall[] {
    return this.#calls.map(({ pieces, narrated: _narrated, ...call }) =>
      pieces === null ? call : { ...call, args: this.#parsed(pieces.join(''), call.name) },
    )
  }

  #parsed(text: string, name: string): unknown {
    if (text.trim() === '') return {}
    try {
      return JSON.parse(text) as unknown
    } catch {
      this.warnings.add(`The arguments of ${name} are no JSON.`)
      return text
    }
  }

  #add({ id, name, args }: { id: string | null; name: string; args: unknown }): OpenCall {
    if (this.#calls.length >= limits.agentToolCalls)
      throw new AgentFailed({
        code: 'too_many_events',
        message: `The agent called more than ${limits.agentToolCalls} tools in one turn. Does it loop?`,
      })
    const call: OpenCall = {
      id,
      name,
      args,
      result: null,
      succeeded: null,
      error: null,
      started_ms: this.#elapsed(),
      ended_ms: null,
      turn: this.#turn,
      pieces: null,
      narrated: false,
    }
    this.#calls.push(call)
    this.#open.push(call)
    if (id !== null) this.#byId.set(id, call)
    return call
  }

  #openCall({ id = null, name }: { id?: string | null | undefined; name?: string | undefined }): OpenCall | undefined {
    const same = id === null ? undefined : this.#byId.get(id)
    if (same) return same
    // An id that no call has may be that of a call that did not say its own.
    return this.#open.find((call) => (id === null || call.id === null) && (name === undefined || call.name === name))
  }
}
