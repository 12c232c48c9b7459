import { join } from 'node:path'
import { createEngine } from '@llm-eval/engine'
import { median, percentile } from '../packages/server/test/faults/percentile.ts'
import { requestBytes, Wire, type WireAnswer } from '../packages/server/test/faults/wire.ts'
import type { Bench } from './bench.ts'
import { type LoadOptions, rounds } from './load.ts'
import { longPolls } from './long-polls.ts'
import type { Row } from './report.ts'
import { type Measured, startPeer, startProduct } from './server.ts'

const text =
  'Machine learning is a subset of artificial intelligence in which programs improve with experience. '.repeat(3)
const input = { response: text, reference: text }
const evaluator = 'exact-match'
/** A pattern with so many ways to be tried runs in a thread, as whatever may be slow does. */
const threaded = { slug: 'regex-validator', ask: { input: { text }, config: { regex: '(?:learning )+.* experience' } } }
/** Seconds that an answer may be waited for. */
const wait = 20
const batch = 100

/** Executions of code evaluators, started and answered: alone, as many as there can be, and waited for by many. */
export const executions: Bench = async (options) => {
  const { quick, directory, say } = options
  const product = await startProduct({ data: join(directory, 'data') })
  const peer = await startPeer('peers/bare-judge.ts')
  try {
    say('round trips')
    const trips = await roundTrips(product, peer, quick ? 50 : 1_500)
    say('sustained')
    const sustained = await sustainedRows(product, peer, quick ? 1 : 4)
    say('started without waiting')
    const started = await startedRow(product, quick ? 200 : 6_000)
    say('long-polls')
    return [...trips, ...sustained, started, ...(await longPolls(options, peer))]
  } finally {
    await product.stop()
    await peer.stop()
  }
}

/** One piece of work of a client, with one request or two. */
type Trip = (wire: Wire) => Promise<void>

const execute = (path: string, body: object) => {
  const request = requestBytes('POST', path, body)
  return async (wire: Wire) => parsed(await wire.send(request))
}

function waited(slug: string, ask: object): Trip {
  const post = execute(`/api/v1/evaluators/${slug}/execute`, { ...ask, wait })
  return async (wire) => over(await post(wire))
}

function executed(): Trip {
  const post = execute(`/api/v1/evaluators/${evaluator}/execute`, { input })
  return async (wire) => {
    const { execution_id } = await post(wire)
    over(parsed(await wire.send(requestBytes('GET', `/api/v1/executions/${String(execution_id)}?wait=${wait}`))))
  }
}

function foreign(): Trip {
  const mapping = Object.fromEntries(Object.entries(input).map(([field, source]) => [field, { source }]))
  const post = execute(`/v2/evaluators/slug/${evaluator}/execute`, { input_schema_mapping: mapping })
  return async (wire) => {
    const { stream_url } = await post(wire)
    over(parsed(await wire.send(requestBytes('GET', `/v2${String(stream_url)}`))))
  }
}

function bare(): Trip {
  const post = execute('/run', { evaluator, input })
  return async (wire) => {
    if ((await post(wire))['outcome'] !== 'scored') throw new Error('the peer gave no score')
  }
}

function parsed({ status, body }: WireAnswer): Record<string, unknown> {
  if (status !== 200 && status !== 202) throw new Error(`answered ${status}: ${body.toString().slice(0, 300)}`)
  return JSON.parse(body.toString()) as Record<string, unknown>
}

function over(execution: Record<string, unknown>): void {
  if (execution['status'] !== 'completed') throw new Error(`an execution is ${String(execution['status'])}`)
}

/** One client, one piece of work after the other; the kinds take turns, so that a noisy moment hits all of them alike. */
async function roundTrips(product: Measured, peer: Measured, count: number): Promise<Row[]> {
  const ours = await Wire.connect(product.port)
  const theirs = await Wire.connect(peer.port)
  const kinds = [
    { name: 'executed and waited for in one request', trip: waited(evaluator, { input }), wire: ours },
    { name: 'executed, then its result', trip: executed(), wire: ours },
    { name: 'the same by the routes of Traceloop', trip: foreign(), wire: ours },
    { name: 'one that runs in a thread, in one request', trip: waited(threaded.slug, threaded.ask), wire: ours },
    { name: 'bare', trip: bare(), wire: theirs },
  ].map((kind) => ({ ...kind, took: [] as number[] }))
  for (let n = -Math.ceil(count / 5); n < count; n++)
    for (const { trip, wire, took } of kinds) {
      const began = performance.now()
      await trip(wire)
      // Below zero it warms up.
      if (n >= 0) took.push(performance.now() - began)
    }
  ours.close()
  theirs.close()
  const limit = kinds.pop()?.took ?? []
  const rows = kinds.flatMap(({ name, took }): Row[] => [
    {
      name: `${name}, p50`,
      value: median(took),
      unit: 'ms',
      peer: { name: 'bare Fastify and the engine, one request, stores nothing', value: median(limit) },
    },
    {
      name: `${name}, p99`,
      value: percentile(took, 0.99),
      unit: 'ms',
      peer: { name: 'likewise', value: percentile(limit, 0.99) },
      target: { atMost: 20 },
    },
  ])
  return [...rows, { name: 'the engine alone', value: await engineAlone(count), unit: 'ms', note: 'in process, p50' }]
}

