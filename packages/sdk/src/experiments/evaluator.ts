import { evaluationRoutes, type ExecutionStarted, traceloopRoutes } from '@llm-eval/protocol'
import type { Connection } from '../connection.ts'
import { readStarted } from '../execution.ts'
import { type InputSchemaMapping, toInput } from './mapping.ts'
import type { EvaluatorResult } from './result.ts'
import { connect, type EvaluationServer, waitMs } from '../evaluation-server.ts'
import { type ResultClientOptions, SSEResultClient, type WaitOptions } from './sse-result-client.ts'
import { ExecutionTally } from './telemetry.ts'

/** What is evaluated, and how its result comes. */
export interface RunAsyncOptions extends ResultClientOptions, WaitOptions {
  /** Slug or alias of the evaluator. */
  evaluatorSlug: string
  /** A value for each input field; with `data` or `traceId` a text is a path into that. */
  inputSchemaMapping?: InputSchemaMapping | undefined
  /** What the paths of the mapping lead into. */
  data?: object | undefined
  /** A stored trace: it gives what the mapping does not, and the score stays on it. */
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
 * @throws {TypeError} for options that make no sense; nothing was sent then
 */
export async function runEvaluator(options: RunOptions & { waitForResult: true }): Promise<EvaluatorResult>
export async function runEvaluator(options: RunOptions & { waitForResult?: false }): Promise<ExecutionStarted>
export async function runEvaluator(options: RunOptions): Promise<EvaluatorResult | ExecutionStarted>
export async function runEvaluator(options: RunOptions): Promise<EvaluatorResult | ExecutionStarted> {
  if (typeof options.evaluatorSlug !== 'string' || options.evaluatorSlug.trim() === '')
    throw new TypeError('evaluatorSlug must name an evaluator')
  // What would end the wait must not be found out when it is started already.
  waitMs(options)
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
  const { evaluatorSlug: slug, inputSchemaMapping: mapping = {}, data, traceId, config, version, signal } = options
  // Only llm-eval knows its traces; what leads into data becomes values here, so that other servers do as well.
  const about =
    traceId === undefined
      ? { input_schema_mapping: toWire(toInput(mapping, data)) }
      : { input_schema_mapping: toWire(toInput(mapping)), trace_id: traceId, data }
  const body = JSON.stringify({ ...about, evaluator_version: version, evaluator_config: config })
  const call = { route: traceloopRoutes.startEvaluatorBySlug, values: { slug }, body, signal }
  return readStarted(await connection.request(call), connection.url(call))
}

function toWire(input: Record<string, unknown>): Record<string, { source: unknown }> {
  return Object.fromEntries(Object.entries(input).map(([field, source]) => [field, { source }]))
}
