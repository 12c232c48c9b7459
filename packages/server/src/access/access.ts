import { Failure, limits, type Route, type Scope, scopes } from '@llm-eval/protocol'
import type { Store } from '@llm-eval/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { keyOf, sessionCookie, sessionOf } from './credentials.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { isFriendlyOrigin, isLocalRequest, isLoopback, isSameOrigin } from './origins.ts'
import type { Access, ChargeKind } from './guard.ts'
import type { Principal } from './principal.ts'
import { addressBucket, type Allowance, createMemoryLimiter, type Limiter } from './rate-limits.ts'
import { checkSignature, isSigned } from './signatures.ts'
import { createTokens, type Tokens } from './tokens.ts'

/** What access is made of. */
export interface AccessParts {
  store: Store
  config: Config
  now: () => number
  log: Logger
  /** In memory unless one is handed in. */
  limiter?: Limiter
}

/** Makes the access of one server; reads the keys once, so that the first request knows whether any exist. */
export async function createAccess(parts: AccessParts): Promise<Access> {
  const { store, config, now, log } = parts
  const home = await store.read(0, 'project', { name: 'default' })
  if (home === null) throw new Error('the store has no project named default')
  const keys = createKeyRing({ store, now, log, home: home.id, foreignKey: config.admin_key })
  await keys.refresh()
  const tokens = createTokens({ store, now, home: home.id })
  const callers = createCallers({ config, keys, tokens, home: home.id })
  const limiter = parts.limiter ?? createMemoryLimiter()
  const isLocal = createLocalTest(config)
  const identify = async (request: FastifyRequest): Promise<Principal | null> =>
    callers.required() ? callers.find(request) : callers.everybody

  return {
    keys,
    tokens,
    home: home.id,
    required: callers.required,
    screen(request) {
      if (!callers.required() && !isLocal(request)) throw new Failure('origin_refused')
    },
    admit: callers.admit,
    identify,
    async reader(request) {
      const caller = await identify(request).catch(() => null)
      return caller !== null && hasScope(caller, 'read') ? caller : null
    },
    verify(request, raw) {
      if (config.webhook_secrets.length === 0) return null
      const check = checkSignature(request.headers, raw, { secrets: config.webhook_secrets, now: now() })
      if (check.result === 'valid') return check.signature
      if (check.result === 'none' && request.principal.keyId !== null) return null
      const detail = check.result === 'none' ? 'there is no signature header' : check.detail
      throw new Failure('bad_signature', { values: { detail } })
    },
    charge(request, reply, { kind, cost }) {
      if (!callers.required()) return
      const limit = limitOf(config, { kind, principal: request.principal })
      if (limit === 0) return
      const { keyId } = request.principal
      const bucket = `${kind}:${keyId === null ? addressBucket(request.ip) : keyId}`
      const allowance = limiter.take({ bucket, cost, perMinute: limit, at: now() })
      const finish = (result: Allowance) => settle(reply, { limit, allowance: result, at: now() })
      return allowance instanceof Promise ? allowance.then(finish) : finish(allowance)
    },
    async stillValid(principal) {
      if (principal.keyId === null) return !callers.required()
      try {
        return (await keys.byId(principal.keyId)) !== null
      } catch (error) {
        // A database that does not answer is no reason to cut everybody who is watching.
        log.warn({ err: error }, 'a key could not be checked again')
        return true
      }
    },
    allowsOrigin: (origin) =>
      callers.required() ? config.cors_origins.includes(origin) : isFriendlyOrigin(origin, config),
    async startSession(request, reply, keyId) {
      const { token } = await tokens.issue('session', keyId)
      reply.header(
        'set-cookie',
        sessionCookie(token, { secure: isSecure(request, config), seconds: limits.sessionSeconds }),
      )
    },
    async endSession(request, reply) {
      const token = sessionOf(request.headers)
      if (token === undefined) return
      if (!isSameOrigin(request.host, request.headers, config)) throw new Failure('origin_refused')
      await tokens.endSession(token)
      reply.header('set-cookie', sessionCookie('', { secure: isSecure(request, config), seconds: 0 }))
    },
  }
}

/** Tells local requests from others. Tools send nothing but the same Host again and again, so its verdict is remembered. */
function createLocalTest(config: Config): (request: FastifyRequest) => boolean {
  let good: string | undefined
  return ({ host, headers }) => {
    const bare = headers.origin === undefined && headers['sec-fetch-site'] === undefined
    if (bare && host !== undefined && host === good) return true
    const local = isLocalRequest(host, headers, config)
    if (bare && local) good = host
    return local
  }
}

