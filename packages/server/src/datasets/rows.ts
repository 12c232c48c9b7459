/** The rows of datasets: added, changed, read by pages. */
import { type Column, type DatasetRow, Failure, type Fault, limits } from '@llm-eval/protocol'
import type { NewRow, StoredRow } from '@llm-eval/store'
import { datasetNotFound, getDataset, getVersion, newId, type Place, versionNotFound } from './datasets.ts'
import { columnFinder } from './slugs.ts'
import { checkRow, type Reading, readValues } from './values.ts'

/** Faults that are told at most. */
const mostFaults = 100

/**
 * Adds rows to the draft, all or none. Keys are slugs, other spellings of them, or names of columns. Throws
 * `dataset_not_found`, `invalid_request` (with each fault), `dataset_full`.
 *
 * @param wish `replace` empties the draft first; `reading` says how strictly types are taken
 */
export async function addRows(
  place: Place,
  dataset: string,
  wish: { rows: readonly Record<string, unknown>[]; mode?: 'append' | 'replace'; reading?: Reading },
): Promise<DatasetRow[]> {
  const { columns, id } = await getDataset(place, dataset)
  const { mode = 'append', reading = 'exact' } = wish
  const rows = checkRows(wish.rows, columns, reading)
  const at = place.now()
  const fates = await storeRows(place, id, { rows, mode, at })
  const time = new Date(at).toISOString()
  return rows.map((row, n) => ({
    id: row.id,
    row_index: fates[n]?.rowIndex ?? 0,
    values: readValues(row.values, columns),
    trace_id: row.traceId,
    created_at: time,
    updated_at: time,
  }))
}

/** Rows as they are stored. Throws `invalid_request`, with each fault. */
export function checkRows(
  rows: readonly Record<string, unknown>[],
  columns: readonly Column[],
  reading: Reading,
): NewRow[] {
  const finder = columnFinder(columns)
  const errors: Fault[] = []
  const checked = rows.flatMap((row, n) => {
    if (errors.length >= mostFaults) return []
    const { values, faults } = checkRow(row, { columns, finder, reading, path: `rows[${n}]` })
    if (values !== undefined) return [{ id: newId('row'), values, traceId: null }]
    errors.push(...faults)
    return []
  })
  if (errors.length > 0) throw new Failure('invalid_request', { errors: errors.slice(0, mostFaults) })
  return checked
}

/** Stores rows that were checked. Throws `dataset_not_found`, `dataset_full`, `trace_not_found`, `conversation_deleted`. */
export async function storeRows(
  { store, projectId }: Place,
  dataset: string,
  given: { rows: NewRow[]; mode: 'append' | 'replace'; at: number },
) {
  const outcome = await store.apply(projectId, { kind: 'addRows', dataset, ...given })
  switch (outcome.result) {
    case 'ok':
      return outcome.rows
    case 'not_found':
      throw datasetNotFound(dataset)
    case 'trace_not_found':
      throw new Failure('trace_not_found')
    case 'conversation_deleted':
      throw new Failure('conversation_deleted')
    case 'full':
      throw new Failure('dataset_full', { values: { max: limits.datasetRows } })
  }
}

/** Changes the values that are given; null takes one away. Throws `dataset_not_found`, `row_not_found`, `invalid_request`. */
export async function updateRow(
  place: Place,
  at: { dataset: string; rowId: string },
  wish: { values: Record<string, unknown>; reading?: Reading },
): Promise<DatasetRow> {
  const { columns, id } = await getDataset(place, at.dataset)
  const finder = columnFinder(columns)
  const { values, faults } = checkRow(wish.values, {
    columns,
    finder,
    reading: wish.reading ?? 'exact',
    path: 'values',
  })
  if (faults) throw new Failure('invalid_request', { errors: faults })
  const cleared = Object.entries(wish.values).flatMap(([key, value]) =>
    value === null ? `${JSON.stringify(finder.find(key)?.slug)}:null` : [],
  )
  const parts = [values.slice(1, -1), ...cleared].filter((part) => part !== '')
  const outcome = await place.store.apply(place.projectId, {
    kind: 'updateRow',
    dataset: id,
    rowId: at.rowId,
    values: `{${parts.join(',')}}`,
    at: place.now(),
  })
  if (outcome.result === 'ok') return toRow(outcome.row, columns)
  if (outcome.result === 'too_large') {
    const message = `the row would hold more than ${limits.rowBytes} bytes of JSON`
    throw new Failure('invalid_request', { errors: [{ path: 'values', message }] })
  }
  throw outcome.result === 'not_found' ? datasetNotFound(at.dataset) : new Failure('row_not_found')
}

