/** Rows and cells of datasets: `/v2/datasets/:dataset/rows`. */
import { Failure, limits, traceloopRoutes } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { addRows, deleteRow, readOffset, updateRow } from '../datasets/rows.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { externalFile, noBody, rowList } from './answers.ts'
import { anyCase, rowsInput, toRow } from './columns.ts'
import { placeOf } from './datasets.ts'

const values = z.record(z.string(), z.unknown())
const byDataset = z.object({ dataset: name })
const byRow = byDataset.extend({ row_id: name })
const byCell = byRow.extend({ column: name })
const wholeText = z
  .string()
  .regex(/^[0-9]{1,9}$/, 'must be a whole number')
  .transform(Number)

/** Serves the routes of rows. */
export function registerRows(app: App, deps: Deps): void {
  mount(app, traceloopRoutes.listTraceloopRows, {
    schema: {
      params: byDataset,
      querystring: z.object({ limit: wholeText.default(100), offset: wholeText.default(0) }),
      response: { 200: rowList },
    },
    handler: async (request) => {
      const at = { version: null, ...request.query }
      const { items, total } = await readOffset(placeOf(deps, request), request.params.dataset, at)
      return { rows: items.map(toRow), total }
    },
  })
  mount(app, traceloopRoutes.addTraceloopRows, {
    schema: { params: byDataset, body: anyCase(z.object({ rows: rowsInput })), response: { 201: rowList } },
    bodyLimit: limits.foreignBodyBytes,
    handler: async (request, reply) => {
      const { rows } = request.body
      const added = await addRows(placeOf(deps, request), request.params.dataset, { rows, reading: 'lenient' })
      return reply.code(201).send({ rows: added.map(toRow), total: added.length })
    },
  })
  mount(app, traceloopRoutes.updateTraceloopRow, {
    schema: { params: byRow, body: anyCase(z.object({ values })), response: { 200: noBody } },
    bodyLimit: limits.rowBytes * 2,
    handler: async (request, reply) => {
      const { dataset, row_id: rowId } = request.params
      const wish = { values: request.body.values, reading: 'lenient' } as const
      await updateRow(placeOf(deps, request), { dataset, rowId }, wish)
      // An SDK would take a body for the new row, of a shape that nobody sends.
      return reply.send()
    },
  })
  mount(app, traceloopRoutes.deleteTraceloopRow, {
    schema: { params: byRow, response: { 204: z.null() } },
    handler: async (request, reply) => {
      await deleteRow(placeOf(deps, request), request.params.dataset, request.params.row_id)
      return reply.code(204).send()
    },
  })
  mount(app, traceloopRoutes.setExternalUrl, {
    schema: {
      params: byCell,
      body: z.object({ type: z.enum(['image', 'video', 'audio', 'file']), url: z.url(), metadata: values.nullish() }),
      response: { 200: externalFile },
    },
    handler: async (request) => {
      const { dataset, row_id: rowId, column } = request.params
      const { type, url, metadata } = request.body
      // Told in the words of both SDKs, which read a cell by different members.
      const file = { type, file_type: type, storage: 'external', storage_type: 'external', storage_key: '', url }
      const cell = { ...file, metadata: metadata ?? {} }
      await updateRow(placeOf(deps, request), { dataset, rowId }, { values: { [column]: cell }, reading: 'lenient' })
      return { storage: 'external', success: true, url }
    },
  })
  for (const route of [traceloopRoutes.getUploadUrl, traceloopRoutes.confirmUpload]) {
    mount(app, route, {
      schema: { params: byCell, body: z.unknown() },
      handler: () => {
        throw new Failure('not_implemented', {
          values: { what: 'Uploading the files of cells (put them where they have an address, and send that)' },
        })
      },
    })
  }
}
