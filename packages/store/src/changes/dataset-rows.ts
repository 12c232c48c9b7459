import { limits } from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import { mergeValues, readColumns, toKeys, toSlugs } from '../columns.ts'
import type { DatasetChanges, NewRow, RowFate } from '../datasets.ts'
import type { Tables } from '../tables.ts'
import type { Transaction } from '../transaction.ts'
import { type DatasetRow, lockDataset } from './datasets.ts'

export async function addRows(
  tx: Transaction,
  change: DatasetChanges['addRows']['in'],
): Promise<DatasetChanges['addRows']['out']> {
  // Traces and conversations before the dataset: whoever deletes one locks them in this order too.
  const users = await lockTraces(tx, change.rows)
  if (typeof users === 'string') return { result: 'trace_not_found', traceId: users }
  if (!(await lockConversations(tx, change.rows))) return { result: 'conversation_deleted' }
  const found = await lockDataset(tx, change.dataset)
  if (!found) return { result: 'not_found' }
  const replaces = change.mode === 'replace'
  // A draft that is replaced begins anew behind its rows.
  const dataset = replaces ? { ...found, first_index: found.next_index, row_count: 0 } : found
  const known = await rowsOfTraces(tx, dataset, change.rows)
  const fates: RowFate[] = []
  const added: (NewRow & { rowIndex: number })[] = []
  for (const row of change.rows) {
    const before = row.traceId === null ? undefined : known.get(row.traceId)
    const fate = before ?? { id: row.id, rowIndex: dataset.next_index + added.length, added: true }
    fates.push(fate)
    if (before) continue
    added.push({ ...row, rowIndex: fate.rowIndex })
    if (row.traceId !== null) known.set(row.traceId, { ...fate, added: false })
  }
  const room = limits.datasetRows - dataset.row_count
  if (added.length > room) return { result: 'full', room }
  if (replaces) await removeUnpublished(tx, found)
  await insertRows(tx, { dataset, rows: added, users, at: change.at })
  await tx.db
    .updateTable('datasets')
    .set({
      first_index: dataset.first_index,
      next_index: dataset.next_index + added.length,
      row_count: dataset.row_count + added.length,
      changed: added.length > 0 || replaces ? 1 : dataset.changed,
      updated_at: change.at,
    })
    .where('ref', '=', dataset.ref)
    .execute()
  return { result: 'ok', rows: fates }
}

/** Holds the traces that rows are made of, so that none is deleted meanwhile: their users by id, or the id of one that is not there. */
async function lockTraces(tx: Transaction, rows: NewRow[]): Promise<Map<string, string | null> | string> {
  const ids = [...new Set(rows.flatMap((row) => row.traceId ?? []))].toSorted()
  if (ids.length === 0) return new Map()
  let find = tx.db
    .selectFrom('traces')
    .select(['trace_id', 'user_id'])
    .where('project_id', '=', tx.projectId)
    .where('trace_id', 'in', ids)
    .orderBy('trace_id')
  if (tx.dialect === 'postgres') find = find.forShare()
  const found = new Map((await find.execute()).map((trace) => [trace.trace_id, trace.user_id]))
  return ids.find((id) => !found.has(id)) ?? found
}

/** Holds the conversations that rows are made of, so that none is deleted meanwhile; false where one is gone. */
async function lockConversations(tx: Transaction, rows: NewRow[]): Promise<boolean> {
  const refs = [...new Set(rows.flatMap((row) => row.conversationRef ?? []))].toSorted((a, b) => a - b)
  if (refs.length === 0) return true
  let find = tx.db
    .selectFrom('conversations')
    .select('ref')
    .where('project_id', '=', tx.projectId)
    .where('ref', 'in', refs)
    .where('thread_id', 'is not', null)
    .orderBy('ref')
  if (tx.dialect === 'postgres') find = find.forShare()
  return (await find.execute()).length === refs.length
}

/** Removes the rows of the draft that no version shows. */
async function removeUnpublished(tx: Transaction, dataset: DatasetRow): Promise<void> {
  await tx.db
    .deleteFrom('dataset_rows')
    .where('dataset_ref', '=', dataset.ref)
    .where('row_index', '>=', dataset.first_index)
    .where('died', 'is', null)
    .where('born', '=', dataset.revision)
    .execute()
}