interface CallerParts {
  config: Config
  keys: KeyRing
  tokens: Tokens
  home: number
}

/** Finds out who is calling. Answers with a promise only when the store has to be asked. */
function createCallers({ config, keys, tokens, home }: CallerParts) {
  const open = isLoopback(config.host)
  const inHome = { projectId: home, project: 'default', keyId: null, name: null }
  const everybody: Principal = { ...inHome, scopes }
  const nobody: Principal = { ...inHome, scopes: [] }
  const signer: Principal = { ...inHome, scopes: ['ingest'] }
  const required = () => !open || keys.anyKeys()

  async function bySession(request: FastifyRequest, token: string): Promise<Principal | null> {
    const keyId = await tokens.session(token)
    if (typeof keyId !== 'string') return null
    const principal = await keys.byId(keyId)
    if (principal === null || isSafe(request.method)) return principal
    // The browser sends the cookie by itself: a request that changes something must come from our own page.
    if (!isSameOrigin(request.host, request.headers, config)) throw new Failure('origin_refused')
    return principal
  }

  async function byTicket(ticket: string): Promise<Principal> {
    const keyId = await tokens.redeem('ticket', ticket)
    const principal = typeof keyId === 'string' ? await keys.byId(keyId) : null
    if (principal === null) throw new Failure('invalid_token')
    return principal
  }

  /** Null when the request names nobody; fails when it names somebody wrongly. */
  function find(request: FastifyRequest): Principal | null | Promise<Principal | null> {
    const key = keyOf(request.headers)
    if (key !== undefined) {
      const found = keys.byKey(key)
      return found instanceof Promise ? found.then(known) : known(found)
    }
    const session = sessionOf(request.headers)
    return session === undefined ? null : bySession(request, session)
  }

  function admit(
    request: FastifyRequest,
    { scope, limit }: Pick<Route, 'scope' | 'limit'>,
  ): Principal | Promise<Principal> {
    if (!required()) return everybody
    if (scope === null) return nobody
    const ticket = limit === 'stream' && keyOf(request.headers) === undefined ? ticketOf(request.query) : undefined
    if (ticket !== undefined) return byTicket(ticket).then((principal) => withScope(principal, scope))
    const decide = (principal: Principal | null) => {
      if (principal) return withScope(principal, scope)
      if (limit === 'ingest' && config.webhook_secrets.length > 0) {
        // Who it is shows only once the body is there; `verify` decides then.
        if (isSigned(request.headers)) return signer
        throw new Failure('bad_signature', { values: { detail: 'there is neither a signature header nor an API key' } })
      }
      throw new Failure('unauthenticated')
    }
    const found = find(request)
    return found instanceof Promise ? found.then(decide) : decide(found)
  }

  return { required, admit, find, everybody }
}

function known(principal: Principal | null): Principal {
  if (principal === null) throw new Failure('invalid_key')
  return principal
}

function withScope(principal: Principal, scope: Scope): Principal {
  if (hasScope(principal, scope)) return principal
  throw new Failure('forbidden', { values: { scope } })
}

function hasScope({ scopes: given }: Principal, scope: Scope): boolean {
  return given.includes('admin') || given.includes(scope)
}

function ticketOf(query: unknown): string | undefined {
  const given = typeof query === 'object' && query !== null && 'ticket' in query ? query.ticket : undefined
  return typeof given === 'string' ? given : undefined
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

function isSecure(request: FastifyRequest, config: Config): boolean {
  return request.protocol === 'https' || config.public_url?.startsWith('https:') === true
}

/** Requests per minute; 0 is no limit. Callers without a key get a tenth. */
function limitOf(
  { rate_limits: rates }: Config,
  { kind, principal }: { kind: ChargeKind; principal: Principal },
): number {
  const perKey = { ingest: rates.traces_per_minute, read: rates.reads_per_minute, stream: rates.streams_per_minute }[
    kind
  ]
  return principal.keyId === null ? Math.ceil(perKey / 10) : perKey
}

function settle(
  reply: FastifyReply,
  { limit, allowance, at }: { limit: number; allowance: Allowance; at: number },
): void {
  const { allowed, remaining, fullIn, retryAfter } = allowance
  reply.headers({
    'ratelimit-policy': `"default";q=${limit};w=60`,
    ratelimit: `"default";r=${remaining};t=${fullIn}`,
    'x-rate-limit': limit,
    'x-rate-limit-remaining': remaining,
    'x-rate-limit-reset': Math.ceil(at / 1000) + fullIn,
  })
  if (!allowed) throw new Failure('rate_limited', { values: { limit }, retryAfter })
}
