// What the tests of the command line stand on: a way to run it in this process or as one of its own, and servers to speak to.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Config, loadConfig, type RunningServer, startServer } from '@llm-eval/server'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { run } from '../src/run.ts'
import { type OutStream, Screen } from '../src/terminal.ts'

/** A directory that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'llm-eval-cli-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  input?: string | Buffer | AsyncIterable<Uint8Array>
  /** Outputs are terminals of this width. */
  columns?: number
  signal?: AbortSignal
}

export interface Ended {
  code: number
  out: string
  err: string
}

/** Runs a command line in this process. */
export async function llmEval(args: string[], options: RunOptions = {}): Promise<Ended> {
  const outputs = { out: '', err: '' }
  const stream = (name: 'out' | 'err'): OutStream => {
    const writable: OutStream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        outputs[name] += chunk.toString()
        done()
      },
    })
    return options.columns === undefined ? writable : Object.assign(writable, { isTTY: true, columns: options.columns })
  }
  const env = { ...options.env }
  const { input = '' } = options
  const stdin = typeof input === 'string' || Buffer.isBuffer(input) ? Readable.from([Buffer.from(input)]) : input
  const code = await run(args, {
    stdin,
    out: new Screen(stream('out'), env),
    err: new Screen(stream('err'), env),
    env,
    cwd: options.cwd ?? folder(),
    signal: options.signal ?? new AbortController().signal,
  })
  return { code, ...outputs }
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** A command line that runs as a process of its own. */
export interface Started {
  child: ChildProcessWithoutNullStreams
  out(): string
  err(): string
  /** Resolves once one of the outputs holds the words; rejects when the process ends before. */
  says(words: string | RegExp): Promise<void>
  ended: Promise<Ended & { signal: NodeJS.Signals | null }>
}

/** Starts the command line as users do, from its sources. It is killed when the test is over. */
export function start(args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Started {
  return startCommand(['--conditions=llm-eval-source', main, ...args], options)
}

/** Starts Node on these arguments. */
export function startCommand(args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Started {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, args, { cwd: options.cwd, env: { PATH, NODE_COMPILE_CACHE, ...options.env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const texts = { out: '', err: '' }
  const listeners = new Set<() => void>()
  for (const [name, stream] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
      for (const listener of listeners) listener()
    })
  }
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({
    code: typeof code === 'number' ? code : -1,
    signal: (signal ?? null) as NodeJS.Signals | null,
    ...texts,
  }))
  const says = async (words: string | RegExp) => {
    const heard = new Promise<true>((resolve) => {
      const listener = () => {
        const both = `${texts.out}\n${texts.err}`
        if (typeof words === 'string' ? both.includes(words) : words.test(both)) resolve(true)
      }
      listeners.add(listener)
      listener()
    })
    if ((await Promise.race([heard, ended])) !== true)
      throw new Error(`it ended without saying ${String(words)}: ${texts.out}${texts.err}`)
  }
  return { child, out: () => texts.out, err: () => texts.err, says, ended }
}

/** A server on a free port, with a data directory of its own. */
export interface TestServer extends RunningServer {
  directory: string
  post(...traces: object[]): Promise<void>
}

/** A server for one test. */
export async function serve(flags: Partial<Config> = {}): Promise<TestServer> {
  const server = await open(flags.data ?? folder(), flags)
  onTestFinished(() => server.close())
  return server
}

/** One server for all tests of a file; each brings traces of its own. */
export function sharedServer(flags: Partial<Config> = {}): { url(): string; post(...traces: object[]): Promise<void> } {
  let server: TestServer | undefined
  const directory = mkdtempSync(join(tmpdir(), 'llm-eval-cli-'))
  beforeAll(async () => {
    server = await open(directory, flags)
  })
  afterAll(async () => {
    await server?.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    url: () => server?.url ?? '',
    post: async (...traces) => server?.post(...traces),
  }
}

async function open(directory: string, flags: Partial<Config> = {}): Promise<TestServer> {
  const { config } = await loadConfig({
    cwd: directory,
    flags: { port: 0, data: directory, log_level: 'silent', synchronous: 'normal', ...flags },
  })
  const server = await startServer({ config })
  const post = async (...traces: object[]) => {
    const answer = await fetch(`${server.url}/webhook/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ source: 'test', traces }),
    })
    if (answer.status !== 200) throw new Error(await answer.text())
  }
  return { ...server, directory, post }
}

/** A whole trace. */
export function trace(traceId: string, fields: object = {}): Record<string, unknown> {
  return { trace_id: traceId, model_name: 'gpt-4', user_query: 'What is AI?', ai_response: 'It depends.', ...fields }
}

/** So many traces, named t0, t1, …, as JSON Lines. */
export function lines(count: number, fields: object = {}): string {
  return Array.from({ length: count }, (_, index) => `${JSON.stringify(trace(`t${index}`, fields))}\n`).join('')
}

/** A server that answers as the handler says. */
export async function answering(
  handler: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => handler(request, response, Buffer.concat(chunks).toString()))
    request.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

/** Takes batches and keeps the ids; from the batch `hangsAt` on (counted from 1) it answers nothing. */
export interface Intake {
  url: string
  /** The ids of each batch that was answered. */
  batches: string[][]
  hangsAt: number
  /** Resolves when a batch is met with silence. */
  hung: Promise<void>
}

export async function intake(hangsAt = Number.POSITIVE_INFINITY): Promise<Intake> {
  const { promise: hung, resolve } = Promise.withResolvers<void>()
  const state: Intake = { url: '', batches: [], hangsAt, hung }
  let seen = 0
  state.url = await answering((request, response, body) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/webhook/health') return response.end('{"status":"healthy"}')
    if (++seen >= state.hangsAt) return resolve()
    const { traces } = JSON.parse(body) as { traces: { trace_id: string }[] }
    const ids = traces.map(({ trace_id }) => trace_id)
    state.batches.push(ids)
    const results = ids.map((trace_id) => ({ trace_id, status: 'created' }))
    response.end(
      JSON.stringify({
        success: true,
        message: '',
        processed_count: ids.length,
        errors: null,
        trace_ids: ids,
        results,
      }),
    )
  })
  return state
}
