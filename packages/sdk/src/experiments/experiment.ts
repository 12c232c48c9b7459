import { type Execution, type ExecutionProgress, evaluationRoutes, limits } from '@llm-eval/protocol'
import { isObject } from '../answer.ts'
import { callSafely } from '../callback.ts'
import type { Connection } from '../connection.ts'
import { Deadline } from '../deadline.ts'
import { LLMEvalError } from '../error.ts'
import { readExecution } from '../execution.ts'
import { followExecutions } from '../execution-follower.ts'
import { type InputSchemaMapping, toInput } from './mapping.ts'
import { callBack, type EvaluatorResult, resultOf } from './result.ts'
import { connect, type EvaluationServer, waitMs, type WaitTime } from '../evaluation-server.ts'
import { StreamTally, type Telemetry, tell } from './telemetry.ts'

/** An evaluator of an experiment. */
export interface ExperimentEvaluator {
  slug: string
  /** A path into the case for each input field; the fields of the case themselves if absent. */
  inputSchemaMapping?: InputSchemaMapping | undefined
  config?: Record<string, unknown> | undefined
  version?: string | undefined
}

/** Options of an `Experiment`. */
export interface ExperimentOptions extends EvaluationServer {
  /** At least one; a slug stands for an evaluator without further ado. */
  evaluators: readonly (string | ExperimentEvaluator)[]
  telemetry?: Telemetry | undefined
}

/** What goes with one run over cases. Its time is what may pass without any news. */
export interface ExperimentRunOptions extends WaitTime {
  /** Is handed each result as it comes. */
  onResult?: ((result: ExperimentResult) => unknown) | undefined
  onProgress?: ((progress: ExecutionProgress) => unknown) | undefined
  /** Is told what callbacks throw, and of lost connections. */
  onError?: ((error: Error) => unknown) | undefined
  /** Ends the wait when aborted; what was started goes on. */
  signal?: AbortSignal | undefined
}

/** What one evaluator says of one case. */
export interface ExperimentResult extends EvaluatorResult {
  /** Of the cases as they were handed in, from 0. */
  case_index: number
  /** As it was named in the options. */
  evaluator: string
}

/** A run under way. */
export interface ExperimentRun {
  /** All results, case by case, in the order of the evaluators. Rejects when waiting fails; `failed` executions are results. */
  readonly results: Promise<ExperimentResult[]>
  /** Ends what is not over. What was not started yet never is, and has no result. */
  cancel(): Promise<void>
}

/** Bytes of one request, unless a single execution has more. */
const requestBytes = 4_000_000

/** An execution to be started. */
interface Ask {
  caseIndex: number
  evaluator: string
  json: string
}

/**
 * Applies a set of evaluators to cases: all executions of up to 1,000 share one request and one stream.
 */
export class Experiment {
  readonly #connection: Connection
  readonly #evaluators: readonly ExperimentEvaluator[]
  readonly #telemetry: Telemetry | undefined

  /** @throws {TypeError} without evaluators */
  constructor(options: ExperimentOptions) {
    const { evaluators, telemetry, ...server } = options
    if (evaluators.length === 0) throw new TypeError('an experiment needs at least one evaluator')
    this.#connection = connect(server)
    this.#evaluators = evaluators.map((one) => (typeof one === 'string' ? { slug: one } : one))
    this.#telemetry = telemetry
  }

  /**
   * Evaluates every case, and waits for all results.
   *
   * @throws {LLMEvalError} when something cannot be started or waited for; executions that fail are results
   */
  async run(cases: readonly object[], options: ExperimentRunOptions = {}): Promise<ExperimentResult[]> {
    return await this.start(cases, options).results
  }

  /**
   * The same, to be cancelled while it runs.
   *
   * @throws {TypeError} if the time is none
   */
  start(cases: readonly object[], options: ExperimentRunOptions = {}): ExperimentRun {
    const run = new Run(this.#connection, options, this.#telemetry)
    const results = run.through(() => this.#asks(cases))
    // Who starts a run may look at its results later: until then a failure must not end the process.
    results.catch(() => undefined)
    return { results, cancel: () => run.cancel() }
  }

  #asks(cases: readonly object[]): Ask[] {
    return cases.flatMap((one, caseIndex) =>
      this.#evaluators.map(({ slug: evaluator, inputSchemaMapping: mapping, config, version }) => {
        const input = mapping ? toInput(mapping, one, `cases[${caseIndex}].`) : one
        return { caseIndex, evaluator, json: JSON.stringify({ evaluator, input, config, version }) }
      }),
    )
  }
}

/** One run over cases: a batch after the other, so that at most one stream is open. */
class Run {
  readonly #connection: Connection
  readonly #options: ExperimentRunOptions
  readonly #telemetry: Telemetry | undefined
  readonly #timeoutMs: number
  readonly #unfinished = new Set<string>()
  #isCancelled = false

