/**
 * Fills a store with traces as a busy month leaves them: `node seed.ts DIRECTORY`. An order is how many; the answer is how many
 * a second. Models, sources, sessions and users are spread as they are in life: few models, many sessions.
 */
import { openStore } from '@llm-eval/store'
import { randomFrom } from '../../packages/server/test/faults/trace-mix.ts'
import { openBatch, prepareBatch } from '../../packages/server/src/intake/requests.ts'
import { serveOrders } from '../job.ts'
import { sampleTrace } from '../sample.ts'

export interface SeedOrder {
  /** `traces` to store, or wait until search and plots know all of them, or judge some of them. */
  kind: 'fill' | 'settle' | 'review'
  count: number
}

const batchSize = 500
const inFlight = 3
const month = 30 * 86_400_000
const start = Date.now() - month
const store = await openStore({ directory: process.argv[2] ?? '' })
const random = randomFrom(1)
let next = (await store.read(1, 'head', {})).seq

serveOrders(
  ({ kind, count }: SeedOrder) => (kind === 'fill' ? fill(count) : kind === 'review' ? review(count) : settle()),
  () => store.close(),
)

/** Only the storing is timed, not the making of the traces. */
async function fill(count: number): Promise<{ perSecond: number }> {
  let took = 0
  for (let done = 0; done < count; ) {
    const portion = Math.min(count - done, 20_000)
    const batches = Array.from({ length: Math.ceil(portion / batchSize) }, () => prepared(batchSize))
    const started = performance.now()
    const worker = async () => {
      for (let traces = batches.pop(); traces; traces = batches.pop()) await store.ingest(1, { traces })
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
    took += performance.now() - started
    done += portion
  }
  return { perSecond: count / (took / 1_000) }
}

function prepared(count: number) {
  const traces = Array.from({ length: count }, () => lifelike(next++))
  const bytes = Buffer.from(JSON.stringify({ traces: traces.slice(0, 100), source: 'bench' }))
  // The intake takes a hundred at a time.
  const batches = [bytes]
  for (let at = 100; at < count; at += 100)
    batches.push(Buffer.from(JSON.stringify({ traces: traces.slice(at, at + 100), source: 'bench' })))
  return batches.flatMap((body) =>
    prepareBatch(openBatch(body), { at: Date.now(), source: 'bench', batchId: null }).map((item) => {
      if (!('trace' in item)) throw new Error(`the sample was refused: ${JSON.stringify(item.faults)}`)
      return item.trace
    }),
  )
}

function lifelike(n: number): Record<string, unknown> {
  return {
    ...sampleTrace(`seed-${String(n).padStart(12, '0')}`),
    timestamp: new Date(start + ((n * 2_592) % month) + Math.floor(random() * 60_000)).toISOString(),
    model_name: `model-${Math.floor(random() ** 2 * 20)}`,
    user_query: `What is known of topic${Math.floor(random() * 5_000)} and subject${Math.floor(random() * 50)}?`,
    source: `source-${Math.floor(random() * 5)}`,
    session_id: `session-${Math.floor(random() * 50_000)}`,
    user_id: `user-${Math.floor(random() * 10_000)}`,
    tokens_used: Math.floor(random() * 4_000),
    response_time_ms: Math.floor(50 + random() ** 4 * 20_000),
    cost: Math.floor(random() * 100_000) / 1_000_000,
  }
}

async function review(count: number): Promise<void> {
  const judge = (n: number) =>
    store.apply(1, {
      kind: 'review',
      traceId: `seed-${String(n).padStart(12, '0')}`,
      status: random() < 0.8 ? 'accepted' : 'rejected',
      reason: 'other',
      note: null,
      reviewer: 'bench',
      at: Date.now(),
      expectedVersion: null,
    })
  const step = Math.max(1, Math.floor(next / count))
  for (let n = 0; n + 100 * step <= next; n += 100 * step)
    await Promise.all(Array.from({ length: 100 }, (_, i) => judge(n + i * step)))
}

async function settle(): Promise<void> {
  for (;;) {
    const { search, rollups } = await store.read(1, 'lags', {})
    if (search === 0 && rollups === 0) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
