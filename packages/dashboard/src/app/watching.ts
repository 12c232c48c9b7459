import { useEffect, useMemo } from 'react'
import { useCell } from '../stream/cell.ts'
import { type Closeness, unwatched, type Watched } from '../stream/run-watch.ts'
import { useParts } from './parts.ts'

/** Keeps everything on the screen that is about runs up to date, while this component is. */
export function useWatchedRuns(): void {
  const { runWatch } = useParts()
  useEffect(() => runWatch.watchAll(), [runWatch])
}

const nothing = { get: () => unwatched, subscribe: () => () => {} }

/**
 * Watches a run while this component is on the screen: what the socket tells of it. With `items` every item is told,
 * with `numbers` only how far it is. Null watches nothing.
 */
export function useWatchedRun(runId: string | null, closeness: Closeness): Watched {
  const { runWatch } = useParts()
  const cell = useMemo(
    () => (runId === null ? nothing : runWatch.follow(runId, closeness)),
    [runWatch, runId, closeness],
  )
  return useCell(cell)
}
