/** Time and timers as this package sees them. Hand in your own to test without waiting. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since some fixed point; never goes backwards. */
  elapsed(): number
  /** Calls `then` once after `ms`; the returned function calls it off. A Node process stays alive for it. */
  after(ms: number, then: () => void): () => void
  /** As `after`, but a Node process may exit meanwhile. */
  background(ms: number, then: () => void): () => void
}

/** The longest wait that `setTimeout` can take. */
const longestTimer = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, Math.min(ms, longestTimer))
    return () => clearTimeout(timer)
  },
  background(ms, then) {
    const timer: unknown = setTimeout(then, Math.min(ms, longestTimer))
    // Node returns an object that can be told not to hold the process; browsers return a number.
    if (isUnrefable(timer)) timer.unref()
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>)
  },
}

function isUnrefable(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function'
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const onAbort = () => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
