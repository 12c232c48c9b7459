import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { routes } from '@llm-eval/protocol'
import { Complaint } from './complaint.ts'
import { ask } from './http.ts'
import type { OwnServer } from './own-server.ts'
import {
  adminKey,
  dataDirectory,
  findTarget,
  givenKey,
  type GlobalOptions,
  namedUrl,
  ownerUrl,
  type Target,
  usualUrl,
} from './target.ts'
import type { Stage, Terminal } from './terminal.ts'

/** Options of commands that can do without a server. */
export interface PlaceOptions extends GlobalOptions {
  /** Only the data directory, whatever server is named or usual. */
  local?: boolean
}

/** Where runs are kept. */
export interface Place {
  target: Target
  /** `directory`: no server was there, and this process became one on the data directory. */
  kind: 'server' | 'directory'
  /** In words. */
  where: string
}

/** Milliseconds that the owner of the directory may be away, as while it starts again, before this process takes its place. */
const ownerAwayMs = 10_000
/** Milliseconds between two tries. */
const againMs = 200
/** Milliseconds in which the usual server says that it is there; and in which somebody who takes the directory listens. */
const answerMs = 2_000
const startMs = 120_000

/**
 * Finds where runs are kept: the server that is named; else the one that holds the data directory; else the one on
 * http://localhost:8000; else the data directory itself, which this process then serves until the command is over.
 *
 * @throws {Complaint} when the server that is named does not answer
 */
export async function openPlace(stage: Stage, options: PlaceOptions): Promise<Place> {
  const named = options.local ? undefined : namedUrl(stage, options)
  if (named !== undefined) {
    const target = { url: named, key: givenKey(stage, options) }
    await checkAnswers(stage, target)
    return { target, kind: 'server', where: named }
  }
  const directory = await dataDirectory(stage, options)
  const keeper = new Keeper(stage, { directory, options })
  const owner = await settled(directory)
  if (owner !== undefined) return { target: await keeper.target(owner), kind: 'server', where: owner }
  const usual = { url: usualUrl, key: givenKey(stage, options) }
  if (!options.local && (await isOurs(usualUrl))) return { target: usual, kind: 'server', where: usualUrl }
  return { target: await keeper.target(await keeper.open()), kind: 'directory', where: directory }
}

/** A server to read from: as {@link findTarget} finds it, and where none is, the data directory if it holds anything. */
export async function reachTarget(stage: Stage, options: GlobalOptions): Promise<Target> {
  const found = await findTarget(stage, options)
  if (namedUrl(stage, options) !== undefined || found.url !== usualUrl || (await isOurs(usualUrl))) return found
  const directory = await dataDirectory(stage, options)
  return existsSync(join(directory, 'llm-eval.db'))
    ? (await openPlace(stage, { ...options, local: true })).target
    : found
}

async function checkAnswers(terminal: Terminal, target: Target): Promise<void> {
  try {
    await ask(target, { route: routes.health, signal: terminal.signal })
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    throw new Complaint(`${error.message} With --local the results stay in the data directory.`, { cause: error })
  }
}

/** Whether an llm-eval server answers there. */
async function isOurs(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}${routes.health.path}`, { signal: AbortSignal.timeout(answerMs) })
    const health: unknown = await response.json()
    return typeof health === 'object' && health !== null && 'status' in health && 'version' in health
  } catch {
    return false
  }
}

/** Where the owner of a directory listens; one that is only starting is waited for. */
async function settled(directory: string): Promise<string | undefined> {
  const until = performance.now() + startMs
  for (;;) {
    try {
      return await ownerUrl(directory)
    } catch (error) {
      if (!(error instanceof Complaint) || performance.now() > until) throw error
      await delay(50)
    }
  }
}

/** Whether it comes from a server that takes no more work: another one will. */
async function isLeaving(response: Response): Promise<boolean> {
  if (response.status !== 503) return false
  const told: unknown = await response
    .clone()
    .json()
    .catch(() => null)
  return typeof told === 'object' && told !== null && 'code' in told && told.code === 'shutting_down'
}

interface Kept {
  directory: string
  options: GlobalOptions
}

/**
 * Speaks to whoever holds a data directory, and takes it over when its holder is gone: two evaluations may share a directory, and
 * the one that serves it may end first.
 */
class Keeper {
  readonly #stage: Stage
  readonly #kept: Kept
  #at = { url: '', key: null as string | null }
  #own: OwnServer | undefined
  #changing: Promise<void> | undefined
  #awaySince: number | null = null

  constructor(stage: Stage, kept: Kept) {
    this.#stage = stage
    this.#kept = kept
  }

  /** Becomes the server of the directory, or finds who was faster. */
  async open(): Promise<string> {
    const { startOwnServer } = await import('./own-server.ts')
    try {
      const own = await startOwnServer(this.#stage, this.#kept.options)
      this.#own = own
      this.#stage.atEnd(() => own.close())
      return own.target.url
    } catch (error) {
      const other =
        error instanceof Error && error.name === 'DataDirectoryBusy' ? await settled(this.#kept.directory) : undefined
      if (other === undefined) throw error
      return other
    }
  }

  /** A target that stays where it is for whoever uses it, wherever the server goes. */
  async target(url: string): Promise<Target> {
    await this.#move(url)
    return { ...this.#at, fetch: (asked, init) => this.#fetch(asked.slice(url.length), init) }
  }

  async #move(url: string): Promise<void> {
    const { directory, options } = this.#kept
    const key =
      this.#own?.target.url === url
        ? this.#own.target.key
        : (givenKey(this.#stage, options) ?? (await adminKey(directory)))
    this.#at = { url, key }
  }

  /** Until somebody holds the directory, this process at last, or whoever asks gives up. */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    for (;;) {
      try {
        const response = await this.#send(path, init)
        if (await isLeaving(response)) throw new Error('the server of the directory ends')
        this.#awaySince = null
        return response
      } catch (error) {
        if (init.signal?.aborted) throw error
        const { url } = this.#at
        await (this.#changing ??= this.#follow().finally(() => (this.#changing = undefined)))
        // Another place is asked at once.
        if (this.#at.url === url) await delay(againMs, undefined, init.signal ? { signal: init.signal } : {})
      }
    }
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const { url, key } = this.#at
    const headers = new Headers(init.headers)
    if (key !== null) headers.set('authorization', `Bearer ${key}`)
    const own = this.#own?.target
    return (own?.url === url ? own.fetch : fetch)(`${url}${path}`, { ...init, headers })
  }

  /** Looks who holds the directory now. One who serves it for others may be about to come back: that is waited for. */
  async #follow(): Promise<void> {
    const now = performance.now()
    this.#awaySince ??= now
    const owner = await ownerUrl(this.#kept.directory).catch(() => this.#at.url)
    if (owner !== undefined) return this.#move(owner)
    if (now - this.#awaySince >= ownerAwayMs) await this.#move(await this.open())
  }
}