async function rowsOfTraces(tx: Transaction, dataset: DatasetRow, rows: NewRow[]): Promise<Map<string, RowFate>> {
  const ids = rows.flatMap((row) => row.traceId ?? [])
  if (ids.length === 0) return new Map()
  const found = await tx.db
    .selectFrom('dataset_rows')
    .select(['trace_id', 'row_id', 'row_index'])
    .where('project_id', '=', tx.projectId)
    .where('trace_id', 'in', ids)
    .where('dataset_ref', '=', dataset.ref)
    .where('row_index', '>=', dataset.first_index)
    .where('died', 'is', null)
    .execute()
  return new Map(found.map((row) => [row.trace_id ?? '', { id: row.row_id, rowIndex: row.row_index, added: false }]))
}

/** Rows of one statement; few different lengths, since each is a statement of its own that is kept prepared. */
const steps = [100, 10, 1] as const

async function insertRows(
  tx: Transaction,
  given: {
    dataset: DatasetRow
    rows: (NewRow & { rowIndex: number })[]
    users: Map<string, string | null>
    at: number
  },
): Promise<void> {
  const { dataset, users, at } = given
  const layout = { columns: readColumns(dataset.column_list), generation: dataset.generation }
  const rows = given.rows.map((row) => {
    const body = toKeys(row.values, layout)
    return {
      dataset_ref: dataset.ref,
      row_index: row.rowIndex,
      born: dataset.revision,
      died: null,
      row_id: row.id,
      project_id: tx.projectId,
      trace_id: row.traceId,
      user_id: row.traceId === null ? (row.userId ?? null) : (users.get(row.traceId) ?? null),
      conversation_ref: row.conversationRef ?? null,
      bytes: Buffer.byteLength(body),
      created_at: at,
      updated_at: at,
      body,
    }
  })
  for (let from = 0; from < rows.length; ) {
    const left = rows.length - from
    const step = steps.find((size) => size <= left) ?? 1
    await tx.db
      .insertInto('dataset_rows')
      .values(rows.slice(from, from + step))
      .execute()
    from += step
  }
}

type Life = Selectable<Tables['dataset_rows']>

async function findLife(tx: Transaction, dataset: DatasetRow, rowId: string): Promise<Life | undefined> {
  return tx.db
    .selectFrom('dataset_rows')
    .selectAll()
    .where('dataset_ref', '=', dataset.ref)
    .where('row_id', '=', rowId)
    .where('died', 'is', null)
    .where('row_index', '>=', dataset.first_index)
    .executeTakeFirst()
}

/** The life as one row of its table. */
function lifeIs(tx: Transaction, life: Life) {
  return tx.db
    .updateTable('dataset_rows')
    .where('dataset_ref', '=', life.dataset_ref)
    .where('row_index', '=', life.row_index)
    .where('born', '=', life.born)
}

export async function updateRow(
  tx: Transaction,
  change: DatasetChanges['updateRow']['in'],
): Promise<DatasetChanges['updateRow']['out']> {
  const dataset = await lockDataset(tx, change.dataset)
  if (!dataset) return { result: 'not_found' }
  const life = await findLife(tx, dataset, change.rowId)
  if (!life) return { result: 'row_not_found' }
  const layout = { columns: readColumns(dataset.column_list), generation: dataset.generation }
  const body = mergeValues(life.body, toKeys(change.values, layout))
  const bytes = Buffer.byteLength(body)
  if (bytes > limits.rowBytes) return { result: 'too_large' }
  const edited = { body, bytes, updated_at: change.at }
  if (life.born === dataset.revision) {
    await lifeIs(tx, life).set(edited).execute()
  } else {
    await lifeIs(tx, life).set({ died: dataset.revision }).execute()
    await tx.db
      .insertInto('dataset_rows')
      .values({ ...life, ...edited, born: dataset.revision })
      .execute()
  }
  await touch(tx, dataset, { at: change.at, rows: 0 })
  const row = {
    id: life.row_id,
    rowIndex: life.row_index,
    values: toSlugs(body, layout),
    traceId: life.trace_id,
    createdAt: life.created_at,
    updatedAt: change.at,
  }
  return { result: 'ok', row }
}

