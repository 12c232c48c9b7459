import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Failure, limits } from '@llm-eval/protocol'
import type { WebSocket } from 'ws'
import type { Principal } from '../access/principal.ts'
import type { Deps } from '../http/app.ts'
import { principalOf } from './admission.ts'
import { Breath } from './breath.ts'
import { RunHub } from './hub.ts'
import { mostFaults, parseMessage } from './messages.ts'
import { SocketOutlet } from './outlet.ts'
import { type Purpose, Session } from './session.ts'

/** What tests set smaller than a day's work would allow. Milliseconds. */
export interface SocketSettings {
  heartbeatMs: number
  /** Without a drained byte before a reader is cut; more than two heartbeats. */
  stallMs: number
  /** Between two live deliveries. */
  flushMs: number
  /** To say who one is. */
  authMs: number
  /** Open sockets, at most. */
  most: number
}

/** A socket that was let in, or has yet to say who it is. */
export interface Opening {
  /** What carries the socket. */
  raw: Socket
  /** Null until the first message says it. */
  principal: Principal | null
  purpose: Purpose
}

interface Connection {
  socket: WebSocket
  words: Words
  outlet: SocketOutlet
}

/** The open WebSockets of runs of this process. */
export class RunSockets {
  readonly #deps: Deps
  readonly #settings: SocketSettings
  readonly #hubs = new Map<number, RunHub>()
  readonly #open = new Set<WebSocket>()
  readonly #breath = new Breath(elapsed)

  constructor(deps: Deps, settings: SocketSettings) {
    this.#deps = deps
    this.#settings = settings
  }

