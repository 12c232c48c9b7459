import { normalUpperTail } from './distributions.ts'
import { type Confidence, type Interval, levelOf, reachOf } from './interval.ts'
import { requireFinite, sorted, type Values } from './sample.ts'

/** With so many differences that are not 0 the distribution of the ranks is counted out; with more, the normal one is taken. */
export const exactRanks = 50

/** Wilcoxon's signed-rank test. */
export interface WilcoxonTest {
  /** Differences that are not 0; those that are 0 are left out, as Wilcoxon did. */
  n: number
  zeros: number
  /** Sums of the ranks of the positive and of the negative differences. */
  wPlus: number
  wMinus: number
  /** Two-sided; 1 when there is nothing to tell from. */
  p: number
  method: 'exact' | 'normal'
}

/**
 * Wilcoxon's signed-rank test of paired differences (F. Wilcoxon 1945), against outliers safer than the t test. Equal sizes
 * share their mean rank. Exact (also with ties: all sign patterns of the very ranks) up to {@link exactRanks}; beyond it
 * the normal approximation with correction for ties and for continuity.
 */
export function wilcoxonSignedRank(
  differences: Values,
  { method = 'auto' }: { method?: 'auto' | 'exact' | 'normal' | undefined } = {},
): WilcoxonTest {
  requireFinite('differences', differences)
  const nonzero = Float64Array.from(differences).filter((difference) => difference !== 0)
  const n = nonzero.length
  if (method === 'exact' && n > 1_000) throw new RangeError(`${n} differences; 1000 are the most for the exact method`)
  const { doubledPlus, doubledRanks, tieTerm } = rankSizes(nonzero)
  const total = (n * (n + 1)) / 2
  const wPlus = doubledPlus / 2
  const exact = method === 'exact' || (method === 'auto' && n <= exactRanks)
  const p = n === 0 ? 1 : exact ? exactP(doubledRanks, doubledPlus) : normalP({ n, wPlus, tieTerm })
  return { n, zeros: differences.length - n, wPlus, wMinus: total - wPlus, p, method: exact ? 'exact' : 'normal' }
}

interface Ranks {
  /** Twice the rank of each size, in increasing order: whole numbers also where ranks are shared. */
  doubledRanks: Int32Array
  /** Twice the sum of the ranks of positive differences. */
  doubledPlus: number
  /** Σ (t³ - t) over groups of t equal sizes. */
  tieTerm: number
}

function rankSizes(nonzero: Float64Array): Ranks {
  const positive = nonzero.filter((difference) => difference > 0).sort()
  const sizes = nonzero.map(Math.abs).sort()
  const doubledRanks = new Int32Array(sizes.length)
  let doubledPlus = 0
  let tieTerm = 0
  let nextPositive = 0
  // 0.7 - 0.6 and 0.2 - 0.1 are as large as each other; what rounding made of them is no order. What is small beside the
  // largest, but twice as large as another, has its own rank.
  const noise = 1e-12 * (sizes.at(-1) ?? 0)
  const isTied = (size: number, before: number) => size - before <= Math.min(noise, 1e-6 * before)
  for (let start = 0; start < sizes.length; ) {
    let end = start + 1
    while (end < sizes.length && isTied(sizes[end] ?? 0, sizes[end - 1] ?? 0)) end++
    const doubled = start + 1 + end
    doubledRanks.fill(doubled, start, end)
    while ((positive[nextPositive] ?? Number.POSITIVE_INFINITY) <= (sizes[end - 1] ?? 0)) {
      doubledPlus += doubled
      nextPositive++
    }
    tieTerm += (end - start) ** 3 - (end - start)
    start = end
  }
  return { doubledRanks, doubledPlus, tieTerm }
}

/** The distribution of the sum of ranks of which each is in with probability ½. */
function rankSumDistribution(ranks: Int32Array): Float64Array {
  let total = 0
  for (const rank of ranks) total += rank
  const chances = new Float64Array(total + 1)
  chances[0] = 1
  let reached = 0
  for (const rank of ranks) {
    reached += rank
    for (let sum = reached; sum >= 0; sum--)
      chances[sum] = ((chances[sum] ?? 0) + (sum >= rank ? (chances[sum - rank] ?? 0) : 0)) / 2
  }
  return chances
}

