import type { Execution, Score } from '@llm-eval/protocol'
import type { Kysely } from 'kysely'
import { sql } from '#kysely'
import type { StoredExecution } from './evaluation.ts'
import { executionStatus } from './events.ts'
import type { Tables } from './tables.ts'

// How executions are read, by changes that hand them out and by queries.

/** Queued or running, spelled as in the index of those: a bound value would hide it from the database. */
export const isOpen = sql<boolean>`executions.status < 2`

/** The rows of executions without what they were given. */
export function selectResults(db: Kysely<Tables>) {
  return db
    .selectFrom('executions')
    .leftJoin('traces', 'traces.ref', 'executions.trace_ref')
    .select([
      'executions.ref',
      'executions.id',
      'executions.evaluator',
      'executions.version',
      'executions.status',
      'executions.attempt',
      'executions.rule_id',
      'executions.batch_id',
      'executions.task_id',
      'executions.score',
      'executions.error',
      'executions.created_at',
      'executions.completed_at',
      'traces.trace_id',
    ])
}

/** The rows of executions with what they were given. */
export function selectExecutions(db: Kysely<Tables>) {
  return selectResults(db)
    .leftJoin('execution_inputs', 'execution_inputs.ref', 'executions.ref')
    .select(['execution_inputs.input', 'execution_inputs.config'])
}

type ResultRow = Awaited<ReturnType<ReturnType<typeof selectResults>['executeTakeFirstOrThrow']>>
type ExecutionRow = Awaited<ReturnType<ReturnType<typeof selectExecutions>['executeTakeFirstOrThrow']>>

const scoreOf = (row: ResultRow) => (row.score === null ? null : (JSON.parse(row.score) as Score))
const errorOf = (row: ResultRow) => (row.error === null ? null : (JSON.parse(row.error) as Execution['error']))

/** A row with what it takes to run it. */
export function toStored(row: ExecutionRow): StoredExecution {
  return {
    ref: row.ref,
    id: row.id,
    evaluator: row.evaluator,
    version: row.version,
    status: executionStatus(row.status),
    attempt: row.attempt,
    input: row.input,
    config: row.config,
    traceId: row.trace_id,
    ruleId: row.rule_id,
    batchId: row.batch_id,
    taskId: row.task_id,
    score: scoreOf(row),
    error: errorOf(row),
    createdAt: row.created_at,
    completedAt: row.completed_at,
  }
}

/** A row as it is told to clients. */
export function toExecution(row: ResultRow): Execution {
  return {
    execution_id: row.id,
    evaluator: row.evaluator,
    evaluator_version: row.version,
    status: executionStatus(row.status),
    trace_id: row.trace_id,
    batch_id: row.batch_id,
    score: scoreOf(row),
    error: errorOf(row),
    created_at: new Date(row.created_at).toISOString(),
    completed_at: row.completed_at === null ? null : new Date(row.completed_at).toISOString(),
  }
}
