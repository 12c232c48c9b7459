import type { Changes } from '../store.ts'
import type { Transaction } from '../transaction.ts'

// Durable jobs are rows: taken for a time, given back or finished; who lets the time run out loses the job to the next.

export async function enqueueJob(
  tx: Transaction,
  change: Changes['enqueueJob']['in'],
): Promise<Changes['enqueueJob']['out']> {
  const { queue, runAt, maxAttempts } = change
  const row = {
    project_id: tx.projectId,
    queue,
    payload: JSON.stringify(change.payload),
    run_at: runAt,
    max_attempts: maxAttempts,
  }
  const { id } = await tx.db
    .insertInto('jobs')
    .values({ ...row, attempts: 0, lease_until: 0, failed: 0 })
    .returning('id')
    .executeTakeFirstOrThrow()
  return { id }
}

/** Takes due jobs, oldest first. A job whose holder died on its last attempt is marked failed instead of being tried for ever. */
export async function leaseJobs(
  tx: Transaction,
  change: Changes['leaseJobs']['in'],
): Promise<Changes['leaseJobs']['out']> {
  await tx.db
    .updateTable('jobs')
    .set({ failed: 1, owner: null, error: 'its last attempt never came back' })
    .where('project_id', '=', tx.projectId)
    .where('queue', '=', change.queue)
    .where('failed', '=', 0)
    .where('lease_until', '<=', change.at)
    .whereRef('attempts', '>=', 'max_attempts')
    .execute()
  let due = tx.db
    .selectFrom('jobs')
    .select('id')
    .where('project_id', '=', tx.projectId)
    .where('queue', '=', change.queue)
    .where('failed', '=', 0)
    .where('run_at', '<=', change.at)
    .where('lease_until', '<=', change.at)
    .orderBy('run_at')
    .orderBy('id')
    .limit(change.limit)
  if (tx.dialect === 'postgres') due = due.forUpdate().skipLocked()
  const ids = (await due.execute()).map((row) => row.id)
  if (ids.length === 0) return { jobs: [] }
  const taken = await tx.db
    .updateTable('jobs')
    .set(({ eb }) => ({
      owner: change.owner,
      lease_until: change.at + change.leaseMs,
      attempts: eb('attempts', '+', 1),
    }))
    .where('id', 'in', ids)
    .returning(['id', 'queue', 'payload', 'attempts'])
    .execute()
  const byId = new Map(taken.map((row) => [row.id, row]))
  const jobs = ids.flatMap((id) => {
    const row = byId.get(id)
    return row ? [{ id, queue: row.queue, payload: JSON.parse(row.payload) as unknown, attempt: row.attempts }] : []
  })
  return { jobs }
}

export async function extendJob(
  tx: Transaction,
  change: Changes['extendJob']['in'],
): Promise<Changes['extendJob']['out']> {
  const done = await tx.db
    .updateTable('jobs')
    .set({ lease_until: change.at + change.leaseMs })
    .where('project_id', '=', tx.projectId)
    .where('id', '=', change.id)
    .where('owner', '=', change.owner)
    .executeTakeFirst()
  return { held: done.numUpdatedRows === 1n }
}

export async function completeJob(
  tx: Transaction,
  change: Changes['completeJob']['in'],
): Promise<Changes['completeJob']['out']> {
  const done = await tx.db
    .deleteFrom('jobs')
    .where('project_id', '=', tx.projectId)
    .where('id', '=', change.id)
    .where('owner', '=', change.owner)
    .executeTakeFirst()
  return { held: done.numDeletedRows === 1n }
}

export async function failJob(tx: Transaction, change: Changes['failJob']['in']): Promise<Changes['failJob']['out']> {
  const job = await tx.db
    .selectFrom('jobs')
    .select(['attempts', 'max_attempts'])
    .where('project_id', '=', tx.projectId)
    .where('id', '=', change.id)
    .where('owner', '=', change.owner)
    .executeTakeFirst()
  if (!job) return { held: false, final: false }
  const final = job.attempts >= job.max_attempts
  await tx.db
    .updateTable('jobs')
    .set({ owner: null, lease_until: 0, run_at: change.runAt, error: change.error, failed: final ? 1 : 0 })
    .where('id', '=', change.id)
    .execute()
  return { held: true, final }
}
