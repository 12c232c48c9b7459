import { type Column, type DatasetRow, Failure } from '@llm-eval/protocol'
import type { StoredTrace, TraceBody } from '@llm-eval/store'
import { parseExactly } from '../intake/numbers.ts'
import { addMissingColumns, getDataset, newId, type Place } from './datasets.ts'
import { storeRows, toRow } from './rows.ts'
import { columnFinder } from './slugs.ts'
import { checkRow } from './values.ts'

/** What a trace gives to a row, by the columns that are made for it where they are missing. */
const parts: { slug: string; name: string; type: Column['type']; of: (trace: TraceBody) => unknown }[] = [
  { slug: 'input', name: 'Input', type: 'string', of: (trace) => trace.user_query },
  { slug: 'output', name: 'Output', type: 'string', of: (trace) => trace.ai_response },
  { slug: 'system-prompt', name: 'System prompt', type: 'string', of: (trace) => trace.system_prompt || undefined },
  { slug: 'tool-calls', name: 'Tool calls', type: 'json', of: (trace) => filled(trace.functions_called) },
  { slug: 'metadata', name: 'Metadata', type: 'json', of: (trace) => filled(trace.metadata) },
]

function filled(value: object): object | undefined {
  return Object.keys(value).length > 0 ? value : undefined
}

/**
 * Adds a stored trace as a row of the draft; one that is there already is given instead. `values` go before what the trace
 * gives. Throws `dataset_not_found`, `trace_not_found`, `invalid_request`, `dataset_full`.
 */
export async function addTrace(
  place: Place,
  dataset: string,
  wish: { traceId: string; values?: Record<string, unknown> | undefined },
): Promise<{ row: DatasetRow; added: boolean }> {
  const { id, columns: before } = await getDataset(place, dataset)
  const trace = await place.store.read(place.projectId, 'trace', { traceId: wish.traceId })
  if (!trace) throw new Failure('trace_not_found')
  const body = exactBody(trace)
  const given = parts.flatMap(({ of, ...column }) => {
    const value = of(body)
    return value === undefined ? [] : [{ ...column, value }]
  })
  const missing = given
    .filter(({ slug }) => !before.some((column) => column.slug === slug))
    .map(({ slug, name, type }) => ({ slug, name, type, description: null }))
  const columns = [...before, ...missing]
  const finder = columnFinder(columns)
  // By slug, so that a value under any spelling takes the place of the trace's.
  const own = Object.entries(wish.values ?? {}).map(([key, value]) => [finder.find(key)?.slug ?? key, value] as const)
  const row = Object.fromEntries([...given.map(({ slug, value }) => [slug, value] as const), ...own])
  const { values, faults } = checkRow(row, { columns, finder, reading: 'lenient', path: 'values' })
  if (faults) throw new Failure('invalid_request', { errors: faults })
  await addMissingColumns(place, id, missing)
  const at = place.now()
  const rows = [{ id: newId('row'), values, traceId: wish.traceId }]
  const [fate] = await storeRows(place, id, { rows, mode: 'append', at })
  const stored = await place.store.read(place.projectId, 'row', { dataset: id, rowId: fate?.id ?? '' })
  if (!stored) throw new Failure('row_not_found')
  return { row: toRow(stored, (await getDataset(place, id)).columns), added: fate?.added === true }
}

function exactBody({ exactBody: text, ...trace }: StoredTrace): TraceBody {
  // The store wrote this text itself, from a trace that fitted the schema.
  return text === null ? trace : (parseExactly(text) as TraceBody)
}
