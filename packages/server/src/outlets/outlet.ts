import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Frames text as one chunk of a chunked HTTP body, once for all sockets that get it. */
export function toChunk(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
}

const lastChunk = Buffer.from('0\r\n\r\n')

/** The text of a chunk, for those who know no chunks. */
function unframed(chunk: Buffer): Buffer {
  return chunk.subarray(chunk.indexOf('\n') + 1, -2)
}

interface OutletOptions {
  headers: OutgoingHttpHeaders
  /** Milliseconds. */
  stallMs: number
}

/**
 * The writing end of one event stream. Bytes go straight to the socket, already framed, so that one Buffer serves every
 * reader and each delivery is a single write.
 */
export class Outlet {
  readonly #socket: Socket
  /** HTTP/1.0 knows no chunks: there the end of the connection is the end of the stream. */
  readonly #chunked: boolean
  readonly #onClose: (() => void)[] = []
  #closed = false

  /**
   * Sends the head of the answer. Behind the answers to earlier requests of its connection it waits until they are out:
   * what goes straight to the socket must not cut in.
   */
  static async open(request: IncomingMessage, response: ServerResponse, options: OutletOptions): Promise<Outlet> {
    const { socket } = request
    const chunked = request.httpVersion !== '1.0'
    response.writeHead(200, {
      ...options.headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...(chunked ? { connection: 'keep-alive', 'transfer-encoding': 'chunked' } : { connection: 'close' }),
    })
    // A quiet stream must not look like one that never answers.
    if (response.socket !== null) response.flushHeaders()
    else {
      await new Promise<void>((resolve) => {
        response.write('', () => resolve())
        socket.once('close', resolve)
      })
    }
    return new Outlet(socket, { chunked, stallMs: options.stallMs })
  }

  /**
   * @param stallMs a reader that drains no byte for this long, while something waits for it, is cut. The socket's own
   *   timeout measures just that: progress of a pending write counts as life, and heartbeats keep a healthy one alive.
   */
  private constructor(socket: Socket, { chunked, stallMs }: { chunked: boolean; stallMs: number }) {
    this.#socket = socket
    this.#chunked = chunked
    socket.setNoDelay(true)
    socket.setTimeout(stallMs, () => socket.destroy())
    socket.once('close', () => this.#close())
    if (socket.destroyed) this.#close()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether the reader has fallen behind: what was written before is still waiting for it. */
  get full(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Calls back once when the stream is over, for whatever reason. */
  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#onClose.push(listener)
  }

  write(chunk: Buffer): void {
    if (!this.#closed) this.#socket.write(this.#chunked ? chunk : unframed(chunk))
  }

  /** Resolves when what was written has been taken, or the stream is over. */
  drained(): Promise<void> {
    if (this.#closed || !this.full) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.once('drain', done)
      this.#socket.once('close', done)
    })
  }

  /** Ends the stream so that the client reconnects, after a while of its own (in milliseconds) when one is given. */
  end(retryMs?: number): void {
    if (this.#closed) return
    if (retryMs !== undefined) this.write(toChunk(`retry: ${retryMs}\n\n`))
    if (this.#chunked) this.#socket.write(lastChunk)
    this.#socket.end()
    // It is over for us, be the reader slow to take the last bytes or to go.
    this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const listener of this.#onClose.splice(0)) listener()
  }
}
