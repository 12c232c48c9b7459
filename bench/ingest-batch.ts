import { join } from 'node:path'
import { getJson, until } from '../packages/server/test/faults/audit.ts'
import type { TracePage } from '@llm-eval/protocol'
import type { Bench } from './bench.ts'
import { startJob } from './job.ts'
import { load, type LoadResult } from './load.ts'
import type { Row } from './report.ts'
import { batchTemplate } from './sample.ts'
import { type Measured, startProduct } from './server.ts'
import { median, percentile } from '../packages/server/test/faults/percentile.ts'
import type { IngestOrder } from './workers/store-ingest.ts'
import type { Rate, StoreOrder } from './workers/timed.ts'

const batch = 100
const connections = 8

/** Durable batches of 100, against the bare SQLite driver; then how fast the search index catches up. */
export const ingestBatch: Bench = async ({ quick, directory, say }) => {
  const product = await startProduct({ data: join(directory, 'data') })
  const bare = startJob('peers/bare-sqlite.ts', [join(directory, 'bare')])
  const direct = startJob('workers/store-ingest.ts', ['direct', join(directory, 'direct')])
  const numbers = { next: 1 }
  const http: LoadResult[] = []
  const limit: Rate[] = []
  const store: Rate[] = []
  const rounds = quick ? 1 : 4
  const template = () => batchTemplate('/webhook/batch', 'batch', batch)
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    const seconds = quick ? 1 : round === 0 ? 2 : 4
    const order: StoreOrder = { traces: quick ? 2_000 : 60_000, batch, concurrency: 8 }
    await direct.run({ kind: 'prepare', ...order } satisfies IngestOrder)
    const posted = await load({ ...product, connections, seconds, template, traces: batch, numbers })
    // What one of them still has to index must not slow down the next one.
    await until(
      () => searchLag(product),
      (lag) => lag === 0,
    )
    const inserted = await bare.run<Rate>(order)
    const stored = await direct.run<Rate>({ kind: 'ingest', ...order } satisfies IngestOrder)
    await direct.run({ kind: 'settle' } satisfies IngestOrder)
    if (round === 0) continue
    http.push(posted)
    limit.push(inserted)
    store.push(stored)
  }
  await bare.stop()
  await direct.stop()
  say('a burst, so that the search index has something to catch up with')
  const burst = { ...product, connections, seconds: quick ? 1 : 6, traces: batch, numbers }
  const { perSecond: keptUp } = await load({ ...burst, template })
  const search = await catchUp({ product, say, seconds: quick ? 2 : 10 }, keptUp)
  await product.stop()
  return [...ingestRows({ http, limit, store }), search]
}

function ingestRows({ http, limit, store }: { http: LoadResult[]; limit: Rate[]; store: Rate[] }): Row[] {
  const rate = (of: Rate[]) => median(of.map(({ perSecond }) => perSecond))
  const cpu = (of: Rate[]) => median(of.map(({ cpuMicros }) => cpuMicros))
  const name = 'bare SQLite driver, same rows'
  const peer = { name, value: rate(limit) }
  return [
    {
      name: `durable batches of ${batch} over HTTP, ${connections} connections`,
      value: rate(http),
      unit: 'traces/s',
      peer,
      target: { atLeast: 15_000, ratioAtLeast: 0.6 },
    },
    { name: 'the same into the store, without HTTP and intake', value: rate(store), unit: 'traces/s', peer },
    {
      name: 'CPU of the server for one trace of a batch',
      value: cpu(http),
      unit: 'µs',
      peer: { name, value: cpu(limit) },
      note: 'all threads, indexing for search included',
    },
    {
      name: 'CPU of the store for one, without HTTP and intake',
      value: cpu(store),
      unit: 'µs',
      peer: { name, value: cpu(limit) },
      note: 'all threads, indexing for search included',
    },
    {
      name: 'p99 of a batch',
      value: percentile(
        http.flatMap(({ latencies }) => latencies),
        0.99,
      ),
      unit: 'ms',
    },
  ]
}

/** @param keptUp what the index kept up with, if it is not behind at all */
async function catchUp(
  { product, say, seconds }: { product: Measured; say: (text: string) => void; seconds: number },
  keptUp: number,
): Promise<Row> {
  const first = await searchLag(product)
  say(`the search index is ${first} traces behind`)
  const started = performance.now()
  let last = first
  let took = 0
  // Looking too often would slow down what is looked at.
  while (last > 0 && took < seconds * 1_000) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    last = await searchLag(product)
    took = performance.now() - started
  }
  return {
    name: 'search index catching up once ingest has stopped',
    value: first < 5_000 ? keptUp : (first - last) / (took / 1_000),
    unit: 'traces/s',
    target: { atLeast: 10_000 },
    note: first < 5_000 ? 'it had kept up with ingest' : `${first} behind at first`,
  }
}

async function searchLag({ url }: Measured): Promise<number> {
  return (await getJson<TracePage>(`${url}/api/v1/traces?q=nothing`)).search_lag ?? 0
}
