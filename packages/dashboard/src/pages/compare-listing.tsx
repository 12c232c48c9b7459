import type { CaseChange, CaseComparison, RunComparison } from '@llm-eval/protocol'
import { useMemo } from 'react'
import type { CompareSearch } from '../app/addresses.ts'
import { Segments, Select } from '../components/field.tsx'
import { Part } from '../components/part.tsx'
import { StripPlot } from '../components/strip-plot.tsx'
import { formatPlain, letterOf } from '../format/comparison-words.ts'
import { formatCount } from '../format/numbers.ts'
import { CaseTable, type Directions } from './compare-cases.tsx'
import { CaseView } from './compare-case.tsx'

/** The metrics of a comparison. */
export function namesOf({ compared }: RunComparison): string[] {
  return compared[0]?.metrics.map(({ name }) => name) ?? []
}

const changes: Record<string, CaseChange> = {
  All: 'all',
  Worse: 'regressed',
  Better: 'improved',
  Unchanged: 'unchanged',
}

export interface CasesProps {
  search: CompareSearch
  onChange: (part: Partial<Record<keyof CompareSearch, string | undefined>>) => void
  comparison: RunComparison
  change: CaseChange
  nameOf: (id: string) => string
}

/** The cases of a comparison: drawn, listed, and one of them open. */
export function Cases({ comparison, change, search, nameOf, onChange }: CasesProps) {
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
