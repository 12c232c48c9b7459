import { randomUUID } from 'node:crypto'
import type { Column } from '@llm-eval/protocol'
import { expect } from 'vitest'
import type { NewRow, StoredRow } from '../datasets.ts'
import { now, type Room } from './room.contract.ts'

/** A column of a dataset. */
export const column = (slug: string, type: Column['type'] = 'string'): Column => ({
  slug,
  name: slug.toUpperCase(),
  type,
  description: null,
})

let made = 0
/** A row like any other, with an id of its own. */
export const newRow = (values: object = { q: ++made }, traceId: string | null = null): NewRow => ({
  id: `row_${randomUUID()}`,
  values: JSON.stringify(values),
  traceId,
})

/** A dataset in a room, as tests speak to it. */
export class Rows {
  readonly room: Room
  readonly slug: string

  constructor(room: Room, slug: string) {
    this.room = room
    this.slug = slug
  }

  async add(...rows: NewRow[]) {
    return this.room.apply({ kind: 'addRows', dataset: this.slug, rows, mode: 'append', at: now })
  }

  async replace(...rows: NewRow[]) {
    return this.room.apply({ kind: 'addRows', dataset: this.slug, rows, mode: 'replace', at: now })
  }

  publish(version: string | null = null) {
    return this.room.apply({ kind: 'publishDataset', dataset: this.slug, version, by: 'Ann', at: now + 5 })
  }

  update(row: NewRow, values: object) {
    const change = { dataset: this.slug, rowId: row.id, values: JSON.stringify(values), at: now + 9 }
    return this.room.apply({ kind: 'updateRow', ...change })
  }

  remove(row: NewRow) {
    return this.room.apply({ kind: 'deleteRow', dataset: this.slug, rowId: row.id, at: now })
  }

  dataset() {
    return this.room.read('dataset', { dataset: this.slug })
  }

  /** All rows, by as many pages as it takes. */
  async all(version: string | null = null, limit = 3): Promise<StoredRow[]> {
    const items: StoredRow[] = []
    let cursor: string | null = null
    do {
      const page = await this.page({ version, limit, cursor })
      expect(page.items.length).toBeLessThanOrEqual(limit)
      items.push(...page.items)
      cursor = page.nextCursor
    } while (cursor !== null)
    const { total } = await this.page({ version, limit })
    expect(total).toBe(items.length)
    return items
  }

  async page(query: {
    version?: string | null
    limit?: number
    bytes?: number
    cursor?: string | null
    offset?: number
  }) {
    const given = { version: null, limit: 10, bytes: 1e9, cursor: null, ...query }
    const page = await this.room.read('rows', { dataset: this.slug, ...given })
    if (!('items' in page)) throw new Error(`no page came: ${JSON.stringify(page)}`)
    return page
  }

  /** The values that are shown, in their order. */
  async values(version: string | null = null): Promise<unknown[]> {
    return (await this.all(version)).map((row) => JSON.parse(row.values) as unknown)
  }

  async versions() {
    const told = await this.room.read('datasetVersions', { dataset: this.slug })
    return told.map(({ version, rows, erased }) => ({ version, rows, erased }))
  }
}

/** Makes a dataset in a room. */
export async function newDataset(
  room: Room,
  columns: Column[] = [column('q'), column('a')],
  slug = 'qa',
): Promise<Rows> {
  const given = { id: `ds_${randomUUID()}`, slug, name: 'QA', description: null, columns, at: now }
  expect(await room.apply({ kind: 'createDataset', ...given })).toEqual({ result: 'ok' })
  return new Rows(room, slug)
}
