/** Time and timers, handed in so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `then` once after `ms` milliseconds; the returned function calls it off. */
  after(ms: number, then: () => void): () => void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: afterOnTimer,
}

/** What a timer of the machine can wait, in milliseconds; one that is set to more goes off at once. */
const longestTimer = 2 ** 31 - 1

/** {@link Clock.after} by timers of the machine, however long it is. */
export function afterOnTimer(ms: number, then: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (left: number): void => {
    timer = left > longestTimer ? setTimeout(() => wait(left - longestTimer), longestTimer) : setTimeout(then, left)
  }
  wait(ms)
  return () => clearTimeout(timer)
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      callOff()
      reject(signal.reason)
    }
    const callOff = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Runs something under a signal that is aborted after `ms` milliseconds, or with the given one. */
export async function within<T>(
  ms: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const callOff = clock.after(ms, () => late.abort(new DOMException('It took too long.', 'TimeoutError')))
  try {
    return await run(AbortSignal.any([signal, late.signal]))
  } finally {
    callOff()
  }
}
