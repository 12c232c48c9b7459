import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Engine } from '@llm-eval/engine'
import { openStore, type Store } from '@llm-eval/store'
import { pino } from 'pino'
import { createAccess } from '../src/access/access.ts'
import type { Access } from '../src/access/guard.ts'
import { type Config, configSchema } from '../src/config/config.ts'
import { registerDescription } from '../src/http/api-description.ts'
import { registerHealth } from '../src/health/health.ts'
import { createJudge } from '../src/judging/create-judge.ts'
import { createMeters } from '../src/meters/meters.ts'
import { registerPrometheus } from '../src/health/prometheus.ts'
import type { App, Deps, Register } from '../src/http/app.ts'
import { createApp } from '../src/http/create-app.ts'
import { registerIngest } from '../src/ingest/ingest.ts'
import { registerKeys } from '../src/settings/keys.ts'
import { registerSession } from '../src/settings/session.ts'
import { registerSettings } from '../src/settings/settings.ts'

/** A request as a test writes it; a `body` that is no text or bytes is sent as JSON. */
export interface Sent {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
  path: string
  headers?: Record<string, string>
  body?: unknown
  /** The key that speaks for the request. */
  key?: string
}

export interface Received {
  status: number
  headers: Record<string, string | string[] | number | undefined>
  bytes: Buffer
  text: string
  // Tests look into answers freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  json: any
}

/** The server's ground and the slices that stand on it, over a real store in a directory of its own. */
export interface Ground {
  app: App
  deps: Deps
  access: Access
  store: Store
  /** The store's clock and the server's; tests move it. */
  clock: { now: number }
  /** Lines of the log, as JSON texts. */
  lines: string[]
  closing: AbortController
  /** Sends a request: in memory, or over one kept-alive connection. */
  send(sent: Sent): Promise<Received>
  /** Listens, when it does not yet. */
  origin(): Promise<string>
  /** How many connections were made so far. */
  connections(): number
  close(): Promise<void>
}

/** A real store in a directory of its own. Opening one takes most of a test's time, so those of a file share one. */
export interface Shelf {
  store: Store
  directory: string
  /** The store's clock and the server's; tests move it. */
  clock: { now: number }
  /** Makes it as good as new for access: revokes every key, and sets the clock back to noon. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface GroundOptions {
  /** Stands on this one, which stays open; without it the ground has one of its own. */
  shelf?: Shelf
  overSocket?: boolean
  config?: Partial<Config>
  slices?: Register[]
  /** With evaluators of the test's own; the built-in ones without it. Closed with the ground. */
  engine?: Engine
  /** Wraps the store, e.g. to count its calls or to make them fail. */
  wrap?: (store: Store) => Store
}

export const noon = Date.parse('2025-01-27T12:00:00Z')

export const allSlices: Register[] = [
  registerHealth,
  registerPrometheus,
  registerKeys,
  registerSession,
  registerSettings,
  registerIngest,
  registerDescription,
]

/** Opens a store. Close it after the tests. */
export async function openShelf(): Promise<Shelf> {
  const directory = await mkdtemp(join(tmpdir(), 'llm-eval-ground-'))
  const clock = { now: noon }
  const store = await openStore({ directory, synchronous: 'normal', now: () => clock.now })
  return {
    store,
    directory,
    clock,
    async clear() {
      clock.now = noon
      const home = await store.read(0, 'project', { name: 'default' })
      for (const { project, id } of await store.read(home?.id ?? 0, 'keys', {})) {
        const owner = await store.read(0, 'project', { name: project })
        await store.apply(owner?.id ?? 0, { kind: 'revokeKey', id, at: noon })
      }
      await rm(join(directory, 'admin.key'), { force: true })
    },
    async close() {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Starts the ground. Close it after the test. */
export async function startGround(options: GroundOptions = {}): Promise<Ground> {
  const shelf = options.shelf ?? (await openShelf())
  const { directory, clock } = shelf
  const now = () => clock.now
  const store = options.wrap?.(shelf.store) ?? shelf.store
  const config = { ...configSchema.parse({}), data: directory, ...options.config }
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
  const access = await createAccess({ store, config, now, log })
  const closing = new AbortController()
  const meters = createMeters()
  const judge = await createJudge({
    store,
    now,
    log,
    home: access.home,
    closing: closing.signal,
    engine: options.engine ?? createEngine(),
    meters: meters.judge,
    judgeConcurrency: 4,
  })
  const deps: Deps = {
    store,
    access,
    judge,
    config,
    now,
    log,
    meters,
    version: '1.2.3',
    closing: closing.signal,
  }
  const app = createApp(deps, options.slices ?? allSlices)
  await app.ready()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let connections = 0
  app.server.on('connection', () => connections++)

  async function origin(): Promise<string> {
    if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  }

  return {
    app,
    deps,
    access,
    store,
    clock,
    lines,
    closing,
    origin,
    connections: () => connections,
    send: async (sent) =>
      options.overSocket ? overSocket(await origin(), { agent, sent: encode(sent) }) : inMemory(app, encode(sent)),
    async close() {
      agent.destroy()
      await app.close()
      await judge.close()
      await (options.shelf ? options.shelf.clear() : shelf.close())
    },
  }
}

interface Encoded {
  method: NonNullable<Sent['method']>
  path: string
  headers: Record<string, string>
  payload: Buffer | undefined
}

function encode({ method, path, headers = {}, body, key }: Sent): Encoded {
  const known = key === undefined ? headers : { authorization: `Bearer ${key}`, ...headers }
  if (body === undefined) return { method: method ?? 'GET', path, headers: known, payload: undefined }
  const payload = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return { method: method ?? 'POST', path, headers: { 'content-type': 'application/json', ...known }, payload }
}

async function inMemory(app: App, { method, path, headers, payload }: Encoded): Promise<Received> {
  const answer = await app.inject({ method, url: path, headers, ...(payload ? { payload } : {}) })
  return received(answer.statusCode, { headers: answer.headers, bytes: answer.rawPayload })
}

function overSocket(origin: string, { agent, sent }: { agent: Agent; sent: Encoded }): Promise<Received> {
  const { method, path, headers, payload } = sent
  return new Promise((resolve, reject) => {
    const length = payload === undefined ? {} : { 'content-length': payload.length }
    const request = httpRequest(`${origin}${path}`, { method, agent, headers: { ...length, ...headers } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve(received(answer.statusCode ?? 0, { headers: answer.headers, bytes: Buffer.concat(chunks) })),
      )
    })
    request.on('error', reject)
    request.end(payload)
  })
}

function received(status: number, { headers, bytes }: Pick<Received, 'headers' | 'bytes'>): Received {
  const text = bytes.toString()
  const json =
    /[/+]json\b/.test(String(headers['content-type'])) && text !== '' ? (JSON.parse(text) as unknown) : undefined
  return { status, headers, bytes, text, json }
}

/** A trace with what is required, and more. */
export function trace(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { trace_id: 't-1', model_name: 'gpt-4', user_query: 'What is ML?', ai_response: 'A subset of AI.', ...fields }
}

/** Makes the first key of a server, which closes it for everybody without one. */
export async function firstKey(ground: Ground): Promise<string> {
  const made = await ground.send({ path: '/api/v1/keys', body: { name: 'first', scopes: ['admin'] } })
  if (made.status !== 201) throw new Error(made.text)
  return String(made.json.key)
}
