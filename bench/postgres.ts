import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '../packages/store/test/postgres.ts'
import type { Bench } from './bench.ts'
import { startJob } from './job.ts'
import type { Row } from './report.ts'
import type { IngestOrder } from './workers/store-ingest.ts'
import type { StoreOrder } from './workers/timed.ts'

const batch = 100

/** Durable batches into a real Postgres on this machine, with the commits of its disk and with commits that take 3 ms. */
export const postgres: Bench = async ({ quick, directory, say }) => {
  const { server, url } = await startPostgres()
  const rows: Row[] = []
  try {
    for (const { name, processes, commitMs } of [
      { name: 'one process, four connections that write', processes: 1, commitMs: 0 },
      { name: 'the same with commits of 3 ms', processes: 1, commitMs: 3 },
      { name: 'four processes', processes: 4, commitMs: 0 },
      { name: 'four processes with commits of 3 ms', processes: 4, commitMs: 3 },
    ]) {
      say(name)
      await using database = await createDatabase(url)
      const target = commitMs === 0 ? database.url : slowed(database.url, commitMs)
      const value = await measure({ processes, url: target, directory, traces: quick ? 4_000 : 100_000 })
      rows.push({ name: `Postgres, durable batches: ${name}`, value, unit: 'traces/s', target: { atLeast: 20_000 } })
    }
  } finally {
    const ended = once(server, 'exit')
    server.stdin?.end()
    await ended
  }
  return rows
}

async function measure(given: { processes: number; url: string; directory: string; traces: number }): Promise<number> {
  const { processes, url, directory, traces } = given
  const order: StoreOrder = { traces: traces / processes, batch, concurrency: processes === 1 ? 16 : 8 }
  const jobs = Array.from({ length: processes }, (_, i) =>
    startJob('workers/store-ingest.ts', [`writer${i}`, directory, url]),
  )
  const all = (kind: IngestOrder['kind']) => Promise.all(jobs.map((job) => job.run({ kind, ...order })))
  // One by one, for the first one makes the tables; and everybody warms up.
  for (const job of jobs) {
    await job.run({ kind: 'prepare', ...order, traces: 2_000 } satisfies IngestOrder)
    await job.run({ kind: 'ingest', ...order, traces: 2_000 } satisfies IngestOrder)
  }
  await all('prepare')
  const started = performance.now()
  await all('ingest')
  const took = (performance.now() - started) / 1_000
  await Promise.all(jobs.map((job) => job.stop()))
  return traces / took
}

/** Connections whose commits wait before they write, as on a disk or a network that is that slow. */
function slowed(url: string, ms: number): string {
  const options = `-c commit_delay=${ms * 1_000} -c commit_siblings=0`
  return `${url}?options=${encodeURIComponent(options)}`
}

async function startPostgres(): Promise<{ server: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL('../scripts/postgres.mjs', import.meta.url))
  const server = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: server.stdout })) {
    return { server, url: (JSON.parse(line) as { url: string }).url }
  }
  throw new Error('Postgres did not start')
}
