import { get, type IncomingMessage } from 'node:http'
import { createSseDecoder, limits, parseCursor, routes, type StreamFrame, type TraceInput } from '@llm-eval/protocol'
import { until } from './audit.ts'
import { percentile } from './percentile.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { requestBytes, Wire } from './wire.ts'

export interface StallOptions {
  data: string
  /** Readers beside the stalled one. */
  watchers: number
  /** Batches of 100 traces sent while all readers read, and at least as many while one more reads nothing. */
  batches: number
  /** Milliseconds after which the stalled reader is cut. */
  stallMs: number
}

/** Batches after which a reader that has not fallen behind yet never will. */
const mostBatches = 150

export interface StallReport {
  /** Everything that should not be; empty when every promise was kept. */
  faults: string[]
  /** Milliseconds from POST to the frame at a healthy reader, 99th percentile: while all read, and while one did not. */
  healthyP99: number
  besideStalledP99: number
  /** Most bytes that waited in the server for one connection. */
  heldBytes: number
  /** Resident memory of the server before and after the reader stalled. */
  residentBefore: number
  residentAfter: number
}

/**
 * One reader stops reading beside many that go on: the others are served as before, the server holds at most a page for
 * it, cuts it when its time is up, and when it comes back with its cursor it misses and repeats nothing.
 */
export async function stallOne(options: StallOptions): Promise<StallReport> {
  const timing = { heartbeatMs: Math.ceil(options.stallMs / 2), stallMs: options.stallMs, flushMs: 25 }
  const server = await startServerProcess({ data: options.data, timing })
  const faults: string[] = []
  const delays: number[] = []
  const readers = await Promise.all(Array.from({ length: options.watchers }, () => Reader.open(server, delays)))
  const load = await Load.on(server, readers)

  await load.send(options.batches)
  const healthyP99 = percentile(delays.splice(0), 0.99)
  const residentBefore = await gauge(server, 'process_resident_memory_bytes')
  const stalled = await Reader.open(server, [])
  stalled.pause()
  await server.held()
  await load.send(options.batches)
  let heldBytes = await server.held()
  // The kernel holds megabytes for a reader before the server has to.
  for (let more = 0; heldBytes === 0 && more < mostBatches; more++) {
    await load.send(1)
    heldBytes = await server.held()
  }
  const besideStalledP99 = percentile(delays, 0.99)
  const residentAfter = await gauge(server, 'process_resident_memory_bytes')
  if (heldBytes === 0) faults.push('the stalled reader never fell behind: too little was sent')
  if (heldBytes > limits.streamPageBytes) faults.push(`${heldBytes} bytes waited for one reader`)

  // The stalled one alone is cut: the others have nothing waiting for them.
  await until(
    () => gauge(server, 'llm_eval_streams{kind="traces"}'),
    (open) => open === options.watchers,
  )
  stalled.resume()
  await stalled.ended
  if (stalled.seq >= load.seq) faults.push('the stalled reader was given everything before it was cut')
  await stalled.reopen(server)
  await stalled.reached(load.seq)
  for (const reader of [...readers, stalled]) {
    faults.push(...reader.faults)
    reader.end()
  }
  load.end()
  const code = await server.stop()
  if (code !== 0) faults.push(`the server ended with code ${code} when it was asked to stop`)
  return { faults, healthyP99, besideStalledP99, heldBytes, residentBefore, residentAfter }
}

/** Sends batches of traces whose frames are as large as frames become. */
class Load {
  /** The journal's head. */
  seq = 0
  readonly #wire: Wire
  readonly #readers: Reader[]

  private constructor(wire: Wire, readers: Reader[]) {
    this.#wire = wire
    this.#readers = readers
  }

  static async on(server: ServerProcess, readers: Reader[]): Promise<Load> {
    return new Load(await Wire.connect(server.port), readers)
  }

  /** Each batch follows when the one before has reached every reader. */
  async send(batches: number): Promise<void> {
    for (let batch = 0; batch < batches; batch++) {
      const at = performance.timeOrigin + performance.now()
      const traces = Array.from({ length: limits.batchTraces }, (_, i) => largeTrace(`${at}-${this.seq + i}`))
      const answer = await this.#wire.send(requestBytes('POST', '/webhook/batch', { traces, source: label }))
      if (answer.status !== 200) throw new Error(`a batch was answered ${answer.status}: ${answer.body.toString()}`)
      this.seq += limits.batchTraces
      await Promise.all(this.#readers.map((reader) => reader.reached(this.seq)))
    }
  }

  end(): void {
    this.#wire.close()
  }
}

const filling = '漢'.repeat(limits.previewChars)
const label = '漢'.repeat(Math.floor(limits.nameBytes / 3))

function largeTrace(traceId: string): TraceInput {
  const labels = { model_name: label, session_id: label, user_id: label }
  return { trace_id: traceId, user_query: filling, ai_response: filling, ...labels }
}

/** A reader of `/stream/traces` that may stop reading, and comes back with its cursor. */
class Reader {
  readonly faults: string[] = []
  seq = 0
  ended = Promise.resolve()
  readonly #delays: number[]
  #cursor: string | undefined
  #answer: IncomingMessage | undefined
  #waiting: { seq: number; resolve: () => void }[] = []

  private constructor(delays: number[]) {
    this.#delays = delays
  }

  static async open(server: ServerProcess, delays: number[]): Promise<Reader> {
    const reader = new Reader(delays)
    await reader.reopen(server)
    return reader
  }

  async reopen(server: ServerProcess): Promise<void> {
    const headers = this.#cursor === undefined ? {} : { 'last-event-id': this.#cursor }
    const path = `${server.url}${routes.streamTraces.path}?limit=0`
    this.#answer = await new Promise<IncomingMessage>((resolve, reject) =>
      get(path, { headers, agent: false }, resolve).once('error', reject),
    )
    this.ended = new Promise((resolve) => this.#answer?.once('close', resolve))
    this.#answer.on('error', () => undefined)
    this.#answer.setEncoding('utf8')
    const decoder = createSseDecoder({ onMessage: ({ id, data }) => this.#take(id, data) })
    this.#answer.on('data', (text: string) => decoder.feed(text))
  }

  pause(): void {
    this.#answer?.pause()
  }

  resume(): void {
    this.#answer?.resume()
  }

  end(): void {
    this.#answer?.destroy()
  }

  reached(seq: number): Promise<void> {
    if (this.seq >= seq) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ seq, resolve }))
  }

  #take(id: string, data: string): void {
    const seq = parseCursor(id)?.seq
    // A new reader starts at the head.
    if (this.#cursor === undefined) this.seq = seq ?? 0
    this.#cursor = id
    // Only a new trace's frame is worth a look here; the whole of it is read by other tests.
    if (!data.includes('"new_trace"')) {
      if (data.includes('resync_required')) this.faults.push((JSON.parse(data) as StreamFrame).event)
      return
    }
    if (seq !== this.seq + 1) this.faults.push(`event ${id} came after ${this.seq}`)
    this.seq = seq ?? this.seq
    const sentAt = Number(/"trace_id":"([0-9.]+)-/.exec(data)?.[1])
    this.#delays.push(performance.timeOrigin + performance.now() - sentAt)
    if (this.#waiting.length === 0) return
    for (const waiting of this.#waiting.filter((other) => other.seq <= this.seq)) waiting.resolve()
    this.#waiting = this.#waiting.filter((other) => other.seq > this.seq)
  }
}

/** One value of the server's own measurements. */
async function gauge(server: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}
