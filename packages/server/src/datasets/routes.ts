/** Serves datasets: `/api/v1/datasets`. */
import { type Dataset, datasetRoutes, Failure, limits } from '@llm-eval/protocol'
import {
  addedRows,
  columnChange,
  columnInput,
  dataset,
  datasetChange,
  datasetInput,
  datasetList,
  datasetRow,
  importQuery,
  importReport,
  published,
  publishInput,
  rowChange,
  rowPage,
  rowsExportQuery,
  rowsInput,
  rowsQuery,
  traceRowInput,
  versionList,
} from '@llm-eval/protocol/dataset-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { App, Deps } from '../http/app.ts'
import { acceptRawJson } from '../http/bodies.ts'
import { described, mount } from '../http/mount.ts'
import { pagedBody } from '../http/paged-body.ts'
import { openBody } from '../http/streamed-body.ts'
import {
  addColumns,
  changeColumn,
  createDataset,
  deleteDataset,
  getDataset,
  listDatasets,
  listVersions,
  type Place,
  publishDataset,
  removeColumn,
  updateDataset,
} from './datasets.ts'
import { exactJson } from './exact-json.ts'
import { exportPages, fileName } from './export.ts'
import { addTrace } from './from-trace.ts'
import { importRows } from './import.ts'
import { addRows, deleteRow, readPage, toRow, updateRow } from './rows.ts'

const byDataset = z.object({ dataset: name })
const byColumn = byDataset.extend({ column: name })
const byRow = byDataset.extend({ row_id: name })

/** Serves the routes of datasets. */
export function registerDatasets(app: App, deps: Deps): void {
  mountDatasets(app, deps)
  mountColumns(app, deps)
  mountRows(app, deps)
  mountVersions(app, deps)
  app.register((scope, _options, done) => {
    mountRowBodies(scope, deps)
    done()
  })
  app.register((scope, _options, done) => {
    mountImport(scope, deps)
    done()
  })
}

function placeOf({ store, now }: Deps, { principal }: FastifyRequest): Place {
  return { store, now, projectId: principal.projectId }
}

function mountDatasets(app: App, deps: Deps): void {
  mount(app, datasetRoutes.listDatasets, {
    schema: { response: { 200: datasetList } },
    handler: async (request) => ({ items: await listDatasets(placeOf(deps, request)) }),
  })
  mount(app, datasetRoutes.createDataset, {
    schema: { body: datasetInput, response: { 201: dataset } },
    handler: async (request, reply) => {
      const made = await createDataset(placeOf(deps, request), request.body)
      return reply.code(201).send(made)
    },
  })
  mount(app, datasetRoutes.getDataset, {
    schema: { params: byDataset, response: { 200: dataset } },
    handler: async (request) => getDataset(placeOf(deps, request), request.params.dataset),
  })
  mount(app, datasetRoutes.updateDataset, {
    schema: { params: byDataset, body: datasetChange, response: { 200: dataset } },
    handler: async (request) => updateDataset(placeOf(deps, request), request.params.dataset, request.body),
  })
  mount(app, datasetRoutes.deleteDataset, {
    schema: { params: byDataset, response: { 204: z.null() } },
    handler: async (request, reply) => {
      await deleteDataset(placeOf(deps, request), request.params.dataset)
      return reply.code(204).send()
    },
  })
}

function mountColumns(app: App, deps: Deps): void {
  const after = (request: FastifyRequest, key: string): Promise<Dataset> => getDataset(placeOf(deps, request), key)
  mount(app, datasetRoutes.addColumn, {
    schema: { params: byDataset, body: columnInput, response: { 201: dataset } },
    handler: async (request, reply) => {
      await addColumns(placeOf(deps, request), request.params.dataset, [request.body])
      return reply.code(201).send(await after(request, request.params.dataset))
    },
  })
  mount(app, datasetRoutes.updateColumn, {
    schema: { params: byColumn, body: columnChange, response: { 200: dataset } },
    handler: async (request) => {
      await changeColumn(placeOf(deps, request), request.params, request.body)
      return after(request, request.params.dataset)
    },
  })
  mount(app, datasetRoutes.deleteColumn, {
    schema: { params: byColumn, response: { 200: dataset } },
    handler: async (request) => {
      await removeColumn(placeOf(deps, request), request.params.dataset, request.params.column)
      return after(request, request.params.dataset)
    },
  })
}

function mountRows(app: App, deps: Deps): void {
  mount(app, datasetRoutes.listRows, {
    schema: { params: byDataset, querystring: rowsQuery, response: { 200: rowPage } },
    handler: async (request) => {
      const { version = null, cursor = null, limit } = request.query
      const page = await readPage(placeOf(deps, request), request.params.dataset, { version, cursor, limit })
      const items = page.items.map((row) => toRow(row, page.columns))
      return { items, total: page.total, next_cursor: page.nextCursor }
    },
  })
  mount(app, datasetRoutes.deleteRow, {
    schema: { params: byRow, response: { 204: z.null() } },
    handler: async (request, reply) => {
      await deleteRow(placeOf(deps, request), request.params.dataset, request.params.row_id)
      return reply.code(204).send()
    },
  })
  mount(app, datasetRoutes.exportDataset, {
    schema: { params: byDataset, querystring: rowsExportQuery, response: { 200: exported } },
    handler: async (request, reply) => {
      const place = placeOf(deps, request)
      const { format, version = null } = request.query
      const { slug } = await getDataset(place, request.params.dataset)
      const rows = await pagedBody(exportPages(place, request.params.dataset, { format, version }))
      reply
        .type(mediaTypes[format])
        .header('content-disposition', `attachment; filename="${fileName(slug, version, format)}"`)
        .header('cache-control', 'no-store')
      if (request.method !== 'HEAD') return reply.send(rows)
      rows.destroy()
      return reply.send()
    },
  })
}

