import { type Confidence, type Interval, levelOf } from './interval.ts'
import { type ClusterIndex, type ClusterKey, clusteredMean, indexClusters } from './mean.ts'
import { differenceOf, differencesOf, newcombePaired } from './paired.ts'
import { mcNemar } from './mcnemar.ts'
import { tTwoSided } from './distributions.ts'
import { signFlipTest } from './permutation.ts'
import { detectable } from './power.ts'
import { meanOf, notUsable, requirePairs } from './sample.ts'
import { wilcoxonSignedRank } from './wilcoxon.ts'

/** What was measured of one case: a number, whether it passed, or null (or undefined) where nobody knows. */
export type Outcome = number | boolean | null | undefined

/** How two sides are compared. */
export interface CompareOptions extends Confidence {
  /** Which is better: more (unless told) or less, as with costs and times. */
  direction?: 'higher' | 'lower' | undefined
  /** For each case what it belongs to, when cases are not independent: the same question asked several times, one document. */
  clusters?: readonly ClusterKey[] | undefined
  /** `continuous`: amounts, which are no passes and failures even where all are 0 or 1. Told by the values unless said. */
  kind?: 'continuous' | undefined
  /** Chance of seeing the difference that `mde` names, above 1 - level and below 1; 0.8 unless told. */
  power?: number | undefined
  /** The smallest difference that matters, more than 0. A comparison that could have missed it has not enough data. */
  smallestEffect?: number | undefined
}

export type Verdict = 'better' | 'worse' | 'no_detectable_difference' | 'not_enough_data'

/** How p was made. */
export type ComparisonTest =
  | 'mcnemar_exact'
  | 'mcnemar_mid_p'
  | 'paired_t'
  | 'sign_flip_exact'
  | 'wilcoxon'
  | 'clustered_t'
  | 'clustered_sign_flip_exact'

/** Side a against side b, over the cases of which both are known. */
export interface Comparison {
  /** `binary` where every known value is 0, 1, true or false, unless told otherwise. */
  kind: 'binary' | 'continuous'
  /** Pairs compared. */
  n: number
  /** Pairs of which one side, or both, is unknown: they count nowhere, and never as 0. */
  leftOut: number
  /** What is independent: clusters, or the pairs themselves. */
  units: number
  /** Over the compared pairs; null without any. */
  meanA: number | null
  meanB: number | null
  /** meanA - meanB. */
  difference: number | null
  /** Of the difference. Null where one unit cannot tell. */
  interval: Interval | null
  /** Pairs in which a is better, is worse, and is equal, as `direction` has it. */
  wins: number
  losses: number
  ties: number
  test: ComparisonTest | null
  /** Two-sided, of `test`. */
  p: number | null
  /** What other tests say of the same pairs; they do not decide. */
  also: { test: ComparisonTest; p: number }[]
  /** Minimal detectable effect: the smallest difference that so many units with such a spread show with `power`. Null where no spread was seen. */
  mde: number | null
  verdict: Verdict
}

/** With fewer independent units the sign-flip test decides, and is exact; from here on the t test. */
const unitsForT = 30

/**
 * Compares two sides case by case. The test depends on the data: of passes and failures McNemar's exact test with Newcombe's
 * paired interval; of numbers the paired t test, or with fewer than 30 pairs the exact sign-flip permutation test, with a t
 * interval; with clusters the same two on clusters, the interval with C - 1 degrees of freedom and the small-sample variance.
 * (Test and interval are made in different ways, so that at the very edge one may include what the other does not. The verdict
 * is the test's.)
 *
 * The verdict is `better` or `worse` for a when p < 1 - level, otherwise `no_detectable_difference`; but `not_enough_data`
 * when not even a difference of the same sign in every unit could be significant (2^(1 - units) >= 1 - level: fewer than 6
 * units at 0.95), or when nothing was found and `smallestEffect` is below what could have been.
 *
 * Throws a RangeError when lengths differ, or a value is NaN, infinite, or beyond 1e140.
 *
 * @param a the side the verdict is about, such as the candidate
 * @param b the side it is held against, such as the baseline; `a[i]` and `b[i]` are of the same case
 */
export function compare(a: readonly Outcome[], b: readonly Outcome[], options: CompareOptions = {}): Comparison {
  const level = levelOf(options)
  const zScore = detectable(options)
  const { smallestEffect, direction = 'higher' } = options
  if (smallestEffect !== undefined && !(smallestEffect > 0))
    throw new RangeError(`smallestEffect is ${smallestEffect}; it must be more than 0`)
  const pairs = knownPairs(a, b, options)
  const leftOut = a.length - pairs.a.length
  const n = pairs.a.length
  if (n === 0) return { ...nothing, leftOut }
  const units = pairs.index?.count ?? n
  const differences = differencesOf(pairs.a, pairs.b)
  const found = testsOf({ ...pairs, differences, level })
  const { wins, losses } = tally(differences, direction)
  const mde = found.se === null || found.se === 0 ? null : zScore * found.se
  const known = {
    kind: pairs.binary ? ('binary' as const) : ('continuous' as const),
    n,
    leftOut,
    units,
    meanA: meanOf(pairs.a),
    meanB: meanOf(pairs.b),
    difference: found.difference,
    interval: found.interval,
    wins,
    losses,
    ties: n - wins - losses,
    test: found.test,
    p: found.p,
    also: found.also,
    mde,
  }
  return { ...known, verdict: verdictOf({ ...known, level, direction, smallestEffect }) }
}

const nothing: Comparison = {
  kind: 'continuous',
  n: 0,
  leftOut: 0,
  units: 0,
  meanA: null,
  meanB: null,
  difference: null,
  interval: null,
  wins: 0,
  losses: 0,
  ties: 0,
  test: null,
  p: null,
  also: [],
  mde: null,
  verdict: 'not_enough_data',
}