async function engineAlone(count: number): Promise<number> {
  const engine = createEngine()
  const took: number[] = []
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    await engine.evaluate({ evaluator, input })
    took.push(performance.now() - began)
  }
  await engine.close()
  return median(took)
}

async function sustainedRows(product: Measured, peer: Measured, seconds: number): Promise<Row[]> {
  const numbers = { next: 1 }
  const load = (server: Measured, bytes: Buffer, clients: { connections: number; traces: number }): LoadOptions => ({
    port: server.port,
    pid: server.pid,
    seconds,
    template: () => ({ bytes, number: () => undefined }),
    numbers,
    ...clients,
  })
  const single = requestBytes('POST', `/api/v1/evaluators/${evaluator}/execute`, { input, wait })
  const many = Array.from({ length: batch }, () => ({ evaluator, input }))
  const targets = [
    load(product, single, { connections: 16, traces: 1 }),
    load(product, single, { connections: 64, traces: 1 }),
    load(product, requestBytes('POST', '/api/v1/executions', { executions: many, wait }), {
      connections: 4,
      traces: batch,
    }),
    load(peer, requestBytes('POST', '/run', { evaluator, input }), { connections: 64, traces: 1 }),
  ]
  await rounds(
    1,
    targets.map((target) => ({ ...target, seconds: seconds / 2 })),
  )
  const [few, all, batches, limit] = await rounds(seconds > 1 ? 3 : 1, targets)
  if (!few || !all || !batches || !limit) throw new Error('a target was not measured')
  const limits = { name: 'bare Fastify and the engine, stores nothing', value: limit.perSecond }
  const row = (name: string, value: number): Row => ({
    name,
    value,
    unit: '/s',
    peer: limits,
    target: { atLeast: 500 },
  })
  return [
    row('executions started, ended and told, 16 clients', few.perSecond),
    row('the same, 64 clients', all.perSecond),
    { name: 'p99 of these', value: percentile(all.latencies, 0.99), unit: 'ms' },
    {
      name: 'CPU of the server for one',
      value: all.cpuMicros,
      unit: 'µs',
      peer: { name: 'bare', value: limit.cpuMicros },
      note: 'all threads; hardly depends on what else runs',
    },
    row(`in batches of ${batch}, 4 clients`, batches.perSecond),
    { name: 'CPU of the server for one of a batch', value: batches.cpuMicros, unit: 'µs' },
  ]
}

/** Clients that do not wait: over when the last result is stored. */
async function startedRow(product: Measured, count: number): Promise<Row> {
  const request = requestBytes('POST', `/api/v1/evaluators/${evaluator}/execute`, { input })
  const wires = await Promise.all(Array.from({ length: 64 }, () => Wire.connect(product.port)))
  let left = count
  const began = performance.now()
  await Promise.all(
    wires.map(async (wire) => {
      while (left-- > 0) parsed(await wire.send(request))
    }),
  )
  const acknowledged = performance.now() - began
  while ((await inFlight(product.url)) > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  const took = (performance.now() - began) / 1_000
  for (const wire of wires) wire.close()
  return {
    name: 'executions started without waiting, 64 clients, until all are over',
    value: count / took,
    unit: '/s',
    target: { atLeast: 500 },
    note: `${count.toLocaleString('en-US')} acknowledged at ${Math.round((count * 1_000) / acknowledged).toLocaleString('en-US')}/s`,
  }
}

async function inFlight(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`)
  const gauge = /^llm_eval_executions_in_flight (\d+)$/m.exec(await response.text())?.[1]
  if (gauge === undefined) throw new Error('the server does not tell how many executions are in flight')
  return Number(gauge)
}
