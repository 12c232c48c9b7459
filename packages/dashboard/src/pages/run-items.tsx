import type { Run } from '@llm-eval/protocol'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import { type ItemSearch, readItemSearch } from '../api/item-filters.ts'
import { runItemQueries } from '../api/run-items.ts'
import { readRunTab } from '../app/addresses.ts'
import { useKeys } from '../app/keys.tsx'
import { useParts } from '../app/parts.ts'
import { useWatchedRun } from '../app/watching.ts'
import { RunItemFilters } from './run-item-filters.tsx'
import { RunItemPanel } from './run-item.tsx'
import { EveryItem, FoundItems, type ItemList } from './run-item-lists.tsx'
import { isOver, numbersOf } from './run-numbers.ts'

const route = getRouteApi('/shell/runs/$runId')

/** The items of a run, and beside them the one that is open. */
export function RunItems({ run }: { run: Run }) {
  const { runId } = route.useParams()
  const search = route.useSearch({ select: readRunTab, structuralSharing: true })
  const navigate = route.useNavigate()
  const filter = useMemo(() => readItemSearch({ ...search }), [search])
  const opened = search.item === undefined ? null : Number(search.item)
  const list = useRef<ItemList>(null)
  useFreshItems(run)

  const setFilter = useCallback(
    (next: ItemSearch): void => {
      void navigate({ search: { tab: 'items', ...next }, replace: true, resetScroll: false })
    },
    [navigate],
  )
  const open = useCallback(
    (index: number | null): void => {
      const item = index === null ? {} : { item: String(index) }
      void navigate({ search: { tab: 'items', ...filter, ...item }, replace: opened !== null, resetScroll: false })
    },
    [navigate, filter, opened],
  )
  const close = useCallback((): void => {
    open(null)
    // The row that was open has the keyboard again.
    if (opened !== null) focusRow(opened)
  }, [open, opened])
  const step = (by: 1 | -1): void => {
    const next = opened === null ? undefined : list.current?.neighbour(opened, by)
    if (next !== undefined) open(next)
  }
  useKeys(
    opened === null
      ? []
      : [
          { keys: ['j', 'ArrowRight'], does: 'Next item', run: () => step(1) },
          { keys: ['k', 'ArrowLeft'], does: 'Previous item', run: () => step(-1) },
          { keys: ['Escape'], does: 'Close the item', run: close },
        ],
  )
  const isFiltered = Object.keys(filter).length > 0
  const shape = { run, opened, list }
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3">
      <div className={opened === null ? '' : 'max-lg:hidden'}>
        <RunItemFilters run={run} filter={filter} onFilter={setFilter} />
      </div>
      <div
        className={`grid min-h-0 flex-1 gap-4 ${opened === null ? '' : 'lg:grid-cols-[minmax(0,1fr)_minmax(0,1.1fr)]'}`}
      >
        <div className={`flex min-w-0 flex-col ${opened === null ? '' : 'max-lg:hidden'}`}>
          {isFiltered ? (
            // Another filter is another list: nothing of the old one stays.
            <FoundItems key={JSON.stringify(filter)} {...shape} filter={filter} onClear={() => setFilter({})} />
          ) : (
            <EveryItem {...shape} />
          )}
        </div>
        {opened !== null && <RunItemPanel key={runId} run={run} index={opened} onClose={close} onStep={step} />}
      </div>
    </div>
  )
}

/** Moves the keyboard to the row of an item, once it is there. */
function focusRow(index: number): void {
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>(`[data-item="${index}"] a`)?.focus({ preventScroll: true })
  })
}

/** Has the items read again when the run ends, is resumed, or has fewer than before: some of them were deleted. */
function useFreshItems(run: Run): void {
  const { api } = useParts()
  const client = useQueryClient()
  const { progress } = useWatchedRun(run.run_id, 'numbers')
  const over = isOver(run.status)
  const done = numbersOf(run, progress).completed_items
  const before = useRef({ over, done })
  useEffect(() => {
    const changed = before.current.over !== over || before.current.done > done
    before.current = { over, done }
    if (changed) void client.invalidateQueries({ queryKey: runItemQueries(api).all(run.run_id) })
  }, [over, done, client, api, run.run_id])
}
