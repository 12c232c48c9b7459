import type { CaseChange, Run } from '@llm-eval/protocol'
import { useQueries, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { useCallback, useRef } from 'react'
import { comparisonQueries } from '../api/comparisons.ts'
import { runKeys, runQueries } from '../api/runs.ts'
import { comparedRuns, type CompareSearch, compareSearch, readCompare } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRuns } from '../app/watching.ts'
import { CopyButton } from '../components/copy-button.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { formatCount } from '../format/numbers.ts'
import { Cases, namesOf } from './compare-listing.tsx'
import { Differences } from './compare-differences.tsx'
import { ExportComparison } from './compare-export.tsx'
import { GatePanel } from './compare-gate.tsx'
import { MetricTables } from './compare-metrics.tsx'
import { RunPicker } from './compare-runs.tsx'
import { Findings, Warnings } from './compare-words.tsx'

const route = getRouteApi('/shell/compare')

/** Cases that are listed and drawn: never all of a large run. */
const listedCases = 500
const drawnCases = 1_000
/** Between two readings while a run goes on, in milliseconds. */
const pauseMs = 3_000

/** Runs held against the first of them. */
export function ComparePage() {
  const search = route.useSearch({ select: readCompare, structuralSharing: true })
  const navigate = route.useNavigate()
  const { api } = useParts()
  const ids = comparedRuns(search)
  const told = useQueries({ queries: ids.map((id) => runQueries(api).run(id)) })
  const runs = told.flatMap(({ data }) => data ?? [])
  useWatchedRuns()
  const onNews = useReadAgain()
  const change = useCallback(
    (part: Partial<Record<keyof CompareSearch, string | undefined>>) => {
      void navigate({ search: (before) => readCompare({ ...before, ...part }), replace: true, resetScroll: false })
    },
    [navigate],
  )
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-5 p-3 sm:p-6">
      <Link to="/runs" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Runs
      </Link>
      <h1 className="-mb-1 text-xl font-semibold">Compare</h1>
      <RunPicker
        ids={ids}
        onNews={onNews}
        onChange={(next) => change({ runs: compareSearch(next).runs, case: undefined })}
      />
      {ids.length < 2 ? (
        <Notice title="Choose two runs">Two to ten are compared, each with the first.</Notice>
      ) : (
        <Comparison ids={ids} runs={runs} search={search} onChange={change} />
      )}
    </div>
  )
}

/**
 * Has comparisons read again: one reading after the other, with a pause between them. A run that goes on has news all the time, and
 * that of a large one must not cut off the reading that is under way.
 */
function useReadAgain(): () => void {
  const { queryClient } = useParts()
  const state = useRef({ isReading: false, isOld: false })
  return useCallback(() => {
    const read = (): void => {
      state.current.isOld = state.current.isReading
      if (state.current.isReading) return
      state.current.isReading = true
      const over = (): void => {
        state.current.isReading = false
        if (state.current.isOld) read()
      }
      const filter = { queryKey: runKeys.comparisons }
      setTimeout(() => void queryClient.invalidateQueries(filter, { cancelRefetch: false }).finally(over), pauseMs)
    }
    read()
  }, [queryClient])
}

interface BodyProps {
  ids: readonly string[]
  /** Those that are known by now. */
  runs: readonly Run[]
  search: CompareSearch
  onChange: (part: Partial<Record<keyof CompareSearch, string | undefined>>) => void
}

function Comparison({ ids, runs, search, onChange }: BodyProps) {
  const { api } = useParts()
  const change: CaseChange = search.change ?? 'all'
  const wish = { runs: ids, sortBy: search.sort, change, cases: listedCases, points: drawnCases }
  const { data: read, error, refetch } = useQuery(comparisonQueries(api).comparison(wish))
  // What is on the screen stays there while it is sorted or filtered otherwise, and not for other runs.
  const data = read && sameIds(read.runs, ids) ? read : undefined
  const nameOf = useCallback((id: string) => runs.find(({ run_id: one }) => one === id)?.name ?? id, [runs])
  if (!data && error) return <Trouble what="The runs cannot be compared" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading what="the comparison" />
  const goingOn = runs.filter(({ status }) => status === 'running' || status === 'queued').length
  return (
    <>
      {goingOn > 0 && (
        <p role="status" className="-mb-2 text-busy">
          {goingOn === 1 ? 'A run still goes' : `${formatCount(goingOn)} runs still go`} on: its numbers change while
          items come.
        </p>
      )}
      <Warnings warnings={data.warnings} nameOf={nameOf} />
      <Findings comparison={data} nameOf={nameOf} />
      <Part
        title="Metrics"
        says="Difference to the baseline, with its interval; the verdict holds for all metrics together (Holm)."
        beside={
          <span className="flex gap-2">
            <CopyButton text={() => location.href} name="the address of this page" label="Link" />
            <ExportComparison comparison={data} nameOf={nameOf} />
          </span>
        }
      >
        <div className="flex flex-col gap-3">
          <MetricTables comparison={data} nameOf={nameOf} />
        </div>
      </Part>
      <Cases comparison={data} change={change} search={search} nameOf={nameOf} onChange={onChange} />
      {runs.length === ids.length && <Differences runs={runs} />}
      <GatePanel runs={ids} metrics={namesOf(data)} search={search} onChange={onChange} />
    </>
  )
}

function sameIds(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id, index) => id === others[index])
}