  constructor(connection: Connection, options: ExperimentRunOptions, telemetry: Telemetry | undefined) {
    this.#connection = connection
    this.#options = options
    this.#telemetry = telemetry
    this.#timeoutMs = waitMs(options)
  }

  async through(asks: () => Ask[]): Promise<ExperimentResult[]> {
    const results: ExperimentResult[] = []
    for (const batch of pack(asks())) {
      if (this.#isCancelled) break
      results.push(...(await this.#evaluate(batch)))
    }
    return results
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true
    const ids = [...this.#unfinished]
    const next = async (): Promise<void> => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) await this.#cancelOne(id)
    }
    await Promise.all(Array.from({ length: 8 }, next))
  }

  async #cancelOne(id: string): Promise<void> {
    const call = { route: evaluationRoutes.cancelExecution, values: { execution_id: id } }
    await this.#connection.request(call).catch((error: unknown) => {
      // It ended meanwhile.
      if (!(error instanceof LLMEvalError) || error.failure !== 'execution_over') throw error
    })
  }

  async #evaluate(batch: readonly Ask[]): Promise<ExperimentResult[]> {
    const { clock } = this.#connection
    const begun = clock.elapsed()
    const { batchId, executions } = await this.#start(batch)
    const startMs = clock.elapsed() - begun
    const places = new Map(executions.map(({ execution_id: id }, index) => [id, index]))
    for (const id of places.keys()) this.#unfinished.add(id)
    // It may have been cancelled while the request was under way.
    if (this.#isCancelled) await this.cancel()
    const results: ExperimentResult[] = []
    await this.#listen(batchId, [...places.keys()], (execution) => {
      const index = places.get(execution.execution_id)
      const ask = index === undefined ? undefined : batch[index]
      if (index === undefined || !ask) return
      this.#unfinished.delete(execution.execution_id)
      const result = { case_index: ask.caseIndex, evaluator: ask.evaluator, ...resultOf(execution) }
      results[index] = result
      const { status } = result
      const event = { evaluator: ask.evaluator, executionId: execution.execution_id, status, error: null, startMs }
      tell(this.#telemetry?.onExecution, { ...event, durationMs: clock.elapsed() - begun })
      callBack(() => this.#options.onResult?.(result), this.#options.onError)
    })
    return results
  }

  async #start(batch: readonly Ask[]): Promise<{ batchId: string; executions: Execution[] }> {
    const body = `{"executions":[${batch.map(({ json }) => json).join()}]}`
    const call = { route: evaluationRoutes.startExecutions, body, signal: this.#options.signal }
    const answer = await this.#connection.request(call)
    const url = this.#connection.url(call)
    const list = isObject(answer) ? answer['executions'] : undefined
    const batchId = isObject(answer) ? answer['batch_id'] : undefined
    if (typeof batchId !== 'string' || !Array.isArray(list) || list.length !== batch.length)
      throw new LLMEvalError('protocol', `${url} did not say which executions it started.`, { body: answer })
    return { batchId, executions: list.map((one) => readExecution(one, url)) }
  }

  async #listen(batchId: string, ids: string[], onEnd: (execution: Execution) => void): Promise<void> {
    const { signal, onError, onProgress } = this.#options
    const connection = this.#connection
    const url = connection.url({ route: evaluationRoutes.batchEvents, values: { batch_id: batchId } })
    const deadline = new Deadline(connection.clock, { signal, timeoutMs: this.#timeoutMs }, url)
    const tally = new StreamTally(connection.clock, 'sse')
    const onLost = (error: LLMEvalError) => {
      tally.reconnects++
      callSafely(() => onError?.(error))
    }
    let trouble: unknown
    try {
      const source = { url, open: connection.openUrl.bind(connection, url), ids, onLost }
      for await (const frame of followExecutions(connection, source, deadline)) {
        tally.frames++
        deadline.restart()
        if (frame.event_type !== 'progress') onEnd(frame.data)
        else callBack(() => onProgress?.(frame.data), onError)
      }
    } catch (thrown) {
      trouble = thrown
      throw thrown
    } finally {
      deadline.clear()
      tell(this.#telemetry?.onStream, tally.event(ids, trouble))
    }
  }
}

/** As few requests as the caps on their number and size allow. */
function pack(asks: readonly Ask[]): Ask[][] {
  const batches: Ask[][] = []
  let bytes = Infinity
  for (const ask of asks) {
    const size = new TextEncoder().encode(ask.json).length + 1
    const last = batches.at(-1)
    if (last && last.length < limits.batchExecutions && bytes + size <= requestBytes) last.push(ask)
    else batches.push([ask])
    bytes = batches.at(-1) === last ? bytes + size : size
  }
  return batches
}
