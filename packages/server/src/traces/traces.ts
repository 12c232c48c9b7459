/** Lists, shows, reviews, exports and deletes traces: `/api/v1/traces`, `/api/v1/users`. */
import { Failure, routes, type TraceDetail, type TracePage } from '@llm-eval/protocol'
import { deletion, traceDetail, tracePage } from '@llm-eval/protocol/answers'
import { exportQuery, listQuery, name, type ParsedReview, reviewInput } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { Principal } from '../access/principal.ts'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'
import { pagedBody } from '../http/paged-body.ts'
import { exportPages } from './export.ts'
import { invalidCursor, sliceMs, toDetail, toFilter } from './query.ts'

const byTraceId = z.object({ trace_id: name })

const exported = described('One trace a line; each line of JSON Lines is a whole trace.', {
  'application/jsonl': traceDetail,
  'text/csv': z.string(),
})

/** Traces that one step of erasing a user deletes; each step is a transaction of its own. */
const eraseStep = 500

/** Serves the routes of traces. */
export function registerTraces(app: App, deps: Deps): void {
  mount(app, routes.listTraces, {
    schema: { querystring: listQuery, response: { 200: tracePage } },
    handler: async (request) => listPage(deps, request.principal, request.query),
  })
  mount(app, routes.exportTraces, {
    schema: { querystring: exportQuery, response: { 200: exported } },
    handler: async (request, reply) => {
      const { format, ...filter } = request.query
      const pages = { store: deps.store, projectId: request.principal.projectId, filter: toFilter(filter) }
      const day = new Date(deps.now()).toISOString().slice(0, 10)
      reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/jsonl; charset=utf-8')
        .header('content-disposition', `attachment; filename="traces-${day}.${format}"`)
        .header('cache-control', 'no-store')
      // Asked for the head alone, nothing has to be read.
      return request.method === 'HEAD' ? reply.send() : reply.send(await pagedBody(exportPages(pages, format)))
    },
  })
  mount(app, routes.getTrace, {
    schema: { params: byTraceId, response: { 200: traceDetail } },
    handler: async (request) => wholeTrace(deps, request.principal, request.params.trace_id),
  })
  mount(app, routes.deleteTrace, {
    schema: { params: byTraceId, response: { 200: deletion } },
    handler: async (request) => {
      const traceId = request.params.trace_id
      const { found } = await deps.store.apply(request.principal.projectId, {
        kind: 'deleteTrace',
        traceId,
        at: deps.now(),
      })
      if (!found) throw new Failure('trace_not_found')
      return { deleted: 1 }
    },
  })
  mount(app, routes.reviewTrace, {
    schema: { params: byTraceId, body: reviewInput, response: { 200: traceDetail } },
    handler: async (request) => {
      await review(deps, request.principal, { traceId: request.params.trace_id, verdict: request.body })
      return wholeTrace(deps, request.principal, request.params.trace_id)
    },
  })
  mount(app, routes.eraseUser, {
    schema: { params: z.object({ user_id: name }), response: { 200: deletion } },
    handler: async (request) => ({ deleted: await erase(deps, request.principal, request.params.user_id) }),
  })
}

async function listPage(
  { store }: Deps,
  { projectId }: Principal,
  { limit, cursor, ...query }: z.infer<typeof listQuery>,
): Promise<TracePage> {
  const filter = toFilter(query)
  const page = await store.read(projectId, 'listTraces', { filter, limit, cursor: cursor ?? null, sliceMs })
  if ('invalidCursor' in page) throw invalidCursor()
  const answer: TracePage = {
    items: page.items,
    next_cursor: page.nextCursor,
    searched_to: page.searchedTo === null ? null : new Date(page.searchedTo).toISOString(),
  }
  if (filter.q === undefined) return answer
  return { ...answer, search_lag: (await store.read(projectId, 'lags', {})).search }
}

async function wholeTrace({ store }: Deps, { projectId }: Principal, traceId: string): Promise<TraceDetail> {
  const trace = await store.read(projectId, 'trace', { traceId })
  if (!trace) throw new Failure('trace_not_found')
  return toDetail(trace)
}

async function review(
  { store, now }: Deps,
  principal: Principal,
  { traceId, verdict }: { traceId: string; verdict: ParsedReview },
): Promise<void> {
  const outcome = await store.apply(principal.projectId, {
    kind: 'review',
    traceId,
    status: verdict.status,
    reason: verdict.reason ?? null,
    note: verdict.note ?? null,
    reviewer: verdict.reviewer ?? principal.name,
    at: now(),
    expectedVersion: verdict.expected_version ?? null,
  })
  switch (outcome.result) {
    case 'ok':
      return
    case 'not_found':
      throw new Failure('trace_not_found')
    case 'version_conflict': {
      const { version, status, reviewer } = outcome
      throw new Failure('version_conflict', {
        values: { version, status },
        members: { version, evaluation_status: status, reviewer },
      })
    }
    case 'already_claimed':
      throw new Failure('already_claimed', {
        values: { reviewer: outcome.reviewer },
        members: { evaluation_status: 'in_review', reviewer: outcome.reviewer },
      })
  }
}

async function erase({ store, now }: Deps, { projectId }: Principal, userId: string): Promise<number> {
  let deleted = 0
  for (;;) {
    const step = await store.apply(projectId, { kind: 'eraseUser', userId, at: now(), limit: eraseStep })
    deleted += step.deleted
    if (!step.more) return deleted
  }
}
