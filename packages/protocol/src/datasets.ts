export const columnTypes = ['string', 'number', 'boolean', 'json', 'date', 'file'] as const
export type ColumnType = (typeof columnTypes)[number]

export interface Column {
  /** Kebab-case, unique within the dataset; the key of a row's values. */
  slug: string
  name: string
  type: ColumnType
  description: string | null
}

/** Inputs with expectations. Rows are edited in the draft; a published version never changes. */
export interface Dataset {
  id: string
  slug: string
  name: string
  description: string | null
  columns: Column[]
  /** Rows of the draft. */
  total_rows: number
  /** The newest published version; null when there is none. */
  last_version: string | null
  /** Whether the draft differs from it. */
  changed: boolean
  created_at: string
  updated_at: string
}

export interface DatasetRow {
  id: string
  /** From 0, in the order of arrival. */
  row_index: number
  values: Record<string, unknown>
  /** The trace it was made of. */
  trace_id: string | null
  created_at: string
  updated_at: string
}

export interface DatasetVersion {
  version: string
  rows: number
  /** Rows that were taken out since, because the trace they came from was deleted. */
  erased: number
  published_by: string | null
  published_at: string
}

/** What became of an import. */
export interface ImportReport {
  dataset: string
  imported: number
  /** Columns that were made. */
  columns: string[]
  /** At most 100 are told, `refused` counts all. Lines count from 1. */
  refused: number
  errors: { line: number; message: string }[]
  /** False when the file broke off: what stands behind the line of the last error was not read. */
  complete: boolean
}
