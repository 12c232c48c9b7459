import { evaluationRoutes, type ExecutionStarted, routes, traceloopRoutes } from '@llm-eval/protocol'
import { readObject } from '../answer.ts'
import type { Connection } from '../connection.ts'
import { readStarted } from '../execution.ts'
import { type InputSchemaMapping, toInput } from './mapping.ts'
import type { EvaluatorResult } from './result.ts'
import { connect, type EvaluationServer } from './server.ts'
import { type ResultClientOptions, SSEResultClient, type WaitOptions } from './sse-result-client.ts'
import { ExecutionTally } from './telemetry.ts'

/** What is evaluated, and how its result comes. */
export interface RunAsyncOptions extends ResultClientOptions, WaitOptions {
  /** Slug or alias of the evaluator. */
  evaluatorSlug: string
  /** A value for each input field; with `data` or `traceId` a path into that. */
  inputSchemaMapping?: InputSchemaMapping | undefined
  /** What the paths of the mapping lead into. */
  data?: object | undefined
  /** A stored trace: it gives the input, the mapping is laid over that, and the score stays on the trace. */
  traceId?: string | undefined
  /** Laid over the evaluator's own configuration. */
  config?: Record<string, unknown> | undefined
  /** A version of the evaluator; the newest if absent. */
  version?: string | undefined
}

/** The same, and whether to wait for the result. */
export interface RunOptions extends RunAsyncOptions {
  waitForResult?: boolean | undefined
}

/**
 * Starts an evaluator. With `waitForResult` it resolves with the result. Otherwise it resolves at once with the names of the
 * execution and of its stream, and a `callback` is handed the result later.
 *
 * @throws {LLMEvalError} `unreachable`, `timeout`, `auth`, `not_found`, `failed`, `interrupted`, `protocol`
 */
export async function runEvaluator(options: RunOptions & { waitForResult: true }): Promise<EvaluatorResult>
export async function runEvaluator(options: RunOptions & { waitForResult?: false }): Promise<ExecutionStarted>
export async function runEvaluator(options: RunOptions): Promise<EvaluatorResult | ExecutionStarted>
export async function runEvaluator(options: RunOptions): Promise<EvaluatorResult | ExecutionStarted> {
  const connection = connect(options)
  const tally = new ExecutionTally(connection.clock, options.evaluatorSlug, options.telemetry)
  const client = new SSEResultClient({ ...options, telemetry: { onStream: (event) => tally.streamed(event) } })
  const started = await tally.starting(start(connection, options))
  const { execution_id: id, stream_url: url } = started
  const callback = (result: EvaluatorResult) => {
    tally.status = result.status
    return options.callback?.(result)
  }
  if (options.waitForResult) return await client.waitForResult(id, url, { ...options, callback })
  if (options.callback) client.startAsyncStream(id, url, { ...options, callback })
  else tally.end()
  return started
}

/** As `runEvaluator` without waiting for the result. */
export async function runEvaluatorAsync(options: RunAsyncOptions): Promise<ExecutionStarted> {
  return await runEvaluator({ ...options, waitForResult: false })
}

/**
 * Ends an execution that is not over, for everybody who waits for it.
 *
 * @throws {LLMEvalError} `not_found`; `failed` with the failure `execution_over`
 */
async function cancel(
  executionId: string,
  options: EvaluationServer & { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const route = evaluationRoutes.cancelExecution
  await connect(options).request({ route, values: { execution_id: executionId }, signal: options.signal })
}

/** Executes evaluators; results are delivered as they are streamed. */
export const Evaluator = {
  run: runEvaluator,
  runAsync: runEvaluatorAsync,
  cancel,
} as const

async function start(connection: Connection, options: RunOptions): Promise<ExecutionStarted> {
  const call = await startCall(connection, options)
  const { signal } = options
  return readStarted(await connection.request({ ...call, signal }), connection.url(call))
}

/** Foreign servers know the mapping alone; what stands on a trace is said in our own words. */
async function startCall(connection: Connection, options: RunOptions) {
  const { evaluatorSlug: slug, inputSchemaMapping: mapping = {}, data, traceId, config, version } = options
  if (traceId === undefined) {
    const input = Object.entries(toInput(mapping, data)).map(([field, source]) => [field, { source }])
    const body = {
      input_schema_mapping: Object.fromEntries(input),
      evaluator_version: version,
      evaluator_config: config,
    }
    return { route: traceloopRoutes.startEvaluatorBySlug, values: { slug }, body: JSON.stringify(body) }
  }
  const from = data ?? (Object.keys(mapping).length > 0 ? await readTrace(connection, traceId, options) : undefined)
  const body = { input: toInput(mapping, from), trace_id: traceId, config, version }
  return { route: evaluationRoutes.executeEvaluator, values: { slug }, body: JSON.stringify(body) }
}

async function readTrace(connection: Connection, traceId: string, { signal }: RunOptions): Promise<object> {
  const call = { route: routes.getTrace, values: { trace_id: traceId }, signal }
  return readObject(await connection.request(call), connection.url(call))
}
