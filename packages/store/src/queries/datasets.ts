import { type Column, type Dataset, limits } from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import { sql } from '#kysely'
import { type Layout, readColumns, shownColumns, toSlugs } from '../columns.ts'
import type { DatasetQueries, StoredRow } from '../datasets.ts'
import type { Reading } from '../reading.ts'
import type { Tables } from '../tables.ts'
import { timeText } from './summary.ts'

type DatasetRow = Selectable<Tables['datasets']>

function toDataset(row: DatasetRow): Dataset {
  return {
    id: row.id,
    slug: row.slug ?? '',
    name: row.name,
    description: row.description,
    columns: shownColumns(readColumns(row.column_list)),
    total_rows: row.row_count,
    last_version: row.last_version,
    changed: row.changed === 1,
    created_at: timeText(row.created_at),
    updated_at: timeText(row.updated_at),
  }
}

function visible(reading: Reading) {
  return reading.db
    .selectFrom('datasets')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where('slug', 'is not', null)
}

async function find(reading: Reading, key: string): Promise<DatasetRow | undefined> {
  return visible(reading)
    .where((eb) => eb.or([eb('slug', '=', key), eb('id', '=', key)]))
    .orderBy((eb) => eb.case().when('id', '=', key).then(0).else(1).end())
    .limit(1)
    .executeTakeFirst()
}

async function findVersion(reading: Reading, dataset: DatasetRow, version: string) {
  return reading.db
    .selectFrom('dataset_versions')
    .selectAll()
    .where('dataset_ref', '=', dataset.ref)
    .where('version', '=', version)
    .executeTakeFirst()
}

export async function datasets(reading: Reading): Promise<DatasetQueries['datasets']['out']> {
  return (await visible(reading).orderBy('ref', 'desc').limit(limits.datasets).execute()).map(toDataset)
}

export async function dataset(
  reading: Reading,
  { dataset: key }: DatasetQueries['dataset']['in'],
): Promise<DatasetQueries['dataset']['out']> {
  const row = await find(reading, key)
  return row ? toDataset(row) : null
}

export async function datasetVersion(
  reading: Reading,
  query: DatasetQueries['datasetVersion']['in'],
): Promise<DatasetQueries['datasetVersion']['out']> {
  const row = await find(reading, query.dataset)
  const version = row && (await findVersion(reading, row, query.version))
  if (!version) return null
  const columns: Column[] = shownColumns(readColumns(version.column_list))
  return { columns, rows: version.row_count }
}

export async function datasetVersions(
  reading: Reading,
  query: DatasetQueries['datasetVersions']['in'],
): Promise<DatasetQueries['datasetVersions']['out']> {
  const row = await find(reading, query.dataset)
  if (!row) return []
  const versions = await reading.db
    .selectFrom('dataset_versions')
    .select(['version', 'row_count', 'erased', 'published_by', 'published_at'])
    .where('dataset_ref', '=', row.ref)
    .orderBy('number', 'desc')
    .limit(limits.datasetVersions)
    .execute()
  return versions.map(({ version, row_count, erased, published_by, published_at }) => ({
    version,
    rows: row_count,
    erased,
    published_by,
    published_at: timeText(published_at),
  }))
}

type Life = Pick<
  Selectable<Tables['dataset_rows']>,
  'row_id' | 'row_index' | 'body' | 'trace_id' | 'created_at' | 'updated_at'
>

function toRow(life: Life, layout: Layout): StoredRow {
  return {
    id: life.row_id,
    rowIndex: life.row_index,
    values: toSlugs(life.body, layout),
    traceId: life.trace_id,
    createdAt: life.created_at,
    updatedAt: life.updated_at,
  }
}

const lifeColumns = ['row_id', 'row_index', 'body', 'trace_id', 'created_at', 'updated_at'] as const

export async function row(reading: Reading, query: DatasetQueries['row']['in']): Promise<DatasetQueries['row']['out']> {
  const own = await find(reading, query.dataset)
  if (!own) return null
  const life = await reading.db
    .selectFrom('dataset_rows')
    .select(lifeColumns)
    .where('dataset_ref', '=', own.ref)
    .where('row_id', '=', query.rowId)
    .where('died', 'is', null)
    .where('row_index', '>=', own.first_index)
    .executeTakeFirst()
  return life ? toRow(life, { columns: readColumns(own.column_list), generation: own.generation }) : null
}

