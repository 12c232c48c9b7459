import {
  type EvaluatorInfo,
  type Execution,
  type Metrics,
  type RejectReason,
  type ReviewStatus,
  routes,
  type TraceDetail,
  type TracePage,
  type TraceSummary,
  type WebhookAnswer,
  type WebhookStats,
} from '@llm-eval/protocol'
import { readWebhookAnswer } from './answer.ts'
import { type BatchAnswer, batchBody, mergeAnswers, pack, type PlacedAnswer, resultsFor, usualBatch } from './batch.ts'
import { type BufferOptions, BufferedSender } from './buffered-sender.ts'
import { type Call, type CallOptions, Connection, type RequestOptions } from './connection.ts'
import { DatasetClient } from './dataset-client.ts'
import { LLMEvalError } from './error.ts'
import { type EvaluatorChoice, type ExecuteOptions, EvaluationCalls, type WaitChoice } from './evaluation-calls.ts'
import { type AnyTrace, toParcel, toQuery, type TraceQuery } from './trace-data.ts'

/** Options of an `LLMEvalClient`. */
export type ClientOptions = RequestOptions

/** What belongs to a whole batch. */
export interface BatchOptions extends CallOptions {
  /** Where the traces come from; `javascript_sdk` if absent. */
  source?: string | undefined
  /** Names the batch, so that its receipt can be asked for later. */
  batchId?: string | undefined
}

/** What may go with a verdict. */
export interface ReviewOptions extends CallOptions {
  /** Why it was rejected: a code such as `hallucinated`, or its words. */
  reason?: RejectReason | (string & {}) | undefined
  note?: string | undefined
  /** Who decided; the key's name if absent. */
  reviewer?: string | undefined
  /** The `version` the verdict was based on: if somebody decided meanwhile, the server answers `version_conflict` instead of overwriting. */
  expectedVersion?: number | undefined
}

/** Answer of `healthCheck`. */
export interface Health {
  status: string
  timestamp: string
}

/**
 * Sends, lists and reviews traces. Answers are handed out as the server sends them, in snake_case.
 *
 * @throws {LLMEvalError} from every method that speaks to the server
 */
export class LLMEvalClient {
  /** Inputs with expectations. */
  readonly datasets: DatasetClient
  readonly #connection: Connection
  readonly #evaluation: EvaluationCalls

  /**
   * @param baseUrl where the server is; in a browser `''` means where the page came from
   * @param apiKeyOrOptions a key, or options
   * @param timeout milliseconds one request may take, if the options do not say it
   */
  constructor(baseUrl = 'http://localhost:8000', apiKeyOrOptions?: string | null | ClientOptions, timeout = 30_000) {
    const options = typeof apiKeyOrOptions === 'object' ? apiKeyOrOptions : { apiKey: apiKeyOrOptions }
    this.#connection = new Connection(baseUrl, { timeoutMs: timeout, ...options })
    this.#evaluation = new EvaluationCalls(this.#connection)
    this.datasets = new DatasetClient(this.#connection)
  }

  /** Stores one trace. When it resolves, the trace is durable and visible. */
  async sendTrace(trace: AnyTrace, options: CallOptions = {}): Promise<WebhookAnswer> {
    return await this.#send({ route: routes.sendTrace, body: toParcel(trace).json, signal: options.signal })
  }

  /**
   * Stores many traces, in as many requests as their number and size want. Partial success is success: `results` says
   * what became of each. Rejects when nothing was stored, or when a request failed; `error.answer` then tells about the
   * requests before it, and sending all of them again does no harm.
   */
  async sendTracesBatch(
    traces: readonly AnyTrace[],
    source?: string | BatchOptions,
    batchId?: string,
  ): Promise<BatchAnswer> {
    const options = typeof source === 'object' ? source : { source, batchId }
    const batches = pack(
      traces.map((trace, index) => toParcel(trace, `traces[${index}]`)),
      usualBatch,
    )
    if (batches.length === 0) batches.push([])
    const answers: PlacedAnswer[] = []
    let offset = 0
    for (const [index, batch] of batches.entries()) {
      const id =
        batches.length > 1 && options.batchId !== undefined ? `${options.batchId}.${index + 1}` : options.batchId
      const body = batchBody(batch, options.source ?? 'javascript_sdk', id)
      try {
        const answer = await this.#send({ route: routes.sendBatch, body, signal: options.signal })
        answers.push({ answer, offset })
      } catch (error) {
        // Nothing of this request could be stored, but the server judged it whole: the others still go.
        const refused = error instanceof LLMEvalError ? error.answer : undefined
        if (batches.length === 1 || !(error instanceof LLMEvalError)) throw error
        if (!refused || !resultsFor(refused, batch.length))
          throw withAnswer(error, mergeAnswers(answers, traces.length))
        answers.push({ answer: refused, offset })
      }
      offset += batch.length
    }
    const merged = mergeAnswers(answers, traces.length)
    if (merged.success) return merged
    throw new LLMEvalError('failed', merged.message, {
      failure: 'invalid_request',
      errors: (merged.errors ?? []).map((message) => ({ path: '', message })),
      answer: merged,
    })
  }

  /** One page of traces, newest first. Takes filters, or a limit and a review status. */
  async getTraces(query: TraceQuery | number = {}, status?: ReviewStatus | CallOptions): Promise<TracePage> {
    const filter =
      typeof query === 'number'
        ? { limit: query, evaluationStatus: typeof status === 'string' ? status : undefined }
        : query
    const signal = typeof status === 'object' ? status.signal : undefined
    return await this.#connection.ask<TracePage>({ route: routes.listTraces, query: toQuery(filter), signal })
  }

  /** Every trace that fits, newest first, fetched page by page while you read. */
  async *allTraces(query: TraceQuery = {}, options: CallOptions = {}): AsyncGenerator<TraceSummary, void, undefined> {
    let cursor = query.cursor
    do {
      const page: TracePage = await this.getTraces({ ...query, cursor }, options)
      yield* page.items
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
  }

  /** One whole trace. */
  async getTrace(traceId: string, options: CallOptions = {}): Promise<TraceDetail> {
    return await this.#connection.ask<TraceDetail>({
      route: routes.getTrace,
      values: { trace_id: traceId },
      signal: options.signal,
    })
  }

