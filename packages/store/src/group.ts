import { Failure, limits } from '@llm-eval/protocol'
import type { Change, Ingest, IngestResult } from './store.ts'

/** One caller's work, committed together with that of others. */
export type Unit =
  | { projectId: number; ingest: Ingest; change?: undefined }
  | { projectId: number; change: Change; ingest?: undefined }

/** What a unit got: its result, or why it alone was refused. Plain data, so that it can cross a thread. */
export type Settled = { ok: true; value: unknown } | { ok: false; fault: string }

/** How a driver runs units in one transaction. Both throw `BadData` when the data of some unit cannot be stored, anything else when none can. */
export interface Executor {
  commit(units: Unit[]): Promise<unknown[]>
  /** Does the same and takes it back: tells whether the data could be stored. */
  probe(units: Unit[]): Promise<void>
}

/** The database refused the data itself (not the moment): trying again cannot help, but the other units may pass. */
export class BadData extends Error {
  override readonly name = 'BadData'
}

/**
 * Commits a group; when the data of one unit is bad, bisects so that only that unit, and within an ingest only that trace,
 * is refused. The good ones are committed.
 */
export async function commitBisecting(units: Unit[], executor: Executor): Promise<Settled[]> {
  try {
    return (await executor.commit(units)).map((value) => ({ ok: true, value }))
  } catch (error) {
    if (!(error instanceof BadData)) throw error
    const [only] = units
    if (only && units.length === 1) return [await splitOrRefuse(only, error, executor)]
    const half = units.length >> 1
    const first = await commitBisecting(units.slice(0, half), executor)
    return [...first, ...(await commitBisecting(units.slice(half), executor))]
  }
}

/** Of one ingest, stores the traces that can be stored, and calls the others invalid. */
async function splitOrRefuse(unit: Unit, error: BadData, executor: Executor): Promise<Settled> {
  const ingest = unit.ingest
  if (!ingest) return { ok: false, fault: error.message }
  const bad = new Set<number>()
  for (const [i, trace] of ingest.traces.entries()) {
    // One trace at a time: bad data is rare, and a batch holds at most a hundred.
    if (!(await isStorable({ projectId: unit.projectId, ingest: { traces: [trace] } }, executor))) bad.add(i)
  }
  // None is bad by itself: then it is the receipt or the message, and the whole request is refused.
  if (bad.size === 0) return { ok: false, fault: error.message }
  const fault = 'the database cannot store this trace'
  let next = -1
  const refused = ingest.receipt?.refused.map((entry) => {
    if (entry) return entry
    next++
    return bad.has(next) ? { status: 'invalid' as const, error: fault } : null
  })
  const kept: Ingest = {
    traces: ingest.traces.filter((_, i) => !bad.has(i)),
    ...(ingest.message ? { message: ingest.message } : {}),
    ...(ingest.receipt && refused ? { receipt: { ...ingest.receipt, refused } } : {}),
  }
  const [value] = (await executor.commit([{ projectId: unit.projectId, ingest: kept }])) as [IngestResult]
  const good = value.outcomes.values()
  const outcomes = ingest.traces.map((_, i) => (bad.has(i) ? { status: 'invalid', error: fault } : good.next().value))
  return { ok: true, value: { ...value, outcomes } }
}

async function isStorable(unit: Unit, executor: Executor): Promise<boolean> {
  try {
    await executor.probe([unit])
    return true
  } catch (error) {
    if (error instanceof BadData) return false
    throw error
  }
}

/** About what the texts of a change take, of those kinds that bring large ones. */
function textBytes(change: Change | undefined): number {
  const length = (...texts: (string | null)[]) => texts.reduce((sum, text) => sum + (text?.length ?? 0), 256)
  if (change?.kind === 'startExecutions')
    return length(...change.executions.flatMap(({ input, config }) => [input, config]))
  if (change?.kind === 'addRows') return length(...change.rows.map((row) => row.values))
  if (change?.kind === 'addTasks') return length(...change.tasks.flatMap(({ input, output }) => [input, output]))
  if (change?.kind === 'addItems')
    return length(...change.items.flatMap(({ body }) => [body.input, body.expected, body.output, body.scores]))
  if (change?.kind === 'appendConversation') return length(...change.events.map(({ payload }) => payload))
  return length()
}

