/**
 * Many readers of one event stream in one process, which look for nothing but the time at which a trace was sent: it stands in
 * the trace's id. Reading costs as little as it can, so that it is the server that is measured.
 */
import { connect, type Socket } from 'node:net'
import { Delays, microseconds } from '../delays.ts'
import { serveOrders } from '../job.ts'

export type WatchOrder =
  | { kind: 'open'; port: number; path: string; watchers: number }
  /** Forgets what was measured so far. */
  | { kind: 'start' }
  /** Waits until this many deliveries were counted, or the time is up, and tells. */
  | { kind: 'finish'; deliveries: number; timeoutMs: number }

export interface Watched {
  deliveries: number
  /** Milliseconds from sending the trace to its frame, over all deliveries. */
  p50: number
  p99: number
  max: number
  /** Readers that were cut off. */
  ended: number
}

const mark = Buffer.from('"trace_id":"at-')
/** Microseconds, in the digits of an id. */
const digits = 16
const delays = new Delays()
let ended = 0

serveOrders(async (order: WatchOrder) => {
  if (order.kind === 'open') return open(order)
  if (order.kind === 'finish') return finish(order)
  delays.clear()
  return undefined
})

async function open({ port, path, watchers }: { port: number; path: string; watchers: number }): Promise<void> {
  // Not all in one moment, as no crowd comes.
  for (let first = 0; first < watchers; first += 100)
    await Promise.all(Array.from({ length: Math.min(100, watchers - first) }, () => watch(port, path)))
}

/** Resolves when the stream has greeted. */
function watch(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1' })
    let rest: Buffer | undefined
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`))
    socket.once('error', reject)
    socket.once('close', () => ended++)
    socket.once('data', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve()
    })
    socket.on('data', (chunk: Buffer) => {
      rest = take(rest ? Buffer.concat([rest, chunk]) : chunk)
    })
  })
}

/** Counts the deliveries of a chunk; what is left is the beginning of the next one's first. */
function take(bytes: Buffer): Buffer | undefined {
  const now = microseconds()
  for (let at = bytes.indexOf(mark); ; ) {
    if (at < 0) break
    const start = at + mark.length
    if (start + digits > bytes.length) return bytes.subarray(at)
    let sent = 0
    for (let i = start; i < start + digits; i++) sent = sent * 10 + (bytes[i] ?? 48) - 48
    delays.add((now - sent) / 1_000)
    at = bytes.indexOf(mark, start + digits)
  }
  // A chunk of a stream ends with a line; else a mark may have been cut in two.
  return bytes[bytes.length - 1] === 10 ? undefined : bytes.subarray(Math.max(0, bytes.length - mark.length))
}

async function finish({ deliveries, timeoutMs }: { deliveries: number; timeoutMs: number }): Promise<Watched> {
  const until = performance.now() + timeoutMs
  while (delays.count < deliveries && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
  return { deliveries: delays.count, p50: delays.rank(0.5), p99: delays.rank(0.99), max: delays.max, ended }
}
