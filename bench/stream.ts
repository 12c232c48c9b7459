import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { microseconds } from './delays.ts'
import { startInspected } from './inspector.ts'
import { startJob } from './job.ts'
import { type Paced, paced } from './pace.ts'
import { percentile } from '../packages/server/test/faults/percentile.ts'
import { singleTemplate, type Template } from './sample.ts'
import { cpuSeconds, type Measured, residentBytes, startProduct } from './server.ts'
import type { Watched, WatchOrder } from './workers/watchers.ts'

const watchers = 1_000
const perSecond = 500
const idleWatchers = 5_000

/** From POST to the frame at a thousand readers; and what readers cost that wait. */
export const stream: Bench = async (options) => [...(await liveRows(options)), ...(await idleRows(options))]

const liveRows: Bench = async ({ quick, directory, say }) => {
  const product = await startProduct({ data: join(directory, 'live') })
  const job = startJob('workers/watchers.ts')
  const readers = quick ? 50 : watchers
  say(`opening ${readers} streams`)
  await job.run({ kind: 'open', port: product.port, path: '/stream/events', watchers: readers } satisfies WatchOrder)
  say('warming up')
  const warm = await publish(product, quick ? 1 : 3)
  await job.run({ kind: 'finish', deliveries: warm.sent * readers, timeoutMs: 15_000 } satisfies WatchOrder)
  await job.run({ kind: 'start' } satisfies WatchOrder)
  say('measuring')
  const cpuBefore = cpuSeconds(product.pid)
  const { sent, latencies, perSecond: reached } = await publish(product, quick ? 2 : 20)
  const finish: WatchOrder = { kind: 'finish', deliveries: sent * readers, timeoutMs: 30_000 }
  const seen = await job.run<Watched>(finish)
  const cpu = cpuSeconds(product.pid) - cpuBefore
  await job.stop()
  await product.stop()
  if (seen.deliveries !== sent * readers || seen.ended > 0)
    throw new Error(`of ${sent * readers} deliveries ${seen.deliveries} came; ${seen.ended} readers were cut off`)
  const note = `${readers} watchers, ${Math.round(reached)} traces/s, ${seen.deliveries.toLocaleString('en-US')} deliveries`
  return [
    { name: 'POST to SSE frame received, p50', value: seen.p50, unit: 'ms', note },
    { name: 'POST to SSE frame received, p99', value: seen.p99, unit: 'ms', target: { atMost: 100 }, note },
    { name: 'POST to SSE frame received, longest', value: seen.max, unit: 'ms' },
    { name: 'p99 of the POSTs meanwhile', value: percentile(latencies, 0.99), unit: 'ms' },
    { name: 'CPU of the server for one delivery', value: (cpu * 1e6) / seen.deliveries, unit: 'µs' },
  ]
}

/** Sends single traces evenly, their ids made of the time at which they are sent. */
function publish({ port }: Measured, seconds: number): Promise<Paced> {
  const templates = new Map<number, Template>()
  return paced({
    port,
    perSecond,
    seconds,
    request: (_number, connection) => {
      const template = templates.get(connection) ?? stamped()
      templates.set(connection, template)
      template.number(microseconds())
      return template.bytes
    },
    check: ({ status }) => {
      if (status !== 200) throw new Error(`a trace was answered ${status}`)
    },
  })
}

/** A template whose ids are times in microseconds, never the same twice. */
function stamped(): Template {
  return singleTemplate('/webhook/trace', {
    name: 'at-',
    digits: 16,
    suffix: `-${Math.random().toString(36).slice(2, 8)}`,
  })
}

const idleRows: Bench = async ({ quick, directory, say }) => {
  const product = await startInspected({ data: join(directory, 'idle') })
  const job = startJob('workers/watchers.ts')
  const readers = quick ? 500 : idleWatchers
  const order: WatchOrder = { kind: 'open', port: product.port, path: '/stream/events', watchers: readers }
  // What the first streams load and compile is not what each of them costs.
  await job.run({ ...order, watchers: 100 })
  await settle(quick ? 1 : 5)
  const before = residentBytes(product.pid)
  await product.collectGarbage()
  const cleanBefore = residentBytes(product.pid)
  say(`opening ${readers} streams that wait`)
  await job.run(order)
  // A heartbeat comes within.
  await settle(quick ? 1 : 20)
  const after = residentBytes(product.pid)
  await product.collectGarbage()
  const cleanAfter = residentBytes(product.pid)
  await job.stop()
  await product.stop()
  const each = (bytes: number) => bytes / readers / 1_024
  return [
    {
      name: 'memory of the server for one waiting stream',
      value: each(cleanAfter - cleanBefore),
      unit: 'KiB',
      target: { atMost: 20 },
      note: `resident, ${readers} streams, garbage collected`,
    },
    {
      name: 'the same with the garbage of their requests',
      value: each(after - before),
      unit: 'KiB',
      note: 'what the collector has not come to yet',
    },
  ]
}

function settle(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
}
