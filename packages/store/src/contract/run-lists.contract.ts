import * as fc from 'fast-check'
import { runStatuses } from '@llm-eval/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { type RunFilter, type RunOrder, runOrders } from '../run-queries.ts'
import type { StoredRun } from '../runs.ts'
import type { Queries } from '../store.ts'
import { now, type Room } from './room.contract.ts'
import { add, end, leaseMs, newItems, newRun, runOf } from './running.contract.ts'

const optional = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })

const rateOf = (run: StoredRun) => (run.completed === 0 ? -1 : run.successful / run.completed)
const keyOf: Record<RunOrder, (run: StoredRun) => string | number> = {
  created_at: (run) => run.createdAt,
  name: (run) => run.name,
  status: (run) => runStatuses.indexOf(run.status),
  success_rate: rateOf,
  duration: (run) => run.workedMs,
}

function fits(run: StoredRun, filter: RunFilter): boolean {
  const text = `${run.name}\n${run.description ?? ''}`.normalize('NFKC').toLowerCase()
  return (
    (filter.datasetName === undefined || run.datasetName === filter.datasetName) &&
    (filter.modelName === undefined || run.modelName === filter.modelName) &&
    (filter.status === undefined || run.status === filter.status) &&
    (filter.createdBy === undefined || run.createdBy === filter.createdBy) &&
    (filter.tags ?? []).every((tag) => run.tags.includes(tag)) &&
    (filter.minSuccessRate === undefined || rateOf(run) >= filter.minSuccessRate) &&
    (filter.maxWorkedMs === undefined || (run.startedAt !== null && run.workedMs <= filter.maxWorkedMs)) &&
    (filter.createdAfter === undefined || run.createdAt > filter.createdAfter) &&
    (filter.createdBefore === undefined || run.createdAt < filter.createdBefore) &&
    (filter.search === undefined || text.includes(filter.search.normalize('NFKC').toLowerCase()))
  )
}

/** Lists of runs, over pages. */
export function runListsContract(room: () => Promise<Room>): void {
  describe('lists of runs', () => {
    let r: Room
    let known: StoredRun[]
    beforeAll(async () => {
      r = await room()
      const made = await Promise.all(Array.from({ length: 40 }, (_, i) => makeRun(r, i)))
      known = await Promise.all(made.map((id) => runOf(r, id)))
    }, 120_000)

    async function list(query: Omit<Queries['runs']['in'], 'cursor'>): Promise<StoredRun[]> {
      const items: StoredRun[] = []
      let cursor: string | null = null
      do {
        const page: Queries['runs']['out'] = await r.read('runs', { ...query, cursor })
        if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
        expect(page.items.length).toBeLessThanOrEqual(query.limit)
        items.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== null)
      return items
    }

    test('filters combine with AND, in every order and direction, over pages of any size', async () => {
      const filters: fc.Arbitrary<RunFilter> = fc.record({
        datasetName: optional('d-0', 'd-1', 'nobody'),
        modelName: optional('m-0'),
        status: optional(...runStatuses),
        createdBy: optional('ann'),
        tags: optional<string[]>([], ['ci'], ['ci', 'a"b'], ['a'], ['a\\']),
        minSuccessRate: optional(0, 0.5, 1),
        maxWorkedMs: optional(0, 300),
        createdAfter: optional(now + 5),
        createdBefore: optional(now + 30),
        search: optional('NIGHT', 'ärger', '%', 'ﬁne'),
      })
      // Most often only a few are given, or nothing would fit.
      const sparse = fc
        .tuple(
          filters,
          fc.subarray<keyof RunFilter>(['status', 'tags', 'search', 'minSuccessRate', 'maxWorkedMs', 'datasetName']),
        )
        .map(([all, given]): RunFilter => Object.fromEntries(given.map((name) => [name, all[name]])))
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(filters, sparse),
          fc.record({
            order: fc.constantFrom(...runOrders),
            direction: fc.constantFrom('ascending' as const, 'descending' as const),
          }),
          fc.integer({ min: 1, max: 45 }),
          async (filter, { order, direction }, limit) => {
            const sign = direction === 'ascending' ? 1 : -1
            const compare = (a: StoredRun, b: StoredRun) => {
              const [x, y] = [keyOf[order](a), keyOf[order](b)]
              return sign * (x < y ? -1 : x > y ? 1 : a.ref - b.ref)
            }
            const wanted = known.filter((run) => fits(run, filter)).toSorted(compare)
            expect(await list({ filter, order, direction, limit })).toEqual(wanted)
          },
        ),
        { numRuns: 60 },
      )
    }, 120_000)

    test('a cursor of another order, or one that the store did not make, is refused', async () => {
      const ask = (order: RunOrder, cursor: string | null, direction: 'ascending' | 'descending' = 'descending') =>
        r.read('runs', { filter: {}, order, direction, limit: 5, cursor })
      const page = await ask('name', null)
      const cursor = 'items' in page ? page.nextCursor : null
      expect(await ask('name', cursor)).toHaveProperty('items')
      for (const [order, direction] of [
        ['status', 'descending'],
        ['name', 'ascending'],
      ] as const)
        expect(await ask(order, cursor, direction)).toEqual({ invalidCursor: true })
      const forged = [
        '',
        'x',
        '[]',
        '["name","descending",5,1]',
        '["name","descending","n",1.5]',
        '["status","descending","0",1]',
      ]
      for (const text of forged)
        expect(await ask('name', Buffer.from(text).toString('base64url'))).toEqual({ invalidCursor: true })
    })
  })
}

/** Runs of all kinds: their names, ends, durations and rates are those of their number. */
async function makeRun(r: Room, i: number): Promise<string> {
  const given = newRun({
    name: ['Nightly', 'nightly', 'Ärger', 'z%', 'ﬁne'][i % 5] ?? '',
    description: i % 4 === 0 ? 'every NIGHT' : null,
    datasetName: `d-${i % 3}`,
    modelName: i % 2 ? 'm-0' : null,
    createdBy: i % 3 ? 'ann' : null,
    tags: [['ci'], ['ci', 'a"b'], [], ['a\\', 'b']][i % 4] ?? [],
    worker: i % 6 === 0 ? 'server' : 'client',
  })
  const at = now + i
  if (i % 6 === 0) {
    await r.apply({ kind: 'createRun', run: given, owner: null, at, leaseMs })
    return given.id
  }
  await r.apply({ kind: 'createRun', run: given, owner: 'worker', at, leaseMs })
  if (i % 5 > 0)
    await add(
      r,
      given.id,
      newItems(3, (n) => ({ status: n < i % 4 ? 'success' : 'failed' })),
    )
  if (i % 6 === 2) await end(r, given.id, { at: at + i * 10 })
  if (i % 6 === 3) await end(r, given.id, { at: at + i * 10, status: 'failed' })
  if (i % 6 === 4) await r.apply({ kind: 'cancelRun', id: given.id, at: at + 7 })
  return given.id
}
