import type { Generated } from 'kysely'

/** Rows of the tables that `0003-datasets.ts` makes. */
export interface DatasetTables {
  datasets: {
    ref: Generated<number>
    project_id: number
    id: string
    /** Null: it was deleted, and its rows are being removed. */
    slug: string | null
    name: string
    description: string | null
    /** JSON of the columns, each with the key of its values where that is not the slug. */
    column_list: string
    /** How often columns were removed; a column that comes later keeps its values under a key of its own. */
    generation: Generated<number>
    /** Of the draft. The versions stand for smaller ones. */
    revision: Generated<number>
    /** The draft and a version begin here: what a replacement put away costs nothing. */
    first_index: Generated<number>
    next_index: Generated<number>
    row_count: Generated<number>
    changed: Generated<number>
    last_version: string | null
    /** How many were ever published. */
    versions: Generated<number>
    created_at: number
    updated_at: number
  }
  dataset_versions: {
    dataset_ref: number
    version: string
    number: number
    revision: number
    first_index: number
    column_list: string
    row_count: number
    erased: Generated<number>
    published_by: string | null
    published_at: number
  }
  /** A life of a row: from the revision it was born in to the one it died in, that one not included; null is alive. */
  dataset_rows: {
    dataset_ref: number
    row_index: number
    born: number
    died: number | null
    row_id: string
    project_id: number
    trace_id: string | null
    /** Of the trace, so that erasing a user finds the row also when the trace has expired. */
    user_id: string | null
    /** The conversation that it is made of. */
    conversation_ref: number | null
    /** Length of the body. */
    bytes: number
    created_at: number
    updated_at: number
    /** JSON of the values by key. */
    body: string
  }
}
