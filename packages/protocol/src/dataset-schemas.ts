/** Datasets as zod schemas: what their routes accept, and, for the API description and the tests, what they answer. */
import * as z from 'zod'
import {
  columnTypes,
  type Column,
  type Dataset,
  type DatasetRow,
  type DatasetVersion,
  type ImportReport,
} from './datasets.ts'
import { limits } from './limits.ts'
import { name } from './schemas.ts'

// What is accepted.

const slugText = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(limits.nameChars, `may hold at most ${limits.nameChars} characters`)

/** The name of a dataset in addresses; as it is given, so that clients find it again. */
const datasetSlug = slugText.regex(
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  'must begin with a letter or digit, and hold only those, dots, dashes and underscores',
)

const columnSlug = slugText.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be of lower-case letters, digits and single dashes')

/** What a dataset or a column is about. */
export const description = z
  .string()
  .max(limits.noteChars, `may hold at most ${limits.noteChars} characters`)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be well-formed Unicode without NUL')

/** A column as it is added; the slug is made of the name unless given. */
export const columnInput = z.strictObject({
  name,
  slug: columnSlug.optional().describe('Its name in rows; made of the name unless said.'),
  type: z.enum(columnTypes).default('string'),
  description: description.nullish(),
})
export type ParsedColumn = z.infer<typeof columnInput>

/** `POST /api/v1/datasets`. The slug is made of the name unless given. */
export const datasetInput = z.strictObject({
  name,
  slug: datasetSlug.optional().describe('Its name in addresses; made of the name unless said.'),
  description: description.nullish(),
  columns: z
    .array(columnInput)
    .max(limits.datasetColumns, `may hold at most ${limits.datasetColumns} columns`)
    .default([])
    .describe('Each is a `name`, with `slug`, `type` and `description` if you like.'),
})
export type ParsedDataset = z.infer<typeof datasetInput>

/** `PATCH /api/v1/datasets/:dataset`. */
export const datasetChange = z.strictObject({ name: name.optional(), description: description.nullish() })

/** `PATCH /api/v1/datasets/:dataset/columns/:column`. Values that are there stay as they are when the type changes. */
export const columnChange = z.strictObject({
  name: name.optional(),
  type: z.enum(columnTypes).optional(),
  description: description.nullish(),
})

const values = z.record(z.string(), z.unknown()).describe('By column slug; other spellings of it and its name do too.')

/** `POST /api/v1/datasets/:dataset/rows`. */
export const rowsInput = z.strictObject({
  rows: z.array(values).max(limits.requestRows, `may hold at most ${limits.requestRows} rows; import a file instead`),
  mode: z.enum(['append', 'replace']).default('append').describe('`replace` empties the draft first.'),
})

/** `PATCH /api/v1/datasets/:dataset/rows/:row_id`: values that change; null takes one away. */
export const rowChange = z.strictObject({ values })

/** `POST /api/v1/datasets/:dataset/rows/from-trace`. */
export const traceRowInput = z.strictObject({
  trace_id: name,
  values: values.optional().describe('Go before what the trace gives.'),
})

/** `POST /api/v1/datasets/:dataset/publish`. Without a body the version is `v1`, `v2`, … */
export const publishInput = z.strictObject({
  version: datasetSlug.nullish().describe('Its name; `v1`, `v2`, … unless said.'),
})

const limit = z
  .string()
  .regex(/^[0-9]{1,9}$/, 'must be a whole number')
  .transform(Number)
  .refine((rows) => rows >= 1 && rows <= limits.pageRows, `must lie between 1 and ${limits.pageRows}`)

/** `GET /api/v1/datasets/:dataset/rows`. */
export const rowsQuery = z.strictObject({
  version: name.optional().describe('A published version; the draft unless said.'),
  limit: limit.default(50).describe(`How many, 1 to ${limits.pageRows}; 50 if absent.`),
  cursor: z.string().max(400).optional().describe('`next_cursor` of the page before.'),
})

/** Files that rows come from and go to. */
export const fileFormats = ['csv', 'jsonl', 'json'] as const
export type FileFormat = (typeof fileFormats)[number]

/** `POST /api/v1/datasets/:dataset/import`. The content type decides unless the format is named. */
export const importQuery = z.strictObject({
  format: z.enum(fileFormats).optional().describe('The content type decides unless it is named.'),
})

/** `GET /api/v1/datasets/:dataset/export`. */
export const rowsExportQuery = z.strictObject({
  format: z.enum(fileFormats).default('jsonl'),
  version: name.optional().describe('A published version; the draft unless said.'),
})

// What is answered.

const time = z.string().describe('RFC 3339, UTC')
const count = z.int().nonnegative()

const column = z.object({
  slug: z.string(),
  name: z.string(),
  type: z.enum(columnTypes),
  description: z.string().nullable(),
}) satisfies z.ZodType<Column>

/** A dataset. */
export const dataset = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  columns: z.array(column),
  total_rows: count.describe('Of the draft.'),
  last_version: z.string().nullable(),
  changed: z.boolean().describe('Whether the draft differs from the newest version.'),
  created_at: time,
  updated_at: time,
}) satisfies z.ZodType<Dataset>

/** Answer of `GET /api/v1/datasets`: newest first. */
export const datasetList = z.object({ items: z.array(dataset) })

/** A row of a dataset. */
export const datasetRow = z.object({
  id: z.string(),
  row_index: count,
  values: z.record(z.string(), z.unknown()).describe('By column slug; null where there is no value.'),
  trace_id: z.string().nullable(),
  created_at: time,
  updated_at: time,
}) satisfies z.ZodType<DatasetRow>

/** Answer of `GET /api/v1/datasets/:dataset/rows`. */
export const rowPage = z.object({
  items: z.array(datasetRow),
  total: count,
  next_cursor: z.string().nullable(),
})

/** Answer of `POST /api/v1/datasets/:dataset/rows`. */
export const addedRows = z.object({ items: z.array(datasetRow) })

const version = z.object({
  version: z.string(),
  rows: count.describe('As many as it shows now.'),
  erased: count.describe('Rows that were taken out since, because the trace they came from was deleted.'),
  published_by: z.string().nullable(),
  published_at: time,
}) satisfies z.ZodType<DatasetVersion>

/** Answer of `GET /api/v1/datasets/:dataset/versions`: newest first. */
export const versionList = z.object({ items: z.array(version) })

/** Answer of `POST /api/v1/datasets/:dataset/publish`. */
export const published = z.object({
  version: z.string(),
  created: z.boolean().describe('False: the draft had not changed since this version.'),
  dataset,
})

/** Answer of `POST /api/v1/datasets/:dataset/import`. */
export const importReport = z.object({
  dataset: z.string(),
  imported: count,
  columns: z.array(z.string()).describe('Slugs of the columns that were made.'),
  refused: count,
  errors: z.array(z.object({ line: count, message: z.string() })).max(limits.importErrors),
  complete: z.boolean().describe('False: what stands behind the line of the last error was not read.'),
}) satisfies z.ZodType<ImportReport>
