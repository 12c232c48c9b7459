import { conversationEventKinds, limits } from '@llm-eval/protocol'
import {
  type ConversationRow,
  encodeConversation,
  type Folded,
  fold,
  hasRoom,
  nothingYet,
  originRow,
  wordsIn,
} from '../conversation-rows.ts'
import type {
  ConversationChanges,
  ConversationHold,
  ConversationOrigin,
  NewConversationEvent,
} from '../conversations.ts'
import { insertMany } from '../inserting.ts'
import { sql } from '#kysely'
import { joinRecords, plain, records } from '../records.ts'
import { isBuried } from '../tombstones.ts'
import type { Transaction } from '../transaction.ts'

// Changes of threads take turns (see `postgres/writer.ts`), so that places are given without gaps.

type Append = ConversationChanges['appendConversation']

/** Stores events of a thread, and makes it with its first ones. */
export async function appendConversation(
  tx: Transaction,
  { origin, events, at, hold }: Append['in'],
): Promise<Append['out']> {
  const given = events.map(storable)
  const row = await findConversation(tx, origin.threadId)
  if (!row && (await isBuried(tx, 'conversation_tombstones', origin.threadId))) return { result: 'deleted' }
  const refused = hold && refusal(row, { hold, at })
  if (refused) return { result: refused }
  const fresh = await withoutKnown(tx, row?.ref ?? null, given)
  const duplicates = events.length - fresh.length
  if (fresh.length === 0) return { result: 'ok', created: false, first: null, last: row?.events ?? 0, duplicates }
  if (!hasRoom(row?.events ?? 0, fresh.length)) return { result: 'full' }
  if (!row && !(await countIn(tx, 1))) return { result: 'too_many' }
  const before = row?.events ?? 0
  const folded = fold(row ?? nothingYet(at), fresh, at)
  const set = { ...folded, ...holdOf(row, hold) }
  const ref = row ? await updateConversation(tx, row, set) : await insertConversation(tx, origin, set)
  await insertEvents(tx, { ref, after: before }, fresh)
  const data = encodeConversation({ ...folded, ref }, fresh.length)
  tx.ledger.emit('conversation_changed', { at, ref: null, data })
  return { result: 'ok', created: !row, first: before + 1, last: folded.events, duplicates }
}

/** Why one may not store what comes with a right. */
function refusal(
  row: ConversationRow | undefined,
  { hold, at }: { hold: ConversationHold; at: number },
): 'held' | 'stale' | undefined {
  const isOwn = row?.held_by === hold.owner
  if (hold.kind !== 'take') return isOwn ? undefined : 'held'
  if (row && row.held_by !== null && !isOwn && row.held_until > at) return 'held'
  return (row?.events ?? 0) === hold.last ? undefined : 'stale'
}

type Held = Pick<ConversationRow, 'held_by' | 'held_until'>

/** Who has the right after an append that was not refused. */
function holdOf(row: ConversationRow | undefined, hold: Append['in']['hold']): Held {
  if (hold?.kind === 'take') return { held_by: hold.owner, held_until: hold.until }
  if (row === undefined || hold?.kind === 'release') return { held_by: null, held_until: 0 }
  const until = hold === undefined ? row.held_until : Math.max(row.held_until, hold.until)
  return { held_by: row.held_by, held_until: until }
}

/** Keeps the right to threads, as far as it was not lost. */
export async function holdConversations(
  tx: Transaction,
  { threadIds, owner, until }: ConversationChanges['holdConversations']['in'],
): Promise<ConversationChanges['holdConversations']['out']> {
  if (threadIds.length === 0) return { held: [] }
  const held = await tx.db
    .updateTable('conversations')
    .set({ held_until: until })
    .where('project_id', '=', tx.projectId)
    .where('thread_id', 'in', threadIds)
    .where('held_by', '=', owner)
    .returning('thread_id')
    .execute()
  return { held: held.flatMap((row) => row.thread_id ?? []) }
}

/** Agents may name requests and events anything; databases take no NUL and no half characters. */
function storable(event: NewConversationEvent): NewConversationEvent {
  const { adds, eventId, invocationId, runId } = event
  const turn = adds.turn && { key: plainId(adds.turn.key) }
  return {
    ...event,
    eventId: plainId(eventId),
    invocationId: plainId(invocationId),
    runId: plainId(runId),
    adds: { ...adds, turn },
  }
}

function plainId(id: string | null): string | null {
  return id === null ? null : String(plain(id))
}