/** What a unit counts for: the traces, items of a run, or events of a conversation that it brings. */
function rowsOf({ ingest, change }: Unit): number {
  if (ingest) return ingest.traces.length
  if (change.kind === 'addItems') return Math.max(1, change.items.length)
  return change.kind === 'appendConversation' ? Math.max(1, change.events.length) : 1
}

interface Waiting {
  unit: Unit
  traces: number
  bytes: number
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

export interface GroupOptions {
  /** Groups in flight at once: 1 for a single writer. */
  concurrency: number
  /** Traces and bytes of one group, at most (a single unit may be larger). */
  groupTraces: number
  groupBytes: number
  /** Whether the next unit may be committed together with the first one of a group; without it any may. */
  together?: (first: Unit, next: Unit) => boolean
  /** Milliseconds of a monotonic clock. */
  now: () => number
  onCommit: (ms: number, traces: number) => void
}

/** What a driver does with a group of units; rejects when the database takes no writes at all. */
export type CommitGroup = (units: Unit[]) => Promise<Settled[]>

/**
 * Gathers what concurrent callers want committed: while one group is being committed the next one gathers, so the busier
 * the server, the larger the groups. The queue is bounded in traces and bytes; when it is full, callers get `overloaded`
 * at once, and nothing of theirs is stored.
 */
export class GroupCommitter {
  #waiting: Waiting[] = []
  #traces = 0
  #bytes = 0
  #running = 0
  #closed = false
  #idle: (() => void)[] = []
  readonly #commit: CommitGroup
  readonly #options: GroupOptions

  constructor(commit: CommitGroup, options: GroupOptions) {
    this.#commit = commit
    this.#options = options
  }

  get queued(): { traces: number; bytes: number } {
    return { traces: this.#traces, bytes: this.#bytes }
  }

  submit(unit: Unit): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Failure('shutting_down', { retryAfter: 2 }))
    const traces = rowsOf(unit)
    const bytes = unit.ingest?.traces.reduce((sum, trace) => sum + trace.body.length, 0) ?? textBytes(unit.change)
    const full = this.#traces + traces > limits.commitQueueTraces || this.#bytes + bytes > limits.commitQueueBytes
    if (full) return Promise.reject(new Failure('overloaded', { retryAfter: 1 }))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, traces, bytes, resolve, reject })
      this.#traces += traces
      this.#bytes += bytes
      this.#pump()
    })
  }

  /** Resolves when everything submitted before is committed; nothing is taken any more. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#running === 0 && this.#waiting.length === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #pump(): void {
    while (this.#running < this.#options.concurrency && this.#waiting.length > 0) void this.#run(this.#take())
    if (this.#running === 0 && this.#waiting.length === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #take(): Waiting[] {
    const { groupTraces, groupBytes, together } = this.#options
    const group: Waiting[] = []
    let rest: Waiting[] = []
    let traces = 0
    let bytes = 0
    for (const [at, waiting] of this.#waiting.entries()) {
      const first = group[0]
      if (first && together && !together(first.unit, waiting.unit)) {
        rest.push(waiting)
        continue
      }
      if (first && (traces + waiting.traces > groupTraces || bytes + waiting.bytes > groupBytes)) {
        rest = rest.concat(this.#waiting.slice(at))
        break
      }
      group.push(waiting)
      traces += waiting.traces
      bytes += waiting.bytes
    }
    this.#waiting = rest
    return group
  }

  async #run(group: Waiting[]): Promise<void> {
    this.#running++
    const started = this.#options.now()
    try {
      const settled = await this.#commit(group.map((waiting) => waiting.unit))
      const traces = group.reduce((sum, waiting) => sum + waiting.traces, 0)
      this.#options.onCommit(this.#options.now() - started, traces)
      group.forEach((waiting, i) => {
        const result = settled[i]
        if (result?.ok) waiting.resolve(result.value as never)
        else waiting.reject(new Failure('internal', { cause: new BadData(result?.fault ?? 'the group lost a unit') }))
      })
    } catch (error) {
      for (const waiting of group) waiting.reject(error)
    } finally {
      for (const waiting of group) {
        this.#traces -= waiting.traces
        this.#bytes -= waiting.bytes
      }
      this.#running--
      this.#pump()
    }
  }
}
