/** Executions: started, listed, followed and cancelled; and the evaluation of stored traces. */
import { randomUUID } from 'node:crypto'
import { evaluationRoutes, type Execution, Failure, limits, pathTo } from '@llm-eval/protocol'
import {
  evaluateTraceInput,
  executeInput,
  execution,
  executionPage,
  executionQuery,
  executionsInput,
  executionsQuery,
  startedExecution,
  startedExecutions,
} from '@llm-eval/protocol/evaluation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Ask } from '../judging/judge.ts'
import { isOver, toExecution } from '../judging/wire.ts'
import { registerExecutionStreams } from './streams.ts'

const bySlug = z.object({ slug: name })
const byId = z.object({ execution_id: name })

/** Bytes of what one request to execute may hold: the input, and a little around it. */
const executeBytes = limits.evaluationInputBytes + limits.evaluatorBytes

/** Serves the routes of executions. */
export function registerExecutions(app: App, deps: Deps): void {
  const { store } = deps
  const { executions } = deps.judge
  mount(app, evaluationRoutes.executeEvaluator, {
    schema: { params: bySlug, body: executeInput, response: { 200: startedExecution, 202: startedExecution } },
    bodyLimit: executeBytes,
    handler: async (request, reply) => {
      const { projectId } = request.principal
      const ask = askOf({ evaluator: request.params.slug, ...request.body })
      const started = await executions.start(projectId, [ask])
      const [one] = await waited(deps, { request, reply }, { started, seconds: request.body.wait })
      if (one === undefined) throw new Error('an execution was started, and none was told')
      return reply.code(isOver(one.status) ? 200 : 202).send({ ...one, ...urlsOf(one) })
    },
  })
  mount(app, evaluationRoutes.startExecutions, {
    schema: { body: executionsInput, response: { 200: startedExecutions, 202: startedExecutions } },
    bodyLimit: limits.batchBytes,
    handler: async (request, reply) => {
      const { body } = request
      const at = (index: number) => `executions[${index}].`
      return startMany(deps, { request, reply }, { asks: body.executions.map(askOf), at, seconds: body.wait })
    },
  })
  mount(app, evaluationRoutes.evaluateTrace, {
    schema: {
      params: z.object({ trace_id: name }),
      body: evaluateTraceInput,
      response: { 200: startedExecutions, 202: startedExecutions },
    },
    handler: async (request, reply) => {
      const { body, params } = request
      const at = (index: number) => `evaluators[${index}].`
      const asks = body.evaluators.map(({ slug, config }) => ({ evaluator: slug, config, traceId: params.trace_id }))
      return startMany(deps, { request, reply }, { asks, at, seconds: body.wait })
    },
  })
  mount(app, evaluationRoutes.listExecutions, {
    schema: { querystring: executionsQuery, response: { 200: executionPage } },
    handler: async ({ principal, query }) => {
      const { evaluator, status, batch_id: batchId, trace_id: traceId, limit, cursor = null } = query
      const filter = { evaluator: evaluator?.replaceAll('_', '-'), status, batchId, traceId }
      const page = await store.read(principal.projectId, 'executions', { filter, limit, cursor })
      if ('invalidCursor' in page) {
        const message = 'is not a cursor of this list: leave it out to start from the newest execution'
        throw new Failure('invalid_query', { errors: [{ path: 'cursor', message }] })
      }
      return { items: page.items, next_cursor: page.nextCursor }
    },
  })
  mount(app, evaluationRoutes.getExecution, {
    schema: { params: byId, querystring: executionQuery, response: { 200: execution } },
    handler: async (request, reply) => {
      const { projectId } = request.principal
      const id = request.params.execution_id
      if (request.query.wait !== undefined)
        return executions.result(projectId, id, { signal: patience(reply, request.query.wait) })
      const stored = await store.read(projectId, 'execution', { id })
      if (stored === null) throw new Failure('execution_not_found')
      return toExecution(stored)
    },
  })
  mount(app, evaluationRoutes.cancelExecution, {
    schema: { params: byId, response: { 200: execution } },
    handler: ({ principal, params }) => executions.cancel(principal.projectId, params.execution_id),
  })
  registerExecutionStreams(app, deps)
}

type Asked = { evaluator: string } & Omit<z.infer<typeof executeInput>, 'wait'>

function askOf({ evaluator, version, input, config, trace_id: traceId }: Asked): Ask {
  return { evaluator, version, input, config, traceId }
}

interface Exchange {
  request: Pick<FastifyRequest, 'principal'>
  reply: FastifyReply
}

async function startMany(
  deps: Deps,
  { request, reply }: Exchange,
  { asks, at, seconds }: { asks: Ask[]; at: (index: number) => string; seconds: number | undefined },
) {
  const batchId = `bat_${randomUUID().replaceAll('-', '')}`
  const started = await deps.judge.executions.start(request.principal.projectId, asks, { batchId, at })
  const all = await waited(deps, { request, reply }, { started, seconds })
  return reply.code(all.every(({ status }) => isOver(status)) ? 200 : 202).send({
    batch_id: batchId,
    events_url: pathTo(evaluationRoutes.batchEvents, { batch_id: batchId }),
    executions: all,
  })
}

/** The executions as they stand when all are over, or the time is up. */
async function waited(
  { judge }: Deps,
  { request, reply }: Exchange,
  { started, seconds = 0 }: { started: Execution[]; seconds: number | undefined },
): Promise<Execution[]> {
  if (seconds === 0) return started
  const signal = patience(reply, seconds)
  const { projectId } = request.principal
  return Promise.all(started.map(({ execution_id: id }) => judge.executions.result(projectId, id, { signal })))
}

/** Ends after so many seconds, or when nobody waits for the answer any more. */
function patience({ raw }: FastifyReply, seconds: number): AbortSignal {
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(), seconds * 1000)
  raw.once('close', () => {
    clearTimeout(timer)
    // Of an answer that is out nobody has to be told.
    if (!raw.writableFinished) ending.abort()
  })
  return ending.signal
}

function urlsOf({ execution_id }: Execution) {
  return {
    stream_url: `/executions/events/${execution_id}`,
    events_url: pathTo(evaluationRoutes.executionEvents, { execution_id }),
  }
}
