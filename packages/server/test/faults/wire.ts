import { connect, type Socket } from 'node:net'

export interface WireAnswer {
  status: number
  body: Buffer
  /** Seconds, where the answer names them. */
  retryAfter: number | undefined
}

/** The connection ended before the answer was complete: what became of the request is not known. */
export class WireCut extends Error {
  override readonly name = 'WireCut'
}

/**
 * One kept-alive HTTP/1.1 connection that carries one request at a time. It knows just enough of HTTP for answers with a
 * Content-Length, so that a generator of load costs little beside the server under load.
 */
export class Wire {
  readonly #socket: Socket
  #waiting: { resolve: (answer: WireAnswer) => void; reject: (error: Error) => void } | undefined
  #rest: Buffer | undefined
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#end())
  }

  static connect(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Wire(socket))
      })
    })
  }

  /** Sends the bytes of a request. The buffer may be used again when the answer is there. Rejects with `WireCut`. */
  send(request: Buffer): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new WireCut('the connection is closed'))
      if (this.#waiting) return reject(new Error('one request at a time'))
      this.#waiting = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    const headEnd = bytes.indexOf('\r\n\r\n')
    if (headEnd < 0) {
      this.#rest = bytes
      return
    }
    const head = bytes.toString('latin1', 0, headEnd)
    const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1])
    if (!Number.isInteger(length)) {
      this.#socket.destroy(new Error(`an answer without a Content-Length: ${head.slice(0, 40)}`))
      return
    }
    const end = headEnd + 4 + length
    if (bytes.length < end) {
      this.#rest = bytes
      return
    }
    this.#rest = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    const retryAfter = /\r\nretry-after: *([0-9]+)/i.exec(head)?.[1]
    waiting?.resolve({
      status: Number(head.slice(9, 12)),
      body: bytes.subarray(headEnd + 4, end),
      retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
    })
  }

  #end(): void {
    this.#ended = true
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(new WireCut('the connection ended before the answer was complete'))
  }
}

/** The bytes of a request; `body` is sent as JSON. */
export function requestBytes(method: string, path: string, body?: unknown): Buffer {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const about = payload ? `Content-Type: application/json\r\nContent-Length: ${payload.length}\r\n` : ''
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${about}\r\n`)
  return payload ? Buffer.concat([head, payload]) : head
}
