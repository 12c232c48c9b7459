import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useElementScrollRestoration } from '@tanstack/react-router'
import { SearchX } from 'lucide-react'
import { useCallback, useMemo, useRef, useState } from 'react'
import { filterOf, type ListSearch, merge, readSearch, scoreColumns } from '../api/filters.ts'
import { keys, type ListPage } from '../api/queries.ts'
import { useKeys } from '../app/keys.tsx'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { Teach } from '../components/teach.tsx'
import { TraceTable } from '../components/trace-table.tsx'
import { formatCount } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'
import { FilterBar } from './filter-bar.tsx'
import { NewPill } from './live-tail.tsx'
import { useNewer } from './newer.ts'

const route = getRouteApi('/shell/traces')
/** Rows held in memory. Whoever goes further back continues in a list of its own, by time. */
const mostRows = 20_000

/** Every trace, filtered. The filter is the address of the page. */
export function TracesPage() {
  const search = route.useSearch({ select: readSearch, structuralSharing: true })
  const navigate = route.useNavigate()
  const filtered = Object.keys(filterOf(search)).length > 0
  const setSearch = useCallback((next: ListSearch) => void navigate({ search: () => next, replace: true }), [navigate])
  return (
    <div className="flex h-[calc(100dvh-3rem-1px)] flex-col pb-13 sm:pb-0 max-sm:-mb-14">
      <h1 className="sr-only">Traces</h1>
      <FilterBar search={search} onChange={setSearch} />
      {/* A list with another filter is another list: nothing of the old one stays, not even where it was scrolled to. */}
      <List key={JSON.stringify(filterOf(search))} search={search} filtered={filtered} onChange={setSearch} />
    </div>
  )
}

interface ListProps {
  search: ListSearch
  filtered: boolean
  onChange: (next: ListSearch) => void
}

function List({ search, filtered, onChange }: ListProps) {
  const { queries } = useParts()
  const scroller = useRef<HTMLDivElement>(null)
  const scrolled = useElementScrollRestoration({ id: 'traces' })
  const query = useInfiniteQuery(queries.list(search))
  const { data, error, fetchNextPage, hasNextPage, isFetching, isFetchNextPageError } = query
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data])
  const scores = useMemo(() => scoreColumns(search), [search])
  const newer = useNewer(search, data?.pages[0])
  const last = data?.pages.at(-1)
  const full = rows.length >= mostRows
  // A search that found nothing in its slice goes on only when asked to: it may have far to go.
  const goOn = hasNextPage && !full && !isFetching && !isFetchNextPageError && last?.searched_to === null
  const onEnd = useCallback(() => {
    if (goOn) void fetchNextPage()
  }, [goOn, fetchNextPage])
  const active = useRowKeys(rows.length)
  const refresh = useRefresh(search, scroller)

  return (
    <div className="relative min-h-0 flex-1 border-t bg-surface">
      {newer > 0 && (
        <NewPill
          label={search.q === undefined ? `${formatCount(newer)} new` : `${formatCount(newer)} newer to search`}
          onClick={refresh}
        />
      )}
      <div ref={scroller} data-scroll-restoration-id="traces" className="h-full overflow-y-auto [overflow-anchor:none]">
        {error && rows.length === 0 ? (
          <Trouble what="The traces cannot be listed" error={error} onRetry={() => void query.refetch()} />
        ) : !data ? (
          <Loading what="traces" />
        ) : (
          <>
            {(data.pages[0]?.search_lag ?? 0) > 0 && (
              <p role="status" className="bg-wait-soft px-5 py-1.5 text-sm text-wait">
                The search does not know the newest {formatCount(data.pages[0]?.search_lag ?? 0)} traces yet.
              </p>
            )}
            {rows.length > 0 && (
              <TraceTable
                label="Traces"
                rows={rows}
                list={search}
                scores={scores}
                scroller={scroller}
                onEnd={onEnd}
                {...(active === undefined ? {} : { active })}
                {...(scrolled ? { offset: scrolled.scrollY } : {})}
              />
            )}
            {rows.length === 0 && last?.next_cursor === null && (
              <Nothing filtered={filtered} onClear={() => onChange({})} />
            )}
            <End
              rows={rows.length}
              page={last}
              error={isFetchNextPageError ? error : null}
              busy={isFetching}
              full={full}
              onMore={() => void fetchNextPage()}
              onLeap={() => onChange(leap(search, rows.at(-1)?.timestamp))}
            />
          </>
        )}
      </div>
    </div>
  )
}

/** The same filter, from the last row shown backwards. */
function leap(search: ListSearch, last: string | undefined): ListSearch {
  // Others may share the last one's time.
  const to = last === undefined ? undefined : new Date(Date.parse(last) + 1).toISOString()
  return merge(search, { range: undefined, to })
}

/** Reads the list again from the top. What is shown stays until the answer is there. */
function useRefresh(search: ListSearch, scroller: React.RefObject<HTMLDivElement | null>): () => void {
  const client = useQueryClient()
  return useCallback(() => {
    const key = keys.list(search)
    client.setQueryData<{ pages: ListPage[]; pageParams: unknown[] }>(key, (data) =>
      data ? { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) } : data,
    )
    scroller.current?.scrollTo({ top: 0 })
    void client.invalidateQueries({ queryKey: key, exact: true })
  }, [client, search, scroller])
}

/** The row that the keyboard is on. */
function useRowKeys(count: number): number | undefined {
  const [active, setActive] = useState<number>()
  const move = (step: number): void => setActive((before) => Math.max(0, Math.min(count - 1, (before ?? -1) + step)))
  useKeys([
    { keys: ['j', 'ArrowDown'], does: 'Next row', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'Previous row', run: () => move(-1) },
  ])
  return count === 0 ? undefined : active
}

interface EndProps {
  rows: number
  page: ListPage | undefined
  error: Error | null
  busy: boolean
  full: boolean
  onMore: () => void
  onLeap: () => void
}

/** What stands under the last row. */
function End({ rows, page, error, busy, full, onMore, onLeap }: EndProps) {
  if (!page || (rows === 0 && page.next_cursor === null)) return null
  let words: React.ReactNode = 'Loading more…'
  if (error) {
    words = (
      <>
        <span role="alert">{sayError(error)}</span>
        <Button onClick={onMore}>Try again</Button>
      </>
    )
  } else if (busy) words = 'Loading more…'
  else if (page.next_cursor === null)
    words = rows === 1 ? 'There is one trace.' : `All ${formatCount(rows)} traces are shown.`
  else if (full) {
    words = (
      <>
        {formatCount(rows)} rows are shown.
        <Button onClick={onLeap}>Go on from here</Button>
      </>
    )
  } else if (page.searched_to !== null) {
    words = (
      <>
        Searched back to {formatTime(page.searched_to)}.<Button onClick={onMore}>Go on</Button>
      </>
    )
  }
  return (
    <div className="flex min-h-16 flex-wrap items-center justify-center gap-3 px-4 py-4 text-center text-sm text-ink-2">
      {words}
    </div>
  )
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <Notice title="No trace matches" picture={<SearchX aria-hidden size={28} />}>
        <p>Loosen a filter, or look at a longer time.</p>
        <Button size="medium" onClick={onClear}>
          Clear all filters
        </Button>
      </Notice>
    )
  }
  return (
    <div className="mx-auto max-w-3xl px-5 py-12">
      <h2 className="text-xl font-semibold">No traces yet</h2>
      <p className="mt-1 mb-5 text-ink-2">Send one, and it is listed here.</p>
      <Teach />
    </div>
  )
}
