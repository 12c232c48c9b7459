/** `store.ingest` without HTTP before it: `node store-ingest.ts NAME DIRECTORY [DATABASE_URL]`. */
import { openStore } from '@llm-eval/store'
import { until } from '../../packages/server/test/faults/audit.ts'
import { serveOrders } from '../job.ts'
import { storedTraces } from '../rows.ts'
import type { Rate, StoreOrder } from './timed.ts'

/** The traces are made first, and stored when that is ordered: the making is not what is measured. */
export type IngestOrder = ({ kind: 'prepare' } & StoreOrder) | ({ kind: 'ingest' } & StoreOrder) | { kind: 'settle' }

const [name = 'store', directory = '', databaseUrl] = process.argv.slice(2)
const store = await openStore({ directory, ...(databaseUrl === undefined ? {} : { databaseUrl }) })
const prepared: ReturnType<typeof storedTraces>[] = []
let next = 1

serveOrders(
  (order: IngestOrder) =>
    order.kind === 'prepare' ? prepare(order) : order.kind === 'ingest' ? ingest(order) : settle(),
  () => store.close(),
)

function prepare({ traces, batch }: StoreOrder): void {
  for (let made = 0; made < traces; made += batch) {
    prepared.push(storedTraces({ name, first: next, count: batch }))
    next += batch
  }
}

async function ingest({ traces, concurrency }: StoreOrder): Promise<Rate> {
  const cpuBefore = process.cpuUsage()
  const started = performance.now()
  await Promise.all(Array.from({ length: concurrency }, ingestPrepared))
  const took = (performance.now() - started) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { perSecond: traces / took, cpuMicros: (user + system) / traces }
}

/** Waits until search and plots know all of them. */
async function settle(): Promise<void> {
  await until(
    () => store.read(1, 'lags', {}),
    ({ search, rollups }) => search === 0 && rollups === 0,
  )
}

async function ingestPrepared(): Promise<void> {
  for (let traces = prepared.pop(); traces; traces = prepared.pop()) {
    const batchId = `${name}-${traces[0]?.traceId}`
    const refused = traces.map(() => null)
    const receipt = { batchId, source: 'bench', receivedAt: Date.now(), refused }
    const { outcomes } = await store.ingest(1, { traces, receipt })
    const bad = outcomes.find((outcome) => outcome.status !== 'created')
    if (bad) throw new Error(`a trace of the bench was ${bad.status}`)
  }
}
