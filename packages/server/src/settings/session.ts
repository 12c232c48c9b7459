import { Failure, routes } from '@llm-eval/protocol'
import { session, ticket } from '@llm-eval/protocol/answers'
import { signInInput } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { Principal } from '../access/principal.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'

/** Signing in and out in a browser, and the tickets that open streams where no header can be sent. */
export function registerSession(app: App, { access }: Deps): void {
  mount(app, routes.getSession, {
    schema: { response: { 200: session } },
    handler: async (request) => sessionInfo(await access.identify(request), access.required()),
  })

  mount(app, routes.signIn, {
    schema: { body: signInInput, response: { 200: session } },
    handler: async (request, reply) => {
      const { body } = request
      const principal = 'key' in body ? await access.keys.byKey(body.key.trim()) : await byLink(body.token)
      if (principal?.keyId == null) throw new Failure('key' in body ? 'invalid_key' : 'invalid_token')
      await access.startSession(request, reply, principal.keyId)
      return sessionInfo(principal, access.required())
    },
  })

  mount(app, routes.signOut, {
    schema: { response: { 204: z.null().describe('The session is over.') } },
    handler: async (request, reply) => {
      await access.endSession(request, reply)
      return reply.code(204).send()
    },
  })

  mount(app, routes.createTicket, {
    schema: { response: { 201: ticket } },
    handler: async (request, reply) => {
      const issued = await access.tokens.issue('ticket', request.principal.keyId)
      return reply.code(201).send({ ticket: issued.token, expires_at: new Date(issued.expiresAt).toISOString() })
    },
  })

  async function byLink(token: string): Promise<Principal | null> {
    const keyId = await access.tokens.redeem('signin', token)
    return typeof keyId === 'string' ? access.keys.byId(keyId) : null
  }
}

/** What callers may see of themselves. */
function sessionInfo(principal: Principal | null, required: boolean) {
  return {
    authenticated: required && principal !== null,
    auth_required: required,
    name: principal?.name ?? null,
    project: principal?.project ?? 'default',
    scopes: [...(principal?.scopes ?? [])],
  }
}
