import type { LLMEvalError } from './error.ts'

/** How long to wait between tries. */
export interface Backoff {
  /** Milliseconds: the most the first wait may take; it doubles from try to try. */
  baseMs: number
  /** Milliseconds: no wait that we choose ourselves is longer. */
  capMs: number
}

const overloadStatuses = new Set([429, 502, 503, 504])

/** Whether the same request may succeed later without anybody changing anything, and nothing was done yet. */
export function isOverload(error: LLMEvalError): boolean {
  return error.status !== undefined && overloadStatuses.has(error.status)
}

/**
 * Milliseconds to wait before the next try: "full jitter", so that clients that failed together do not return together.
 *
 * @param tries how many tries have failed so far, at least 1
 * @param random a number in [0, 1)
 * @param retryAfter seconds the server asked for; never less than that is waited
 */
export function backoffMs(
  backoff: Backoff,
  tries: number,
  wait: { random: number; retryAfter?: number | undefined },
): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(tries - 1, 30))
  return wait.retryAfter === undefined ? wait.random * ceiling : wait.retryAfter * 1000 + wait.random * backoff.baseMs
}
