import { type Transaction, tombstone } from './transaction.ts'

/** Where it is kept which ids were deleted. */
type TombstoneTable = 'run_tombstones' | 'agent_tombstones' | 'conversation_tombstones'

/** Whether what had this id was deleted. */
export async function isBuried(
  { db, projectId, salt }: Pick<Transaction, 'db' | 'projectId' | 'salt'>,
  table: TombstoneTable,
  id: string,
): Promise<boolean> {
  const found = await db
    .selectFrom(table)
    .select('at')
    .where('project_id', '=', projectId)
    .where('id_hash', '=', tombstone(salt, id))
    .executeTakeFirst()
  return found !== undefined
}

/** Keeps ids from coming back. @param at milliseconds since 1970 */
export async function bury(
  { db, projectId, salt }: Transaction,
  table: TombstoneTable,
  { ids, at }: { ids: readonly string[]; at: number },
): Promise<void> {
  if (ids.length === 0) return
  await db
    .insertInto(table)
    .values(ids.map((id) => ({ project_id: projectId, id_hash: tombstone(salt, id), at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
