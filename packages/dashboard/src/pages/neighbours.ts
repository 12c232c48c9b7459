import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { ListSearch } from '../api/filters.ts'
import { useParts } from '../app/parts.ts'
import { useCell } from '../stream/cell.ts'
import { shownRows } from '../stream/tail.ts'

/** What lies beside a trace in the list it was opened from. */
export interface Neighbours {
  previous: string | undefined
  next: string | undefined
  /** 1-based; undefined when the trace is not in the list. */
  position: number | undefined
  /** Rows known so far, with a `+` when there are more. */
  total: string
}

export function useNeighbours(traceId: string, list: ListSearch | 'live' | undefined): Neighbours | null {
  const { queries, feed } = useParts()
  const tail = useCell(feed.tail)
  const listed = typeof list === 'object'
  const { data, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery({
    ...queries.list(listed ? list : {}),
    enabled: listed,
  })
  const rows = list === 'live' ? shownRows(tail) : listed ? (data?.pages.flatMap((page) => page.items) ?? []) : []
  const at = rows.findIndex((row) => row.trace_id === traceId)
  const nearEnd = listed && at >= 0 && at >= rows.length - 2
  useEffect(() => {
    if (nearEnd && hasNextPage && !isFetching) void fetchNextPage()
  }, [nearEnd, hasNextPage, isFetching, fetchNextPage])

  if (list === undefined || at < 0) return null
  return {
    previous: rows[at - 1]?.trace_id,
    next: rows[at + 1]?.trace_id,
    position: at + 1,
    total: `${rows.length}${listed && hasNextPage ? '+' : ''}`,
  }
}
