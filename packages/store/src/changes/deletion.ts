import { encodeDeletion, minuteOf } from '../events.ts'
import type { Changes } from '../store.ts'
import { type Transaction, tombstone } from '../transaction.ts'
import { eraseConversations, removeDoomedConversations } from './conversation-deletion.ts'
import { eraseRows } from './dataset-rows.ts'
import { deleteEvaluationsOf } from './executions.ts'
import { eraseItems } from './run-items.ts'

const columns = [
  'ref',
  'trace_id',
  'ts',
  'received_at',
  'model_id',
  'status',
  'latency_ms',
  'cost_nano',
  'tokens',
  'batch_id',
] as const

interface Doomed {
  ref: number
  trace_id: string
  ts: number
  model_id: number
  status: number
  latency_ms: number | null
  cost_nano: number | null
  tokens: number | null
}

/** Deletes one trace for good and keeps its tombstone. */
export async function deleteTrace(
  tx: Transaction,
  change: Changes['deleteTrace']['in'],
): Promise<Changes['deleteTrace']['out']> {
  let find = tx.db
    .selectFrom('traces')
    .select(columns)
    .where('project_id', '=', tx.projectId)
    .where('trace_id', '=', change.traceId)
  if (tx.dialect === 'postgres') find = find.forUpdate()
  const trace = await find.executeTakeFirst()
  if (!trace) return { found: false }
  await bury(tx, [trace], change.at)
  await remove(tx, [trace], change.at)
  return { found: true }
}

/** Deletes the next traces of a user. */
export async function eraseUser(
  tx: Transaction,
  change: Changes['eraseUser']['in'],
): Promise<Changes['eraseUser']['out']> {
  let find = tx.db
    .selectFrom('traces')
    .select(columns)
    .where('project_id', '=', tx.projectId)
    .where('user_id', '=', change.userId)
    .orderBy('ts')
    .orderBy('ref')
    .limit(change.limit)
  if (tx.dialect === 'postgres') find = find.forUpdate()
  const traces = await find.execute()
  await bury(tx, traces, change.at)
  await remove(tx, traces, change.at)
  if (traces.length > 0) tx.ledger.emit('user_erased', { at: change.at, ref: null, data: `[${traces.length}]` })
  if (traces.length === change.limit) return { deleted: traces.length, more: true }
  // Rows of datasets and items of runs outlive the traces that expired.
  const of = { userId: change.userId, limit: change.limit }
  const rows = await eraseRows(tx, of)
  const items = await eraseItems(tx, of, change.at)
  const threads = await eraseConversations(tx, of, change.at)
  const left = await removeDoomedConversations(tx, change.limit)
  const deleted = traces.length + threads.deleted
  return { deleted, more: left.more || threads.more || [rows, items].includes(change.limit) }
}

/** Deletes the oldest traces of before a time; they may be sent again. */
export async function expireTraces(
  tx: Transaction,
  change: Changes['expireTraces']['in'],
): Promise<Changes['expireTraces']['out']> {
  let find = tx.db
    .selectFrom('traces')
    .select(columns)
    .where('project_id', '=', tx.projectId)
    .where('ts', '<', change.before)
    .orderBy('ts')
    .orderBy('ref')
    .limit(change.limit)
  if (tx.dialect === 'postgres') find = find.forUpdate()
  const traces = await find.execute()
  await remove(tx, traces, change.at)
  if (traces.length > 0) tx.ledger.emit('traces_expired', { at: change.at, ref: null, data: `[${traces.length}]` })
  return { deleted: traces.length, more: traces.length === change.limit }
}

async function bury(tx: Transaction, traces: Doomed[], at: number): Promise<void> {
  if (traces.length === 0) return
  const rows = traces.map((trace) => ({ project_id: tx.projectId, id_hash: tombstone(tx.salt, trace.trace_id), at }))
  await tx.db
    .insertInto('tombstones')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  tx.noteTombstones()
  const of = { traceIds: traces.map((trace) => trace.trace_id) }
  await eraseRows(tx, of)
  await eraseItems(tx, of, at)
}

// Receipts name traces by ref only, and the search index follows the trace_deleted events: what is removed here is all there is.
async function remove(tx: Transaction, traces: Doomed[], at: number): Promise<void> {
  if (traces.length === 0) return
  const refs = traces.map((trace) => trace.ref)
  await deleteEvaluationsOf(tx, refs, at)
  for (const table of ['bodies', 'spans', 'reviews', 'traces'] as const) {
    await tx.db.deleteFrom(table).where('ref', 'in', refs).execute()
  }
  for (const trace of traces) {
    const numbers = { latencyMs: trace.latency_ms, costNano: trace.cost_nano, tokens: trace.tokens }
    tx.ledger.countTrace({ ...numbers, timestamp: trace.ts, status: trace.status }, -1)
    const data = encodeDeletion({ ...numbers, modelId: trace.model_id, minute: minuteOf(trace.ts) }, trace.status)
    tx.ledger.emit('trace_deleted', { at, ref: trace.ref, data })
  }
}

/** Drops old events, but none that a consumer still has to read. */
export async function trimEvents(
  tx: Transaction,
  change: Changes['trimEvents']['in'],
): Promise<Changes['trimEvents']['out']> {
  const head = await tx.db
    .selectFrom('heads')
    .select(['seq', 'first_seq'])
    .where('project_id', '=', tx.projectId)
    .executeTakeFirstOrThrow()
  const consumers = await tx.db.selectFrom('consumers').select('seq').where('project_id', '=', tx.projectId).execute()
  const needed = Math.min(head.seq, ...consumers.map((consumer) => consumer.seq)) + 1
  const young = await tx.db
    .selectFrom('events')
    .select('seq')
    .where('project_id', '=', tx.projectId)
    .where('seq', '>=', head.first_seq)
    .where('at', '>=', change.before)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  // Bounded, so that one trimming never holds up ingest for long; the next one goes on.
  const firstSeq = Math.min(needed, young?.seq ?? head.seq + 1, head.first_seq + 5_000)
  if (firstSeq <= head.first_seq) return { firstSeq: head.first_seq }
  await tx.db.deleteFrom('events').where('project_id', '=', tx.projectId).where('seq', '<', firstSeq).execute()
  await tx.db.updateTable('heads').set({ first_seq: firstSeq }).where('project_id', '=', tx.projectId).execute()
  return { firstSeq }
}
