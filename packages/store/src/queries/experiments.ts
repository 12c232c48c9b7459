import type { Selectable } from 'kysely'
import type { ExperimentQueries, StoredTask } from '../experiments.ts'
import type { Reading } from '../reading.ts'
import { executionStatus } from '../events.ts'
import type { ExperimentTables } from '../steps/experiment-tables.ts'

export async function experiment(
  reading: Reading,
  { key }: ExperimentQueries['experiment']['in'],
): Promise<ExperimentQueries['experiment']['out']> {
  const row = await reading.db
    .selectFrom('experiments')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where((eb) => eb.or([eb('slug', '=', key), eb('id', '=', key)]))
    .orderBy((eb) => eb.case().when('id', '=', key).then(0).else(1).end())
    .limit(1)
    .executeTakeFirst()
  if (!row) return null
  const { id, slug, metadata, created_at, updated_at } = row
  return { id, slug, metadata, createdAt: created_at, updatedAt: updated_at }
}

export async function experimentRun(
  reading: Reading,
  { id }: ExperimentQueries['experimentRun']['in'],
): Promise<ExperimentQueries['experimentRun']['out']> {
  const row = await reading.db
    .selectFrom('experiment_runs')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return null
  return {
    id: row.id,
    experimentId: row.experiment_id,
    datasetId: row.dataset_id,
    datasetVersion: row.dataset_version,
    evaluators: JSON.parse(row.evaluators) as string[],
    metadata: row.metadata,
    createdAt: row.created_at,
  }
}

export async function task(
  reading: Reading,
  { id }: ExperimentQueries['task']['in'],
): Promise<ExperimentQueries['task']['out']> {
  const row = await reading.db
    .selectFrom('tasks')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row ? toTask(row) : null
}

export async function tasks(
  reading: Reading,
  query: ExperimentQueries['tasks']['in'],
): Promise<ExperimentQueries['tasks']['out']> {
  let page = reading.db
    .selectFrom('tasks')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where('run_id', '=', query.runId)
    .orderBy('ref')
    .limit(query.limit)
  if (query.after !== null) {
    const { projectId } = reading
    const { after } = query
    page = page.where('ref', '>', (eb) =>
      eb
        .selectFrom('tasks as last')
        .select('last.ref')
        .where('last.project_id', '=', projectId)
        .where('last.id', '=', after),
    )
  }
  const found = await page.execute()
  if (found.length === 0) return []
  const executions = await reading.db
    .selectFrom('executions')
    .select(['id', 'task_id', 'evaluator', 'status', 'score', 'error'])
    .where('project_id', '=', reading.projectId)
    .where(
      'task_id',
      'in',
      found.map((task) => task.id),
    )
    .orderBy('ref')
    .execute()
  const byTask = Map.groupBy(executions, (execution) => execution.task_id)
  return found.map((row) => ({
    task: toTask(row),
    executions: (byTask.get(row.id) ?? []).map((execution) => ({
      id: execution.id,
      evaluator: execution.evaluator,
      status: executionStatus(execution.status),
      score: execution.score,
      error: execution.error,
    })),
  }))
}

function toTask(row: Selectable<ExperimentTables['tasks']>): StoredTask {
  const { id, run_id, input, output, error, created_at } = row
  return { id, runId: run_id, input, output, error, createdAt: created_at }
}

export async function annotations(
  reading: Reading,
  query: ExperimentQueries['annotations']['in'],
): Promise<ExperimentQueries['annotations']['out']> {
  let found = reading.db
    .selectFrom('annotations')
    .select(['id', 'entity', 'data', 'at'])
    .where('project_id', '=', reading.projectId)
    .where('task', '=', query.task)
    .orderBy('ref', 'desc')
    .limit(query.limit)
  if (query.entity !== null) found = found.where('entity', '=', query.entity)
  return found.execute()
}
