import type { Run, RunItemPreview } from '@llm-eval/protocol'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useKeys } from '../app/keys.tsx'
import { useSize } from '../components/size.ts'
import { columnsFor, ItemCard, ItemCells } from './run-item-cells.tsx'

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
                <ItemCard index={index} item={itemAt(row)} waits={waits} />
              ) : (
                <div className="grid h-full items-center gap-x-3.5 text-sm" style={{ gridTemplateColumns: template }}>
                  <ItemCells index={index} item={itemAt(row)} shown={shown} waits={waits} />
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
