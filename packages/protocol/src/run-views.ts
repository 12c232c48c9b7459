import type { Score, ScoreFault } from './evaluation.ts'
import type { RunItem, TaskFault } from './runs.ts'

/** An item as tables show it: the beginnings of its texts, and its scores without what they say. */
export interface RunItemPreview extends Omit<RunItem, 'input' | 'expected' | 'output' | 'scores' | 'started_at'> {
  /** Texts as they are, all else as JSON; at most `limits.itemPreviewChars`. Null where there is none. */
  input: string | null
  expected: string | null
  output: string | null
  scores: Record<string, Pick<Score, 'outcome' | 'value' | 'passed'>>
}

/** Items of a run that failed alike: in their tasks, or in one of their evaluators. */
export interface RunErrorGroup {
  /** Whose evaluator failed; null where the task did. */
  metric: string | null
  code: TaskFault | ScoreFault
  /** What the messages have in common: numbers, ids and what stands in quotes are `…`. */
  pattern: string
  count: number
  /** The first of them. */
  examples: { item_index: number; case_id: string; message: string }[]
}

/** What went wrong in a run, the most frequent first. */
export interface RunErrors {
  items: RunErrorGroup[]
  /** Errors of further groups than are listed. */
  others: number
  /** Errors that were looked at, in the order of the dataset, and whether those are all. */
  examined: number
  complete: boolean
}
