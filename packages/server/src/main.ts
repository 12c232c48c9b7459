import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { announceOwner, type Store } from '@llm-eval/store'
import pino, { type DestinationStream, type Logger } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { createAccess } from './access/access.ts'
import { ensureFirstKey, type FirstKey } from './access/first-key.ts'
import { maskPassword } from './config/view.ts'
import type { Config } from './config/config.ts'
import { registerAgentTests } from './agent-tests/agent-tests.ts'
import { createBridge } from './bridge/create-bridge.ts'
import { registerBridge } from './bridge/routes.ts'
import type { BridgeTap } from './bridge/running.ts'
import { registerConversations } from './conversations/conversations.ts'
import { registerDatasets } from './datasets/routes.ts'
import { registerDescription } from './http/api-description.ts'
import { registerHealth } from './health/health.ts'
import { createMeters } from './meters/meters.ts'
import { collectStoreStats, registerPrometheus } from './health/prometheus.ts'
import type { App, Deps, Register } from './http/app.ts'
import { createApp } from './http/create-app.ts'
import { serveDashboard } from './http/dashboard.ts'
import { registerEvaluators } from './evaluators/evaluators.ts'
import { registerExecutions } from './executions/executions.ts'
import { registerIngest } from './ingest/ingest.ts'
import { createJudge } from './judging/create-judge.ts'
import { addressCheckOf, createServerEngine, createServerModels } from './judging/set-up.ts'
import { maintain, repeat } from './maintenance.ts'
import { registerMetrics } from './metrics/metrics.ts'
import { openConfiguredStore } from './open-store.ts'
import { registerRunSockets } from './run-sockets/run-sockets.ts'
import { registerRules } from './rules/rules.ts'
import { registerKeys } from './settings/keys.ts'
import { registerRuns } from './runs/runs.ts'
import { createTaskTools, type TaskTools } from './running/tasks.ts'
import { registerSession } from './settings/session.ts'
import { registerSettings } from './settings/settings.ts'
import { registerStream } from './stream/stream.ts'
import { registerTraceloop } from './traceloop/traceloop.ts'
import { registerTraces } from './traces/traces.ts'

export { createAccess } from './access/access.ts'
export { ConfigError, type ConfigSources, type LoadedConfig, loadConfig } from './config/sources.ts'
export { type ShownSetting, showConfig } from './config/view.ts'
export { type Config, defaultConfig } from './config/config.ts'
export type { BridgeTap } from './bridge/running.ts'
export { readCsv } from './datasets/read-csv.ts'

/** How a server is started. */
export interface ServerOptions {
  config: Config
  /** Written to standard error as JSON lines unless one is handed in. */
  log?: Logger
  /** That of the configuration, where it is open already; it is closed with the server. */
  store?: Store
  /** Milliseconds since 1970. */
  now?: () => number
  /** As users know it. */
  version?: string
  /** Where the built dashboard is. */
  dashboard?: string
  /** How long closing may take. */
  patience?: Patience
  /** Is told all that goes over the bridge. */
  tap?: BridgeTap
}

/** Milliseconds that closing gives to others. */
export interface Patience {
  /** For requests that are still being answered; then their connections are cut. */
  answersMs: number
  /** For everything. */
  closeMs: number
}

const patience: Patience = { answersMs: 7_000, closeMs: 10_000 }

/** A server that listens. */
export interface RunningServer {
  /** Where this machine reaches it. */
  url: string
  /** Present when an admin key had to be made: opens the dashboard once, within 15 minutes. */
  signInUrl?: string
  /** The file with that admin key. */
  adminKeyPath?: string
  app: App
  store: Store
  /**
   * Drains: takes no new work, ends streams so that their clients reconnect elsewhere, lets requests finish, commits what is
   * queued. Resolves within 10 seconds, and may be called more than once.
   */
  close(): Promise<void>
}

interface Served {
  dashboard: string
  tools: TaskTools
  tap: BridgeTap | undefined
}

/** The same, whoever asks for it. */
function oneOf<T>(make: (deps: Deps) => T): (deps: Deps) => T {
  let made: { value: T } | undefined
  return (deps) => (made ??= { value: make(deps) }).value
}

