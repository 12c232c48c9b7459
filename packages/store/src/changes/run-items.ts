import { sql } from '#kysely'
import { insertMany } from '../inserting.ts'
import { joinRecords, plain, records } from '../records.ts'
import { encodeRun, itemStatusNumber } from '../run-events.ts'
import { countedOf, encodeNumbers } from '../run-items.ts'
import { numbersOf, type RunRow } from '../run-rows.ts'
import { count } from '../run-totals.ts'
import type { ItemFate, NewRunItem, RunChanges, RunNumbers } from '../runs.ts'
import { type Transaction, tombstone } from '../transaction.ts'
import { begun, changeRun, findRun, statusOf } from './run-state.ts'

/** Stores finished items of a run, the first of each place, with one event each. */
export async function addItems(
  tx: Transaction,
  { id, items, lease, at }: RunChanges['addItems']['in'],
): Promise<RunChanges['addItems']['out']> {
  const row = await findRun(tx, id)
  if ('result' in row) return row
  const stored = await hashesOf(tx, row.ref, items)
  const buried = await buriedTraces(tx, items)
  const takes = ['queued', 'running', 'abandoned'].includes(statusOf(row))
  const fresh: NewRunItem[] = []
  const fates = items.map((item): ItemFate => {
    const before = stored.get(item.itemIndex)
    if (before !== undefined) return before === item.hash ? 'duplicate' : 'conflict'
    if (tracesOf(item).some((trace) => buried.has(trace))) return 'erased'
    if (!takes) return 'run_over'
    stored.set(item.itemIndex, item.hash)
    fresh.push(item)
    return 'created'
  })
  // Nothing but a sign of life is one; what is there already may be sent by whoever was late.
  if (takes) await hear(tx, row, { lease, at, goesOn: fresh.length > 0 || (items.length === 0 && lease !== null) })
  await insertItems(tx, row, fresh)
  await linkTraces(tx, row.ref, fresh)
  if (fresh.length > 0) await countIn(tx, row, { items: fresh, at })
  return { result: 'ok', fates, status: statusOf(row), owner: row.owner }
}

function tracesOf({ traceId, sourceTraceId }: NewRunItem): string[] {
  return [...new Set([traceId, sourceTraceId].filter((id) => id !== null))]
}

async function hashesOf(tx: Transaction, ref: number, items: readonly NewRunItem[]): Promise<Map<number, string>> {
  if (items.length === 0) return new Map()
  const wanted = records(
    tx.dialect,
    { at: 'bigint' },
    items.map(({ itemIndex }) => ({ at: itemIndex })),
  )
  const { rows } = await sql<{ item_index: number; hash: string }>`
    SELECT i.item_index, i.hash FROM ${wanted} AS w
    ${joinRecords(tx.dialect)} run_items AS i ON i.run_ref = ${ref} AND i.item_index = w.at`.execute(tx.db)
  return new Map(rows.map((row) => [row.item_index, row.hash]))
}

/** Those of the items' traces that were deleted for good: what was made of them must not come back. */
async function buriedTraces(tx: Transaction, items: readonly NewRunItem[]): Promise<Set<string>> {
  const ids = [...new Set(items.flatMap(tracesOf))]
  if (ids.length === 0) return new Set()
  const hashes = new Map(ids.map((id) => [tombstone(tx.salt, id), id]))
  const wanted = records(
    tx.dialect,
    { hash: 'text' },
    [...hashes.keys()].map((hash) => ({ hash })),
  )
  const { rows } = await sql<{ id_hash: string }>`
    SELECT t.id_hash FROM ${wanted} AS w
    ${joinRecords(tx.dialect)} tombstones AS t ON t.project_id = ${tx.projectId} AND t.id_hash = w.hash`.execute(tx.db)
  return new Set(rows.flatMap(({ id_hash }) => hashes.get(id_hash) ?? []))
}

/** The worker of a run was heard of: a client's lease goes on, and so does a run that was given up, or not begun. */
async function hear(
  tx: Transaction,
  row: RunRow,
  { lease, at, goesOn }: { lease: { owner: string; leaseMs: number } | null; at: number; goesOn: boolean },
): Promise<void> {
  if (statusOf(row) !== 'running') {
    if (!goesOn) return
    // Nobody's name is known without a lease; who comes next may take it.
    const by = lease ? { ...lease, at } : { owner: '', at, leaseMs: 0 }
    const set = { ...begun(row, by), ...(lease ? {} : { owner: null }), attempt: Math.max(1, row.attempt) }
    await changeRun(tx, row, { set, at, event: 'run_updated' })
  } else if (lease && (row.owner === null || row.owner === lease.owner)) {
    const set = { owner: lease.owner, lease_until: at + lease.leaseMs, heard_at: at, began_at: row.began_at ?? at }
    await tx.db.updateTable('runs').set(set).where('ref', '=', row.ref).execute()
    Object.assign(row, set)
  }
}

const itemColumns = [
  'run_ref',
  'item_index',
  'case_id',
  'repetition',
  'status',
  'hash',
  'numbers',
  'preview',
  'error',
  'trace_id',
] as const
const bodyColumns = ['run_ref', 'item_index', 'input', 'expected', 'output', 'scores'] as const

