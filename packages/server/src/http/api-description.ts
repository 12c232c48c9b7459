import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import {
  agentRoutes,
  conversationRoutes,
  datasetRoutes,
  evaluationRoutes,
  failureTable,
  reviewStatuses,
  type Route,
  routes,
  runRoutes,
  traceloopRoutes,
} from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import * as z from 'zod'
import type { App } from './app.ts'
import { type Described, described, type RouteSchema } from './mount.ts'

const fault = z.object({ path: z.string(), message: z.string() })
const codes = Object.keys(failureTable)
const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(codes as [string, ...string[]]),
  detail: z.string(),
  next: z.string().describe('What to do about it.'),
  request_id: z.string(),
  errors: z.array(fault).optional(),
  version: z.int().optional().describe('Of a review that came in between.'),
  evaluation_status: z.enum(reviewStatuses).optional(),
  reviewer: z.string().nullish(),
})
const webhookError = z.object({
  success: z.literal(false),
  message: z.string(),
  processed_count: z.literal(0).nullable(),
  errors: z.array(z.string()),
  trace_ids: z.array(z.string()),
  code: z.enum(codes as [string, ...string[]]),
  next: z.string(),
  request_id: z.string(),
})
const foreignError = z.object({
  error: z.string().describe('What happened, in words.'),
  code: z.enum(codes as [string, ...string[]]),
  next: z.string(),
  request_id: z.string(),
})
const errorShapes = {
  problem: { 'application/problem+json': { schema: problem } },
  webhook: { 'application/json': { schema: webhookError } },
  foreign: { 'application/json': { schema: foreignError } },
}

const tables: Record<string, Route> = {
  ...routes,
  ...evaluationRoutes,
  ...datasetRoutes,
  ...runRoutes,
  ...agentRoutes,
  ...conversationRoutes,
  ...traceloopRoutes,
}
const names = new Map(Object.entries(tables).map(([name, route]) => [route, name]))

/** How the API description is made: from the route table and the schemas that validate. */
export function descriptionOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'llm-eval',
        version,
        description:
          'Real-time evaluation for LLM applications. Paths under /webhook, /stream, /ws and /v2 also answer below /api/v1. ' +
          "What stands under `traceloop` is for Traceloop's SDKs; everybody else is better served by the rest.",
      },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key. A loopback server without keys asks for none.',
          },
          header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          session: { type: 'apiKey', in: 'cookie', name: 'llm_eval_session' },
        },
      },
    },
    transform: (document) => {
      const { url, route } = document
      const row = route.config?.route
      // An alias is the same operation again.
      if (row === undefined || row.path !== url) return { schema: { hide: true }, url }
      const known = { ...document.schema, ...route.config?.described }
      const shown = { ...known, ...describe(row), response: answers(row, known.response) }
      const body = route.config?.describedBody
      if (body === undefined || body instanceof z.ZodType)
        return jsonSchemaTransform({ ...document, schema: body ? { ...shown, body } : shown })
      const transformed = jsonSchemaTransform({ ...document, schema: shown })
      return { ...transformed, schema: { ...transformed.schema, body: bodies(body) } }
    },
  }
}

function describe(row: Route) {
  return {
    operationId: names.get(row) ?? row.path,
    summary: row.summary,
    tags: [row.errors === 'foreign' ? 'traceloop' : (/^\/(?:api\/v1\/|ws\/)?(\w+)/.exec(row.path)?.[1] ?? 'other')],
    security: row.scope === null ? [] : [{ bearer: [] }, { header: [] }, { session: [] }],
    description: [row.details, row.scope && `A key needs the scope \`${row.scope}\`.`].filter(Boolean).join(' '),
  }
}

/** What may be sent, by media type. */
function bodies({ content }: Described) {
  const shapes = Object.entries(content).map(([type, { schema }]) => [
    type,
    { schema: z.toJSONSchema(schema, { io: 'input' }) },
  ])
  return { content: Object.fromEntries(shapes) as unknown }
}

function answers(row: Route, response: unknown): Record<string, unknown> {
  const successes = Object.entries((response ?? {}) as NonNullable<RouteSchema['response']>).map(([status, answer]) => {
    const isJson = answer instanceof z.ZodType && !(answer instanceof z.ZodNull)
    return [status, isJson ? described('Success.', { 'application/json': answer }) : answer]
  })
  return { ...Object.fromEntries(successes), default: { description: 'An error.', content: errorShapes[row.errors] } }
}

/** Serves the description at `/openapi.json`, and a page to browse it at `/docs`; both only to those who may read. */
export function registerDescription(app: App): void {
  const onRequest = (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    const admitted = app.access.admit(request, { scope: 'read', limit: null })
    if (admitted instanceof Promise) return admitted.then(() => undefined)
    done()
  }
  app.get('/openapi.json', { schema: { hide: true }, onRequest }, (_request, reply) => reply.send(app.swagger()))
  void app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { url: '/openapi.json', docExpansion: 'list', persistAuthorization: false },
    uiHooks: { onRequest },
    staticCSP: docsPolicy,
  })
}

/** The browser of the description styles itself inline; that is all it may do beyond the dashboard. */
const docsPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
