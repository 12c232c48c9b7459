/**
 * Many clients of WebSockets of runs in one process, which look for nothing but the time at which an item was finished: it stands
 * in the item's output. Reading costs as little as it can, so that it is the server that is measured.
 */
import { connect, type Socket } from 'node:net'
import { Delays, microseconds } from '../delays.ts'
import { serveOrders } from '../job.ts'

export type SocketOrder =
  | { kind: 'open'; port: number; path: string; watchers: number }
  /** Forgets what was measured so far. */
  | { kind: 'start' }
  /** Waits until each watcher has had this many items, or the time is up, and tells. */
  | { kind: 'finish'; items: number; timeoutMs: number }
  | { kind: 'close' }

export interface SocketsSeen {
  deliveries: number
  /** Milliseconds from finishing the item to its frame, over all deliveries. */
  p50: number
  p99: number
  max: number
  /** Watchers that had not as many items as there are, or were cut off. */
  short: number
  ended: number
  bytes: number
}

const mark = Buffer.from('"output":"at-')
/** Microseconds, in the digits of an output. */
const digits = 16
const delays = new Delays()
const watchers = new Set<SocketWatcher>()
let bytes = 0
let ended = 0

serveOrders(async (order: SocketOrder) => {
  switch (order.kind) {
    case 'open':
      return open(order)
    case 'start':
      delays.clear()
      bytes = 0
      for (const watcher of watchers) watcher.items = 0
      return undefined
    case 'finish':
      return finish(order)
    case 'close':
      for (const watcher of watchers) watcher.close()
      watchers.clear()
      ended = 0
      return undefined
  }
})

async function open({ port, path, watchers: many }: Extract<SocketOrder, { kind: 'open' }>): Promise<void> {
  // Not all in one moment, as no crowd comes.
  for (let first = 0; first < many; first += 100) {
    const some = Array.from({ length: Math.min(100, many - first) }, () => new SocketWatcher(port, path))
    for (const watcher of some) watchers.add(watcher)
    await Promise.all(some.map(({ greeted }) => greeted))
  }
}

async function finish({ items, timeoutMs }: { items: number; timeoutMs: number }): Promise<SocketsSeen> {
  const until = performance.now() + timeoutMs
  const short = () => [...watchers].filter((watcher) => watcher.items !== items).length
  while (short() > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
  const { count: deliveries, max } = delays
  return { deliveries, p50: delays.rank(0.5), p99: delays.rank(0.99), max, short: short(), ended, bytes }
}

class SocketWatcher {
  items = 0
  readonly greeted: Promise<void>
  readonly #socket: Socket
  #rest: Buffer | undefined
  #isUpgraded = false
  #isClosing = false

  constructor(port: number, path: string) {
    const socket = connect({ port, host: '127.0.0.1' })
    this.#socket = socket
    const key = Buffer.alloc(16, 7).toString('base64')
    const head = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\n\r\n`))
    this.greeted = new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.on('close', () => {
        if (!this.#isClosing) ended++
        reject(new Error('a socket was closed before it was greeted'))
      })
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        this.#rest = this.#take(this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk, resolve)
      })
    })
  }

  close(): void {
    this.#isClosing = true
    this.#socket.destroy()
  }

  /** Returns the beginning of a frame that is not there yet. */
  #take(given: Buffer, greet: () => void): Buffer | undefined {
    const now = microseconds()
    let at = 0
    if (!this.#isUpgraded) {
      const end = given.indexOf('\r\n\r\n')
      if (end < 0) return given
      if (!given.toString('latin1', 0, end).startsWith('HTTP/1.1 101')) throw new Error('a socket was not accepted')
      this.#isUpgraded = true
      at = end + 4
    }
    while (at + 2 <= given.length) {
      const short = given[at + 1] ?? 0
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + head > given.length) break
      const length = short < 126 ? short : short === 126 ? given.readUInt16BE(at + 2) : given.readUInt32BE(at + 6)
      const end = at + head + length
      if (end > given.length) break
      greet()
      // A ping asks for a pong, which a client masks.
      if (given[at] === 0x89) this.#socket.write(Buffer.of(0x8a, 0x80, 0, 0, 0, 0))
      else this.#frame(given.subarray(at + head, end), now)
      at = end
    }
    return at === given.length ? undefined : given.subarray(at)
  }

  #frame(frame: Buffer, now: number): void {
    const found = frame.indexOf(mark)
    if (found < 0) return
    let finished = 0
    for (let i = found + mark.length; i < found + mark.length + digits; i++)
      finished = finished * 10 + (frame[i] ?? 48) - 48
    delays.add((now - finished) / 1_000)
    this.items++
  }
}
