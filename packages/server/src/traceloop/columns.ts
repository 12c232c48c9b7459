import { type Column, type ColumnType, type Dataset, type DatasetRow, limits } from '@llm-eval/protocol'
import { description } from '@llm-eval/protocol/dataset-schemas'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'

/** A column as the SDKs write it. */
export const columnInput = z.object({
  slug: z.string().trim().min(1).nullish(),
  name,
  type: z.enum(['string', 'number', 'boolean', 'json', 'date', 'file']).nullish(),
  description: description.nullish(),
})

/** Rows of one request, by slug, other spellings of it, or name of a column. */
export const rowsInput = z
  .array(z.record(z.string(), z.unknown()))
  .max(limits.foreignRequestRows, `may hold at most ${limits.foreignRequestRows} rows`)

/** Takes the members of a body however they are capitalised: one of the SDKs writes `Rows` and `Values`. */
export function anyCase<Schema extends z.ZodType>(schema: Schema) {
  const lowered = (body: unknown) =>
    typeof body === 'object' && body !== null && !Array.isArray(body)
      ? Object.fromEntries(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]))
      : body
  return z.preprocess(lowered, schema)
}

/** A column type as both SDKs know it: a `date` would make every read of the dataset fail in Python. */
function outwardType(type: ColumnType): string {
  return type === 'date' ? 'string' : type
}

/** A column as it goes out. */
export function toColumn({ slug, name, type, description }: Column) {
  return { slug, name, type: outwardType(type), ...(description === null ? {} : { description }) }
}

/** A dataset as it goes out. `columns` is always there: without it Python cannot read the dataset. */
export function toDataset(dataset: Dataset) {
  const { id, slug, name, description, columns, last_version, total_rows, created_at, updated_at } = dataset
  return {
    id,
    slug,
    name,
    description: description ?? '',
    columns: columnsBySlug(columns),
    ...(last_version === null ? {} : { last_version }),
    total_columns: columns.length,
    total_rows,
    created_at,
    updated_at,
  }
}

/** Columns by slug. */
export function columnsBySlug(columns: readonly Column[]) {
  return Object.fromEntries(columns.map((column) => [column.slug, toColumn(column)]))
}

/** A row as it goes out. */
export function toRow({ id, row_index, values, created_at, updated_at }: DatasetRow) {
  return { id, row_index, values, created_at, updated_at }
}
