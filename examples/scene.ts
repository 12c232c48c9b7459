// What the tests of the examples stand on: a project with the SDK as it is published, a server, a browser, runs that go on as told.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Config, defaultConfig, type RunningServer, startServer } from '@llm-eval/server'
import { type Browser, chromium } from 'playwright-core'
import { expect } from 'vitest'
import { build, preview } from 'vite'
import { chromium as findChromium } from '../scripts/chromium.mjs'

const root = join(import.meta.dirname, '..')

/** The examples in a project of their own: with the SDK as it is published, and the packages that they import beside it. */
export async function openProject(packages: readonly string[]): Promise<{ home: string; close: () => Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), 'llm-eval-examples-'))
  const modules = join(home, 'node_modules')
  await mkdir(modules)
  const sdk = join(modules, 'llm-eval-sdk')
  await promisify(execFile)(process.execPath, [join(root, 'packages/sdk/build.mjs'), '--stage', sdk])
  for (const name of packages) {
    await mkdir(join(modules, name, '..'), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  await cp(import.meta.dirname, join(home, 'examples'), { recursive: true })
  await writeFile(join(home, 'package.json'), '{"type":"module"}')
  return { home, close: () => rm(home, { recursive: true, force: true }) }
}

/** Builds the pages around the examples as their users do, and serves them. */
export async function openPages(home: string): Promise<{ url: (page: string) => string; close: () => Promise<void> }> {
  const project = { root: join(home, 'examples'), logLevel: 'error' as const }
  await build(project)
  const pages = await preview({ ...project, preview: { host: '127.0.0.1', port: 0 } })
  return {
    url: (page) => new URL(`around/${page}`, pages.resolvedUrls?.local[0]).href,
    close: () => pages.close(),
  }
}

/** A Chromium in which http://localhost:8000 is the server at an address. */
export async function openBrowser(address: string): Promise<Browser> {
  return chromium.launch({
    executablePath: await findChromium(),
    args: [
      `--host-resolver-rules=MAP localhost:8000 127.0.0.1:${new URL(address).port}`,
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}

const mime: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' }

/** A server of files that does nothing else, for a folder of the examples. */
export async function serveFolder(folder: string): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, reply) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    readFile(join(import.meta.dirname, folder, pathname)).then(
      (text) => reply.setHeader('content-type', mime[extname(pathname)] ?? 'text/plain').end(text),
      () => reply.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}

/** A server that can be stopped, and started again at the same address with the same data. */
export interface Ground {
  readonly url: string
  stop: () => Promise<void>
  startAgain: () => Promise<void>
  call: (method: string, path: string, body?: unknown) => Promise<unknown>
  close: () => Promise<void>
}

export async function openGround(settings: Partial<Config> = {}): Promise<Ground> {
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-examples-data-'))
  const config = { ...defaultConfig(), data, log_level: 'silent' as const, synchronous: 'normal' as const, ...settings }
  const start = (port: number): Promise<RunningServer> => startServer({ config: { ...config, port } })
  let server = await start(0)
  const { url } = server
  const key = settings.admin_key
  const headers = { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) }
  return {
    url,
    stop: () => server.close(),
    async startAgain() {
      server = await start(Number(new URL(url).port))
    },
    async call(method, path, body) {
      const said = body === undefined ? {} : { body: JSON.stringify(body) }
      const answer = await fetch(url + path, { method, headers, ...said })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
      return text === '' ? null : (JSON.parse(text) as unknown)
    },
    async close() {
      await server.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** A run of user code that finishes what a test tells it to. */
export class LiveRun {
  readonly #ground: Ground
  readonly id: string
  #sequence = 0

  static async begin(ground: Ground, id: string, fields: Record<string, unknown> = {}): Promise<LiveRun> {
    const made = { run_id: id, name: id, metrics_used: ['accuracy'], total_items: 100, ...fields }
    await ground.call('POST', '/api/v1/runs', made)
    return new LiveRun(ground, id)
  }

  private constructor(ground: Ground, id: string) {
    this.#ground = ground
    this.id = id
  }

  /** Finishes the items of these numbers. */
  async finish(indexes: readonly number[], fields: Record<string, unknown> = {}): Promise<void> {
    await this.#send(
      indexes.map((index) => ({
        type: 'item_finished',
        item_index: index,
        case_id: `case-${index}`,
        status: 'success',
        input: `question ${index}`,
        output: `answer ${index}`,
        response_time_ms: 250,
        cost: 0.001,
        scores: { accuracy: { value: index % 4 === 0 ? 0 : 1 } },
        ...fields,
      })),
    )
  }

  fail(index: number, message: string): Promise<void> {
    const error = { code: 'execution_failed', message }
    return this.finish([index], { status: 'failed', output: undefined, scores: {}, error })
  }

  end(fields: Record<string, unknown> = {}): Promise<void> {
    return this.#send([{ type: 'run_ended', ...fields }])
  }

  async delete(): Promise<void> {
    await this.#ground.call('DELETE', `/api/v1/runs/${this.id}`)
  }

  async #send(events: object[]): Promise<void> {
    const numbered = events.map((event) => ({
      event_id: `event-${++this.#sequence}`,
      sequence: this.#sequence,
      ...event,
    }))
    await this.#ground.call('POST', `/api/v1/runs/${this.id}/events`, { schema_version: 1, events: numbered })
  }
}

/** Whole numbers, the last one left out. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}

/** Looks again and again until it fits; as long as a busy machine may take. */
export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 60_000, interval: 50 })
}
