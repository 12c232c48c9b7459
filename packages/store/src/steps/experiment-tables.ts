import type { Generated } from 'kysely'

/** Rows of the tables that `0004-experiments.ts` makes. Metadata, inputs, outputs and evaluators are JSON. */
export interface ExperimentTables {
  experiments: {
    project_id: number
    id: string
    slug: string
    metadata: string
    created_at: number
    updated_at: number
  }
  experiment_runs: {
    project_id: number
    id: string
    experiment_id: string
    dataset_id: string | null
    dataset_version: string | null
    evaluators: string
    metadata: string
    created_at: number
  }
  tasks: {
    ref: Generated<number>
    project_id: number
    id: string
    run_id: string
    input: string
    output: string | null
    error: string | null
    created_at: number
  }
  annotations: {
    ref: Generated<number>
    project_id: number
    id: string
    task: string
    entity: string
    data: string
    at: number
  }
}
