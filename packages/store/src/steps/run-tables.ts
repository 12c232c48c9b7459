import type { Generated } from 'kysely'

/** Rows of the tables that `0005-runs.ts` and `0006-run-config.ts` make. */
export interface RunTables {
  runs: {
    ref: Generated<number>
    project_id: number
    /** Null: it was deleted, and its items are being removed. */
    id: string | null
    hash: string
    name: string
    /** Place in `runStatuses`. */
    status: number
    /** Place in `runStops`. */
    stopped_by: number | null
    /** 0: the server works it off; 1: a client does. */
    worker: number
    owner: string | null
    lease_until: number
    /** Times that the server took it. */
    attempt: number
    dataset_id: string | null
    dataset_name: string
    dataset_version: string | null
    model_name: string | null
    model_version: string | null
    task_type: string | null
    environment: string | null
    created_by: string | null
    created_at: number
    updated_at: number
    started_at: number | null
    /** Since when it is worked on this time; null while it is not. */
    began_at: number | null
    /** When its worker was heard of last. */
    heard_at: number | null
    ended_at: number | null
    /** Of the times before. */
    worked_ms: Generated<number>
    total: number | null
    completed: Generated<number>
    successful: Generated<number>
    erased: Generated<number>
    cost_nano: Generated<number>
    unknown_costs: Generated<number>
    /** JSON array of numbers; see `run-totals.ts`. */
    totals: string
    /** JSON. */
    error: string | null
    approval: string | null
  }
  /** Each but `description` and `searched` is JSON. */
  run_texts: {
    ref: number
    description: string | null
    task: string
    metric_names: string
    metrics: string
    settings: string
    config: Generated<string>
    tags: string
    metadata: string
    /** Name and description as they are searched. */
    searched: string
  }
  run_tombstones: { project_id: number; id_hash: string; at: number }
  run_items: {
    run_ref: number
    item_index: number
    case_id: string
    repetition: number
    /** Place in `runItemStatuses`. */
    status: number
    hash: string
    /** JSON array of numbers; see `run-items.ts`. */
    numbers: string
    preview: string | null
    /** JSON. */
    error: string | null
    trace_id: string | null
  }
  /** JSON texts, as they came. */
  run_bodies: {
    run_ref: number
    item_index: number
    input: string
    expected: string | null
    output: string | null
    scores: string
  }
  run_item_traces: {
    run_ref: number
    item_index: number
    trace_id: string
    project_id: number
    /** Of the trace, so that erasing a user finds the item also when the trace has expired. */
    user_id: string | null
  }
}
