import { createSseDecoder, type StreamFrame } from '@llm-eval/protocol'
import { errorOf } from './answer.ts'
import type { Connection, Opening } from './connection.ts'
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

/** What a follower follows: connections that carry frames, and what those mean. */
export interface StreamSource<F> {
  /** Where it is, for the messages of errors. */
  url: string
  /** Opens one connection, which goes on after a cursor. Its body is an event stream. */
  open(place: Opening): Promise<Response>
  /** Resume after this cursor. */
  after?: string | undefined
  /**
   * Makes a frame of the JSON of a message.
   *
   * @throws {LLMEvalError} `protocol`, if it is none
   */
  read(message: unknown): F
  /** How a frame ends the stream: `done`, or an error; undefined if it does not. */
  endOf(frame: F): 'done' | LLMEvalError | undefined
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
export class EventFollower<F = StreamFrame> implements AsyncIterable<F> {
  readonly #connection: Pick<Connection, 'clock' | 'random'>
  readonly #source: StreamSource<F>
  readonly #frames: AsyncGenerator<F, void, undefined>
  #state: StreamState
  /** Cuts short what the loop awaits. */
  #interrupt: () => void = () => undefined

  constructor(connection: Pick<Connection, 'clock' | 'random'>, source: StreamSource<F>) {
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

  [Symbol.asyncIterator](): AsyncGenerator<F, void, undefined> {
    return this.#frames
  }

  async *#run(): AsyncGenerator<F, void, undefined> {
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
  async *#listen(): AsyncGenerator<F, void, undefined> {
    const abort = new AbortController()
    this.#interrupt = () => abort.abort()
    try {
      const opening = this.#source.open({ signal: abort.signal, lastEventId: this.#state.cursor })
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
      const error = errorOf(
        { url: this.#source.url, status: response.status, headers: response.headers, text },
        clock.now(),
      )
      return isPassing(response.status) ? this.#drop(error) : this.#signal({ type: 'refused', error })
    }
    if (!response.body || !/^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) {
      const error = new LLMEvalError(
        'protocol',
        `${this.#source.url} did not answer with an event stream. Is the base URL right?`,
      )
      return this.#signal({ type: 'refused', error })
    }
    this.#signal({ type: 'opened', at: clock.elapsed() })
    return response.body
  }

  async *#read(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<F, void, undefined> {
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

  #take(piece: Piece): F | undefined {
    if ('retryMs' in piece) return this.#signal({ type: 'paced', retryMs: piece.retryMs })
    const frame = piece.data === undefined ? undefined : this.#source.read(parse(piece.data))
    if (piece.id !== '') this.#signal({ type: 'moved', cursor: piece.id })
    return frame
  }

  /** A stream that ends says how; only a connection that breaks off without a word is opened again. */
  #heedEnd(frame: F): void {
    const end = this.#source.endOf(frame)
    if (end === 'done') this.#signal({ type: 'ended' })
    else if (end) this.#signal({ type: 'refused', error: end })
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
    const isRefused = error.status === undefined ? error.code === 'protocol' : !isPassing(error.status)
    this.#signal(isRefused ? { type: 'refused', error } : { type: 'dropped', ...signal })
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
      `The connection to ${this.#source.url} broke off${cause ? `: ${cause.message}` : ''}.`,
      { cause },
    )
  }

  #silent(): LLMEvalError {
    return this.#state.phase === 'connecting'
      ? new LLMEvalError('timeout', `No answer from ${this.#source.url} within ${streamTiming.connect} ms.`)
      : new LLMEvalError(
          'interrupted',
          `Nothing came from ${this.#source.url} for ${streamTiming.silence} ms, not even a heartbeat.`,
        )
  }
}

/** Whether a refusal may be over soon. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data) as unknown
  } catch (cause) {
    throw new LLMEvalError('protocol', 'The stream sent a message that is not JSON.', { cause })
  }
}
