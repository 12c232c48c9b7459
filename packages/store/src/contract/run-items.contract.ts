import * as fc from 'fast-check'
import { limits } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import { metricSize } from '../run-totals.ts'
import type { ItemScore, NewRunItem, RunNumbers } from '../runs.ts'
import { newTrace, now, type Room } from './room.contract.ts'
import { add, end, eventsOf, itemsOf, newItem, newItems, runOf, running, scored, shown } from './running.contract.ts'

const byIndex = (a: NewRunItem, b: NewRunItem) => a.itemIndex - b.itemIndex

/** Items of runs: stored once, whoever sends them how often, and counted once. */
export function runItemsContract(room: () => Promise<Room>): void {
  describe('items of a run', () => {
    test('are kept with their numbers, and their texts as they came', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const odd = JSON.stringify('nul \0, half \ud800, quote \' " \\, 文字, 🦆')
      const items = [
        newItem(0, {
          status: 'failed',
          responseMs: 0.1 + 0.2,
          costNano: null,
          tokens: null,
          startedAt: null,
          attempts: 3,
          scores: [null, { outcome: 'errored', value: null, passed: null }],
          error: { code: 'timeout', message: 'It took \0 too long.' },
          body: { input: odd, expected: null, output: null, scores: '{}' },
          preview: null,
        }),
        newItem(5, { scores: [scored(1e-7, false), { outcome: 'skipped', value: null, passed: null }] }),
        newItem(7, {
          body: {
            input: '{"big":12345678901234567890.10}',
            expected: odd,
            output: JSON.stringify('x'.repeat(1_000_000)),
            scores: odd,
          },
        }),
      ]
      expect(await add(r, id, items)).toEqual(['created', 'created', 'created'])
      expect((await itemsOf(r, ref)).items).toEqual(items.map(shown))
      for (const item of items)
        expect(await r.read('runItem', { ref, itemIndex: item.itemIndex })).toEqual({ ...shown(item), body: item.body })
      expect(await r.read('runItem', { ref, itemIndex: 1 })).toBeNull()
      const other = await room()
      expect(await other.read('runItem', { ref, itemIndex: 0 })).toBeNull()
      expect((await itemsOf(other, ref)).items).toEqual([])
      const nobody = { kind: 'addItems', id: 'nobody', items, lease: null, at: now } as const
      expect(await r.apply(nobody)).toEqual({ result: 'not_found' })
    })

    test('that come again are duplicates, others in their place conflicts; the first that came stays', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const other = newItem(1, { hash: 'other', preview: 'London' })
      expect(await add(r, id, [newItem(1), other, newItem(1)])).toEqual(['created', 'conflict', 'duplicate'])
      expect(await add(r, id, [other, newItem(1), newItem(0)])).toEqual(['conflict', 'duplicate', 'created'])
      expect((await itemsOf(r, ref)).items).toEqual([newItem(0), newItem(1)].map(shown))
      await end(r, id)
      expect(await add(r, id, [newItem(1), other, newItem(2)])).toEqual(['duplicate', 'conflict', 'run_over'])
      expect(
        (await eventsOf(r, ref)).filter(({ kind }) => kind === 'run_item').map(({ itemIndex }) => itemIndex),
      ).toEqual([1, 0])
    })

    test('that two workers finish at the same time are stored once each', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const items = newItems(300)
      const fates = await Promise.all(
        Array.from({ length: 12 }, (_, i) => {
          const from = (i % 4) * 60
          return add(r, id, items.slice(from, from + 120))
        }),
      )
      expect(fates.flat().filter((fate) => fate === 'created')).toHaveLength(300)
      expect(new Set(fates.flat())).toEqual(new Set(['created', 'duplicate']))
      const told = (await eventsOf(r, ref)).flatMap((event) => event.itemIndex ?? [])
      expect(told.toSorted((a, b) => a - b)).toEqual(items.map((item) => item.itemIndex))
      expect(await runOf(r, id)).toMatchObject({ completed: 300, costNano: 300 * 2_500 })
    })

    test('without a score for each metric are refused alone', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const [bad, good] = await Promise.allSettled([
        add(r, id, [newItem(0, { scores: [scored(1, true)] })]),
        add(r, id, [newItem(1)]),
      ])
      expect([bad.status, good.status]).toEqual(['rejected', 'fulfilled'])
      expect((await itemsOf(r, ref)).items).toEqual([shown(newItem(1))])
      expect(await runOf(r, id)).toMatchObject({ completed: 1 })
    })

    test('that are more than may wait for a commit are refused at once, and none is stored', async () => {
      const r = await room()
      const { id } = await running(r)
      const items = newItems(limits.commitQueueTraces + 1)
      await expect(add(r, id, items)).rejects.toMatchObject({ code: 'overloaded' })
      expect(await add(r, id, items.slice(0, 3))).toEqual(['created', 'created', 'created'])
      expect(await runOf(r, id)).toMatchObject({ completed: 3 })
    })

    test('of a run without metrics are counted too', async () => {
      const r = await room()
      const { id, ref } = await running(r, { metricNames: [], metrics: '[]' })
      await add(r, id, [newItem(0, { scores: [] })])
      expect((await eventsOf(r, ref)).at(-1)).toMatchObject({ data: { completed: 1, totals: [] } })
      expect(await r.read('runColumns', { ref, after: -1, limit: 5 })).toMatchObject({
        caseId: ['case-0'],
        metrics: [],
      })
    })
  })

  describe('numbers of a run', () => {
    test('are those of a recount, in whatever order and however often items come, and whatever is erased', async () => {
      const r = await room()
      const trace = newTrace()
      await fc.assert(
        fc.asyncProperty(given, async ({ items, order, doubled, size, erased }) => {
          const source = { ...trace, traceId: `${trace.traceId}-${made++}` }
          await r.ingest([source])
          const all = items.map((item, i) => (erased.includes(i) ? { ...item, sourceTraceId: source.traceId } : item))
          const sent = [...order, ...doubled].flatMap((i) => all[i % all.length] ?? [])
          const { id, ref } = await running(r)
          const batches = Array.from({ length: Math.ceil(sent.length / size) }, (_, i) =>
            sent.slice(i * size, i * size + size),
          )
          await Promise.all(batches.map((batch) => add(r, id, batch)))
          const kept = new Set(sent.toSorted(byIndex))
          await expectRecount(r, { id, ref }, [...kept])
          await r.delete(source.traceId)
          const left = [...kept].filter((item) => item.sourceTraceId === null)
          expect((await runOf(r, id)).erased).toBe(kept.size - left.length)
          expectNumbers(await runOf(r, id), left, [...kept])
          expect((await itemsOf(r, ref)).items).toEqual(left.map(shown))
        }),
        { numRuns: 12 },
      )
    }, 120_000)
  })
}

