import { limits, type Run } from '@llm-eval/protocol'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useElementScrollRestoration, useNavigate } from '@tanstack/react-router'
import { GitCompareArrows, Plus, SearchX, X } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { isFiltered, readRunSearch, type RunSearch } from '../api/run-filters.ts'
import { runQueries } from '../api/runs.ts'
import { compareSearch } from '../app/addresses.ts'
import { useKeys } from '../app/keys.tsx'
import { useMay, useParts } from '../app/parts.ts'
import { useWatchedRuns } from '../app/watching.ts'
import { Button, buttonLook } from '../components/button.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'
import { RunsFilters } from './runs-filters.tsx'
import { type Choice, type ListedRun, RunsTable } from './runs-table.tsx'
import { TeachRuns } from './runs-teach.tsx'

const route = getRouteApi('/shell/runs')

/** The runs of the project, live. The filter is the address of the page. */
export function RunsPage() {
  const search = route.useSearch({ select: readRunSearch, structuralSharing: true })
  const navigate = route.useNavigate()
  const { api } = useParts()
  const may = useMay('write')
  const query = useInfiniteQuery(runQueries(api).list(search))
  const rows = useMemo<ListedRun[]>(() => listed(query.data?.pages ?? []), [query.data])
  useWatchedRuns()
  const setSearch = useCallback((next: RunSearch) => void navigate({ search: () => next, replace: true }), [navigate])
  const choice = useChoice(rows)
  const isEmpty = query.data !== undefined && rows.length === 0 && !isFiltered(search)
  return (
    <div className="flex h-[calc(100dvh-3rem-1px)] flex-col pb-13 sm:pb-0 max-sm:-mb-14">
      <h1 className="sr-only">Runs</h1>
      {!isEmpty && (
        <RunsFilters search={search} listed={rows.map(({ run }) => run)} onChange={setSearch}>
          {may && (
            <Link to="/new-run" className={`${buttonLook('primary')} h-8`}>
              <Plus aria-hidden size={14} />
              <span className="max-sm:sr-only">New run</span>
            </Link>
          )}
        </RunsFilters>
      )}
      {/* A list with another filter is another list: nothing of the old one stays. */}
      <List
        key={JSON.stringify(search)}
        query={query}
        rows={rows}
        choice={choice}
        filtered={isFiltered(search)}
        onClear={() => setSearch({})}
      />
      <Chosen choice={choice} />
    </div>
  )
}

/** A run that moved to another page while they were read is there twice. */
function listed(pages: readonly { items: Run[]; at: number }[]): ListedRun[] {
  const known = new Set<string>()
  return pages.flatMap(({ items, at }) =>
    items.flatMap((run) => {
      if (known.has(run.run_id)) return []
      known.add(run.run_id)
      return [{ run, readAt: at }]
    }),
  )
}

interface ListProps {
  query: ReturnType<typeof useInfiniteQuery<unknown>>
  rows: readonly ListedRun[]
  choice: Choice
  filtered: boolean
  onClear: () => void
}

function List({ query, rows, choice, filtered, onClear }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const scrolled = useElementScrollRestoration({ id: 'runs' })
  const { data, error, fetchNextPage, hasNextPage, isFetching, isFetchNextPageError } = query
  const goOn = hasNextPage && !isFetching && !isFetchNextPageError
  const onEnd = useCallback(() => {
    if (goOn) void fetchNextPage()
  }, [goOn, fetchNextPage])
  const active = useRowKeys(rows, choice)
  const fresh = useFresh(rows)
  if (data !== undefined && rows.length === 0 && !filtered)
    return (
      <div className="min-h-0 flex-1 overflow-y-auto">
        <TeachRuns />
      </div>
    )
  return (
    <div
      ref={scroller}
      data-scroll-restoration-id="runs"
      className="min-h-0 flex-1 overflow-y-auto border-t bg-surface"
    >
      {error && rows.length === 0 ? (
        <Trouble what="The runs cannot be listed" error={error} onRetry={() => void query.refetch()} />
      ) : data === undefined ? (
        <Loading what="the runs" />
      ) : rows.length === 0 ? (
        <Notice title="No run matches" picture={<SearchX aria-hidden size={28} />}>
          <p>Loosen a filter.</p>
          <Button size="medium" onClick={onClear}>
            Clear all filters
          </Button>
        </Notice>
      ) : (
        <>
          <RunsTable
            rows={rows}
            scroller={scroller}
            choice={choice}
            active={active}
            offset={scrolled?.scrollY ?? 0}
            fresh={fresh}
            onEnd={onEnd}
          />
          <p className="flex min-h-14 items-center justify-center gap-3 px-4 py-3 text-sm text-ink-2">
            {isFetchNextPageError ? (
              <>
                <span role="alert">{sayError(error)}</span>
                <Button onClick={() => void fetchNextPage()}>Try again</Button>
              </>
            ) : hasNextPage ? (
              'Loading more…'
            ) : rows.length === 1 ? (
              'There is one run.'
            ) : (
              `All ${formatCount(rows.length)} runs are shown.`
            )}
          </p>
        </>
      )}
    </div>
  )
}

