import { type Confidence, type Interval, levelOf, reachOf } from './interval.ts'
import { meanOf, requireFinite, requirePairs, type Values, varianceAround } from './sample.ts'

/** A mean and how sure it is. What one value cannot tell is null. */
export interface MeanEstimate {
  n: number
  mean: number
  /** Of the values; null of one value. */
  sd: number | null
  /** Standard error of the mean; null where it cannot be told. */
  se: number | null
  /** Of the t distribution behind the interval. */
  df: number | null
  interval: Interval | null
}

/**
 * The mean with Student's t interval: mean ± t(n - 1) s / √n. Null of nothing; of one value there is a mean and no interval.
 * For values of 0 and 1 use {@link proportion}, which stays within [0, 1].
 */
export function meanEstimate(values: Values, options: Confidence = {}): MeanEstimate | null {
  const level = levelOf(options)
  requireFinite('values', values)
  const n = values.length
  if (n === 0) return null
  const center = meanOf(values)
  if (n === 1) return { n, mean: center, sd: null, se: null, df: null, interval: null }
  const sd = Math.sqrt(varianceAround(values, center))
  const se = sd / Math.sqrt(n)
  return { n, mean: center, sd, se, df: n - 1, interval: tInterval({ estimate: center, se, df: n - 1, level, n }) }
}

/** estimate ± t(df) se. */
export function tInterval(known: { estimate: number; se: number; df: number; level: number; n: number }): Interval {
  const { estimate, se, df, level, n } = known
  const reach = se === 0 ? 0 : reachOf(level, df) * se
  return { estimate, low: estimate - reach, high: estimate + reach, level, n }
}

/** What values belong together by: a case that was run several times, a document with several questions. */
export type ClusterKey = string | number

/**
 * `miller`: as the formula of the paper stands. `small_sample`: variance × C / (C - 1), as Inspect has it, which is the
 * ordinary standard error again when every cluster holds one value, and the safer one for few clusters.
 */
export type ClusterCorrection = 'miller' | 'small_sample'

/**
 * Standard error of the mean of clustered values: √(Σ_c (Σ_{i in c} (x_i - mean))²) / n.
 * E. Miller, "Adding error bars to evals" (arXiv:2411.00640), section 2.2. One cluster gives 0, for its deviations add up
 * to 0, which says nothing about its error: {@link clusteredMean} leaves it unknown. Null of nothing.
 */
export function clusteredStandardError(
  values: Values,
  clusters: readonly ClusterKey[],
  { correction = 'miller' }: { correction?: ClusterCorrection | undefined } = {},
): number | null {
  requireFinite('values', values)
  requirePairs(values, clusters, 'values and clusters')
  if (values.length === 0) return null
  const sums = clusterDeviations(values, meanOf(values), indexClusters(clusters))
  return errorOf(sums, values.length, correction)
}

/** A mean of values in clusters. */
export interface ClusteredMean extends MeanEstimate {
  /** How many there are: the independent units. */
  clusters: number
}

/**
 * The mean of clustered values with a t interval of C - 1 degrees of freedom, C being the number of clusters.
 * Null of nothing; with one cluster the error is unknown. For the correction see {@link ClusterCorrection}.
 */
export function clusteredMean(
  values: Values,
  clusters: readonly ClusterKey[],
  options: Confidence & { correction?: ClusterCorrection | undefined } = {},
): ClusteredMean | null {
  const level = levelOf(options)
  requireFinite('values', values)
  requirePairs(values, clusters, 'values and clusters')
  const n = values.length
  if (n === 0) return null
  const center = meanOf(values)
  const index = indexClusters(clusters)
  const sd = n < 2 ? null : Math.sqrt(varianceAround(values, center))
  const known = { n, clusters: index.count, mean: center, sd }
  if (index.count < 2) return { ...known, se: null, df: null, interval: null }
  const se = errorOf(clusterDeviations(values, center, index), n, options.correction ?? 'miller')
  const df = index.count - 1
  return { ...known, se, df, interval: tInterval({ estimate: center, se, df, level, n }) }
}

/** Which cluster, from 0, each value is in. */
export interface ClusterIndex {
  of: Int32Array
  count: number
}

/** Numbers the clusters in the order in which they appear. The string '1' and the number 1 are two. */
export function indexClusters(clusters: readonly ClusterKey[]): ClusterIndex {
  const numbers = new Map<ClusterKey, number>()
  const of = new Int32Array(clusters.length)
  for (const [at, key] of clusters.entries()) {
    let number = numbers.get(key)
    if (number === undefined) numbers.set(key, (number = numbers.size))
    of[at] = number
  }
  return { of, count: numbers.size }
}

/** The sum over each cluster of what its values are above a center. */
function clusterDeviations(values: Values, center: number, { of, count }: ClusterIndex): Float64Array {
  const sums = new Float64Array(count)
  for (let at = 0; at < values.length; at++) {
    const cluster = of[at] ?? 0
    sums[cluster] = (sums[cluster] ?? 0) + (values[at] ?? 0) - center
  }
  return sums
}

function errorOf(sums: Float64Array, n: number, correction: ClusterCorrection): number {
  let squares = 0
  for (const sum of sums) squares += sum * sum
  const factor = correction === 'small_sample' && sums.length > 1 ? sums.length / (sums.length - 1) : 1
  return Math.sqrt(squares * factor) / n
}
