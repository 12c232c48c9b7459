import type { RunChanges } from '../runs.ts'
import { bury } from '../tombstones.ts'
import type { Transaction } from '../transaction.ts'
import { changeRun, findRun } from './run-state.ts'
import type { RunRow } from '../run-rows.ts'

/** Takes a run out of sight at once, with a tombstone, and removes its items step by step. */
export async function deleteRun(
  tx: Transaction,
  { id, at, limit }: RunChanges['deleteRun']['in'],
): Promise<RunChanges['deleteRun']['out']> {
  const row = await findRun(tx, id)
  const found = !('result' in row)
  if (found) {
    await bury(tx, 'run_tombstones', { ids: [id], at })
    await doom(tx, row, at)
  }
  const { more } = await removeDoomedRuns(tx, limit)
  return { found, more }
}

/** Takes the oldest runs out of sight that ended before a time and are not approved, and removes their items step by step; their ids can be used again. */
export async function expireRuns(
  tx: Transaction,
  { before, at, limit }: RunChanges['expireRuns']['in'],
): Promise<RunChanges['expireRuns']['out']> {
  const old = await tx.db
    .selectFrom('runs')
    .selectAll()
    .where('project_id', '=', tx.projectId)
    .where('id', 'is not', null)
    .where('ended_at', '<', before)
    // Quotes in a note are escaped, so that none can speak for the approval.
    .where((eb) => eb.or([eb('approval', 'is', null), eb('approval', 'not like', '%"state":"approved"%')]))
    .orderBy('ended_at')
    .orderBy('ref')
    .limit(limit)
    .execute()
  for (const row of old) if (row.id !== null) await doom(tx, { ...row, id: row.id }, at)
  const { more } = await removeDoomedRuns(tx, limit)
  return { deleted: old.length, more: more || old.length === limit }
}

/** What is left of the row is its ref, by which its items are found and its events are told apart. */
async function doom(tx: Transaction, row: RunRow, at: number): Promise<void> {
  const nothing = {
    hash: '',
    name: '',
    dataset_id: null,
    dataset_name: '',
    dataset_version: null,
    model_name: null,
    model_version: null,
    task_type: null,
    environment: null,
    created_by: null,
    error: null,
    approval: null,
    owner: null,
  }
  await changeRun(tx, row, { set: nothing, at, event: 'run_deleted' })
  await tx.db.updateTable('runs').set({ id: null }).where('ref', '=', row.ref).execute()
  await tx.db.deleteFrom('run_texts').where('ref', '=', row.ref).execute()
}

/** Removes up to `limit` items of runs that were deleted. */
export async function removeDoomedRuns(tx: Transaction, limit: number): Promise<{ more: boolean }> {
  let find = tx.db
    .selectFrom('runs')
    .select('ref')
    .where('project_id', '=', tx.projectId)
    .where('id', 'is', null)
    .orderBy('ref')
    .limit(1)
  // Whoever removes the same ones already will go on.
  if (tx.dialect === 'postgres') find = find.forUpdate().skipLocked()
  const doomed = await find.executeTakeFirst()
  if (!doomed) return { more: false }
  const items = await tx.db
    .selectFrom('run_items')
    .select('item_index')
    .where('run_ref', '=', doomed.ref)
    .orderBy('item_index')
    .limit(limit)
    .execute()
  const last = items.at(-1)
  if (last)
    for (const table of ['run_item_traces', 'run_bodies', 'run_items'] as const)
      await tx.db
        .deleteFrom(table)
        .where('run_ref', '=', doomed.ref)
        .where('item_index', '<=', last.item_index)
        .execute()
  if (items.length < limit) await tx.db.deleteFrom('runs').where('ref', '=', doomed.ref).execute()
  return { more: true }
}
