import type { TraceSummary } from '@llm-eval/protocol'
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, type RefObject, useEffect, useRef } from 'react'
import type { ListSearch } from '../api/filters.ts'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'
import { ScoreBadge } from './score-badge.tsx'
import { StatusBadge } from './status-badge.tsx'
import { Ago } from './time.tsx'
import { useSize } from './size.ts'

interface Column {
  name: string
  /** As a grid track. */
  track: string
  /** Width of the table from which on the column is shown. */
  from: number
  end?: boolean
  cell(trace: TraceSummary): ReactNode
}

const columns: readonly Column[] = [
  { name: 'Status', track: '6rem', from: 0, cell: (trace) => <StatusBadge status={trace.evaluation_status} /> },
  { name: 'Time', track: '5.5rem', from: 0, cell: (trace) => <Ago time={trace.timestamp} /> },
  { name: 'Query', track: 'minmax(10rem, 6fr)', from: 0, cell: () => null },
  { name: 'Response', track: 'minmax(8rem, 6fr)', from: 980, cell: (trace) => <Foreign text={trace.ai_response} /> },
  { name: 'Model', track: 'minmax(6rem, 1.5fr)', from: 0, cell: (trace) => <Foreign text={trace.model_name} /> },
  { name: 'Latency', track: '4.75rem', from: 0, end: true, cell: (trace) => formatLatency(trace.response_time_ms) },
  { name: 'Tokens', track: '4.25rem', from: 820, end: true, cell: (trace) => formatCount(trace.tokens_used) },
  { name: 'Cost', track: '5.5rem', from: 720, end: true, cell: (trace) => formatCost(trace.cost) },
  { name: 'Source', track: 'minmax(5rem, 1.5fr)', from: 1150, cell: (trace) => <Foreign text={trace.source} /> },
  { name: 'Session', track: 'minmax(5rem, 1.2fr)', from: 1420, cell: (trace) => <Foreign text={trace.session_id} /> },
  { name: 'User', track: 'minmax(5rem, 1.2fr)', from: 1560, cell: (trace) => <Foreign text={trace.user_id} /> },
]

/** The newest score of an evaluator; a trace that it has not looked at shows a dash. */
function scoreColumn(slug: string): Column {
  const cell = ({ scores }: TraceSummary): ReactNode => {
    const score = scores.find(({ evaluator }) => evaluator === slug)
    return score ? <ScoreBadge score={score} /> : <span className="text-ink-3">{unknown}</span>
  }
  return { name: slug, track: '8rem', from: 0, cell }
}

/** Width under which a row becomes a card of two lines. */
const cardsBelow = 640
const lineHeight = 40
const cardHeight = 62

export interface TraceTableProps {
  rows: readonly TraceSummary[]
  label: string
  /** Where previous and next of an opened trace lead along. */
  list: ListSearch | 'live'
  /** Slugs of the evaluators whose scores are shown. */
  scores?: readonly string[]
  scroller: RefObject<HTMLDivElement | null>
  /** The row that has the keyboard. */
  active?: number
  /** Rows that came this moment. */
  fresh?: ReadonlySet<number>
  /** Where to start, in pixels. */
  offset?: number
  /** The end of the rows came near. */
  onEnd?: () => void
  /** After the last row. */
  children?: ReactNode
}

