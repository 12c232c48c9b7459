import { type Column, limits } from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import { readColumns, relayout, shownColumns, writeColumns } from '../columns.ts'
import type { ColumnEdit, DatasetChanges } from '../datasets.ts'
import type { Tables } from '../tables.ts'
import type { Transaction } from '../transaction.ts'

/** A dataset as it is stored. */
export type DatasetRow = Selectable<Tables['datasets']>

/** Locks a dataset until the transaction ends, so that changes of it take turns. */
export async function lockDataset(tx: Transaction, key: string): Promise<DatasetRow | undefined> {
  let find = tx.db
    .selectFrom('datasets')
    .selectAll()
    .where('project_id', '=', tx.projectId)
    .where('slug', 'is not', null)
    .where((eb) => eb.or([eb('slug', '=', key), eb('id', '=', key)]))
    .orderBy((eb) => eb.case().when('id', '=', key).then(0).else(1).end())
    .limit(1)
  if (tx.dialect === 'postgres') find = find.forUpdate()
  return find.executeTakeFirst()
}

/** Makes an empty dataset. */
export async function createDataset(
  tx: Transaction,
  change: DatasetChanges['createDataset']['in'],
): Promise<DatasetChanges['createDataset']['out']> {
  const { count } = await tx.db
    .selectFrom('datasets')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('project_id', '=', tx.projectId)
    .where('slug', 'is not', null)
    .executeTakeFirstOrThrow()
  if (count >= limits.datasets) return { result: 'too_many' }
  const { id, slug, name, description, columns, at } = change
  const done = await tx.db
    .insertInto('datasets')
    .values({
      project_id: tx.projectId,
      id,
      slug,
      name,
      description,
      column_list: writeColumns(columns),
      last_version: null,
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return { result: done.numInsertedOrUpdatedRows === 1n ? 'ok' : 'slug_taken' }
}

async function setColumns(tx: Transaction, dataset: DatasetRow, wanted: readonly Column[]): Promise<void> {
  const layout = relayout({ columns: readColumns(dataset.column_list), generation: dataset.generation }, wanted)
  await tx.db
    .updateTable('datasets')
    .set({ column_list: writeColumns(layout.columns), generation: layout.generation, changed: 1 })
    .where('ref', '=', dataset.ref)
    .execute()
}

export async function updateDataset(
  tx: Transaction,
  change: DatasetChanges['updateDataset']['in'],
): Promise<DatasetChanges['updateDataset']['out']> {
  const dataset = await lockDataset(tx, change.dataset)
  if (!dataset) return { found: false }
  const { name, description, columns, at } = change
  await tx.db
    .updateTable('datasets')
    .set({
      updated_at: at,
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    })
    .where('ref', '=', dataset.ref)
    .execute()
  if (columns) await setColumns(tx, dataset, columns)
  return { found: true }
}

export async function editColumns(
  tx: Transaction,
  change: DatasetChanges['editColumns']['in'],
): Promise<DatasetChanges['editColumns']['out']> {
  const dataset = await lockDataset(tx, change.dataset)
  if (!dataset) return { result: 'not_found' }
  const edited = edit(shownColumns(readColumns(dataset.column_list)), change.edit)
  if (typeof edited === 'string') return { result: edited }
  await setColumns(tx, dataset, edited)
  await tx.db.updateTable('datasets').set({ updated_at: change.at }).where('ref', '=', dataset.ref).execute()
  return { result: 'ok' }
}

function edit(columns: Column[], wish: ColumnEdit): Column[] | 'column_not_found' | 'slug_taken' | 'too_many' {
  if ('add' in wish) {
    const all = [...columns, ...wish.add]
    if (new Set(all.map(({ slug }) => slug)).size < all.length) return 'slug_taken'
    return all.length > limits.datasetColumns ? 'too_many' : all
  }
  const slug = 'remove' in wish ? wish.remove : wish.change
  if (!columns.some((column) => column.slug === slug)) return 'column_not_found'
  if ('remove' in wish) return columns.filter((column) => column.slug !== slug)
  const { name, type, description } = wish
  return columns.map((column) =>
    column.slug === slug
      ? {
          slug,
          name: name ?? column.name,
          type: type ?? column.type,
          description: description === undefined ? column.description : description,
        }
      : column,
  )
}

/** Takes the dataset out of sight at once, and removes its rows step by step. */
export async function deleteDataset(
  tx: Transaction,
  change: DatasetChanges['deleteDataset']['in'],
): Promise<DatasetChanges['deleteDataset']['out']> {
  const dataset = await lockDataset(tx, change.dataset)
  if (dataset) await tx.db.updateTable('datasets').set({ slug: null }).where('ref', '=', dataset.ref).execute()
  const { more } = await removeDoomed(tx, change.limit)
  return { found: dataset !== undefined, more }
}

/** Removes up to `limit` rows of datasets that were deleted. */
export async function removeDoomed(tx: Transaction, limit: number): Promise<{ more: boolean }> {
  let find = tx.db
    .selectFrom('datasets')
    .select('ref')
    .where('project_id', '=', tx.projectId)
    .where('slug', 'is', null)
    .orderBy('ref')
    .limit(1)
  // Whoever removes the same ones already will go on.
  if (tx.dialect === 'postgres') find = find.forUpdate().skipLocked()
  const doomed = await find.executeTakeFirst()
  if (!doomed) return { more: false }
  const ref = doomed.ref
  const rows = await tx.db
    .selectFrom('dataset_rows')
    .select('row_index')
    .where('dataset_ref', '=', ref)
    .orderBy('row_index')
    .limit(limit)
    .execute()
  const last = rows.at(-1)
  if (last)
    await tx.db
      .deleteFrom('dataset_rows')
      .where('dataset_ref', '=', ref)
      .where('row_index', '<=', last.row_index)
      .execute()
  if (rows.length === limit) return { more: true }
  await tx.db.deleteFrom('dataset_versions').where('dataset_ref', '=', ref).execute()
  await tx.db.deleteFrom('datasets').where('ref', '=', ref).execute()
  return { more: true }
}

/** Names the draft as it stands; whatever comes later has a larger revision. */
export async function publishDataset(
  tx: Transaction,
  change: DatasetChanges['publishDataset']['in'],
): Promise<DatasetChanges['publishDataset']['out']> {
  const dataset = await lockDataset(tx, change.dataset)
  if (!dataset) return { result: 'not_found' }
  const last = dataset.last_version
  const same = change.version === null || change.version === last
  if (last !== null && dataset.changed === 0 && same) return { result: 'ok', version: last, created: false }
  if (dataset.versions >= limits.datasetVersions) return { result: 'too_many' }
  const number = dataset.versions + 1
  const version = change.version ?? (await freeName(tx, dataset.ref, number))
  if (await isTaken(tx, dataset.ref, version)) return { result: 'version_taken' }
  await tx.db
    .insertInto('dataset_versions')
    .values({
      dataset_ref: dataset.ref,
      version,
      number,
      revision: dataset.revision,
      first_index: dataset.first_index,
      column_list: dataset.column_list,
      row_count: dataset.row_count,
      published_by: change.by,
      published_at: change.at,
    })
    .execute()
  await tx.db
    .updateTable('datasets')
    .set({ revision: dataset.revision + 1, versions: number, last_version: version, changed: 0 })
    .where('ref', '=', dataset.ref)
    .execute()
  return { result: 'ok', version, created: true }
}

/** `v` and the number, or the next one that nobody took by name. */
async function freeName(tx: Transaction, dataset: number, number: number): Promise<string> {
  for (let next = number; ; next++) if (!(await isTaken(tx, dataset, `v${next}`))) return `v${next}`
}

async function isTaken(tx: Transaction, dataset: number, version: string): Promise<boolean> {
  const found = await tx.db
    .selectFrom('dataset_versions')
    .select('number')
    .where('dataset_ref', '=', dataset)
    .where('version', '=', version)
    .executeTakeFirst()
  return found !== undefined
}
