import { tTwoSided } from './distributions.ts'
import { clamp, type Confidence, type Interval, levelOf, wholeFrom } from './interval.ts'
import { tInterval } from './mean.ts'
import { wilsonBounds } from './proportion.ts'
import { meanOf, requireFinite, type Values, varianceAround } from './sample.ts'

/** How two independent groups differ. What fewer than two values a group, or values without spread, cannot tell is null. */
export interface WelchTest {
  nA: number
  nB: number
  /** mean(a) - mean(b). */
  difference: number
  se: number | null
  /** Welch and Satterthwaite's degrees of freedom. */
  df: number | null
  t: number | null
  /** Two-sided. */
  p: number | null
  interval: Interval | null
}

/**
 * Welch's t test of two independent groups, which need not have the same spread (B. L. Welch 1947). Where the same cases
 * were measured twice, {@link pairedDifference} sees much smaller differences. Null when a group is empty.
 */
export function welch(a: Values, b: Values, options: Confidence = {}): WelchTest | null {
  const level = levelOf(options)
  requireFinite('a', a)
  requireFinite('b', b)
  const [nA, nB] = [a.length, b.length]
  if (nA === 0 || nB === 0) return null
  const [meanA, meanB] = [meanOf(a), meanOf(b)]
  const difference = meanA - meanB
  const unknown = { nA, nB, difference, se: null, df: null, t: null, p: null, interval: null }
  if (nA < 2 || nB < 2) return unknown
  const [partA, partB] = [varianceAround(a, meanA) / nA, varianceAround(b, meanB) / nB]
  if (partA + partB === 0) return { ...unknown, se: 0 }
  const se = Math.sqrt(partA + partB)
  const [shareA, shareB] = [partA / (partA + partB), partB / (partA + partB)]
  const df = 1 / (shareA ** 2 / (nA - 1) + shareB ** 2 / (nB - 1))
  const t = clamp(difference / se, -Number.MAX_VALUE, Number.MAX_VALUE)
  const interval = tInterval({ estimate: difference, se, df, level, n: nA + nB })
  return { nA, nB, difference, se, df, t, p: tTwoSided(t, df), interval }
}

/** Successes of trials: whole numbers. */
export interface Counts {
  successes: number
  trials: number
}

/**
 * The interval of the difference of two independent shares, a - b: method 10 of R. Newcombe, "Interval estimation for the
 * difference between independent proportions", Statistics in Medicine 17 (1998), from Wilson's interval of each.
 * Null when there were no trials on one side.
 */
export function newcombe(a: Counts, b: Counts, options: Confidence = {}): Interval | null {
  const level = levelOf(options)
  const [shareA, shareB] = [shareOf('a', a), shareOf('b', b)]
  if (shareA === null || shareB === null) return null
  const [boundsA, boundsB] = [wilsonBounds(shareA, a.trials, level), wilsonBounds(shareB, b.trials, level)]
  const estimate = shareA - shareB
  const low = estimate - Math.hypot(shareA - boundsA.low, boundsB.high - shareB)
  const high = estimate + Math.hypot(boundsA.high - shareA, shareB - boundsB.low)
  return { estimate, low: clamp(low, -1, 1), high: clamp(high, -1, 1), level, n: a.trials + b.trials }
}

function shareOf(name: string, { successes, trials }: Counts): number | null {
  wholeFrom(0, `${name}.successes`, successes)
  wholeFrom(0, `${name}.trials`, trials)
  if (successes > trials) throw new RangeError(`${name}: ${successes} successes of ${trials} trials`)
  return trials === 0 ? null : successes / trials
}
