import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openProject } from './scene.ts'

const root = join(import.meta.dirname, '..')

// Each test starts an agent and several command lines.
vi.setConfig({ testTimeout: 300_000 })

let project: Awaited<ReturnType<typeof openProject>>
let folder: string
beforeAll(async () => {
  project = await openProject(['express', 'fastify'])
  folder = join(project.home, 'examples/seed-004')
}, 120_000)
afterAll(() => project?.close())

interface Ended {
  code: number
  out: string
  err: string
}

/** Runs a program to its end. */
function ended(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: project.home, env: { PATH: process.env['PATH'], HOME: project.home, ...env } }
    execFile(file, args, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

/** Runs the command line as people do, without a judge. */
function llmEval(...args: string[]): Promise<Ended> {
  const main = join(root, 'packages/cli/src/main.ts')
  return ended(process.execPath, ['--conditions=llm-eval-source', '--no-warnings', main, ...args])
}

/** Starts an agent as its first lines say, on a port that is free. */
async function startAgent(file: string): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: '', PORT: '0' }
  const child: ChildProcess = spawn(process.execPath, [join(folder, file)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
    child.kill()
    await gone
  })
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => resolve(String(chunk).trim()))
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  })
}

/** Serves a web handler, as Next.js does with the handlers of a route. */
async function serve(handler: (request: Request) => Promise<Response>): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request)
      const answer = await handler(new Request('http://localhost/api/chat', { method: 'POST', body }))
      response.writeHead(answer.status, Object.fromEntries(answer.headers))
      for await (const chunk of answer.body ?? []) response.write(chunk)
      response.end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://localhost:${(server.address() as AddressInfo).port}/api/chat`
}

const cases = () => join(folder, 'cases.yaml')

interface Told {
  cases: { name: string; outcome: string; attempts: { trace: Trace }[] }[]
}
interface Trace {
  output: string
  level: number
  cost: number | null
  cost_source: string | null
  tokens: { input: number; output: number; cached: number } | null
  tool_calls: { name: string; args: unknown; result: unknown; succeeded: boolean | null }[]
  notes: { text: string }[]
}

/** Tests an agent by the cases of one tag: its exit code, and the trace of each case by name. */
async function tested(url: string, tag: string): Promise<{ code: number; traces: Map<string, Trace> }> {
  const { code, out } = await llmEval('test', cases(), '--agent', url, '--tag', tag, '--json')
  const told = JSON.parse(out) as Told
  return { code, traces: new Map(told.cases.map(({ name, attempts: [first] }) => [name, first?.trace as Trace])) }
}

describe('an agent of level 1, with Express', () => {
  it('is tested for what it says and how fast, and the doctor says what would show more', async () => {
    const url = await startAgent('level-1-express.ts')
    const doctor = await llmEval('doctor', url)
    expect([doctor.code, doctor.err]).toEqual([0, ''])
    expect(doctor.out).toContain('level 1 of 3')
    expect(doctor.out).toContain('"metadata": {"cost": 0.05}')
    expect(doctor.out).toContain('What can be tested now: output and latency.')
    const { code, traces } = await tested(url, 'level-1')
    expect(code).toBe(0)
    expect(traces.get('Price of a stock')).toMatchObject({
      output: 'AAPL is trading at $266.25...',
      level: 1,
      cost: null,
      tokens: null,
      tool_calls: [],
    })
  })

  it('is not green where a case wants tools that it does not show', async () => {
    const url = await startAgent('level-1-express.ts')
    expect((await tested(url, 'level-2')).code).not.toBe(0)
  })
})

describe('an agent of level 2, with Fastify', () => {
  it('is tested for cost, tools and their order too', async () => {
    const url = await startAgent('level-2-fastify.ts')
    const doctor = await llmEval('doctor', url)
    expect([doctor.code, doctor.out]).toEqual([0, expect.stringContaining('level 2 of 3')])
    const { code, traces } = await tested(url, 'level-2')
    const trace = traces.get('Analysis of a stock')
    expect(code).toBe(0)
    expect(trace).toMatchObject({ level: 2, cost: 0.05, cost_source: 'reported', tokens: { input: 100, output: 500 } })
    expect(trace?.tool_calls.map(({ name }) => name)).toEqual(['fetch_data', 'analyze', 'synthesize'])
  })
})

