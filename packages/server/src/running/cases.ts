/** The cases of a run: rows of a dataset, read a page at a time. */
import { createCaseReader, type RunCase } from '@llm-eval/engine'
import { Failure, isObject, limits, type RunTask } from '@llm-eval/protocol'
import type { Queries, Store, StoredRun } from '@llm-eval/store'

const pageRows = 500
/** Columns that name a case, so that it is found again when its dataset is imported anew. */
const idColumns = ['id', 'case-id']

/** Where the cases of a run are. */
export interface CasesOf {
  store: Store
  projectId: number
  run: Pick<StoredRun, 'datasetId' | 'datasetVersion'>
  task: RunTask
}

/**
 * The cases in the order of the dataset.
 *
 * @param traces is told the trace that a case was made of
 * @throws {Failure} `dataset_not_found`, `version_not_found`, when they are read
 */
export async function* readCases(
  { store, projectId, run, task }: CasesOf,
  traces: Map<string, string>,
): AsyncGenerator<RunCase, void, undefined> {
  const outputs = task.kind === 'outputs' ? task.column : undefined
  const caseOf = createCaseReader(outputs)
  const dataset = run.datasetId ?? ''
  let cursor: string | null = null
  do {
    const page: Queries['rows']['out'] = await store.read(projectId, 'rows', {
      dataset,
      version: run.datasetVersion,
      limit: pageRows,
      bytes: limits.streamPageBytes,
      cursor,
    })
    if ('notFound' in page)
      throw page.notFound === 'dataset'
        ? new Failure('dataset_not_found', { values: { dataset } })
        : new Failure('version_not_found', { values: { what: dataset, version: run.datasetVersion ?? '' } })
    if ('invalidCursor' in page) throw new Error('the dataset cannot be read on')
    for (const row of page.items) {
      const values = valuesOf(row.values)
      const id = idOf(values) ?? row.id
      if (row.traceId !== null) traces.set(id, row.traceId)
      yield caseOf({ id, values })
    }
    cursor = page.nextCursor
  } while (cursor !== null)
}

function valuesOf(json: string): Record<string, unknown> {
  const values: unknown = JSON.parse(json)
  if (!isObject(values)) throw new Error('a row of the dataset holds no values')
  return values
}

function idOf(values: Readonly<Record<string, unknown>>): string | undefined {
  for (const column of idColumns) {
    const value = values[column]
    if (typeof value === 'number') return String(value)
    if (typeof value === 'string' && value !== '' && value.length <= limits.nameChars) return value
  }
  return undefined
}