async function findConversation(tx: Transaction, threadId: string): Promise<ConversationRow | undefined> {
  return tx.db
    .selectFrom('conversations')
    .selectAll()
    .where('project_id', '=', tx.projectId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst()
}

/**
 * Those that the thread has not, each id once. Agents of ADK that count their events anew in each request use ids again: such an
 * event is another one, and is stored under its id and that of its request. What others tell may come again with any request.
 */
async function withoutKnown(
  tx: Transaction,
  ref: number | null,
  events: readonly NewConversationEvent[],
): Promise<NewConversationEvent[]> {
  const ids = [...new Set(events.flatMap((event) => (event.eventId === null ? [] : [event.eventId, idInRun(event)])))]
  const known = ref === null || ids.length === 0 ? new Map<string, string | null>() : await knownIds(tx, ref, ids)
  return events.flatMap((event) => {
    const { eventId, runId } = event
    if (eventId === null) return [event]
    const holder = known.get(eventId)
    const id = typeof holder === 'string' && holder !== runId ? idInRun(event) : eventId
    if (known.has(id)) return []
    known.set(id, runId)
    return [{ ...event, eventId: id }]
  })
}

function idInRun({ eventId, kind, runId }: NewConversationEvent): string {
  return kind === 'adk_event' && runId !== null ? `${eventId}@${runId}` : `${eventId}`
}

/** The requests of those ids that the thread has. */
async function knownIds(tx: Transaction, ref: number, ids: readonly string[]): Promise<Map<string, string | null>> {
  const wanted = records(
    tx.dialect,
    { id: 'text' },
    ids.map((id) => ({ id })),
  )
  const { rows } = await sql<{ event_id: string; run_id: string | null }>`
    SELECT e.event_id, e.run_id FROM ${wanted} AS w
    ${joinRecords(tx.dialect)} conversation_events AS e ON e.conversation_ref = ${ref} AND e.event_id = w.id`.execute(
    tx.db,
  )
  return new Map(rows.map((row) => [row.event_id, row.run_id]))
}

/** Counts threads in or out; false where there may be no more. */
async function countIn(tx: Transaction, more: number): Promise<boolean> {
  const row = await tx.db
    .insertInto('conversation_counts')
    .values({ project_id: tx.projectId, conversations: more })
    .onConflict((conflict) =>
      conflict
        .column('project_id')
        .doUpdateSet((eb) => ({ conversations: eb('conversation_counts.conversations', '+', more) }))
        .where('conversation_counts.conversations', '<=', limits.conversations - more),
    )
    .returning('conversations')
    .executeTakeFirst()
  return row !== undefined
}

async function insertConversation(tx: Transaction, origin: ConversationOrigin, folded: Folded & Held): Promise<number> {
  const row = await tx.db
    .insertInto('conversations')
    .values({ project_id: tx.projectId, ...originRow(origin), words_of: await wordsOf(tx, origin), ...folded })
    .returning('ref')
    .executeTakeFirstOrThrow()
  return row.ref
}

/** Of a replay the user who first said what it says again. */
async function wordsOf(tx: Transaction, { replayOf, wordsOf: known }: ConversationOrigin): Promise<string | null> {
  if (replayOf === null) return null
  if (typeof known === 'string') return known
  const original = await findConversation(tx, replayOf)
  return original ? wordsIn(original) : null
}

async function updateConversation(tx: Transaction, { ref }: ConversationRow, folded: Folded & Held): Promise<number> {
  const set = {
    title: folded.title,
    searched: folded.searched,
    state: folded.state,
    open_run: folded.open_run,
    turn_key: folded.turn_key,
    error: folded.error,
    started_at: folded.started_at,
    updated_at: folded.updated_at,
    heard_at: folded.heard_at,
    events: folded.events,
    bytes: folded.bytes,
    turns: folded.turns,
    tool_calls: folded.tool_calls,
    input_tokens: folded.input_tokens,
    output_tokens: folded.output_tokens,
    thoughts_tokens: folded.thoughts_tokens,
    cached_tokens: folded.cached_tokens,
    total_tokens: folded.total_tokens,
    agents: folded.agents,
    models: folded.models,
    held_by: folded.held_by,
    held_until: folded.held_until,
  }
  await tx.db.updateTable('conversations').set(set).where('ref', '=', ref).execute()
  return ref
}

const eventColumns = [
  'conversation_ref',
  'seq',
  'at',
  'kind',
  'run_id',
  'invocation_id',
  'event_id',
  'thinking',
  'bytes',
  'payload',
] as const

async function insertEvents(
  tx: Transaction,
  { ref, after }: { ref: number; after: number },
  events: readonly NewConversationEvent[],
): Promise<void> {
  const rows = events.map((event, i) => [
    ref,
    after + 1 + i,
    event.at,
    conversationEventKinds.indexOf(event.kind),
    event.runId,
    event.invocationId,
    event.eventId,
    event.adds.thinking && JSON.stringify(event.adds.thinking),
    Buffer.byteLength(event.payload),
    event.payload,
  ])
  await insertMany(tx, { table: 'conversation_events', columns: eventColumns }, rows)
}
