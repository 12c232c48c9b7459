import { Readable } from 'node:stream'
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

/**
 * All rows as text, with one page in memory, read on as the receiver drains it. The first page is read before this
 * resolves, so that what fails at once fails with a status; what fails later destroys the stream. Throws
 * `dataset_not_found`, `version_not_found`.
 */
export async function exportRows(place: Place, dataset: string, wish: ExportWish): Promise<Readable> {
  const texts = pageTexts(place, dataset, wish)
  const first = await texts.next()
  async function* all() {
    if (first.done) return
    yield first.value
    yield* texts
  }
  return Readable.from(all(), { objectMode: false, highWaterMark: 64 * 1024 })
}

async function* pageTexts(place: Place, dataset: string, wish: ExportWish): AsyncGenerator<Buffer> {
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
