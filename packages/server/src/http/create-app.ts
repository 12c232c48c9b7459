import cors from '@fastify/cors'
import swagger from '@fastify/swagger'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Failure, type Fault } from '@llm-eval/protocol'
import fastify, { type FastifyBaseLogger, type FastifyRequest, LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import { createRequestTimer } from '../meters/request-timer.ts'
import { descriptionOptions } from './api-description.ts'
import type { App, Deps, Register } from './app.ts'
import { acceptJson } from './bodies.ts'
import { answerError, answerMissing } from './answers.ts'
import { answerBrokenHttp } from './broken-http.ts'
import { corsOptions } from './cors.ts'

import { createBodyBudget } from './raw-body.ts'
import { acceptSockets } from './sockets.ts'
import { createWaitingRoom } from './waiting-room.ts'

/** Makes the server with everything that holds for each route, and the given slices on it. It does not listen yet. */
export function createApp(deps: Deps, slices: readonly Register[]): App {
  // Of the framework's own lines only warnings and worse: it is `main.ts` that tells where the server listens.
  const level = deps.log.isLevelEnabled('info') ? 'warn' : deps.log.level
  const log: FastifyBaseLogger = deps.log.child({}, { level })
  const streaming = new WeakSet<Socket>()
  const app = fastify({
    loggerInstance: log,
    // One child logger per request would cost more than the request; lines name the request id where they are written.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    rewriteUrl: (request) => withoutEmptySegments(request.url ?? '/'),
    trustProxy: deps.config.trusted_proxies.length > 0 ? deps.config.trusted_proxies : false,
    routerOptions: { maxParamLength: 2_000, ignoreTrailingSlash: true },
    bodyLimit: Number.MAX_SAFE_INTEGER,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // For a connection on which nothing moves, such as that of a reader who stopped in the middle of an export.
    connectionTimeout: 300_000,
    // For the whole of a request to arrive, an import being the longest (others have less: see raw-body.ts); answers may
    // take as long as they like.
    requestTimeout: 3_600_000,
    clientErrorHandler: (error, socket) => {
      if (streaming.has(socket)) socket.destroy()
      else answerBrokenHttp(error, socket)
    },
    frameworkErrors: (error, request, reply) => answerError(deps, { error, request, reply }),
  }).withTypeProvider<ZodTypeProvider>()

  app.decorate('access', deps.access)
  app.decorate('mounted', [])
  app.decorate('sockets', [])
  app.decorate('bodyBudget', createBodyBudget())
  app.decorate('waitingRoom', createWaitingRoom())
  app.decorate('streaming', streaming)
  app.decorateRequest('claimedBytes', 0)
  app.decorateRequest('signature', null)
  app.decorateRequest('principal')
  app.setValidatorCompiler(validator)
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  acceptJson(app)
  app.addHook('onRequest', (request, reply, done) => {
    // What comes after a stream on its connection could never be answered.
    if (streaming.has(request.raw.socket)) {
      reply.hijack()
      request.raw.socket.destroy()
      return
    }
    reply.header('x-request-id', request.id)
    if (request.routeOptions.config.route) reply.headers(apiHeaders)
    if (deps.closing.aborted && request.url !== '/health') throw new Failure('shutting_down', { retryAfter: 1 })
    deps.access.screen(request)
    done()
  })
  const observe = createRequestTimer(deps)
  // Not when the answer is out: of a caller who went away, or whose answer waits behind another one, it never is.
  // oxlint-disable-next-line max-params -- the form that Fastify gives a hook that answers at once
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (request.claimedBytes > 0) letGo(app, request)
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    observe(request, reply)
    done()
  })
  app.setErrorHandler((error, request, reply) => answerError(deps, { error, request, reply }))
  app.setNotFoundHandler((request, reply) => answerMissing(deps, { mounted: app.mounted, request, reply }))
  void app.register(cors, { delegator: corsOptions(deps.access) })
  void app.register(swagger, descriptionOptions(deps.version))
  // Inside a plugin of its own, so that the description's hooks are there when the routes come.
  void app.register(async (scope: App) => {
    for (const register of slices) register(scope, deps)
    acceptSockets(scope)
  })
  return app
}

/** Foreign clients put their paths after a base URL that may end in a slash: `//v2/…`, `/api/v1//v2/…`. */
function withoutEmptySegments(url: string): string {
  const foreign = /^\/+(?:api\/+v1\/+)?v[12]\/[^?]*/.exec(url)?.[0]
  return foreign?.includes('//') ? foreign.replace(/\/{2,}/g, '/') + url.slice(foreign.length) : url
}

/** The body has done its work once there is an answer. */
function letGo(app: App, request: FastifyRequest): void {
  app.bodyBudget.give(request.claimedBytes)
  request.claimedBytes = 0
  request.body = undefined
}

/** What the answers of the API, which are no pages, tell browsers. */
const apiHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}

/** The caller's own id where it is a sane one, so that both logs can be laid side by side. */
function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID()
}

/** Validation by zod, answered with a row of the failure table. */
function validator({ schema, httpPart }: { schema: unknown; httpPart?: string }) {
  if (!(schema instanceof z.ZodType)) throw new TypeError('a route schema must be a zod schema')
  const code = httpPart === 'body' ? 'invalid_request' : 'invalid_query'
  return (data: unknown) => {
    const result = schema.safeParse(data)
    if (result.success) return { value: result.data }
    const errors = faultsOf(result.error.issues, schema)
    return { error: new Failure(code, { errors: code === 'invalid_query' ? errors.map(sayTwice) : errors }) }
  }
}

/** A parameter that is given twice arrives as a list. */
function sayTwice(fault: Fault): Fault {
  return fault.message === 'must be of type string, not array'
    ? { ...fault, message: 'is given more than once' }
    : fault
}