/** Traces as a table of which only what is visible exists in the document. */
export function TraceTable({
  rows,
  label,
  list,
  scores = [],
  scroller,
  active,
  fresh,
  offset = 0,
  onEnd,
  children,
}: TraceTableProps) {
  const table = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)
  // Not the scroller's: around a table that appears together with it, it is not known yet.
  const { width } = useSize(table)
  const cards = width > 0 && width < cardsBelow
  // Scores that were asked for take the room of what was not.
  const room = width - scores.length * 128
  const shown = cards ? [] : [...columns.filter(({ from }) => room >= from), ...scores.map(scoreColumn)]
  const height = cards ? cardHeight : lineHeight
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (at) => rows[at]?.ref ?? at,
    overscan: 12,
    initialOffset: offset,
    scrollPaddingStart: 44,
    scrollPaddingEnd: 24,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0

  useEffect(() => virtual.measure(), [virtual, height])
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 30) onEnd?.()
  }, [last, rows.length, onEnd])
  useEffect(() => {
    if (active === undefined) return
    virtual.scrollToIndex(active)
    const link = body.current?.querySelector<HTMLElement>(`[data-at="${active}"] a`)
    link?.focus({ preventScroll: true })
  }, [active, virtual])

  const template = shown.map((column) => column.track).join(' ')
  return (
    <div ref={table} role="table" aria-label={label} aria-rowcount={-1}>
      <div role="rowgroup" className={cards ? 'sr-only' : 'sticky top-0 z-10 border-b bg-surface'}>
        <div
          role="row"
          className="grid h-9 items-center gap-x-4 px-4 text-xs font-medium text-ink-3 sm:px-5"
          style={{ gridTemplateColumns: template }}
        >
          {(cards ? columns.slice(0, 4) : shown).map(({ name, end }) => (
            <span key={name} role="columnheader" className={end ? 'text-right' : ''}>
              {name}
            </span>
          ))}
        </div>
      </div>
      <div ref={body} role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const trace = rows[item.index]
          if (!trace) return null
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 1}
              data-at={item.index}
              className={`absolute inset-x-0 top-0 border-b border-line/70 px-4 hover:bg-hover has-[a:focus-visible]:bg-chosen sm:px-5 ${fresh?.has(trace.ref) ? 'animate-arrive' : ''}`}
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
            >
              {cards ? (
                <Card trace={trace} list={list} />
              ) : (
                <div className="grid h-full items-center gap-x-4" style={{ gridTemplateColumns: template }}>
                  {shown.map((column) => (
                    <span
                      key={column.name}
                      role="cell"
                      className={`clip ${column.name === 'Query' ? '' : 'text-ink-2'} ${column.end ? 'text-right' : ''}`}
                    >
                      {column.name === 'Query' ? <Opener trace={trace} list={list} /> : column.cell(trace)}
                    </span>
                  ))}
                </div>
              )}
            </div>
          )
        })}
      </div>
      {children}
    </div>
  )
}

function Card({ trace, list }: { trace: TraceSummary; list: ListSearch | 'live' }) {
  return (
    <div className="flex h-full flex-col justify-center gap-0.5">
      <div className="flex items-center gap-2">
        <span role="cell">
          <StatusBadge status={trace.evaluation_status} compact />
        </span>
        <span role="cell" className="min-w-0 flex-1 clip">
          <Opener trace={trace} list={list} />
        </span>
        <span role="cell" className="text-xs text-ink-3">
          <Ago time={trace.timestamp} />
        </span>
      </div>
      <div role="cell" className="flex gap-2.5 pl-7 text-xs text-ink-3">
        <span className="min-w-0 flex-1 clip">
          <Foreign text={trace.model_name} />
        </span>
        <span>{formatLatency(trace.response_time_ms)}</span>
        <span>{formatCost(trace.cost)}</span>
      </div>
    </div>
  )
}

/** The link of the row: it covers the row, so any place of it opens the trace, in a new tab too. */
function Opener({ trace, list }: { trace: TraceSummary; list: ListSearch | 'live' }) {
  return (
    <Link
      to="/traces/$traceId"
      params={{ traceId: trace.trace_id }}
      state={{ list }}
      preload={false}
      className="foreign cover font-medium text-ink outline-none"
    >
      {trace.user_query.trim() === '' ? <span className="text-ink-3">(empty query)</span> : trace.user_query}
    </Link>
  )
}

function Foreign({ text }: { text: string | null }) {
  if (text === null || text === '') return <span className="text-ink-3">{unknown}</span>
  return (
    <span className="foreign" title={text}>
      {text}
    </span>
  )
}
