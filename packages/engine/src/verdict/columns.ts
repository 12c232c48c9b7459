import type { EvaluatorInfo, RunItem, RunMetricSummary, Score } from '@llm-eval/protocol'
import { numberOf, scoreOf } from '../run/totals.ts'

/** A metric of a run, and how its scores were made. */
export type ColumnMetric = Pick<RunMetricSummary, 'name' | 'evaluator' | 'evaluator_version' | 'direction'>

/** A metric as its evaluator is: one whose code is under no version has none, so that it cannot gate. */
export function columnMetric(name: string, { slug, version, pinned, direction }: EvaluatorInfo): ColumnMetric {
  return { name, evaluator: slug, evaluator_version: pinned ? version : null, direction }
}

/** What counts of a finished item: numbers, and the case they belong to. */
export interface ItemNumbers extends Pick<RunItem, 'item_index' | 'case_id' | 'status' | 'response_time_ms' | 'cost'> {
  /** By the names of the metrics; or in their order, null where there is none. */
  scores: Readonly<Record<string, ScoreNumbers>> | readonly (ScoreNumbers | null)[]
}
type ScoreNumbers = Pick<Score, 'outcome' | 'value' | 'passed'>

/** Numbers by item; NaN where there is none. */
export class Column {
  #values = new Float64Array(64)
  #size = 0

  push(value: number | null): void {
    if (this.#size === this.#values.length) {
      const larger = new Float64Array(2 * this.#size)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#size++] = value ?? Number.NaN
  }

  /** A view, until the next push. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#size)
  }
}

/** The column of a metric, with what it leaves out. */
export interface MetricColumn {
  metric: ColumnMetric
  column: Column
  skipped: number
  errored: number
  passed: number
  failed: number
  /** Cases, by index, of which an item was to be scored and was not: the task or the evaluator failed. */
  unmeasured: Set<number>
}

/**
 * The numbers of a run by item, to sum up and compare: eight bytes a number, however large the items are. Items are added one by
 * one, in any order; pending ones are left out.
 */
export class RunColumns {
  readonly runId: string
  readonly metrics: readonly MetricColumn[]
  readonly usage = { response_time_ms: new Column(), cost: new Column() }
  /** Which case each item is of, from 0 in the order of their arrival. */
  readonly #cases = new Map<string, number>()
  readonly #caseOf = new Column()
  /** Of each case, the least index of its items. */
  readonly #firstItems: number[] = []

  constructor(runId: string, metrics: readonly ColumnMetric[]) {
    this.runId = runId
    this.metrics = metrics.map((metric) => {
      return { metric, column: new Column(), skipped: 0, errored: 0, passed: 0, failed: 0, unmeasured: new Set() }
    })
  }

  add({ item_index: itemIndex, case_id: caseId, status, response_time_ms: time, cost, scores }: ItemNumbers): void {
    if (status === 'pending') return
    const index = this.#cases.get(caseId) ?? this.#cases.size
    if (index === this.#cases.size) this.#cases.set(caseId, index)
    this.#caseOf.push(index)
    this.#firstItems[index] = Math.min(itemIndex, this.#firstItems[index] ?? itemIndex)
    // How long it took to fail says nothing of how long answers take.
    this.usage.response_time_ms.push(status === 'success' ? time : null)
    this.usage.cost.push(cost)
    for (const [at, column] of this.metrics.entries())
      addScore(column, index, isList(scores) ? scores[at] : scoreOf(scores, column.metric.name))
  }

  /** Case ids by index. */
  get cases(): ReadonlyMap<string, number> {
    return this.#cases
  }

  /** The index of each case's first item, by index of the case. */
  get firstItems(): readonly number[] {
    return this.#firstItems
  }

  get items(): number {
    return this.#caseOf.values.length
  }

  get caseOf(): Float64Array {
    return this.#caseOf.values
  }

  /** The mean of each case's items that have a number, by index of the case; NaN where none has. */
  byCase(column: Column): Float64Array {
    const { values } = column
    const sums = new Float64Array(this.#cases.size)
    const counts = new Float64Array(this.#cases.size)
    const { caseOf } = this
    for (let item = 0; item < values.length; item++) {
      const value = values[item] ?? Number.NaN
      if (Number.isNaN(value)) continue
      const index = caseOf[item] ?? 0
      sums[index] = (sums[index] ?? 0) + value
      counts[index] = (counts[index] ?? 0) + 1
    }
    // 0 / 0 is NaN, which is what it should be.
    return sums.map((sum, index) => sum / (counts[index] ?? 0))
  }
}

function isList(scores: ItemNumbers['scores']): scores is readonly (ScoreNumbers | null)[] {
  return Array.isArray(scores)
}

function addScore(column: MetricColumn, caseIndex: number, score: ScoreNumbers | null | undefined): void {
  if (score?.outcome === 'skipped') column.skipped++
  if (score?.outcome === 'errored') column.errored++
  if (score?.outcome === 'scored' && score.passed !== null) column[score.passed ? 'passed' : 'failed']++
  const value = score ? numberOf(score) : null
  if (value === null && score?.outcome !== 'skipped') column.unmeasured.add(caseIndex)
  column.column.push(value)
}
