import { createSseDecoder, type Route, type StreamFrame } from '@llm-eval/protocol'
import { errorOf } from './answer.ts'
import type { Connection } from './connection.ts'
import { LLMEvalError, toError } from './error.ts'
import {
  startStream,
  step,
  type StreamPhase,
  type StreamSignal,
  type StreamState,
  streamTiming,
  wakeAt,
} from './stream-state.ts'

/** What a follower follows. */
export interface StreamSource {
  route: Route
  query: Record<string, string>
  /** Resume after this cursor. */
  after?: string | undefined
  /** Is told of every change of phase. Must not throw. */
  onStatus(phase: StreamPhase, state: StreamState): void
}

/** What a chunk of a stream held, in order: frames, moves of the cursor without one, and the server's wish for the pace. */
type Piece = { id: string; data?: string } | { retryMs: number }

/**
 * The frames of one stream, over as many connections as it takes: no gap, no repeat. Iterate it once. Reading goes at
 * the pace of the loop, and leaving the loop closes the connection. Ends when the server says so or on `stop`; throws an
 * `LLMEvalError` when trying again would not help.
 */
export class EventFollower implements AsyncIterable<StreamFrame> {
  readonly #connection: Connection
  readonly #source: StreamSource
  readonly #frames: AsyncGenerator<StreamFrame, void, undefined>
  #state: StreamState
  /** Cuts short what the loop awaits. */
  #interrupt: () => void = () => undefined

  constructor(connection: Connection, source: StreamSource) {
    this.#connection = connection
    this.#source = source
    this.#state = startStream(connection.clock.elapsed(), source.after)
    this.#frames = this.#run()
  }

  /** The place after the last frame that was handed out; another stream can go on `after` it. */
  get cursor(): string | undefined {
    return this.#state.cursor
  }

  /** Where the stream stands. */
  get phase(): StreamPhase {
    return this.#state.phase
  }

  /** Ends the stream. */
  stop(): void {
    this.#signal({ type: 'ended' })
  }

  [Symbol.asyncIterator](): AsyncGenerator<StreamFrame, void, undefined> {
    return this.#frames
  }

  async *#run(): AsyncGenerator<StreamFrame, void, undefined> {
    this.#signal({ type: 'begun', at: this.#connection.clock.elapsed() })
    try {
      while (this.#state.phase !== 'done') {
        if (this.#state.phase === 'failed') throw this.#state.error
        if (this.#state.phase === 'waiting')
          await this.#keepingTime(new Promise<void>((resolve) => (this.#interrupt = resolve)))
        else yield* this.#listen()
      }
    } finally {
      this.stop()
    }
  }

  /** One connection, from the request to its end, whichever way it ends. */
  async *#listen(): AsyncGenerator<StreamFrame, void, undefined> {
    const abort = new AbortController()
    this.#interrupt = () => abort.abort()
    try {
      const { route, query } = this.#source
      const opening = this.#connection.open({ route, query, signal: abort.signal, lastEventId: this.#state.cursor })
      const body = await this.#accept(await this.#keepingTime(opening))
      if (body) yield* this.#read(body.getReader())
    } catch (error) {
      this.#drop(this.#explain(error))
    } finally {
      abort.abort()
    }
  }

  /** Decides what an answer means; gives the body to read if it is a stream. */
  async #accept(response: Response): Promise<ReadableStream<Uint8Array> | undefined> {
    const { clock } = this.#connection
    if (response.status === 204) return this.#signal({ type: 'ended' })
    if (!response.ok) {
      const text = await this.#keepingTime(response.text())
      const error = errorOf({ url: this.#url(), status: response.status, headers: response.headers, text }, clock.now())
      return isPassing(response.status) ? this.#drop(error) : this.#signal({ type: 'refused', error })
    }
    if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const error = new LLMEvalError(
        'protocol',
        `${this.#url()} did not answer with an event stream. Is the base URL right?`,
      )
      return this.#signal({ type: 'refused', error })
    }
    this.#signal({ type: 'opened', at: clock.elapsed() })
    return response.body
  }

