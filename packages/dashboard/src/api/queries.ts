import {
  type ReviewStatus,
  type RejectReason,
  routes,
  type Route,
  type TraceDetail,
  type TracePage,
  type TraceSummary,
} from '@llm-eval/protocol'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Recent } from '../stream/changes.ts'
import * as answers from './answers.ts'
import { anything, type Check } from './checks.ts'
import type { Api } from './client.ts'
import { apiQuery, filterOf, type ListSearch } from './filters.ts'

/** Keys of the cache. Everything under `traces` is an infinite list of pages. */
export const keys = {
  metrics: ['metrics'] as const,
  lists: ['traces'] as const,
  list: (search: ListSearch) => ['traces', filterOf(search)] as const,
  newest: ['newest'] as const,
  details: ['trace'] as const,
  detail: (traceId: string) => ['trace', traceId] as const,
  series: ['series'] as const,
  facets: ['facets'] as const,
  settings: ['settings'] as const,
  apiKeys: ['keys'] as const,
  session: ['session'] as const,
  agentTests: ['agent-tests'] as const,
  conversations: ['conversations'] as const,
  conversationLists: ['conversations', 'list'] as const,
  /** All that is read of one. */
  conversation: (thread: string) => ['conversations', 'thread', thread] as const,
}

/** A page with the place in the feed from which newer traces are not in it. */
export interface ListPage extends TracePage {
  mark: number
}

/** Where a page starts. `now` stays the same for all pages of a list, so that a relative time range does not drift. */
export interface PageStart {
  cursor: string | null
  now: number
}

export interface QueryParts {
  api: Api
  recent: Recent
  /** The feed's place now. */
  mark: () => number
}

/** What to measure over time. */
export interface SeriesRequest {
  seconds: number
  stepSeconds: number
  model: string | undefined
}

const pageRows = 100
/** How long one page may search back before the reader is asked whether to go on. */
const patienceMs = 2_000
const firstPage: PageStart = { cursor: null, now: 0 }

/** How each thing on the screen is read. */
export function createQueries({ api, recent, mark }: QueryParts) {
  const get =
    <T>(route: Route, answer: Check<T>) =>
    ({ signal }: { signal: AbortSignal }) =>
      api({ route, answer, signal })

  async function page(query: URLSearchParams, signal: AbortSignal): Promise<ListPage> {
    const before = mark()
    const giveUp = Date.now() + patienceMs
    const items: TraceSummary[] = []
    for (;;) {
      const given = await api({ route: routes.listTraces, query, answer: answers.tracePage, signal })
      items.push(...given.items)
      // The server searches a slice at a time. Short ones are put together here, the reader need not ask for each.
      const short = given.searched_to !== null && given.next_cursor !== null && items.length < pageRows
      if (!short || Date.now() >= giveUp) return { ...recent.correct({ ...given, items }), mark: before }
      query.set('cursor', given.next_cursor ?? '')
    }
  }

  async function detail(traceId: string, signal: AbortSignal): Promise<TraceDetail> {
    const call = { route: routes.getTrace, path: { trace_id: traceId }, answer: answers.traceDetail, signal }
    const given = await api(call)
    // The stream told of a newer verdict while this answer was on its way.
    return given.version < recent.versionOf(traceId) ? await api(call) : given
  }

  return {
    metrics: () => queryOptions({ queryKey: keys.metrics, queryFn: get(routes.metrics, answers.metrics) }),
    list: (search: ListSearch) =>
      infiniteQueryOptions({
        queryKey: keys.list(search),
        initialPageParam: firstPage,
        queryFn: ({ pageParam, signal }) => {
          const query = apiQuery(search, pageParam.now || Date.now())
          query.set('limit', String(pageRows))
          if (pageParam.cursor !== null) query.set('cursor', pageParam.cursor)
          return page(query, signal)
        },
        getNextPageParam: (last, _pages, lastStart): PageStart | null =>
          last.next_cursor === null ? null : { cursor: last.next_cursor, now: lastStart.now || Date.now() },
      }),
    newest: () =>
      queryOptions({
        queryKey: keys.newest,
        queryFn: ({ signal }) => page(new URLSearchParams({ limit: '200' }), signal),
      }),
    detail: (traceId: string) =>
      queryOptions({ queryKey: keys.detail(traceId), queryFn: ({ signal }) => detail(traceId, signal) }),
    series: ({ seconds, stepSeconds, model }: SeriesRequest) =>
      queryOptions({
        queryKey: [...keys.series, seconds, stepSeconds, model ?? null],
        queryFn: ({ signal }) => {
          const step = stepSeconds * 1000
          const to = Math.floor(Date.now() / step) * step + step
          const query = new URLSearchParams({
            from: new Date(to - seconds * 1000).toISOString(),
            to: new Date(to).toISOString(),
            step_seconds: String(stepSeconds),
          })
          if (model !== undefined) query.set('model_name', model)
          return api({ route: routes.series, query, answer: answers.series, signal })
        },
        placeholderData: keepPreviousData,
        refetchInterval: Math.min(60_000, Math.max(5_000, stepSeconds * 100)),
        staleTime: 5_000,
      }),
    facets: () => queryOptions({ queryKey: keys.facets, queryFn: get(routes.facets, answers.facets) }),
    settings: () =>
      queryOptions({
        queryKey: keys.settings,
        queryFn: get(routes.settings, answers.settings),
        staleTime: 5_000,
        refetchInterval: 10_000,
      }),
    apiKeys: () =>
      queryOptions({ queryKey: keys.apiKeys, queryFn: get(routes.listKeys, answers.keyList), staleTime: 5_000 }),
    session: () => queryOptions({ queryKey: keys.session, queryFn: get(routes.getSession, answers.session) }),
  }
}

export type Queries = ReturnType<typeof createQueries>

/** A person's verdict, as it is sent. */
export interface ReviewRequest {
  status: ReviewStatus
  reason: RejectReason | null
  note: string | null
  reviewer?: string
  /** The version that was read; the server refuses the verdict if it changed since. */
  expected_version: number
}

/** Sends a verdict and returns the trace as it is then. */
export function sendReview(api: Api, traceId: string, body: ReviewRequest): Promise<TraceDetail> {
  return api({ route: routes.reviewTrace, path: { trace_id: traceId }, body, answer: answers.traceDetail })
}

export async function deleteTrace(api: Api, traceId: string): Promise<void> {
  await api({ route: routes.deleteTrace, path: { trace_id: traceId }, answer: anything })
}
