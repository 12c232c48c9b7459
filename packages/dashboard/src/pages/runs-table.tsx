import { limits, type Run } from '@llm-eval/protocol'
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, type RefObject, useEffect, useMemo, useRef } from 'react'
import { ApprovalBadge, RunStatusBadge } from '../components/run-status.tsx'
import { useSize } from '../components/size.ts'
import { Ago } from '../components/time.tsx'
import { formatCost, formatLatency } from '../format/numbers.ts'
import { formatShare } from '../format/shares.ts'
import { RunMenu } from './runs-menu.tsx'
import { FirstMetrics, RunBar, type RunNow, useRunNow } from './runs-progress.tsx'
import { useSteadyRows } from './steady-rows.ts'

/** A run of the list, and when it was read. */
export interface ListedRun {
  run: Run
  readAt: number
}

/** Runs that are chosen to be compared, in the order they were chosen in. */
export interface Choice {
  chosen: ReadonlyMap<string, Run>
  toggle: (run: Run) => void
}

interface Column {
  name: string
  /** As a grid track. */
  track: string
  /** Width of the table from which on the column is shown. */
  from: number
  end?: boolean
  cell: (of: RunNow) => ReactNode
}

const columns: readonly Column[] = [
  { name: 'Run', track: 'minmax(13rem, 3fr)', from: 0, cell: ({ run }) => <Title run={run} /> },
  { name: 'Status', track: '7rem', from: 0, cell: ({ run }) => <States run={run} /> },
  { name: 'Items', track: 'minmax(8rem, 1.6fr)', from: 0, cell: (of) => <RunBar of={of} /> },
  { name: 'Success', track: '4.5rem', from: 0, end: true, cell: ({ run }) => formatShare(run.success_rate) },
  { name: 'Metrics', track: 'minmax(11rem, 2fr)', from: 900, cell: ({ run }) => <FirstMetrics run={run} /> },
  { name: 'Cost', track: '5rem', from: 1100, end: true, cell: ({ run }) => <Cost run={run} /> },
  { name: 'Duration', track: '5.5rem', from: 1000, end: true, cell: ({ workedMs }) => formatLatency(round(workedMs)) },
  { name: 'Made', track: 'minmax(6rem, 1fr)', from: 1220, cell: ({ run }) => <Made run={run} /> },
]

/** Width under which a row becomes a card. */
const cardsBelow = 710
const rowHeight = 62
const cardHeight = 118

export interface RunsTableProps {
  rows: readonly ListedRun[]
  scroller: RefObject<HTMLDivElement | null>
  choice: Choice
  /** The row that has the keyboard. */
  active: number | undefined
  /** Where to start, in pixels. */
  offset: number
  /** Ids of runs that came this moment. */
  fresh: ReadonlySet<string>
  onEnd: () => void
}

/** Runs as a table of which only what is visible exists in the document, and is watched. */
export function RunsTable({ rows, scroller, choice, active, offset, fresh, onEnd }: RunsTableProps) {
  const table = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const { width } = useSize(table)
  const cards = width > 0 && width < cardsBelow
  const shown = columns.filter(({ from }) => width >= from)
  const height = cards ? cardHeight : rowHeight
  const ids = useMemo(() => rows.map(({ run }) => run.run_id), [rows])
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (at) => rows[at]?.run.run_id ?? at,
    overscan: 6,
    initialOffset: offset,
    scrollPaddingStart: 44,
    scrollPaddingEnd: 24,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => virtual.measure(), [virtual, height])
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 15) onEnd()
  }, [last, rows.length, onEnd])
  useEffect(() => {
    if (active === undefined) return
    virtual.scrollToIndex(active)
    body.current?.querySelector<HTMLElement>(`[data-at="${active}"] a`)?.focus({ preventScroll: true })
  }, [active, virtual])

  useSteadyRows(ids, scroller, height)

  const template = `1.5rem ${shown.map(({ track }) => track).join(' ')} 2rem`
  return (
    <div ref={table} role="table" aria-label="Runs" aria-rowcount={-1}>
      <div role="rowgroup" className={cards ? 'sr-only' : 'sticky top-0 z-10 border-b bg-surface'}>
        <div
          role="row"
          className="grid h-9 items-center gap-x-4 px-4 text-xs font-medium text-ink-3 sm:px-5"
          style={{ gridTemplateColumns: template }}
        >
          <span role="columnheader" className="sr-only">
            Chosen
          </span>
          <span aria-hidden />
          {(cards ? columns.slice(0, 4) : shown).map(({ name, end }) => (
            <span key={name} role="columnheader" className={end ? 'text-right' : ''}>
              {name}
            </span>
          ))}
          <span role="columnheader" className="sr-only">
            More
          </span>
        </div>
      </div>
      <div ref={body} role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index]
          if (!row) return null
          const { run_id: id } = row.run
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 1}
              data-chosen={choice.chosen.has(id)}
              data-at={item.index}
              className={`absolute inset-x-0 top-0 border-b border-line/70 px-4 hover:bg-hover has-[a:focus-visible]:bg-chosen data-[chosen=true]:bg-chosen sm:px-5 ${fresh.has(id) ? 'animate-arrive' : ''}`}
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
            >
              <Row row={row} choice={choice} layout={cards ? null : { shown, template }} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface RowProps {
  row: ListedRun
  choice: Choice
  /** Null: a card. */
  layout: { shown: readonly Column[]; template: string } | null
}

