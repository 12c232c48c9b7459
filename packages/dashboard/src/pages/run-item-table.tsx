import type { Run, RunItemPreview } from '@llm-eval/protocol'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Check, CircleDashed, X } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { readRunTab } from '../app/addresses.ts'
import { useKeys } from '../app/keys.tsx'
import { ScoreBadge } from '../components/score-badge.tsx'
import { useSize } from '../components/size.ts'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'

const route = getRouteApi('/shell/runs/$runId')

interface Column {
  name: string
  /** As a grid track. */
  track: string
  /** Width of the table from which on the column is shown. */
  from: number
  end?: true
  cell: (item: RunItemPreview) => ReactNode
}

const columns: readonly Column[] = [
  { name: 'Case', track: 'minmax(6rem, 1.2fr)', from: 0, cell: ({ case_id: id }) => <Foreign text={id} /> },
  { name: 'Input', track: 'minmax(8rem, 3fr)', from: 420, cell: ({ input }) => <Foreign text={input} glance /> },
  {
    name: 'Expected',
    track: 'minmax(6rem, 2fr)',
    from: 1_100,
    cell: ({ expected }) => <Foreign text={expected} glance />,
  },
  { name: 'Output', track: 'minmax(8rem, 3fr)', from: 760, cell: (item) => <Output item={item} /> },
]
const lastColumns: readonly Column[] = [
  {
    name: 'Time',
    track: '4.5rem',
    from: 560,
    end: true,
    cell: ({ response_time_ms: ms }) => formatLatency(ms),
  },
  { name: 'Cost', track: '5rem', from: 1_250, end: true, cell: ({ cost }) => formatCost(cost) },
]

/** Width that one metric takes, and that the other columns want. */
const metricWidth = 116
const plainWidth = 560

function metricColumn(name: string): Column {
  const cell = ({ scores }: RunItemPreview): ReactNode => {
    const score = Object.hasOwn(scores, name) ? scores[name] : undefined
    return score ? <ScoreBadge score={{ label: null, ...score }} /> : <Unknown />
  }
  return { name, track: '6.25rem', from: 0, cell }
}

/** Width under which a row becomes a card of two lines. */
const cardsBelow = 520
const lineHeight = 38
const cardHeight = 60

export interface ItemTableProps {
  run: Run
  count: number
  /** Index of the item of a row. */
  indexOf: (row: number) => number
  /** Undefined where it is not read, or not finished. */
  itemAt: (row: number) => RunItemPreview | undefined
  /** Index of the item that is open. */
  opened: number | null
  /** Is told which rows are visible. */
  onRange: (first: number, last: number) => void
  /** What stands in rows whose items are not there. */
  waits: string
  /** After the last row. */
  children?: ReactNode
}

