import { Failure, type Route } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Access } from '../access/guard.ts'
import { isSameOrigin } from '../access/origins.ts'
import type { Principal } from '../access/principal.ts'
import type { Deps } from '../http/app.ts'

/** Callers who have yet to say who they are. */
export type Callers = WeakSet<FastifyRequest>

/**
 * Finds out who opens a socket: by key, ticket or cookie. Who sends none of them is let in to say it in the first message, and is
 * nobody until then.
 */
export async function admit(
  { access, config }: Pick<Deps, 'access' | 'config'>,
  { request, reply, route }: { request: FastifyRequest; reply: FastifyReply; route: Route },
  strangers: Callers,
): Promise<void> {
  try {
    request.principal = await access.admit(request, route)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'unauthenticated' || !request.ws) throw error
    request.principal = { projectId: access.home, project: 'default', keyId: null, name: null, scopes: [] }
    strangers.add(request)
  }
  await access.charge(request, reply, { kind: 'stream', cost: 1 })
  const { headers, host } = request
  const { origin } = headers
  // Browsers let any page open a socket and send the cookie along: the server has to look where it comes from.
  if (!access.required() || strangers.has(request) || origin === undefined || headers.cookie === undefined) return
  if (access.allowsOrigin(origin) || isSameOrigin(host, headers, config)) return
  throw new Failure('origin_refused')
}

/** Whose key or ticket a first message holds. */
export async function principalOf(access: Access, token: string): Promise<Principal> {
  const byKey = await access.keys.byKey(token)
  const principal = byKey ?? (await byTicket(access, token))
  if (principal === null) throw new Failure('invalid_key')
  const { scopes } = principal
  if (!scopes.includes('read') && !scopes.includes('admin'))
    throw new Failure('forbidden', { values: { scope: 'read' } })
  return principal
}

async function byTicket(access: Access, token: string): Promise<Principal | null> {
  const keyId = await access.tokens.redeem('ticket', token)
  return typeof keyId === 'string' ? access.keys.byId(keyId) : null
}
