import { tTwoSided } from './distributions.ts'
import { clamp, type Confidence, type Interval, levelOf, wholeFrom } from './interval.ts'
import { type McNemarTest, mcNemar } from './mcnemar.ts'
import { tInterval } from './mean.ts'
import { wilsonBounds } from './proportion.ts'
import { correlation, meanOf, requireFinite, requirePairs, type Values, varianceAround } from './sample.ts'

/** How two measurements of the same cases differ. What cannot be told is null. */
export interface PairedDifference {
  /** Pairs. */
  n: number
  /** mean(a - b). */
  difference: number
  /** Of the differences. */
  sd: number | null
  se: number | null
  df: number | null
  /** Null, like p, where all differences are equal: there is no spread to hold the mean against. */
  t: number | null
  /** Two-sided. */
  p: number | null
  interval: Interval | null
  /** Cohen's d_z: difference / sd. */
  effectSize: number | null
  /** Of a with b: the higher it is, the more pairing helps. */
  correlation: number | null
}

/**
 * The paired t test: d = a - b case by case, SE = s_d / √n, n - 1 degrees of freedom.
 * E. Miller (arXiv:2411.00640), section 4.2. Null of no pairs.
 */
export function pairedDifference(a: Values, b: Values, options: Confidence = {}): PairedDifference | null {
  const level = levelOf(options)
  requirePairs(a, b, 'a and b')
  requireFinite('a', a)
  requireFinite('b', b)
  if (a.length === 0) return null
  return { ...differenceOf(differencesOf(a, b), level), correlation: correlation(a, b) }
}

/** What the rounding of two decimals may make of their difference, as a share of the larger. */
const noise = 4 * Number.EPSILON

/** a - b, pair by pair. Differences that are nothing but rounding noise about 0, or about a constant, become that. */
export function differencesOf(a: Values, b: Values): Float64Array {
  const differences = new Float64Array(a.length)
  let largest = 0
  for (let index = 0; index < differences.length; index++) {
    const [x, y] = [a[index] ?? 0, b[index] ?? 0]
    const size = Math.max(Math.abs(x), Math.abs(y))
    // 0.1 + 0.2 is no larger than 0.3.
    differences[index] = Math.abs(x - y) <= noise * size ? 0 : x - y
    largest = Math.max(largest, size)
  }
  const first = differences[0] ?? 0
  // 0.3 - 0.2 and 0.4 - 0.3 are the same difference, and no spread of 10^-17 that would make every test certain.
  return differences.every((difference) => Math.abs(difference - first) <= noise * largest)
    ? differences.fill(first)
    : differences
}

/** The t test of at least one finite difference. */
export function differenceOf(differences: Float64Array, level: number): Omit<PairedDifference, 'correlation'> {
  const n = differences.length
  const difference = meanOf(differences)
  if (n === 1)
    return { n, difference, sd: null, se: null, df: null, t: null, p: null, interval: null, effectSize: null }
  const sd = Math.sqrt(varianceAround(differences, difference))
  const se = sd / Math.sqrt(n)
  const df = n - 1
  const t = sd === 0 ? null : difference / se
  return {
    n,
    difference,
    sd,
    se,
    df,
    t,
    p: t === null ? null : tTwoSided(t, df),
    interval: tInterval({ estimate: difference, se, df, level, n }),
    effectSize: sd === 0 ? null : difference / sd,
  }
}

/** How often each of two succeeded on the same cases. */
export interface PairedCounts {
  both: number
  onlyA: number
  onlyB: number
  neither: number
}

/** Two shares on the same cases. */
export interface PairedShares {
  n: number
  shareA: number
  shareB: number
  /** shareA - shareB, with Newcombe's interval. */
  difference: Interval
  test: McNemarTest
}

/** The difference of two paired shares with Newcombe's interval and McNemar's test. Null of no pairs. */
export function pairedShares(counts: PairedCounts, options: Confidence = {}): PairedShares | null {
  const difference = newcombePaired(counts, options)
  if (difference === null) return null
  const { both, onlyA, onlyB } = counts
  const n = difference.n
  return { n, shareA: (both + onlyA) / n, shareB: (both + onlyB) / n, difference, test: mcNemar(onlyA, onlyB) }
}

/**
 * The interval of the difference of two paired shares: method 10 of R. Newcombe, "Improved confidence intervals for the
 * difference between binomial proportions based on paired data", Statistics in Medicine 17 (1998): Wilson's intervals of
 * both, joined with regard to how far they go together. It has a width also when no pair differs. Null of no pairs.
 */
export function newcombePaired(counts: PairedCounts, options: Confidence = {}): Interval | null {
  const level = levelOf(options)
  const { both, onlyA, onlyB, neither } = counts
  for (const [name, count] of Object.entries({ both, onlyA, onlyB, neither })) wholeFrom(0, name, count)
  const n = both + onlyA + onlyB + neither
  if (n === 0) return null
  const [shareA, shareB] = [(both + onlyA) / n, (both + onlyB) / n]
  const [a, b] = [wilsonBounds(shareA, n, level), wilsonBounds(shareB, n, level)]
  const together = phi(counts, n)
  const estimate = (onlyA - onlyB) / n
  const below = joined(shareA - a.low, b.high - shareB, together)
  const above = joined(a.high - shareA, shareB - b.low, together)
  return { estimate, low: clamp(estimate - below, -1, 1), high: clamp(estimate + above, -1, 1), level, n }
}

function joined(first: number, second: number, phi: number): number {
  return Math.sqrt(Math.max(0, first * first - 2 * phi * first * second + second * second))
}

/** The correlation of the two, taken n/2 less towards 0 where it is positive. */
function phi({ both, onlyA, onlyB, neither }: PairedCounts, n: number): number {
  const sizes = [both + onlyA, onlyB + neither, both + onlyB, onlyA + neither]
  if (sizes.includes(0)) return 0
  const cross = both * neither - onlyA * onlyB
  return (cross > 0 ? Math.max(cross - n / 2, 0) : cross) / sizes.reduce((root, size) => root * Math.sqrt(size), 1)
}
