import type { QueryClient, QueryKey } from '@tanstack/react-query'

export interface ReadingParts {
  queryClient: QueryClient
  queryKey: QueryKey
  later: (callback: () => void, ms: number) => unknown
}

/** Between two readings, however much happens, in milliseconds. */
const pauseMs = 300

/**
 * Has what is shown read again when something of it changed that is told by its kind only: one reading after the other, so
 * that many changes neither crowd the server nor keep cutting an answer off. What comes during a reading is read after it.
 */
export function createReading({ queryClient, queryKey, later }: ReadingParts): () => void {
  let isReading = false
  let isOld = false

  async function read(): Promise<void> {
    // Also what is being read for the first time: it may have been read too early.
    await queryClient.cancelQueries({ queryKey, type: 'active' }, { silent: true })
    await queryClient.invalidateQueries({ queryKey })
  }

  return function changed() {
    isOld = true
    if (isReading) return
    isReading = true
    isOld = false
    const over = (): void => {
      isReading = false
      if (isOld) changed()
    }
    void read().finally(() => later(over, pauseMs))
  }
}

/** Readings of whatever is on the screen at the moment: one for each key, as {@link createReading} does it. */
export function createReadings(parts: Omit<ReadingParts, 'queryKey'>): (keys: readonly QueryKey[]) => void {
  const readings = new Map<string, () => void>()
  return function changed(keys) {
    for (const queryKey of keys) {
      const name = JSON.stringify(queryKey)
      const shown = parts.queryClient.getQueryCache().findAll({ queryKey, type: 'active' }).length > 0
      if (shown && !readings.has(name)) readings.set(name, createReading({ ...parts, queryKey }))
      if (shown) readings.get(name)?.()
      else {
        readings.delete(name)
        // What is not shown is read when it is shown again.
        void parts.queryClient.invalidateQueries({ queryKey, refetchType: 'none' })
      }
    }
  }
}
