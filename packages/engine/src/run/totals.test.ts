import { meanEstimate, proportion } from '@llm-eval/statistics'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scored } from '../../test/runs.ts'
import {
  type Counted,
  costOf,
  emptyTotals,
  joinTotals,
  numberOf,
  progressOf,
  type RunTotals,
  totalsFrom,
  withItem,
} from './totals.ts'

const names = ['quality', 'speed']
const shape = { names, repetitions: 1, totalItems: null }
const success = (scores: Counted['scores'] = {}, cost: number | null = 0): Counted => ({
  status: 'success',
  cost,
  scores,
})
const totalsOf = (items: readonly Counted[], from: RunTotals = emptyTotals(2)) =>
  items.reduce((totals, item) => withItem(totals, item, names), from)
const valued = (values: readonly number[]) => values.map((value) => success({ quality: scored(value) }))
const quality = (items: readonly Counted[], repetitions = 1) =>
  progressOf(totalsOf(items), { ...shape, repetitions }).metrics['quality']

const anyScore = fc.oneof(
  fc
    .record({ value: fc.double({ min: -100, max: 100, noNaN: true }), passed: fc.option(fc.boolean()) })
    .map((known) => scored(known.value, known)),
  fc.constant(scored(null, { outcome: 'skipped', fault: 'missing_evidence' })),
  fc.constant(scored(null, { outcome: 'errored', fault: 'threw' })),
)
const anyItem: fc.Arbitrary<Counted> = fc.record({
  status: fc.constantFrom('success', 'failed'),
  cost: fc.option(fc.double({ min: 0, max: 10, noNaN: true })),
  scores: fc.record({ quality: anyScore, speed: anyScore }, { requiredKeys: [] }),
})

describe('totals', () => {
  it('of items in any order, in any parts, are the same', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 30 }), fc.nat(30), (items, cut) => {
        const whole = totalsOf(items)
        expectClose(totalsOf(items.toReversed()), whole)
        expectClose(joinTotals(totalsOf(items.slice(0, cut)), totalsOf(items.slice(cut))), whole)
        expectClose(joinTotals(totalsOf(items.slice(cut)), totalsOf(items.slice(0, cut))), whole)
        expectClose(totalsOf(items.slice(cut), totalsOf(items.slice(0, cut))), whole)
        // What was stored and read again is what was stored.
        expect(JSON.parse(JSON.stringify(whole))).toEqual(whole)
      }),
    )
  })

  it('are not changed by what comes after them', () => {
    const before = totalsOf(valued([1, 0]))
    const copy = [...before]
    withItem(before, success({ quality: scored(1) }), names)
    expect(before).toEqual(copy)
  })

  it('of other metrics cannot be joined', () => {
    expect(() => joinTotals(emptyTotals(1), emptyTotals(2))).toThrow(
      'totals of 13 and 21 numbers are of different runs',
    )
  })

  it('have their places, on which whoever stores them relies', () => {
    const items = [
      success({ quality: scored(0.5, { passed: true }), speed: scored(1, { passed: false }) }, 0.25),
      { status: 'failed' as const, cost: null, scores: {} },
      success({ quality: scored(null, { outcome: 'skipped' }), speed: scored(null, { outcome: 'errored' }) }),
    ]
    expect(totalsOf(items)).toEqual(
      [
        [3, 2, 0.25, 0, 1],
        [1, 0.5, 0, 0, 1, 0, 1, 0],
        [1, 1, 0, 1, 0, 1, 0, 1],
      ].flat(),
    )
    const all = { completed: 3, successful: 2, cost: 0.25, unknownCosts: 1 }
    expect(totalsFrom(all, totalsOf(items).slice(5))).toEqual(totalsOf(items))
  })

  it('of many small costs lose none', () => {
    const [one, many] = [success({}, 0.1), 100_000]
    const totals = Array.from({ length: many }).reduce<RunTotals>((sum) => withItem(sum, one, []), emptyTotals(0))
    expect(progressOf(totals, { ...shape, names: [] }).cost).toBe(10_000)
  })
})

