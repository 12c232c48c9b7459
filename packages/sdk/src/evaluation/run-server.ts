import {
  evaluationRoutes,
  limits,
  type Run,
  type RunItem,
  type RunSettings,
  runRoutes,
  type RunStatus,
} from '@llm-eval/protocol'
import { emptyTotals, type RunTotals, withItem } from '@llm-eval/engine'
import { type Connection, isObject, LLMEvalError } from '../inside.ts'
import type { MetricWish } from './metrics.ts'

/** A run as it is made. */
export interface RunWish {
  run_id: string
  name: string
  description: string | null
  dataset: string | null
  dataset_name?: string | undefined
  dataset_version: string | null
  metrics_used: readonly MetricWish[]
  settings: RunSettings
  total_items: number | null
  tags: readonly string[]
  metadata: Record<string, unknown>
  config: Record<string, unknown>
  model_name: string | null
  model_version: string | null
  task_type: string | null
  environment: string | null
  created_by: string | null
}

/** What became of events. */
export interface Receipt {
  applied: number
  status: RunStatus
  results: { event_id: string; status: string; message: string | null }[]
}

/** Of items that were finished before. */
export interface Finished {
  itemIds: ReadonlySet<string>
  totals: RunTotals
}

/** A run on the server. */
export class RunServer {
  readonly #connection: Connection
  readonly #runId: string

  constructor(connection: Connection, runId: string) {
    this.#connection = connection
    this.#runId = runId
  }

  /** Where people look at it. */
  get url(): string {
    return `${this.#connection.baseUrl}/runs/${encodeURIComponent(this.#runId)}`
  }

  /** Makes the run, or finds it: the same again is harmless. */
  async create(wish: RunWish, signal?: AbortSignal): Promise<Run> {
    const call = { route: runRoutes.createRun, body: JSON.stringify({ ...wish, task: { kind: 'client' } }), signal }
    return await this.#connection.ask<Run>(call)
  }

  /**
   * Makes sure that the server has these evaluators: it takes those that it does not know for ones of this process.
   *
   * @throws {LLMEvalError} `not_found`
   */
  async checkEvaluators(slugs: readonly string[], signal: AbortSignal): Promise<void> {
    for (const slug of slugs)
      await this.#connection.request({ route: evaluationRoutes.getEvaluator, values: { slug }, signal })
  }

  /** Goes on with a run that another process left, under the name of this one. */
  async resume(worker: string, signal: AbortSignal): Promise<Run> {
    const call = { route: runRoutes.resumeRun, values: this.#values, body: JSON.stringify({ worker }), signal }
    return await this.#connection.ask<Run>(call)
  }

  async get(signal: AbortSignal): Promise<Run> {
    return await this.#connection.ask<Run>({ route: runRoutes.getRun, values: this.#values, signal })
  }

  /** Tells what happened, once; whoever calls it says what to do when that fails. */
  async send(events: readonly string[], worker: string, signal: AbortSignal): Promise<Receipt> {
    const body = `{"schema_version":1,"worker":${JSON.stringify(worker)},"events":[${events.join()}]}`
    const call = { route: runRoutes.sendRunEvents, values: this.#values, body, signal }
    const answer = await this.#connection.attempt(call)
    if (!isReceipt(answer))
      throw new LLMEvalError('protocol', `${this.#connection.url(call)} did not say what became of the events.`, {
        body: answer,
      })
    return answer
  }

  /** Which items the server has, and their numbers in these metrics. */
  async finished(names: readonly string[], signal: AbortSignal): Promise<Finished> {
    const itemIds = new Set<string>()
    let totals = emptyTotals(names.length)
    let cursor: string | null = null
    do {
      const query: Record<string, string> = { limit: String(limits.pageRows) }
      if (cursor !== null) query['cursor'] = cursor
      const call = { route: runRoutes.listRunItems, values: this.#values, query, signal }
      const page: { items: RunItem[]; next_cursor: string | null } = await this.#connection.ask(call)
      for (const item of page.items) {
        itemIds.add(item.item_id)
        totals = withItem(totals, item, names)
      }
      cursor = page.next_cursor
    } while (cursor !== null)
    return { itemIds, totals }
  }

  get #values(): Record<string, string> {
    return { run_id: this.#runId }
  }
}

function isReceipt(answer: unknown): answer is Receipt {
  return isObject(answer) && typeof answer['status'] === 'string' && Array.isArray(answer['results'])
}