/** Items as a table of which only what is visible exists in the document. */
export function ItemTable(props: ItemTableProps) {
  const { run, count, indexOf, itemAt, opened, onRange, waits, children } = props
  const scroller = useRef<HTMLDivElement>(null)
  const { width } = useSize(scroller)
  const isCards = width > 0 && width < cardsBelow
  const shown = columnsFor(run, width)
  const height = isCards ? cardHeight : lineHeight
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 10,
    initialOffset: () => Math.max(0, (opened ?? 0) * lineHeight - 200),
    scrollPaddingStart: 40,
    scrollPaddingEnd: 16,
  })
  const rows = virtual.getVirtualItems()
  const [first, last] = [rows[0]?.index ?? 0, rows.at(-1)?.index ?? 0]
  const active = useRowKeys({ count, opened, rowOf: (index) => rowOf(index, { count, indexOf }) })
  useEffect(() => virtual.measure(), [virtual, height])
  useEffect(() => onRange(first, last), [first, last, onRange])
  useEffect(() => {
    if (active === null) return
    virtual.scrollToIndex(active.row)
    if (!active.focus) return
    const timer = requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-row="${active.row}"] a`)?.focus({ preventScroll: true }),
    )
    return () => cancelAnimationFrame(timer)
  }, [active, virtual])

  const template = `3.25rem 1rem ${shown.map(({ track }) => track).join(' ')}`
  return (
    <div
      ref={scroller}
      role="table"
      aria-label="Items"
      aria-rowcount={count}
      tabIndex={-1}
      className="card relative h-[calc(100dvh-11rem)] min-h-72 flex-1 overflow-y-auto [overflow-anchor:none] sm:h-auto sm:max-h-[calc(100dvh-8rem)] sm:basis-96"
    >
      <div role="rowgroup" className={isCards ? 'sr-only' : 'sticky top-0 z-10 border-b bg-surface'}>
        <div
          role="row"
          className="grid h-9 items-center gap-x-3.5 px-4 text-xs font-medium text-ink-3"
          style={{ gridTemplateColumns: template }}
        >
          <span role="columnheader">#</span>
          <span role="columnheader">
            <span className="sr-only">Status</span>
          </span>
          {shown.map(({ name, end }) => (
            <span key={name} role="columnheader" className={`foreign clip ${end ? 'text-right' : ''}`} title={name}>
              {name}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {rows.map(({ index: row, key, start, size }) => {
          const index = indexOf(row)
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={row + 1}
              aria-current={index === opened ? 'true' : undefined}
              data-row={row}
              data-item={index}
              className={`absolute inset-x-0 top-0 border-b border-line/60 px-4 hover:bg-hover has-[a:focus-visible]:bg-chosen ${index === opened ? 'bg-chosen' : ''}`}
              style={{ height: size, transform: `translateY(${start}px)` }}
            >
              {isCards ? (
                <Card index={index} item={itemAt(row)} waits={waits} />
              ) : (
                <div className="grid h-full items-center gap-x-3.5 text-sm" style={{ gridTemplateColumns: template }}>
                  <Cells index={index} item={itemAt(row)} shown={shown} waits={waits} />
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

function columnsFor(run: Run, width: number): Column[] {
  const room = Math.max(1, Math.floor((width - plainWidth) / metricWidth))
  const metrics = run.metrics_used.slice(0, room).map(({ name }) => metricColumn(name))
  // Scores take the room of what is less wanted.
  const left = width - Math.max(0, metrics.length - 2) * metricWidth
  const fits = ({ from }: Column): boolean => left >= from
  return [...columns.filter(fits), ...metrics, ...lastColumns.filter(fits)]
}

function rowOf(index: number, { count, indexOf }: Pick<ItemTableProps, 'count' | 'indexOf'>): number | null {
  if (indexOf(index) === index && index < count) return index
  // The rows of a filter are in order, too.
  let [low, high] = [0, count - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = indexOf(middle)
    if (found === index) return middle
    if (found < index) low = middle + 1
    else high = middle - 1
  }
  return null
}

interface Active {
  row: number
  /** Whether it has the keyboard, or only is to be seen. */
  focus: boolean
}

/** The row that the keyboard is on; beside an open item it is the item's. */
function useRowKeys({
  count,
  opened,
  rowOf: find,
}: {
  count: number
  opened: number | null
  rowOf: (index: number) => number | null
}): Active | null {
  const [active, setActive] = useState<Active | null>(null)
  const openedRow = opened === null ? null : find(opened)
  useEffect(() => {
    if (openedRow !== null) setActive({ row: openedRow, focus: false })
  }, [openedRow])
  const move = (step: number): void =>
    setActive((before) => ({ row: Math.max(0, Math.min(count - 1, (before?.row ?? -1) + step)), focus: true }))
  useKeys(
    opened === null
      ? [
          { keys: ['j', 'ArrowDown'], does: 'Next row', run: () => move(1) },
          { keys: ['k', 'ArrowUp'], does: 'Previous row', run: () => move(-1) },
        ]
      : [],
  )
  return active !== null && active.row < count ? active : null
}

interface RowProps {
  index: number
  item: RunItemPreview | undefined
  waits: string
}

function Cells({ index, item, shown, waits }: RowProps & { shown: readonly Column[] }) {
  return (
    <>
      <span role="cell" className="clip">
        <Opener index={index} item={item} />
      </span>
      <span role="cell">
        <StatusMark item={item} />
      </span>
      {item ? (
        shown.map(({ name, end, cell }) => (
          <span key={name} role="cell" className={`clip text-ink-2 ${end ? 'text-right' : ''}`}>
            {cell(item)}
          </span>
        ))
      ) : (
        <span role="cell" className="col-span-2 clip text-ink-3">
          {waits}
        </span>
      )}
    </>
  )
}

function Card({ index, item, waits }: RowProps) {
  return (
    <div className="flex h-full flex-col justify-center gap-0.5">
      <div className="flex items-center gap-2">
        <span role="cell">
          <StatusMark item={item} />
        </span>
        <span role="cell" className="min-w-0 flex-1 clip">
          <Opener index={index} item={item} /> <span className="foreign text-sm">{item?.case_id}</span>
        </span>
        <span role="cell" className="flex gap-1">
          {Object.entries(item?.scores ?? {})
            .slice(0, 2)
            .map(([name, score]) => (
              <ScoreBadge key={name} score={{ label: null, ...score }} />
            ))}
        </span>
      </div>
      <div role="cell" className="clip pl-6 text-sm text-ink-3">
        {item ? <Output item={item} /> : waits}
      </div>
    </div>
  )
}

/** The link of the row: it covers the row, so any place of it opens the item, in a new tab too. */
function Opener({ index, item }: { index: number; item: RunItemPreview | undefined }) {
  const { runId } = route.useParams()
  const { tab: _tab, item: _item, ...filter } = route.useSearch({ select: readRunTab, structuralSharing: true })
  return (
    <Link
      to="/runs/$runId"
      params={{ runId }}
      search={{ tab: 'items', ...filter, item: String(index) }}
      resetScroll={false}
      preload={false}
      aria-label={item ? `Item ${index}, ${item.case_id}` : `Item ${index}`}
      className="cover font-medium text-ink-2 outline-none"
    >
      {formatCount(index)}
    </Link>
  )
}

function StatusMark({ item }: { item: RunItemPreview | undefined }) {
  const [word, look, Icon] =
    item === undefined
      ? (['Not finished', 'text-ink-3', CircleDashed] as const)
      : item.status === 'failed'
        ? (['Failed', 'text-bad', X] as const)
        : (['Success', 'text-good', Check] as const)
  return (
    <span className={`flex ${look}`} title={word}>
      <Icon aria-hidden size={15} strokeWidth={2.25} />
      <span className="sr-only">{word}</span>
    </span>
  )
}

function Output({ item: { output, error } }: { item: RunItemPreview }) {
  if (error === null) return <Foreign text={output} glance />
  return (
    <span className="foreign text-bad" title={error.message}>
      {error.code}: {error.message}
    </span>
  )
}

function Unknown() {
  return <span className="text-ink-3">{unknown}</span>
}

function Foreign({ text, glance }: { text: string | null; glance?: true }) {
  if (text === null) return <Unknown />
  return (
    <span className="foreign" title={text}>
      {text === '' ? <span className="text-ink-3">(empty)</span> : glance ? glanceOf(text) : text}
    </span>
  )
}

/** What to read first of a value: of `{"question":"Why? …` that is what is asked. */
function glanceOf(text: string): string {
  const [, first] = /^\{"[^"\\]{1,60}":"(.+)/s.exec(text) ?? []
  return first === undefined
    ? text
    : first
        .replace(/"\}$/, '')
        .replaceAll(/\\(["\\/])/g, '$1')
        .replaceAll('\\n', ' ')
}
