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
  const { outcome, passed } = score
  if (outcome !== 'scored') return add(totals, base + (outcome === 'skipped' ? place.skipped : place.errored), sign)
  if (passed !== null) add(totals, base + (passed ? place.passed : place.failed), sign)
  const value = numberOf(score)
  if (value === null) return
  if (value === 0 || value === 1) add(totals, base + place.binary, sign)
  // B. P. Welford's update (1962), and the same backwards.
  const n = at(totals, base + place.n) + sign
  const before = at(totals, base + place.mean)
  const mean = n === 0 ? 0 : before + (sign * (value - before)) / n
  const squares = at(totals, base + place.squares) + sign * (value - before) * (value - mean)
  totals[base + place.n] = n
  totals[base + place.mean] = mean
  totals[base + place.squares] = n < 2 ? 0 : Math.max(0, squares)
}

function add(totals: number[], index: number, amount: number): void {
  totals[index] = at(totals, index) + amount
}

function at(totals: readonly number[], index: number): number {
  return totals[index] ?? 0
}
