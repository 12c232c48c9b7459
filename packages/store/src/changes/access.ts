import { sql } from '#kysely'
import type { Changes } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { removeDoomed } from './datasets.ts'
import { removeDoomedConversations } from './conversation-deletion.ts'
import { removeDoomedRuns } from './run-deletion.ts'

/** Makes a key in a project of that name, which is made when it is new. */
export async function createKey(
  tx: Transaction,
  change: Changes['createKey']['in'],
): Promise<Changes['createKey']['out']> {
  const projectId = await findOrCreateProject(tx, change.project, change.at)
  const { id, name, hash, prefix, at, expiresAt } = change
  const row = {
    id,
    project_id: projectId,
    name,
    hash,
    prefix,
    scopes: JSON.stringify(change.scopes),
    created_at: at,
    expires_at: expiresAt,
  }
  const done = await tx.db
    .insertInto('keys')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return { created: done.numInsertedOrUpdatedRows === 1n }
}

async function findOrCreateProject(tx: Transaction, name: string, at: number): Promise<number> {
  const find = () => tx.db.selectFrom('projects').select('id').where('name', '=', name).executeTakeFirst()
  let found = await find()
  if (found) return found.id
  if (tx.dialect === 'postgres') {
    // One at a time, so that no two take the same number; reading goes on.
    await sql`LOCK TABLE projects IN EXCLUSIVE MODE`.execute(tx.db)
    found = await find()
    if (found) return found.id
  }
  const last = await tx.db
    .selectFrom('projects')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst()
  const id = (last?.id ?? 0) + 1
  await tx.db.insertInto('projects').values({ id, name, created_at: at }).execute()
  const zero = { seq: 0, first_seq: 1, total: 0, accepted: 0, rejected: 0, in_review: 0 }
  const sums = { latency_sum: 0, latency_count: 0, cost_sum: 0, cost_count: 0, tokens_sum: 0, tokens_count: 0 }
  await tx.db
    .insertInto('heads')
    .values({ project_id: id, ...zero, ...sums })
    .execute()
  return id
}

/** Revokes a key; its sessions and tickets end with it. From the default project any key can be revoked, else only its own. */
export async function revokeKey(
  tx: Transaction,
  change: Changes['revokeKey']['in'],
): Promise<Changes['revokeKey']['out']> {
  let update = tx.db
    .updateTable('keys')
    .set({ revoked_at: change.at })
    .where('id', '=', change.id)
    .where('revoked_at', 'is', null)
  if (tx.projectId !== 1) update = update.where('project_id', '=', tx.projectId)
  const done = await update.executeTakeFirst()
  if (done.numUpdatedRows === 0n) return { found: false }
  await tx.db.deleteFrom('tokens').where('key_id', '=', change.id).execute()
  return { found: true }
}

export async function touchKey(
  tx: Transaction,
  change: Changes['touchKey']['in'],
): Promise<Changes['touchKey']['out']> {
  const done = await tx.db
    .updateTable('keys')
    .set({ last_used_at: change.at })
    .where('id', '=', change.id)
    .executeTakeFirst()
  return { found: done.numUpdatedRows === 1n }
}

export async function createToken(
  tx: Transaction,
  change: Changes['createToken']['in'],
): Promise<Changes['createToken']['out']> {
  const { hash, tokenKind, keyId, expiresAt } = change
  await tx.db
    .insertInto('tokens')
    .values({ hash, project_id: tx.projectId, kind: tokenKind, key_id: keyId, expires_at: expiresAt })
    .execute()
  return { created: true }
}

/** Takes a single-use token away: of two callers at once, one gets it. */
export async function redeemToken(
  tx: Transaction,
  change: Changes['redeemToken']['in'],
): Promise<Changes['redeemToken']['out']> {
  const taken = await tx.db
    .deleteFrom('tokens')
    .where('hash', '=', change.hash)
    .where('kind', '=', change.tokenKind)
    .where('expires_at', '>', change.at)
    .returning('key_id')
    .executeTakeFirst()
  return taken ? { keyId: taken.key_id } : null
}

export async function deleteToken(
  tx: Transaction,
  change: Changes['deleteToken']['in'],
): Promise<Changes['deleteToken']['out']> {
  const done = await tx.db.deleteFrom('tokens').where('hash', '=', change.hash).executeTakeFirst()
  return { found: done.numDeletedRows === 1n }
}

/** Drops what has expired and would only pile up, and what deletions of datasets, runs and conversations left behind. */
export async function sweep(tx: Transaction, change: Changes['sweep']['in']): Promise<Changes['sweep']['out']> {
  const tokens = await tx.db.deleteFrom('tokens').where('expires_at', '<=', change.at).executeTakeFirst()
  const messages = await tx.db
    .deleteFrom('messages')
    .where('project_id', '=', tx.projectId)
    .where('at', '<', change.messagesBefore)
    .executeTakeFirst()
  await removeDoomed(tx, 5_000)
  await removeDoomedRuns(tx, 5_000)
  await removeDoomedConversations(tx, 1_000)
  return { dropped: Number(tokens.numDeletedRows + messages.numDeletedRows) }
}
