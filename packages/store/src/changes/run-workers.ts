import { runStatusNumber } from '../run-events.ts'
import { isOpenRun, type RunRow, selectRuns, toStoredRun } from '../run-rows.ts'
import type { RunChanges, RunWorker } from '../runs.ts'
import { runWorkers } from '../runs.ts'
import type { Transaction } from '../transaction.ts'
import { begun, changeRun, ended, findRun, readRun, statusOf, workedUntil } from './run-state.ts'

// Runs are held for a time by whoever works on them. Those of the server are taken by the next process; those of clients
// are given up, for nobody else can do their work.

/** Takes one run. */
export async function startRun(
  tx: Transaction,
  { id, owner, at, leaseMs }: RunChanges['startRun']['in'],
): Promise<RunChanges['startRun']['out']> {
  const row = await findRun(tx, id)
  if ('result' in row) return row
  const status = statusOf(row)
  if (status !== 'queued' && status !== 'running') return { result: 'over', status }
  if (row.owner !== null && row.owner !== owner && row.lease_until > at) return { result: 'held' }
  const set = { ...begun(row, { owner, at, leaseMs }), attempt: row.attempt + 1 }
  await changeRun(tx, row, { set, at, event: 'run_updated' })
  return { result: 'ok', run: await readRun(tx, row.ref) }
}

/** Runs of one kind of worker that nobody holds any more. */
async function freeRuns(
  tx: Transaction,
  { worker, at, limit }: { worker: RunWorker; at: number; limit: number },
): Promise<RunRow[]> {
  const rows = await tx.db
    .selectFrom('runs')
    .selectAll()
    .where('project_id', '=', tx.projectId)
    .where(isOpenRun)
    .where('lease_until', '<=', at)
    .where('worker', '=', runWorkers.indexOf(worker))
    .orderBy('lease_until')
    .orderBy('ref')
    .limit(limit)
    .execute()
  return rows.flatMap((row) => (row.id === null ? [] : { ...row, id: row.id }))
}

/** Takes runs of the server that nobody holds. One whose last attempt never came back ends as failed. */
export async function takeRuns(
  tx: Transaction,
  { owner, at, leaseMs, limit, maxAttempts }: RunChanges['takeRuns']['in'],
): Promise<RunChanges['takeRuns']['out']> {
  const free = await freeRuns(tx, { worker: 'server', at, limit })
  const refs: number[] = []
  for (const row of free) {
    if (row.attempt >= maxAttempts) {
      const message = `It was interrupted ${maxAttempts} times, and is not tried again.`
      const error = JSON.stringify({ code: 'interrupted', message })
      const set = { ...ended(row, at), status: runStatusNumber('failed'), error }
      await changeRun(tx, row, { set, at, event: 'run_ended' })
      continue
    }
    const set = { ...begun(row, { owner, at, leaseMs }), attempt: row.attempt + 1 }
    await changeRun(tx, row, { set, at, event: 'run_updated' })
    refs.push(row.ref)
  }
  if (refs.length === 0) return { runs: [], abandoned: free.length }
  const rows = await selectRuns(tx.db).where('runs.ref', 'in', refs).orderBy('runs.ref').execute()
  return { runs: rows.map(toStoredRun), abandoned: free.length - refs.length }
}

/** Keeps what somebody works on, named one by one. */
export async function holdRuns(
  tx: Transaction,
  { refs, owner, at, leaseMs }: RunChanges['holdRuns']['in'],
): Promise<RunChanges['holdRuns']['out']> {
  if (refs.length === 0) return { held: [] }
  const held = await tx.db
    .updateTable('runs')
    .set({ lease_until: at + leaseMs, heard_at: at })
    .where('project_id', '=', tx.projectId)
    .where('ref', 'in', refs)
    .where('owner', '=', owner)
    .where(isOpenRun)
    .returning('ref')
    .execute()
  return { held: held.map(({ ref }) => ref).toSorted((a, b) => a - b) }
}

/** Lets go of everything that somebody works on. */
export async function releaseRuns(
  tx: Transaction,
  { owner, after, at }: RunChanges['releaseRuns']['in'],
): Promise<RunChanges['releaseRuns']['out']> {
  const rows = await tx.db
    .selectFrom('runs')
    .selectAll()
    .where('project_id', '=', tx.projectId)
    .where('owner', '=', owner)
    .where(isOpenRun)
    .execute()
  for (const row of rows)
    await tx.db
      .updateTable('runs')
      .set({
        owner: null,
        lease_until: 0,
        began_at: null,
        worked_ms: workedUntil({ ...row, id: row.id ?? '' }, at),
        // An attempt that was called off is none of those that a run has; only that it was begun at all is kept.
        attempt: after === 'stop' && row.attempt > 1 ? row.attempt - 1 : row.attempt,
      })
      .where('ref', '=', row.ref)
      .execute()
  return { released: rows.length }
}

/** Gives up what clients were to do, and are not heard of. */
export async function abandonRuns(
  tx: Transaction,
  { at, limit }: RunChanges['abandonRuns']['in'],
): Promise<RunChanges['abandonRuns']['out']> {
  const lost = await freeRuns(tx, { worker: 'client', at, limit })
  for (const row of lost) {
    const set = { ...ended(row, at), status: runStatusNumber('abandoned') }
    await changeRun(tx, row, { set, at, event: 'run_ended' })
  }
  return { refs: lost.map(({ ref }) => ref) }
}
