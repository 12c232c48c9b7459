import type { QueryClient } from '@tanstack/react-query'

/** What a page that is never done waits at most, in milliseconds. */
const patienceMs = 3_000

/**
 * Calls back once, when nothing is being read and the browser has nothing else to do, or else after some seconds: for what
 * must not hold up the first page. Returns what calls it off.
 */
export function whenIdle(client: QueryClient, callback: () => void): () => void {
  let cancel = (): void => {}
  const look = (): void => {
    cancel()
    if (client.isFetching() === 0) cancel = onIdle(() => client.isFetching() === 0 && finish())
  }
  const finish = (): void => {
    stop()
    callback()
  }
  const unsubscribe = client.getQueryCache().subscribe(look)
  const timer = setTimeout(finish, patienceMs)
  const stop = (): void => {
    cancel()
    clearTimeout(timer)
    unsubscribe()
  }
  look()
  return stop
}

function onIdle(callback: () => void): () => void {
  // Some browsers lack it; there the next pause of the clock has to do.
  if (typeof requestIdleCallback !== 'function') {
    const timer = setTimeout(callback, 100)
    return () => clearTimeout(timer)
  }
  const handle = requestIdleCallback(callback)
  return () => cancelIdleCallback(handle)
}