describe.each(['level-3-express.ts', 'level-3-fastify.ts', 'next-route.ts'])('an agent of level 3, %s', (file) => {
  async function started(): Promise<string> {
    if (file !== 'next-route.ts') return startAgent(file)
    const route = (await import(pathToFileURL(join(folder, file)).href)) as {
      POST: (request: Request) => Promise<Response>
    }
    return serve(route.POST)
  }

  it('is tested for all of it: tools with arguments and results, order, tokens, and cost by its model', async () => {
    const url = await started()
    const doctor = await llmEval('doctor', url)
    expect(doctor.code).toBe(0)
    expect(doctor.out).toContain('What can be tested now: everything')
    expect(doctor.out).not.toMatch(/^ {2}[+✗]/m)
    const { code, traces } = await tested(url, 'level-3')
    expect(code).toBe(0)
    expect(traces.get('Analysis with its tools')).toMatchObject({
      level: 3,
      output: 'In short: AAPL is at $266.25 and goes up.',
      cost_source: 'priced',
      tokens: { input: 1000, output: 500, cached: 100 },
      tool_calls: [
        { name: 'analyzeStock', args: { symbol: 'AAPL' }, result: { symbol: 'AAPL', price: 266.25 }, succeeded: true },
      ],
    })
  })
})

describe('loops of refinement', () => {
  it('that are bounded end with the best there is, and tell how far they are', async () => {
    const { code, traces } = await tested(await startAgent('refinement-loop.ts'), 'refinement')
    expect(code).toBe(0)
    const said = (name: string) => traces.get(name)?.notes.map(({ text }) => text)
    expect(said('Something to refine')).toEqual(['Refinement 1/3', 'Refinement 2/3', 'Stopped: done'])
    expect(said('Something that cannot be refined')).toEqual(['Refinement 1/3', 'Stopped: no_improvement'])
  })

  it('that are not bounded are ended by the time limit, and the doctor says what to add', async () => {
    const url = await startAgent('endless-loop.ts')
    const { code, out } = await llmEval('doctor', url, '--timeout', '10s')
    expect(code).toBe(1)
    expect(out).toContain('No whole answer within 10 s.')
    expect(out).toMatch(/✗ refinement +It refined its answer \d+ times/)
    expect(out).toContain('refinements < 3')
  })
})

describe('an orchestrator', () => {
  it('calls tools beside each other, refines within bounds, sums its tokens, and says that it is complete', async () => {
    const url = await startAgent('orchestrator.ts')
    expect((await llmEval('doctor', url)).code).toBe(0)
    const { code, traces } = await tested(url, 'orchestrator')
    const trace = traces.get('Two stocks beside each other')
    expect(code).toBe(0)
    expect(trace?.tool_calls.map(({ args, succeeded }) => [args, succeeded])).toEqual([
      [{ symbol: 'AAPL' }, true],
      [{ symbol: 'MSFT' }, true],
    ])
    // One call for the first text and one for the only refinement, which was no better.
    expect(trace?.tokens).toMatchObject({ input: 2000, output: 1000, cached: 200 })
    expect(trace?.cost_source).toBe('priced')
  })
})

describe('the commands of the source document', () => {
  /** Runs a command of it as it stands, apart from the port; curl and jq are ours where the machine has none. */
  async function shell(url: string, command: string): Promise<Ended> {
    const bin = join(project.home, 'bin')
    await mkdir(bin, { recursive: true })
    const node = `exec '${process.execPath}'`
    await writeFile(join(bin, 'curl'), `#!/bin/sh\n${node} '${join(root, 'docs/checks/curl.mjs')}' "$@"\n`, {
      mode: 0o755,
    })
    await writeFile(join(bin, 'jq'), `#!/bin/sh\n${node} '${join(folder, 'event-types.mjs')}'\n`, { mode: 0o755 })
    const path = [process.env['PATH'], join(process.execPath, '..'), bin].join(':')
    return ended('bash', ['-euc', command.replace('localhost:3000', `localhost:${new URL(url).port}`)], { PATH: path })
  }

  const curl = `curl -X POST http://localhost:3000/api/chat \\
  -H "Content-Type: application/json" \\
  -d '{"message": "Test query"}'`

  it('show that an agent responds to a POST with its answer', async () => {
    const { code, out } = await shell(await startAgent('level-1-express.ts'), curl)
    expect([code, JSON.parse(out)]).toEqual([0, { response: 'AAPL is trading at $266.25...' }])
  })

  it('show how long an agent takes', async () => {
    const { code, out, err } = await shell(await startAgent('level-2-fastify.ts'), `time ${curl}`)
    expect([code, out]).toEqual([0, expect.stringContaining('"response":"AAPL analysis...')])
    expect(err).toMatch(/^real\s+\d+m[\d.]+s$/m)
  })

  const types = ['"status"', '"tool_call"', '"tool_result"', '"usage"', '"message_complete"']

  it('show the types of its events', async () => {
    const { code, out } = await shell(
      await startAgent('level-3-express.ts'),
      `${curl} \\\n     | jq -R 'fromjson? | .type'`,
    )
    expect([code, out.trim().split('\n')]).toEqual([0, types])
  })

  it('show them without jq', async () => {
    const url = await startAgent('level-3-fastify.ts')
    const { code, out } = await shell(url, `${curl} | node '${join(folder, 'event-types.mjs')}'`)
    expect([code, out.trim().split('\n')]).toEqual([0, types])
  })
})
