import { useMemo } from 'react'
import { belongs, type ListSearch } from '../api/filters.ts'
import { useParts } from '../app/parts.ts'
import { useCell } from '../stream/cell.ts'

/** How many traces came since a list was read that would stand on top of it. */
export function useNewer(search: ListSearch, mark: number | undefined): number {
  const { feed } = useParts()
  const heard = useCell(feed.heard)
  return useMemo(() => {
    if (mark === undefined || heard === mark) return 0
    const now = Date.now()
    return feed.since(mark).filter((trace) => belongs(trace, search, now)).length
  }, [feed, heard, mark, search])
}
