import { useEffect, useMemo } from 'react'
import { socketTicket } from '../api/runs.ts'
import { useCell } from '../stream/cell.ts'
import { createRunCache } from '../stream/run-cache.ts'
import { paced } from '../stream/paced.ts'
import { openRunSocket } from '../stream/run-socket.ts'
import { type Closeness, RunWatch, unwatched, type Watched } from '../stream/run-watch.ts'
import { type Parts, useParts } from './parts.ts'

/** Keeps everything on the screen that is about runs up to date, while this component is. */
export function useWatchedRuns(): void {
  const parts = useParts()
  useEffect(() => watchOf(parts).watchAll(), [parts])
}

/** A run may finish thousands of items in a second, and nobody sees more than some pictures of it. */
const drawMs = 100
const nothing = { get: () => unwatched, subscribe: () => () => {} }

/**
 * Watches a run while this component is on the screen: what the socket tells of it. With `items` every item is told,
 * with `numbers` only how far it is. Null watches nothing.
 */
export function useWatchedRun(runId: string | null, closeness: Closeness): Watched {
  const parts = useParts()
  const cell = useMemo(
    () => (runId === null ? nothing : paced(watchOf(parts).follow(runId, closeness), { ms: drawMs, later })),
    [parts, runId, closeness],
  )
  return useCell(cell)
}

/** The one that watches for the whole page, made when it is first wanted. */
function watchOf({ api, queryClient, runLink }: Parts): RunWatch {
  if (runLink.watch) return runLink.watch
  const cache = createRunCache({ queryClient, later })
  const watch = new RunWatch({
    status: runLink.status,
    ticket: () => socketTicket(api),
    open: openRunSocket,
    later,
    now: Date.now,
    random: Math.random,
    onUpdate: cache.update,
    onGap: cache.gap,
    onSignedOut: runLink.onSignedOut,
  })
  runLink.watch = watch
  // A network that comes back need not be waited for.
  addEventListener('online', () => watch.retry())
  return watch
}

function later(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
