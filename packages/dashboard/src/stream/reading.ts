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
