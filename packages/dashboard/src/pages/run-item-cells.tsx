import type { Run, RunItemPreview } from '@llm-eval/protocol'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Check, CircleDashed, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { readRunTab } from '../app/addresses.ts'
import { ScoreBadge } from '../components/score-badge.tsx'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'

const route = getRouteApi('/shell/runs/$runId')

/** What is shown of each item, in a table of some width. */
export interface ItemColumn {
  name: string
  /** As a grid track. */
  track: string
  /** Width of the table from which on the column is shown. */
  from: number
  end?: true
  cell: (item: RunItemPreview) => ReactNode
}

const columns: readonly ItemColumn[] = [
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
const lastColumns: readonly ItemColumn[] = [
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

function metricColumn(name: string): ItemColumn {
  const cell = ({ scores }: RunItemPreview): ReactNode => {
    const score = Object.hasOwn(scores, name) ? scores[name] : undefined
    return score ? <ScoreBadge score={{ label: null, ...score }} /> : <Unknown />
  }
  return { name, track: '6.25rem', from: 0, cell }
}

/** The columns that fit. */
export function columnsFor(run: Run, width: number): ItemColumn[] {
  const room = Math.max(1, Math.floor((width - plainWidth) / metricWidth))
  const metrics = run.metrics_used.slice(0, room).map(({ name }) => metricColumn(name))
  // Scores take the room of what is less wanted.
  const left = width - Math.max(0, metrics.length - 2) * metricWidth
  const fits = ({ from }: ItemColumn): boolean => left >= from
  return [...columns.filter(fits), ...metrics, ...lastColumns.filter(fits)]
}

interface RowProps {
  index: number
  item: RunItemPreview | undefined
  waits: string
}

/** The cells of a row. */
export function ItemCells({ index, item, shown, waits }: RowProps & { shown: readonly ItemColumn[] }) {
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

/** The same on a telephone: two lines. */
export function ItemCard({ index, item, waits }: RowProps) {
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
