import { type RunApproval, runStatuses, runStops } from '@llm-eval/protocol'
import type { Kysely, Selectable } from 'kysely'
import { sql } from '#kysely'
import { named } from './run-events.ts'
import { type RunNumbers, runWorkers, type StoredRun } from './runs.ts'
import type { Tables } from './tables.ts'

// How runs are read, by changes that hand them out and by queries.

/** A run without its texts, as changes look at it. */
export type RunRow = Selectable<Tables['runs']> & { id: string }

/** Queued or running, spelled as in the index of those: a bound value would hide it from the database. */
export const isOpenRun = sql<boolean>`(runs.status < 2 AND runs.id IS NOT NULL)`

/** Runs that are not deleted, with their texts. */
export function selectRuns(db: Kysely<Tables>) {
  return db
    .selectFrom('runs')
    .innerJoin('run_texts', 'run_texts.ref', 'runs.ref')
    .selectAll('runs')
    .select(['description', 'task', 'metric_names', 'metrics', 'settings', 'config', 'tags', 'metadata'])
    .where('runs.id', 'is not', null)
}

type WholeRow = Selectable<Tables['runs']> & Omit<Selectable<Tables['run_texts']>, 'ref' | 'searched'>

/** The numbers of a row. */
export function numbersOf(row: Selectable<Tables['runs']>): RunNumbers {
  return {
    status: named(runStatuses, row.status),
    stoppedBy: row.stopped_by === null ? null : named(runStops, row.stopped_by),
    total: row.total,
    completed: row.completed,
    successful: row.successful,
    erased: row.erased,
    costNano: row.cost_nano,
    unknownCosts: row.unknown_costs,
    workedMs: row.worked_ms,
    totals: JSON.parse(row.totals) as number[],
  }
}

export function toStoredRun(row: WholeRow): StoredRun {
  return {
    ...numbersOf(row),
    ref: row.ref,
    id: row.id ?? '',
    hash: row.hash,
    name: row.name,
    description: row.description,
    tags: JSON.parse(row.tags) as string[],
    metadata: row.metadata,
    modelName: row.model_name,
    modelVersion: row.model_version,
    taskType: row.task_type,
    environment: row.environment,
    worker: named(runWorkers, row.worker),
    datasetId: row.dataset_id,
    datasetName: row.dataset_name,
    datasetVersion: row.dataset_version,
    task: row.task,
    settings: row.settings,
    config: row.config,
    metrics: row.metrics,
    metricNames: JSON.parse(row.metric_names) as string[],
    createdBy: row.created_by,
    owner: row.owner,
    attempt: row.attempt,
    error: row.error === null ? null : (JSON.parse(row.error) as StoredRun['error']),
    approval: row.approval === null ? null : (JSON.parse(row.approval) as RunApproval),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    beganAt: row.began_at,
    endedAt: row.ended_at,
  }
}

/** Texts as they are searched: the same on both databases. */
export function searchable(...texts: (string | null)[]): string {
  return texts
    .filter((text) => text !== null)
    .join('\n')
    .normalize('NFKC')
    .toLowerCase()
}
