import { join } from 'node:path'
import type { TracePage } from '@llm-eval/protocol'
import { getJson, sample } from '../packages/server/test/faults/audit.ts'
import { percentile } from '../packages/server/test/faults/percentile.ts'
import { requestBytes, Wire } from '../packages/server/test/faults/wire.ts'
import type { Bench } from './bench.ts'
import { startJob } from './job.ts'
import type { Row } from './report.ts'
import { type Measured, startProduct } from './server.ts'
import type { SeedOrder } from './workers/seed.ts'

/** Milliseconds that one page may search, and what may come on top. */
const sliceMs = 50
const answerMs = 15

/** What a million traces cost: writing beside them, and reading among them over HTTP. */
export const million: Bench = async ({ quick, directory, say }) => {
  const traces = quick ? 20_000 : 1_000_000
  const measured = quick ? 5_000 : 60_000
  const data = join(directory, 'data')
  const seed = startJob('workers/seed.ts', [data])
  const fill = (count: number) => seed.run<{ perSecond: number }>({ kind: 'fill', count } satisfies SeedOrder)
  const settle = () => seed.run({ kind: 'settle', count: 0 } satisfies SeedOrder)
  await fill(Math.min(10_000, measured))
  say('ingest into an empty store')
  const { perSecond: atZero } = await fill(measured)
  say(`filling up to ${traces} traces`)
  const rest = await fill(traces - 2 * measured)
  say(`filled at ${Math.round(rest.perSecond)}/s; waiting for search and plots`)
  await seed.run({ kind: 'review', count: quick ? 200 : 20_000 } satisfies SeedOrder)
  await settle()
  say('ingest into the full store')
  const { perSecond: atFull } = await fill(measured)
  await settle()
  await seed.stop()

  const product = await startProduct({ data })
  say('reading')
  const rows: Row[] = [
    {
      name: `ingest into the store at ${traces.toLocaleString('en-US')} traces, batches of 500`,
      value: atFull,
      unit: 'traces/s',
      peer: { name: 'into the empty store', value: atZero },
      target: { ratioAtLeast: 0.8 },
    },
    ...(await readRows(product, { traces, times: quick ? 20 : 300 })),
  ]
  await product.stop()
  return rows
}

/** Reads whose answers must come at once: unfiltered or one indexed equality, any page. */
async function readRows(product: Measured, { traces, times }: { traces: number; times: number }): Promise<Row[]> {
  const fast: [string, (n: number) => string][] = [
    ['list, newest first', () => list('')],
    ['list of a model', (n) => list(`model_name=model-${n % 20}`)],
    ['list of a status', (n) => list(`evaluation_status=${['accepted', 'rejected', 'pending'][n % 3]}`)],
    ['list of a source', (n) => list(`source=source-${n % 5}`)],
    ['list of a session', (n) => list(`session_id=session-${n * 7}`)],
    ['list of a user', (n) => list(`user_id=user-${n * 3}`)],
    ['list of a week', (n) => list(`from=${daysAgo(8 + (n % 20))}&to=${daysAgo(1 + (n % 20))}`)],
    ['metrics', () => '/api/v1/metrics'],
    ['plot of a day', () => `/api/v1/metrics/series?from=${daysAgo(1)}&to=${daysAgo(0)}&step_seconds=300`],
    ['plot of a month', () => `/api/v1/metrics/series?from=${daysAgo(30)}&to=${daysAgo(0)}&step_seconds=3600`],
    ['facets', () => '/api/v1/facets'],
    ['trace by id', (n) => `/api/v1/traces/seed-${String((n * 7_919) % traces).padStart(12, '0')}`],
  ]
  const sliced: [string, (n: number) => string][] = [
    ['list of a model and a status', (n) => list(`model_name=model-${n % 20}&evaluation_status=rejected`)],
    ['list of a session, by latency', (n) => list(`session_id=session-${n}&min_latency=10000`)],
    ['list by latency and cost', () => list('min_latency=19000&min_cost=0.09')],
    ['search for a rare word', (n) => list(`q=topic${n * 13}`)],
    ['search for a common word', (n) => list(`q=subject${n % 50}`)],
    ['search for two words, and a model', (n) => list(`q=topic${n}%20subject${n % 50}&model_name=model-${n % 20}`)],
    ['search for a beginning', (n) => list(`q=topic${n % 10}*`)],
  ]
  const wire = await Wire.connect(product.port)
  const rows: Row[] = []
  for (const [name, path] of fast) rows.push(await time({ wire, times, name, path, atMost: answerMs }))
  rows.push(await timePages(product, { wire, times }))
  for (const [name, path] of sliced) rows.push(await time({ wire, times, name, path, atMost: sliceMs + answerMs }))
  wire.close()
  return rows
}

interface Timed {
  wire: Wire
  times: number
  name: string
  path: (n: number) => string
  atMost: number
}

async function time({ wire, times, name, path, atMost }: Timed): Promise<Row> {
  const latencies: number[] = []
  // The first ones warm up; each asks for something else.
  for (let n = -10; n < times; n++) {
    const request = requestBytes('GET', path(n + 10))
    const started = performance.now()
    const { status, body } = await wire.send(request)
    if (status !== 200) throw new Error(`${name} was answered ${status}: ${body.toString()}`)
    if (n >= 0) latencies.push(performance.now() - started)
  }
  const p50 = percentile(latencies, 0.5).toFixed(1)
  return {
    name: `${name}, p99`,
    value: percentile(latencies, 0.99),
    unit: 'ms',
    target: { atMost },
    note: `p50 ${p50} ms`,
  }
}

/** Pages deep in the unfiltered list, by their cursors. */
async function timePages(product: Measured, { wire, times }: { wire: Wire; times: number }): Promise<Row> {
  const cursors: string[] = []
  let cursor: string | null = null
  for (let page = 0; page < 100; page++) {
    const query = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer: TracePage = await getJson(`${product.url}/api/v1/traces?limit=200${query}`)
    cursor = answer.next_cursor
    if (cursor === null) break
    cursors.push(cursor)
  }
  const asked = sample(cursors, Math.min(times, cursors.length))
  const path = (n: number) => list(`cursor=${encodeURIComponent(asked[n % asked.length] ?? '')}`)
  return time({ wire, times, name: 'list, a later page', path, atMost: answerMs })
}

function list(query: string): string {
  return `/api/v1/traces?limit=50${query && '&'}${query}`
}

function daysAgo(days: number): string {
  return new Date(Math.floor((Date.now() - days * 86_400_000) / 60_000) * 60_000).toISOString()
}
