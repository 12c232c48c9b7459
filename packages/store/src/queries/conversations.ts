import { limits } from '@llm-eval/protocol'
import type { SelectQueryBuilder } from 'kysely'
import { stateNumber, toConversation, toConversationEvent } from '../conversation-rows.ts'
import type { ConversationFilter, ConversationQueries } from '../conversations.ts'
import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { joinRecords, records } from '../records.ts'
import { searchable } from '../run-rows.ts'
import type { Tables } from '../tables.ts'
import { isBuried } from '../tombstones.ts'
import { contains } from './runs.ts'

/** Threads that one page looks at, where what is looked for is in no index. */
const looked = 20_000

interface Place {
  updatedAt: number
  ref: number
}

type Threads<Row> = SelectQueryBuilder<Tables, 'conversations', Row>

/** A page of the threads of a project. */
export async function conversations(
  reading: Reading,
  { filter, limit, cursor, silentBefore }: ConversationQueries['conversations']['in'],
): Promise<ConversationQueries['conversations']['out']> {
  const after = cursor === null ? undefined : decodeCursor(cursor)
  if (cursor !== null && !after) return { invalidCursor: true }
  // Refs and times alone: what stands in an index.
  const ordered = inOrder(indexed(reading, filter), after)
  const end = isIndexed(filter)
    ? undefined
    : await ordered
        .select(['updated_at', 'ref'])
        .offset(looked - 1)
        .limit(1)
        .executeTakeFirst()
  let page = check(reading, ordered, { filter, silentBefore })
    .selectAll()
    .limit(limit + 1)
  if (end) page = page.where(sql<boolean>`(updated_at, ref) >= (${end.updated_at}, ${end.ref})`)
  const rows = await page.execute()
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : end
  return { items: items.map(toConversation), nextCursor: last ? encodeCursor(last.updated_at, last.ref) : null }
}

function isIndexed({ appName, state, q, target, userId }: ConversationFilter): boolean {
  const both = target !== undefined && userId !== undefined
  return appName === undefined && state === undefined && q === undefined && !both
}

function indexed({ db, projectId }: Reading, { target, userId }: ConversationFilter): Threads<object> {
  let query = db.selectFrom('conversations').where('project_id', '=', projectId).where('thread_id', 'is not', null)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  if (target !== undefined) query = query.where('target', '=', target)
  return query
}

function inOrder<Row>(query: Threads<Row>, after: Place | undefined): Threads<Row> {
  const ordered = query.orderBy('updated_at', 'desc').orderBy('ref', 'desc')
  return after ? ordered.where(sql<boolean>`(updated_at, ref) < (${after.updatedAt}, ${after.ref})`) : ordered
}

function check<Row>(
  reading: Reading,
  threads: Threads<Row>,
  { filter: { appName, state, q }, silentBefore }: { filter: ConversationFilter; silentBefore: number },
): Threads<Row> {
  let query = threads
  if (appName !== undefined) query = query.where('app_name', '=', appName)
  if (q !== undefined) query = query.where(contains(reading, 'conversations.searched', searchable(q)))
  if (state === 'running')
    query = query.where('state', '=', stateNumber('running')).where('heard_at', '>=', silentBefore)
  else if (state === 'truncated')
    query = query.where((eb) =>
      eb.or([
        eb('state', '=', stateNumber('truncated')),
        eb.and([eb('state', '=', stateNumber('running')), eb('heard_at', '<', silentBefore)]),
      ]),
    )
  else if (state !== undefined) query = query.where('state', '=', stateNumber(state))
  return query
}

function encodeCursor(updatedAt: number, ref: number): string {
  return `${updatedAt}.${ref}`
}

function decodeCursor(text: string): Place | undefined {
  const match = /^(-?[0-9]{1,15})\.([0-9]{1,15})$/.exec(text)
  return match ? { updatedAt: Number(match[1]), ref: Number(match[2]) } : undefined
}

/** A thread in short. */
export async function conversation(
  { db, projectId }: Reading,
  { threadId }: ConversationQueries['conversation']['in'],
): Promise<ConversationQueries['conversation']['out']> {
  const row = await db
    .selectFrom('conversations')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst()
  if (row) return toConversation(row)
  const salt = await db.selectFrom('meta').select('value').where('name', '=', 'salt').executeTakeFirst()
  return (await isBuried({ db, projectId, salt: salt?.value ?? '' }, 'conversation_tombstones', threadId))
    ? 'deleted'
    : null
}

/** Those of some threads that are there. */
export async function conversationRefs(
  { db, dialect, projectId }: Reading,
  { threadIds }: ConversationQueries['conversationRefs']['in'],
): Promise<ConversationQueries['conversationRefs']['out']> {
  if (threadIds.length === 0) return []
  const wanted = records(
    dialect,
    { id: 'text' },
    threadIds.map((id) => ({ id })),
  )
  const { rows } = await sql<{ thread_id: string; ref: number }>`
    SELECT c.thread_id, c.ref FROM ${wanted} AS w
    ${joinRecords(dialect)} conversations AS c ON c.project_id = ${projectId} AND c.thread_id = w.id`.execute(db)
  return rows.map(({ thread_id: threadId, ref }) => ({ threadId, ref }))
}

/** Events after a place; sizes are looked at first, so that no more is read than is told. */
export async function conversationEvents(
  { db, projectId }: Reading,
  { ref, after, limit, bytes }: ConversationQueries['conversationEvents']['in'],
): Promise<ConversationQueries['conversationEvents']['out']> {
  const sizes = await db
    .selectFrom('conversation_events')
    .innerJoin('conversations', 'conversations.ref', 'conversation_events.conversation_ref')
    .select(['conversation_events.seq', 'conversation_events.bytes'])
    .where('conversation_events.conversation_ref', '=', ref)
    .where('conversations.project_id', '=', projectId)
    .where('conversations.thread_id', 'is not', null)
    .where('conversation_events.seq', '>', after)
    .orderBy('conversation_events.seq')
    .limit(Math.min(limit, limits.conversationEvents) + 1)
    .execute()
  let total = 0
  const end = sizes.findIndex((row, i) => i >= limit || ((total += row.bytes) > bytes && i > 0))
  const told = end < 0 ? sizes : sizes.slice(0, end)
  const last = told.at(-1)
  if (!last) return { events: [], more: false }
  const rows = await db
    .selectFrom('conversation_events')
    .select(['seq', 'at', 'kind', 'run_id', 'invocation_id', 'event_id', 'payload'])
    .where('conversation_ref', '=', ref)
    .where('seq', '>', after)
    .where('seq', '<=', last.seq)
    .orderBy('seq')
    .execute()
  return { events: rows.map(toConversationEvent), more: told.length < sizes.length }
}

/** The newest that was told of thoughts. */
export async function conversationThinking(
  { db, projectId }: Reading,
  { ref, limit }: ConversationQueries['conversationThinking']['in'],
): Promise<ConversationQueries['conversationThinking']['out']> {
  const rows = await db
    .selectFrom('conversation_events')
    .innerJoin('conversations', 'conversations.ref', 'conversation_events.conversation_ref')
    .select('conversation_events.thinking')
    .where('conversation_events.conversation_ref', '=', ref)
    .where('conversations.project_id', '=', projectId)
    .where('conversation_events.thinking', 'is not', null)
    .orderBy('conversation_events.seq', 'desc')
    .limit(limit)
    .execute()
  return rows
    .reverse()
    .map(({ thinking }) => JSON.parse(thinking ?? 'null') as ConversationQueries['conversationThinking']['out'][number])
}
