import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../packages/server/test/faults/audit.ts'
import { percentile } from '../packages/server/test/faults/percentile.ts'
import { requestBytes, Wire, type WireAnswer } from '../packages/server/test/faults/wire.ts'
import type { Bench } from './bench.ts'
import { highWater, runCommand } from './command.ts'
import type { Row } from './report.ts'
import { type Measured, startProduct } from './server.ts'
import { metrics, sevens, writeEvaluation } from './sevens.ts'

/** Runs on a server: worked off by it, and told by a process of the SDK; what others wait for meanwhile; pages and comparisons. */
export const runServer: Bench = async ({ quick, directory, say }) => {
  mkdirSync(directory, { recursive: true })
  const [few, many] = quick ? [200, 2_000] : [10_000, 100_000]
  const rows: Row[] = []
  const worker = await startProduct({ data: join(directory, 'worker') })
  try {
    say(`the server works off ${few} items`)
    rows.push(...(await workedOff(worker, few)))
  } finally {
    await worker.stop()
  }
  const product = await startProduct({ data: join(directory, 'told') })
  try {
    say(`a client evaluates ${many} items, twice`)
    rows.push(...(await evaluated(product, { directory, count: many })))
    say('reading and comparing')
    rows.push(...(await read(product, { directory, count: many, rounds: quick ? 20 : 300 })))
  } finally {
    await product.stop()
  }
  return rows
}

const count3 = (count: number) => count.toLocaleString('en-US')

async function ask(port: number, request: { method: string; path: string; body?: object }): Promise<unknown> {
  const wire = await Wire.connect(port)
  try {
    return jsonOf(await wire.send(requestBytes(request.method, request.path, request.body)), request.path)
  } finally {
    wire.close()
  }
}

function jsonOf({ status, body }: WireAnswer, path: string): unknown {
  if (status >= 300) throw new Error(`${path} was answered ${status}: ${body.toString().slice(0, 500)}`)
  return JSON.parse(body.toString())
}

/** Asks for the health of a server all the time, which takes a fraction of a millisecond where nothing holds it up. */
async function whileAsked<T>(port: number, work: () => Promise<T>): Promise<{ result: T; waits: number[] }> {
  const wire = await Wire.connect(port)
  const waits: number[] = []
  const ending = new AbortController()
  const asking = (async () => {
    const request = requestBytes('GET', '/health')
    while (!ending.signal.aborted) {
      const began = performance.now()
      await wire.send(request)
      waits.push(performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  try {
    return { result: await work(), waits }
  } finally {
    ending.abort()
    await asking
    wire.close()
  }
}

function waitRows(waits: number[], name: string): Row[] {
  return [
    { name: `GET /health ${name}, p99`, value: percentile(waits, 0.99), unit: 'ms', target: { atMost: 50 } },
    { name: 'the same, longest', value: Math.max(...waits), unit: 'ms', target: { atMost: 50 } },
  ]
}

async function workedOff({ port }: Measured, count: number): Promise<Row[]> {
  const columns = ['id', 'input', 'expected'].map((name) => ({ name, slug: name, type: 'string' }))
  await ask(port, { method: 'POST', path: '/api/v1/datasets', body: { name: 'sevens', slug: 'sevens', columns } })
  const rows = sevens(count)
  for (let from = 0; from < count; from += 1_000) {
    const body = { rows: rows.slice(from, from + 1_000) }
    await ask(port, { method: 'POST', path: '/api/v1/datasets/sevens/rows', body })
  }
  const work = async () => {
    const began = performance.now()
    const task = { kind: 'outputs', column: 'input' }
    const body = { name: 'sevens', dataset: 'sevens', task, metrics_used: metrics, settings: { concurrency: 16 } }
    const { run_id: id } = (await ask(port, { method: 'POST', path: '/api/v1/runs', body })) as { run_id: string }
    const read = () => ask(port, { method: 'GET', path: `/api/v1/runs/${id}` }) as Promise<{ status: string }>
    await until(read, ({ status }) => status === 'completed')
    return (count * 1_000) / (performance.now() - began)
  }
  await work()
  const { result: perSecond, waits } = await whileAsked(port, work)
  const name = `${count3(count)} items of answers that exist, worked off and stored by a server that is warm`
  return [{ name, value: perSecond, unit: 'items/s', target: { atLeast: 10_000 } }, ...waitRows(waits, 'meanwhile')]
}

interface Told {
  directory: string
  count: number
}

async function evaluated({ url, port, pid }: Measured, { directory, count }: Told): Promise<Row[]> {
  const file = writeEvaluation(directory, count)
  const evaluate = () => runCommand(['run', file, '--url', url, '--name', 'sevens'], { cwd: directory })
  const first = await evaluate()
  const { result: ran, waits } = await whileAsked(port, evaluate)
  const seconds = Math.min(first.seconds, ran.seconds)
  return [
    {
      name: `${count3(count)} items by llm-eval run to a server, whole process`,
      value: count / seconds,
      unit: 'items/s',
      target: { atLeast: 10_000 },
    },
    ...waitRows(waits, 'meanwhile'),
    { name: 'resident memory of the client at most', value: ran.peak, unit: 'MB', target: { atMost: 300 } },
    { name: 'of the server, after both', value: highWater(pid), unit: 'MB', target: { atMost: 300 } },
  ]
}

async function read({ url, port }: Measured, { directory, count, rounds }: Told & { rounds: number }): Promise<Row[]> {
  const { items } = (await ask(port, { method: 'GET', path: '/api/v1/runs' })) as { items: { run_id: string }[] }
  const [after, before] = items.map((item) => item.run_id)
  const wire = await Wire.connect(port)
  const timed = async (path: string) => {
    const began = performance.now()
    jsonOf(await wire.send(requestBytes('GET', path)), path)
    return performance.now() - began
  }
  const pages: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const from = Math.floor(Math.random() * (count - 50))
    pages.push(await timed(`/api/v1/runs/${after}/items?limit=50&from=${from}`))
  }
  const comparison = `/api/v1/comparisons?run1=${before}&run2=${after}`
  const cold = await timed(comparison)
  const warm = Math.min(await timed(comparison), await timed(comparison))
  wire.close()
  const command = await runCommand(['compare', before ?? '', after ?? '', '--url', url], { cwd: directory })
  const note = `a run of ${count3(count)} items`
  const [p50, p99] = [percentile(pages.slice(1), 0.5), percentile(pages.slice(1), 0.99)]
  return [
    { name: 'page of 50 items over HTTP, p50', value: p50, unit: 'ms', note },
    { name: 'the same, p99', value: p99, unit: 'ms', target: { atMost: 15 } },
    { name: 'two such runs compared over HTTP, first time', value: cold, unit: 'ms', target: { atMost: 2_000 } },
    { name: 'the same again', value: warm, unit: 'ms', target: { atMost: 2_000 } },
    { name: 'llm-eval compare of the two, whole process', value: command.seconds, unit: 's', target: { atMost: 2 } },
  ]
}