function Row({ row, choice, layout }: RowProps) {
  const now = useRunNow(row.run, row.readAt)
  if (layout === null) return <Card of={now} choice={choice} />
  return (
    <div className="grid h-full items-center gap-x-4" style={{ gridTemplateColumns: layout.template }}>
      <Chooser run={now.run} choice={choice} />
      {layout.shown.map(({ name, end, cell }) => (
        <span key={name} role="cell" className={`min-w-0 ${end ? 'clip text-right text-ink-2' : ''}`}>
          {cell(now)}
        </span>
      ))}
      <span role="cell" className="relative z-1">
        <RunMenu run={row.run} />
      </span>
    </div>
  )
}

function Card({ of, choice }: { of: RunNow; choice: Choice }) {
  const { run, workedMs } = of
  return (
    <div className="flex h-full items-center gap-3">
      <Chooser run={run} choice={choice} />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <div className="flex items-start gap-2">
          <span role="cell" className="min-w-0 flex-1">
            <Title run={run} />
          </span>
          <span role="cell">
            <RunStatusBadge status={run.status} />
          </span>
        </div>
        <span role="cell">
          <RunBar of={of} />
        </span>
        <div role="cell" className="flex gap-2.5 text-xs text-ink-3">
          <span className="min-w-0 flex-1 clip">
            <Ago time={run.created_at} />
            {run.approval && `, ${run.approval.state}`}
          </span>
          <span>{formatShare(run.success_rate)}</span>
          <span>{formatLatency(round(workedMs))}</span>
          <Cost run={run} />
        </div>
      </div>
      <span role="cell" className="relative z-1 self-start">
        <RunMenu run={run} />
      </span>
    </div>
  )
}

/** The box that chooses a run. */
function Chooser({ run, choice }: { run: Run; choice: Choice }) {
  const isChosen = choice.chosen.has(run.run_id)
  return (
    <span role="cell" className="relative z-1 flex">
      <input
        type="checkbox"
        className="size-4"
        aria-label={`Choose ${run.name}`}
        checked={isChosen}
        disabled={!isChosen && choice.chosen.size >= limits.comparedRuns}
        onChange={() => choice.toggle(run)}
      />
    </span>
  )
}

/** The name leads to the run; under it what was evaluated. */
function Title({ run }: { run: Run }) {
  return (
    <div className="min-w-0">
      <Link
        to="/runs/$runId"
        params={{ runId: run.run_id }}
        preload={false}
        title={run.description ?? run.name}
        className="cover foreign clip block font-medium text-ink outline-none"
      >
        {run.name}
      </Link>
      <div className="flex min-w-0 items-center gap-2 text-xs text-ink-3">
        <span className="foreign clip max-w-[65%] shrink-0" title={run.dataset_name}>
          {run.dataset_name}
          {run.dataset_version !== null && `@${run.dataset_version}`}
        </span>
        {run.tags.length > 0 && (
          // Tags that have no room wrap into a line that is not seen.
          <span className="flex h-4 min-w-0 flex-1 flex-wrap gap-1 overflow-hidden" title={run.tags.join(', ')}>
            {run.tags.map((tag) => (
              <span
                key={tag}
                className="foreign clip max-w-full rounded bg-sunken px-1.5 text-2xs leading-4 text-ink-2"
              >
                {tag}
              </span>
            ))}
          </span>
        )}
      </div>
    </div>
  )
}

function States({ run }: { run: Run }) {
  return (
    <div className="flex flex-col items-start gap-0.5">
      <RunStatusBadge status={run.status} />
      {run.approval && (
        <span title={[run.approval.by, run.approval.note].filter((part) => part !== null).join(': ')}>
          <ApprovalBadge approval={run.approval} />
        </span>
      )}
    </div>
  )
}

/** What is known of the cost; a run of which nothing is known has none to show. */
function Cost({ run: { cost, unknown_costs: missing, completed_items: done } }: { run: Run }) {
  if (done === 0) return formatCost(null)
  if (missing === 0) return formatCost(cost)
  const title = `The cost of ${missing} of ${done} items is unknown`
  return <span title={title}>{cost === 0 ? formatCost(null) : `≥ ${formatCost(cost)}`}</span>
}

function Made({ run }: { run: Run }) {
  return (
    <div className="min-w-0 text-xs">
      <p className="foreign clip text-ink-2">{run.created_by ?? ' '}</p>
      <p className="text-ink-3">
        <Ago time={run.created_at} />
      </p>
    </div>
  )
}

/** Whole seconds from ten on: nobody reads more while it runs. */
function round(ms: number | null): number | null {
  return ms === null || ms < 10_000 ? ms : Math.round(ms / 1_000) * 1_000
}
