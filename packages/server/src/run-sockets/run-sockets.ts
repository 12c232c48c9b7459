/** Follows runs over WebSocket: one, several, or what becomes of all of them. */
import { Failure, runSocketRoutes } from '@llm-eval/protocol'
import { ticket } from '@llm-eval/protocol/answers'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'
import { mountSocket } from '../http/sockets.ts'
import { admit, type Callers } from './admission.ts'
import { anyFrame, bareSocketQuery, socketQuery } from './messages.ts'
import type { Purpose } from './session.ts'
import { RunSockets, settingsOf, type SocketSettings } from './sockets.ts'

const params = z.object({ run_id: name })
const response = {
  101: described('A WebSocket. Each of its messages is such a JSON text; `seq` is a cursor to go on after.', {
    'application/json': anyFrame,
  }),
}

/** Serves the WebSockets of runs, and the tickets that open them. */
export function registerRunSockets(app: App, deps: Deps): void {
  registerRunSocketsWith(app, deps, settingsOf(deps.config))
}

/** The same with other settings. */
export function registerRunSocketsWith(app: App, deps: Deps, settings: SocketSettings): void {
  const sockets = new RunSockets(deps, settings)
  const strangers: Callers = new WeakSet()
  app.addHook('onClose', async () => sockets.close())

  const follow = (
    route: (typeof runSocketRoutes)['socket' | 'runSocket' | 'runStatusSocket'],
    schema: { params?: z.ZodType; querystring: z.ZodType },
    purposeOf: (request: FastifyRequest) => Purpose,
  ) =>
    mountSocket(app, route, {
      schema: { ...schema, response },
      admit: (request, reply) => admit(deps, { request, reply, route }, strangers),
      serve: (socket, request, refusal) => {
        try {
          if (refusal !== undefined) throw refusal
          const principal = strangers.has(request) ? null : request.principal
          sockets.serve(socket, { raw: request.raw.socket, principal, purpose: purposeOf(request) })
        } catch (error) {
          sockets.refuse(socket, error)
        }
      },
    })

  follow(runSocketRoutes.runStatusSocket, { querystring: socketQuery }, ({ query }) => ({
    of: 'statuses',
    after: parsed(socketQuery, query).after_seq,
  }))
  follow(runSocketRoutes.runSocket, { params, querystring: socketQuery }, ({ params: given, query }) => ({
    of: 'run',
    runId: parsed(params, given).run_id,
    after: parsed(socketQuery, query).after_seq,
  }))
  follow(runSocketRoutes.socket, { querystring: bareSocketQuery }, ({ query }) => {
    parsed(bareSocketQuery, query)
    return { of: 'nothing' }
  })

  mount(app, runSocketRoutes.createSocketTicket, {
    schema: { response: { 201: ticket } },
    handler: async (request, reply) => {
      const issued = await deps.access.tokens.issue('ticket', request.principal.keyId)
      return reply.code(201).send({ ticket: issued.token, expires_at: new Date(issued.expiresAt).toISOString() })
    },
  })
}

function parsed<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new Failure('invalid_query', {
    errors: result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  })
}
