import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { median } from '../packages/server/test/faults/percentile.ts'
import { requestBytes, Wire } from '../packages/server/test/faults/wire.ts'
import type { BenchOptions } from './bench.ts'
import type { Row } from './report.ts'
import { type Measured, startProduct } from './server.ts'

const polls = 50
/** Milliseconds in which the requests of a round reach the server. */
const settleMs = 250

/** Fifty requests of one client that wait for results: from the evaluator's answer to the last of theirs. */
export async function longPolls({ quick, directory }: BenchOptions, peer: Measured): Promise<Row[]> {
  const endpoint = await startEndpoint()
  const product = await startProduct({
    data: join(directory, 'polls'),
    env: { LLM_EVAL_ALLOW_PRIVATE_EVALUATORS: 'true', LLM_EVAL_JUDGE_CONCURRENCY: String(polls) },
  })
  const wires = await Promise.all(Array.from({ length: polls }, () => Wire.connect(product.port)))
  const held = await Promise.all(Array.from({ length: polls }, () => Wire.connect(peer.port)))
  try {
    await createRemote(product, endpoint.url)
    const count = quick ? 2 : 20
    const one = await repeat(count, () => round(product, { wires, endpoint, executions: 1 }))
    const many = await repeat(count, () => round(product, { wires, endpoint, executions: polls }))
    const bare = await repeat(count, () => bareRound(peer, held))
    const limit = { name: `bare Fastify, ${polls} held requests`, value: median(bare) }
    const row = (name: string, value: number): Row => ({ name, value, unit: 'ms', peer: limit })
    return [
      row(`one execution over, to the last of ${polls} long-polls, median`, median(one)),
      row('the longest of these', Math.max(...one)),
      row(`${polls} executions over at once, to the last of their long-polls, median`, median(many)),
      row('the longest of these', Math.max(...many)),
    ]
  } finally {
    for (const wire of [...wires, ...held]) wire.close()
    await product.stop()
    await endpoint.close()
  }
}

interface Endpoint {
  url: string
  /** Resolves when so many evaluations wait for a score. */
  asked(count: number): Promise<void>
  /** Gives all of them one. */
  release(): void
  close(): Promise<void>
}

/** A remote evaluator that scores when it is told to. */
async function startEndpoint(): Promise<Endpoint> {
  const waiting = new Set<ServerResponse>()
  let told: () => void = () => undefined
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      waiting.add(response)
      told()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the evaluator does not listen on a port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async asked(count) {
      while (waiting.size < count)
        await new Promise<void>((resolve) => {
          told = resolve
        })
    },
    release() {
      for (const response of waiting)
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"score":1,"passed":true}')
      waiting.clear()
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function createRemote({ url }: Measured, endpoint: string): Promise<void> {
  const definition = { kind: 'remote', url: endpoint, timeout_seconds: 20, input: [{ name: 'text' }] }
  await post(`${url}/api/v1/evaluators`, { slug: 'held', name: 'Held', description: 'Waits.', definition })
}

async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

async function repeat(count: number, measure: () => Promise<number>): Promise<number[]> {
  // The first one warms up.
  await measure()
  const took: number[] = []
  for (let n = 0; n < count; n++) took.push(await measure())
  return took
}

interface Round {
  wires: Wire[]
  endpoint: Endpoint
  /** The requests are shared out evenly among so many. */
  executions: number
}

async function round(product: Measured, { wires, endpoint, executions }: Round): Promise<number> {
  const asks = Array.from({ length: executions }, () => ({ evaluator: 'held', input: { text: 'x' } }))
  const started = await post(`${product.url}/api/v1/executions`, { executions: asks })
  const ids = (started['executions'] as { execution_id: string }[]).map(({ execution_id }) => execution_id)
  const answers = wires.map((wire, n) => wire.send(requestBytes('GET', `/v2/executions/events/${ids[n % ids.length]}`)))
  await endpoint.asked(executions)
  await settled()
  const began = performance.now()
  endpoint.release()
  const all = await Promise.all(answers)
  const took = performance.now() - began
  const wrong = all.find(({ status, body }) => status !== 200 || !body.includes('"completed"'))
  if (wrong) throw new Error(`a long-poll was answered ${wrong.status}: ${wrong.body.toString().slice(0, 300)}`)
  return took
}

async function bareRound(peer: Measured, wires: Wire[]): Promise<number> {
  const request = requestBytes('GET', '/hold')
  const answers = wires.map((wire) => wire.send(request))
  await settled()
  const began = performance.now()
  const released = post(`${peer.url}/release`, {})
  await Promise.all(answers)
  const took = performance.now() - began
  await released
  return took
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs))
}
