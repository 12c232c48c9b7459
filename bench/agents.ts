import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from '../packages/server/test/faults/percentile.ts'
import type { Bench } from './bench.ts'
import { type Job, startJob } from './job.ts'
import type { Row } from './report.ts'
import { cpuSeconds } from './server.ts'
import type { AskOrder, AskReport } from './workers/asker.ts'

const cli = fileURLToPath(new URL('../packages/cli', import.meta.url))
const cloned = join(cli, 'bin/llm-eval.js')

/** What testing adds to asking; how soon the first question is asked; how fast a stream of events is read. */
export const agents: Bench = async ({ quick, directory, say }) => {
  mkdirSync(directory, { recursive: true })
  const rounds = quick ? 1 : 7
  const job = startJob('workers/asker.ts')
  try {
    say('cases, beside bare requests')
    const cases = await casesRow(job, { count: quick ? 50 : 500, rounds })
    say('cold starts')
    const start = await startRows(directory, quick ? 1 : 9)
    say('a stream of events')
    const stream = await streamRows(job, { events: quick ? 10_000 : 100_000, rounds })
    say('what a stream leaves behind')
    const memory = await memoryRows(quick ? [1_000, 2_000] : [10_000, 50_000, 100_000, 1_000_000])
    return [cases, ...start, ...stream, ...memory]
  } finally {
    await job.stop()
  }
}

/** Both take turns, so that a noisy moment hits them alike; the first turn of each warms up. */
async function turns(
  job: Job,
  rounds: number,
  orders: readonly [AskOrder, AskOrder],
): Promise<[AskReport[], AskReport[]]> {
  const reports: [AskReport[], AskReport[]] = [[], []]
  for (let round = 0; round <= rounds; round++)
    for (const [index, order] of orders.entries()) {
      const report = await job.run<AskReport>(order)
      if (round > 0) reports[index]?.push(report)
    }
  return reports
}

async function casesRow(job: Job, { count, rounds }: { count: number; rounds: number }): Promise<Row> {
  const agent = await startAgent()
  try {
    const order = { url: agent.url, cases: count, concurrency: 16 }
    const [ours, bare] = await turns(job, rounds, [
      { kind: 'cases', ...order },
      { kind: 'bare', ...order },
    ])
    return {
      name: `${count} cases asked and scored, 16 at a time, of an agent that answers at once`,
      value: median(ours.map(({ took }) => took)),
      unit: 'ms',
      peer: { name: 'the same requests with `fetch` alone', value: median(bare.map(({ took }) => took)) },
      target: { ratioAtMost: 2 },
      note: `processor time ${median(ours.map(({ cpu }) => cpu)).toFixed(0)} ms, bare ${median(bare.map(({ cpu }) => cpu)).toFixed(0)} ms`,
    }
  } finally {
    agent.server.closeAllConnections()
    agent.server.close()
  }
}

/** As a clone starts it, whose modules are many files, and as the published package does; in turns, beside a bare Node. */
async function startRows(directory: string, rounds: number): Promise<Row[]> {
  const agent = await startAgent()
  writeFileSync(join(directory, 'case.yaml'), 'name: A\nquery: x\nexpected: {output: {contains: [AAPL]}}\n')
  const clone = { name: 'in a clone', program: cloned, took: [] as number[], cpu: [] as number[] }
  const published = { name: 'as published', program: await publish(), took: [] as number[], cpu: [] as number[] }
  const bare: number[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const one of [clone, published]) {
        const { took, cpu } = await firstRequest(agent, { program: one.program, directory })
        if (round > 0) one.took.push(took)
        if (round > 0) one.cpu.push(cpu)
      }
      const began = performance.now()
      await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'close')
      if (round > 0) bare.push(performance.now() - began)
    }
  } finally {
    agent.server.closeAllConnections()
    agent.server.close()
  }
  return [clone, published].map(({ name, took, cpu }) => ({
    name: `start of llm-eval test to its first request, ${name}`,
    value: median(took),
    unit: 'ms',
    peer: { name: 'Node that does nothing, start to end', value: median(bare) },
    target: { atMost: 500 },
    note: `${Math.min(...took).toFixed(0)} to ${Math.max(...took).toFixed(0)} ms; processor time until then ${median(cpu).toFixed(0)} ms`,
  }))
}

/** Milliseconds until an agent is asked first, by the clock and of the processor. */
async function firstRequest(
  agent: Agent,
  { program, directory }: { program: string; directory: string },
): Promise<{ took: number; cpu: number }> {
  const started = performance.now()
  let pid = 0
  const first = once(agent.server, 'request').then(() => ({
    took: performance.now() - started,
    cpu: cpuSeconds(pid) * 1_000,
  }))
  const args = [program, 'test', 'case.yaml', '--agent', agent.url]
  const child = spawn(process.execPath, args, { cwd: directory, stdio: 'ignore' })
  pid = child.pid ?? 0
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`llm-eval test ended with ${code}`)
  return first
}

/** Builds the package as it is published, with its dependencies beside it. */
async function publish(): Promise<string> {
  const out = fileURLToPath(new URL('../.cache/bench/llm-eval', import.meta.url))
  const build = spawn(process.execPath, [join(cli, 'build.mjs'), '--out', out], { stdio: 'ignore' })
  const [code] = (await once(build, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the package was not built: ${code}`)
  symlinkSync(join(cli, 'node_modules'), join(out, 'node_modules'))
  return join(out, 'bin/llm-eval.js')
}

async function streamRows(job: Job, { events, rounds }: { events: number; rounds: number }): Promise<Row[]> {
  const before = await job.run<AskReport>({ kind: 'parse', events: 10 })
  const [ours, bare] = await turns(job, rounds, [
    { kind: 'events', events },
    { kind: 'parse', events },
  ])
  const speed = (reports: readonly AskReport[]) => median(reports.map(({ took, bytes }) => bytes / 1e3 / took))
  const ofProcessor = median(ours.map(({ cpu, bytes }) => bytes / 1e3 / cpu))
  return [
    {
      name: `a stream of ${events.toLocaleString('en-US')} events, understood`,
      value: speed(ours),
      unit: 'MB/s',
      peer: { name: 'its lines split, and `JSON.parse`', value: speed(bare) },
      target: { atLeast: 50 },
      note: `${ofProcessor.toFixed(0)} MB a second of processor time`,
    },
    {
      name: 'resident memory that this added at most, the stream itself included',
      value: Math.max(...ours.map(({ peak }) => peak)) - before.peak,
      unit: 'MB',
    },
  ]
}

/** Each length in a process of its own, as what was resident at most is told of a whole process. */
async function memoryRows(lengths: readonly number[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const events of lengths) {
    const job = startJob('workers/asker.ts', [], ['--expose-gc'])
    try {
      const idle = await job.run<AskReport>({ kind: 'memory', events: 5_000 })
      const { kept, peak, bytes, fault } = await job.run<AskReport>({ kind: 'memory', events })
      const read = fault === null ? `${(bytes / 1e6).toFixed(0)} MB` : `${fault} after ${(bytes / 1e6).toFixed(0)} MB`
      rows.push({
        name: `alive in the heap once ${events.toLocaleString('en-US')} events were read`,
        value: kept,
        unit: 'MB',
        target: { atMost: 2 },
        note: `${read}; resident ${(peak - idle.peak).toFixed(0)} MB more at most`,
      })
    } finally {
      await job.stop()
    }
  }
  return rows
}

interface Agent {
  url: string
  server: Server
}

async function startAgent(): Promise<Agent> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"response":"AAPL is at 266."}'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server }
}
