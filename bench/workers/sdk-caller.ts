/** An application that hands traces to the SDK's buffered sender: what a call costs the caller. `node sdk-caller.ts URL`. */
import { LLMEvalClient } from '../../packages/sdk/src/index.ts'
import { serveOrders } from '../job.ts'
import { sampleTrace } from '../sample.ts'

export interface CallOrder {
  calls: number
}

export interface Called {
  /** Microseconds of a call: on average, and the slowest of a hundred. */
  mean: number
  p99: number
  /** What JSON.stringify of the same trace takes on average: no sender can do with less. */
  stringify: number
  sent: number
}

const client = new LLMEvalClient(process.argv[2])
let next = 1

serveOrders(async ({ calls }: CallOrder): Promise<Called> => {
  await using sender = client.buffered({ maxQueueTraces: 100_000 })
  const times = new Float64Array(calls)
  let stringify = 0
  let written = 0
  for (let call = 0; call < calls; call++) {
    const trace = sampleTrace(`sdk-${process.pid}-${next++}`)
    const before = performance.now()
    written += JSON.stringify(trace).length
    const started = performance.now()
    sender.send(trace)
    times[call] = performance.now() - started
    stringify += started - before
    // An application does other things too, and meanwhile the sender sends.
    if (call % 200 === 199) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (written === 0) throw new Error('nothing was written')
  const { sent } = await sender.flush({ timeoutMs: 60_000 })
  const sorted = times.sort()
  return {
    mean: (sorted.reduce((sum, ms) => sum + ms, 0) / calls) * 1_000,
    p99: (sorted[Math.floor(calls * 0.99)] ?? Number.NaN) * 1_000,
    stringify: (stringify / calls) * 1_000,
    sent,
  }
})
