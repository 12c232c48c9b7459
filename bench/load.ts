import { Wire } from '../packages/server/test/faults/wire.ts'
import type { Template } from './sample.ts'
import { cpuSeconds } from './server.ts'
import { median } from '../packages/server/test/faults/percentile.ts'

export interface LoadOptions {
  port: number
  /** The process under load. */
  pid: number
  connections: number
  seconds: number
  /** The request of one connection. */
  template: (connection: number) => Template
  /** Traces of one request. */
  traces: number
  /** The number of the next trace; shared by everything that loads the same server. */
  numbers: { next: number }
}

export interface LoadResult {
  /** Traces a second. */
  perSecond: number
  /** Milliseconds from a request's first byte to its answer's last. */
  latencies: number[]
  /** Microseconds of CPU that the process under load used for a trace. */
  cpuMicros: number
}

/** Keeps each connection busy with one request after the other. Any answer but 200 ends the bench. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { port, pid, connections, seconds, template, traces, numbers } = options
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.connect(port)))
  const latencies: number[] = []
  const cpuBefore = cpuSeconds(pid)
  const started = performance.now()
  const until = started + seconds * 1_000
  const worker = async (wire: Wire, connection: number) => {
    const request = template(connection)
    for (let now = performance.now(); now < until; ) {
      request.number(numbers.next)
      numbers.next += traces
      const answer = await wire.send(request.bytes)
      if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.body.toString().slice(0, 300)}`)
      const answered = performance.now()
      latencies.push(answered - now)
      now = answered
    }
  }
  await Promise.all(wires.map(worker))
  const took = (performance.now() - started) / 1_000
  const cpu = cpuSeconds(pid) - cpuBefore
  for (const wire of wires) wire.close()
  const count = latencies.length * traces
  return { perSecond: count / took, latencies, cpuMicros: (cpu * 1e6) / count }
}

/** Loads one target after the other, several times, so that a noisy moment of the machine hits all of them alike. */
export async function rounds(count: number, targets: LoadOptions[]): Promise<LoadResult[]> {
  const results = targets.map((): LoadResult[] => [])
  for (let round = 0; round < count; round++)
    for (const [i, target] of targets.entries()) results[i]?.push(await load(target))
  return results.map((of) => ({
    perSecond: median(of.map((result) => result.perSecond)),
    latencies: of.flatMap((result) => result.latencies),
    cpuMicros: median(of.map((result) => result.cpuMicros)),
  }))
}
