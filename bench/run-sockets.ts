import { join } from 'node:path'
import { requestBytes, Wire } from '../packages/server/test/faults/wire.ts'
import { percentile } from '../packages/server/test/faults/percentile.ts'
import type { Bench } from './bench.ts'
import { microseconds } from './delays.ts'
import { startInspected } from './inspector.ts'
import { type Job, startJob } from './job.ts'
import { paced } from './pace.ts'
import type { Row } from './report.ts'
import { cpuSeconds, type Measured, residentBytes, startProduct } from './server.ts'
import type { Evaluated, EvaluateOrder } from './workers/evaluation.ts'
import type { SocketOrder, SocketsSeen } from './workers/socket-watchers.ts'

const watchers = 1_000
const metrics = ['exact-match', 'contains', 'levenshtein']

/** From an item that is finished to its frame at a thousand watchers; what they cost the evaluation, and one the server. */
export const runSockets: Bench = async (options) => {
  const { quick, directory, say } = options
  const product = await startProduct({ data: join(directory, 'live') })
  const job = startJob('workers/socket-watchers.ts')
  const readers = quick ? 50 : watchers
  try {
    const rows: Row[] = []
    for (const rate of [50, 200]) {
      say(`${readers} watchers at ${rate} results/s`)
      rows.push(...(await liveRows({ product, job, readers }, rate, quick ? 2 : 20)))
    }
    say('evaluating, alone and watched')
    rows.push(...(await evaluationRows({ product, job, readers }, quick)))
    await job.stop()
    await product.stop()
    return [...rows, ...(await idleRows(options))]
  } finally {
    await job.stop()
    await product.stop()
  }
}

interface Stage {
  product: Measured
  job: Job
  readers: number
}

async function liveRows({ product, job, readers }: Stage, perSecond: number, seconds: number): Promise<Row[]> {
  const runId = `live-${perSecond}`
  await makeRun(product.port, runId)
  await order(job, { kind: 'open', port: product.port, path: pathOf(runId), watchers: readers })
  const warm = await publish(product.port, { runId, perSecond, seconds: Math.ceil(seconds / 6), first: 0 })
  await order(job, { kind: 'finish', items: warm.sent, timeoutMs: 60_000 })
  await order(job, { kind: 'start' })
  const cpuBefore = cpuSeconds(product.pid)
  const { sent, latencies, ...reached } = await publish(product.port, { runId, perSecond, seconds, first: warm.sent })
  const seen = await job.run<SocketsSeen>({ kind: 'finish', items: sent, timeoutMs: 60_000 } satisfies SocketOrder)
  const cpu = cpuSeconds(product.pid) - cpuBefore
  await order(job, { kind: 'close' })
  if (seen.short > 0 || seen.ended > 0)
    throw new Error(`${seen.short} of ${readers} watchers had not all ${sent} items; ${seen.ended} were cut off`)
  const deliveries = seen.deliveries.toLocaleString('en-US')
  const note = `${readers} watchers, ${reached.perSecond.toFixed(0)} results/s, ${deliveries} deliveries, none lost`
  const target = perSecond === 50 ? { target: { atMost: 100 } } : {}
  return [
    { name: 'sending a result to its frame received, p50', value: seen.p50, unit: 'ms', note },
    { name: 'the same, p99', value: seen.p99, unit: 'ms', ...target, note },
    { name: 'the same, longest', value: seen.max, unit: 'ms' },
    { name: 'p99 of the requests that bring the results', value: percentile(latencies, 0.99), unit: 'ms' },
    { name: 'CPU of the server for one delivery', value: (cpu * 1e6) / seen.deliveries, unit: 'µs' },
  ]
}

function pathOf(runId: string): string {
  return `/ws/runs/${runId}/progress`
}

async function order(job: Job, given: SocketOrder): Promise<void> {
  await job.run(given)
}

async function makeRun(port: number, runId: string): Promise<void> {
  const wire = await Wire.connect(port)
  const body = { run_id: runId, name: runId, dataset_name: 'bench', metrics_used: metrics }
  const { status } = await wire.send(requestBytes('POST', '/api/v1/runs', body))
  wire.close()
  if (status !== 201) throw new Error(`the run was answered ${status}`)
}

interface Publication {
  runId: string
  perSecond: number
  seconds: number
  /** Number of the first item. */
  first: number
}

