import type { WebhookAnswer } from '@llm-eval/protocol'
import { callSafely } from './callback.ts'
import { type Clock, systemClock } from './clock.ts'
import { asyncDispose } from './disposal.ts'
import { toError } from './error.ts'
import { newIdentifier } from './identifier.ts'
import { type AnyTrace, toWire, type TraceData, type TraceDataSnake } from './trace-data.ts'

/** Where a logger sends its traces: an `LLMEvalClient`, or anything with its `sendTrace`. */
export interface TraceSink<Answer = WebhookAnswer> {
  sendTrace(trace: AnyTrace): Promise<Answer>
}

/** What may be said about a call beside query and response, in either spelling. */
export type TraceDetails =
  | (Omit<TraceData, 'modelName' | 'userQuery' | 'aiResponse'> & { modelName?: string | undefined })
  | (Omit<TraceDataSnake, 'model_name' | 'user_query' | 'ai_response'> & { model_name?: string | undefined })

/** Options of a `TraceLogger`. */
export interface TraceLoggerOptions {
  /** Goes into every trace of this logger. */
  metadata?: Record<string, unknown> | undefined
  /** Is told of every trace that could not be sent, also those that nobody awaits. */
  onError?: ((error: Error) => void) | undefined
  clock?: Clock | undefined
}

/** A call to the model, measured from here. */
interface Mark {
  wall: number
  elapsed: number
}

/** What a measured call came to: the response alone, or with details. */
export type CallOutcome = string | ({ aiResponse: string } & TraceDetails)

/**
 * Logs calls to one model with their real duration.
 *
 * ```js
 * const logger = new TraceLogger(client, 'gpt-4').start()
 * const answer = await callYourModel(query)
 * await logger.logTrace(query, answer, { tokensUsed: 150 })
 * ```
 *
 * With `await using` the logger waits for its unfinished sends when the block is left, and a call that was started and
 * never logged (because something threw) is recorded as a trace with `metadata.error`.
 */
export class TraceLogger<Answer = WebhookAnswer> implements AsyncDisposable {
  readonly #sink: TraceSink<Answer>
  readonly #modelName: string
  readonly #metadata: Record<string, unknown>
  readonly #onError: (error: Error) => void
  readonly #clock: Clock
  readonly #unfinished = new Set<Promise<unknown>>()
  #mark: Mark | undefined
  #query = ''

  constructor(client: TraceSink<Answer>, modelName: string, options: TraceLoggerOptions = {}) {
    this.#sink = client
    this.#modelName = modelName
    this.#metadata = { ...options.metadata }
    this.#onError = options.onError ?? (() => undefined)
    this.#clock = options.clock ?? systemClock
  }

  /**
   * Starts the clock for the next `logTrace`.
   *
   * @param userQuery recorded if the call never gets as far as `logTrace`
   */
  start(userQuery = ''): this {
    this.#mark = this.#now()
    this.#query = userQuery
    return this
  }

  /** Adds to the metadata of every later trace of this logger. */
  addMetadata(key: string, value: unknown): this
  addMetadata(entries: Record<string, unknown>): this
  addMetadata(key: string | Record<string, unknown>, value?: unknown): this {
    Object.assign(this.#metadata, typeof key === 'string' ? { [key]: value } : key)
    return this
  }

  /**
   * Sends a trace. Its time is measured from `start()`, which counts for one trace only; without it the time is unknown.
   * What `details` says goes before what was measured.
   */
  logTrace(userQuery: string, aiResponse: string, details: TraceDetails = {}): Promise<Answer> {
    const mark = this.#mark
    this.#mark = undefined
    return this.#send({ userQuery, aiResponse, ...details }, mark)
  }

  /** Forgets the started measurement, so that leaving an `await using` block does not record it. */
  cancel(): void {
    this.#mark = undefined
  }

  /**
   * Runs a call and logs it, whatever happens: its result as the response, or what it threw as `metadata.error`. Gives
   * back the result, or throws the same error, without waiting for the trace to be sent (`flush` does) and whether or
   * not it can be sent. Several may run at once.
   *
   * @param describe what of the result is the response; if absent, a string is taken as it is, an object with
   * `aiResponse` as response and details, and anything else as its JSON
   */
  async run<T>(
    userQuery: string,
    call: () => T | PromiseLike<T>,
    describe: (result: T) => CallOutcome = describeResult,
  ): Promise<T> {
    const mark = this.#now()
    let result: T
    try {
      result = await call()
    } catch (error) {
      this.#sendError(userQuery, toError(error), mark)
      throw error
    }
    try {
      const outcome = describe(result)
      void this.#send({ userQuery, ...(typeof outcome === 'string' ? { aiResponse: outcome } : outcome) }, mark)
    } catch (error) {
      this.#report(error)
    }
    return result
  }

  /** Waits until every trace logged so far was sent or has failed. Never rejects. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#unfinished)
  }

  /** Records a call that was started and never logged, and flushes. Never rejects. */
  async [asyncDispose](): Promise<void> {
    const mark = this.#mark
    this.#mark = undefined
    if (mark) {
      const error = new Error('The call ended before it was logged.')
      error.name = 'Unfinished'
      this.#sendError(this.#query, error, mark)
    }
    await this.flush()
  }

  #now(): Mark {
    return { wall: this.#clock.now(), elapsed: this.#clock.elapsed() }
  }

  #sendError(userQuery: string, error: Error, mark: Mark): void {
    const metadata = { error: { name: error.name, message: error.message } }
    void this.#send({ userQuery, aiResponse: '', metadata }, mark)
  }

  #send(given: { userQuery: string; aiResponse: string } & TraceDetails, mark: Mark | undefined): Promise<Answer> {
    const { metadata, ...said } = toWire(given)
    const trace = {
      trace_id: newIdentifier(),
      model_name: this.#modelName,
      timestamp: new Date(mark?.wall ?? this.#clock.now()).toISOString(),
      ...(mark ? { response_time_ms: Math.max(0, Math.round(this.#clock.elapsed() - mark.elapsed)) } : {}),
      ...said,
      metadata: { ...this.#metadata, ...(metadata as Record<string, unknown> | undefined) },
    } as TraceDataSnake
    const sending = this.#sink.sendTrace(trace)
    this.#unfinished.add(sending)
    // Watched here, a send that nobody awaits cannot end the process when it fails.
    sending.then(
      () => this.#unfinished.delete(sending),
      (error: unknown) => {
        this.#unfinished.delete(sending)
        this.#report(error)
      },
    )
    return sending
  }

  #report(thrown: unknown): void {
    // The application's own callback must not hurt the application's own call.
    callSafely(() => this.#onError(toError(thrown)))
  }
}

function describeResult(result: unknown): CallOutcome {
  if (typeof result === 'string') return result
  if (
    typeof result === 'object' &&
    result !== null &&
    'aiResponse' in result &&
    typeof result.aiResponse === 'string'
  ) {
    return result as CallOutcome
  }
  return JSON.stringify(result) ?? ''
}
