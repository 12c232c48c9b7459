/** Published versions as files. */
import { Readable } from 'node:stream'
import { type Column, limits } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { csvHeader, csvRow } from '../datasets/csv.ts'
import type { Place } from '../datasets/datasets.ts'
import { fileName } from '../datasets/export.ts'
import { type Page, readPage } from '../datasets/rows.ts'
import { readValues } from '../datasets/values.ts'
import { described } from '../http/mount.ts'
import { columnsBySlug } from './columns.ts'

interface Asked {
  request: FastifyRequest
  reply: FastifyReply
  dataset: string
  version: string
}

/** One JSON object a line. The first describes the columns, and clients drop it; the others are rows by slug. */
export const versionAsJsonLines = {
  described: described('A line about the columns, then a line for each row.', {
    'application/x-ndjson': z.record(z.string(), z.unknown()),
  }),
  async send(place: Place, { reply, dataset, version }: Asked) {
    const pages = await begin(place, dataset, version)
    const lines = textOf(pages, {
      head: (columns) => `${JSON.stringify({ columns: columnsBySlug(columns) })}\n`,
      row: (values) => `${JSON.stringify(values)}\n`,
    })
    // The exact type: others are taken for JSON by one SDK, or for nothing by the other.
    return reply.type('application/x-ndjson').send(lines)
  },
}

/** A table whose header names the columns. */
export const versionAsCsv = {
  described: described('A header of column names, then a line for each row. Some SDKs get it as one JSON string.', {
    'text/csv': z.string(),
    'application/json': z.string(),
  }),
  async send(place: Place, { request, reply, dataset, version }: Asked) {
    const pages = await begin(place, dataset, version)
    const text = textOf(pages, {
      head: (columns) => csvHeader(columns, 'name'),
      row: csvRow,
    })
    if (wantsJson(request)) return reply.type('application/json; charset=utf-8').send(asJsonString(text))
    const file = fileName(dataset, version, 'csv')
    reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${file}"`)
    return reply.send(text)
  },
}

/** Traceloop's SDK for Node takes nothing but JSON here; everybody else wants the table itself. */
function wantsJson({ headers }: FastifyRequest): boolean {
  return headers['x-traceloop-sdk-version'] !== undefined && /^(node|undici)\b/.test(headers['user-agent'] ?? '')
}

/** The text as one JSON string, as it comes. */
function asJsonString(text: Readable): Readable {
  async function* escaped() {
    yield Buffer.from('"')
    const decoder = new TextDecoder()
    for await (const chunk of text) {
      yield Buffer.from(
        JSON.stringify(decoder.decode(z.instanceof(Uint8Array).parse(chunk), { stream: true })).slice(1, -1),
      )
    }
    yield Buffer.from('"')
  }
  return Readable.from(escaped(), { objectMode: false })
}

interface Form {
  head: (columns: readonly Column[]) => string
  row: (values: Record<string, unknown>, columns: readonly Column[]) => string
}

function textOf(pages: AsyncIterable<Page>, { head, row }: Form): Readable {
  async function* texts() {
    let begun = false
    for await (const { items, columns } of pages) {
      const lines = items.map((item) => row(readValues(item.values, columns), columns))
      yield Buffer.from((begun ? '' : head(columns)) + lines.join(''))
      begun = true
    }
  }
  return Readable.from(texts(), { objectMode: false, highWaterMark: 64 * 1024 })
}

/** The first page is read before the answer begins, so that what is missing is still told by the status. */
async function begin(place: Place, dataset: string, version: string): Promise<AsyncIterable<Page>> {
  const limit = limits.foreignPageRows
  const first = await readPage(place, dataset, { version, limit, cursor: null })
  async function* pages() {
    let page = first
    for (;;) {
      yield page
      if (page.nextCursor === null) return
      page = await readPage(place, dataset, { version, limit, cursor: page.nextCursor })
    }
  }
  return pages()
}
