import { setTimeout as delay } from 'node:timers/promises'
import { Failure, limits } from '@llm-eval/protocol'

/** Keeps requests waiting for their rate limit instead of refusing them: for clients that never try again. */
export interface WaitingRoom {
  /**
   * Charges, and again as often as it says `rate_limited`, until it is allowed.
   *
   * @param gone whether nobody waits for the answer any more
   * @throws {Failure} `rate_limited` after `limits.foreignPatienceSeconds`, or at once when too many wait already
   */
  charge(attempt: () => void | Promise<void>, gone: () => boolean): Promise<void>
}

export interface WaitingRoomOptions {
  seconds?: number
  /** How many may wait at one moment. */
  most?: number
  wait?: (ms: number) => Promise<unknown>
}

/** The waiting room of one server. */
export function createWaitingRoom(options: WaitingRoomOptions = {}): WaitingRoom {
  const { seconds = limits.foreignPatienceSeconds, most = limits.foreignWaiting, wait = delay } = options
  let waiting = 0

  async function keepTrying(attempt: () => void | Promise<void>, gone: () => boolean): Promise<void> {
    let left = seconds
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (!isRateLimit(error) || gone()) throw error
        const pause = Math.min(left, Math.max(error.retryAfter ?? 1, 0.05))
        if (left <= 0 || (error.retryAfter ?? 1) > left) throw error
        left -= pause
        await wait(pause * 1000)
      }
    }
  }

  return {
    async charge(attempt, gone) {
      if (waiting >= most) return attempt()
      waiting++
      try {
        await keepTrying(attempt, gone)
      } finally {
        waiting--
      }
    },
  }
}

function isRateLimit(error: unknown): error is Failure {
  return error instanceof Failure && error.code === 'rate_limited'
}
