import type { ItemScore, NewRunItem, RunNumbers } from './runs.ts'

/**
 * Numbers that are kept for each metric of a run: how many values, their mean and Σ(x - mean)², how many of them are 0 or 1;
 * then how many scores were skipped, errored, passed and failed. Whatever the items came in, they are what a recount gives, but
 * for rounding. The places are those of the engine's totals behind their head, so that the server hands one to the other.
 */
export const metricSize = 8
const place = { n: 0, mean: 1, squares: 2, binary: 3, skipped: 4, errored: 5, passed: 6, failed: 7 } as const

/** So large that sums of squares are still numbers. */
const largest = 1e140

/** What counts of an item. */
export type Counted = Pick<NewRunItem, 'status' | 'spent' | 'scores'>

/** The totals of no items. */
export function emptyTotals(metrics: number): number[] {
  return Array.from({ length: metrics * metricSize }, () => 0)
}

/** Counts an item in (+1) or out (-1). Throws a RangeError unless it has a place for each metric of the run. */
export function count(numbers: RunNumbers, item: Counted, sign: 1 | -1): void {
  if (item.scores.length * metricSize !== numbers.totals.length)
    throw new RangeError(`an item has ${item.scores.length} scores; its run has ${numbers.totals.length / metricSize}`)
  numbers.completed += sign
  if (item.status === 'success') numbers.successful += sign
  numbers.costNano += sign * item.spent.costNano
  if (item.spent.unknown) numbers.unknownCosts += sign
  for (const [at, score] of item.scores.entries())
    if (score) countScore(numbers.totals, at * metricSize, { score, sign })
}

/** The number of a score that is counted: its value, or 1 and 0 where it only passed and failed. */
function numberOf({ outcome, value, passed }: ItemScore): number | null {
  if (outcome !== 'scored') return null
  if (value !== null) return Math.abs(value) <= largest ? value : null
  return passed === null ? null : Number(passed)
}

function countScore(totals: number[], base: number, { score, sign }: { score: ItemScore; sign: 1 | -1 }): void {
  const add = (to: number) => void (totals[base + to] = (totals[base + to] ?? 0) + sign)
  if (score.outcome !== 'scored') return add(score.outcome === 'skipped' ? place.skipped : place.errored)
  if (score.passed !== null) add(score.passed ? place.passed : place.failed)
  const value = numberOf(score)
  if (value === null) return
  if (value === 0 || value === 1) add(place.binary)
  const [n = 0, mean = 0, squares = 0] = totals.slice(base, base + 3)
  // B. P. Welford's update (1962), and the same backwards.
  const next = n + sign
  const newMean = next === 0 ? 0 : mean + (sign * (value - mean)) / next
  totals[base + place.n] = next
  totals[base + place.mean] = newMean
  totals[base + place.squares] = next < 2 ? 0 : Math.max(0, squares + sign * (value - mean) * (value - newMean))
}
