import type { Cell } from './cell.ts'

type Followed<T> = Pick<Cell<T>, 'get' | 'subscribe'>

/**
 * A cell that shows what another one holds at most once in so many milliseconds, however often that changes: many changes
 * are one for those who draw them, and the last one is always shown.
 */
export function paced<T>(
  cell: Followed<T>,
  { ms, later }: { ms: number; later: (callback: () => void, ms: number) => () => void },
): Followed<T> {
  let shown = cell.get()
  const listeners = new Set<() => void>()
  let stop: (() => void) | undefined
  let leave: (() => void) | undefined
  const show = (): void => {
    stop = undefined
    const next = cell.get()
    if (Object.is(next, shown)) return
    shown = next
    for (const listener of listeners) listener()
  }
  return {
    get: () => shown,
    subscribe(listener) {
      listeners.add(listener)
      leave ??= cell.subscribe(() => {
        stop ??= later(show, ms)
      })
      // Following may have made something known already.
      shown = cell.get()
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        leave?.()
        leave = undefined
        stop?.()
        stop = undefined
      }
    },
  }
}
