import { blocksOf } from './bootstrap.ts'
import { clamp, type Confidence, type Interval, levelOf } from './interval.ts'
import { tInterval } from './mean.ts'
import { largest, notUsable } from './sample.ts'

/** How far two ratings are apart: `nominal` the same or not, `ordinal` by rank, `interval` by the square of their distance. */
export type AlphaMetric = 'nominal' | 'ordinal' | 'interval'

/** Krippendorff's alpha. */
export interface Alpha {
  /** Units with at least two ratings; only they tell anything. */
  n: number
  /** Ratings in them. */
  ratings: number
  /** 1 is perfect, 0 is chance, below 0 is systematic disagreement; null where all ratings are equal. */
  alpha: number | null
  /** From leaving out one unit at a time (of more than 200, one of 200 blocks); null where that cannot tell. */
  interval: Interval | null
}

/** One rating; null or undefined where a rater gave none. */
export type Rating = string | number | null | undefined

/**
 * Krippendorff's alpha, 1 - D_o / D_e, for any number of raters with ratings missing (K. Krippendorff, Content Analysis,
 * chapter 11). Strings are for `nominal` only. The interval is a jackknife's, cut to [-1, 1]. Null when no unit has two ratings.
 *
 * @param units for each thing the ratings it got, in any order
 */
export function krippendorffAlpha(
  units: readonly (readonly Rating[])[],
  options: Confidence & { metric: AlphaMetric },
): Alpha | null {
  const level = levelOf(options)
  const rated = units.map((unit) => ratingsOf(unit, options.metric)).filter((ratings) => ratings.length >= 2)
  const n = rated.length
  if (n === 0) return null
  const alphaOf = alphas[options.metric]
  const alpha = alphaOf(rated)
  const known = { n, ratings: rated.flat().length, alpha }
  if (alpha === null || n < 2) return { ...known, interval: null }
  const blocks = blocksOf(n, 200)
  const without = blocks.map(([from, to]) => alphaOf(rated.filter((_, at) => at < from || at >= to)))
  const left = without.filter((value) => value !== null)
  if (left.length < blocks.length) return { ...known, interval: null }
  const center = left.reduce((sum, value) => sum + value, 0) / left.length
  const squares = left.reduce((sum, value) => sum + (value - center) ** 2, 0)
  const se = Math.sqrt((squares * (left.length - 1)) / left.length)
  if (se === 0) return { ...known, interval: null }
  const { low, high } = tInterval({ estimate: alpha, se, df: left.length - 1, level, n })
  return { ...known, interval: { estimate: alpha, low: clamp(low, -1, 1), high: clamp(high, -1, 1), level, n } }
}

type Rated = readonly (readonly (string | number)[])[]

function ratingsOf(unit: readonly Rating[], metric: AlphaMetric): (string | number)[] {
  return unit.filter((rating): rating is string | number => {
    if (rating === null || rating === undefined) return false
    if (typeof rating === 'string' && metric !== 'nominal')
      throw new RangeError(`${JSON.stringify(rating)} is no number; ${metric} ratings are`)
    if (typeof rating === 'number' && !(Math.abs(rating) <= largest)) throw notUsable('a rating', rating)
    return true
  })
}

const alphas: Record<AlphaMetric, (units: Rated) => number | null> = {
  nominal: nominalAlpha,
  ordinal: (units) => distanceAlpha(units, middleRanks(countsOf(units))),
  interval: (units) => distanceAlpha(units, (rating) => rating),
}

function countsOf(units: Rated): Map<string | number, number> {
  const counts = new Map<string | number, number>()
  for (const rating of units.flat()) counts.set(rating, (counts.get(rating) ?? 0) + 1)
  return counts
}

function nominalAlpha(units: Rated): number | null {
  let disagreeing = 0
  let total = 0
  for (const unit of units) {
    let same = 0
    for (const count of countsOf([unit]).values()) same += count * count
    disagreeing += (unit.length * unit.length - same) / (unit.length - 1)
    total += unit.length
  }
  let chance = total * total
  for (const count of countsOf(units).values()) chance -= count * count
  return chance === 0 ? null : 1 - ((total - 1) * disagreeing) / chance
}

/**
 * The distance of two ordinal ratings is the number of ratings from the middle of one to the middle of the other, squared:
 * that of their places when all ratings stand in a row.
 */
function middleRanks(counts: ReadonlyMap<string | number, number>): (rating: number) => number {
  const places = new Map<number, number>()
  let before = 0
  for (const [rating, count] of [...counts].sort(([a], [b]) => Number(a) - Number(b))) {
    places.set(Number(rating), before + count / 2)
    before += count
  }
  return (rating) => places.get(rating) ?? Number.NaN
}

/** Alpha where the distance is the square of a difference: sums of squares about means do the counting of pairs. */
function distanceAlpha(units: Rated, place: (rating: number) => number): number | null {
  const rows = units.map((unit) => unit.map((rating) => place(Number(rating))))
  const all = rows.flat()
  const chance = squaresAbout(all) * all.length
  if (chance === 0) return null
  let disagreeing = 0
  for (const row of rows) disagreeing += (squaresAbout(row) * row.length) / (row.length - 1)
  return 1 - ((all.length - 1) * disagreeing) / chance
}

function squaresAbout(values: readonly number[]): number {
  const first = values[0] ?? 0
  // About the first one, so that equal values give exactly 0.
  const center = first + values.reduce((sum, value) => sum + (value - first), 0) / values.length
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0)
}
