import type { CaseComparison, RunItem } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { runQueries } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { IconButton } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Segments } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'
import { ScoreBadge } from '../components/score-badge.tsx'
import { Passage } from '../components/passage.tsx'
import { TextBlock } from '../components/text-block.tsx'
import { diffTextOf, TextDiff } from '../components/text-diff.tsx'
import { letterOf } from '../format/comparison-words.ts'
import { formatCost, formatLatency } from '../format/numbers.ts'
import { type Directions, Steps } from './compare-cases.tsx'

export interface CaseViewProps {
  of: CaseComparison
  runs: readonly string[]
  directions: Directions
  nameOf: (id: string) => string
  onClose: () => void
  /** Leads to the case before or after it in the list; undefined at its ends. */
  onPrevious: (() => void) | undefined
  onNext: (() => void) | undefined
}

const views = ['Changes', 'Against expected', 'As it is'] as const
type View = (typeof views)[number]

/** One case in all of the runs, side by side. */
export function CaseView({ of, runs, directions, nameOf, onClose, onPrevious, onNext }: CaseViewProps) {
  const [view, setView] = useState<View>('Changes')
  const { api } = useParts()
  const firstWithItem = of.items.findIndex((index) => index !== null)
  const [baseId, baseIndex] = [runs[0] ?? '', of.items[0] ?? null]
  const base = useQuery({ ...runQueries(api).item(baseId, baseIndex ?? 0), enabled: baseIndex !== null })
  const other = useQuery({
    ...runQueries(api).item(runs[firstWithItem] ?? '', of.items[firstWithItem] ?? 0),
    enabled: firstWithItem > 0,
  })
  const known = base.data ?? other.data
  return (
    <Dialog open onOpen={onClose} title={of.case_id} width="max-w-6xl">
      <div className="flex flex-wrap items-center gap-2">
        <Segments label="Outputs" choices={views} chosen={view} onChoose={setView} />
        <span className="ml-auto flex gap-0.5">
          <Step label="Previous case" onStep={onPrevious}>
            <ChevronLeft aria-hidden size={16} />
          </Step>
          <Step label="Next case" onStep={onNext}>
            <ChevronRight aria-hidden size={16} />
          </Step>
        </span>
      </div>
      {known && (
        <div className="mt-3 grid gap-3 lg:grid-cols-2">
          <Passage title="Input" text={diffTextOf(known.input)} />
          {known.expected !== null && <Passage title="Expected" text={diffTextOf(known.expected)} />}
        </div>
      )}
      <dl aria-label="Metrics" className="mt-3 flex flex-wrap gap-x-5 gap-y-1 text-sm">
        {Object.entries(of.values).map(([name, values]) => (
          <div key={name} className="flex min-w-0 gap-2">
            <dt className="foreign min-w-0 text-ink-2">{name}</dt>
            <dd className="whitespace-nowrap">
              <Steps values={values} direction={directions.get(name) ?? null} />
            </dd>
          </div>
        ))}
      </dl>
      <ol className={`mt-4 grid gap-3 ${runs.length === 2 ? 'lg:grid-cols-2' : 'lg:grid-cols-2 2xl:grid-cols-3'}`}>
        {runs.map((id, index) => (
          <li key={id} className="min-w-0 rounded-lg border border-line p-3">
            <h3 className="foreign mb-2 flex items-baseline gap-2">
              <span className="text-xs font-semibold text-ink-3">{letterOf(index)}</span>
              <Link
                to="/runs/$runId"
                params={{ runId: id }}
                search={{ tab: 'items', q: of.case_id }}
                className="min-w-0 font-semibold hover:underline"
              >
                {nameOf(id)}
              </Link>
            </h3>
            <Side
              runId={id}
              itemIndex={of.items[index] ?? null}
              view={view}
              before={index === 0 || baseIndex === null ? undefined : base.data}
            />
          </li>
        ))}
      </ol>
    </Dialog>
  )
}

function Step({ label, onStep, children }: { label: string; onStep: (() => void) | undefined; children: ReactNode }) {
  return (
    <IconButton label={label} disabled={onStep === undefined} onClick={onStep}>
      {children}
    </IconButton>
  )
}

interface SideProps {
  runId: string
  itemIndex: number | null
  view: View
  /** The item of the first run. */
  before: RunItem | undefined
}

function Side({ runId, itemIndex, view, before }: SideProps) {
  const { api } = useParts()
  const { data, error } = useQuery({ ...runQueries(api).item(runId, itemIndex ?? 0), enabled: itemIndex !== null })
  if (itemIndex === null) return <p className="py-4 text-ink-2">This run has no item of the case.</p>
  if (error && !data) return <p className="py-4 text-bad">{sayError(error)}</p>
  if (!data) return <p className="py-4 text-ink-3">Loading…</p>
  return (
    <>
      <Output item={data} view={view} before={before} />
      <dl className="mt-3 flex flex-wrap gap-x-4 gap-y-1.5 text-sm">
        {Object.entries(data.scores).map(([name, score]) => (
          <div key={name} className="flex min-w-0 items-center gap-1.5">
            <dt className="foreign min-w-0 text-ink-2">{name}</dt>
            <dd>
              <ScoreBadge score={score} />
            </dd>
          </div>
        ))}
        <div className="flex items-center gap-1.5">
          <dt className="text-ink-2">latency</dt>
          <dd>{formatLatency(data.response_time_ms)}</dd>
        </div>
        <div className="flex items-center gap-1.5">
          <dt className="text-ink-2">cost</dt>
          <dd>{formatCost(data.cost)}</dd>
        </div>
      </dl>
      {data.repetition > 1 && <p className="mt-1 text-xs text-ink-3">Repetition {data.repetition}</p>}
    </>
  )
}

function Output({ item, view, before }: { item: RunItem; view: View; before: RunItem | undefined }) {
  if (item.error)
    return (
      <p className="foreign-block rounded-lg bg-bad-soft p-3 text-sm text-bad">
        {item.error.code}: {item.error.message}
      </p>
    )
  const output = diffTextOf(item.output)
  const against = view === 'Changes' ? before?.output : view === 'Against expected' ? item.expected : undefined
  if (view === 'As it is' || against === undefined || against === null)
    return (
      <div
        className="max-h-96 overflow-auto rounded-lg border border-line bg-sunken p-3 text-sm"
        tabIndex={0}
        role="group"
        aria-label="Output"
      >
        <TextBlock text={output} />
      </div>
    )
  return (
    <TextDiff
      before={diffTextOf(against)}
      after={output}
      label={view === 'Changes' ? 'Output against A' : 'Output against what was expected'}
    />
  )
}
