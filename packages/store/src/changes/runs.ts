import { limits, type RunStatus } from '@llm-eval/protocol'
import { runStatusNumber, runStopNumber } from '../run-events.ts'
import { type RunRow, searchable } from '../run-rows.ts'
import { emptyTotals } from '../run-totals.ts'
import { type NewRun, type RunChanges, runWorkers } from '../runs.ts'
import type { Transaction } from '../transaction.ts'
import { begun, changeRun, ended, findRun, readRun, statusOf, tellOf } from './run-state.ts'

/** Makes a run, queued or running. */
export async function createRun(
  tx: Transaction,
  { run, owner, at, leaseMs }: RunChanges['createRun']['in'],
): Promise<RunChanges['createRun']['out']> {
  const known = await findRun(tx, run.id)
  if (!('result' in known)) {
    if (known.hash !== run.hash) return { result: 'conflict' }
    return { result: 'exists', run: await readRun(tx, known.ref) }
  }
  if (known.result === 'deleted') return { result: 'deleted' }
  const { count } = await tx.db
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('project_id', '=', tx.projectId)
    .where('id', 'is not', null)
    .executeTakeFirstOrThrow()
  if (count >= limits.runs) return { result: 'too_many' }
  const row = await insertRun(tx, run, { owner, at, leaseMs })
  tellOf(tx, row, { event: 'run_created', at })
  return { result: 'created', run: await readRun(tx, row.ref) }
}

