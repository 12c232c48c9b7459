import { Failure, pathsOf, type Route } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { Access } from '../access/guard.ts'
import type { Principal } from '../access/principal.ts'
import type { App } from './app.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** What a route accepts and answers. */
export interface RouteSchema {
  params?: z.ZodType
  /** Use a `z.strictObject`: unknown parameters are refused, with a suggestion. Without one no parameter is accepted. */
  querystring?: z.ZodType
  /** Parsed JSON that the schema accepted becomes `request.body`. */
  body?: z.ZodType
  /** By status; for the API description alone: answers are written as they are. `z.null()` is an answer without a body. */
  response?: Record<number, z.ZodType | Described>
}

/** An answer or a body that is not JSON, or that needs a sentence of its own. */
export interface Described {
  description: string
  /** By media type. */
  content: Record<string, { schema: z.ZodType }>
}

/** Describes an answer or a body by what it is and, for each media type it can come in, its shape. */
export function described(description: string, shapes: Record<string, z.ZodType>): Described {
  const content = Object.fromEntries(Object.entries(shapes).map(([type, schema]) => [type, { schema }]))
  return { description, content }
}

type Parsed<Schema, Otherwise> = Schema extends z.ZodType ? z.output<Schema> : Otherwise

/** A request after its schema accepted it. */
export type RequestOf<S extends RouteSchema> = FastifyRequest<{
  Params: Parsed<S['params'], Record<string, string>>
  Querystring: Parsed<S['querystring'], Record<string, unknown>>
  Body: Parsed<S['body'], unknown>
}>

/** How a route is served. */
export interface Mounted<S extends RouteSchema> {
  schema?: S
  /** Bytes of the body, after decompression; `limits.bodyBytes` without it. */
  bodyLimit?: number
  /** Levels of nesting of the body; `limits.jsonDepth` without it. */
  bodyDepth?: number
  /** Shown in the API description as the body of a route that reads raw bytes, or that looks into what it was given. */
  describedBody?: z.ZodType | Described
  /** Returns the answer, or sends it by `reply` and returns `reply`. Throw a `Failure` to refuse. */
  handler: (request: RequestOf<S>, reply: FastifyReply) => unknown
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The row of the route table that is served here. */
    route?: Route
    bodyBytes?: number
    bodyDepth?: number
    describedBody?: z.ZodType | Described
    /** Of a route that is not mounted as the others are. */
    described?: RouteSchema
  }
  interface FastifyInstance {
    access: Access
    /** Every mounted method and path, to tell 405 from 404. */
    mounted: { method: string; path: string }[]
    /** Where requests of foreign clients wait for their rate limit. */
    waitingRoom: WaitingRoom
  }
}

/**
 * Serves a route of the table at each of its paths. Before the handler runs, the caller was authenticated and has the
 * scope, the rate limit (`read`, `stream`) was charged, the signature of an ingest request was checked, and params, query
 * and body fit their schemas. Ingest handlers charge for themselves, since they cost as much as they hold traces.
 */
export function mount<S extends RouteSchema>(app: App, route: Route, mounted: Mounted<S>): void {
  const { querystring = unqueried(route), ...schema } = mounted.schema ?? {}
  const bodySchema = mounted.schema?.body
  for (const url of pathsOf(route)) {
    app.mounted.push({ method: route.method, path: url })
    const shared = {
      url,
      config: {
        route,
        ...(mounted.bodyLimit === undefined ? {} : { bodyBytes: mounted.bodyLimit }),
        ...(mounted.bodyDepth === undefined ? {} : { bodyDepth: mounted.bodyDepth }),
        ...(mounted.describedBody === undefined ? {} : { describedBody: mounted.describedBody }),
      },
      onRequest: (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
        const admitted = admit(app, { request, reply, route })
        if (admitted) return admitted
        done()
      },
    }
    // The head of a stream must not open the stream.
    if (route.limit === 'stream') {
      app.route({
        ...shared,
        method: 'HEAD',
        schema: { hide: true },
        handler: (_request, reply) => reply.type('text/event-stream; charset=utf-8').send(),
      })
    }
    app.route({
      ...shared,
      method: route.method,
      exposeHeadRoute: route.method === 'GET' && route.limit !== 'stream',
      schema: { summary: route.summary, ...schema, ...(querystring ? { querystring } : {}) },
      preValidation: (request, _reply, done) => {
        if (route.limit === 'ingest') request.signature = app.access.verify(request, rawBody(request))
        if (bodySchema && request.body === undefined) return done(emptyBody())
        done()
      },
      handler: (request, reply) =>
        mounted.handler(request as unknown as RequestOf<S>, reply as unknown as FastifyReply),
    })
  }
}

/** Returns a promise only where the caller is not known yet, which is seldom. */
function admit(app: App, { request, reply, route }: { request: FastifyRequest; reply: FastifyReply; route: Route }) {
  const enter = (principal: Principal) => {
    request.principal = principal
    const { limit } = route
    if (limit !== 'read' && limit !== 'stream') return
    const charge = () => app.access.charge(request, reply, { kind: limit, cost: 1 })
    return route.errors === 'foreign' ? app.waitingRoom.charge(charge, () => request.raw.destroyed) : charge()
  }
  const admitted = app.access.admit(request, route)
  return admitted instanceof Promise ? admitted.then(enter) : enter(admitted)
}

/** Health checks are often asked with a cache buster, and webhooks and foreign clients carry what they like. */
function unqueried(route: Route): z.ZodType | undefined {
  return route.scope === null || route.errors !== 'problem' ? undefined : z.strictObject({})
}

function rawBody(request: FastifyRequest): Buffer {
  if (Buffer.isBuffer(request.body)) return request.body
  throw emptyBody()
}

function emptyBody(): Failure {
  return new Failure('malformed_json', { values: { detail: 'it is empty' } })
}
