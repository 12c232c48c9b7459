/** Datasets as Traceloop's SDKs know them: `/v2/datasets`. */
import { limits, traceloopRoutes } from '@llm-eval/protocol'
import { description } from '@llm-eval/protocol/dataset-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import * as z from 'zod'
import {
  addColumns,
  changeColumn,
  createDataset,
  deleteDataset,
  getDataset,
  listDatasets,
  listVersions,
  newColumns,
  type Place,
  publishDataset,
  removeColumn,
  updateDataset,
} from '../datasets/datasets.ts'
import { addRows, checkRows, readPage, toRow as readRow } from '../datasets/rows.ts'
import { slugify } from '../datasets/slugs.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { column, dataset, datasetList, datasetWithRows, noBody, published, versionList } from './answers.ts'
import { columnInput, rowsInput, toColumn, toDataset, toRow } from './columns.ts'
import { versionAsCsv, versionAsJsonLines } from './version-files.ts'

const words = { name: name.nullish(), description: description.nullish() }
const contents = { columns: z.array(columnInput).nullish(), rows: rowsInput.nullish() }
const createInput = z.object({ ...words, ...contents, name, slug: name.nullish() })
const columnChange = columnInput.partial()

const byDataset = z.object({ dataset: name })
const byColumn = byDataset.extend({ column: name })
const byVersion = byDataset.extend({ version: name })

/** The datasets of the caller. */
export function placeOf({ store, now }: Deps, request: FastifyRequest): Place {
  return { store, now, projectId: request.principal.projectId }
}

/** Serves the routes of datasets, their columns and versions; those of rows have a file of their own. */
export function registerDatasets(app: App, deps: Deps): void {
  registerWholes(app, deps)
  registerColumns(app, deps)
  registerVersions(app, deps)
}

function registerWholes(app: App, deps: Deps): void {
  mount(app, traceloopRoutes.listTraceloopDatasets, {
    schema: { response: { 200: datasetList } },
    handler: async (request) => {
      const datasets = (await listDatasets(placeOf(deps, request))).map(toDataset)
      return { datasets, total: datasets.length }
    },
  })
  mount(app, traceloopRoutes.createTraceloopDataset, {
    schema: { body: createInput, response: { 201: datasetWithRows } },
    bodyLimit: limits.foreignBodyBytes,
    handler: async (request, reply) => {
      const { body } = request
      const place = placeOf(deps, request)
      const columns = newColumns((body.columns ?? []).map(wishOf), [])
      // Rows that do not fit leave no dataset behind.
      checkRows(body.rows ?? [], columns, 'lenient')
      const made = await createDataset(place, {
        name: body.name,
        slug: slugOf(body.slug),
        description: body.description ?? undefined,
        columns,
      })
      return reply.code(201).send(await filled(place, made.id, { rows: body.rows, mode: 'append' }))
    },
  })
  mount(app, traceloopRoutes.getTraceloopDataset, {
    schema: { params: byDataset, response: { 200: datasetWithRows } },
    handler: async (request) => withRows(placeOf(deps, request), request.params.dataset),
  })
  mount(app, traceloopRoutes.updateTraceloopDataset, {
    schema: { params: byDataset, body: z.object(words), response: { 200: noBody } },
    handler: async (request, reply) => {
      await updateDataset(placeOf(deps, request), request.params.dataset, wordsOf(request.body))
      return reply.send()
    },
  })
  mount(app, traceloopRoutes.deleteTraceloopDataset, {
    schema: { params: byDataset, response: { 204: z.null() } },
    handler: async (request, reply) => {
      await deleteDataset(placeOf(deps, request), request.params.dataset)
      return reply.code(204).send()
    },
  })
  mount(app, traceloopRoutes.overrideTraceloopDataset, {
    schema: { params: byDataset, body: z.object({ ...words, ...contents }), response: { 200: datasetWithRows } },
    bodyLimit: limits.foreignBodyBytes,
    handler: async (request) => {
      const { body } = request
      const place = placeOf(deps, request)
      const columns = body.columns ? newColumns(body.columns.map(wishOf), []) : undefined
      // Rows that do not fit must not cost the columns and their values.
      checkRows(body.rows ?? [], columns ?? (await getDataset(place, request.params.dataset)).columns, 'lenient')
      const { id } = await updateDataset(place, request.params.dataset, { ...wordsOf(body), columns })
      return filled(place, id, { rows: body.rows, mode: 'replace' })
    },
  })
}