async function insertItems(tx: Transaction, { ref }: RunRow, items: readonly NewRunItem[]): Promise<void> {
  const rows = items.map((item) => [
    ref,
    item.itemIndex,
    plain(item.caseId),
    item.repetition,
    itemStatusNumber(item.status),
    item.hash,
    encodeNumbers(item),
    plain(item.preview),
    item.error && JSON.stringify(item.error),
    plain(item.traceId),
  ])
  const bodies = items.map(({ itemIndex, body }) => [
    ref,
    itemIndex,
    body.input,
    body.expected,
    body.output,
    body.scores,
  ])
  await insertMany(tx, { table: 'run_items', columns: itemColumns }, rows)
  await insertMany(tx, { table: 'run_bodies', columns: bodyColumns }, bodies)
}

/** Notes which items hold what was in which traces, and whose those were. */
async function linkTraces(tx: Transaction, ref: number, items: readonly NewRunItem[]): Promise<void> {
  const links = items.flatMap((item) => tracesOf(item).map((trace_id) => ({ at: item.itemIndex, trace_id })))
  if (links.length === 0) return
  const given = records(tx.dialect, { at: 'bigint', trace_id: 'text' }, links)
  await sql`
    INSERT INTO run_item_traces (run_ref, item_index, trace_id, project_id, user_id)
    SELECT ${ref}, g.at, g.trace_id, ${tx.projectId}, coalesce(t.user_id, (SELECT max(d.user_id) FROM dataset_rows AS d
      WHERE d.project_id = ${tx.projectId} AND d.trace_id = g.trace_id))
    FROM ${given} AS g LEFT JOIN traces AS t ON t.project_id = ${tx.projectId} AND t.trace_id = g.trace_id`.execute(
    tx.db,
  )
}

/** Adds items to the numbers of their run, and tells of each what the numbers are with it. */
async function countIn(
  tx: Transaction,
  row: RunRow,
  { items, at }: { items: readonly NewRunItem[]; at: number },
): Promise<void> {
  const numbers = numbersOf(row)
  for (const item of items) {
    count(numbers, item, 1)
    tx.ledger.emit('run_item', { at, ref: null, run: row.ref, data: encodeRun(numbers, item) })
  }
  await writeNumbers(tx, row, { numbers, at })
}

async function writeNumbers(
  tx: Transaction,
  row: RunRow,
  { numbers, at }: { numbers: RunNumbers; at: number },
): Promise<void> {
  const set = {
    completed: numbers.completed,
    successful: numbers.successful,
    erased: numbers.erased,
    cost_nano: numbers.costNano,
    unknown_costs: numbers.unknownCosts,
    totals: JSON.stringify(numbers.totals),
    updated_at: at,
  }
  await tx.db.updateTable('runs').set(set).where('ref', '=', row.ref).execute()
  Object.assign(row, set)
}

/** Items that were made of traces which are to be forgotten. */
export type DoomedItems = { traceIds: string[] } | { userId: string; limit: number }

/** Removes items with all their texts, and takes them out of the numbers of their runs, which count them as erased. Returns how many links went. */
export async function eraseItems(tx: Transaction, doomed: DoomedItems, at: number): Promise<number> {
  if ('traceIds' in doomed && doomed.traceIds.length === 0) return 0
  const of = tx.db.selectFrom('run_item_traces').where('project_id', '=', tx.projectId)
  const found =
    'traceIds' in doomed
      ? of.where('trace_id', 'in', doomed.traceIds)
      : of.where('user_id', '=', doomed.userId).limit(doomed.limit)
  const links = await found.select(['run_ref', 'item_index']).execute()
  for (const [ref, of] of [...Map.groupBy(links, (link) => link.run_ref)].toSorted(([a], [b]) => a - b))
    await eraseFrom(tx, { ref, indexes: [...new Set(of.map((link) => link.item_index))] }, at)
  return links.length
}

async function eraseFrom(
  tx: Transaction,
  { ref, indexes }: { ref: number; indexes: number[] },
  at: number,
): Promise<void> {
  const gone = await tx.db
    .deleteFrom('run_items')
    .where('run_ref', '=', ref)
    .where('item_index', 'in', indexes)
    .returning(['status', 'numbers'])
    .execute()
  for (const table of ['run_bodies', 'run_item_traces'] as const)
    await tx.db.deleteFrom(table).where('run_ref', '=', ref).where('item_index', 'in', indexes).execute()
  const row = await tx.db
    .selectFrom('runs')
    .selectAll()
    .where('ref', '=', ref)
    .where('id', 'is not', null)
    .executeTakeFirst()
  if (!row || row.id === null || gone.length === 0) return
  const numbers = numbersOf(row)
  for (const item of gone) count(numbers, countedOf(item), -1)
  numbers.erased += gone.length
  tx.ledger.emit('run_updated', { at, ref: null, run: ref, data: encodeRun(numbers, null) })
  await writeNumbers(tx, { ...row, id: row.id }, { numbers, at })
}