interface KnownPairs {
  a: Float64Array
  b: Float64Array
  /** Null when every pair stands for itself. */
  index: ClusterIndex | null
  binary: boolean
}

function knownPairs(
  a: readonly Outcome[],
  b: readonly Outcome[],
  { clusters, kind }: Pick<CompareOptions, 'clusters' | 'kind'>,
): KnownPairs {
  requirePairs(a, b, 'a and b')
  if (clusters !== undefined) requirePairs(a, clusters, 'a and clusters')
  const known = { a: new Float64Array(a.length), b: new Float64Array(a.length) }
  const keys: ClusterKey[] = []
  let n = 0
  let binary = kind === undefined
  for (let at = 0; at < a.length; at++) {
    const x = valueOf(a[at], 'a', at)
    const y = valueOf(b[at], 'b', at)
    if (x === null || y === null) continue
    known.a[n] = x
    known.b[n] = y
    n++
    if (clusters !== undefined) keys.push(clusters[at] ?? at)
    binary &&= (x === 0 || x === 1) && (y === 0 || y === 1)
  }
  const index = clusters === undefined ? null : indexClusters(keys)
  return {
    a: known.a.subarray(0, n),
    b: known.b.subarray(0, n),
    // Clusters of one pair each say nothing new.
    index: index === null || index.count === n ? null : index,
    binary,
  }
}

/** So large that differences, added up by cluster, are still values. */
const largestOutcome = 1e140

function valueOf(outcome: Outcome, side: 'a' | 'b', at: number): number | null {
  if (outcome === null || outcome === undefined) return null
  const value = Number(outcome)
  if (!(Math.abs(value) <= largestOutcome)) throw notUsable(`${side}[${at}]`, value, largestOutcome)
  return value
}

interface Found {
  difference: number
  se: number | null
  interval: Interval | null
  test: ComparisonTest
  p: number
  also: Comparison['also']
}

type Tested = KnownPairs & { differences: Float64Array; level: number }

function testsOf(tested: Tested): Found {
  if (tested.index !== null) return clusteredTests(tested, tested.index)
  return tested.binary ? binaryTests(tested) : continuousTests(tested)
}

function binaryTests({ a, b, differences, level }: Tested): Found {
  const counts = { both: 0, onlyA: 0, onlyB: 0, neither: 0 }
  for (let at = 0; at < a.length; at++) {
    if (a[at] === b[at]) counts[a[at] === 1 ? 'both' : 'neither']++
    else counts[a[at] === 1 ? 'onlyA' : 'onlyB']++
  }
  const { p, midP } = mcNemar(counts.onlyA, counts.onlyB)
  const { se } = differenceOf(differences, level)
  const difference = (counts.onlyA - counts.onlyB) / a.length
  const also = [{ test: 'mcnemar_mid_p' as const, p: midP }]
  return { difference, se, interval: newcombePaired(counts, { level }), test: 'mcnemar_exact', p, also }
}

function continuousTests({ differences, level }: Tested): Found {
  const { difference, se, interval, p } = differenceOf(differences, level)
  const t = p === null ? [] : [{ test: 'paired_t' as const, p }]
  const wilcoxon = { test: 'wilcoxon' as const, p: wilcoxonSignedRank(differences).p }
  const known = { difference, se, interval }
  // Differences without any spread are no matter for t, however many there are.
  if (p !== null && differences.length >= unitsForT) return { ...known, test: 'paired_t', p, also: [wilcoxon] }
  return { ...known, test: 'sign_flip_exact', p: signFlipP(differences), also: [...t, wilcoxon] }
}

function clusteredTests({ differences, level }: Tested, index: ClusterIndex): Found {
  const clustered = clusteredMean(differences, Array.from(index.of), { level, correction: 'small_sample' })
  const { mean: difference, se, df, interval } = clustered ?? { mean: 0, se: null, df: null, interval: null }
  const p = se === null || se === 0 || df === null ? null : tTwoSided(difference / se, df)
  const known = { difference, se, interval }
  if (p !== null && index.count >= unitsForT) return { ...known, test: 'clustered_t', p, also: [] }
  // Flipping a cluster as a whole keeps what its pairs share.
  const sums = new Float64Array(index.count)
  for (let at = 0; at < differences.length; at++) {
    const cluster = index.of[at] ?? 0
    sums[cluster] = (sums[cluster] ?? 0) + (differences[at] ?? 0)
  }
  const also = p === null ? [] : [{ test: 'clustered_t' as const, p }]
  return { ...known, test: 'clustered_sign_flip_exact', p: signFlipP(sums), also }
}

/** Exact: there are few units, or all differences are the same. */
function signFlipP(differences: Float64Array): number {
  return signFlipTest(differences)?.p ?? 1
}

function tally(differences: Float64Array, direction: 'higher' | 'lower'): { wins: number; losses: number } {
  let [above, below] = [0, 0]
  for (const difference of differences) {
    if (difference > 0) above++
    else if (difference < 0) below++
  }
  return direction === 'higher' ? { wins: above, losses: below } : { wins: below, losses: above }
}

interface Weighed {
  units: number
  difference: number
  p: number
  mde: number | null
  level: number
  direction: 'higher' | 'lower'
  smallestEffect: number | undefined
}

function verdictOf({ units, difference, p, mde, level, direction, smallestEffect }: Weighed): Verdict {
  const alpha = 1 - level
  if (2 ** (1 - units) >= alpha) return 'not_enough_data'
  if (p < alpha && difference !== 0) return difference > 0 === (direction === 'higher') ? 'better' : 'worse'
  if (smallestEffect !== undefined && mde !== null && mde > smallestEffect) return 'not_enough_data'
  return 'no_detectable_difference'
}
