import { type Confidence, type Interval, levelOf, wholeFrom } from './interval.ts'
import { type MeanEstimate, tInterval } from './mean.ts'
import { wilsonBounds } from './proportion.ts'
import { requireFinite } from './sample.ts'

/** All that a mean and its error need of values, however many: how many they are, their mean, and Σ(x - mean)². */
export type Moments = readonly [n: number, mean: number, squares: number]

/** Of no values. */
export const noMoments: Moments = [0, 0, 0]

/** With one more value: B. P. Welford's update (1962), which loses no digits where Σx² - (Σx)²/n would. */
export function withValue([n, mean, squares]: Moments, value: number): Moments {
  requireFinite('values', [value])
  const next = mean + (value - mean) / (n + 1)
  return [n + 1, next, squares + (value - mean) * (value - next)]
}

/** Of the values of both: T. Chan, G. Golub and R. LeVeque (1979). The order says nothing but for rounding. */
export function joinMoments(a: Moments, b: Moments): Moments {
  if (a[0] === 0) return b
  if (b[0] === 0) return a
  const n = a[0] + b[0]
  const apart = b[1] - a[1]
  return [n, a[1] + (apart * b[0]) / n, a[2] + b[2] + (apart * apart * a[0] * b[0]) / n]
}

/** How sure a mean of moments is to be. */
export interface MomentsOptions extends Confidence {
  /**
   * How many values stand together for one independent unit, at least 1, which it is unless told. They count as if they were
   * all the same: that is the most they can share, so the interval is never too narrow. Half a unit is no unit.
   */
  perUnit?: number | undefined
}

/** What `meanEstimate` gives of the values themselves. Null of nothing. */
export function momentsEstimate([n, mean, squares]: Moments, options: MomentsOptions = {}): MeanEstimate | null {
  const level = levelOf(options)
  const units = unitsOf(n, options)
  if (n === 0) return null
  const sd = n === 1 ? null : Math.sqrt(squares / (n - 1))
  if (sd === null || units < 2) return { n, mean, sd, se: null, df: null, interval: null }
  const se = Math.sqrt(squares / n / (units - 1))
  return { n, mean, sd, se, df: units - 1, interval: tInterval({ estimate: mean, se, df: units - 1, level, n }) }
}

/**
 * Wilson's interval of a share of n trials, with `perUnit` of them standing together for one: as {@link momentsEstimate}.
 * Null of nothing.
 */
export function unitsProportion(successes: number, n: number, options: MomentsOptions = {}): Interval | null {
  const level = levelOf(options)
  wholeFrom(0, 'successes', successes)
  wholeFrom(0, 'n', n)
  if (successes > n) throw new RangeError(`${successes} successes of ${n} trials`)
  if (n === 0) return null
  return { estimate: successes / n, ...wilsonBounds(successes / n, Math.max(1, unitsOf(n, options)), level), level, n }
}

function unitsOf(n: number, { perUnit = 1 }: MomentsOptions): number {
  if (!(perUnit >= 1 && Number.isFinite(perUnit))) throw new RangeError(`perUnit is ${perUnit}; it must be at least 1`)
  return perUnit === 1 ? n : Math.floor(n / perUnit)
}