let made = 0

/** JSON knows no -0. */
const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0)

const score: fc.Arbitrary<ItemScore | null> = fc.oneof(
  fc.constant(null),
  fc.record({
    outcome: fc.constantFrom('scored' as const, 'skipped' as const, 'errored' as const),
    value: fc.option(fc.oneof(fc.constantFrom(0, 1), number)),
    passed: fc.option(fc.boolean()),
  }),
)

const given = fc
  .array(
    fc.record({
      status: fc.constantFrom('success' as const, 'failed' as const),
      spent: fc.record({ costNano: fc.nat(1e9), unknown: fc.boolean() }),
      scores: fc.tuple(score, score).map((pair): (ItemScore | null)[] => pair),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .chain((fields) => {
    const places = fields.map((_, i) => i)
    return fc.record({
      items: fc.constant(fields.map((field, i) => newItem(i, field))),
      order: fc.shuffledSubarray(places),
      doubled: fc.array(fc.nat(fields.length - 1), { minLength: 1, maxLength: 30 }),
      size: fc.integer({ min: 1, max: 12 }),
      erased: fc.subarray(places),
    })
  })

/** Each event of an item carries what a recount of the items up to it gives, and the run what the last one does. */
async function expectRecount(r: Room, { id, ref }: { id: string; ref: number }, items: NewRunItem[]): Promise<void> {
  const byPlace = new Map(items.map((item) => [item.itemIndex, item]))
  const seen: NewRunItem[] = []
  for (const { kind, itemIndex, data } of await eventsOf(r, ref)) {
    if (kind !== 'run_item') continue
    const item = byPlace.get(itemIndex ?? -1)
    if (item) seen.push(item)
    expectNumbers(data, seen)
  }
  expect(seen.toSorted(byIndex)).toEqual(items)
  expectNumbers(await runOf(r, id), items)
}

/** Numbers are those of these items, off by rounding at most: relative to the largest value that ever was in them. */
function expectNumbers(numbers: RunNumbers, items: readonly NewRunItem[], ever = items): void {
  const of = (test: (item: NewRunItem) => boolean) => items.filter(test).length
  expect(numbers.completed).toBe(items.length)
  expect(numbers.successful).toBe(of((item) => item.status === 'success'))
  expect(numbers.costNano).toBe(items.reduce((sum, item) => sum + item.spent.costNano, 0))
  expect(numbers.unknownCosts).toBe(of((item) => item.spent.unknown))
  for (const metric of [0, 1]) {
    const [n, mean, squares, ...counts] = numbers.totals.slice(metric * metricSize, (metric + 1) * metricSize)
    const scores = items.flatMap((item) => item.scores[metric] ?? [])
    const all = ever.flatMap((item) => Math.abs(item.scores[metric]?.value ?? 1))
    const own = scores.filter(({ outcome }) => outcome === 'scored')
    const values = own.flatMap(({ value, passed }) => value ?? (passed === null ? [] : Number(passed)))
    const sum = (of: number[]) => of.reduce((a, b) => a + b, 0)
    const center = values.length === 0 ? 0 : sum(values) / values.length
    const largest = Math.max(1, ...all)
    expect(n).toBe(values.length)
    expect(Math.abs((mean ?? 0) - center) / largest).toBeLessThan(1e-9)
    const spread = sum(values.map((value) => (value - center) ** 2))
    expect(Math.abs((squares ?? 0) - spread) / largest ** 2).toBeLessThan(1e-7)
    expect(counts).toEqual([
      values.filter((value) => value === 0 || value === 1).length,
      scores.filter(({ outcome }) => outcome === 'skipped').length,
      scores.filter(({ outcome }) => outcome === 'errored').length,
      own.filter(({ passed }) => passed === true).length,
      own.filter(({ passed }) => passed === false).length,
    ])
  }
}
