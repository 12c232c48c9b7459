import type { Run, RunItemPreview } from '@llm-eval/protocol'
import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query'
import { RefreshCw, SearchX } from 'lucide-react'
import { type Ref, useCallback, useImperativeHandle, useMemo, useState } from 'react'
import type { ItemSearch } from '../api/item-filters.ts'
import { pageItems, runItemQueries } from '../api/run-items.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRun } from '../app/watching.ts'
import { Button } from '../components/button.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'
import { ItemTable } from './run-item-table.tsx'
import { isOver, numbersOf } from './run-numbers.ts'

/** What a list of items tells the page around it. */
export interface ItemList {
  /** Index of the item before or after one, as far as it is known. */
  neighbour: (index: number, step: 1 | -1) => number | undefined
  /** The first of the list. */
  first: () => number | undefined
}

/** Between two readings of rows that are not finished yet. Milliseconds. */
const againMs = 1_500
/** Rows that a search holds. */
const mostRows = 10_000

interface ListProps {
  run: Run
  /** Index of the item that is open. */
  opened: number | null
  list: Ref<ItemList>
}

/**
 * All items by their index: the row of an item is known before it is finished, so any place of a long run is reached at
 * once, and only the pages that are looked at are held.
 */
export function EveryItem(props: ListProps) {
  const { run } = props
  const { api } = useParts()
  const { progress } = useWatchedRun(run.run_id, 'numbers')
  const numbers = numbersOf(run, progress)
  const { total_items: total, completed_items: done } = numbers
  // User code may number its items as it likes: what lies beyond the total can only be listed one after the other.
  const isClient = run.task.kind === 'client'
  const beyond = useQuery({
    ...runItemQueries(api).beyond(run.run_id, total ?? 0),
    enabled: isClient && total !== null && done > 0,
  })
  if (done === 0 && isOver(run.status)) return <Notice title="No items">No item of this run was finished.</Notice>
  if (total === null || beyond.data === true) return <FoundItems {...props} filter={{}} onClear={() => {}} />
  if (total === 0) return <Notice title="No items">The dataset has no cases in this version.</Notice>
  return <Numbered {...props} total={total} />
}

function Numbered({ run, opened, list, total }: ListProps & { total: number }) {
  const { api } = useParts()
  const queries = runItemQueries(api)
  const over = isOver(run.status)
  const [range, setRange] = useState<readonly [first: number, last: number]>(() => {
    const first = opened ?? 0
    return [first, first + 20]
  })
  const pages = useMemo(() => pagesOf(range, total), [range, total])
  const read = useQueries({
    queries: pages.map((page) => ({
      ...queries.page(run.run_id, page),
      placeholderData: keepPreviousData,
      refetchInterval: ({ state }: { state: { data?: RunItemPreview[] | undefined } }) =>
        over || (state.data?.length ?? 0) >= Math.min(pageItems, total - page * pageItems) ? (false as const) : againMs,
    })),
  })
  const error = read.find((one) => one.error && !one.data)?.error
  const items = new Map(read.flatMap(({ data }) => (data ?? []).map((item) => [item.item_index, item] as const)))
  useImperativeHandle(
    list,
    () => ({
      neighbour: (index, step) => (index + step >= 0 && index + step < total ? index + step : undefined),
      first: () => 0,
    }),
    [total],
  )
  const onRange = useCallback((first: number, last: number) => {
    setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]))
  }, [])
  if (error)
    return (
      <Trouble what="The items cannot be listed" error={error} onRetry={() => void read.map((one) => one.refetch())} />
    )
  return (
    <ItemTable
      run={run}
      count={total}
      indexOf={(row) => row}
      itemAt={(row) => items.get(row)}
      opened={opened}
      onRange={onRange}
      waits={over ? 'not finished' : 'not finished yet'}
    />
  )
}

/** Pages that hold these rows. */
function pagesOf([first, last]: readonly [number, number], total: number): number[] {
  const from = Math.floor(first / pageItems)
  const to = Math.floor(Math.min(last, total - 1) / pageItems)
  return Array.from({ length: Math.max(1, to - from + 1) }, (_, at) => from + at)
}

