import type { Route } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeyRing } from './key-ring.ts'
import type { Principal, Signature } from './principal.ts'
import type { Tokens } from './tokens.ts'

/** What a rate limit counts: traces, requests, or opened streams. */
export type ChargeKind = 'ingest' | 'read' | 'stream'

/** Decides who may do what, and how often. `mount` asks it for every route; slices rarely need more than `charge` and `stillValid`. */
export interface Access {
  readonly keys: KeyRing
  readonly tokens: Tokens
  /** The id of the project `default`. */
  readonly home: number
  /** False on a loopback server without keys: everything is allowed and nobody signs in. */
  required(): boolean
  /** Refuses requests that another site's page made to an open loopback server. Holds for everything that is served. */
  screen(request: FastifyRequest): void
  /** The caller of a route, or the failure that refuses them. */
  admit(request: FastifyRequest, route: Pick<Route, 'scope' | 'limit'>): Principal | Promise<Principal>
  /** Who is calling, if anybody: for routes that everybody may call. */
  identify(request: FastifyRequest): Promise<Principal | null>
  /** The caller, if they may read. Never fails and costs nobody anything: for what is served to everybody, with more for readers. */
  reader(request: FastifyRequest): Promise<Principal | null>
  /** Checks the signature of an ingest request over the body's exact bytes; null where no secret is set or a key was given instead. */
  verify(request: FastifyRequest, raw: Buffer): Signature | null
  /** Takes `cost` out of the caller's budget, sets the rate limit headers, and throws `rate_limited` when it is used up. Await it. */
  charge(request: FastifyRequest, reply: FastifyReply, charge: { kind: ChargeKind; cost: number }): void | Promise<void>
  /** Whether the caller may still do what they were admitted for; for streams, which outlive the moment they were opened in. */
  stillValid(principal: Principal): Promise<boolean>
  /** Whether pages of this origin may read our answers. */
  allowsOrigin(origin: string): boolean
  /** Gives the browser a session that stands for a key. */
  startSession(request: FastifyRequest, reply: FastifyReply, keyId: string): Promise<void>
  /** Ends the session of the request's cookie, if it has one. */
  endSession(request: FastifyRequest, reply: FastifyReply): Promise<void>
}
