import type { Column } from '@llm-eval/protocol'
import type { FileFormat } from '@llm-eval/protocol/dataset-schemas'
import { csvHeader, csvRow } from './csv.ts'
import type { Place } from './datasets.ts'
import { readPage } from './rows.ts'
import { readValues } from './values.ts'

const pageRows = 1_000

/** A name for a file of rows that any system takes, and any header can carry. */
export function fileName(dataset: string, version: string | null, format: FileFormat): string {
  return `${dataset}-${version ?? 'draft'}.${format}`.replaceAll(/[^\w.-]/g, '-')
}

/** What is exported: `version` null is the draft. */
export interface ExportWish {
  version: string | null
  format: FileFormat
}

/** All rows as text, page by page. Throws `dataset_not_found`, `version_not_found`. */
export async function* exportPages(place: Place, dataset: string, wish: ExportWish): AsyncGenerator<Buffer> {
  let cursor: string | null = null
  let isFirst = true
  // What is said of the columns at the beginning holds to the end, whatever becomes of the draft.
  let columns: readonly Column[] | undefined
  do {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(place, dataset, {
      version: wish.version,
      limit: pageRows,
      cursor,
    })
    columns ??= page.columns
    const own = columns
    const rows = page.items.map((row) => readValues(row.values, own))
    const before = isFirst ? beginning(own, wish.format) : ''
    const text = rows.map((row, n) => rowText(row, own, { format: wish.format, isFirst: isFirst && n === 0 })).join('')
    cursor = page.nextCursor
    const after = cursor === null && wish.format === 'json' ? '\n]\n' : ''
    isFirst = isFirst && rows.length === 0
    if (before + text + after !== '') yield Buffer.from(before + text + after)
  } while (cursor !== null)
}

function beginning(columns: readonly Column[], format: FileFormat): string {
  if (format === 'csv') return csvHeader(columns)
  return format === 'json' ? '[' : ''
}

function rowText(
  row: Record<string, unknown>,
  columns: readonly Column[],
  { format, isFirst }: { format: FileFormat; isFirst: boolean },
): string {
  if (format === 'csv') return csvRow(row, columns)
  if (format === 'jsonl') return `${JSON.stringify(row)}\n`
  return `${isFirst ? '' : ','}\n${JSON.stringify(row)}`
}