/** Everything that is served, in one list. */
function slices({ dashboard, tools, tap }: Served): Register[] {
  const bridgeOf = oneOf(createBridge(tap))
  return [
    registerHealth,
    registerPrometheus,
    registerKeys,
    registerSession,
    registerSettings,
    registerIngest,
    registerTraces,
    registerMetrics,
    registerDatasets,
    registerStream,
    registerEvaluators,
    registerExecutions,
    registerRunSockets,
    registerRules,
    registerRuns(tools),
    registerAgentTests,
    registerConversations(bridgeOf),
    registerBridge(bridgeOf),
    registerTraceloop,
    registerDescription,
    serveDashboard(dashboard),
  ]
}

/** Opens the store, puts the server together and listens. Rejects when the settings cannot be used or the port is taken. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, now = Date.now, version = ownVersion() } = options
  const log = options.log ?? createLog(config)
  const closing = new AbortController()
  const opened: { close(): Promise<unknown> }[] = []
  try {
    const models = createServerModels(config)
    const engine = await createServerEngine(config, models)
    opened.push(engine)
    const store = options.store ?? (await openConfiguredStore(config, { now, onError: errorOf(log) }))
    if (!options.store) opened.push(store)
    const access = await createAccess({ store, config, now, log })
    const firstKey = await ensureFirstKey({ access, config, log })
    const meters = createMeters()
    collectDefaultMetrics({ register: meters.registry })
    const judge = await createJudge({
      store,
      engine,
      now,
      log,
      meters: meters.judge,
      home: access.home,
      closing: closing.signal,
      judgeConcurrency: config.judge_concurrency,
    })
    opened.push(judge)
    const deps: Deps = { store, access, judge, config, now, log, meters, version, closing: closing.signal }
    const app = createApp(
      deps,
      slices({
        dashboard: options.dashboard ?? builtDashboard,
        tools: createTaskTools(models, { allows: addressCheckOf(config), judgeConcurrency: config.judge_concurrency }),
        tap: options.tap,
      }),
    )
    const address = await listen(app, config)
    const url = ownUrl(address)
    if (store.driver === 'sqlite') announceOwner(config.data, url)
    const storage = config.database_url === null ? config.data : maskPassword(config.database_url)
    log.info({ url, storage, version }, 'listening')
    return {
      url,
      ...firstSteps(firstKey, config.public_url ?? url),
      app,
      store,
      close: createClose(deps, { app, closing, ...patience, ...options.patience }),
    }
  } catch (error) {
    closing.abort()
    for (const one of opened.reverse()) await one.close().catch(() => undefined)
    throw error
  }
}

function errorOf(log: Logger): (error: unknown) => void {
  return (error) => log.error({ err: error }, 'background work of the store failed')
}

const builtDashboard = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))

function ownVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../package.json')
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

/**
 * The log of a server.
 *
 * @param destination is given each line; standard error unless one is handed in
 */
export function createLog(
  config: Config,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  const redact = ['*.secret', '*.password', '*.authorization', '*.cookie', '*["x-api-key"]', '*.admin_key']
  return pino({ level: config.log_level, redact, base: null }, destination)
}

/** A server that listens on every address is reached from this machine by its loopback name. */
function ownUrl(address: string): string {
  const url = new URL(address)
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = 'localhost'
  return url.origin
}

function firstSteps({ path, token }: FirstKey, url: string): Pick<RunningServer, 'signInUrl' | 'adminKeyPath'> {
  return {
    ...(token === undefined ? {} : { signInUrl: `${url}/signin?token=${token}` }),
    ...(path === undefined ? {} : { adminKeyPath: path }),
  }
}

async function listen(app: App, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw error
  }
}

interface Closing extends Patience {
  app: App
  closing: AbortController
}

function createClose(deps: Deps, { app, closing, answersMs, closeMs }: Closing): () => Promise<void> {
  const { store, judge, log } = deps
  const onError = (error: unknown) => log.error({ err: error }, 'background work failed')
  const rounds = [
    repeat(() => maintain(deps), { everyMs: 60_000, onError }),
    repeat(() => collectStoreStats(deps), { everyMs: 2_000, onError }),
  ]
  let closed: Promise<void> | undefined

  async function drain(): Promise<void> {
    closing.abort()
    const cut = setTimeout(() => app.server.closeAllConnections(), answersMs)
    await app.close().finally(() => clearTimeout(cut))
    await Promise.all([...rounds.map((round) => round.stop()), judge.close()])
    await store.close()
  }

  async function close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), closeMs)
    const ended = await Promise.race([drain(), late]).finally(() => clearTimeout(timer))
    if (ended === 'late') log.error('closing took too long; what was not committed was not acknowledged either')
  }

  return () => (closed ??= close())
}
