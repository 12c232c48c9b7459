/**
 * A server in a process of its own, to be killed, starved and stalled by tests: `node serve.ts OPTIONS`, with the options as
 * JSON. It ends with the process that started it, and tells it, when asked, how much any one connection made it hold.
 */
import { createEngine } from '@llm-eval/engine'
import { openStore } from '@llm-eval/store'
import type { Socket } from 'node:net'
import { pino } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { createAccess } from '../../src/access/access.ts'
import { configSchema } from '../../src/config/config.ts'
import { registerHealth } from '../../src/health/health.ts'
import { createJudge } from '../../src/judging/create-judge.ts'
import { createMeters } from '../../src/meters/meters.ts'
import { registerPrometheus } from '../../src/health/prometheus.ts'
import type { App, Deps, Register } from '../../src/http/app.ts'
import { createApp } from '../../src/http/create-app.ts'
import { registerIngest } from '../../src/ingest/ingest.ts'
import { startServer } from '../../src/main.ts'
import { registerMetrics } from '../../src/metrics/metrics.ts'
import { registerStreamWith, type StreamSettings } from '../../src/stream/stream.ts'
import { registerTraces } from '../../src/traces/traces.ts'

/** How the server is set up. With `timing` or `maxPages`, which are no settings, it is put together by hand. */
export interface ServeOptions {
  data: string
  /** Of streams; the product's own without it. */
  timing?: Partial<StreamSettings>
  /** Settings beside these. */
  config?: Record<string, unknown>
  /** Pages of 4 KiB that the database may grow to. */
  maxPages?: number
}

/** What the parent is told. */
export type ServeMessage =
  | { kind: 'listening'; url: string }
  /** Most bytes that waited on one connection at any look since the last time it was asked. */
  | { kind: 'held'; bytes: number }

interface Served {
  app: App
  url: string
  close(): Promise<void>
}

async function serve(options: ServeOptions): Promise<Served> {
  // Faults are provoked here, so what the log says of them is no news.
  const config = configSchema.parse({ ...options.config, data: options.data, port: 0, log_level: 'fatal' })
  if (options.timing === undefined && options.maxPages === undefined) return startServer({ config })
  const now = Date.now
  const maxPages = options.maxPages === undefined ? {} : { maxPages: options.maxPages }
  const store = await openStore({ directory: config.data, now, ...maxPages })
  const log = pino({ level: 'silent' })
  const access = await createAccess({ store, config, now, log })
  const closing = new AbortController()
  const meters = createMeters()
  collectDefaultMetrics({ register: meters.registry })
  const judge = await createJudge({
    store,
    now,
    log,
    home: access.home,
    closing: closing.signal,
    engine: createEngine(),
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
    version: '0.0.0',
    closing: closing.signal,
  }
  const timing = { heartbeatMs: 15_000, stallMs: 30_000, flushMs: 25, most: 10_000, ...options.timing }
  const registerStream: Register = (app) => registerStreamWith(app, deps, timing)
  const slices = [registerHealth, registerPrometheus, registerIngest, registerTraces, registerMetrics, registerStream]
  const app = createApp(deps, slices)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const close = async () => {
    closing.abort()
    await app.close()
    await judge.close()
    await store.close()
  }
  return { app, url, close }
}

function watchSockets(app: App): () => number {
  const sockets = new Set<Socket>()
  let most = 0
  const look = () => {
    for (const socket of sockets) most = Math.max(most, socket.writableLength)
  }
  app.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  setInterval(look, 10).unref()
  return () => {
    look()
    const told = most
    most = 0
    return told
  }
}

const tell = (message: ServeMessage) => process.send?.(message)
const served = await serve(JSON.parse(process.argv[2] ?? '{}') as ServeOptions)
const held = watchSockets(served.app)
process.on('message', () => tell({ kind: 'held', bytes: held() }))
process.once('disconnect', () => process.exit(1))
process.once('SIGTERM', () => {
  void served.close().then(() => process.exit(0))
})
tell({ kind: 'listening', url: served.url })
