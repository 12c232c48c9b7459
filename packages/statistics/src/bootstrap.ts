import { normalCdf, normalQuantile } from './distributions.ts'
import { clamp, type Confidence, type Interval, levelOf, wholeFrom } from './interval.ts'
import { type ClusterIndex, type ClusterKey, indexClusters } from './mean.ts'
import { createRandom, type Random } from './random.ts'
import { meanOf, percentileOfSorted, requireFinite, requirePairs, type Values } from './sample.ts'

/** Most resamples of one bootstrap. */
const mostResamples = 1_000_000

/** How a bootstrap is made. */
export interface BootstrapOptions extends Confidence {
  /** 1 to 1,000,000; 10,000 unless told. */
  resamples?: number | undefined
  /** Decides the draws: the same seed gives the same interval. 1 unless told. */
  seed?: number | undefined
  /** `bca` corrects for bias and skewness (Efron 1987); `percentile` is the plain one. */
  method?: 'bca' | 'percentile' | undefined
  /** With keys, whole clusters are drawn: for cases that were run several times. */
  clusters?: readonly ClusterKey[] | undefined
}

/**
 * The bootstrap interval of the mean (B. Efron 1979; BCa: Efron 1987), in time resamples × n. Null of fewer than two values,
 * or of fewer than two clusters. Where BCa has nothing to go by (no resample differs), the interval is a point.
 */
export function bootstrapMean(values: Values, options: BootstrapOptions = {}): Interval | null {
  const plan = planOf(values, options)
  if (plan === null) return null
  const { index, random, resamples } = plan
  const distribution = new Float64Array(resamples)
  const groups = index === null ? null : groupTotals(values, index)
  const drawn = groups === null ? Float64Array.from(values) : groups.sums
  for (let resample = 0; resample < resamples; resample++)
    distribution[resample] = drawMean(random, drawn, groups?.sizes ?? null)
  const estimate = meanOf(values)
  // Leaving one out changes a mean by arithmetic alone.
  const total = estimate * values.length
  const jackknife = () =>
    drawn.map((sum, at) => (total - sum) / (values.length - (groups === null ? 1 : (groups.sizes[at] ?? 0))))
  return intervalFrom({ estimate, distribution, jackknife, plan, n: values.length })
}

/** The mean of as many draws with replacement as there are units. */
function drawMean(random: Random, sums: Float64Array, sizes: Float64Array | null): number {
  const count = sums.length
  let sum = 0
  if (sizes === null) {
    for (let draw = 0; draw < count; draw++) sum += sums[random.below(count)] ?? 0
    return sum / count
  }
  let size = 0
  for (let draw = 0; draw < count; draw++) {
    const at = random.below(count)
    sum += sums[at] ?? 0
    size += sizes[at] ?? 0
  }
  return sum / size
}

function groupTotals(values: Values, { of, count }: ClusterIndex): { sums: Float64Array; sizes: Float64Array } {
  const sums = new Float64Array(count)
  const sizes = new Float64Array(count)
  for (let at = 0; at < values.length; at++) {
    const group = of[at] ?? 0
    sums[group] = (sums[group] ?? 0) + (values[at] ?? 0)
    sizes[group] = (sizes[group] ?? 0) + 1
  }
  return { sums, sizes }
}

/** What is computed from a sample: a finite number, whatever sample it gets; it must not keep or change the array. */
export type Statistic = (sample: Float64Array) => number

/**
 * The bootstrap interval of any statistic. Null as for {@link bootstrapMean}. A statistic that gives no finite number is a
 * RangeError. For BCa, the jackknife leaves out one unit at a time, or, of more than 1,000, one of 1,000 blocks of them.
 */
export function bootstrap(values: Values, statistic: Statistic, options: BootstrapOptions = {}): Interval | null {
  const plan = planOf(values, options)
  if (plan === null) return null
  const { index, random, resamples } = plan
  const all = Float64Array.from(values)
  const members = index === null ? null : membersOf(index)
  const units = members?.length ?? all.length
  const measure = (sample: Float64Array) => {
    const value = statistic(sample)
    if (!Number.isFinite(value)) throw new RangeError(`the statistic of a resample is ${value}`)
    return value
  }
  const sample = members === null ? new Float64Array(units) : null
  const draw = () => {
    if (sample === null)
      return gather(
        all,
        Array.from({ length: units }, () => members?.[random.below(units)] ?? []),
      )
    for (let at = 0; at < units; at++) sample[at] = all[random.below(units)] ?? 0
    return sample
  }
  const estimate = measure(all.slice())
  const distribution = new Float64Array(resamples)
  for (let resample = 0; resample < resamples; resample++) distribution[resample] = measure(draw())
  const jackknife = () =>
    Float64Array.from(blocksOf(units), ([from, to]) =>
      measure(
        members === null
          ? all.filter((_, at) => at < from || at >= to)
          : gather(
              all,
              members.filter((_, at) => at < from || at >= to),
            ),
      ),
    )
  return intervalFrom({ estimate, distribution, jackknife, plan, n: all.length })
}

