import type { Column, ColumnType, Dataset, DatasetVersion } from '@llm-eval/protocol'

// Rows have a life from one revision of their dataset to another. The draft is what is alive now; a published version is
// the number of a revision, so publishing costs nothing and a version never changes: an edit of a row that a version shows
// makes a new life of it, one that no version shows is edited in place.

export interface NewRow {
  id: string
  /** JSON of the values by column slug, without nulls. */
  values: string
  /** The trace it is made of; a dataset holds one row of each. */
  traceId: string | null
  /** Whose words it holds, where it is made of no trace: it goes when that user is erased. */
  userId?: string | null
  /** The conversation that it is made of: it goes with that. */
  conversationRef?: number | null
}

/** A row as it is kept: numbers in `values` have the digits they came with. */
export interface StoredRow {
  id: string
  rowIndex: number
  /** JSON of the values by column slug. A column without a value is left out. */
  values: string
  traceId: string | null
  createdAt: number
  updatedAt: number
}

/** What became of one row: a row of the same trace that was there is given instead of a second one. */
export interface RowFate {
  id: string
  rowIndex: number
  added: boolean
}

/** One edit of the columns of a draft. */
export type ColumnEdit =
  | { add: Column[] }
  | {
      change: string
      name?: string | undefined
      type?: ColumnType | undefined
      description?: string | null | undefined
    }
  | { remove: string }

export interface DatasetChanges {
  createDataset: {
    in: { id: string; slug: string; name: string; description: string | null; columns: Column[]; at: number }
    out: { result: 'ok' } | { result: 'slug_taken' | 'too_many' }
  }
  /** Undefined members stay. `columns` is the whole new list. */
  updateDataset: {
    in: {
      dataset: string
      name?: string | undefined
      description?: string | null | undefined
      columns?: Column[] | undefined
      at: number
    }
    out: { found: boolean }
  }
  /** A removed column takes its values with it: one of the same slug that is added later begins empty. Types are not checked here. */
  editColumns: {
    in: { dataset: string; edit: ColumnEdit; at: number }
    out: { result: 'ok' } | { result: 'not_found' | 'column_not_found' | 'slug_taken' | 'too_many' }
  }
  /** The dataset is gone with the first call; of its rows each call removes up to `limit`, until `more` is false (`sweep` goes on with what is left). */
  deleteDataset: { in: { dataset: string; limit: number }; out: { found: boolean; more: boolean } }
  /**
   * Appends rows in their order; with `replace`, the draft is emptied first. Nothing is stored when they do not all fit
   * (`room` says how many would), or when a row is of a trace or a conversation that does not exist.
   */
  addRows: {
    in: { dataset: string; rows: NewRow[]; mode: 'append' | 'replace'; at: number }
    out:
      | { result: 'ok'; rows: RowFate[] }
      | { result: 'not_found' }
      | { result: 'full'; room: number }
      | { result: 'trace_not_found'; traceId: string }
      | { result: 'conversation_deleted' }
  }
  /** `values` are those that change; null takes one away. */
  updateRow: {
    in: { dataset: string; rowId: string; values: string; at: number }
    out: { result: 'ok'; row: StoredRow } | { result: 'not_found' | 'row_not_found' | 'too_large' }
  }
  deleteRow: {
    in: { dataset: string; rowId: string; at: number }
    out: { result: 'ok' } | { result: 'not_found' | 'row_not_found' }
  }
  /** The version is `v1`, `v2`, … unless named. Publishing an unchanged draft again gives the version that is there. */
  publishDataset: {
    in: { dataset: string; version: string | null; by: string | null; at: number }
    out: { result: 'ok'; version: string; created: boolean } | { result: 'not_found' | 'version_taken' | 'too_many' }
  }
}

export interface DatasetQueries {
  /** Newest first. */
  datasets: { in: object; out: Dataset[] }
  /** By slug or id. */
  dataset: { in: { dataset: string }; out: Dataset | null }
  /** The columns as they were; null when there is no such version. */
  datasetVersion: { in: { dataset: string; version: string }; out: { columns: Column[]; rows: number } | null }
  /** Newest first. */
  datasetVersions: { in: { dataset: string }; out: DatasetVersion[] }
  /** One row of the draft. */
  row: { in: { dataset: string; rowId: string }; out: StoredRow | null }
  /**
   * In the order of arrival. `version` null is the draft. Either by cursor or, for foreign clients, from an offset on. A
   * page ends after `limit` rows or about `bytes` of values, but holds at least one row.
   */
  rows: {
    in: {
      dataset: string
      version: string | null
      limit: number
      bytes: number
      cursor: string | null
      offset?: number | undefined
    }
    out:
      | { items: StoredRow[]; total: number; nextCursor: string | null }
      | { invalidCursor: true }
      | { notFound: 'dataset' | 'version' }
  }
}