/** The row that the keyboard is on, and what keys do there. */
function useRowKeys(rows: readonly ListedRun[], choice: Choice): number | undefined {
  const [active, setActive] = useState<number>()
  const move = (step: number): void =>
    setActive((before) => Math.max(0, Math.min(rows.length - 1, (before ?? -1) + step)))
  useKeys([
    { keys: ['j', 'ArrowDown'], does: 'Next run', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'Previous run', run: () => move(-1) },
    {
      keys: ['x'],
      does: 'Choose the run',
      run() {
        const row = active === undefined ? undefined : rows[active]
        if (row) choice.toggle(row.run)
      },
    },
  ])
  return rows.length === 0 ? undefined : active
}

/** Ids of runs that were not there before. */
function useFresh(rows: readonly ListedRun[]): ReadonlySet<string> {
  const before = useRef<ReadonlySet<string> | null>(null)
  const fresh = useMemo(() => {
    const known = before.current
    const found = known ? rows.filter(({ run }) => !known.has(run.run_id)).map(({ run }) => run.run_id) : []
    // More than some at once is a page, and no arrival to point at.
    return new Set(found.length > 8 ? [] : found)
  }, [rows])
  useEffect(() => {
    if (rows.length > 0) before.current = new Set(rows.map(({ run }) => run.run_id))
  }, [rows])
  return fresh
}

/** What is chosen stays so when the list changes, unless the run is deleted or filtered away. */
function useChoice(rows: readonly ListedRun[]): Choice & { clear: () => void } {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const chosen = useMemo(
    () => new Map(rows.flatMap(({ run }) => (ids.has(run.run_id) ? [[run.run_id, run] as const] : []))),
    [rows, ids],
  )
  return {
    chosen,
    clear: () => setIds(new Set()),
    toggle({ run_id: id }) {
      const next = new Set(chosen.keys())
      if (!next.delete(id) && next.size < limits.comparedRuns) next.add(id)
      setIds(next)
    },
  }
}

/** What is to be done with the runs that are chosen. */
function Chosen({ choice: { chosen, clear } }: { choice: Choice & { clear: () => void } }) {
  const navigate = useNavigate()
  // The oldest is what the others are held against.
  const ids = [...chosen.values()].sort((a, b) => a.created_at.localeCompare(b.created_at)).map(({ run_id: id }) => id)
  const compare = (): void => {
    if (ids.length > 1) void navigate({ to: '/compare', search: compareSearch(ids) })
  }
  useKeys([
    { keys: ['c'], does: 'Compare the chosen runs', run: compare },
    { keys: ['Escape'], does: 'Choose nothing', run: clear },
    { keys: ['n'], does: 'New run', run: () => void navigate({ to: '/new-run' }) },
  ])
  if (ids.length === 0) return null
  return (
    <section
      aria-label="Chosen runs"
      className="flex animate-rise flex-wrap items-center gap-3 border-t bg-raised px-4 py-2.5 sm:px-5"
    >
      <p role="status" className="mr-auto min-w-0">
        <span className="font-medium">{ids.length === 1 ? '1 run chosen' : `${ids.length} runs chosen`}</span>{' '}
        <span className="text-ink-3 max-sm:hidden">
          {ids.length === 1
            ? 'Choose another one to compare them.'
            : ids.length === limits.comparedRuns
              ? 'More cannot be compared at once.'
              : 'The oldest is what the others are held against.'}
        </span>
      </p>
      <Button size="medium" look="quiet" onClick={clear}>
        <X aria-hidden size={15} />
        Clear
      </Button>
      <Button size="medium" look="primary" disabled={ids.length < 2} onClick={compare}>
        <GitCompareArrows aria-hidden size={15} />
        Compare
      </Button>
    </section>
  )
}
