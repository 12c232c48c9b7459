import {
  columnTypes,
  type Column,
  type Dataset,
  datasetRoutes,
  type DatasetRow,
  type DatasetVersion,
  type ImportReport,
  pathTo,
} from '@llm-eval/protocol'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { anything, flag, list, nullable, number, oneOf, record, shape, text } from './checks.ts'
import { type Api, ApiError } from './client.ts'

const column = shape<Column>({ slug: text, name: text, type: oneOf(columnTypes), description: nullable(text) })

const dataset = shape<Dataset>({
  id: text,
  slug: text,
  name: text,
  description: nullable(text),
  columns: list(column),
  total_rows: number,
  last_version: nullable(text),
  changed: flag,
  created_at: text,
  updated_at: text,
})

const row = shape<DatasetRow>({
  id: text,
  row_index: number,
  values: record,
  trace_id: nullable(text),
  created_at: text,
  updated_at: text,
})

const version = shape<DatasetVersion>({
  version: text,
  rows: number,
  erased: number,
  published_by: nullable(text),
  published_at: text,
})

interface RowPage {
  items: DatasetRow[]
  total: number
  next_cursor: string | null
}
const rowPage = shape<RowPage>({ items: list(row), total: number, next_cursor: nullable(text) })

const report = shape<ImportReport>({
  dataset: text,
  imported: number,
  columns: list(text),
  refused: number,
  errors: list(shape<{ line: number; message: string }>({ line: number, message: text })),
  complete: flag,
})

const pageRows = '100'

/** How datasets are read. Everything of one stands under its own key. */
export function datasetQueries(api: Api) {
  return {
    datasets: () =>
      queryOptions({
        queryKey: ['datasets'],
        queryFn: ({ signal }) =>
          api({
            route: datasetRoutes.listDatasets,
            answer: shape<{ items: Dataset[] }>({ items: list(dataset) }),
            signal,
          }),
        staleTime: 2_000,
      }),
    dataset: (slug: string) =>
      queryOptions({
        queryKey: ['dataset', slug],
        queryFn: ({ signal }) =>
          api({ route: datasetRoutes.getDataset, path: { dataset: slug }, answer: dataset, signal }),
        staleTime: 2_000,
      }),
    versions: (slug: string) =>
      queryOptions({
        queryKey: ['dataset', slug, 'versions'],
        queryFn: ({ signal }) =>
          api({
            route: datasetRoutes.listVersions,
            path: { dataset: slug },
            answer: shape<{ items: DatasetVersion[] }>({ items: list(version) }),
            signal,
          }),
        staleTime: 2_000,
      }),
    /** `of` is a version; undefined is the draft. */
    rows: (slug: string, of: string | undefined) =>
      infiniteQueryOptions({
        queryKey: ['dataset', slug, 'rows', of ?? null],
        initialPageParam: '',
        queryFn: ({ pageParam, signal }) => {
          const query = new URLSearchParams({ limit: pageRows })
          if (pageParam !== '') query.set('cursor', pageParam)
          if (of !== undefined) query.set('version', of)
          return api({ route: datasetRoutes.listRows, path: { dataset: slug }, query, answer: rowPage, signal })
        },
        getNextPageParam: (last) => last.next_cursor,
        staleTime: 2_000,
      }),
  }
}

export function createDataset(api: Api, name: string, description: string): Promise<Dataset> {
  const body = { name, ...(description === '' ? {} : { description }) }
  return api({ route: datasetRoutes.createDataset, body, answer: dataset })
}

export async function deleteDataset(api: Api, slug: string): Promise<void> {
  await api({ route: datasetRoutes.deleteDataset, path: { dataset: slug }, answer: anything })
}

/** The version that shows the draft as it is now. */
export async function publishDataset(api: Api, slug: string): Promise<{ version: string; created: boolean }> {
  const answer = shape<{ version: string; created: boolean }>({ version: text, created: flag })
  return api({ route: datasetRoutes.publishDataset, path: { dataset: slug }, body: {}, answer })
}

/** One row of the draft. */
export interface RowPlace {
  dataset: string
  row_id: string
}

export async function changeRow(api: Api, place: RowPlace, values: Record<string, unknown>): Promise<void> {
  await api({ route: datasetRoutes.updateRow, path: { ...place }, body: { values }, answer: anything })
}

export async function deleteRow(api: Api, place: RowPlace): Promise<void> {
  await api({ route: datasetRoutes.deleteRow, path: { ...place }, answer: anything })
}

/** Adds a stored trace as a row; once, however often it is asked. */
export async function addTrace(api: Api, slug: string, traceId: string): Promise<void> {
  const body = { trace_id: traceId }
  await api({ route: datasetRoutes.addTraceRow, path: { dataset: slug }, body, answer: anything })
}

/** Where a file of the rows is downloaded from. */
export function exportAddress(slug: string, format: 'csv' | 'jsonl' | 'json', of: string | undefined): string {
  const query = new URLSearchParams({ format, ...(of === undefined ? {} : { version: of }) })
  return `${pathTo(datasetRoutes.exportDataset, { dataset: slug })}?${query}`
}

const types: Record<string, string> = {
  csv: 'text/csv',
  jsonl: 'application/jsonl',
  ndjson: 'application/jsonl',
  json: 'application/json',
}

/**
 * Sends a file of rows, and tells how far it is, in [0, 1]. `fetch` cannot tell that, so this is the old way.
 *
 * @throws {ApiError} when the server refuses the file
 */
export function importFile(slug: string, file: File, onProgress: (share: number) => void): Promise<ImportReport> {
  const ending = file.name.split('.').at(-1)?.toLowerCase() ?? ''
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', pathTo(datasetRoutes.importRows, { dataset: slug }))
    request.setRequestHeader('content-type', types[ending] ?? 'text/csv')
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total))
    request.addEventListener('error', () =>
      reject(new ApiError('The server cannot be reached.', { code: 'unreachable' })),
    )
    request.addEventListener('load', () => {
      try {
        const said: unknown = JSON.parse(request.responseText)
        if (request.status < 300) return resolve(report(said, ''))
        const { detail, next } = record(said, '')
        reject(
          new ApiError(typeof detail === 'string' ? detail : `The server answered ${request.status}.`, {
            status: request.status,
            next: typeof next === 'string' ? next : '',
          }),
        )
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    request.send(file)
  })
}
