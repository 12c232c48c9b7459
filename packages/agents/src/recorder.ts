import { type AgentNote, type AgentPart, type AgentToolCall, limits } from '@llm-eval/protocol'
import { AgentFailed } from './fault.ts'
import { parsedJson } from './json.ts'
import { OpenCalls } from './open-calls.ts'
import { excerpt } from './send.ts'
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
  /** One before it that says the same id and has no result yet. */
  namesake: OpenCall | null
}

const orphan = 'A tool result came without its call: emit `tool_call` first, and give both the same id.'

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
  readonly #open = new OpenCalls<OpenCall>()
  /** Those of them that did not say their id. */
  readonly #anonymous = new OpenCalls<OpenCall>()
  /** Results that came before their calls, by id. */
  readonly #early = new Map<string, ResultTold>()
  #isLost = false
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

  call({ id = null, name: told, args, key }: CallTold): void {
    const name = told === undefined || told === '' ? 'unknown' : told
    this.captured.add('tools')
    if (args !== undefined) this.captured.add('tool_arguments')
    const before = this.#calls.at(-1)
    // Some agents narrate a call and then make it; that is one step.
    if (before?.narrated === true && before.name === name) {
      Object.assign(before, { id, args: args ?? null, narrated: false })
      if (id !== null) this.#name(before, id)
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
    call.pieces ??= []
    call.pieces.push(piece)
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
    if (!call) return this.#keep(told)
    this.#open.delete(call)
    this.#anonymous.delete(call)
    if (call.id !== null && call.namesake !== null) this.#byId.set(call.id, call.namesake)
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
    return this.#calls.map(({ pieces, narrated: _narrated, namesake: _namesake, ...call }) =>
      pieces === null ? call : { ...call, args: this.#parsed(pieces.join(''), call.name) },
    )
  }

  #parsed(text: string, name: string): unknown {
    if (text.trim() === '') return {}
    const value = parsedJson(text)
    if (value === undefined && this.warnings.size < 100)
      this.warnings.add(`The arguments of ${excerpt(name)} are no JSON.`)
    return value === undefined ? text : value
  }

  /** A result whose call may still come: some agents tell what they do in no order. */
  #keep(told: ResultTold): void {
    this.warnings.add(orphan)
    if (typeof told.id === 'string' && this.#early.size < limits.agentToolCalls) this.#early.set(told.id, told)
    else this.#isLost = true
  }

  #name(call: OpenCall, id: string): void {
    const before = this.#byId.get(id)
    if (before !== undefined && before !== call && before.ended_ms === null) call.namesake = before
    this.#byId.set(id, call)
    this.#anonymous.delete(call)
    const early = this.#early.get(id)
    if (!early) return
    this.#early.delete(id)
    if (this.#early.size === 0 && !this.#isLost) this.warnings.delete(orphan)
    this.result(early)
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
      namesake: null,
    }
    this.#calls.push(call)
    this.#open.add(call)
    if (id === null) this.#anonymous.add(call)
    else this.#name(call, id)
    return call
  }

  #openCall({ id = null, name }: { id?: string | null | undefined; name?: string | undefined }): OpenCall | undefined {
    const same = id === null ? undefined : this.#byId.get(id)
    if (same) return same
    const tool = name === '' ? undefined : name
    // An id that no call has may be that of a call that did not say its own.
    return (id === null ? this.#open : this.#anonymous).oldest(tool)
  }
}