function exactP(doubledRanks: Int32Array, doubledPlus: number): number {
  const chances = rankSumDistribution(doubledRanks)
  const least = Math.min(doubledPlus, chances.length - 1 - doubledPlus)
  let tail = 0
  for (let sum = 0; sum <= least; sum++) tail += chances[sum] ?? 0
  return Math.min(1, 2 * tail)
}

function normalP({ n, wPlus, tieTerm }: { n: number; wPlus: number; tieTerm: number }): number {
  const center = (n * (n + 1)) / 4
  const sd = Math.sqrt((n * (n + 1) * (2 * n + 1) - tieTerm / 2) / 24)
  const distance = Math.max(0, Math.abs(wPlus - center) - 0.5)
  return Math.min(1, 2 * normalUpperTail(distance / sd))
}

/**
 * The Hodges-Lehmann estimate: the median of the means of all pairs of differences (each with itself too), with the interval
 * that belongs to Wilcoxon's test. Exact level up to {@link exactRanks} differences, normal beyond.
 * J. Hodges and E. Lehmann 1963; Hollander and Wolfe, Nonparametric Statistical Methods, section 3. No list of the n(n + 1)/2
 * means is made: time is n log n, so that 100,000 differences are no matter. Null of nothing, and where there are too few
 * differences for the level (fewer than 6 at 0.95).
 */
export function hodgesLehmann(differences: Values, options: Confidence = {}): Interval | null {
  const level = levelOf(options)
  requireFinite('differences', differences)
  const n = differences.length
  const pairs = (n * (n + 1)) / 2
  const from = lowestRank(n, level)
  if (from === null) return null
  const walsh = new WalshAverages(sorted(differences))
  const middle = walsh.smallest(Math.floor((pairs + 1) / 2))
  const upperMiddle = pairs % 2 === 1 ? middle : walsh.smallest(pairs / 2 + 1)
  const estimate = (middle === upperMiddle ? middle : (middle + upperMiddle) / 2) + 0
  return { estimate, low: walsh.smallest(from), high: walsh.smallest(pairs + 1 - from), level, n }
}

/** Which of the sorted means, from 1, bounds the interval; null when not even the first one does. */
function lowestRank(n: number, level: number): number | null {
  if (n === 0) return null
  if (n > exactRanks) {
    const sd = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24)
    return Math.max(1, Math.floor((n * (n + 1)) / 4 - reachOf(level) * sd))
  }
  const chances = rankSumDistribution(Int32Array.from({ length: n }, (_, index) => index + 1))
  // At most so much may lie outside on each side; its last digit must not decide.
  const tail = ((1 - level) / 2) * (1 + 1e-12)
  let sum = 0
  let rank = 0
  while (rank < chances.length && sum + (chances[rank] ?? 0) <= tail) sum += chances[rank++] ?? 0
  return rank === 0 ? null : rank
}

/** The means of all pairs of sorted values, never written down. */
class WalshAverages {
  readonly #values: Float64Array

  constructor(values: Float64Array) {
    this.#values = values
  }

  /** The k-th smallest, from 1: found by halving the range of doubles between the ends, which takes at most 64 counts. */
  smallest(k: number): number {
    let low = orderOf(this.#values[0] ?? 0)
    let high = orderOf(this.#values.at(-1) ?? 0)
    while (low < high) {
      const middle = (low + high) >> 1n
      if (this.#countUpTo(valueOf(middle)) >= k) high = middle
      else low = middle + 1n
    }
    return valueOf(low)
  }

  #countUpTo(limit: number): number {
    const values = this.#values
    let count = 0
    let end = values.length
    for (let start = 0; start < end; start++) {
      const value = values[start] ?? 0
      while (end > start && (value + (values[end - 1] ?? 0)) / 2 > limit) end--
      count += end - start
    }
    return count
  }
}

const asDouble = new Float64Array(1)
const asBits = new BigInt64Array(asDouble.buffer)

/** A whole number that grows with the double. */
function orderOf(value: number): bigint {
  // -0 and 0 are one value.
  asDouble[0] = value + 0
  const bits = asBits[0] ?? 0n
  return bits >= 0n ? bits : -(bits & 0x7fffffffffffffffn)
}

function valueOf(order: bigint): number {
  asBits[0] = order < 0n ? -order : order
  const size = asDouble[0] ?? 0
  return order < 0n ? -size : size
}
