/** Works one run off: what the engine makes of it is stored as it comes. */
import { type Engine, run as work, type RunCase, type RunEnded } from '@llm-eval/engine'
import { Failure, type RunItem } from '@llm-eval/protocol'
import type { ItemBody, NewRunItem, Store, StoredRun } from '@llm-eval/store'
import type { Catalogue } from '../judging/judge.ts'
import { countItems, type RunMeters } from '../meters/run-meters.ts'
import { readCases } from './cases.ts'
import { finishedOf } from './finished.ts'
import { prepareScorer, readMetrics } from './metrics.ts'
import { answererOf, type TaskTools } from './tasks.ts'
import { readSettings, readTask, toNewItem, totalsOf } from './wire.ts'

/** What runs are worked off with. */
export interface ExecuteParts {
  store: Store
  engine: Engine
  catalogue: Catalogue
  tools: TaskTools
  now: () => number
  meters: RunMeters
  /** Names this process in the store. */
  owner: string
}

/** A run that this process holds. */
export interface Held {
  projectId: number
  run: StoredRun
  /** Aborted when it is not to be worked on any more. */
  stopping: AbortController
}

/**
 * Does what is missing of a run, and stores its end, unless it was stopped: then what is finished is stored, and the rest is left
 * to whoever goes on.
 */
export async function execute(parts: ExecuteParts, held: Held): Promise<void> {
  const { projectId, run, stopping } = held
  const task = readTask(run.task)
  const settings = readSettings(run.settings)
  const evaluators = { ...parts, turns: parts.tools.turns }
  const used = { metrics: readMetrics(run.metrics), gone: 'refused' } as const
  const { evaluate, metrics, asksModels } = await prepareScorer(evaluators, projectId, used)
  // Items that wait for a model beside others of their run would only run out of time.
  const most = asksModels || task.kind === 'prompt' ? parts.tools.turns.width : settings.concurrency
  const done = await finishedOf(parts.store, held)
  const traces = new Map<string, string>()
  const { cases, mind } = readingOf(readCases({ store: parts.store, projectId, run, task }, traces))
  const writer = new Writer(parts, held, traces)
  const plan = {
    cases,
    metrics,
    settings: { ...settings, concurrency: Math.min(settings.concurrency, most) },
    total: run.total === null ? null : run.total / settings.repetitions,
    earlier: {
      finished: done.has,
      totals: totalsOf(run),
      durationMs: run.workedMs,
    },
  }
  const events = work(plan, {
    answer: answererOf(task, parts.tools),
    evaluate,
    signal: stopping.signal,
  })
  let end: RunEnded | undefined
  for await (const event of events) {
    if (event.type === 'item') await writer.add({ ...event.item, item_index: done.indexOf(event.item) })
    if (event.type === 'ended') end = event
  }
  await writer.flush()
  mind()
  if (end !== undefined && !stopping.signal.aborted) await storeEnd(parts, held, end)
}

/** Reads cases; `mind` throws what broke the reading off and may go well another time: a store that is away is no end of a dataset. */
function readingOf(all: AsyncIterable<RunCase>): { cases: AsyncIterable<RunCase>; mind: () => void } {
  let broken: { error: unknown } | undefined
  async function* cases(): AsyncGenerator<RunCase, void, undefined> {
    try {
      yield* all
    } catch (error) {
      if (!(error instanceof Failure) || error.status >= 500) broken = { error }
      throw error
    }
  }
  return {
    cases: cases(),
    mind() {
      if (broken) throw broken.error
    },
  }
}

async function storeEnd({ store, owner, now }: ExecuteParts, { projectId, run }: Held, end: RunEnded): Promise<void> {
  const { status, stopped_by: stoppedBy, error, progress } = end
  // Only a signal cancels, and that was heard of before.
  if (status === 'cancelled') return
  const total = progress.total_items ?? undefined
  await store.apply(projectId, { kind: 'endRun', id: run.id, owner, status, stoppedBy, error, total, at: now() })
}

/** Bytes of items that wait to be stored before the run waits too. */
const mostBytes = 16 * 1024 * 1024
const mostItems = 1_000
/** Items of one commit: handing many to the thread that writes would hold others up. */
const portion = 100

function bytesOf({ input, expected, output, scores }: ItemBody): number {
  return input.length + (expected?.length ?? 0) + (output?.length ?? 0) + scores.length
}

/** Stores items: one commit at a time, of all that came during the one before. */
class Writer {
  readonly #parts: ExecuteParts
  readonly #held: Held
  readonly #traces: ReadonlyMap<string, string>
  readonly #names: readonly string[]
  #waiting: NewRunItem[] = []
  #bytes = 0
  #writing: Promise<void> | undefined
  #failed: { error: unknown } | undefined

  constructor(parts: ExecuteParts, held: Held, traces: ReadonlyMap<string, string>) {
    this.#parts = parts
    this.#held = held
    this.#traces = traces
    this.#names = held.run.metricNames
  }

  /** Resolves when there is room for more. */
  async add(item: RunItem): Promise<void> {
    this.#mind()
    const sourceTraceId = this.#traces.get(item.case_id)
    // Nobody sends it again: who does it again asks again, and the first that was stored stays.
    const hash = `the server, ${item.completed_at}`
    const kept = toNewItem(item, { names: this.#names, hash, sourceTraceId, at: this.#parts.now() })
    this.#waiting.push(kept)
    this.#bytes += bytesOf(kept.body)
    this.#begin()
    while (this.#bytes > mostBytes || this.#waiting.length > mostItems) {
      await this.#writing
      this.#mind()
      this.#begin()
    }
  }

  /** Resolves when all that was added is stored. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#writing) {
      this.#mind()
      this.#begin()
      await this.#writing
    }
    this.#mind()
  }

  #mind(): void {
    if (this.#failed) throw this.#failed.error
  }

  #begin(): void {
    if (this.#writing || this.#waiting.length === 0) return
    const items = this.#waiting.splice(0, portion)
    for (const { body } of items) this.#bytes -= bytesOf(body)
    this.#writing = this.#write(items)
      .catch((error: unknown) => {
        this.#failed = { error }
      })
      .finally(() => {
        this.#writing = undefined
        if (!this.#failed) this.#begin()
      })
  }

  async #write(items: NewRunItem[]): Promise<void> {
    const { store, now, meters, owner } = this.#parts
    const { projectId, run, stopping } = this.#held
    const stored = await store.apply(projectId, { kind: 'addItems', id: run.id, items, lease: null, at: now() })
    if (stored.result === 'ok') countItems(meters, items, stored.fates)
    // Somebody cancelled or deleted it, here or elsewhere, or took it while this process slept.
    if (stored.result !== 'ok' || stored.status !== 'running' || stored.owner !== owner) stopping.abort()
  }
}
