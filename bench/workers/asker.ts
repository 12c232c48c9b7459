/** A process that asks an agent: as `llm-eval test` does, or with nothing but `fetch`; and that reads a stream of events. */
import { ask } from '@llm-eval/agents'
import { readCases } from '@llm-eval/formats'
import { limits, type TestCase } from '@llm-eval/protocol'
import { runCases } from '../../packages/cli/src/agents/run-cases.ts'
import { hiding } from '../../packages/cli/src/agents/secrets.ts'
import { testTools } from '../../packages/cli/src/agents/tools.ts'
import { Screen } from '../../packages/cli/src/terminal.ts'
import { serveOrders } from '../job.ts'

export type AskOrder =
  | { kind: 'cases' | 'bare'; url: string; cases: number; concurrency: number }
  | { kind: 'events' | 'parse' | 'memory'; events: number }

export interface AskReport {
  /** Milliseconds, by the clock and of the processor. */
  took: number
  cpu: number
  /** Of the stream. */
  bytes: number
  /** Megabytes that were resident at most, from the start of the process. */
  peak: number
  /** Megabytes of what was alive in the heap when the last event had come, beyond what was there before the first; of `memory`. */
  kept: number
  /** Why the stream was not read to its end; null when it was. */
  fault: string | null
}

const calm = new AbortController().signal
const terminal = {
  stdin: process.stdin,
  out: new Screen(process.stderr, {}),
  err: new Screen(process.stderr, {}),
  env: {},
  cwd: process.cwd(),
  signal: calm,
}
const tools = await testTools(terminal, {}, { judge: false })
const encoder = new TextEncoder()

serveOrders(
  async (order: AskOrder): Promise<AskReport> => {
    if (order.kind === 'memory') return remembered(order.events)
    const chunks = 'events' in order ? stream(order.events) : []
    const cases = order.kind === 'cases' ? written(order.cases) : []
    const started = performance.now()
    const before = process.cpuUsage()
    if (order.kind === 'cases') await asked(order, cases)
    else if (order.kind === 'bare') await fetched(order)
    else if (order.kind === 'events') await read(chunks)
    else parsed(chunks)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    const { user, system } = process.cpuUsage(before)
    return {
      took: performance.now() - started,
      cpu: (user + system) / 1_000,
      bytes,
      peak: process.resourceUsage().maxRSS / 1_024,
      kept: 0,
      fault: null,
    }
  },
  () => tools.engine.close(),
)

interface Asked {
  url: string
  cases: number
  concurrency: number
}

function written(count: number): TestCase[] {
  const lines = Array.from(
    { length: count },
    (_, index) => `- {name: Case ${index}, query: "Question ${index}?", expected: {output: {contains: [AAPL]}}}`,
  )
  return readCases(lines.join('\n'), { file: 'cases.yaml', suite: 'bench', env: {}, evalview: false }).cases
}

async function asked({ url, concurrency }: Asked, cases: readonly TestCase[]): Promise<void> {
  const waived = { judge: false, tools: false }
  const run = { settings: {}, tools, signal: calm, hidden: hiding([]), agentUrl: url, concurrency, waived }
  const results = await runCases(cases, run)
  if (results.filter(({ outcome }) => outcome === 'passed').length !== cases.length)
    throw new Error('not all cases passed')
}

async function fetched({ url, cases, concurrency }: Asked): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < cases; index = next++) {
      const query = `Question ${index}?`
      const body = JSON.stringify({ message: query, query, prompt: query, userId: 'test-user', context: null })
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      if (!(await answer.text()).includes('AAPL')) throw new Error('another answer')
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** Lines as an agent of level 3 writes them, in pieces as they come from a socket. */
function stream(events: number): Uint8Array<ArrayBuffer>[] {
  const lines = Array.from({ length: events - 1 }, (_, index) =>
    index % 4 === 0
      ? { type: 'token', data: { token: `word ${index} ` } }
      : {
          type: 'status',
          data: { message: `Step ${index}: looking through the documents that were found, one after the other` },
        },
  )
  const last = { type: 'message_complete', data: {} }
  const bytes = encoder.encode([...lines, last].map((line) => `${JSON.stringify(line)}\n`).join(''))
  return Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) =>
    bytes.slice(at * 65_536, (at + 1) * 65_536),
  )
}

async function read(chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
  const answer = () =>
    new Response(new Blob([...chunks]).stream(), { headers: { 'content-type': 'application/x-ndjson' } })
  const given = { ...tools.ask, signal: calm, fetch: () => Promise.resolve(answer()) }
  const trace = await ask({ url: 'http://localhost/' }, [{ query: 'x' }], given)
  if (trace.fault || trace.output === '') throw new Error(`the stream was not understood: ${trace.fault?.message}`)
}

/** Events that are made while they are read, so that nobody but the reader can keep them. */
async function remembered(events: number): Promise<AskReport> {
  const before = live()
  let kept = 0
  let bytes = 0
  let next = 0
  const last = events - 1
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (next >= Math.min(last, limits.agentEvents)) kept = live() - before
        const lines: object[] = next < last ? [] : [{ type: 'message_complete', data: { content: 'Done.' } }]
        for (const end = Math.min(next + 500, last); next < end; next++) lines.push(passing(next))
        const chunk = encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
        bytes += chunk.byteLength
        controller.enqueue(chunk)
        if (lines.length === 1) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const answer = new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
  const started = performance.now()
  const usage = process.cpuUsage()
  const given = { ...tools.ask, signal: calm, fetch: () => Promise.resolve(answer) }
  const { fault } = await ask({ url: 'http://localhost/' }, [{ query: 'x' }], given)
  const { user, system } = process.cpuUsage(usage)
  const took = performance.now() - started
  const peak = process.resourceUsage().maxRSS / 1_024
  return { took, cpu: (user + system) / 1_000, bytes, peak, kept, fault: fault?.code ?? null }
}

/** Events of all kinds that say nothing which belongs to the answer. */
function passing(index: number): object {
  const message = `Step ${index}: looking through the documents that were found`
  if (index % 8 === 0) return { type: 'step_narration', data: { text: message } }
  if (index % 8 === 1) return { type: 'usage', data: { input_tokens: index, output_tokens: 1 } }
  if (index % 8 === 2) return { type: 'what_nobody_knows', data: { index, of: [index, message] } }
  return { type: 'status', data: { message } }
}

/** Megabytes that are alive in the heap. */
function live(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 1_048_576
}

/** The least that has to be done: lines, and their JSON. */
function parsed(chunks: readonly Uint8Array[]): void {
  const decoder = new TextDecoder()
  let rest = ''
  let seen = 0
  for (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (typeof JSON.parse(line) === 'object') seen++
  }
  if (seen === 0) throw new Error('nothing came')
}
