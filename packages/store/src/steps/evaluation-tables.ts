import type { Generated } from 'kysely'

/** Rows of the tables that `0002-evaluation.ts` makes. */
export interface EvaluationTables {
  evaluators: {
    project_id: number
    id: string
    slug: string
    name: string
    description: string
    version: string
    created_at: number
    updated_at: number
    /** Not null: it is out of the catalogue, and its slug is free. */
    deleted_at: number | null
  }
  evaluator_versions: { project_id: number; slug: string; version: string; definition: string; created_at: number }
  executions: {
    ref: Generated<number>
    project_id: number
    id: string
    evaluator: string
    version: string
    trace_ref: number | null
    rule_id: string | null
    batch_id: string | null
    task_id: string | null
    status: number
    attempt: number
    owner: string | null
    lease_until: number
    created_at: number
    completed_at: number | null
    /** JSON. */
    error: string | null
    score: string | null
  }
  /** Only of executions that have one or the other. */
  execution_inputs: { ref: number; input: string | null; config: string | null }
  /** The newest score of each evaluator on each trace. `ts` is the time of the trace. */
  scores: {
    project_id: number
    ref: number
    evaluator: string
    version: string
    execution: number
    ts: number
    at: number
    outcome: number
    value: number | null
    passed: number | null
    label: string | null
    /** Name of the rule that asked for it, as it was then. */
    rule: string | null
    model: string | null
  }
  rules: {
    project_id: number
    id: string
    name: string
    enabled: number
    filter: string
    sampling_rate: number
    evaluators: string
    daily_cost_limit: number | null
    created_at: number
    updated_at: number
  }
  rule_days: {
    project_id: number
    rule_id: string
    day: number
    executions: number
    cost: number
    unknown_costs: number
    limited: number
  }
  calibrations: { project_id: number; evaluator: string; version: string; data: string; at: number }
}
