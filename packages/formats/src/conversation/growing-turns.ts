import type { ConversationEvent, ConversationTurn } from '@llm-eval/protocol'
import { hear, type Heard, type HearingOptions } from './heard.ts'
import { requestsOf, type Watch } from './requests.ts'
import { turnsOf } from './turns.ts'

/** Events after the last turn that is over, from which on a later one is looked for. */
const mostOpen = 256

/** Turns, and all by which later events could reach back to them. */
interface Read {
  turns: ConversationTurn[]
  runs: Set<string>
  invocations: Set<string>
  calls: Set<string>
  results: Set<string>
  /** Whether an agent of AG-UI speaks, who may name what was there before. */
  speaks: boolean
}

/**
 * The turns of one conversation that grows. Those that are over are not read again, unless something of them is told later: the
 * result of a call that took long, the end of a request. What AG-UI agents said is read as a whole each time.
 */
export class GrowingTurns {
  readonly #hearing: HearingOptions
  #over = nothing()
  /** Events of what is over. */
  #passed = 0
  #tryAt = mostOpen

  constructor(hearing: HearingOptions = {}) {
    this.#hearing = hearing
  }

  /**
   * The same as `toTurns` of all events.
   *
   * @param events those of the last call, and what came after them
   */
  list(events: readonly ConversationEvent[], watch: Watch = {}): ConversationTurn[] {
    const options = { ...this.#hearing, ...watch }
    const rest = events.slice(this.#passed)
    const open = this.#pass(rest, options) ?? readAll(rest, options)
    if (!reaches(open, this.#over)) {
      const before = this.#over.turns.length
      return [...this.#over.turns, ...open.turns.map((turn) => ({ ...turn, index: before + turn.index }))]
    }
    this.#over = nothing()
    this.#passed = 0
    this.#tryAt = mostOpen
    return this.list(events, watch)
  }

  /** Goes on to the last turn that has begun. @returns what is left, or undefined where that is not possible yet */
  #pass(rest: readonly ConversationEvent[], options: HearingOptions & Watch): Read | undefined {
    if (rest.length < this.#tryAt) return undefined
    this.#tryAt = rest.length + mostOpen
    const end = lastBeginning(rest)
    if (end === 0) return undefined
    const over = readAll(rest.slice(0, end), options)
    if (over.turns.some(({ state }) => state === 'running') || reaches(over, this.#over)) return undefined
    const open = readAll(rest.slice(end), options)
    if (reaches(open, over) || reaches(open, this.#over)) return undefined
    add(this.#over, over)
    this.#passed += end
    this.#tryAt = mostOpen
    return open
  }
}

function nothing(): Read {
  return {
    turns: [],
    runs: new Set(),
    invocations: new Set(),
    calls: new Set(),
    results: new Set(),
    speaks: false,
  }
}

function readAll(events: readonly ConversationEvent[], options: HearingOptions & Watch): Read {
  const { heard } = hear(events, options)
  const parts = heard.flatMap(({ event }) => event.content?.parts ?? [])
  return {
    turns: turnsOf(heard, requestsOf(events, options)),
    runs: new Set(events.flatMap(({ run_id }) => run_id ?? [])),
    invocations: new Set(heard.map(({ event }: Heard) => event.invocationId)),
    calls: new Set(parts.flatMap(({ functionCall }) => (functionCall ? keyOf(functionCall) : []))),
    results: new Set(parts.flatMap(({ functionResponse }) => (functionResponse ? keyOf(functionResponse) : []))),
    speaks: events.some(({ kind }) => kind === 'agui_event'),
  }
}

/** As `Steps` knows calls. */
function keyOf({ id = '', name = '' }: { id?: string | undefined; name?: string | undefined }): string {
  return id === '' ? `\0${name}` : id
}

/** Whether anything of what came later belongs to what was there before. */
function reaches(later: Read, before: Read): boolean {
  return (
    meet(later.runs, before.runs) ||
    meet(later.invocations, before.invocations) ||
    meet(later.results, before.calls) ||
    (before.turns.length > 0 && later.speaks)
  )
}

function meet(few: ReadonlySet<string>, many: ReadonlySet<string>): boolean {
  for (const one of few) if (many.has(one)) return true
  return false
}

function add(before: Read, more: Read): void {
  for (const kind of ['runs', 'invocations', 'calls'] as const) for (const one of more[kind]) before[kind].add(one)
  const { turns } = before
  for (const turn of more.turns) turns.push({ ...turn, index: turns.length })
}

/**
 * Where the last turn begins that a user began: such words belong to nothing that was said before. 0 if there is none after the
 * first. What AG-UI agents say is not taken apart.
 */
function lastBeginning(events: readonly ConversationEvent[]): number {
  if (events.some(({ kind }) => kind === 'agui_event')) return 0
  return Math.max(
    0,
    events.findLastIndex((event, index) => isBeginning(event, { before: events[index - 1], after: events[index + 1] })),
  )
}

function isBeginning(
  { kind, run_id }: ConversationEvent,
  { before, after }: { before: ConversationEvent | undefined; after: ConversationEvent | undefined },
): boolean {
  if (kind === 'run_start') return run_id !== null && after?.kind === 'user_message' && after.run_id === run_id
  if (kind !== 'user_message' || before?.kind === 'user_message' || before?.kind === 'run_start') return false
  return !(before?.kind === 'adk_event' && before.payload['author'] === 'user')
}