export async function deleteRow(
  tx: Transaction,
  change: DatasetChanges['deleteRow']['in'],
): Promise<DatasetChanges['deleteRow']['out']> {
  const dataset = await lockDataset(tx, change.dataset)
  if (!dataset) return { result: 'not_found' }
  const life = await findLife(tx, dataset, change.rowId)
  if (!life) return { result: 'row_not_found' }
  if (life.born === dataset.revision) {
    await tx.db
      .deleteFrom('dataset_rows')
      .where('dataset_ref', '=', life.dataset_ref)
      .where('row_index', '=', life.row_index)
      .where('born', '=', life.born)
      .execute()
  } else await lifeIs(tx, life).set({ died: dataset.revision }).execute()
  await touch(tx, dataset, { at: change.at, rows: -1 })
  return { result: 'ok' }
}

async function touch(tx: Transaction, dataset: DatasetRow, by: { at: number; rows: number }): Promise<void> {
  await tx.db
    .updateTable('datasets')
    .set({ row_count: dataset.row_count + by.rows, changed: 1, updated_at: by.at })
    .where('ref', '=', dataset.ref)
    .execute()
}

/** Rows that were made of traces or conversations which are to be forgotten. */
export type Doomed = { traceIds: string[] } | { conversations: number[] } | { userId: string; limit: number }

/**
 * Removes every life of these rows, also from versions, which count them as erased. Returns how many lives
 * went.
 */
export async function eraseRows(tx: Transaction, doomed: Doomed): Promise<number> {
  if ('traceIds' in doomed && doomed.traceIds.length === 0) return 0
  if ('conversations' in doomed && doomed.conversations.length === 0) return 0
  const lives = await rowsOf(tx, doomed).select(['dataset_ref', 'row_index', 'born', 'died']).execute()
  for (const [ref, rows] of [...Map.groupBy(lives, (life) => life.dataset_ref)].toSorted(([a], [b]) => a - b)) {
    let find = tx.db.selectFrom('datasets').select('first_index').where('ref', '=', ref)
    if (tx.dialect === 'postgres') find = find.forUpdate()
    const dataset = await find.executeTakeFirst()
    // What another transaction changed before the lock was had is looked at again.
    for (const { row_index, born } of rows) {
      const gone = await tx.db
        .deleteFrom('dataset_rows')
        .where('dataset_ref', '=', ref)
        .where('row_index', '=', row_index)
        .where('born', '=', born)
        .returning('died')
        .executeTakeFirst()
      if (dataset && gone) await countErased(tx, ref, { row_index, born, died: gone.died, first: dataset.first_index })
    }
  }
  return lives.length
}

function rowsOf(tx: Transaction, doomed: Doomed) {
  const of = tx.db.selectFrom('dataset_rows').where('project_id', '=', tx.projectId)
  if ('traceIds' in doomed) return of.where('trace_id', 'in', doomed.traceIds)
  if ('conversations' in doomed) return of.where('conversation_ref', 'in', doomed.conversations)
  return of.where('user_id', '=', doomed.userId).limit(doomed.limit)
}

async function countErased(
  tx: Transaction,
  ref: number,
  life: { row_index: number; born: number; died: number | null; first: number },
): Promise<void> {
  let shown = tx.db
    .updateTable('dataset_versions')
    .set((eb) => ({ row_count: eb('row_count', '-', 1), erased: eb('erased', '+', 1) }))
    .where('dataset_ref', '=', ref)
    .where('revision', '>=', life.born)
    .where('first_index', '<=', life.row_index)
  if (life.died !== null) shown = shown.where('revision', '<', life.died)
  await shown.execute()
  if (life.died === null && life.row_index >= life.first)
    await tx.db
      .updateTable('datasets')
      .set((eb) => ({ row_count: eb('row_count', '-', 1) }))
      .where('ref', '=', ref)
      .execute()
}
