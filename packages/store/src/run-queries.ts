import type { RunStatus, TaskFault } from '@llm-eval/protocol'
import type { Head } from './head.ts'
import type { RunNumbers, StoredRun, StoredRunItem } from './runs.ts'

// What can be asked of runs.

/** Filters of lists of runs; all given ones must fit. */
export interface RunFilter {
  datasetName?: string | undefined
  modelName?: string | undefined
  status?: RunStatus | undefined
  createdBy?: string | undefined
  /** A run has all of them. */
  tags?: string[] | undefined
  minSuccessRate?: number | undefined
  /** Of runs that were started. */
  maxWorkedMs?: number | undefined
  createdAfter?: number | undefined
  createdBefore?: number | undefined
  /** In name or description, whatever the case. */
  search?: string | undefined
}

export const runOrders = ['created_at', 'name', 'status', 'success_rate', 'duration'] as const
export type RunOrder = (typeof runOrders)[number]

/** Filters of the items of a run; all given ones must fit. */
export interface RunItemFilter {
  status?: 'success' | 'failed' | undefined
  /** Scored below a value in the metric of this place; a score without a value is 1 or 0, as it passed. */
  below?: { metric: number; value: number } | undefined
  /** The same, scored above a value. */
  above?: { metric: number; value: number } | undefined
  /** The place of a metric whose evaluator failed. */
  errored?: number | undefined
  /** The code of the task's error. */
  error?: TaskFault | undefined
  /** The task failed, or an evaluator did. */
  troubled?: true | undefined
  /** Somewhere in the id of the case. */
  caseId?: string | undefined
  /** Somewhere in the id of the case, its input, what was expected, the output or the error; A to Z are the same as a to z. */
  search?: string | undefined
}

/** Characters of the JSON texts of an item that lists show. */
export const beginningChars = 400

/** Numbers of many items, column by column. NaN is unknown. */
export interface RunColumns {
  itemIndex: Float64Array
  caseId: string[]
  repetition: Float64Array
  successful: Uint8Array
  responseMs: Float64Array
  costNano: Float64Array
  tokens: Float64Array
  /** In the order of the run's metrics. */
  metrics: {
    value: Float64Array
    /** Place in `scoreOutcomes`; NaN where there is no score. */
    outcome: Float64Array
    /** 1 and 0. */
    passed: Float64Array
  }[]
}

/** A fact of a run, with what deletion has left of what it tells of. */
export interface RunEvent {
  seq: number
  at: number
  kind: 'run_created' | 'run_updated' | 'run_ended' | 'run_deleted' | 'run_item'
  /** The run's. */
  ref: number
  /** Null when it is deleted. */
  id: string | null
  /** Of the run, right after it. */
  data: RunNumbers
  /** Of `run_item`: its place; the item is null when it is deleted. */
  itemIndex: number | null
  item: StoredRunItem | null
}

export interface RunQueries {
  run: { in: { id: string }; out: StoredRun | 'deleted' | null }
  /** The cursor is opaque, and of one order. */
  runs: {
    in: {
      filter: RunFilter
      order: RunOrder
      direction: 'ascending' | 'descending'
      limit: number
      cursor: string | null
    }
    out: { items: StoredRun[]; nextCursor: string | null } | { invalidCursor: true }
  }
  /** Projects with runs that are not over and that nobody holds any more. The same whatever project asks. */
  freeRuns: { in: { at: number }; out: number[] }
  /**
   * In the order of the dataset, after the cursor, or from the index `from` on. Stops at `limit` items, about `bytes` of bodies
   * (but not before the first item), or after about `sliceMs` of searching. `beginnings` of bodies are the first
   * `beginningChars` of their texts, without scores; `scores` are these alone.
   */
  runItems: {
    in: {
      ref: number
      filter: RunItemFilter
      limit: number
      cursor: string | null
      from?: number | undefined
      sliceMs: number
      bodies: 'with' | 'without' | 'beginnings' | 'scores'
      bytes: number
    }
    out: { items: StoredRunItem[]; nextCursor: string | null; searchedTo: number | null } | { invalidCursor: true }
  }
  runItem: { in: { ref: number; itemIndex: number }; out: StoredRunItem | null }
  /** What is finished, by index, after one of them; for whoever goes on. Empty when there is no more. */
  runItemIds: {
    in: { ref: number; after: number; limit: number }
    out: { itemIndex: number[]; caseId: string[]; repetition: number[] }
  }
  /** The numbers of items after an index, in their order; for summaries and comparisons. Empty when there are no more. */
  runColumns: { in: { ref: number; after: number; limit: number }; out: RunColumns }
  /**
   * Events of one run, or of all runs without those of items; oldest first, at most `limit` rows and about `bytes` of them.
   * Those of a deleted run are still told, without its id and items.
   */
  runEvents: {
    in: { ref: number | null; after: number; limit: number; bytes: number }
    out: { events: RunEvent[]; head: Head }
  }
  /** The status of a run right before an event of it; null where that is not kept any more. */
  runStatusBefore: { in: { ref: number; seq: number }; out: RunStatus | null }
  /** How many runs of the project there are of each status. */
  runCounts: { in: Record<string, never>; out: Record<RunStatus, number> }
}
