import type { Config, RunningServer } from '@llm-eval/server'
import { loadConfig, type LocalRuns, openLocalRuns } from '@llm-eval/server/local'
import { dashboard } from './dashboard.ts'
import { sourcesOf } from './settings.ts'
import { adminKey, givenKey, type GlobalOptions, type Target } from './target.ts'
import type { Terminal } from './terminal.ts'
import { ownVersion } from './version.ts'

/** A server that lives as long as a command does. */
export interface OwnServer {
  target: Target & { fetch: NonNullable<Target['fetch']> }
  close(): Promise<void>
}

/** A key that is made for one command should outlive it, and not for long. */
const keyMs = 86_400_000
/** Milliseconds after which others may want to see what goes on, or to evaluate into the same directory. */
const listensAfterMs = 10_000
/** What stands for this process in addresses. */
const ownUrl = 'http://localhost'

/**
 * Becomes the server of a data directory. What an evaluation asks is answered in this process; when more is asked, or it takes
 * long, a server listens on a free port that only this machine reaches.
 *
 * @throws {DataDirectoryBusy} when another process holds the directory
 */
export async function startOwnServer(terminal: Terminal, options: GlobalOptions): Promise<OwnServer> {
  const sources = sourcesOf(terminal, { ...options, host: '127.0.0.1', port: '0' })
  const { config } = await loadConfig({
    ...sources,
    flags: { ...sources.flags, log_level: options.debug ? 'info' : 'silent' },
  })
  const local = await openLocalRuns({ config })
  const listener = new Listener(config, { local, given: givenKey(terminal, options) })
  const timer = setTimeout(() => void listener.start().catch(() => undefined), listensAfterMs)
  return {
    target: {
      url: ownUrl,
      key: null,
      fetch: async (url, init) => (await listener.direct(url, init)) ?? listener.forward(url, init),
    },
    async close() {
      clearTimeout(timer)
      await listener.close()
      await local.close()
    },
  }
}

interface Listening {
  url: string
  key: string | null
  close(): Promise<unknown>
}

/** A server on the store of this process, as soon as somebody needs one. */
class Listener {
  readonly #config: Config
  readonly #local: LocalRuns
  readonly #given: string | null
  #listening: Promise<Listening> | undefined

  constructor(config: Config, { local, given }: { local: LocalRuns; given: string | null }) {
    this.#config = config
    this.#local = local
    this.#given = given
  }

  start(): Promise<Listening> {
    return (this.#listening ??= this.#listen())
  }

  /** What is answered without it. With a key of somebody it says who may do what, and in which project. */
  async direct(url: string, init: RequestInit): Promise<Response | null> {
    return this.#given === null ? this.#local.answer(new URL(url), init) : null
  }

  async forward(url: string, init: RequestInit): Promise<Response> {
    const listening = await this.start().catch((error: unknown) => ({ fault: error }))
    // Asking again would not help.
    if ('fault' in listening) return refusal(listening.fault)
    const { url: base, key } = listening
    const headers = new Headers(init.headers)
    if (key !== null) headers.set('authorization', `Bearer ${key}`)
    return fetch(`${base}${url.slice(ownUrl.length)}`, { ...init, headers })
  }

  async close(): Promise<void> {
    const listening = await this.#listening?.catch(() => undefined)
    await listening?.close()
  }

  async #listen(): Promise<Listening> {
    const { createLog, startServer } = await import('@llm-eval/server')
    const config = this.#config
    const store = this.#local.share()
    const server = await startServer({ config, store, log: createLog(config), version: ownVersion(), ...dashboard() })
    try {
      const given = this.#given ?? config.admin_key ?? (await adminKey(config.data))
      const { key, revoke } =
        given === null ? await makeKey(server, config) : { key: given, revoke: async () => undefined }
      return { url: server.url, key, close: () => revoke().finally(() => server.close()) }
    } catch (error) {
      await server.close()
      throw error
    }
  }
}

function refusal(fault: unknown): Response {
  const detail = `A server for it cannot start: ${fault instanceof Error ? fault.message : String(fault)}`
  return Response.json({ detail }, { status: 500 })
}

/** Whoever may open the directory may do everything in it: where keys are asked for one is made, and revoked at the end. */
async function makeKey(
  { store }: RunningServer,
  config: Config,
): Promise<{ key: string | null; revoke: () => Promise<unknown> }> {
  const { createAccess, createLog } = await import('@llm-eval/server')
  const access = await createAccess({
    store,
    config,
    now: Date.now,
    log: createLog({ ...config, log_level: 'silent' }),
  })
  if (!access.required()) return { key: null, revoke: async () => undefined }
  const made = await access.keys.create({
    name: 'llm-eval run',
    project: 'default',
    scopes: ['admin'],
    expiresAt: Date.now() + keyMs,
  })
  return { key: made.key, revoke: () => access.keys.revoke(made.id, access.home) }
}
