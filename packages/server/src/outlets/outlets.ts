import { Failure } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../access/principal.ts'
import type { Deps } from '../http/app.ts'
import { Outlet } from './outlet.ts'

export interface OutletSettings {
  /** Milliseconds without a drained byte before a reader is cut; more than two heartbeats. */
  stallMs: number
  /** Open streams, at most. */
  most: number
}

/** The open event streams of one slice: so many there may be, and each ends when its caller's right does, or the server. */
export class Outlets {
  readonly #deps: Pick<Deps, 'access' | 'log' | 'meters'>
  readonly #settings: OutletSettings
  readonly #open = new Map<Outlet, { principal: Principal; kind: string }>()

  constructor(deps: Pick<Deps, 'access' | 'log' | 'meters' | 'closing'>, settings: OutletSettings) {
    this.#deps = deps
    this.#settings = settings
    deps.closing.addEventListener('abort', () => this.endAll(), { once: true })
  }

  /**
   * Makes the answer to a request a stream.
   *
   * @param kind what the streams are counted by
   * @throws {Failure} `too_many_streams`
   */
  async open(request: FastifyRequest, reply: FastifyReply, kind: string): Promise<Outlet> {
    if (this.#open.size >= this.#settings.most) throw new Failure('too_many_streams', { retryAfter: 5 })
    reply.hijack()
    request.server.streaming.add(request.raw.socket)
    const headers = Object.fromEntries(Object.entries(reply.getHeaders()).filter(([name]) => name !== 'content-length'))
    const outlet = await Outlet.open(request.raw, reply.raw, { headers, stallMs: this.#settings.stallMs })
    this.#open.set(outlet, { principal: request.principal, kind })
    this.#deps.meters.streams.inc({ kind })
    outlet.onClose(() => {
      this.#open.delete(outlet)
      this.#deps.meters.streams.dec({ kind })
    })
    return outlet
  }

  ofKind(kind: string): Outlet[] {
    return [...this.#open].flatMap(([outlet, stream]) => (stream.kind === kind ? [outlet] : []))
  }

  /** Ends the streams of those who may not watch any more. */
  check(): void {
    const verdicts = new Map<string | null, Promise<boolean>>()
    for (const [outlet, { principal }] of this.#open) {
      if (!verdicts.has(principal.keyId)) verdicts.set(principal.keyId, this.#stillValid(principal))
      void verdicts.get(principal.keyId)?.then((valid) => valid || outlet.end())
    }
  }

  /** Clients come back spread over a second or two, not all in the same moment. */
  endAll(): void {
    for (const outlet of this.#open.keys()) outlet.end(500 + Math.floor(Math.random() * 1_500))
  }

  /** A database that does not answer at the moment is no reason to end every stream. */
  async #stillValid(principal: Principal): Promise<boolean> {
    try {
      return await this.#deps.access.stillValid(principal)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'the keys of open streams could not be checked')
      return true
    }
  }
}
