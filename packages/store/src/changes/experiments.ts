import type { ExperimentChanges } from '../experiments.ts'
import type { Transaction } from '../transaction.ts'

/** Makes the experiment when its slug is new, and a run of it. */
export async function startExperimentRun(
  tx: Transaction,
  change: ExperimentChanges['startExperimentRun']['in'],
): Promise<ExperimentChanges['startExperimentRun']['out']> {
  const { slug, metadata, at, run } = change
  // Of two at once that make it, the second finds that of the first.
  const experiment = await tx.db
    .insertInto('experiments')
    .values({ project_id: tx.projectId, id: change.experimentId, slug, metadata, created_at: at, updated_at: at })
    .onConflict((conflict) => conflict.columns(['project_id', 'slug']).doUpdateSet({ updated_at: at }))
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx.db
    .insertInto('experiment_runs')
    .values({
      project_id: tx.projectId,
      id: run.id,
      experiment_id: experiment.id,
      dataset_id: run.datasetId,
      dataset_version: run.datasetVersion,
      evaluators: JSON.stringify(run.evaluators),
      metadata: run.metadata,
      created_at: at,
    })
    .execute()
  return {
    experiment: {
      id: experiment.id,
      slug: experiment.slug,
      metadata: experiment.metadata,
      createdAt: experiment.created_at,
      updatedAt: experiment.updated_at,
    },
    run: { ...run, experimentId: experiment.id, createdAt: at },
  }
}

/** Stores tasks of runs that exist; nothing when one of the runs does not. */
export async function addTasks(
  tx: Transaction,
  change: ExperimentChanges['addTasks']['in'],
): Promise<ExperimentChanges['addTasks']['out']> {
  const runs = [...new Set(change.tasks.map((task) => task.runId))]
  if (runs.length === 0) return { result: 'ok' }
  const found = await tx.db
    .selectFrom('experiment_runs')
    .select('id')
    .where('project_id', '=', tx.projectId)
    .where('id', 'in', runs)
    .execute()
  if (found.length < runs.length) return { result: 'run_not_found' }
  for (const { id, runId, input, output, error } of change.tasks) {
    await tx.db
      .insertInto('tasks')
      .values({ project_id: tx.projectId, id, run_id: runId, input, output, error, created_at: change.at })
      .execute()
  }
  return { result: 'ok' }
}

/** Keeps what a person thinks of an entity of a foreign client's. */
export async function addAnnotation(
  tx: Transaction,
  change: ExperimentChanges['addAnnotation']['in'],
): Promise<ExperimentChanges['addAnnotation']['out']> {
  const { id, task, entity, data, at } = change
  await tx.db.insertInto('annotations').values({ project_id: tx.projectId, id, task, entity, data, at }).execute()
  return { stored: true }
}
