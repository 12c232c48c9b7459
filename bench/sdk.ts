import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { startJob } from './job.ts'
import { startProduct } from './server.ts'
import type { Called, CallOrder } from './workers/sdk-caller.ts'

/** What the SDK's buffered mode costs the application that calls it. */
export const sdk: Bench = async ({ quick, directory, say }) => {
  const product = await startProduct({ data: join(directory, 'data') })
  const caller = startJob('workers/sdk-caller.ts', [product.url])
  say('warming up')
  await caller.run<Called>({ calls: quick ? 500 : 5_000 } satisfies CallOrder)
  say('measuring')
  const calls = quick ? 1_000 : 40_000
  const called = await caller.run<Called>({ calls } satisfies CallOrder)
  await caller.stop()
  await product.stop()
  if (called.sent !== calls) throw new Error(`of ${calls} traces ${called.sent} were sent`)
  return [
    {
      name: 'SDK: a buffered send, for the caller',
      value: called.mean,
      unit: 'µs',
      peer: { name: 'JSON.stringify of the same trace', value: called.stringify },
      target: { atMost: 50 },
      note: 'traces of about 1 KB',
    },
    { name: 'SDK: the slowest of a hundred of these', value: called.p99, unit: 'µs' },
  ]
}
