import type { Column, Dataset, DatasetRow, DatasetVersion } from '@llm-eval/protocol'

// Rows have a life from one revision of their dataset to another. The draft is what is alive now; a published version is
// the number of a revision, so publishing costs nothing and a version never changes.

export interface NewRow {
  id: string
  /** JSON of the values by column slug. */
  values: string
  traceId: string | null
}

export interface DatasetChanges {
  createDataset: {
    in: { id: string; slug: string; name: string; description: string | null; columns: Column[]; at: number }
    out: { result: 'ok' } | { result: 'slug_taken' }
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
  deleteDataset: { in: { dataset: string }; out: { found: boolean } }
  /** Appends rows in their order; with `replace`, the draft is emptied first. */
  addRows: {
    in: { dataset: string; rows: NewRow[]; mode: 'append' | 'replace'; at: number }
    out: { result: 'ok'; rows: DatasetRow[] } | { result: 'not_found' } | { result: 'full' }
  }
  updateRow: {
    in: { dataset: string; rowId: string; values: string; at: number }
    out: { result: 'ok' } | { result: 'not_found' | 'row_not_found' }
  }
  deleteRow: {
    in: { dataset: string; rowId: string; at: number }
    out: { result: 'ok' } | { result: 'not_found' | 'row_not_found' }
  }
  /** The version is `v1`, `v2`, … unless named. Publishing an unchanged draft again gives the version that is there. */
  publishDataset: {
    in: { dataset: string; version: string | null; by: string | null; at: number }
    out: { result: 'ok'; version: string } | { result: 'not_found' | 'version_taken' }
  }
}

export interface DatasetQueries {
  datasets: { in: object; out: Dataset[] }
  /** By slug or id. */
  dataset: { in: { dataset: string }; out: Dataset | null }
  /** The columns as they were; null when there is no such version. */
  datasetVersion: { in: { dataset: string; version: string }; out: { columns: Column[]; rows: number } | null }
  datasetVersions: { in: { dataset: string }; out: DatasetVersion[] }
  /** In the order of arrival. `version` null is the draft. Either by cursor or, for foreign clients, by offset. */
  rows: {
    in: { dataset: string; version: string | null; limit: number; cursor: string | null; offset?: number | undefined }
    out:
      | { items: DatasetRow[]; total: number; nextCursor: string | null }
      | { invalidCursor: true }
      | { notFound: 'dataset' | 'version' }
  }
}