const mediaTypes = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/jsonl; charset=utf-8',
  json: 'application/json; charset=utf-8',
} as const

const rowValues = z.record(z.string(), z.unknown())
const exported = described('One row a line, its values by the slugs of the columns.', {
  'application/jsonl': rowValues,
  'text/csv': z.string(),
  'application/json': z.array(rowValues),
})

/** Values keep the digits of their numbers, so these bodies are read from their bytes. */
function mountRowBodies(app: App, deps: Deps): void {
  acceptRawJson(app, { maxBytes: limits.requestRowsBytes })
  mount(app, datasetRoutes.addRows, {
    schema: { params: byDataset, response: { 201: addedRows } },
    describedBody: rowsInput,
    handler: async (request, reply) => {
      const wish = exactJson(request.body, rowsInput)
      const items = await addRows(placeOf(deps, request), request.params.dataset, wish)
      return reply.code(201).send({ items })
    },
  })
  mount(app, datasetRoutes.addTraceRow, {
    schema: { params: byDataset, response: { 200: datasetRow, 201: datasetRow } },
    describedBody: traceRowInput,
    handler: async (request, reply) => {
      const { trace_id: traceId, values } = exactJson(request.body, traceRowInput)
      const { row, added } = await addTrace(placeOf(deps, request), request.params.dataset, { traceId, values })
      return reply.code(added ? 201 : 200).send(row)
    },
  })
  mount(app, datasetRoutes.updateRow, {
    schema: { params: byRow, response: { 200: datasetRow } },
    describedBody: rowChange,
    handler: async (request) => {
      const { dataset: key, row_id: rowId } = request.params
      return updateRow(placeOf(deps, request), { dataset: key, rowId }, exactJson(request.body, rowChange))
    },
  })
}

function mountVersions(app: App, deps: Deps): void {
  mount(app, datasetRoutes.publishDataset, {
    schema: { params: byDataset, response: { 200: published, 201: published } },
    describedBody: publishInput,
    handler: async (request, reply) => {
      const wish = publishInput.safeParse(request.body ?? {})
      if (!wish.success) throw new Failure('invalid_request', { errors: faultsOf(wish.error.issues, publishInput) })
      const place = placeOf(deps, request)
      const version = { version: wish.data.version ?? null, by: request.principal.name }
      const made = await publishDataset(place, request.params.dataset, version)
      const now = await getDataset(place, request.params.dataset)
      return reply.code(made.created ? 201 : 200).send({ ...made, dataset: now })
    },
  })
  mount(app, datasetRoutes.listVersions, {
    schema: { params: byDataset, response: { 200: versionList } },
    handler: async (request) => ({ items: await listVersions(placeOf(deps, request), request.params.dataset) }),
  })
}

const importedRow = z.record(z.string(), z.unknown())
const importedFile = described('A file; `format`, or else the content type, says which kind.', {
  'text/csv': z.string().describe('A header with the names of the columns, then a line for each row.'),
  'application/jsonl': importedRow.describe('One such object a line, its values by the name or slug of the column.'),
  'application/json': z.array(importedRow).describe('A list of such objects.'),
})

/** Memory that an import takes at most, for what it reads ahead and what it stores at once. */
const importMemory = 8 * 1024 * 1024

function mountImport(app: App, deps: Deps): void {
  app.removeAllContentTypeParsers()
  // The body is not read before the handler wants it.
  app.addContentTypeParser('*', (_request, stream, done) => done(null, stream))
  mount(app, datasetRoutes.importRows, {
    schema: { params: byDataset, querystring: importQuery, response: { 200: importReport } },
    describedBody: importedFile,
    handler: async (request, reply) => {
      const body = openBody(request.raw, limits.importBytes)
      try {
        const format = request.query.format ?? formatOf(request.headers['content-type'])
        refuseTooLarge(request)
        if (!app.bodyBudget.take(importMemory)) throw new Failure('overloaded', { retryAfter: 1 })
        request.claimedBytes += importMemory
        const report = await importRows(placeOf(deps, request), request.params.dataset, { chunks: body.chunks, format })
        if (!(await body.drain())) reply.header('connection', 'close')
        return report
      } catch (error) {
        // Whoever is still sending shall come to read why it was in vain.
        const hopeless = error instanceof Failure && error.cause === 'not drained'
        if (!hopeless && !(await body.drain()) && error instanceof Failure) error.cause = 'not drained'
        throw error
      }
    },
  })
}

function refuseTooLarge({ headers }: FastifyRequest): void {
  if (Number(headers['content-length']) > limits.importBytes)
    throw new Failure('body_too_large', { values: { max: limits.importBytes }, cause: 'not drained' })
}

const formatsByType: Record<string, 'csv' | 'jsonl' | 'json'> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/csv': 'csv',
  'application/jsonl': 'jsonl',
  'application/x-jsonlines': 'jsonl',
  'application/x-ndjson': 'jsonl',
  'application/ndjson': 'jsonl',
  'application/json': 'json',
}

function formatOf(contentType: string | undefined): 'csv' | 'jsonl' | 'json' {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const format = formatsByType[type]
  if (format) return format
  const message = 'say what the file is: csv, jsonl or json, here or as its content type'
  throw new Failure('invalid_query', { errors: [{ path: 'format', message }] })
}
