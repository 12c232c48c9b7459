import { type ReviewStatus, type Route, routes, type StreamFrame } from '@llm-eval/protocol'
import { callSafely } from './callback.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { LLMEvalError, toError } from './error.ts'
import { EventFollower } from './follower.ts'
import type { StreamPhase, StreamState } from './stream-state.ts'
import { toQuery } from './trace-data.ts'

/** Options of an `LLMEvalStreamClient`. */
export interface StreamClientOptions extends ConnectionOptions {
  /** May also be set later, as a property. */
  onError?: ((error: Error) => void) | undefined
  /** Is told of every change: `connecting`, `live`, `waiting` (until the next try), `done`, `failed`. */
  onStatus?: ((phase: StreamPhase, state: StreamState) => void) | undefined
}

/** What every stream takes. */
export interface StreamOptions {
  /** A name for this watcher in the server's log. */
  clientId?: string | undefined
  /** Instead of the client's. */
  onStatus?: ((phase: StreamPhase, state: StreamState) => void) | undefined
  /** Ends the stream when aborted. */
  signal?: AbortSignal | undefined
}

/** What streams of events take. */
export interface EventStreamOptions extends StreamOptions {
  /** Only events about traces of this model. */
  modelName?: string | undefined
  /** Only events about traces of this review status. */
  evaluationStatus?: ReviewStatus | undefined
  /** Go on after this cursor (a frame's second argument, or `follower.cursor`) instead of now. */
  after?: string | undefined
  /** Send the trace's summary with each `trace_updates`. */
  summaries?: boolean | undefined
  /** Also send a `metrics_update` every so many seconds. */
  metricsInterval?: number | undefined
}

/** What `streamTraces` takes. */
export interface TraceStreamOptions extends Omit<EventStreamOptions, 'summaries' | 'metricsInterval'> {
  /** How many of the newest traces come first; 10 if absent. */
  limit?: number | undefined
}

/** What `streamMetrics` takes. */
export interface MetricsStreamOptions extends StreamOptions {
  /** Seconds between two frames; 5 if absent. */
  interval?: number | undefined
}

/** What `follow` takes: which stream, and its options. */
export type FollowOptions =
  | ({ stream?: 'events' | undefined } & EventStreamOptions)
  | ({ stream: 'traces' } & TraceStreamOptions)
  | ({ stream: 'metrics' } & MetricsStreamOptions)

/** Is called with each frame, and with the cursor after it (undefined as long as the stream has none). */
export type FrameCallback = (frame: StreamFrame, cursor: string | undefined) => unknown

const streamRoutes: Record<'events' | 'traces' | 'metrics', Route> = {
  events: routes.streamEvents,
  traces: routes.streamTraces,
  metrics: routes.streamMetrics,
}

/**
 * Follows what happens on a server, live. A lost connection is opened again and goes on exactly where it broke off;
 * `onError` hears of it, and of whatever a callback throws.
 */
export class LLMEvalStreamClient {
  /** Is told of lost connections, of errors that end a stream, and of what callbacks throw. */
  onError: ((error: Error) => void) | undefined
  readonly #connection: Connection
  readonly #onStatus: StreamClientOptions['onStatus']
  readonly #open = new Set<EventFollower>()

  /**
   * @param baseUrl where the server is; in a browser `''` means where the page came from
   * @param apiKeyOrOptions a key, or options
   */
  constructor(baseUrl = 'http://localhost:8000', apiKeyOrOptions?: string | null | StreamClientOptions) {
    const options = typeof apiKeyOrOptions === 'object' ? (apiKeyOrOptions ?? {}) : { apiKey: apiKeyOrOptions }
    this.#connection = new Connection(baseUrl, options)
    this.onError = options.onError
    this.#onStatus = options.onStatus
  }

  /** Every event from now on (or after a cursor). Returns a function that stops it. */
  streamEvents(callback: FrameCallback, options: EventStreamOptions = {}): () => void {
    return this.#stream(callback, { ...options, stream: 'events' })
  }

  /** The newest traces, then every event with its trace. Returns a function that stops it. */
  streamTraces(callback: FrameCallback, limit: number | TraceStreamOptions = {}): () => void {
    return this.#stream(callback, { ...(typeof limit === 'number' ? { limit } : limit), stream: 'traces' })
  }

  /** The project's counters, again and again. Returns a function that stops it. */
  streamMetrics(callback: FrameCallback, interval: number | MetricsStreamOptions = {}): () => void {
    return this.#stream(callback, { ...(typeof interval === 'number' ? { interval } : interval), stream: 'metrics' })
  }

  /** The same as an async iterable, which reads as fast as its loop goes. */
  follow(options: FollowOptions = {}): EventFollower {
    const { stream = 'events', signal, onStatus = this.#onStatus, ...rest } = options
    const { after, ...query } = rest as EventStreamOptions
    const call = { route: streamRoutes[stream], query: toQuery(query) }
    const follower = new EventFollower<StreamFrame>(this.#connection, {
      url: this.#connection.url(call),
      open: (place) => this.#connection.open({ ...call, ...place }),
      read: readFrame,
      endOf,
      after,
      onStatus: (phase, state) => {
        if (phase === 'waiting' && state.phase === 'waiting') this.#report(state.error)
        if (phase === 'done' || phase === 'failed') close()
        this.#guard(() => onStatus?.(phase, state))
      },
    })
    const stop = () => follower.stop()
    const close = () => {
      this.#open.delete(follower)
      signal?.removeEventListener('abort', stop)
    }
    this.#open.add(follower)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    return follower
  }

  /** Stops every stream of this client. */
  closeAllStreams(): void {
    for (const follower of this.#open) follower.stop()
  }

  #stream(callback: FrameCallback, options: FollowOptions): () => void {
    const follower = this.follow(options)
    void this.#pump(follower, callback)
    return () => follower.stop()
  }

  async #pump(follower: EventFollower, callback: FrameCallback): Promise<void> {
    try {
      for await (const frame of follower) this.#guard(() => callback(frame, follower.cursor))
    } catch (error) {
      this.#reportEnd(toError(error))
    }
  }

  /** Runs the application's code; what it throws, now or later, goes to `onError`. */
  #guard(callback: () => unknown): void {
    callSafely(callback, (error) => this.#report(error))
  }

  #report(error: Error): void {
    callSafely(() => this.onError?.(error))
  }

  /** A stream that ends for good must not do so in silence. */
  #reportEnd(error: Error): void {
    if (this.onError) this.#report(error)
    else console.error('llm-eval-sdk: a stream ended:', error.message)
  }
}

function readFrame(message: unknown): StreamFrame {
  if (typeof message === 'object' && message !== null && 'event' in message && typeof message.event === 'string')
    return message as StreamFrame
  throw new LLMEvalError('protocol', 'The stream sent a message that does not say which event it is.')
}

/** Frames that a later server may send: the stream is over, for good or for bad. */
function endOf(frame: { event: string; data?: unknown }): 'done' | LLMEvalError | undefined {
  if (frame.event !== 'failed') return frame.event === 'done' ? 'done' : undefined
  const { code, message } = (frame.data ?? {}) as { code?: string; message?: string }
  return new LLMEvalError('failed', message ?? 'The stream failed.', { failure: code })
}
