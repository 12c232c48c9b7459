import type { RunItem, RunningMetric, RunProgress, Score } from '@llm-eval/protocol'
import { joinMoments, type Moments, momentsEstimate, unitsProportion, withValue } from '@llm-eval/statistics'

/**
 * All that the progress of a run is made of, in a short array of numbers: it can be stored, gone on from, and joined with that of
 * other items. First five that count for all: completed, successful, cost (US dollars, and what rounding took from them), items of
 * unknown cost; then eight for each metric, in their order: n, mean, Σ(x - mean)², how many are 0 or 1, skipped, errored, passed,
 * failed. Whoever stores them relies on these places.
 */
export type RunTotals = readonly number[]

const head = { completed: 0, successful: 1, cost: 2, costRest: 3, unknownCosts: 4, size: 5 } as const
const metric = { n: 0, mean: 1, squares: 2, binary: 3, skipped: 4, errored: 5, passed: 6, failed: 7, size: 8 } as const

/** Of no items. */
export function emptyTotals(metrics: number): RunTotals {
  return Array.from({ length: sizeOf(metrics) }, () => 0)
}

/** Totals of which the numbers that count for all are kept apart from those of the metrics. */
export function totalsFrom(
  known: { completed: number; successful: number; cost: number; unknownCosts: number },
  metrics: readonly number[],
): RunTotals {
  return [known.completed, known.successful, known.cost, 0, known.unknownCosts, ...metrics]
}

/** How many numbers the totals of so many metrics are. */
export function sizeOf(metrics: number): number {
  return head.size + metrics * metric.size
}

/** What counts of a finished item. */
export type Counted = Pick<RunItem, 'status' | 'cost' | 'scores'>

/** With one more item that is finished. `names` are those of the metrics, in their order; other scores count nowhere. */
export function withItem(totals: RunTotals, item: Counted, names: readonly string[]): RunTotals {
  const next = totals.slice()
  next[head.completed] = at(totals, head.completed) + 1
  if (item.status === 'success') next[head.successful] = at(totals, head.successful) + 1
  const cost = costOf(item)
  if (cost.unknown) next[head.unknownCosts] = at(totals, head.unknownCosts) + 1
  spend(next, cost.known)
  for (const [index, name] of names.entries()) {
    const score = scoreOf(item.scores, name)
    if (score) count(next, head.size + index * metric.size, score)
  }
  return next
}

/** Of the items of both, in whatever order. They must be of the same metrics. */
export function joinTotals(a: RunTotals, b: RunTotals): RunTotals {
  if (a.length !== b.length) throw new RangeError(`totals of ${a.length} and ${b.length} numbers are of different runs`)
  const joined = a.map((value, index) => value + at(b, index))
  joined[head.cost] = at(a, head.cost)
  joined[head.costRest] = at(a, head.costRest)
  spend(joined, at(b, head.cost))
  spend(joined, at(b, head.costRest))
  for (let base: number = head.size; base < a.length; base += metric.size)
    keep(joined, base, joinMoments(momentsAt(a, base), momentsAt(b, base)))
  return joined
}

/** The score in a metric, whatever the metric is called. */
export function scoreOf<T>(scores: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(scores, name) ? scores[name] : undefined
}

/** What an item's task and judges cost: US dollars that are known, and whether there is more that is not. */
export function costOf(item: Pick<Counted, 'cost' | 'scores'>): { known: number; unknown: boolean } {
  let [known, unknown] = [item.cost ?? 0, item.cost === null]
  for (const { usage } of Object.values(item.scores)) {
    // Evaluators that consume nothing have no usage, and cost nothing.
    if (usage === null || usage.cached) continue
    known += usage.cost ?? 0
    unknown ||= usage.cost === null
  }
  return { known, unknown }
}

/** So large that sums of squares are still numbers, as statistics has it. */
const largest = 1e140

/** The number of a score that is counted, compared and plotted: its value, or 1 and 0 where it only passed and failed. */
export function numberOf({ outcome, value, passed }: Pick<Score, 'outcome' | 'value' | 'passed'>): number | null {
  if (outcome !== 'scored') return null
  if (value !== null) return Math.abs(value) <= largest ? value : null
  return passed === null ? null : Number(passed)
}

/** What totals are told with. */
export interface Shape {
  names: readonly string[]
  /** Times that every case is asked: answers to the same case are not independent. */
  repetitions: number
  totalItems: number | null
}

/** US dollars that are known to be spent, and how many items hold more that is not known. */
export function spentOf(totals: RunTotals): { cost: number; unknownCosts: number } {
  return { cost: at(totals, head.cost) + at(totals, head.costRest), unknownCosts: at(totals, head.unknownCosts) }
}

/**
 * The numbers of a run as they are shown. Intervals are at 95 %: Wilson's where all values are 0 or 1, else Student's; where
 * cases are repeated, as if their repetitions said nothing new, which is never too sure.
 */
export function progressOf(totals: RunTotals, { names, repetitions, totalItems }: Shape): RunProgress {
  const [completed, successful] = [at(totals, head.completed), at(totals, head.successful)]
  const { cost, unknownCosts } = spentOf(totals)
  return {
    // A dataset, or the part of it that is asked for, may have become smaller since.
    total_items: totalItems === null ? null : Math.max(totalItems, completed),
    completed_items: completed,
    successful_items: successful,
    success_rate: completed === 0 ? null : successful / completed,
    cost,
    unknown_costs: unknownCosts,
    metrics: Object.fromEntries(
      names.map((name, index) => [name, runningOf(totals, head.size + index * metric.size, repetitions)]),
    ),
  }
}

function runningOf(totals: RunTotals, base: number, perUnit: number): RunningMetric {
  const moments = momentsAt(totals, base)
  const [n, mean] = moments
  const binary = at(totals, base + metric.binary) === n
  const interval = binary
    ? unitsProportion(Math.round(mean * n), n, { perUnit })
    : momentsEstimate(moments, { perUnit })?.interval
  return {
    mean: n === 0 ? null : mean,
    ci: interval && n > 1 ? [interval.low, interval.high] : null,
    n,
    skipped: at(totals, base + metric.skipped),
    errored: at(totals, base + metric.errored),
    passed: at(totals, base + metric.passed),
    failed: at(totals, base + metric.failed),
  }
}

function count(totals: number[], base: number, score: Score): void {
  const add = (place: number) => void (totals[base + place] = at(totals, base + place) + 1)
  if (score.outcome !== 'scored') return add(score.outcome === 'skipped' ? metric.skipped : metric.errored)
  if (score.passed !== null) add(score.passed ? metric.passed : metric.failed)
  const value = numberOf(score)
  if (value === null) return
  if (value === 0 || value === 1) add(metric.binary)
  keep(totals, base, withValue(momentsAt(totals, base), value))
}

function momentsAt(totals: RunTotals, base: number): Moments {
  return [at(totals, base + metric.n), at(totals, base + metric.mean), at(totals, base + metric.squares)]
}

function keep(totals: number[], base: number, [n, mean, squares]: Moments): void {
  totals[base + metric.n] = n
  totals[base + metric.mean] = mean
  totals[base + metric.squares] = squares
}

/** Adds to the cost, and keeps what rounding takes away (Neumaier): a cent a million times is ten thousand dollars. */
function spend(totals: number[], value: number): void {
  const sum = at(totals, head.cost)
  const next = sum + value
  const lost = Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
  totals[head.cost] = next
  totals[head.costRest] = at(totals, head.costRest) + lost
}

function at(totals: RunTotals, index: number): number {
  return totals[index] ?? 0
}