  /**
   * Records a person's verdict.
   *
   * @param verdict `reason, notes`, or options
   * @returns the trace as it is now
   */
  async evaluateTrace(
    traceId: string,
    status: ReviewStatus,
    ...verdict: [reason?: RejectReason | (string & {}) | null, notes?: string | null] | [options: ReviewOptions]
  ): Promise<TraceDetail> {
    const [first, notes] = verdict
    const options: ReviewOptions =
      typeof first === 'object' && first !== null ? first : { reason: first ?? undefined, note: notes ?? undefined }
    const { reason, note, reviewer, expectedVersion: expected_version, signal } = options
    return await this.#connection.ask<TraceDetail>({
      route: routes.reviewTrace,
      values: { trace_id: traceId },
      body: JSON.stringify({ status, reason, note, reviewer, expected_version }),
      signal,
    })
  }

  /** Deletes a trace for good; its id cannot be used again. */
  async deleteTrace(traceId: string, options: CallOptions = {}): Promise<void> {
    await this.#connection.request({ route: routes.deleteTrace, values: { trace_id: traceId }, signal: options.signal })
  }

  /** The catalogue of evaluators. */
  async evaluators(options: CallOptions = {}): Promise<EvaluatorInfo[]> {
    return await this.#evaluation.list(options)
  }

  /**
   * Applies an evaluator to an input, and waits for its score. Look at `status` and `score.outcome`: an execution that
   * failed is no error here. To have results streamed, or many of them, see `llm-eval-sdk/experiments`.
   */
  async execute(slug: string, input: Record<string, unknown>, options: ExecuteOptions = {}): Promise<Execution> {
    return await this.#evaluation.execute(slug, input, options)
  }

  /** An execution as it stands. */
  async getExecution(executionId: string, options: CallOptions = {}): Promise<Execution> {
    return await this.#evaluation.get(executionId, options)
  }

  /** Ends an execution that is not over. */
  async cancelExecution(executionId: string, options: CallOptions = {}): Promise<Execution> {
    return await this.#evaluation.cancel(executionId, options)
  }

  /** Applies evaluators to a stored trace, and waits for the scores, which stay on the trace. In the order of the evaluators. */
  async runEvaluators(
    traceId: string,
    evaluators: readonly (string | EvaluatorChoice)[],
    options: WaitChoice = {},
  ): Promise<Execution[]> {
    return await this.#evaluation.runOnTrace(traceId, evaluators, options)
  }

  /** Counts of traces: all, today's, and those that wait for a verdict. */
  async getStats(options: CallOptions = {}): Promise<WebhookStats> {
    return await this.#connection.ask<WebhookStats>({ route: routes.webhookStats, signal: options.signal })
  }

  /** The project's counters: verdicts, acceptance rate, latency, cost, tokens. */
  async metrics(options: CallOptions = {}): Promise<Metrics> {
    return await this.#connection.ask<Metrics>({ route: routes.metrics, signal: options.signal })
  }

  /** Whether the server takes traces. */
  async healthCheck(options: CallOptions = {}): Promise<Health> {
    return await this.#connection.ask<Health>({ route: routes.webhookHealth, signal: options.signal })
  }

  /** A sender for production: it costs the caller microseconds, never throws, and sends in the background. */
  buffered(options: BufferOptions = {}): BufferedSender {
    return new BufferedSender(this.#connection, options)
  }

  async #send(call: Call): Promise<WebhookAnswer> {
    return readWebhookAnswer(await this.#connection.request(call), this.#connection.url(call))
  }
}

function withAnswer(error: LLMEvalError, answer: BatchAnswer): LLMEvalError {
  const { code, status, failure, errors, retryAfter, requestId, body } = error
  return new LLMEvalError(code, error.message, {
    status,
    failure,
    errors,
    retryAfter,
    requestId,
    answer,
    body,
    cause: error,
  })
}