  /** Serves a socket until it is over. Throws where there is no room for it. */
  serve(socket: WebSocket, opening: Opening): void {
    if (this.#open.size >= this.#settings.most) throw new Failure('too_many_streams', { retryAfter: 5 })
    this.#count(socket)
    const outlet = new SocketOutlet(socket, opening.raw, this.#settings.stallMs)
    const words = new Words(socket)
    this.#converse({ socket, words, outlet }, opening)
      .catch((error: unknown) => this.refuse(socket, error))
      .finally(() => words.forget())
  }

  async #converse({ socket, words, outlet }: Connection, opening: Opening): Promise<void> {
    const principal = opening.principal ?? (await this.#introduced(socket, words))
    if (principal === null || outlet.closed) return
    this.#keepAlive(socket, { outlet, principal })
    const hub = await this.#hubOf(socket, principal.projectId)
    const parts = { deps: this.#deps, hub, projectId: principal.projectId, outlet, purpose: opening.purpose }
    const session = new Session(parts)
    socket.once('close', () => session.close())
    await session.begin()
    await this.#listen(words, session)
    // What was begun while it closed ends as well.
    session.close()
  }

  /** Closes a socket with what went wrong. */
  refuse(socket: WebSocket, error: unknown): void {
    const failure = error instanceof Failure ? error : new Failure('internal', { cause: error })
    this.#deps.meters.failures.inc({ code: failure.code })
    if (failure.code === 'internal') this.#deps.log.error({ err: error }, 'a socket failed')
    socket.close(closeCode(failure), failure.code)
  }

  close(): void {
    for (const hub of this.#hubs.values()) hub.close()
  }

  #count(socket: WebSocket): void {
    const { streams } = this.#deps.meters
    this.#open.add(socket)
    streams.inc({ kind: 'run_sockets' })
    socket.once('close', () => {
      this.#open.delete(socket)
      streams.dec({ kind: 'run_sockets' })
    })
    const { closing } = this.#deps
    const leave = () => socket.close(1012, 'shutting_down')
    closing.addEventListener('abort', leave, { once: true })
    socket.once('close', () => closing.removeEventListener('abort', leave))
  }

  /** Who the first message says they are; null when there was none in time. */
  async #introduced(socket: WebSocket, words: Words): Promise<Principal | null> {
    const timer = setTimeout(() => socket.close(4408, 'auth_timeout'), this.#settings.authMs)
    try {
      const text = await words.next()
      if (text === null) return null
      const said = parseMessage(text)
      if ('error' in said || said.type !== 'auth') throw new Failure('unauthenticated')
      return await principalOf(this.#deps.access, said.token)
    } finally {
      clearTimeout(timer)
    }
  }

  async #listen(words: Words, session: Session): Promise<void> {
    let faults = 0
    for (let text = await words.next(); text !== null; text = await words.next()) {
      const said = parseMessage(text)
      if ('error' in said) {
        session.refuse(said.code, said.error)
        if (++faults >= mostFaults) return words.end(1008, 'too_many_faults')
      } else if (said.type !== 'auth') await session.answer(said)
    }
  }

  /** Looks at every heartbeat whether somebody is still there, and may still be. */
  #keepAlive(socket: WebSocket, { outlet, principal }: { outlet: SocketOutlet; principal: Principal }): void {
    const { access, log, now } = this.#deps
    let unanswered = 0
    socket.on('pong', () => {
      unanswered = 0
    })
    const beat = () => {
      // One may still be on its way.
      if (unanswered++ === 2) return socket.terminate()
      socket.ping()
      const timestamp = new Date(now()).toISOString()
      if (!outlet.full) outlet.tell({ event_type: 'ping', type: 'ping', timestamp })
      access.stillValid(principal).then(
        (valid) => valid || this.refuse(socket, new Failure('invalid_key')),
        (error: unknown) => log.warn({ err: error }, 'the key of an open socket could not be checked'),
      )
    }
    const timer = setInterval(beat, this.#settings.heartbeatMs)
    timer.unref()
    socket.once('close', () => clearInterval(timer))
  }

  /** One follower of each project's journal, while anybody watches. */
  async #hubOf(socket: WebSocket, projectId: number): Promise<RunHub> {
    const hub = this.#hubs.get(projectId) ?? this.#openHub(projectId)
    hub.users.add(socket)
    const leave = () => {
      hub.users.delete(socket)
      if (hub.users.size === 0) this.#dropHub(projectId, hub)
    }
    socket.once('close', leave)
    if (socket.readyState !== socket.OPEN) leave()
    try {
      await hub.begun()
      return hub
    } catch (error) {
      this.#dropHub(projectId, hub)
      throw error
    }
  }

  #openHub(projectId: number): RunHub {
    const { store, log } = this.#deps
    const hub: RunHub = new RunHub({
      store,
      projectId,
      flushMs: this.#settings.flushMs,
      elapsed,
      breath: this.#breath,
      onError: (error) => log.error({ err: error }, 'runs could not be followed'),
      onLost: () => {
        this.#dropHub(projectId, hub)
        for (const socket of hub.users) socket.close(1013, 'storage_unavailable')
      },
    })
    this.#hubs.set(projectId, hub)
    return hub
  }

  #dropHub(projectId: number, hub: RunHub): void {
    hub.close()
    if (this.#hubs.get(projectId) === hub) this.#hubs.delete(projectId)
  }
}

/** Milliseconds of a clock that is never set. */
function elapsed(): number {
  return performance.now()
}

/** What a client says, one message after the other: the next one is not read off the wire before it is asked for. */
class Words {
  readonly #socket: WebSocket
  readonly #said: string[] = []
  #wake: () => void = () => undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (socket.readyState !== socket.OPEN) return
      if (isBinary) return this.end(1003, 'binary')
      this.#said.push(data.toString())
      socket.pause()
      this.#wake()
    })
    socket.once('close', () => this.#wake())
  }

  /** Null once the socket is over. */
  async next(): Promise<string | null> {
    while (this.#said.length === 0) {
      if (this.#socket.readyState !== this.#socket.OPEN) return null
      this.#socket.resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#said.shift() ?? null
  }

  end(code: number, reason: string): void {
    this.#socket.close(code, reason)
    this.forget()
    this.#wake()
  }

  /** Nobody listens any more: what is read now is the client's goodbye. */
  forget(): void {
    this.#said.length = 0
    this.#socket.resume()
  }
}

/** 4000 and the HTTP status for what is the client's to mend, else what the protocol has for it (RFC 6455, 7.4.1). */
function closeCode({ status }: Failure): number {
  if (status < 500) return 4_000 + status
  return status === 503 ? 1013 : 1011
}

/** The settings of a server. */
export function settingsOf({ heartbeat_seconds: seconds }: Deps['config']): SocketSettings {
  return {
    heartbeatMs: seconds * 1_000,
    stallMs: Math.max(limits.streamStallSeconds, 2 * seconds) * 1_000,
    flushMs: 25,
    authMs: limits.socketAuthSeconds * 1_000,
    most: limits.runSockets,
  }
}
