/** Counts arrivals per second over the last minute. */
export interface Rate {
  record(count: number, now: number): void
  /** Mean of the last ten whole seconds. */
  perSecond(now: number): number
  /** Arrivals of each of the last 60 seconds, oldest first; the current second is the last. */
  history(now: number): number[]
}

export function createRate(): Rate {
  const seconds = 60
  const counts = Array.from({ length: seconds }, () => 0)
  let current = 0

  function turnTo(now: number): number {
    const second = Math.floor(now / 1000)
    if (second > current) {
      for (let at = Math.max(current + 1, second - seconds + 1); at <= second; at++) counts[at % seconds] = 0
      current = second
    }
    return current
  }

  const at = (second: number): number => counts[((second % seconds) + seconds) % seconds] ?? 0

  return {
    record(count, now) {
      const second = turnTo(now)
      counts[second % seconds] = at(second) + count
    },
    perSecond(now) {
      const second = turnTo(now)
      let sum = 0
      for (let back = 1; back <= 10; back++) sum += at(second - back)
      return sum / 10
    },
    history(now) {
      const second = turnTo(now)
      return Array.from({ length: seconds }, (_, index) => at(second - seconds + 1 + index))
    },
  }
}
