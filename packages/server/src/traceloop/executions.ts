/** Starts and runs evaluators for Traceloop's SDKs, and hands out results. */
import { type Execution, type ExecutionStarted, limits, traceloopRoutes } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Ask } from '../judging/judge.ts'
import { mappedAsk, mappedInput, runInput, startInput } from './asks.ts'
import { executionDocument, flatResult, guardResult, startedExecution } from './answers.ts'
import { createLongPoll } from './long-poll.ts'
import { documentOf, resultOf } from './results.ts'

const bySlug = z.object({ slug: name })
const bodyLimit = limits.evaluationInputBytes

/** Milliseconds that a request waits for a place in a full queue: these clients do not try again. */
export const patienceMs = limits.foreignPatienceSeconds * 1000

/** Where the result of an execution is waited for, as these clients put it after `/v2`. */
export function started({ execution_id }: Execution): ExecutionStarted {
  return { execution_id, stream_url: `/executions/events/${execution_id}` }
}

/** Serves the routes that start and run evaluators, and the one that waits for results. */
export function registerExecutions(app: App, deps: Deps): void {
  const { judge, store, log, meters } = deps
  const longPoll = createLongPoll({
    log,
    onWaiting: (waiting) => meters.streams.set({ kind: 'long_polls' }, waiting),
  })

  mount(app, traceloopRoutes.startEvaluator, {
    schema: { params: bySlug, body: startInput, response: { 200: z.union([startedExecution, flatResult]) } },
    bodyLimit,
    handler: async (request, reply) => {
      const { slug: evaluator } = request.params
      if ('input' in request.body) return flat(await run(deps, { request, reply, ask: { evaluator, ...request.body } }))
      return start(
        deps,
        request,
        await mappedAsk({ store, projectId: request.principal.projectId }, evaluator, request.body),
      )
    },
  })
  mount(app, traceloopRoutes.startEvaluatorBySlug, {
    schema: { params: bySlug, body: mappedInput, response: { 200: startedExecution } },
    bodyLimit,
    handler: async (request) => {
      const source = { store, projectId: request.principal.projectId }
      return start(deps, request, await mappedAsk(source, request.params.slug, request.body))
    },
  })
  for (const route of [traceloopRoutes.runEvaluator, traceloopRoutes.runEvaluatorOld]) {
    mount(app, route, {
      schema: { params: bySlug, body: runInput, response: { 200: flatResult } },
      bodyLimit,
      handler: async (request, reply) =>
        flat(await run(deps, { request, reply, ask: { evaluator: request.params.slug, ...request.body } })),
    })
  }
  for (const route of [traceloopRoutes.runGuard, traceloopRoutes.runGuardOld]) {
    mount(app, route, {
      schema: { params: bySlug, body: runInput, response: { 200: guardResult } },
      bodyLimit,
      handler: async (request, reply) =>
        guarded(await run(deps, { request, reply, ask: { evaluator: request.params.slug, ...request.body } })),
    })
  }
  mount(app, traceloopRoutes.awaitExecution, {
    schema: { params: z.object({ execution_id: name }), response: { 200: executionDocument } },
    handler: (request, reply) => {
      if (request.method === 'HEAD') return reply.type('application/json; charset=utf-8').send()
      const id = request.params.execution_id
      const { projectId } = request.principal
      return longPoll(reply, {
        id,
        document: async (signal) => documentOf(await judge.executions.result(projectId, id, { signal })),
      })
    },
  })
}

async function start({ judge }: Deps, request: FastifyRequest, ask: Ask): Promise<ExecutionStarted> {
  const [execution] = await judge.executions.start(request.principal.projectId, [ask], { patienceMs })
  if (execution === undefined) throw new Error('an execution was started, and none was told')
  return started(execution)
}

/** Runs it for as long as somebody waits for the answer. */
async function run(
  { judge }: Deps,
  { request, reply, ask }: { request: FastifyRequest; reply: FastifyReply; ask: Ask },
) {
  const leaving = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) leaving.abort()
  })
  return judge.executions.run(request.principal.projectId, ask, { signal: leaving.signal, patienceMs })
}

function flat(execution: Execution) {
  return { ...resultOf(execution).fields, execution_id: execution.execution_id }
}

/** A guard without a verdict lets pass, as a count or a perplexity does. */
function guarded(execution: Execution) {
  const { fields, passed } = resultOf(execution)
  return { result: fields, pass: passed ?? true, execution_id: execution.execution_id }
}
