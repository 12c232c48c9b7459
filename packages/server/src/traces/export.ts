import type { TraceDetail } from '@llm-eval/protocol'
import type { Filter, Store } from '@llm-eval/store'
import { csvHeader, csvRow } from './csv.ts'
import { invalidCursor, sliceMs, toDetail } from './query.ts'

/** Which traces are exported, and from where. */
export interface Pages {
  store: Store
  projectId: number
  filter: Filter
}

export type ExportFormat = 'csv' | 'jsonl'

// Traces differ in size by four powers of ten, so the pages follow the text they hold.
const firstRows = 20
const mostRows = 200
/** Characters of one page that are aimed at. */
const pageChars = 4 * 1024 * 1024

/** All matching traces as text, newest first, page by page. */
export async function* exportPages({ store, projectId, filter }: Pages, format: ExportFormat): AsyncGenerator<Buffer> {
  // Goes out with the first page, not before it: an export that cannot begin must not look begun.
  let header = format === 'csv' ? csvHeader : ''
  let cursor: string | null = null
  let limit = firstRows
  do {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage({ store, projectId, filter }, { cursor, limit })
    const text = page.items
      .map(toDetail)
      .map(format === 'csv' ? csvRow : jsonLine)
      .join('')
    if (text.length > pageChars) limit = Math.max(1, limit >> 1)
    else if (text.length < pageChars / 4) limit = Math.min(mostRows, limit * 2)
    if (header + text !== '') yield Buffer.from(header + text)
    header = ''
    cursor = page.nextCursor
  } while (cursor !== null)
}

async function readPage({ store, projectId, filter }: Pages, at: { cursor: string | null; limit: number }) {
  const page = await store.read(projectId, 'pageTraces', { filter, ...at, sliceMs })
  if ('invalidCursor' in page) throw invalidCursor()
  return page
}

function jsonLine(trace: TraceDetail): string {
  return `${JSON.stringify(trace)}\n`
}
