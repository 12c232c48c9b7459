import { binomialQuantile } from './distributions.ts'
import { clamp, type Confidence, type Interval, levelOf } from './interval.ts'

/** Numbers that were measured. Unknown ones are left out before: NaN and infinities are a RangeError, never counted as 0. */
export type Values = readonly number[] | Float64Array

/** The largest size of a value: its square, and a sum of such squares, is still a number. */
export const largest = 1e150

/** A RangeError that names the first value that is no number of a size up to 1e150. */
export function requireFinite(name: string, values: Values): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NaN
    if (!(Math.abs(value) <= largest)) throw notUsable(`${name}[${index}]`, value)
  }
}

/** Says what is wrong with a value that is not of a size up to `most`. */
export function notUsable(name: string, value: number, most = largest): RangeError {
  const advice = Number.isFinite(value) ? `its size is ${most} at most` : 'what is not known is left out, or null'
  return new RangeError(`${name} is ${value}; ${advice}`)
}

/** A RangeError unless both have the same length. */
export function requirePairs(a: { length: number }, b: { length: number }, names: string): void {
  if (a.length !== b.length)
    throw new RangeError(`${names} have ${a.length} and ${b.length} entries; pairs need as many`)
}

/** The sum, with what rounding took away added again (Neumaier). */
export function sumOf(values: Values): number {
  let sum = 0
  let lost = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return sum + lost
}

/** The arithmetic mean; null of nothing. It lies within the values: that of equal ones is exactly their value. */
export function mean(values: Values): number | null {
  requireFinite('values', values)
  return values.length === 0 ? null : meanOf(values)
}

/** The mean of at least one finite value. */
export function meanOf(values: Values): number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0
    if (value < least) least = value
    if (value > most) most = value
  }
  // 0 is 0, not -0.
  return clamp(sumOf(values) / values.length, least, most) + 0
}

/** Σ(x - mean)² / (n - 1); null of fewer than two values. */
export function variance(values: Values): number | null {
  requireFinite('values', values)
  return values.length < 2 ? null : varianceAround(values, meanOf(values))
}

/** The same about a mean that is known already, for at least two finite values. */
export function varianceAround(values: Values, center: number): number {
  let squares = 0
  let rest = 0
  for (let index = 0; index < values.length; index++) {
    const deviation = (values[index] ?? 0) - center
    squares += deviation * deviation
    rest += deviation
  }
  return Math.max(0, squares - (rest * rest) / values.length) / (values.length - 1)
}

/** √variance; null of fewer than two values. */
export function standardDeviation(values: Values): number | null {
  const squared = variance(values)
  return squared === null ? null : Math.sqrt(squared)
}

/** The values in increasing order, in an array of their own. */
export function sorted(values: Values): Float64Array {
  return Float64Array.from(values).sort()
}

/**
 * The value below which the share `p` of the values lies, with linear interpolation (type 7 of Hyndman and Fan 1996, as in
 * numpy, R and spreadsheets). p in [0, 1]; null of nothing.
 */
export function percentile(values: Values, p: number): number | null {
  return percentiles(values, [p])[0] ?? null
}

/** Several percentiles of the same values, sorted once. */
export function percentiles(values: Values, ps: readonly number[]): (number | null)[] {
  requireFinite('values', values)
  for (const p of ps) if (!(p >= 0 && p <= 1)) throw new RangeError(`p is ${p}; it must lie between 0 and 1`)
  const ordered = sorted(values)
  return ps.map((p) => (ordered.length === 0 ? null : percentileOfSorted(ordered, p)))
}

/** The percentile of at least one value, in increasing order. */
export function percentileOfSorted(ordered: Float64Array, p: number): number {
  const place = (ordered.length - 1) * p
  const index = Math.floor(place)
  const low = ordered[index] ?? Number.NaN
  const high = ordered[Math.min(index + 1, ordered.length - 1)] ?? Number.NaN
  // Never past the neighbour by rounding, and 0 is 0, not -0.
  return Math.min(low + (high - low) * (place - index), high) + 0
}

/**
 * A percentile with an interval between two of the values, whatever their distribution: the number of values below it is
 * binomial (Conover, Practical Nonparametric Statistics, section 3.2). Null where there are too few values for the level.
 */
export function percentileInterval(values: Values, p: number, options: Confidence = {}): Interval | null {
  const level = levelOf(options)
  const estimate = percentile(values, p)
  const n = values.length
  if (estimate === null || p === 0 || p === 1) return null
  const tail = (1 - level) / 2
  const below = binomialQuantile(tail, { n, p }) - 1
  const above = binomialQuantile(1 - tail, { n, p })
  if (below < 0 || above >= n) return null
  const ordered = sorted(values)
  const at = (index: number) => ordered[index] ?? Number.NaN
  return { estimate, low: at(below), high: at(above), level, n }
}

/** Σ w x / Σ w, with weights of at least 0; null when they add up to 0 or there are none. */
export function weightedMean(values: Values, weights: Values): number | null {
  requirePairs(values, weights, 'values and weights')
  requireFinite('values', values)
  requireFinite('weights', weights)
  const products = new Float64Array(values.length)
  for (let index = 0; index < products.length; index++) {
    const weight = weights[index] ?? 0
    if (weight < 0) throw new RangeError(`weights[${index}] is ${weight}; it must be at least 0`)
    products[index] = weight * (values[index] ?? 0)
  }
  const total = sumOf(weights)
  return total === 0 ? null : sumOf(products) / total
}

/** Pearson's correlation; null of fewer than two pairs, or where one side does not vary. */
export function correlation(a: Values, b: Values): number | null {
  requirePairs(a, b, 'a and b')
  requireFinite('a', a)
  requireFinite('b', b)
  if (a.length < 2) return null
  const [centerA, centerB] = [meanOf(a), meanOf(b)]
  let [together, squaresA, squaresB] = [0, 0, 0]
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [(a[index] ?? 0) - centerA, (b[index] ?? 0) - centerB]
    together += x * y
    squaresA += x * x
    squaresB += y * y
  }
  if (squaresA === 0 || squaresB === 0) return null
  return clamp(together / Math.sqrt(squaresA) / Math.sqrt(squaresB), -1, 1)
}