function registerColumns(app: App, deps: Deps): void {
  mount(app, traceloopRoutes.addTraceloopColumn, {
    schema: { params: byDataset, body: columnInput, response: { 200: column } },
    handler: async (request) => {
      const added = await addColumns(placeOf(deps, request), request.params.dataset, [wishOf(request.body)])
      return added.map(toColumn)[0]
    },
  })
  mount(app, traceloopRoutes.updateTraceloopColumn, {
    schema: { params: byColumn, body: columnChange, response: { 200: dataset } },
    handler: async (request) => {
      const { params, body } = request
      const place = placeOf(deps, request)
      await changeColumn(place, params, { ...wordsOf(body), type: body.type ?? undefined })
      return toDataset(await getDataset(place, params.dataset))
    },
  })
  mount(app, traceloopRoutes.deleteTraceloopColumn, {
    schema: { params: byColumn, response: { 200: noBody } },
    handler: async (request, reply) => {
      await removeColumn(placeOf(deps, request), request.params.dataset, request.params.column)
      return reply.send()
    },
  })
}

function registerVersions(app: App, deps: Deps): void {
  mount(app, traceloopRoutes.publishTraceloopDataset, {
    schema: {
      params: byDataset,
      body: z.object({ version: name.nullish(), description: z.string().nullish() }),
      response: { 200: published },
    },
    handler: async (request) => {
      const place = placeOf(deps, request)
      const { version } = await publishDataset(place, request.params.dataset, {
        version: request.body.version ?? null,
        by: request.principal.name,
      })
      // One of the SDKs takes the answer for the whole dataset from here on.
      const whole = toDataset(await getDataset(place, request.params.dataset))
      return { ...whole, dataset_id: whole.id, version, published: true }
    },
  })
  mount(app, traceloopRoutes.listTraceloopVersions, {
    schema: { params: byDataset, response: { 200: versionList } },
    handler: async (request) => {
      const place = placeOf(deps, request)
      const { id, slug } = await getDataset(place, request.params.dataset)
      const versions = (await listVersions(place, id)).map((one) => ({
        version: one.version,
        published_by: one.published_by ?? '',
        published_at: one.published_at,
      }))
      return { dataset_id: id, dataset_slug: slug, versions, total: versions.length }
    },
  })
  mount(app, traceloopRoutes.getTraceloopVersion, {
    schema: { params: byVersion, response: { 200: versionAsCsv.described } },
    handler: (request, reply) => versionAsCsv.send(placeOf(deps, request), { request, reply, ...request.params }),
  })
  mount(app, traceloopRoutes.getTraceloopVersionJsonl, {
    schema: { params: byVersion, response: { 200: versionAsJsonLines.described } },
    handler: (request, reply) => versionAsJsonLines.send(placeOf(deps, request), { request, reply, ...request.params }),
  })
}

function wishOf({ slug, name: called, type, description }: z.infer<typeof columnInput>) {
  return {
    name: called,
    slug: slugify(slug ?? '') || undefined,
    type: type ?? 'string',
    description: description ?? undefined,
  }
}

/** A slug is kept as it was given, so that it is found again, unless no address could hold it. */
function slugOf(given: string | null | undefined): string | undefined {
  if (given === null || given === undefined) return undefined
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(given) ? given : slugify(given) || undefined
}

/** Null is: as it was. */
function wordsOf({
  name: called,
  description,
}: {
  name?: string | null | undefined
  description?: string | null | undefined
}) {
  return { name: called ?? undefined, description: description ?? undefined }
}

async function filled(
  place: Place,
  id: string,
  { rows, mode }: { rows: z.infer<typeof rowsInput> | null | undefined; mode: 'append' | 'replace' },
) {
  if (rows && (rows.length > 0 || mode === 'replace')) await addRows(place, id, { rows, mode, reading: 'lenient' })
  return withRows(place, id)
}

/** The dataset with its first rows: Python has no other way to them. */
async function withRows(place: Place, key: string) {
  const found = await getDataset(place, key)
  const rows = []
  let cursor: string | null = null
  let bytes = 0
  do {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(place, found.id, {
      version: null,
      limit: limits.foreignPageRows,
      cursor,
    })
    for (const item of page.items) {
      bytes += item.values.length
      rows.push(readRow(item, page.columns))
    }
    cursor = page.nextCursor
  } while (cursor !== null && rows.length < limits.foreignDatasetRows && bytes < limits.foreignBodyBytes)
  return { ...toDataset(found), rows: rows.map(toRow) }
}
