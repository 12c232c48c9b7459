import { rejectReasons, type TraceDetail } from '@llm-eval/protocol'
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { ListSearch } from '../api/filters.ts'
import { keys } from '../api/queries.ts'
import { useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { formatCount } from '../format/numbers.ts'
import { decisionOf } from './decision.ts'
import { useNewer } from './newer.ts'
import { advance, backToSkipped, decided, emptyQueue, extend, type Queue, skip, step, tally, undone } from './queue.ts'
import { useDecide } from './verdict.ts'

/** A run through the queue, as the page shows and steers it. */
export interface ReviewRun {
  /** The trace in work; undefined before the first and after the last. */
  traceId: string | undefined
  /** 1-based. */
  position: number
  /** Records of this run, as far as known. */
  total: number
  totalWords: string
  tally: ReturnType<typeof tally>
  skipped: number
  /** Pending traces that came since the queue was read. */
  newer: number
  loading: boolean
  error: Error | null
  canUndo: boolean
  next: () => void
  previous: () => void
  skip: () => void
  undo: () => void
  backToSkipped: () => void
  restart: () => void
  decided: (after: TraceDetail, before: TraceDetail) => void
  /** Called before the trace in work is left. */
  beforeLeaving: RefObject<() => void>
}

export function useReviewRun(filter: Pick<ListSearch, 'model' | 'source'>): ReviewRun {
  const { queries } = useParts()
  const client = useQueryClient()
  const toasts = useToasts()
  const search = useMemo<ListSearch>(() => ({ ...filter, status: 'pending' }), [filter])
  const list = useInfiniteQuery({ ...queries.list(search), refetchOnMount: 'always' })
  const { data, hasNextPage, isFetching, fetchNextPage, error } = list
  const { data: metrics } = useQuery(queries.metrics())
  const [queue, setQueue] = useState<Queue>(emptyQueue)
  const beforeLeaving = useRef<() => void>(() => {})
  const { mutate: decide, isPending } = useDecide()
  const newer = useNewer(search, data?.pages[0])

  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data])
  useEffect(() => {
    const waiting = rows.filter((row) => row.evaluation_status === 'pending')
    setQueue((before) =>
      extend(
        before,
        waiting.map((row) => row.trace_id),
      ),
    )
  }, [rows])
  useEffect(() => {
    if (hasNextPage && !isFetching && !error && queue.at >= queue.ids.length - 5) void fetchNextPage()
  }, [hasNextPage, isFetching, error, queue, fetchNextPage])

  // Others decide too; what they took is passed over.
  const taken = useMemo(
    () => new Set(rows.filter((row) => row.evaluation_status !== 'pending').map((row) => row.trace_id)),
    [rows],
  )
  const waits = useCallback((id: string) => !taken.has(id), [taken])
  const following = queue.ids[queue.at + 1]
  useEffect(() => {
    if (following !== undefined) void client.prefetchQuery(queries.detail(following))
  }, [client, queries, following])

  const go = (move: (queue: Queue) => Queue): void => {
    beforeLeaving.current()
    setQueue(move)
  }
  const undo = (): void => {
    const last = queue.done.at(-1)
    if (!last || isPending) return
    decide(
      { trace: { trace_id: last.traceId, version: last.version }, decision: last.before },
      {
        onSuccess: () => toasts.show({ key: 'verdict', text: 'Taken back.' }),
        onError: () =>
          toasts.show({ key: 'verdict', text: 'It cannot be taken back: somebody reviewed it since.', mood: 'bad' }),
        onSettled: () => setQueue(undone),
      },
    )
  }
  const undoLatest = useRef(undo)
  useEffect(() => {
    undoLatest.current = undo
  })

  const restart = useCallback(() => {
    setQueue((now) => ({ ...emptyQueue, done: now.done }))
    void client.resetQueries({ queryKey: keys.list(search), exact: true })
  }, [client, search])
  // An empty queue fills by itself.
  const idle = data !== undefined && !isFetching && queue.ids.length === 0 && newer > 0
  useEffect(() => {
    if (idle) restart()
  }, [idle, restart])

  const counts = tally(queue)
  const open = hasNextPage || isFetching
  const pending = metrics ? metrics.pending_traces - metrics.in_review_traces : 0
  const filtered = filter.model !== undefined || filter.source !== undefined
  const total = open && !filtered ? Math.max(queue.ids.length, counts.decided + pending) : queue.ids.length

  return {
    traceId: queue.ids[queue.at],
    position: queue.at + 1,
    total,
    totalWords: `${formatCount(total)}${open && filtered ? '+' : ''}`,
    tally: counts,
    skipped: queue.skipped.size,
    newer,
    loading: isFetching || !data,
    error,
    canUndo: queue.done.length > 0,
    next: () => go((now) => step(now, 1)),
    previous: () => go((now) => step(now, -1)),
    skip: () => go((now) => skip(now, waits)),
    undo,
    backToSkipped: () => setQueue(backToSkipped),
    restart,
    decided(after, before) {
      const { trace_id: traceId, evaluation_status: status, version } = after
      // Only a verdict moves on; a note or a claim stays with the trace.
      if (status !== 'accepted' && status !== 'rejected') return
      if (status === before.evaluation_status && after.review.reason === before.review.reason) return
      setQueue((now) => advance(decided(now, { traceId, status, version, before: decisionOf(before) }), waits))
      const reason = after.review.reason
      toasts.show({
        key: 'verdict',
        text:
          status === 'accepted' ? 'Accepted.' : `Rejected${reason ? `: ${rejectReasons[reason].toLowerCase()}` : ''}.`,
        mood: 'good',
        action: { label: 'Undo', run: () => undoLatest.current() },
      })
    },
    beforeLeaving,
  }
}