function membersOf({ of, count }: ClusterIndex): number[][] {
  const members = Array.from({ length: count }, (): number[] => [])
  for (const [at, group] of of.entries()) members[group]?.push(at)
  return members
}

function gather(values: Float64Array, groups: readonly (readonly number[])[]): Float64Array {
  return Float64Array.from(groups.flat(), (at) => values[at] ?? 0)
}

/** Units 0 to n - 1 in at most 1,000 runs of about the same length. */
export function blocksOf(units: number, most = 1_000): [from: number, to: number][] {
  const blocks = Math.min(units, most)
  const edge = (block: number) => Math.floor((block * units) / blocks)
  return Array.from({ length: blocks }, (_, block) => [edge(block), edge(block + 1)])
}

interface Plan {
  level: number
  resamples: number
  method: 'bca' | 'percentile'
  random: Random
  index: ClusterIndex | null
}

function planOf(values: Values, options: BootstrapOptions): Plan | null {
  const { resamples = 10_000, seed = 1, method = 'bca', clusters } = options
  const level = levelOf(options)
  requireFinite('values', values)
  wholeFrom(1, 'resamples', resamples)
  if (resamples > mostResamples) throw new RangeError(`resamples is ${resamples}; ${mostResamples} is the most`)
  const random = createRandom(seed)
  if (clusters !== undefined) requirePairs(values, clusters, 'values and clusters')
  const index = clusters === undefined ? null : indexClusters(clusters)
  return (index?.count ?? values.length) < 2 ? null : { level, resamples, method, random, index }
}

interface Bootstrapped {
  estimate: number
  distribution: Float64Array
  jackknife: () => Float64Array
  plan: Plan
  n: number
}

function intervalFrom({ estimate, distribution, jackknife, plan, n }: Bootstrapped): Interval {
  const { level, method } = plan
  const ordered = distribution.sort()
  const tails: [number, number] =
    method === 'bca' ? correctedTails({ estimate, ordered, jackknife: jackknife(), level }) : plainTails(level)
  return { estimate, low: percentileOfSorted(ordered, tails[0]), high: percentileOfSorted(ordered, tails[1]), level, n }
}

function plainTails(level: number): [number, number] {
  return [(1 - level) / 2, (1 + level) / 2]
}

/** What BCa goes by: the resampled statistics in increasing order, and the statistic with each unit left out. */
export interface BcaInput {
  estimate: number
  ordered: Float64Array
  jackknife: Float64Array
  level: number
}

/**
 * At which shares of the resamples BCa reads its bounds (Efron and Tibshirani, An Introduction to the Bootstrap, eq. 14.10):
 * z0 from the share of resamples below the estimate, ties counted half; the acceleration from the skewness of the jackknife.
 */
export function correctedTails({ estimate, ordered, jackknife, level }: BcaInput): [number, number] {
  let [below, equal] = [0, 0]
  for (const value of ordered) {
    if (value < estimate) below++
    else if (value === estimate) equal++
  }
  // All on one side would be an infinite correction: it is kept within what so many resamples can tell.
  const least = 1 / (2 * ordered.length)
  const bias = normalQuantile(clamp((below + equal / 2) / ordered.length, least, 1 - least))
  const center = meanOf(jackknife)
  // As shares of the largest, so that cubes of small numbers do not come to 0.
  const largest = jackknife.reduce((most, value) => Math.max(most, Math.abs(center - value)), 0)
  let [squares, cubes] = [0, 0]
  for (const value of jackknife) {
    const deviation = largest === 0 ? 0 : (center - value) / largest
    squares += deviation ** 2
    cubes += deviation ** 3
  }
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5)
  const place = (share: number) => {
    const shifted = bias + normalQuantile(share)
    return normalCdf(bias + shifted / (1 - acceleration * shifted))
  }
  const [low, high] = plainTails(level)
  return [place(low), place(high)]
}
