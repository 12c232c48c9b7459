import { type ItemFinished, run, type RunCase, type RunEnded, type RunPlan } from '@llm-eval/engine'
import { limits, type Run, type RunItem, type RunProgress, type RunSettings, type RunStatus } from '@llm-eval/protocol'
import { callSafely, connect, type Connection, LLMEvalError } from '../inside.ts'
import { firstOf, readCases, readRows } from './cases.ts'
import { Courier, isPassing } from './courier.ts'
import { answererOf, evidenceOf, finishedEvent } from './items.ts'
import type { ChosenMetrics } from './metrics.ts'
import type { EvaluationResult, EvaluatorOptions } from './options.ts'
import { resultOf } from './result.ts'
import { RunServer, type RunWish } from './run-server.ts'

/** Events of one request; fewer where the server has to judge them before it answers. */
const mostEvents = { stored: limits.runEvents, judged: 10 } as const
/** Milliseconds of one request. */
const answerMs = { stored: 30_000, judged: 600_000 } as const

/** One evaluation, from its first request to its result. */
export class Evaluation {
  readonly #options: EvaluatorOptions
  readonly #settings: RunSettings
  readonly #metrics: ChosenMetrics
  readonly #connection: Connection
  readonly #runId: string
  readonly #server: RunServer
  readonly #worker = `sdk-${crypto.randomUUID()}`
  readonly #warnings: string[] = []
  readonly #ending = new AbortController()
  /** What evaluators of the server see of items that are worked on. */
  readonly #evidence = new Map<string, Record<string, unknown>>()
  readonly #kept: RunItem[] | null
  #courier: Courier | null = null
  #ended = false

  constructor(options: EvaluatorOptions, settings: RunSettings, metrics: ChosenMetrics) {
    this.#options = options
    this.#settings = settings
    this.#metrics = metrics
    const { baseUrl, apiKey, fetch, clock, random, maxWaitMs } = options
    const requestTimeoutMs = options.requestTimeoutMs ?? answerMs[this.#kind]
    this.#connection = connect({ baseUrl, apiKey, fetch, clock, random, maxWaitMs, requestTimeoutMs })
    this.#runId = options.runId ?? `run-${crypto.randomUUID()}`
    this.#server = new RunServer(this.#connection, this.#runId)
    this.#kept = options.items === 'kept' ? [] : null
  }

  async run(): Promise<EvaluationResult> {
    const { signal } = this.#options
    const cancel = () => this.#ending.abort(signal?.reason)
    if (signal?.aborted) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const wish = this.#wish()
      const made = await this.#create(wish)
      if (made && isWhole(made)) return this.#before(made)
      const plan = await this.#plan(made)
      this.#courier = this.#deliverTo(made, wish)
      const ended = await this.#work(plan, this.#courier)
      return await this.#finish(ended, this.#courier)
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** Makes the run, or takes up where another process left it. */
  async #open(wish: RunWish, signal: AbortSignal): Promise<Run> {
    const { here, wishes } = this.#metrics
    const elsewhere = wishes.filter(({ name }) => !here.some((metric) => metric.name === name))
    await this.#server.checkEvaluators([...new Set(elsewhere.map(({ evaluator }) => evaluator))], signal)
    const run = await this.#server.create(wish, signal)
    return run.status === 'queued' || isWhole(run) ? run : await this.#server.resume(this.#worker, signal)
  }

  /** Null while the server is away: cases that are here can be evaluated nevertheless. */
  async #create(wish: RunWish): Promise<Run | null> {
    try {
      return await this.#open(wish, this.#ending.signal)
    } catch (error) {
      const away = error instanceof LLMEvalError && isPassing(error)
      if (!away || typeof this.#options.dataset === 'string') throw error
      this.#warn(`The server is not there; the evaluation goes on without it: ${error.message}`)
      return null
    }
  }

  #wish(): RunWish {
    const { dataset, runId, datasetVersion = null, ...options } = this.#options
    const stored = typeof dataset === 'string'
    const { repetitions } = this.#settings
    const { maxCases = null } = options
    // Of a dataset of the server it is at most so many: how many there are the server knows.
    const most = maxCases === null ? null : Math.min(maxCases, Math.floor(limits.runItems / repetitions))
    const total = stored ? most : this.#total
    const datasetName = stored ? dataset : (options.datasetName ?? 'cases')
    return {
      run_id: this.#runId,
      name: options.name ?? runId ?? datasetName,
      description: options.description ?? null,
      dataset: stored ? dataset : null,
      ...(stored ? {} : { dataset_name: datasetName }),
      dataset_version: datasetVersion,
      metrics_used: this.#metrics.wishes,
      settings: this.#settings,
      total_items: total === null ? null : total * repetitions,
      tags: options.tags ?? [],
      metadata: options.metadata ?? {},
      config: options.config ?? {},
      model_name: options.modelName ?? null,
      model_version: options.modelVersion ?? null,
      task_type: options.taskType ?? null,
      environment: options.environment ?? null,
      created_by: options.createdBy ?? null,
    }
  }

