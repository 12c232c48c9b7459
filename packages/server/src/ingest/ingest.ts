/** Takes in traces: `/webhook/*`. */
import { hash, randomBytes } from 'node:crypto'
import { Failure, limits, routes, type WebhookStats } from '@llm-eval/protocol'
import { batchReceipt, webhookAnswer, webhookHealth, webhookStats } from '@llm-eval/protocol/answers'
import { batchInput, name, traceInput } from '@llm-eval/protocol/schemas'
import type { Ingest, IngestResult } from '@llm-eval/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { acceptRawJson } from '../http/bodies.ts'
import { described, mount } from '../http/mount.ts'
import { openBatch, prepareBatch, readSingle } from '../intake/requests.ts'
import { batchAnswer, type Fate, refusal, singleAnswer } from './answers.ts'
import { createTally, type Tally } from './tally.ts'

/** Serves the webhook routes. */
export function registerIngest(app: App, deps: Deps): void {
  const tally = createTally(deps.meters)
  app.register((scope, _options, done) => {
    acceptRawJson(scope, { maxBytes: limits.batchBytes })
    mount(scope, routes.sendTrace, {
      schema: { response: { 200: webhookAnswer } },
      bodyLimit: limits.traceBytes,
      describedBody: traceInput,
      handler: (request, reply) => tally.refusals(takeTrace({ deps, tally, request, reply })),
    })
    mount(scope, routes.sendBatch, {
      schema: {
        response: {
          200: webhookAnswer,
          207: described('Some traces were stored and some refused.', { 'application/json': webhookAnswer }),
          409: described('Each trace is a conflict; none was stored.', { 'application/json': webhookAnswer }),
          422: described('Nothing could be stored.', { 'application/json': refusedBatch }),
        },
      },
      bodyLimit: limits.batchBytes,
      describedBody: batchInput,
      handler: (request, reply) => tally.refusals(takeBatch({ deps, tally, request, reply })),
    })
    done()
  })
  mountQueries(app, deps)
}

/** What refuses a batch as a whole tells no fates of traces, but what to do next. */
const refusedBatch = webhookAnswer.extend({ next: z.string().exactOptional(), request_id: z.string().exactOptional() })

interface Call {
  deps: Deps
  tally: Tally
  request: FastifyRequest
  reply: FastifyReply
}

async function takeTrace({ deps, tally, request, reply }: Call): Promise<FastifyReply> {
  const bytes = bodyOf(request)
  tally.bytes(bytes.length)
  await charge({ deps, request, reply }, 1)
  const accepted = readSingle(bytes, deps.now())
  const { outcomes } = await store(deps, request, { traces: [accepted.trace] })
  const outcome = outcomes[0]
  if (!outcome) throw new Error('the store told no outcome')
  const answer = singleAnswer(accepted, outcome)
  tally.outcome(outcome.status)
  return sendJson(reply, 200, answer)
}

async function takeBatch({ deps, tally, request, reply }: Call): Promise<FastifyReply> {
  const bytes = bodyOf(request)
  tally.bytes(bytes.length)
  const at = deps.now()
  const batch = await openCharged({ deps, request, reply }, bytes)
  const batchId = batch.batchId ?? `batch_${randomBytes(12).toString('hex')}`
  const { source } = batch
  const items = prepareBatch(batch, { at, source, batchId })
  const traces = items.flatMap((item) => ('trace' in item ? item.trace : []))
  const refused = items.map((item) => ('trace' in item ? null : { status: 'invalid' as const, error: refusal(item) }))
  // A batch of which nothing can be stored leaves no receipt either.
  const receipt = { batchId, source, receivedAt: at, refused }
  const { outcomes } = traces.length > 0 ? await store(deps, request, { traces, receipt }) : { outcomes: [] }
  const told = outcomes.values()
  const fates = items.map((item): Fate => {
    if (!('trace' in item)) {
      tally.outcome('invalid')
      return { item }
    }
    const outcome = told.next().value
    if (!outcome) throw new Error('the store told too few outcomes')
    tally.outcome(outcome.status)
    return { item, outcome }
  })
  const { status, body } = batchAnswer({ batchId, fates, warnings: batch.warnings })
  return sendJson(reply, status, body)
}

interface Caller {
  deps: Deps
  request: FastifyRequest
  reply: FastifyReply
}

/** A batch costs as many as it holds; one that cannot be read costs one. */
async function openCharged(caller: Caller, bytes: Uint8Array) {
  let batch
  try {
    batch = openBatch(bytes)
  } catch (error) {
    await charge(caller, 1)
    throw error
  }
  await charge(caller, batch.traces.length)
  return batch
}

/** Awaits only where the limit is kept outside this process: a promise costs more than the limiter. */
function charge({ deps, request, reply }: Caller, cost: number): void | Promise<void> {
  return deps.access.charge(request, reply, { kind: 'ingest', cost })
}

async function store({ store: target }: Deps, request: FastifyRequest, ingest: Ingest): Promise<IngestResult> {
  const id = request.signature?.messageId
  const message = typeof id === 'string' ? { id, bodyHash: hash('sha256', bodyOf(request), 'hex') } : undefined
  const result = await target.ingest(request.principal.projectId, message ? { ...ingest, message } : ingest)
  if (result.replay) throw new Failure('replayed_id')
  return result
}

function bodyOf(request: FastifyRequest): Buffer {
  if (Buffer.isBuffer(request.body)) return request.body
  throw new TypeError('the route was mounted without raw bodies')
}

function sendJson(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body))
}

function mountQueries(app: App, deps: Deps): void {
  mount(app, routes.webhookStats, {
    schema: { response: { 200: webhookStats } },
    handler: async (request): Promise<WebhookStats> => {
      const now = deps.now()
      const day = Math.floor(now / 86_400_000)
      const metrics = await deps.store.read(request.principal.projectId, 'metrics', { day })
      return {
        total_traces: metrics.total_traces,
        today_traces: metrics.today_traces,
        pending_evaluation: metrics.pending_traces,
        timestamp: new Date(now).toISOString(),
      }
    },
  })
  mount(app, routes.webhookHealth, {
    schema: { response: { 200: webhookHealth } },
    handler: async () => {
      await reachable(deps)
      return { status: 'healthy', timestamp: new Date(deps.now()).toISOString(), endpoints }
    },
  })
  mount(app, routes.getBatch, {
    schema: { params: z.object({ batch_id: name }), response: { 200: batchReceipt } },
    handler: async (request) => {
      const batchId = request.params.batch_id
      const receipt = await deps.store.read(request.principal.projectId, 'receipt', { batchId })
      if (!receipt) throw new Failure('batch_not_found')
      return receipt
    },
  })
}

const endpoints = Object.values(routes)
  .map((route) => route.path)
  .filter((path) => path.startsWith('/webhook/'))

async function reachable({ store: target }: Deps): Promise<void> {
  try {
    await target.ping()
  } catch (cause) {
    throw new Failure('storage_unavailable', { retryAfter: 5, cause })
  }
}
