import {
  type Run,
  type RunDecision,
  type RunLimits,
  type RunMetric,
  runRoutes,
  runSocketRoutes,
  type RunTask,
} from '@llm-eval/protocol'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { anything, shape, text } from './checks.ts'
import type { Api } from './client.ts'
import { run, runItem, runMetrics, type RunPage, runPage } from './run-answers.ts'
import { type RunSearch, runsQueryOf } from './run-filters.ts'

/** Keys of the cache. Everything under `run`, id is about that run; all under `runs` are infinite lists of pages. */
export const runKeys = {
  lists: ['runs'] as const,
  list: (search: RunSearch) => ['runs', search] as const,
  run: (runId: string) => ['run', runId] as const,
  detail: (runId: string) => ['run', runId, 'detail'] as const,
  /** Not under `run`: many items take long to sum up, and are not summed up anew with each thing that becomes of their run. */
  metrics: (runId: string) => ['run-metrics', runId] as const,
  /** The ids of the runs follow. */
  comparisons: ['comparison'] as const,
}

const pageRows = '50'

/** A page of the list, and when it was read, in milliseconds since 1970: times in it are as of then. */
export type ListedRuns = RunPage & { at: number }

async function read(page: Promise<RunPage>): Promise<ListedRuns> {
  return { ...(await page), at: Date.now() }
}

/** How runs are read. What becomes of them comes over the socket of `stream/run-watch.ts`, which has them read again. */
export function runQueries(api: Api) {
  return {
    /** Runs, a page at a time. */
    list: (search: RunSearch) =>
      infiniteQueryOptions({
        queryKey: runKeys.list(search),
        initialPageParam: '',
        queryFn: ({ pageParam, signal }) => {
          const query = runsQueryOf(search)
          query.set('limit', pageRows)
          if (pageParam !== '') query.set('cursor', pageParam)
          return read(api({ route: runRoutes.listRuns, query, answer: runPage, signal }))
        },
        getNextPageParam: (last) => last.next_cursor,
        staleTime: 2_000,
      }),
    run: (runId: string) =>
      queryOptions({
        queryKey: runKeys.detail(runId),
        queryFn: ({ signal }) => api({ route: runRoutes.getRun, path: { run_id: runId }, answer: run, signal }),
        staleTime: 2_000,
      }),
    item: (runId: string, index: number) =>
      queryOptions({
        queryKey: [...runKeys.run(runId), 'item', index] as const,
        queryFn: ({ signal }) => {
          const path = { run_id: runId, item_index: String(index) }
          return api({ route: runRoutes.getRunItem, path, answer: runItem, signal })
        },
        staleTime: 2_000,
      }),
    /** Each metric with interval, percentiles and distribution. */
    metrics: (runId: string) =>
      queryOptions({
        queryKey: runKeys.metrics(runId),
        queryFn: ({ signal }) =>
          api({ route: runRoutes.getRunMetrics, path: { run_id: runId }, answer: runMetrics, signal }),
        staleTime: 2_000,
        placeholderData: keepPreviousData,
      }),
  }
}

/** What a run is made of; what is left out is the server's to choose. */
export interface NewRun {
  /** Made by the server without it. The same again makes nothing new. */
  run_id?: string
  name: string
  description?: string
  dataset: string
  dataset_version?: string
  task: RunTask
  metrics_used: RunMetric[]
  settings: {
    concurrency?: number
    timeout_ms?: number
    retries?: number
    repetitions?: number
    limits?: RunLimits
    decision?: RunDecision
  }
  tags: string[]
  model_name?: string
  environment?: string
  config: Record<string, unknown>
  metadata: Record<string, unknown>
}

export function createRun(api: Api, body: NewRun): Promise<Run> {
  return api({ route: runRoutes.createRun, body, answer: run })
}

/** What of a run can be changed. */
export type RunChange = Partial<Pick<Run, 'name' | 'description' | 'tags' | 'metadata'>>

export function changeRun(api: Api, runId: string, body: RunChange): Promise<Run> {
  return api({ route: runRoutes.updateRun, path: { run_id: runId }, body, answer: run })
}

export async function deleteRun(api: Api, runId: string): Promise<void> {
  await api({ route: runRoutes.deleteRun, path: { run_id: runId }, answer: anything })
}

export function cancelRun(api: Api, runId: string): Promise<Run> {
  return api({ route: runRoutes.cancelRun, path: { run_id: runId }, answer: run })
}

export function resumeRun(api: Api, runId: string): Promise<Run> {
  return api({ route: runRoutes.resumeRun, path: { run_id: runId }, body: {}, answer: run })
}

/** What somebody decides about a run. */
export interface Decision {
  verdict: 'approve' | 'reject'
  note: string | null
  /** Null where the server knows who asks. */
  by: string | null
}

export function decideRun(api: Api, runId: string, { verdict, ...body }: Decision): Promise<Run> {
  const route = verdict === 'approve' ? runRoutes.approveRun : runRoutes.rejectRun
  return api({ route, path: { run_id: runId }, body, answer: run })
}

/** A ticket that opens one WebSocket. */
export async function socketTicket(api: Api): Promise<string> {
  const answer = shape<{ ticket: string }>({ ticket: text })
  return (await api({ route: runSocketRoutes.createSocketTicket, body: {}, answer })).ticket
}
