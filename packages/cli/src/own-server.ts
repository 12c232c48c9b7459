import { connect, createServer, type Server, type Socket } from 'node:net'
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
/** Nobody else reaches it. */
const loopback = '127.0.0.1'
/** What stands for this process in addresses. */
const ownUrl = 'http://localhost'

/**
 * Becomes the server of a data directory. What an evaluation asks is answered in this process; a server starts when more is asked,
 * or when somebody comes to the port that stands in the directory, which only this machine reaches.
 *
 * @throws {DataDirectoryBusy} when another process holds the directory
 */
export async function startOwnServer(terminal: Terminal, options: GlobalOptions): Promise<OwnServer> {
  const sources = sourcesOf(terminal, { ...options, host: loopback, port: '0' })
  const { config } = await loadConfig({
    ...sources,
    flags: { ...sources.flags, log_level: options.debug ? 'info' : 'silent' },
  })
  const local = await openLocalRuns({ config })
  const listener = new Listener(config, { local, given: givenKey(terminal, options) })
  const door = await openDoor(local, listener)
  local.announce(door.url)
  return {
    target: {
      url: ownUrl,
      key: null,
      fetch: async (url, init) => (await listener.direct(url, init)) ?? listener.forward(url, init),
    },
    async close() {
      await listener.close()
      door.close()
      await local.close()
    },
  }
}

async function openDoor(local: LocalRuns, listener: Listener): Promise<Door> {
  try {
    return await Door.open(() => listener.start())
  } catch (error) {
    await local.close()
    throw error
  }
}

interface Listening {
  url: string
  key: string | null
  close(): Promise<unknown>
}

/** A port that costs next to nothing: who comes is led to the server, which starts for the first of them. */
class Door {
  readonly url: string
  readonly #server: Server
  readonly #visitors = new Set<Socket>()

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  /** @param start where the server is reached, once it listens */
  static async open(start: () => Promise<{ url: string }>): Promise<Door> {
    const server = createServer()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(0, loopback, resolve)
    await promise
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the port has no number')
    // It alone keeps no command from ending.
    server.unref()
    const door = new Door(server, `http://${loopback}:${address.port}`)
    server.on('connection', (visitor) => void door.#lead(visitor, start))
    return door
  }

  close(): void {
    this.#server.close()
    for (const visitor of this.#visitors) visitor.destroy()
  }

  async #lead(visitor: Socket, start: () => Promise<{ url: string }>): Promise<void> {
    const gone = () => this.#visitors.delete(visitor)
    this.#visitors.add(visitor)
    visitor.once('close', gone).on('error', () => visitor.destroy())
    try {
      const { hostname, port } = new URL((await start()).url)
      const server = connect(Number(port), hostname)
      server.on('error', () => visitor.destroy()).once('close', () => visitor.destroy())
      visitor.once('close', () => server.destroy())
      visitor.pipe(server).pipe(visitor)
    } catch {
      visitor.destroy()
    }
  }
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