  async #plan(made: Run | null): Promise<RunPlan> {
    const names = this.#metrics.here.map(({ name }) => name)
    const done = made && made.completed_items > 0 ? await this.#server.finished(names, this.#ending.signal) : null
    return {
      cases: this.#cases(made),
      total: this.#total,
      metrics: this.#metrics.here,
      settings: this.#settings,
      ...(done && {
        earlier: {
          finished: (itemId: string) => done.itemIds.has(itemId),
          totals: done.totals,
          durationMs: made?.duration_ms ?? 0,
        },
      }),
    }
  }

  /** Cases, where that is known before they are read. */
  get #total(): number | null {
    const { dataset, maxCases = Number.POSITIVE_INFINITY } = this.#options
    return Array.isArray(dataset) ? Math.min(dataset.length, maxCases) : null
  }

  #cases(made: Run | null): RunPlan['cases'] {
    const { dataset, maxCases } = this.#options
    const first = (cases: RunPlan['cases']) => (maxCases === undefined ? cases : firstOf(cases, maxCases))
    if (typeof dataset !== 'string') return first(readCases(dataset))
    const pinned = { dataset: made?.dataset_id ?? dataset, version: made?.dataset_version ?? null }
    return first(readRows(this.#connection, pinned, this.#ending.signal))
  }

  #deliverTo(made: Run | null, wish: RunWish): Courier {
    const { clock, random } = this.#connection
    const { heartbeatMs = 10_000, bufferBytes = 16 * 1024 * 1024 } = this.#options
    return new Courier({
      open: async (signal) => void (await this.#open(wish, signal)),
      send: (events, signal) => this.#server.send(events, this.#worker, signal),
      state: made ? 'open' : 'unopened',
      worker: this.#worker,
      clock,
      random,
      bufferBytes,
      heartbeatMs,
      mostEvents: mostEvents[this.#kind],
      onStatus: (status) => this.#heard(status),
      onWarning: (message) => this.#warn(message),
    })
  }

  get #kind(): keyof typeof mostEvents {
    return this.#metrics.here.length === this.#metrics.wishes.length ? 'stored' : 'judged'
  }

  /** Somebody may have ended the run on the server. */
  #heard(status: RunStatus): void {
    if (this.#ended || !['cancelled', 'failed', 'completed'].includes(status)) return
    this.#ending.abort(new DOMException(`The run was ended on the server: it is ${status}.`, 'AbortError'))
  }

  async #work(plan: RunPlan, courier: Courier): Promise<RunEnded> {
    const judged = this.#kind === 'judged'
    const answer = answererOf(this.#options.task, (ask, evidence) => {
      if (judged) this.#evidence.set(keyOf(ask.case, ask.repetition), evidenceOf(ask, evidence))
    })
    const parts = {
      answer,
      evaluate: this.#metrics.evaluate,
      signal: this.#ending.signal,
      random: this.#connection.random,
    }
    const { onProgress } = this.#options
    let ended: RunEnded | undefined
    for await (const event of run(plan, parts)) {
      if (event.type === 'item') this.#finished(event, courier)
      // A server that judges is not waited for: what it takes would count as time of the run.
      const room = judged ? null : courier.room()
      if (room) await room
      if (event.type === 'ended') ended = event
      if (onProgress && (event.type === 'item' || event.type === 'started')) {
        const progress = whenAsked(event)
        callSafely(
          () => onProgress(progress),
          (error) => this.#warn(`onProgress: ${error.message}`),
        )
      }
    }
    if (!ended) throw new Error('the run did not end')
    return ended
  }

  #finished({ item }: ItemFinished, courier: Courier): void {
    const key = keyOf({ id: item.case_id }, item.repetition)
    courier.add(finishedEvent(item, this.#evidence.get(key)))
    this.#evidence.delete(key)
    this.#kept?.push(item)
    callSafely(
      () => this.#options.onItem?.(item),
      (error) => this.#warn(`onItem: ${error.message}`),
    )
  }

  async #finish(ended: RunEnded, courier: Courier): Promise<EvaluationResult> {
    this.#ended = true
    const { status, stopped_by, error, at, progress } = ended
    const whole = status === 'completed' && stopped_by === null ? { total_items: progress.total_items } : {}
    courier.add({ type: 'run_ended', status, stopped_by, error, at, ...whole })
    const delivery = await courier.close(this.#options.deliveryMs ?? 60_000)
    if (delivery.undelivered > 0)
      this.#warn(
        courier.reached
          ? `${delivery.undelivered} events were not delivered; the same runId again does what the server does not have.`
          : 'The server was never there: nobody else has this result.',
      )
    const stored = courier.reached && delivery.undelivered === 0 ? await this.#stored() : null
    return resultOf({
      runId: this.#runId,
      runUrl: courier.reached ? this.#server.url : null,
      ended,
      stored,
      metrics: this.#metrics,
      delivery,
      warnings: this.#warnings,
      items: this.#kept,
    })
  }

  /** Nothing was missing: the result is what the server has. */
  #before(made: Run): EvaluationResult {
    const { status, stopped_by, error } = made
    return resultOf({
      runId: this.#runId,
      runUrl: this.#server.url,
      ended: { status: 'completed', stopped_by, error, progress: made, duration_ms: made.duration_ms ?? 0 },
      stored: status === 'completed' ? made : null,
      metrics: this.#metrics,
      delivery: { delivered: 0, undelivered: 0, refused: 0 },
      warnings: this.#warnings,
      items: this.#kept,
    })
  }

  async #stored(): Promise<Run | null> {
    try {
      return await this.#server.get(AbortSignal.timeout(30_000))
    } catch (error) {
      this.#warn(`The result of the server cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
  }

  #warn(message: string): void {
    if (this.#warnings.length < 100) this.#warnings.push(message)
    const tell = this.#options.onWarning ?? ((text: string) => console.warn(`llm-eval: ${text}`))
    callSafely(() => tell(message))
  }
}

/** Intervals of so many metrics take longer than most evaluators, and whoever shows progress looks at little of it. */
function whenAsked(event: { readonly progress: RunProgress }): RunProgress {
  let known: RunProgress | undefined
  const progress = () => (known ??= event.progress)
  return {
    get total_items() {
      return progress().total_items
    },
    get completed_items() {
      return progress().completed_items
    },
    get successful_items() {
      return progress().successful_items
    },
    get success_rate() {
      return progress().success_rate
    },
    get cost() {
      return progress().cost
    },
    get unknown_costs() {
      return progress().unknown_costs
    },
    get metrics() {
      return progress().metrics
    },
  }
}

function isWhole({ status, stopped_by }: Run): boolean {
  return status === 'completed' && stopped_by === null
}

function keyOf({ id }: Pick<RunCase, 'id'>, repetition: number): string {
  return `${repetition}#${id}`
}
