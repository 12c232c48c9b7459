import { Worker } from 'node:worker_threads'
import type { CompareRunsOptions } from '@llm-eval/engine'
import { Failure, limits, type RunMetricSummary, type RunsCompared } from '@llm-eval/protocol'
import type { Store, StoredRun } from '@llm-eval/store'
import { readMetrics } from './metrics.ts'
import { columnOf } from './run-columns.ts'
import type { NumbersReply, NumbersTask } from './numbers.thread.ts'

/** Items whose numbers are read at a time. */
const pageItems = 2_000
/** Requests that wait for the thread. */
const mostWaiting = 32
/** Items that the thread keeps for what is asked of the same runs next. */
const mostKept = 500_000
/** Milliseconds after which a thread that nobody needs is ended. */
const idleMs = 60_000
/** Milliseconds that one request may take. */
const patienceMs = 120_000

export interface ComparisonWish extends CompareRunsOptions {
  /** Whether the metrics of each run are wanted beside. */
  summed: 'each' | 'none'
}

/** Runs compared, with the metrics of each where they were wanted, in the same order. */
export interface ComparedRuns {
  comparison: RunsCompared
  summaries: RunMetricSummary[][]
}

/** Sums runs up and compares them, one request after the other, in a thread that lives as long as it is needed. */
export class RunNumbers {
  readonly #store: Store
  #thread: Worker | undefined
  /** Whose items the thread has; what is asked of the same runs next needs no reading. */
  #held: string | null = null
  #idle: NodeJS.Timeout | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #closed = false

  constructor(store: Store) {
    this.#store = store
  }

  /** @throws {Failure} `overloaded`, `shutting_down` */
  async summarise(projectId: number, run: StoredRun): Promise<RunMetricSummary[]> {
    const reply = await this.#ask(projectId, [run], { kind: 'summarise' })
    if (reply.kind !== 'summary') throw new Error(`a run could not be summed up: ${reply.kind}`)
    return reply.summary
  }

  /** @throws {Failure} `invalid_request`, `overloaded`, `shutting_down` */
  async compare(projectId: number, runs: readonly StoredRun[], wish: ComparisonWish): Promise<ComparedRuns> {
    const reply = await this.#ask(projectId, runs, { kind: 'compare', ...wish })
    if (reply.kind !== 'comparison') throw new Error(`runs could not be compared: ${reply.kind}`)
    return { comparison: reply.comparison, summaries: reply.summaries }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    await this.#thread?.terminate()
  }

  async #ask(projectId: number, runs: readonly StoredRun[], wish: NumbersTask): Promise<NumbersReply> {
    if (this.#closed) throw new Failure('shutting_down', { retryAfter: 1 })
    if (this.#waiting >= mostWaiting) throw new Failure('overloaded', { retryAfter: 2 })
    this.#waiting++
    const asking = this.#last.then(() => this.#perform(projectId, runs, wish))
    this.#last = asking.catch(() => undefined)
    try {
      return await asking
    } finally {
      this.#waiting--
      this.#rest()
    }
  }

  async #perform(projectId: number, runs: readonly StoredRun[], wish: NumbersTask): Promise<NumbersReply> {
    if (this.#closed) throw new Failure('shutting_down', { retryAfter: 1 })
    clearTimeout(this.#idle)
    const worker = (this.#thread ??= this.#start())
    const answered = answerOf(worker)
    answered.catch(() => undefined)
    const say = (task: NumbersTask) => worker.postMessage(task, [])
    const key = keyOf(projectId, runs)
    if (this.#held !== key) {
      this.#held = null
      say({ kind: 'forget' })
      for (const run of runs) await this.#tell(say, projectId, run)
      this.#held = key
    }
    say(wish)
    const reply = await answered.catch(async (error: unknown) => {
      // What it still has to say is no answer to the next request.
      if (this.#thread === worker) this.#thread = undefined
      this.#held = null
      await worker.terminate()
      throw this.#closed ? new Failure('shutting_down', { retryAfter: 1 }) : error
    })
    if (itemsOf(runs) > mostKept && this.#thread === worker) {
      this.#held = null
      say({ kind: 'forget' })
    }
    if (reply.kind === 'refused') throw new Failure(reply.failure.code, { errors: reply.failure.errors })
    return reply
  }

  /** Hands a run to the thread, a page of items after the other. */
  async #tell(say: (task: NumbersTask) => void, projectId: number, run: StoredRun): Promise<void> {
    say({ kind: 'run', runId: run.id, metrics: readMetrics(run.metrics).map(columnOf) })
    for (let after = -1; ; ) {
      const page = await this.#store.read(projectId, 'runColumns', { ref: run.ref, after, limit: pageItems })
      const last = page.itemIndex.at(-1)
      if (last === undefined) return
      say({ kind: 'page', page })
      after = last
    }
  }

  #start(): Worker {
    this.#held = null
    // The same code runs from the sources (.ts) and from the build (.js); the thread's module lies beside this one in each.
    const file = `./numbers.thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`
    const thread = new Worker(new URL(file, import.meta.url), {
      name: 'numbers of runs',
      resourceLimits: { maxOldGenerationSizeMb: 1_024 },
    })
    thread.unref()
    // Whoever waits for its answer is told; nobody else has to be.
    thread.on('error', () => undefined)
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
    })
    return thread
  }

  #rest(): void {
    if (this.#waiting > 0 || this.#closed) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      if (this.#waiting > 0) return
      const thread = this.#thread
      this.#thread = undefined
      void thread?.terminate()
    }, idleMs).unref()
  }
}

/** What the thread says next. */
function answerOf(thread: Worker): Promise<NumbersReply> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer)
      thread.off('message', onMessage).off('error', onError).off('exit', onExit)
      then()
    }
    const onMessage = (reply: NumbersReply) =>
      settle(() => (reply.kind === 'broken' ? reject(new Error(reply.message)) : resolve(reply)))
    const onError = (error: unknown) => settle(() => reject(error))
    const onExit = () => settle(() => reject(new Error('the thread for the numbers of runs ended')))
    const timer = setTimeout(() => onError(new Failure('overloaded', { retryAfter: 5 })), patienceMs).unref()
    thread.on('message', onMessage).on('error', onError).on('exit', onExit)
  })
}

/** The same as long as no item came to the runs or went. */
function keyOf(projectId: number, runs: readonly StoredRun[]): string {
  const told = runs.map(({ ref, completed, erased, updatedAt }) => [ref, completed, erased, updatedAt])
  return JSON.stringify([projectId, told])
}

/** Whether runs have too many items to be compared at once. */
export function tooMany(runs: readonly Pick<StoredRun, 'completed'>[]): boolean {
  return itemsOf(runs) > limits.comparedItems
}

function itemsOf(runs: readonly Pick<StoredRun, 'completed'>[]): number {
  return runs.reduce((sum, { completed }) => sum + completed, 0)
}