async function insertRun(
  tx: Transaction,
  run: NewRun,
  { owner, at, leaseMs }: { owner: string | null; at: number; leaseMs: number },
): Promise<RunRow> {
  const working = owner === null ? null : at
  const row = await tx.db
    .insertInto('runs')
    .values({
      project_id: tx.projectId,
      id: run.id,
      hash: run.hash,
      name: run.name,
      status: runStatusNumber(owner === null ? 'queued' : 'running'),
      stopped_by: null,
      worker: runWorkers.indexOf(run.worker),
      owner,
      lease_until: leaseOf(run.worker, { owner, at, leaseMs }),
      attempt: owner === null ? 0 : 1,
      dataset_id: run.datasetId,
      dataset_name: run.datasetName,
      dataset_version: run.datasetVersion,
      model_name: run.modelName,
      model_version: run.modelVersion,
      task_type: run.taskType,
      environment: run.environment,
      created_by: run.createdBy,
      created_at: at,
      updated_at: at,
      started_at: working,
      began_at: working,
      heard_at: working,
      ended_at: null,
      total: run.total,
      totals: JSON.stringify(emptyTotals(run.metricNames.length)),
      error: null,
      approval: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const { description, task, settings, config, metrics, metadata } = run
  await tx.db
    .insertInto('run_texts')
    .values({
      ref: row.ref,
      description,
      task,
      settings,
      config,
      metrics,
      metadata,
      metric_names: JSON.stringify(run.metricNames),
      tags: JSON.stringify(run.tags),
      searched: searchable(run.name, description),
    })
    .execute()
  return { ...row, id: run.id }
}

/** Until when a run is somebody's. The server may take a run that nobody holds at once; a client has some time to come. */
function leaseOf(
  worker: NewRun['worker'],
  { owner, at, leaseMs }: { owner: string | null; at: number; leaseMs: number },
): number {
  return owner === null && worker === 'server' ? 0 : at + leaseMs
}

/** Changes what a run is called, and what people decided about it. */
export async function updateRun(
  tx: Transaction,
  { id, set, at }: RunChanges['updateRun']['in'],
): Promise<RunChanges['updateRun']['out']> {
  const row = await findRun(tx, id)
  if ('result' in row) return row
  if (set.approval && row.status < runStatusNumber('completed')) return { result: 'not_over' }
  const texts = await tx.db.selectFrom('run_texts').select('description').where('ref', '=', row.ref).executeTakeFirst()
  const description = set.description === undefined ? (texts?.description ?? null) : set.description
  await tx.db
    .updateTable('run_texts')
    .set({
      description,
      searched: searchable(set.name ?? row.name, description),
      ...(set.tags === undefined ? {} : { tags: JSON.stringify(set.tags) }),
      ...(set.metadata === undefined ? {} : { metadata: set.metadata }),
    })
    .where('ref', '=', row.ref)
    .execute()
  const own = {
    ...(set.name === undefined ? {} : { name: set.name }),
    ...(set.modelName === undefined ? {} : { model_name: set.modelName }),
    ...(set.modelVersion === undefined ? {} : { model_version: set.modelVersion }),
    ...(set.taskType === undefined ? {} : { task_type: set.taskType }),
    ...(set.environment === undefined ? {} : { environment: set.environment }),
    ...(set.total === undefined ? {} : { total: set.total }),
    ...(set.approval === undefined ? {} : { approval: set.approval && JSON.stringify(set.approval) }),
  }
  await changeRun(tx, row, { set: own, at, event: 'run_updated' })
  return { result: 'ok', run: await readRun(tx, row.ref) }
}

/** Whether a run can still be ended: it is not over, or was only given up. */
function canEnd(status: RunStatus): boolean {
  return status === 'queued' || status === 'running' || status === 'abandoned'
}

/** Ends a run as its worker says. */
export async function endRun(
  tx: Transaction,
  { id, owner, status, stoppedBy, error, total, at }: RunChanges['endRun']['in'],
): Promise<RunChanges['endRun']['out']> {
  const row = await findRun(tx, id)
  if ('result' in row) return row
  const now = statusOf(row)
  if (!canEnd(now)) return { result: 'over', status: now }
  if (row.owner !== null && row.owner !== owner) return { result: 'held' }
  const set = {
    ...ended(row, at),
    status: runStatusNumber(status),
    stopped_by: runStopNumber(stoppedBy),
    error: error && JSON.stringify(error),
    ...(total === undefined ? {} : { total }),
  }
  await changeRun(tx, row, { set, at, event: 'run_ended' })
  return { result: 'ok', run: await readRun(tx, row.ref) }
}

/** Ends a run as somebody wishes. */
export async function cancelRun(
  tx: Transaction,
  { id, at }: RunChanges['cancelRun']['in'],
): Promise<RunChanges['cancelRun']['out']> {
  const row = await findRun(tx, id)
  if ('result' in row) return row
  const now = statusOf(row)
  if (!canEnd(now)) return { result: 'over', status: now }
  const set = { ...ended(row, at), status: runStatusNumber('cancelled'), stopped_by: runStopNumber('cancelled') }
  await changeRun(tx, row, { set, at, event: 'run_ended' })
  return { result: 'ok', run: await readRun(tx, row.ref) }
}

/** Goes on with a run that is over; a client's also when its worker of before may still be there. */
export async function resumeRun(
  tx: Transaction,
  { id, owner, at, leaseMs }: RunChanges['resumeRun']['in'],
): Promise<RunChanges['resumeRun']['out']> {
  const row = await findRun(tx, id)
  if ('result' in row) return row
  const now = statusOf(row)
  const worker = runWorkers[row.worker] ?? 'server'
  const goesOn = now === 'queued' || now === 'running'
  if (goesOn && (worker === 'server' || owner === null)) return { result: 'held' }
  const fresh = { approval: null, stopped_by: null, error: null, ended_at: null }
  const set =
    owner === null
      ? {
          ...fresh,
          status: runStatusNumber('queued'),
          owner,
          attempt: 0,
          lease_until: leaseOf(worker, { owner, at, leaseMs }),
        }
      : { ...fresh, ...begun(row, { owner, at, leaseMs }), attempt: goesOn ? row.attempt + 1 : 1 }
  await changeRun(tx, row, { set, at, event: 'run_updated' })
  return { result: 'ok', run: await readRun(tx, row.ref) }
}
