import { normalQuantile, tQuantile } from './distributions.ts'

/** An estimate with its confidence interval. */
export interface Interval {
  estimate: number
  low: number
  high: number
  /** Such as 0.95. */
  level: number
  /** Of what was counted: values, pairs, units. */
  n: number
}

/** How sure an interval is to be. */
export interface Confidence {
  /** In (0, 1), exclusive; 0.95 unless told. */
  level?: number | undefined
}

/** The level that is asked for; a RangeError unless it lies between 0 and 1. */
export function levelOf({ level = 0.95 }: Confidence): number {
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}; it must lie between 0 and 1`)
  return level
}

/** How many standard errors a two-sided interval reaches to each side: of the normal, or of t with df degrees of freedom. */
export function reachOf(level: number, df = Number.POSITIVE_INFINITY): number {
  // From the small tail, which keeps its digits at levels near 1.
  const tail = (1 - level) / 2
  return df === Number.POSITIVE_INFINITY ? -normalQuantile(tail) : -tQuantile(tail, df)
}

/** A whole number of at least `least`, else a RangeError that names it. */
export function wholeFrom(least: number, name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${name} is ${value}; it must be a whole number of at least ${least}`)
  return value
}

/** A value cut to [low, high]. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
