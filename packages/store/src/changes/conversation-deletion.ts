import { encodeConversation } from '../conversation-rows.ts'
import type { ConversationChanges } from '../conversations.ts'
import { eraseRows } from './dataset-rows.ts'
import { bury } from '../tombstones.ts'
import type { Transaction } from '../transaction.ts'

const doomedColumns = ['ref', 'thread_id', 'events', 'state', 'words_of'] as const

interface DoomedConversation {
  ref: number
  thread_id: string | null
  events: number
  state: number
  words_of: string | null
}

/** Takes a thread out of sight at once, with a tombstone, and removes its events step by step. */
export async function deleteConversation(
  tx: Transaction,
  { threadId, at, limit }: ConversationChanges['deleteConversation']['in'],
): Promise<ConversationChanges['deleteConversation']['out']> {
  const row = await inSight(tx).where('thread_id', '=', threadId).executeTakeFirst()
  if (row) {
    await buryConversations(tx, [row], at)
    await doom(tx, [row], at)
  }
  const { more } = await removeDoomedConversations(tx, limit)
  return { found: row !== undefined, more }
}

/**
 * Takes up to `limit` threads out of sight, with tombstones, in which words of a user stand: their own, and those in which these
 * were said again under the name of somebody else.
 */
export async function eraseConversations(
  tx: Transaction,
  of: { userId: string; limit: number },
  at: number,
): Promise<{ deleted: number; more: boolean }> {
  const rows = await withWordsOf(tx, of)
  const found = await findReplays(tx, rows, of)
  // Those that are left could not be found when the threads are gone that they name.
  if (found === of.limit) return { deleted: 0, more: true }
  await buryConversations(tx, rows, at)
  await doom(tx, rows, at)
  return { deleted: rows.length, more: found > 0 || rows.length === of.limit }
}

async function withWordsOf(
  tx: Transaction,
  { userId, limit }: { userId: string; limit: number },
): Promise<DoomedConversation[]> {
  const own = await oldest(tx, limit).where('user_id', '=', userId).execute()
  if (own.length === limit) return own
  const replays = oldest(tx, limit - own.length).where('words_of', '=', userId)
  return [...own, ...(await replays.where('user_id', '!=', userId).execute())]
}

/** Replays that were told before what they say again: from then on they are known to hold words of the user. Returns how many. */
async function findReplays(
  tx: Transaction,
  rows: readonly DoomedConversation[],
  { userId, limit }: { userId: string; limit: number },
): Promise<number> {
  const ids = rows.flatMap(({ thread_id: id, words_of: by }) => (id !== null && (by ?? userId) === userId ? [id] : []))
  if (ids.length === 0) return 0
  const found = await inSight(tx).where('replay_of', 'in', ids).where('words_of', 'is', null).limit(limit).execute()
  if (found.length === 0) return 0
  const refs = found.map(({ ref }) => ref)
  await tx.db.updateTable('conversations').set({ words_of: userId }).where('ref', 'in', refs).execute()
  return found.length
}

/** Takes the threads out of sight in which nothing happened since a time, and removes their events step by step; their ids can be used again. */
export async function expireConversations(
  tx: Transaction,
  { before, at, limit }: ConversationChanges['expireConversations']['in'],
): Promise<ConversationChanges['expireConversations']['out']> {
  const rows = await oldest(tx, limit).where('updated_at', '<', before).execute()
  await doom(tx, rows, at)
  const { more } = await removeDoomedConversations(tx, limit)
  return { deleted: rows.length, more: more || rows.length === limit }
}

/** Threads that are in sight, the one in which nothing happened for longest first. */
function oldest(tx: Transaction, limit: number) {
  return inSight(tx).orderBy('updated_at').orderBy('ref').limit(limit)
}

/** Held, so that nobody makes rows of datasets of them meanwhile. */
function inSight(tx: Transaction) {
  const find = tx.db
    .selectFrom('conversations')
    .select(doomedColumns)
    .where('project_id', '=', tx.projectId)
    .where('thread_id', 'is not', null)
  return tx.dialect === 'postgres' ? find.forUpdate() : find
}

async function buryConversations(tx: Transaction, rows: readonly DoomedConversation[], at: number): Promise<void> {
  await bury(tx, 'conversation_tombstones', { ids: rows.flatMap(({ thread_id: id }) => id ?? []), at })
  await eraseRows(tx, { conversations: rows.map(({ ref }) => ref) })
}

/** What is left of the rows is their refs, by which their events are found and told apart in the journal. */
async function doom(tx: Transaction, rows: readonly DoomedConversation[], at: number): Promise<void> {
  if (rows.length === 0) return
  const nothing = {
    thread_id: null,
    target: null,
    app_name: '',
    user_id: '',
    title: '',
    searched: '',
    open_run: null,
    turn_key: null,
    error: null,
    agents: '[]',
    models: '[]',
    replay_of: null,
    words_of: null,
    held_by: null,
    held_until: 0,
  }
  const refs = rows.map(({ ref }) => ref)
  await tx.db.updateTable('conversations').set(nothing).where('ref', 'in', refs).execute()
  await tx.db
    .updateTable('conversation_counts')
    .set((eb) => ({ conversations: eb('conversations', '-', rows.length) }))
    .where('project_id', '=', tx.projectId)
    .execute()
  for (const row of rows) tx.ledger.emit('conversation_deleted', { at, ref: null, data: encodeConversation(row, 0) })
}

/** Removes up to `limit` events of threads that were deleted. */
export async function removeDoomedConversations(tx: Transaction, limit: number): Promise<{ more: boolean }> {
  for (let left = limit; left > 0; ) {
    const doomed = await tx.db
      .selectFrom('conversations')
      .select(['ref', 'events'])
      .where('project_id', '=', tx.projectId)
      .where('thread_id', 'is', null)
      .orderBy('ref')
      .limit(1)
      .executeTakeFirst()
    if (!doomed) return { more: false }
    // Places have no gaps: those from the end on are so many.
    const from = Math.max(0, doomed.events - left)
    await tx.db
      .deleteFrom('conversation_events')
      .where('conversation_ref', '=', doomed.ref)
      .where('seq', '>', from)
      .execute()
    left -= Math.max(1, doomed.events - from)
    if (from === 0) await tx.db.deleteFrom('conversations').where('ref', '=', doomed.ref).execute()
    else await tx.db.updateTable('conversations').set({ events: from }).where('ref', '=', doomed.ref).execute()
  }
  return { more: true }
}