/** The items that fit a filter, one page after the other. */
export function FoundItems({
  run,
  opened,
  list,
  filter,
  onClear,
}: ListProps & { filter: ItemSearch; onClear: () => void }) {
  const { api } = useParts()
  const query = useInfiniteQuery(runItemQueries(api).found(run.run_id, filter))
  const { data, error, fetchNextPage, hasNextPage, isFetching, isFetchNextPageError } = query
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data])
  const places = useMemo(() => new Map(rows.map(({ item_index: index }, row) => [index, row])), [rows])
  const last = data?.pages.at(-1)
  const isFull = rows.length >= mostRows
  // A search that found nothing in its time goes on only when asked to: it may have far to go.
  const goesOn = hasNextPage && !isFull && !isFetching && !isFetchNextPageError && last?.searched_to === null
  useImperativeHandle(
    list,
    () => ({
      neighbour(index, step) {
        const row = places.get(index)
        return row === undefined ? rows[0]?.item_index : rows[row + step]?.item_index
      },
      first: () => rows[0]?.item_index,
    }),
    [places, rows],
  )
  const onRange = useCallback(
    (_first: number, shown: number) => {
      if (goesOn && shown >= rows.length - 30) void fetchNextPage()
    },
    [goesOn, rows.length, fetchNextPage],
  )
  if (error && rows.length === 0)
    return <Trouble what="The items cannot be listed" error={error} onRetry={() => void query.refetch()} />
  if (!data) return <Loading what="the items" />
  if (rows.length === 0 && last?.next_cursor === null)
    return (
      <Notice title="No item fits" picture={<SearchX aria-hidden size={28} />}>
        <p>{isOver(run.status) ? 'Loosen a filter.' : 'None of those that are finished so far.'}</p>
        <span className="flex gap-2">
          <Button size="medium" onClick={onClear}>
            Clear all filters
          </Button>
          {!isOver(run.status) && (
            <Button size="medium" onClick={() => void query.refetch()}>
              Look again
            </Button>
          )}
        </span>
      </Notice>
    )
  return (
    <ItemTable
      run={run}
      count={rows.length}
      indexOf={(row) => rows[row]?.item_index ?? -1}
      itemAt={(row) => rows[row]}
      opened={opened}
      onRange={onRange}
      waits=""
    >
      <End
        rows={rows.length}
        page={last}
        run={run}
        error={isFetchNextPageError ? error : null}
        isBusy={isFetching}
        isFull={isFull}
        onMore={() => void fetchNextPage()}
        onAgain={() => void query.refetch()}
      />
    </ItemTable>
  )
}

interface EndProps {
  rows: number
  page: { next_cursor: string | null; searched_to: number | null } | undefined
  run: Run
  error: Error | null
  isBusy: boolean
  isFull: boolean
  onMore: () => void
  onAgain: () => void
}

/** What stands under the last row. */
function End({ rows, page, run, error, isBusy, isFull, onMore, onAgain }: EndProps) {
  if (!page) return null
  let words: React.ReactNode = 'Loading more…'
  if (error)
    words = (
      <>
        <span role="alert">{sayError(error)}</span>
        <Button onClick={onMore}>Try again</Button>
      </>
    )
  else if (isBusy) words = 'Looking…'
  else if (page.next_cursor === null)
    words = (
      <>
        {rows === 1 ? 'One item.' : `All ${formatCount(rows)} items are shown.`}
        {!isOver(run.status) && (
          <Button onClick={onAgain}>
            <RefreshCw aria-hidden size={14} />
            Look again
          </Button>
        )}
      </>
    )
  else if (isFull) words = `${formatCount(rows)} items are shown. Narrow the filter to see the others.`
  else if (page.searched_to !== null)
    words = (
      <>
        Looked through the items up to {formatCount(page.searched_to + 1)}.<Button onClick={onMore}>Go on</Button>
      </>
    )
  return (
    <div
      role="status"
      className="flex min-h-14 flex-wrap items-center justify-center gap-3 px-4 py-3 text-center text-sm text-ink-2"
    >
      {words}
    </div>
  )
}
