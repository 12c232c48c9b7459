import { limits } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import { column, newDataset, newRow, Rows } from './dataset-room.contract.ts'
import { now, type Room } from './room.contract.ts'

/** Drafts are edited, and versions never change. */
export function datasetsContract(room: () => Promise<Room>): void {
  describe('datasets', () => {
    test('a dataset is found by slug and by id, listed newest first, and its slug is taken once', async () => {
      const r = await room()
      const first = await newDataset(r)
      await newDataset(r, [], 'other')
      const told = await first.dataset()
      expect(told).toEqual({
        id: expect.stringMatching(/^ds_/),
        slug: 'qa',
        name: 'QA',
        description: null,
        columns: [column('q'), column('a')],
        total_rows: 0,
        last_version: null,
        changed: true,
        created_at: '2025-06-15T12:00:00.000Z',
        updated_at: '2025-06-15T12:00:00.000Z',
      })
      expect(await r.read('dataset', { dataset: told?.id ?? '' })).toEqual(told)
      expect((await r.read('datasets', {})).map(({ slug }) => slug)).toEqual(['other', 'qa'])
      const again = { id: 'ds_x', slug: 'qa', name: 'x', description: null, columns: [], at: now }
      expect(await r.apply({ kind: 'createDataset', ...again })).toEqual({ result: 'slug_taken' })
      expect(await r.read('dataset', { dataset: 'nobody' })).toBeNull()
      const other = await room()
      expect(await other.read('datasets', {})).toEqual([])
      expect(await other.read('dataset', { dataset: told?.id ?? '' })).toBeNull()
    })

    test('of many that make one dataset at once, one does', async () => {
      const r = await room()
      const make = (n: number) =>
        r.apply({
          kind: 'createDataset',
          id: `ds_${n}`,
          slug: 'same',
          name: 'x',
          description: null,
          columns: [],
          at: now,
        })
      const all = await Promise.all(Array.from({ length: 12 }, (_, n) => make(n)))
      expect(all.filter(({ result }) => result === 'ok')).toHaveLength(1)
      expect(await r.read('datasets', {})).toHaveLength(1)
    })

    test('a project holds so many datasets, and not one more', async () => {
      const r = await room()
      const make = (n: number) => {
        const given = { id: `ds_${n}`, slug: `d${n}`, name: 'x', description: null, columns: [], at: now }
        return r.apply({ kind: 'createDataset', ...given })
      }
      const fates = await Promise.all(Array.from({ length: limits.datasets - 1 }, (_, n) => make(n)))
      expect(fates.every(({ result }) => result === 'ok')).toBe(true)
      expect(await make(limits.datasets)).toEqual({ result: 'ok' })
      expect(await make(limits.datasets + 1)).toEqual({ result: 'too_many' })
    })

    test('it is renamed and described, and its columns are edited by many at once without losing one', async () => {
      const r = await room()
      const d = await newDataset(r, [])
      await r.apply({ kind: 'updateDataset', dataset: 'qa', name: 'New', description: 'words', at: now + 1 })
      await r.apply({ kind: 'updateDataset', dataset: 'qa', description: null, at: now + 2 })
      expect(await d.dataset()).toMatchObject({
        name: 'New',
        description: null,
        updated_at: '2025-06-15T12:00:00.002Z',
      })
      const edit = (change: object) =>
        r.apply({ kind: 'editColumns', dataset: 'qa', edit: change as { remove: string }, at: now })
      const added = await Promise.all(Array.from({ length: 9 }, (_, n) => edit({ add: [column(`c${n}`)] })))
      expect(added).toEqual(added.map(() => ({ result: 'ok' })))
      expect((await d.dataset())?.columns).toHaveLength(9)
      expect(await edit({ add: [column('c3')] })).toEqual({ result: 'slug_taken' })
      expect(await edit({ change: 'c3', name: 'Three', type: 'json' })).toEqual({ result: 'ok' })
      expect(await edit({ change: 'none', name: 'x' })).toEqual({ result: 'column_not_found' })
      expect(await edit({ remove: 'c4' })).toEqual({ result: 'ok' })
      expect(await edit({ remove: 'c4' })).toEqual({ result: 'column_not_found' })
      const columns = (await d.dataset())?.columns ?? []
      expect(columns.find(({ slug }) => slug === 'c3')).toEqual({
        slug: 'c3',
        name: 'Three',
        type: 'json',
        description: null,
      })
      expect(columns).toHaveLength(8)
      expect(await r.apply({ kind: 'updateDataset', dataset: 'none', at: now })).toEqual({ found: false })
    })

    test('a dataset holds so many columns, and not one more', async () => {
      const r = await room()
      const d = await newDataset(r, [])
      const add = (from: number, to: number) =>
        r.apply({
          kind: 'editColumns',
          dataset: 'qa',
          edit: { add: Array.from({ length: to - from }, (_, n) => column(`c${from + n}`)) },
          at: now,
        })
      expect(await add(0, limits.datasetColumns)).toEqual({ result: 'ok' })
      expect(await add(limits.datasetColumns, limits.datasetColumns + 1)).toEqual({ result: 'too_many' })
      expect((await d.dataset())?.columns).toHaveLength(limits.datasetColumns)
    })

    test('the values of a removed column are gone, also when one of its slug comes back, but versions show them', async () => {
      const r = await room()
      const d = await newDataset(r)
      const first = newRow({ q: 1, a: 2 })
      await d.add(first)
      await d.publish()
      await r.apply({ kind: 'editColumns', dataset: 'qa', edit: { remove: 'a' }, at: now })
      expect(await d.values()).toEqual([{ q: 1 }])
      await r.apply({ kind: 'editColumns', dataset: 'qa', edit: { add: [column('a')] }, at: now })
      expect(await d.values()).toEqual([{ q: 1 }])
      await d.update(first, { a: 12345 })
      await d.add(newRow({ q: 3, a: 4 }))
      expect(await d.values()).toEqual([
        { q: 1, a: 12345 },
        { q: 3, a: 4 },
      ])
      expect(await d.values('v1')).toEqual([{ q: 1, a: 2 }])
      expect(await r.read('datasetVersion', { dataset: 'qa', version: 'v1' })).toMatchObject({
        columns: [{ slug: 'q' }, { slug: 'a' }],
        rows: 1,
      })
    })
  })

  describe('rows of a dataset', () => {
    test('come in the order in which they were added, by any page size, by cursor and by offset', async () => {
      const d = await newDataset(await room())
      const rows = Array.from({ length: 234 }, (_, n) => newRow({ q: n }))
      const fates = await d.add(...rows)
      expect(fates).toEqual({
        result: 'ok',
        rows: rows.map(({ id }, rowIndex) => ({ id, rowIndex, added: true })),
      })
      for (const limit of [1_000, 234, 233, 50])
        expect((await d.all(null, limit)).map((row) => row.id)).toEqual(rows.map((row) => row.id))
      const ids = async (offset: number) => (await d.page({ offset, limit: 2 })).items.map((row) => row.rowIndex)
      expect(await Promise.all([0, 1, 232, 233, 234, 9_999].map(ids))).toEqual([
        [0, 1],
        [1, 2],
        [232, 233],
        [233],
        [],
        [],
      ])
      await d.remove(rows[1] ?? newRow())
      expect(await ids(1)).toEqual([2, 3])
      expect((await d.page({ limit: 1 })).items).toEqual([
        {
          id: rows[0]?.id,
          rowIndex: 0,
          values: '{"q":0}',
          traceId: null,
          createdAt: now,
          updatedAt: now,
        },
      ])
    })

    test('a page ends after about so many bytes, but holds a row', async () => {
      const d = await newDataset(await room())
      const rows = [10_000, 100, 100, 100, 20_000].map((length) => newRow({ q: 'x'.repeat(length) }))
      await d.add(...rows)
      const sizes: number[] = []
      let cursor: string | null = null
      do {
        const page = await d.page({ bytes: 250, cursor })
        sizes.push(page.items.length)
        cursor = page.nextCursor
      } while (cursor !== null)
      expect(sizes).toEqual([1, 2, 1, 1])
    })

    test('a cursor of something else, an unknown dataset and an unknown version are told', async () => {
      const d = await newDataset(await room())
      const query = { dataset: 'qa', version: null, limit: 1, bytes: 1, cursor: null }
      expect(await d.room.read('rows', { ...query, cursor: 'nonsense' })).toEqual({ invalidCursor: true })
      expect(await d.room.read('rows', { ...query, dataset: 'none' })).toEqual({ notFound: 'dataset' })
      expect(await d.room.read('rows', { ...query, version: 'v1' })).toEqual({ notFound: 'version' })
      expect(await d.room.read('datasetVersion', { dataset: 'qa', version: 'v1' })).toBeNull()
      expect(await d.room.read('row', { dataset: 'qa', rowId: 'none' })).toBeNull()
      expect(await d.room.read('row', { dataset: 'none', rowId: 'none' })).toBeNull()
      for (const kind of ['deleteRow', 'updateRow'] as const) {
        const change = { kind, rowId: 'none', values: '{}', at: now }
        expect(await d.room.apply({ ...change, dataset: 'qa' })).toEqual({ result: 'row_not_found' })
        expect(await d.room.apply({ ...change, dataset: 'none' })).toEqual({ result: 'not_found' })
      }
      const none = new Rows(d.room, 'none')
      expect(await none.add(newRow())).toEqual({ result: 'not_found' })
      expect(await none.publish()).toEqual({ result: 'not_found' })
      expect(await none.versions()).toEqual([])
    })

    test('numbers keep their digits, and NUL and lone surrogates stay what they are', async () => {
      const d = await newDataset(await room())
      const values = '{"q":12345678901234567890.10,"a":"\\u0000 \\ud800 \\" é"}'
      const row = { ...newRow(), values }
      await d.add(row)
      expect((await d.all()).map((one) => one.values)).toEqual([values])
      await d.update(row, { b: 1 })
      expect((await d.room.read('row', { dataset: 'qa', rowId: row.id }))?.values).toBe(`${values.slice(0, -1)},"b":1}`)
    })

    test('an edit changes the values it names, keeps id and place, and many at once lose nothing', async () => {
      const d = await newDataset(await room())
      const row = newRow({ q: 1, a: 2 })
      await d.add(newRow(), row, newRow())
      expect(await d.update(row, { a: null, b: 3 })).toEqual({
        result: 'ok',
        row: {
          id: row.id,
          rowIndex: 1,
          values: '{"q":1,"b":3}',
          traceId: null,
          createdAt: now,
          updatedAt: now + 9,
        },
      })
      await Promise.all(Array.from({ length: 10 }, (_, n) => d.update(row, { [`k${n}`]: n })))
      const read = await d.room.read('row', { dataset: 'qa', rowId: row.id })
      expect(Object.keys(JSON.parse(read?.values ?? '{}') as object)).toHaveLength(12)
    })

    test('a row may grow to so many bytes, and not one more', async () => {
      const d = await newDataset(await room())
      const row = newRow({})
      await d.add(row)
      const text = (length: number) => ({ q: 'x'.repeat(length) })
      expect(await d.update(row, text(limits.rowBytes - '{"q":""}'.length))).toMatchObject({ result: 'ok' })
      expect(await d.update(row, text(limits.rowBytes - '{"q":""}'.length + 1))).toEqual({ result: 'too_large' })
      expect((await d.all())[0]?.values).toHaveLength(limits.rowBytes)
    })

    test('many writers at once leave no gap and no double place', async () => {
      const d = await newDataset(await room())
      await Promise.all(Array.from({ length: 20 }, () => d.add(newRow(), newRow(), newRow())))
      expect((await d.all(null, 7)).map((row) => row.rowIndex)).toEqual(Array.from({ length: 60 }, (_, n) => n))
    })

    test('replacing empties the draft first; versions keep theirs, and places are never given twice', async () => {
      const d = await newDataset(await room())
      const old = newRow({ q: 'old' })
      await d.add(old, newRow({ q: 'old too' }))
      await d.publish()
      await d.add(newRow({ q: 'unpublished' }))
      expect(await d.replace(newRow({ q: 'new' }))).toMatchObject({ rows: [{ rowIndex: 3 }] })
      expect(await d.values()).toEqual([{ q: 'new' }])
      expect(await d.values('v1')).toEqual([{ q: 'old' }, { q: 'old too' }])
      expect(await d.update(old, { q: 'x' })).toEqual({ result: 'row_not_found' })
      expect(await d.remove(old)).toEqual({ result: 'row_not_found' })
      expect(await d.room.dump()).not.toContain('"unpublished"')
      await d.publish()
      await d.replace()
      expect([await d.values(), await d.values('v2')]).toEqual([[], [{ q: 'new' }]])
    })
  })

  describe('versions of a dataset', () => {
    test('never change, whatever becomes of the draft', async () => {
      const d = await newDataset(await room())
      const [a, b, c] = [newRow({ q: 'a' }), newRow({ q: 'b' }), newRow({ q: 'c' })]
      await d.add(a, b)
      expect(await d.publish()).toEqual({ result: 'ok', version: 'v1', created: true })
      await d.update(a, { q: 'a2' })
      await d.update(a, { q: 'a3' })
      await d.add(c)
      expect(await d.publish()).toEqual({ result: 'ok', version: 'v2', created: true })
      await d.remove(b)
      await d.update(a, { q: 'a4' })
      await d.update(c, { q: 'c2' })
      await d.remove(c)
      expect(await d.values('v1')).toEqual([{ q: 'a' }, { q: 'b' }])
      expect(await d.values('v2')).toEqual([{ q: 'a3' }, { q: 'b' }, { q: 'c' }])
      expect(await d.values()).toEqual([{ q: 'a4' }])
      expect((await d.all('v1')).map((row) => row.id)).toEqual([a.id, b.id])
      expect((await d.all())[0]).toMatchObject({ id: a.id, rowIndex: 0 })
      expect(await d.versions()).toEqual([
        { version: 'v2', rows: 3, erased: 0 },
        { version: 'v1', rows: 2, erased: 0 },
      ])
      // Between two versions a row has one life, however often it was edited.
      expect(await d.room.dump()).not.toContain('"a2"')
    })

    test('the draft says whether it differs; publishing it unchanged gives the version that is there', async () => {
      const d = await newDataset(await room())
      await d.add(newRow())
      await d.publish()
      expect(await d.dataset()).toMatchObject({ changed: false, last_version: 'v1' })
      expect(await d.publish()).toEqual({ result: 'ok', version: 'v1', created: false })
      expect(await d.publish('v1')).toEqual({ result: 'ok', version: 'v1', created: false })
      expect(await d.publish('golden')).toEqual({ result: 'ok', version: 'golden', created: true })
      expect(await d.publish('v1')).toEqual({ result: 'version_taken' })
      await d.add(newRow())
      expect(await d.dataset()).toMatchObject({ changed: true, last_version: 'golden' })
      expect(await d.publish('golden')).toEqual({ result: 'version_taken' })
      await d.publish('v4')
      await d.add(newRow())
      // The fourth in number, but that name is taken.
      expect(await d.publish()).toMatchObject({ version: 'v5' })
      await d.room.apply({ kind: 'updateDataset', dataset: 'qa', columns: [], at: now })
      expect(await d.dataset()).toMatchObject({ changed: true })
    })

    test('of many that publish one draft at once, one makes the version', async () => {
      const d = await newDataset(await room())
      await d.add(newRow())
      const all = await Promise.all(Array.from({ length: 10 }, () => d.publish()))
      expect(all.filter((one) => one.result === 'ok' && one.created)).toHaveLength(1)
      expect(await d.versions()).toEqual([{ version: 'v1', rows: 1, erased: 0 }])
    })

    test('a dataset holds so many versions, and not one more', async () => {
      const d = await newDataset(await room())
      const names = Array.from({ length: limits.datasetVersions }, (_, n) => `version-${n}`)
      const fates = await Promise.all(names.map((version) => d.publish(version)))
      expect(fates.every((fate) => fate.result === 'ok')).toBe(true)
      expect(await d.publish('one-more')).toEqual({ result: 'too_many' })
      expect(await d.versions()).toHaveLength(limits.datasetVersions)
    })
  })
}
