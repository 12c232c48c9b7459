import type { CaseChange, CaseComparison, Run, RunComparison } from '@llm-eval/protocol'
import { useQueries, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { useCallback, useMemo, useRef } from 'react'
import { comparisonQueries } from '../api/comparisons.ts'
import { runKeys, runQueries } from '../api/runs.ts'
import { comparedRuns, type CompareSearch, compareSearch, readCompare } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRuns } from '../app/watching.ts'
import { CopyButton } from '../components/copy-button.tsx'
import { Segments, Select } from '../components/field.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { StripPlot } from '../components/strip-plot.tsx'
import { formatPlain, letterOf } from '../format/comparison-words.ts'
import { formatCount } from '../format/numbers.ts'
import { CaseTable, type Directions } from './compare-cases.tsx'
import { CaseView } from './compare-case.tsx'
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

/** Has comparisons read again, but not more often than every few seconds: a run that goes on has news all the time. */
function useReadAgain(): () => void {
  const { queryClient } = useParts()
  const waiting = useRef(false)
  return useCallback(() => {
    if (waiting.current) return
    waiting.current = true
    setTimeout(() => {
      waiting.current = false
      void queryClient.invalidateQueries({ queryKey: runKeys.comparisons })
    }, pauseMs)
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

function namesOf({ compared }: RunComparison): string[] {
  return compared[0]?.metrics.map(({ name }) => name) ?? []
}

const changes: Record<string, CaseChange> = {
  All: 'all',
  Worse: 'regressed',
  Better: 'improved',
  Unchanged: 'unchanged',
}

interface CasesProps extends Pick<BodyProps, 'search' | 'onChange'> {
  comparison: RunComparison
  change: CaseChange
  nameOf: (id: string) => string
}

function Cases({ comparison, change, search, nameOf, onChange }: CasesProps) {
  const names = useMemo(() => namesOf(comparison), [comparison])
  const directions: Directions = useMemo(
    () => new Map(comparison.compared[0]?.metrics.map(({ name, direction }) => [name, direction])),
    [comparison],
  )
  const drawn = search.sort !== undefined && names.includes(search.sort) ? search.sort : names[0]
  const chosen = Object.keys(changes).find((word) => changes[word] === change) ?? 'All'
  const open = (id: string): void => onChange({ case: id })
  return (
    <Part
      title="Cases"
      says="What became worse most comes first."
      beside={
        <>
          <Select
            label="Metric"
            hidden
            className="max-w-56"
            value={search.sort ?? ''}
            choices={[
              { value: '', label: 'By all metrics' },
              ...names.map((name) => ({ value: name, label: `By ${name}` })),
            ]}
            onChange={(event) => onChange({ sort: event.target.value })}
          />
          <Segments
            label="Which cases"
            choices={Object.keys(changes)}
            chosen={chosen}
            onChoose={(word) => onChange({ change: changes[word] })}
          />
        </>
      }
    >
      {drawn !== undefined && (
        <Strip
          comparison={comparison}
          metric={drawn}
          direction={directions.get(drawn) ?? null}
          onOpen={open}
          nameOf={nameOf}
        />
      )}
      <CaseTable
        comparison={comparison}
        change={change}
        metrics={drawn === undefined ? names : [drawn, ...names.filter((name) => name !== drawn)]}
        directions={directions}
        onOpen={open}
      />
      {search.case !== undefined && (
        <OpenCase
          id={search.case}
          comparison={comparison}
          directions={directions}
          nameOf={nameOf}
          onChange={onChange}
        />
      )}
    </Part>
  )
}

interface StripProps {
  comparison: RunComparison
  metric: string
  direction: 'higher' | 'lower' | null
  onOpen: (id: string) => void
  nameOf: (id: string) => string
}

function Strip({ comparison, metric, direction, onOpen, nameOf }: StripProps) {
  const { points, runs, cases_total: total } = comparison
  const cases = useMemo(() => {
    const known = points.filter(({ values }) => values[metric]?.some((value) => value !== null))
    const worst = known.toSorted((a, b) => (b.regression ?? -Infinity) - (a.regression ?? -Infinity))
    return worst.map(({ case_id: id, values }) => ({ id, values: values[metric] ?? [] }))
  }, [points, metric])
  const columns = useMemo(() => runs.map((_, index) => letterOf(index)), [runs])
  if (cases.length === 0) return null
  return (
    <figure className="card mb-3 min-w-0 px-2 pt-3 pb-2">
      <figcaption className="flex flex-wrap justify-between gap-x-4 px-2 text-sm">
        <span className="foreign font-medium">{metric}</span>
        <span className="text-ink-3">
          {points.length < total
            ? `A sample of ${formatCount(points.length)} of ${formatCount(total)} cases, always the same ones; the bar is their mean`
            : 'Every case; the bar is the mean'}
        </span>
      </figcaption>
      <StripPlot
        label={`${metric} of each case, worst first`}
        columns={columns}
        cases={cases}
        direction={direction}
        format={formatPlain}
        onOpen={onOpen}
      />
      <ol aria-hidden className="ml-13 mr-4 flex text-center text-xs text-ink-2">
        {runs.map((id, index) => (
          <li key={id} className="foreign min-w-0 flex-1 truncate px-1">
            {letterOf(index)} · {nameOf(id)}
          </li>
        ))}
      </ol>
    </figure>
  )
}

interface OpenCaseProps extends Pick<CasesProps, 'comparison' | 'nameOf' | 'onChange'> {
  id: string
  directions: Directions
}

function OpenCase({ id, comparison, directions, nameOf, onChange }: OpenCaseProps) {
  const { cases, points, runs } = comparison
  const at = cases.findIndex(({ case_id: one }) => one === id)
  const found: CaseComparison | undefined = cases[at] ?? points.find(({ case_id: one }) => one === id)
  if (!found) return null
  const leadTo = (index: number): (() => void) | undefined => {
    const next = at === -1 ? undefined : cases[index]
    return next && (() => onChange({ case: next.case_id }))
  }
  return (
    <CaseView
      key={id}
      of={found}
      runs={runs}
      directions={directions}
      nameOf={nameOf}
      onClose={() => onChange({ case: undefined })}
      onPrevious={leadTo(at - 1)}
      onNext={leadTo(at + 1)}
    />
  )
}