describe('how many items there are', () => {
  it.each([
    [null, null],
    [1, 3],
    [3, 3],
    [4, 4],
  ])('is never less than are finished: of %s said, %s', (totalItems, told) => {
    const totals = totalsOf([success(), success(), success()])
    expect(progressOf(totals, { ...shape, totalItems })).toMatchObject({ total_items: told, completed_items: 3 })
  })
})

describe('the running numbers of a metric', () => {
  it("are those of its values: Student's interval, or Wilson's where they pass and fail", () => {
    const some = [0.2, 0.7, 0.4, 0.9]
    const interval = meanEstimate(some)?.interval
    expect(quality(valued(some))?.mean).toBeCloseTo(0.55, 12)
    expect(quality(valued(some))?.ci?.map((bound) => bound.toFixed(9))).toEqual(
      [interval?.low, interval?.high].map((bound) => bound?.toFixed(9)),
    )
    const wilson = proportion(3, 4)
    expect(quality(valued([1, 0, 1, 1]))?.ci).toEqual([wilson?.low, wilson?.high])
  })

  it('have no interval with fewer than two values', () => {
    expect(quality([])).toMatchObject({ mean: null, ci: null, n: 0 })
    expect(quality(valued([1]))).toMatchObject({ mean: 1, ci: null, n: 1 })
  })

  it('are less sure where cases are repeated', () => {
    const values = valued([1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    const [once, thrice] = [quality(values), quality(values, 3)]
    expect(thrice?.mean).toBe(once?.mean)
    expect(thrice?.ci).toEqual([proportion(3, 4)?.low, proportion(3, 4)?.high])
    expect(quality(valued([0.1, 0.2, 0.4]), 3)?.ci).toBeNull()
  })
})

describe('the number of a score', () => {
  it('is its value, else whether it passed, and none where nothing was scored', () => {
    expect(numberOf(scored(0.3, { passed: false }))).toBe(0.3)
    expect([numberOf(scored(null, { passed: true })), numberOf(scored(null, { passed: false }))]).toEqual([1, 0])
    expect(numberOf(scored(null))).toBeNull()
    expect(numberOf(scored(1, { outcome: 'errored' }))).toBeNull()
    expect([numberOf(scored(1e140)), numberOf(scored(-1e141)), numberOf(scored(Number.NaN))]).toEqual([
      1e140,
      null,
      null,
    ])
  })
})

describe('the cost of an item', () => {
  it('is that of its task and of its judges; what nobody knows is said beside it', () => {
    const usage = (cost: number | null, cached = false) =>
      scored(1, { usage: { model: null, input_tokens: null, output_tokens: null, cost, cached } })
    expect(costOf(success({}, 0.5))).toEqual({ known: 0.5, unknown: false })
    expect(costOf(success({ a: usage(0.25), b: scored(1) }, 0.5))).toEqual({ known: 0.75, unknown: false })
    expect(costOf(success({ a: usage(null), b: usage(0.25) }, 0.5))).toEqual({ known: 0.75, unknown: true })
    expect(costOf(success({ a: usage(null, true) }, 0.5))).toEqual({ known: 0.5, unknown: false })
    expect(costOf(success({}, null))).toEqual({ known: 0, unknown: true })
  })
})

function expectClose(seen: RunTotals, expected: RunTotals): void {
  expect(seen).toHaveLength(expected.length)
  // The cost and what rounding took from it count together.
  for (const [index, value] of expected.entries())
    if (index !== 2 && index !== 3) expect(seen[index]).toBeCloseTo(value, 6)
  expect((seen[2] ?? 0) + (seen[3] ?? 0)).toBeCloseTo((expected[2] ?? 0) + (expected[3] ?? 0), 9)
}
