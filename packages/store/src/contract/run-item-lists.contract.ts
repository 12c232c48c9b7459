import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { beginningChars, type RunItemFilter } from '../run-queries.ts'
import type { NewRunItem, StoredRunItem } from '../runs.ts'
import type { Queries } from '../store.ts'
import { now, type Room } from './room.contract.ts'
import { add, itemsOf, newItem, newItems, running, scored, shown } from './running.contract.ts'

const optional = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })

/** Lists of the items of a run, over pages. */
export function runItemListsContract(room: () => Promise<Room>): void {
  describe('lists of items', () => {
    let r: Room
    let ref: number
    let known: NewRunItem[]
    beforeAll(async () => {
      r = await room()
      const run = await running(r)
      ref = run.ref
      known = newItems(1_300, (i) => ({
        // Places need not be in one row.
        itemIndex: i * 3,
        caseId: `case-${i % 400}`,
        repetition: 1 + Math.floor(i / 400),
        status: i % 11 === 0 ? 'failed' : 'success',
        error:
          i % 11 === 0 ? { code: i % 22 === 0 ? 'timeout' : 'execution_failed', message: `No "Answer" ${i}` } : null,
        body: {
          input: JSON.stringify({ q: `Zürich “${i}”\n` }),
          expected: null,
          output: i % 11 === 0 ? null : JSON.stringify(`${'long '.repeat(100)}END`),
          scores: `{"exact":{"value":${i}}}`,
        },
        scores: [
          i % 5 === 0 ? null : scored(null, i % 3 === 0),
          i % 7 === 0 ? { outcome: 'errored', value: null, passed: null } : scored(i / 1_300, null),
        ],
      }))
      await add(r, run.id, known)
    }, 120_000)

    function numberOf(item: NewRunItem, metric: number): number | null {
      const score = item.scores[metric]
      if (score?.outcome !== 'scored') return null
      return score.value ?? (score.passed === null ? null : Number(score.passed))
    }

    function itemFits(item: NewRunItem, filter: RunItemFilter): boolean {
      const { status, below, above, caseId, errored, error, troubled, search } = filter
      const erred = item.scores.map((score) => score?.outcome === 'errored')
      const texts = [item.caseId, JSON.stringify(item.error), item.body.input, item.body.output ?? '']
      const sought = search && JSON.stringify(search).slice(1, -1).toLowerCase()
      return (
        (status === undefined || item.status === status) &&
        (caseId === undefined || item.caseId.includes(caseId)) &&
        (below === undefined || (numberOf(item, below.metric) ?? Infinity) < below.value) &&
        (above === undefined || (numberOf(item, above.metric) ?? -Infinity) > above.value) &&
        (errored === undefined || erred[errored] === true) &&
        (error === undefined || item.error?.code === error) &&
        (troubled === undefined || item.status === 'failed' || erred.includes(true)) &&
        (sought === undefined || texts.some((text) => text.toLowerCase().includes(sought)))
      )
    }

    test('filters combine with AND, in the order of the dataset, over pages of any size and slices of any time', async () => {
      const filters: fc.Arbitrary<RunItemFilter> = fc.record({
        status: optional('success' as const, 'failed' as const),
        below: optional({ metric: 0, value: 1 }, { metric: 1, value: 0.2 }, { metric: 1, value: -1 }),
        above: optional({ metric: 0, value: 0 }, { metric: 1, value: 0.7 }),
        errored: optional(0, 1),
        error: optional('timeout' as const, 'invalid_output' as const),
        troubled: optional(true as const),
        caseId: optional('case-39', '7', 'nobody'),
        search: optional('zürich “12', 'NO "ANSWER" 1', 'CASE-3', 'end', 'nowhere'),
      })
      await fc.assert(
        fc.asyncProperty(
          filters,
          fc.integer({ min: 20, max: 1_400 }),
          fc.constantFrom(0, 10_000),
          async (filter, limit, sliceMs) => {
            const { items } = await itemsOf(r, ref, { filter, limit, sliceMs })
            expect(items).toEqual(known.filter((item) => itemFits(item, filter)).map(shown))
          },
        ),
        { numRuns: 25 },
      )
    }, 120_000)

    test('a search that finds little stops when its time is up, and says how far it came', async () => {
      const query = {
        ref,
        filter: { caseId: 'nobody' },
        limit: 5,
        cursor: null,
        sliceMs: 0,
        bodies: 'without',
        bytes: 1e6,
      } as const
      const page = await r.read('runItems', query)
      expect(page).toMatchObject({ items: [], nextCursor: expect.any(String), searchedTo: known[499]?.itemIndex })
    })

    test('bodies come where they are asked for, as many as fit, but at least one', async () => {
      const texts = known.slice(0, 3).map((item) => JSON.stringify(item.body).length)
      const whole = known.slice(0, 20).map((item) => ({ ...shown(item), body: item.body }))
      for (const bytes of [1, (texts[0] ?? 0) * 4, 1e9]) {
        const all: StoredRunItem[] = []
        let cursor: string | null = null
        while (all.length < 20) {
          const query: Queries['runItems']['in'] = {
            ref,
            filter: {},
            limit: 7,
            cursor,
            sliceMs: 1_000,
            bodies: 'with',
            bytes,
          }
          const page: Queries['runItems']['out'] = await r.read('runItems', query)
          if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
          expect(page.items.length).toBeGreaterThan(0)
          if (bytes === 1) expect(page.items).toHaveLength(1)
          all.push(...page.items)
          cursor = page.nextCursor
        }
        expect(all.slice(0, 20)).toEqual(whole)
      }
    })

    test('a page begins at a place, whether or not an item is there', async () => {
      for (const from of [0, 2_100, 2_101, 9_999]) {
        const { items } = await itemsOf(r, ref, { limit: 30, from })
        expect(items).toEqual(known.filter(({ itemIndex }) => itemIndex >= from).map(shown))
      }
    })

    test('beginnings of texts come without scores, and scores without texts', async () => {
      const query = { ref, filter: {}, limit: 3, cursor: null, sliceMs: 1_000, bytes: 1e6 } as const
      const bodies = async (which: 'beginnings' | 'scores') => {
        const page = await r.read('runItems', { ...query, bodies: which })
        return 'items' in page ? page.items.map(({ body }) => body) : []
      }
      const cut = (text: string | null) => text && text.slice(0, beginningChars)
      expect(await bodies('beginnings')).toEqual(
        known.slice(0, 3).map(({ body: { input, output } }) => {
          return { input: cut(input), expected: null, output: cut(output), scores: '{}' }
        }),
      )
      expect(await bodies('scores')).toEqual(
        known.slice(0, 3).map(({ body: { scores } }) => ({ input: 'null', expected: null, output: null, scores })),
      )
    })

    test('a cursor that the store did not make is refused', async () => {
      for (const cursor of ['', 'eHg', Buffer.from('i-1').toString('base64url')]) {
        const query = { ref, filter: {}, limit: 5, cursor, sliceMs: 50, bodies: 'without', bytes: 1e6 } as const
        expect(await r.read('runItems', query)).toEqual({ invalidCursor: true })
      }
    })

    test('what is finished, and its numbers, are told page by page', async () => {
      const ids = []
      for (let after = -1; ; ) {
        const page = await r.read('runItemIds', { ref, after, limit: 400 })
        ids.push(...page.itemIndex.map((itemIndex, i) => [itemIndex, page.caseId[i], page.repetition[i]]))
        if (page.itemIndex.length === 0) break
        after = page.itemIndex.at(-1) ?? 0
      }
      expect(ids).toEqual(known.map(({ itemIndex, caseId, repetition }) => [itemIndex, caseId, repetition]))
      const unknown = newItem(9_000, { responseMs: null, costNano: null, tokens: null })
      await r.apply({ kind: 'addItems', id: await idOf(r), items: [unknown], lease: null, at: now })
      const told = []
      for (let after = -1; ; ) {
        const page = await r.read('runColumns', { ref, after, limit: 500 })
        told.push(...page.caseId.map((_, i) => rowOf(page, i)))
        if (page.caseId.length === 0) break
        after = page.itemIndex.at(-1) ?? 0
      }
      const scores = (item: NewRunItem) =>
        item.scores.map((score) =>
          score === null
            ? [Number.NaN, Number.NaN, Number.NaN]
            : [
                ['scored', 'skipped', 'errored'].indexOf(score.outcome),
                score.value ?? Number.NaN,
                score.passed === null ? Number.NaN : Number(score.passed),
              ],
        )
      expect(told).toEqual(
        [...known, unknown].map((item) => [
          item.itemIndex,
          item.caseId,
          item.repetition,
          item.status === 'success' ? 1 : 0,
          item.responseMs ?? Number.NaN,
          item.costNano ?? Number.NaN,
          item.tokens ?? Number.NaN,
          scores(item),
        ]),
      )
      expect((await (await room()).read('runColumns', { ref, after: -1, limit: 5 })).caseId).toEqual([])
    })
  })
}

async function idOf(r: Room): Promise<string> {
  const page = await r.read('runs', { filter: {}, order: 'created_at', direction: 'ascending', limit: 1, cursor: null })
  return 'items' in page ? (page.items[0]?.id ?? '') : ''
}

function rowOf(page: Queries['runColumns']['out'], i: number) {
  const { itemIndex, caseId, repetition, successful, responseMs, costNano, tokens, metrics } = page
  const scores = metrics.map(({ outcome, value, passed }) => [outcome[i], value[i], passed[i]])
  return [itemIndex[i], caseId[i], repetition[i], successful[i], responseMs[i], costNano[i], tokens[i], scores]
}