/** Takes a row out of the draft. Throws `dataset_not_found`, `row_not_found`. */
export async function deleteRow(place: Place, dataset: string, rowId: string): Promise<void> {
  const change = { kind: 'deleteRow', dataset, rowId, at: place.now() } as const
  const { result } = await place.store.apply(place.projectId, change)
  if (result === 'not_found') throw datasetNotFound(dataset)
  if (result === 'row_not_found') throw new Failure('row_not_found')
}

/** Bytes of values that a page aims at. */
const pageBytes = 4 * 1024 * 1024
/** Bytes of values that an answer by offset may hold. */
const offsetBytes = 64 * 1024 * 1024

/** Rows of the draft or of a version, as they are kept. */
export interface Page {
  items: StoredRow[]
  columns: Column[]
  total: number
  nextCursor: string | null
}

/**
 * A page of the draft (`version` null) or of a version, in the order of arrival. It holds up to `limit` rows, fewer when
 * they are large. Throws `dataset_not_found`, `version_not_found`, `invalid_query` (the cursor).
 */
export async function readPage(
  place: Place,
  dataset: string,
  at: { version: string | null; limit: number; cursor: string | null },
): Promise<Page> {
  const { columns } = await getVersion(place, dataset, at.version)
  const page = await place.store.read(place.projectId, 'rows', { dataset, ...at, bytes: pageBytes })
  if ('items' in page) return { ...page, columns }
  if ('notFound' in page)
    throw page.notFound === 'dataset' ? datasetNotFound(dataset) : versionNotFound(dataset, at.version ?? '')
  const message = 'is not a cursor of this list: leave it out to start from the first row'
  throw new Failure('invalid_query', { errors: [{ path: 'cursor', message }] })
}

/**
 * Rows from an offset on, for foreign clients: exactly `limit` of them unless the end comes before. Throws
 * `dataset_not_found`, `version_not_found`, `invalid_query` when they hold too many bytes for one answer.
 */
export async function readOffset(
  place: Place,
  dataset: string,
  at: { version: string | null; limit: number; offset: number },
): Promise<{ items: DatasetRow[]; columns: Column[]; total: number }> {
  const { columns } = await getVersion(place, dataset, at.version)
  const offset = Math.min(Math.max(at.offset, 0), limits.datasetRows)
  const limit = Math.min(Math.max(at.limit, 1), limits.foreignPageRows)
  const query = { dataset, version: at.version, limit, bytes: offsetBytes, cursor: null, offset }
  const page = await place.store.read(place.projectId, 'rows', query)
  if (!('items' in page)) throw datasetNotFound(dataset)
  if (page.items.length < limit && page.nextCursor !== null) {
    const message = `is too large: these rows hold more than ${offsetBytes} bytes`
    throw new Failure('invalid_query', { errors: [{ path: 'limit', message }] })
  }
  return { items: page.items.map((row) => toRow(row, columns)), columns, total: page.total }
}

/** The row as it goes out; `JSON.stringify` writes its numbers with the digits they came with. */
export function toRow(row: StoredRow, columns: readonly Column[]): DatasetRow {
  return {
    id: row.id,
    row_index: row.rowIndex,
    values: readValues(row.values, columns),
    trace_id: row.traceId,
    created_at: new Date(row.createdAt).toISOString(),
    updated_at: new Date(row.updatedAt).toISOString(),
  }
}
