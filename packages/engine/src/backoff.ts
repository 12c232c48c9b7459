const firstWaitMs = 500
const longestWaitMs = 8_000

/**
 * Milliseconds to wait after so many attempts, at least 1, before the next: twice as long each time up to 8 seconds, less a random
 * half so that callers do not come back together.
 */
export function backoffMs(attempts: number, random: () => number): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** (attempts - 1)) * (1 - random() / 2)
}
