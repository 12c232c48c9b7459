import websocket from '@fastify/websocket'
import { Failure, limits, pathsOf, type Route } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import type { App } from './app.ts'
import type { RouteSchema } from './mount.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What adds the routes that are WebSockets. */
    sockets: ((scope: App) => void)[]
  }
}

/** How a route is served that is a WebSocket. */
export interface MountedSocket {
  /** For the API description alone: browsers see no answer to an upgrade, so handlers look at params and query by themselves. */
  schema: RouteSchema
  /** Finds out who is calling, before the upgrade. */
  admit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  /** `refusal` is what `admit` threw: it is told by the close code. */
  serve: (socket: WebSocket, request: FastifyRequest, refusal: unknown) => void | Promise<void>
}

/** Serves a route of the table as a WebSocket, at each of its paths. Anything else is answered `upgrade_required`. */
export function mountSocket(app: App, route: Route, { schema, admit, serve }: MountedSocket): void {
  const refusals = new WeakMap<FastifyRequest, unknown>()
  for (const url of pathsOf(route)) {
    app.mounted.push({ method: route.method, path: url })
    app.sockets.push((scope) => {
      scope.route({
        method: 'GET',
        url,
        exposeHeadRoute: false,
        config: { route, described: schema },
        schema: { summary: route.summary },
        onRequest: async (request, reply) => {
          try {
            await admit(request, reply)
          } catch (error) {
            if (!request.ws) throw error
            refusals.set(request, error)
          }
        },
        handler: () => {
          throw new Failure('upgrade_required')
        },
        wsHandler: (socket, request) => serve(socket, request, refusals.get(request)),
      })
    })
  }
}

/** Puts all of them into one scope: each further one would take every upgrade once more. */
export function acceptSockets(app: App): void {
  if (app.sockets.length === 0) return
  void app.register(async (scope: App) => {
    await scope.register(websocket, {
      options: { maxPayload: limits.socketMessageBytes, perMessageDeflate: false },
      // A message that breaks the protocol, or is too large, has its close code sent already.
      errorHandler: (_error, socket) => {
        if (socket.readyState !== socket.CLOSING) socket.terminate()
      },
    })
    for (const add of app.sockets) add(scope)
  })
}