/** Results as user code sends them, one a request. */
function publish(port: number, { runId, first, ...rate }: Publication) {
  const path = `/api/v1/runs/${runId}/events`
  return paced({
    port,
    ...rate,
    request: (number) => {
      const body = { schema_version: 1, worker: 'bench', events: [finished(first + number)] }
      return requestBytes('POST', path, body)
    },
    check: ({ status, body }) => {
      const text = body.toString()
      if (status !== 200 || !text.includes('"applied":1')) throw new Error(`a result was answered ${status}: ${text}`)
    },
  })
}

function finished(index: number): object {
  return {
    type: 'item_finished',
    event_id: `event-${index}`,
    sequence: index,
    item_index: index,
    case_id: `case-${index}`,
    status: 'success',
    input: { question: 'What is the capital of France, and since when?' },
    expected: 'Paris',
    output: `at-${String(microseconds()).padStart(16, '0')}, Paris is the capital and the largest city of France.`,
    scores: Object.fromEntries(metrics.map((name, at) => [name, { value: ((index + at) % 10) / 10, passed: true }])),
    response_time_ms: 412.5,
    tokens: 130,
    cost: 0.00012,
  }
}

/** The evaluation of user code at 50 items a second, and as fast as it can, with watchers and without in turns. */
async function evaluationRows(stage: Stage, quick: boolean): Promise<Row[]> {
  const { product, job, readers } = stage
  const evaluation = startJob('workers/evaluation.ts', [product.url])
  try {
    const evaluate = async (name: string, given: Omit<EvaluateOrder, 'runId'>, many: number) => {
      const runId = `evaluated-${name}-${many}`
      if (many > 0) await order(job, { kind: 'open', port: product.port, path: pathOf(runId), watchers: many })
      const { seconds } = await evaluation.run<Evaluated>({ ...given, runId } satisfies EvaluateOrder)
      const finish: SocketOrder = { kind: 'finish', items: given.items, timeoutMs: 60_000 }
      const seen = many > 0 ? await job.run<SocketsSeen>(finish) : undefined
      await order(job, { kind: 'close' })
      await order(job, { kind: 'start' })
      if (seen && (seen.short > 0 || seen.ended > 0)) throw new Error(`${seen.short} watchers of ${name} lack items`)
      return given.items / seconds
    }
    const paced = { items: quick ? 50 : 400, concurrency: 8, taskMs: 160 }
    const flat = { items: quick ? 100 : 2_000, concurrency: 16, taskMs: 0 }
    await evaluate('warm', flat, 0)
    const speeds = { alone: [] as number[], watched: [] as number[] }
    for (let round = 0; round < (quick ? 1 : 2); round++) {
      speeds.alone.push(await evaluate(`alone-${round}`, paced, 0))
      speeds.watched.push(await evaluate(`watched-${round}`, paced, readers))
    }
    const [alone, watched] = [await evaluate('flat', flat, 0), await evaluate('flat', flat, readers)]
    const peer = (value: number) => ({ name: 'nobody watches', value })
    return [
      {
        name: 'evaluation by the SDK, about 50 items/s',
        value: Math.min(...speeds.watched),
        unit: 'items/s',
        peer: peer(Math.max(...speeds.alone)),
        target: { ratioAtLeast: 0.95 },
        note: `${readers} watchers; the slowest with them, the fastest without`,
      },
      {
        name: `evaluation of ${flat.items} items as fast as it goes`,
        value: watched,
        unit: 'items/s',
        peer: peer(alone),
        note: `${readers} watchers, who get every item`,
      },
    ]
  } finally {
    await evaluation.stop()
  }
}

const idleRows: Bench = async ({ quick, directory, say }) => {
  const product = await startInspected({ data: join(directory, 'idle') })
  const job = startJob('workers/socket-watchers.ts')
  const most = quick ? 200 : watchers
  const warm = 100
  try {
    // What the first sockets load and compile is not what each of them costs.
    await order(job, { kind: 'open', port: product.port, path: '/ws', watchers: warm })
    await settle(quick ? 1 : 3)
    await product.collectGarbage()
    const before = residentBytes(product.pid)
    say(`opening ${most - warm} sockets that wait`)
    await order(job, { kind: 'open', port: product.port, path: '/ws', watchers: most - warm })
    // A heartbeat comes within.
    await settle(quick ? 1 : 20)
    await product.collectGarbage()
    const each = (residentBytes(product.pid) - before) / (most - warm) / 1_024
    const note = `resident, ${most - warm} sockets, garbage collected`
    return [{ name: 'memory of the server for one socket that watches nothing', value: each, unit: 'KiB', note }]
  } finally {
    await job.stop()
    await product.stop()
  }
}

function settle(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
}
