import type { CaseChange, CaseComparison, RunComparison } from '@llm-eval/protocol'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { formatPlain } from '../format/comparison-words.ts'
import { formatCount, unknown } from '../format/numbers.ts'

const rowHeight = 40
/** Metrics that have a column of their own. */
const mostMetrics = 5

/** What is better in a metric; null where neither is. */
export type Directions = ReadonlyMap<string, 'higher' | 'lower' | null>

export interface CaseTableProps {
  comparison: RunComparison
  change: CaseChange
  /** The metric that they are sorted by comes first. */
  metrics: readonly string[]
  directions: Directions
  onOpen: (id: string) => void
}

/** The cases, those that became worse first. Only what is visible exists in the document. */
export function CaseTable({ comparison, change, metrics, directions, onOpen }: CaseTableProps) {
  const { cases, cases_matching: matching } = comparison
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: cases.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const shown = metrics.slice(0, mostMetrics)
  // Each value takes its room, and so does each arrow.
  const least = Math.max(8, 1.5 + 4 * comparison.runs.length)
  const template = { gridTemplateColumns: `minmax(10rem, 1.5fr) repeat(${shown.length}, minmax(${least}rem, 1fr))` }
  // Rows stand apart from the flow: they cannot say how wide they are.
  const room = { minWidth: `${10 + least * shown.length}rem` }
  if (cases.length === 0) return <p className="card px-4 py-8 text-center text-ink-2">{nothing[change]}</p>
  return (
    <>
      <div
        ref={scroller}
        tabIndex={0}
        role="table"
        aria-label="Cases"
        aria-rowcount={cases.length + 1}
        className="card max-h-112 overflow-auto"
      >
        <div role="rowgroup" className="sticky top-0 z-10 bg-surface" style={room}>
          <div role="row" aria-rowindex={1} className="grid border-b text-xs font-medium text-ink-3" style={template}>
            <span role="columnheader" className="px-4 py-2">
              Case
            </span>
            {shown.map((name) => (
              <span key={name} role="columnheader" className="foreign clip px-3 py-2" title={name}>
                {name}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ ...room, height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const one = cases[index]
            return (
              one && (
                <div
                  key={one.case_id}
                  role="row"
                  aria-rowindex={index + 2}
                  className="absolute inset-x-0 grid items-center border-b border-line/60 text-sm hover:bg-hover"
                  style={{ ...template, height: rowHeight, transform: `translateY(${start}px)` }}
                >
                  <span role="cell" className="min-w-0 px-4">
                    <button
                      type="button"
                      className="foreign clip block max-w-full text-left font-medium hover:underline"
                      title={one.case_id}
                      onClick={() => onOpen(one.case_id)}
                    >
                      {one.case_id}
                    </button>
                  </span>
                  {shown.map((name) => (
                    <span key={name} role="cell" className="clip px-3">
                      <Steps values={one.values[name] ?? []} direction={directions.get(name) ?? null} />
                    </span>
                  ))}
                </div>
              )
            )
          })}
        </div>
      </div>
      <p className="mt-2 text-sm text-ink-3">
        {cases.length < matching
          ? `The first ${formatCount(cases.length)} of ${formatCount(matching)} cases.`
          : `${formatCount(matching)} ${matching === 1 ? 'case' : 'cases'}.`}
        {metrics.length > mostMetrics &&
          ` ${formatCount(metrics.length - mostMetrics)} more metrics stand in each case.`}
      </p>
    </>
  )
}

const nothing: Record<CaseChange, string> = {
  all: 'The runs have no case yet.',
  regressed: 'No case became worse.',
  improved: 'No case became better.',
  unchanged: 'No case stayed as it was.',
}

/** A value from run to run; those that changed since the first are coloured. */
export function Steps({
  values,
  direction,
}: {
  values: CaseComparison['values'][string]
  direction: 'higher' | 'lower' | null
}) {
  const first = values[0] ?? null
  return values.map((value, index) => (
    // A value belongs to the run at its place.
    // oxlint-disable-next-line react/no-array-index-key
    <span key={index}>
      {index > 0 && <span className="text-ink-3"> → </span>}
      <span className={inkOf(value, first, direction)}>{value === null ? unknown : formatPlain(value)}</span>
    </span>
  ))
}

function inkOf(value: number | null, first: number | null, direction: 'higher' | 'lower' | null): string {
  if (value === null || first === null || value === first || direction === null) return ''
  return value > first === (direction === 'higher') ? 'font-medium text-good' : 'font-medium text-bad'
}
