import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/**
 * Frames a text as one message of a server (RFC 6455, 5.2), once for all sockets that get it. It goes past the `ws` package,
 * which would frame it anew for each: without compression nothing there waits that it could cut in on.
 */
export function toMessage(text: string): Buffer {
  const body = Buffer.from(text)
  const { length } = body
  if (length < 126) return Buffer.concat([Buffer.of(0x81, length), body])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = 0x81
  if (length < 65_536) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, body])
}

/** Bytes of answers that may wait for a reader who asks and does not read. */
const mostWaiting = 1024 * 1024

/** The writing end of a WebSocket of runs. */
export class SocketOutlet {
  readonly #socket: WebSocket
  readonly #raw: Socket
  #turn: Promise<unknown> = Promise.resolve()

  /** @param raw what carries the socket; a reader that drains no byte for `stallMs` while something waits for it is cut */
  constructor(socket: WebSocket, raw: Socket, stallMs: number) {
    this.#socket = socket
    this.#raw = raw
    raw.setNoDelay(true)
    raw.setTimeout(stallMs, () => raw.destroy())
  }

  get closed(): boolean {
    return this.#socket.readyState !== this.#socket.OPEN
  }

  /** Whether the reader has fallen behind: what was written before is still waiting for it. */
  get full(): boolean {
    return this.#raw.writableNeedDrain
  }

  /** Writes whole messages. */
  write(messages: Buffer): void {
    if (!this.closed) this.#raw.write(messages)
  }

  /** Writes an answer to the client; one that asks on and on without reading is closed. */
  tell(frame: object): void {
    this.write(toMessage(JSON.stringify(frame)))
    if (this.#raw.writableLength > mostWaiting) this.close(1013, 'slow_reader')
  }

  /** Resolves when what was written has been taken, or the socket is over. */
  drained(): Promise<void> {
    if (this.closed || !this.full) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        this.#raw.off('drain', done)
        this.#raw.off('close', done)
        resolve()
      }
      this.#raw.once('drain', done)
      this.#raw.once('close', done)
    })
  }

  /** One at a time: of all runs that a slow reader follows, no more than one page is in memory. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }
}