/** What is paged: the lives that the draft or a version shows. */
interface Shown {
  ref: number
  /** Null is the draft. */
  revision: number | null
  firstIndex: number
  total: number
  layout: Layout
}

async function shownRows(
  reading: Reading,
  query: DatasetQueries['rows']['in'],
): Promise<Shown | { notFound: 'dataset' | 'version' }> {
  const own = await find(reading, query.dataset)
  if (!own) return { notFound: 'dataset' }
  const version = query.version === null ? null : await findVersion(reading, own, query.version)
  if (version === undefined) return { notFound: 'version' }
  const { column_list, first_index, row_count } = version ?? own
  return {
    ref: own.ref,
    revision: version?.revision ?? null,
    firstIndex: first_index,
    total: row_count,
    layout: { columns: readColumns(column_list), generation: own.generation },
  }
}

function lives(reading: Reading, shown: Shown) {
  const all = reading.db.selectFrom('dataset_rows').where('dataset_ref', '=', shown.ref)
  const { revision } = shown
  if (revision === null) return all.where('died', 'is', null)
  return all.where('born', '<=', revision).where((eb) => eb.or([eb('died', 'is', null), eb('died', '>', revision)]))
}

export async function rows(
  reading: Reading,
  query: DatasetQueries['rows']['in'],
): Promise<DatasetQueries['rows']['out']> {
  const after = query.cursor === null ? -1 : placeOf(query.cursor)
  if (after === undefined) return { invalidCursor: true }
  const shown = await shownRows(reading, query)
  if ('notFound' in shown) return shown
  const from = query.offset === undefined ? after + 1 : await indexAt(reading, shown, query.offset)
  if (from === null) return { items: [], total: shown.total, nextCursor: null }
  // Which rows fit is decided by their lengths, before any body is read.
  const measured = lives(reading, shown)
    .where('row_index', '>=', Math.max(from, shown.firstIndex))
    .orderBy('row_index')
    .limit(query.limit + 1)
    .select(['row_index as at', 'born as since', 'bytes as own'])
    .select(sql<number>`sum(bytes) OVER (ORDER BY row_index)`.as('all_bytes'))
  const page = await reading.db
    .selectFrom(measured.as('page'))
    .innerJoin('dataset_rows', (join) =>
      join
        .on('dataset_rows.dataset_ref', '=', shown.ref)
        .onRef('dataset_rows.row_index', '=', 'page.at')
        .onRef('dataset_rows.born', '=', 'page.since'),
    )
    .select(lifeColumns.map((column) => `dataset_rows.${column}` as const))
    .where((eb) => eb.or([eb('page.all_bytes', '<=', query.bytes), eb('page.all_bytes', '=', eb.ref('page.own'))]))
    .orderBy('page.at')
    .execute()
  const items = page.slice(0, query.limit).map((life) => toRow(life, shown.layout))
  const last = items.at(-1)
  const more = last !== undefined && (page.length > query.limit || (await isFollowed(reading, shown, last.rowIndex)))
  return { items, total: shown.total, nextCursor: more ? cursorAt(last.rowIndex) : null }
}

async function isFollowed(reading: Reading, shown: Shown, index: number): Promise<boolean> {
  const next = await lives(reading, shown)
    .select('row_index')
    .where('row_index', '>', index)
    .limit(1)
    .executeTakeFirst()
  return next !== undefined
}

/** The index of the row before which `offset` others stand; null when there are no more than that. */
async function indexAt(reading: Reading, shown: Shown, offset: number): Promise<number | null> {
  if (offset >= shown.total) return null
  const found = await lives(reading, shown)
    .select('row_index')
    .where('row_index', '>=', shown.firstIndex)
    .orderBy('row_index')
    .offset(offset)
    .limit(1)
    .executeTakeFirst()
  return found?.row_index ?? null
}

function cursorAt(index: number): string {
  return Buffer.from(`d${index}`).toString('base64url')
}

function placeOf(cursor: string): number | undefined {
  const match = /^d([0-9]{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString())
  return match ? Number(match[1]) : undefined
}
