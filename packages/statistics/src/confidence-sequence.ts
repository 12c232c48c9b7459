import { type Confidence, type Interval, levelOf } from './interval.ts'

/** Bounds of a mean that may be looked at after every value. */
export interface ConfidenceSequence {
  /** Takes one more value of [0, 1], and gives the interval after it. */
  add(value: number): Interval
  /** The interval now; null before the first value. Its estimate is the mean so far, kept within the bounds. */
  current(): Interval | null
}

/** Places of [0, 1] at which the bounds are kept: they are rounded outwards to these. */
const places = 1_000

/** No bet risks more than this share of what it could lose. */
const mostAtRisk = 0.5

/**
 * A confidence sequence for the mean of values in [0, 1]: with probability `level` the mean lies in all of its intervals at
 * once, so that one may look after every value and stop whenever one likes. A t interval that is looked at again and again
 * has no such promise. It holds for values whose mean stays the same given those before, whatever else they do.
 *
 * I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024), the hedged
 * capital process with predictable plug-in bets (eqs. 24 to 26, half of the money on each side). A place is ruled out for good
 * once a bettor against it has 1 / (1 - level) times the money begun with. What the bettors own falls, or rises, from place to
 * place, so the bounds on the grid of 1/1000 enclose the exact ones. Time and memory a value: at most 1,000 steps, fewer as
 * the interval closes.
 */
export function createConfidenceSequence(options: Confidence = {}): ConfidenceSequence {
  const level = levelOf(options)
  const alpha = 1 - level
  const enough = 2 / alpha
  // Against means below the truth, and against means above it.
  const above = new Float64Array(places + 1).fill(1)
  const below = new Float64Array(places + 1).fill(1)
  let [low, high] = [-1, places + 1]
  let [n, sum, squares] = [0, 0, 0]

  function bet(value: number): void {
    const spread = (0.25 + squares) / (n + 1)
    const stake = Math.sqrt((2 * Math.log(2 / alpha)) / (spread * (n + 1) * Math.log(n + 2)))
    let [nextLow, nextHigh] = [low, high]
    for (let place = low + 1; place < high; place++) {
      const m = place / places
      const up = (above[place] ?? 0) * (1 + Math.min(stake, mostAtRisk / m) * (value - m))
      const down = (below[place] ?? 0) * (1 - Math.min(stake, mostAtRisk / (1 - m)) * (value - m))
      above[place] = up
      below[place] = down
      if (up >= enough) nextLow = place
      if (down >= enough && nextHigh === high) nextHigh = place
    }
    // Both sides ruled out everything: that happens in a share 1 - level of all sequences, and there is nothing left to say.
    if (nextLow < nextHigh) [low, high] = [nextLow, nextHigh]
  }

  function add(value: number): Interval {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`the value is ${value}; it must lie between 0 and 1`)
    bet(value)
    n += 1
    sum += value
    squares += (value - (0.5 + sum) / (n + 1)) ** 2
    return interval()
  }

  function interval(): Interval {
    const [from, to] = [Math.max(low, 0) / places, Math.min(high, places) / places]
    return { estimate: Math.min(Math.max(sum / n, from), to), low: from, high: to, level, n }
  }

  return { add, current: () => (n === 0 ? null : interval()) }
}
