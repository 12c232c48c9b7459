import type { TraceSummary } from '@llm-eval/protocol'
import { useMemo } from 'react'
import { belongs, type ListSearch } from '../api/filters.ts'
import type { ListPage } from '../api/queries.ts'
import { useParts } from '../app/parts.ts'
import { useCell } from '../stream/cell.ts'

/** How many traces came since a list was read, of which this is the first page, that would stand on top of it. */
export function useNewer(search: ListSearch, first: ListPage | undefined): number {
  const { feed } = useParts()
  const heard = useCell(feed.heard)
  return useMemo(() => {
    if (first === undefined || heard === first.mark) return 0
    const now = Date.now()
    return newerThan(first, feed.since(first.mark)).filter((trace) => belongs(trace, search, now)).length
  }, [feed, heard, first, search])
}

/** The stream tells also of some traces that were stored before the list was read: these are in it, or beyond its first page. */
export function newerThan(first: ListPage, arrivals: readonly TraceSummary[]): TraceSummary[] {
  const refs = new Set(first.items.map(({ ref }) => ref))
  const isWhole = first.next_cursor === null || refs.size === 0
  const floor = isWhole ? 0 : Math.min(...refs)
  return arrivals.filter(({ ref }) => ref >= floor && !refs.has(ref))
}