  async *#read(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<StreamFrame, void, undefined> {
    const { clock } = this.#connection
    const text = new TextDecoder()
    let pieces: Piece[] = []
    const decoder = createSseDecoder({
      onMessage: ({ id, data }) => pieces.push({ id, data }),
      onId: (id) => pieces.push({ id }),
      onRetry: (retryMs) => pieces.push({ retryMs }),
    })
    while (this.#state.phase === 'live') {
      // The silence counts from here: while the loop's body was busy, nobody listened.
      this.#signal({ type: 'heard', at: clock.elapsed() })
      const chunk = await this.#keepingTime(reader.read())
      if (chunk.done) return this.#drop(this.#broken())
      decoder.feed(text.decode(chunk.value, { stream: true }))
      for (const piece of pieces) {
        const frame = this.#take(piece)
        if (frame) yield frame
        if (this.#state.phase !== 'live') return
        if (frame) this.#heedEnd(frame)
      }
      pieces = []
    }
  }

  #take(piece: Piece): StreamFrame | undefined {
    if ('retryMs' in piece) return this.#signal({ type: 'paced', retryMs: piece.retryMs })
    const frame = piece.data === undefined ? undefined : parseFrame(piece.data)
    if (piece.id !== '') this.#signal({ type: 'moved', cursor: piece.id })
    return frame
  }

  /** A stream that ends says how; only a connection that breaks off without a word is opened again. */
  #heedEnd(frame: { event: string; data?: unknown }): void {
    if (frame.event === 'done') this.#signal({ type: 'ended' })
    if (frame.event !== 'failed') return
    const { code, message } = (frame.data ?? {}) as { code?: string; message?: string }
    this.#signal({
      type: 'refused',
      error: new LLMEvalError('failed', message ?? 'The stream failed.', { failure: code }),
    })
  }

  /** Awaits something, and meanwhile tells the machine the time when it wants to know. A new phase interrupts it. */
  async #keepingTime<T>(promise: Promise<T>): Promise<T> {
    const { clock, random } = this.#connection
    const { phase } = this.#state
    let cancel = () => {}
    const arm = () => {
      const due = wakeAt(this.#state)
      // Timers may fire a little early, so this may take more than one. The next phase has a time of its own.
      if (due === undefined || this.#state.phase !== phase) return
      cancel = clock.after(Math.max(1, Math.ceil(due - clock.elapsed())), () => {
        this.#signal({ type: 'ticked', at: clock.elapsed(), jitter: random(), error: this.#silent() })
        arm()
      })
    }
    arm()
    try {
      return await promise
    } finally {
      cancel()
    }
  }

  #signal(signal: StreamSignal): undefined {
    const before = this.#state
    this.#state = step(before, signal)
    if (this.#state.phase === before.phase && signal.type !== 'begun') return
    if (this.#state.phase !== 'live') this.#interrupt()
    this.#source.onStatus(this.#state.phase, this.#state)
  }

  #drop(error: LLMEvalError): undefined {
    const signal = { at: this.#connection.clock.elapsed(), jitter: this.#connection.random(), error }
    this.#signal(error.code === 'protocol' ? { type: 'refused', error } : { type: 'dropped', ...signal })
  }

  #explain(thrown: unknown): LLMEvalError {
    if (thrown instanceof LLMEvalError) return thrown
    // The decoder refuses a message without end; the same would come again.
    if (thrown instanceof RangeError) return new LLMEvalError('protocol', thrown.message, { cause: thrown })
    return this.#broken(toError(thrown))
  }

  #broken(cause?: Error): LLMEvalError {
    return new LLMEvalError(
      'interrupted',
      `The connection to ${this.#url()} broke off${cause ? `: ${cause.message}` : ''}.`,
      { cause },
    )
  }

  #silent(): LLMEvalError {
    return this.#state.phase === 'connecting'
      ? new LLMEvalError('timeout', `No answer from ${this.#url()} within ${streamTiming.connect} ms.`)
      : new LLMEvalError(
          'interrupted',
          `Nothing came from ${this.#url()} for ${streamTiming.silence} ms, not even a heartbeat.`,
        )
  }

  #url(): string {
    return this.#connection.url(this.#source)
  }
}

/** Whether a refusal may be over soon. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
}

function parseFrame(data: string): StreamFrame {
  let frame: unknown
  try {
    frame = JSON.parse(data)
  } catch (cause) {
    throw new LLMEvalError('protocol', 'The stream sent a message that is not JSON.', { cause })
  }
  if (typeof frame === 'object' && frame !== null && 'event' in frame && typeof frame.event === 'string')
    return frame as StreamFrame
  throw new LLMEvalError('protocol', 'The stream sent a message that does not say which event it is.')
}
