import type { BridgeRun } from './logs-bridge-words.ts'
import type { EngineLogEvent } from './logs-engine.ts'
import type { LogWarnings } from './logs-words.ts'

/** What an engine did in one invocation; where its log names requests of a bridge, in one of them. */
export interface EngineInvocation {
  id: string
  session: string | null
  run: string | null
  /** Milliseconds since 1970; null where no event has a time. */
  from: number | null
  to: number | null
  /** Calls of tools that it made. */
  calls: Set<string>
  events: (EngineLogEvent & { eventId: string })[]
}

export interface Assigned {
  byRun: Map<BridgeRun, EngineInvocation[]>
  /** Those that no run is for. */
  alone: EngineInvocation[]
}

/** Milliseconds that a clock of a bridge and one of an engine may differ. */
const clockSkewMs = 5_000

/** Finds the run of each invocation: by its name, by a call that both have, else by its id, else by session and time. */
export function assignInvocations(
  runs: readonly BridgeRun[],
  invocations: readonly EngineInvocation[],
  warnings: LogWarnings,
): Assigned {
  const finder = new Finder(runs, invocations)
  const assigned: Assigned = { byRun: new Map(), alone: [] }
  const threads = new Map<string, string>()
  const give = (run: BridgeRun, invocation: EngineInvocation) => {
    const known = assigned.byRun.get(run)
    if (known) known.push(invocation)
    else assigned.byRun.set(run, [invocation])
    if (invocation.session !== null) threads.set(invocation.session, run.thread)
  }
  const left: EngineInvocation[] = []
  for (const invocation of invocations) {
    const found = finder.find(invocation)
    const [run] = found
    if (!run) {
      left.push(invocation)
      continue
    }
    if (new Set(found).size > 1)
      warnings.add('ambiguous', run, `Several runs have calls of the invocation ${invocation.id}.`)
    give(run, invocation)
  }
  const free = new Windows(runs.filter((run) => !assigned.byRun.has(run)))
  for (const invocation of left) {
    const thread = invocation.session === null ? null : (threads.get(invocation.session) ?? invocation.session)
    const run = finder.isNamed(invocation) ? undefined : free.take(invocation, thread)
    if (run) {
      warnings.add('joined_by_time', run, `The invocation ${invocation.id} fell into this run of ${run.thread}.`)
      give(run, invocation)
    } else {
      if (runs.length > 0)
        warnings.add('no_bridge_run', null, `No run of the bridge is for the invocation ${invocation.id}.`)
      assigned.alone.push(invocation)
    }
  }
  if (invocations.length > 0)
    for (const run of runs)
      if (!assigned.byRun.has(run))
        warnings.add('no_engine_events', run, `The log of the engine holds nothing of this run of ${run.thread}.`)
  return assigned
}

/** Finds the runs of an invocation by what both logs call alike. Where names of runs are, no other run has what is named. */
class Finder {
  readonly #byName: ReadonlyMap<string, BridgeRun[]>
  readonly #byCall: ReadonlyMap<string, BridgeRun[]>
  readonly #byInvocation: ReadonlyMap<string, BridgeRun[]>
  readonly #areNamed: boolean

  constructor(runs: readonly BridgeRun[], invocations: readonly EngineInvocation[]) {
    this.#byName = indexed(runs, ({ thread, run }) => (run === null ? [] : [nameOf(thread, run)]))
    this.#byCall = indexed(runs, ({ calls }) => calls)
    this.#byInvocation = indexed(runs, (run) => (run.run === null ? run.invocations : [run.run, ...run.invocations]))
    this.#areNamed = invocations.some((one) => this.#named(one).length > 0)
  }

  find(invocation: EngineInvocation): BridgeRun[] {
    if (this.isNamed(invocation)) return this.#named(invocation)
    const called = [...invocation.calls].flatMap((call) => this.#byCall.get(call) ?? [])
    return called.length > 0 ? called : (this.#byInvocation.get(invocation.id) ?? [])
  }

  /** Whether a name says of which run it is, also where that run was not logged. */
  isNamed({ run }: EngineInvocation): boolean {
    return this.#areNamed && run !== null
  }

  #named({ run, session }: EngineInvocation): BridgeRun[] {
    return run === null ? [] : (this.#byName.get(nameOf(session, run)) ?? [])
  }
}

function nameOf(thread: string | null, run: string): string {
  return JSON.stringify([thread, run])
}

function indexed(
  runs: readonly BridgeRun[],
  keysOf: (run: BridgeRun) => Iterable<string>,
): ReadonlyMap<string, BridgeRun[]> {
  const found = new Map<string, BridgeRun[]>()
  for (const run of runs) {
    for (const key of keysOf(run)) {
      const known = found.get(key)
      if (known) known.push(run)
      else found.set(key, [run])
    }
  }
  return found
}

/** Runs that nothing was found for, by when they began. */
class Windows {
  readonly #all: BridgeRun[]
  readonly #byThread = new Map<string, BridgeRun[]>()
  readonly #taken = new Set<BridgeRun>()

  constructor(runs: readonly BridgeRun[]) {
    this.#all = runs.filter(({ startedAt }) => startedAt !== null).toSorted((a, b) => begun(a) - begun(b))
    for (const run of this.#all) {
      const known = this.#byThread.get(run.thread)
      if (known) known.push(run)
      else this.#byThread.set(run.thread, [run])
    }
  }

  /** The run that something fell into; of a thread, or of any when just one run fits. */
  take({ from }: EngineInvocation, thread: string | null): BridgeRun | undefined {
    if (from === null) return undefined
    const own = thread === null ? undefined : this.#byThread.get(thread)
    const fitting = this.#around(own ?? this.#all, from)
    const found = own || fitting.length === 1 ? fitting[0] : undefined
    if (found) this.#taken.add(found)
    return found
  }

  /** Runs that were under way at a moment, at most two: those that began last come first. */
  #around(runs: readonly BridgeRun[], at: number): BridgeRun[] {
    const found: BridgeRun[] = []
    let place = lastBefore(runs, at + clockSkewMs)
    // Runs that began long before are hardly still under way: no more than a hundred are looked at.
    for (let looked = 0; place >= 0 && looked < 100 && found.length < 2; place--, looked++) {
      const run = runs[place]
      const isUnderWay = run && (run.endedAt === null || run.endedAt + clockSkewMs >= at)
      if (isUnderWay && !this.#taken.has(run)) found.push(run)
    }
    return found
  }
}

function begun({ startedAt }: BridgeRun): number {
  return startedAt ?? 0
}

/** Index of the last run that began by then; -1 when none did. */
function lastBefore(runs: readonly BridgeRun[], at: number): number {
  let low = 0
  let high = runs.length
  while (low < high) {
    const middle = (low + high) >> 1
    const run = runs[middle]
    if (run && begun(run) <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}
