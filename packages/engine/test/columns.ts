import type { Score } from '@llm-eval/protocol'
import { type ColumnMetric, type ItemNumbers, RunColumns } from '../src/verdict/columns.ts'

export const quality: ColumnMetric = {
  name: 'quality',
  evaluator: 'quality',
  evaluator_version: 'v1',
  direction: 'higher',
}

/** An item for each value, in one metric; null is an error of the evaluator. */
export function numbersOf(
  values: readonly (number | null)[],
  caseId: (index: number) => string = (index) => `case-${index}`,
  metric = 'quality',
): (Omit<ItemNumbers, 'scores'> & { scores: Record<string, Pick<Score, 'outcome' | 'value' | 'passed'>> })[] {
  return values.map((value, index) => ({
    item_index: index,
    case_id: caseId(index),
    status: 'success',
    response_time_ms: null,
    cost: null,
    scores: {
      [metric]: { outcome: value === null ? 'errored' : 'scored', value, passed: value === null ? null : value >= 0.5 },
    },
  }))
}

/** A run with an item for each value of its first metric. */
export function runOf(
  runId: string,
  values: readonly (number | null)[],
  ...metrics: readonly ColumnMetric[]
): RunColumns {
  const used = metrics.length === 0 ? [quality] : metrics
  const run = new RunColumns(runId, used)
  for (const item of numbersOf(values, undefined, used[0]?.name)) run.add(item)
  return run
}
