/** All items of a run as a file. */
import { Readable } from 'node:stream'
import { scoreOf } from '@llm-eval/engine'
import { csvJson, csvRecord, csvText, type RunItem, runRoutes } from '@llm-eval/protocol'
import { runExportQuery, runItem } from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { Queries, Store, StoredRun } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'
import { toItem } from '../running/wire.ts'
import { findRun } from './find.ts'
import { mapInTurns } from './in-turns.ts'

const pageItems = 200
/** Bytes of the texts of one page. */
const pageBytes = 4 * 1024 * 1024

type Format = z.infer<typeof runExportQuery>['format']

const mediaTypes = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/jsonl; charset=utf-8',
} as const

const exported = described('One item a line, in the order of the dataset.', {
  'application/jsonl': runItem,
  'text/csv': z.string(),
})

/** Serves the items of runs as files. */
export function registerRunExport(app: App, { store }: Deps): void {
  mount(app, runRoutes.exportRun, {
    schema: { params: z.object({ run_id: name }), querystring: runExportQuery, response: { 200: exported } },
    handler: async ({ principal: { projectId }, params, query: { format }, method }, reply) => {
      const run = await findRun(store, projectId, params.run_id)
      const texts = pageTexts({ store, projectId, run }, format)
      // What fails at once fails with a status; what fails later cuts the file off.
      const first = await texts.next()
      reply
        .type(mediaTypes[format])
        .header('content-disposition', `attachment; filename="run-${fileName(run.id)}.${format}"`)
        .header('cache-control', 'no-store')
      if (method === 'HEAD') return reply.send()
      return reply.send(Readable.from(all(first, texts), { objectMode: false, highWaterMark: 64 * 1024 }))
    },
  })
}

async function* all(first: IteratorResult<Buffer, void>, rest: AsyncGenerator<Buffer, void>) {
  if (first.done) return
  yield first.value
  yield* rest
}

/** The texts of the file, with one page in memory. */
async function* pageTexts(
  { store, projectId, run }: { store: Store; projectId: number; run: StoredRun },
  format: Format,
): AsyncGenerator<Buffer, void> {
  const { metricNames } = run
  const lineOf = format === 'csv' ? (item: RunItem) => csvLine(item, metricNames) : jsonLine
  let before = format === 'csv' ? csvHeader(metricNames) : ''
  let cursor: string | null = null
  do {
    const page: Queries['runItems']['out'] = await store.read(projectId, 'runItems', {
      ref: run.ref,
      filter: {},
      limit: pageItems,
      cursor,
      sliceMs: 1_000,
      bodies: 'with',
      bytes: pageBytes,
    })
    if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
    const lines = await mapInTurns(page.items, (stored) => lineOf(toItem(stored)))
    const text = before + lines.join('')
    if (text !== '') yield Buffer.from(text)
    before = ''
    cursor = page.nextCursor
  } while (cursor !== null)
}

function jsonLine(item: RunItem): string {
  return `${JSON.stringify(item)}\n`
}

const columns = ['item_index', 'case_id', 'repetition', 'status', 'input', 'expected', 'output'] as const
const lastColumns = ['error', 'error_message', 'attempts', 'response_time_ms', 'tokens', 'cost', 'trace_id'] as const

/** A metric has two columns: its value (1 and 0 where it only passes or fails), and its outcome where it has none. */
function csvHeader(metricNames: readonly string[]): string {
  const ofMetrics = metricNames.flatMap((metric) => [metric, `${metric}: outcome`])
  return csvRecord([...columns, ...ofMetrics, ...lastColumns].map(csvText))
}

function csvLine(item: RunItem, metricNames: readonly string[]): string {
  const scores = metricNames.flatMap((metric) => {
    const score = scoreOf(item.scores, metric)
    if (!score) return ['', '']
    return [cell(score.value ?? (score.passed === null ? null : Number(score.passed))), csvText(score.outcome)]
  })
  const { error } = item
  const last = [
    error?.code,
    error?.message,
    item.attempts,
    item.response_time_ms,
    item.tokens,
    item.cost,
    item.trace_id,
  ]
  return csvRecord([...columns.map((column) => cell(item[column])), ...scores, ...last.map(cell)])
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? csvText(value) : csvJson(value)
}

function fileName(id: string): string {
  return id.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 80)
}
