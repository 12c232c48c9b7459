import type { Run, RunProgress } from '@llm-eval/protocol'
import type { QueryClient } from '@tanstack/react-query'
import { type ListedRuns, runKeys } from '../api/runs.ts'
import type { RunUpdate } from './run-frames.ts'

/** What the socket of runs tells, laid over everything on the screen, in this one place. */
export interface RunCache {
  update: (update: RunUpdate, progress: RunProgress | null) => void
  gap: (runId: string | null) => void
}

export interface RunCacheParts {
  queryClient: QueryClient
  later: (callback: () => void, ms: number) => unknown
}

interface Pages {
  pages: ListedRuns[]
  pageParams: unknown[]
}

/** Between two readings of the lists, however much happens; longer where they are long. Milliseconds. */
const pauseMs = 400
/** Pages that are kept of a list that nobody looks at, and that are read again in one pause. */
const mostPages = 10
const mostIds = 10_000

export function createRunCache({ queryClient, later }: RunCacheParts): RunCache {
  /** Of runs that were heard of: who is deleted may be told by this number alone. */
  const ids = new Map<number, string>()
  let isReading = false
  let isOld = false

  function change(runId: string, revise: (run: Run) => Run | null): void {
    queryClient.setQueriesData<Pages>({ queryKey: runKeys.lists }, (data) => data && revisePages(data, runId, revise))
    queryClient.setQueryData<Run>(runKeys.detail(runId), (run) => (run ? (revise(run) ?? run) : run))
  }

  /** Has the lists read again: one reading after the other, so that many changes cannot keep cutting it off. */
  function readLists(): void {
    isOld = true
    if (isReading) return
    isReading = true
    isOld = false
    // What somebody looks at may be far down.
    queryClient.setQueriesData<Pages>({ queryKey: runKeys.lists, type: 'inactive' }, (data) =>
      data && data.pages.length > mostPages
        ? { pages: data.pages.slice(0, mostPages), pageParams: data.pageParams.slice(0, mostPages) }
        : data,
    )
    const lists = queryClient.getQueriesData<Pages>({ queryKey: runKeys.lists, type: 'active' })
    const longest = Math.max(mostPages, ...lists.map(([, data]) => data?.pages.length ?? 0))
    const over = (): void => {
      isReading = false
      if (isOld) readLists()
    }
    void queryClient
      .invalidateQueries({ queryKey: runKeys.lists })
      .finally(() => later(over, (pauseMs * longest) / mostPages))
  }

  function readRun(runId: string): void {
    void queryClient.invalidateQueries({ queryKey: runKeys.run(runId) })
    void queryClient.invalidateQueries({
      queryKey: runKeys.comparisons,
      predicate: ({ queryKey: [, runs] }) => Array.isArray(runs) && runs.includes(runId),
    })
  }

  return {
    update(update, progress) {
      const runId = update.runId ?? ids.get(update.ref) ?? null
      if (runId !== null) {
        ids.set(update.ref, runId)
        const oldest = ids.size > mostIds ? ids.keys().next() : undefined
        if (oldest && !oldest.done) ids.delete(oldest.value)
        change(runId, (run) => (update.type === 'run_deleted' ? null : revised(run, update, progress)))
        readRun(runId)
      } else void queryClient.invalidateQueries({ queryKey: ['run'] })
      readLists()
    },
    gap(runId) {
      if (runId !== null) return readRun(runId)
      readLists()
      void queryClient.invalidateQueries({ queryKey: ['run'] })
      void queryClient.invalidateQueries({ queryKey: runKeys.comparisons })
    },
  }
}

function revised(run: Run, update: RunUpdate, progress: RunProgress | null): Run {
  // What comes with the next reading is there until then as it was told last: nothing on the screen goes back.
  const told = progress && { cost: progress.cost, unknown_costs: progress.unknown_costs, metrics: progress.metrics }
  return {
    ...run,
    ...told,
    status: update.status,
    stopped_by: update.stoppedBy,
    name: update.name ?? run.name,
    total_items: update.total,
    completed_items: update.completed,
    successful_items: update.successful,
    success_rate: update.successRate,
  }
}

function revisePages(data: Pages, runId: string, revise: (run: Run) => Run | null): Pages {
  if (!data.pages.some(({ items }) => items.some((run) => run.run_id === runId))) return data
  const pages = data.pages.map((page) => ({
    ...page,
    items: page.items.flatMap((run) => (run.run_id === runId ? (revise(run) ?? []) : run)),
  }))
  return { ...data, pages }
}
