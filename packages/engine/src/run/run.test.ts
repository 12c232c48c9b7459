import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itemsOf, listen, numbered, odd, planOf, quality, scored } from '../../test/runs.ts'
import type { RunEvent } from './events.ts'
import type { Answerer, RunCase } from './plan.ts'
import { run } from './run.ts'
import { joinTotals, progressOf } from './totals.ts'

/** Answers later, in whatever order `turns` says. */
function inTurns(turns: readonly number[]): Answerer {
  return async ({ case: { input } }) => {
    for (let turn = turns[Number(input) % turns.length] ?? 0; turn > 0; turn--) await new Promise(setImmediate)
    return { output: input, cost: 0.01, tokens: 3 }
  }
}
const turns = fc.array(fc.nat(4), { minLength: 1, maxLength: 7 })

describe('a run', () => {
  it('tells what it does, from its start to its end', async () => {
    const { events, ended } = await listen(planOf({ cases: numbered(1), metrics: [quality] }))
    expect(events.map(({ type }) => type)).toEqual(['started', 'item_started', 'item', 'ended'])
    expect(events[0]).toMatchObject({ progress: { total_items: 1, completed_items: 0, success_rate: null } })
    expect(events[1]).toMatchObject({ item_id: 'case-0#1', item_index: 0, case_id: 'case-0', repetition: 1 })
    expect(events[2]).toMatchObject({
      item: {
        item_id: 'case-0#1',
        item_index: 0,
        case_id: 'case-0',
        repetition: 1,
        status: 'success',
        input: 0,
        expected: 0,
        output: 0,
        scores: { quality: scored(0, { passed: false }) },
        error: null,
        attempts: 1,
        response_time_ms: expect.any(Number),
        tokens: null,
        cost: 0,
        trace_id: null,
      },
      progress: { completed_items: 1, metrics: { quality: { mean: 0, ci: null, n: 1, failed: 1 } } },
    })
    expect(ended).toMatchObject({
      status: 'completed',
      stopped_by: null,
      error: null,
      progress: { total_items: 1, completed_items: 1, successful_items: 1, success_rate: 1, cost: 0, unknown_costs: 0 },
    })
  })

  it('of no cases is completed, and knows nothing of its metrics', async () => {
    const { events, ended } = await listen(planOf({ cases: [], metrics: [quality] }))
    expect(events.map(({ type }) => type)).toEqual(['started', 'ended'])
    expect(ended).toMatchObject({
      status: 'completed',
      progress: { total_items: 0, success_rate: null, metrics: { quality: { mean: null, ci: null, n: 0 } } },
    })
  })

  it('works every item off exactly once, never more at a time than it may, in whatever order they end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.nat(40),
          concurrency: fc.integer({ min: 1, max: 9 }),
          repetitions: fc.integer({ min: 1, max: 3 }),
        }),
        turns,
        fc.boolean(),
        async ({ count, concurrency, repetitions }, order, streamed) => {
          let [busy, most] = [0, 0]
          const later = inTurns(order)
          const answer: Answerer = async (ask) => {
            most = Math.max(most, ++busy)
            const answered = await later(ask)
            busy--
            return answered
          }
          const cases = streamed ? slowly(numbered(count)) : numbered(count)
          const plan = planOf({ cases, metrics: [quality], settings: { concurrency, repetitions } })
          const { items, ended } = await listen(plan, { answer })
          expect(most).toBeLessThanOrEqual(concurrency)
          expect(most).toBe(Math.min(concurrency, count * repetitions, streamed ? most : concurrency))
          expect(items.map(({ item_index }) => item_index).sort((a, b) => a - b)).toEqual(
            Array.from({ length: count * repetitions }, (_, index) => index),
          )
          expect(new Set(items.map(({ item_id }) => item_id)).size).toBe(count * repetitions)
          expect(ended.progress).toMatchObject({ total_items: count * repetitions, completed_items: items.length })
          expect(ended.progress.cost).toBeCloseTo(0.01 * items.length, 12)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('has the same numbers in whatever order its items end', async () => {
    await fc.assert(
      fc.asyncProperty(turns, turns, async (first, second) => {
        const plan = () => planOf({ cases: numbered(20), metrics: [quality] })
        const [a, b] = [
          await listen(plan(), { answer: inTurns(first) }),
          await listen(plan(), { answer: inTurns(second) }),
        ]
        expectSameNumbers(a.ended.totals, b.ended.totals)
      }),
      { numRuns: 15 },
    )
  })

  it('counts each item in the progress that comes with it', async () => {
    const { events, ended } = await listen(planOf({ cases: numbered(30), metrics: [quality] }))
    const progress = events.flatMap((event) => (event.type === 'item' ? [event.progress] : []))
    expect(progress.map(({ completed_items }) => completed_items)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    expect(progress.at(-1)).toEqual(ended.progress)
    expect(ended.progress.metrics['quality']).toMatchObject({ mean: 0.5, n: 30, passed: 15, failed: 15 })
  })

  it('asks every case as often as it is told, one after the other', async () => {
    const { items } = await listen(planOf({ cases: numbered(2), settings: { repetitions: 3, concurrency: 1 } }))
    expect(items.map(({ item_id, repetition }) => [item_id, repetition])).toEqual([
      ['case-0#1', 1],
      ['case-0#2', 2],
      ['case-0#3', 3],
      ['case-1#1', 1],
      ['case-1#2', 2],
      ['case-1#3', 3],
    ])
  })

  it('learns how many items there are when it has read them all', async () => {
    const { events, ended } = await listen(planOf({ cases: slowly(numbered(9)), settings: { repetitions: 2 } }))
    expect(events[0]).toMatchObject({ progress: { total_items: null } })
    expect(ended.progress.total_items).toBe(18)
  })

  it('is refused at once when it cannot be worked off', () => {
    const refusal = (more: Parameters<typeof planOf>[0]) => {
      try {
        run(planOf(more), { answer: () => ({ output: 1 }), evaluate: odd })
      } catch (error) {
        return error
      }
      return null
    }
    expect(refusal({ settings: { concurrency: 0 } })).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'settings.concurrency', message: 'must be a whole number of 1 to 1000' }],
    })
    for (const more of [
      { settings: { concurrency: 1_001 } },
      { settings: { timeout_ms: 0 } },
      { settings: { timeout_ms: 3_600_001 } },
      { settings: { retries: 11 } },
      { settings: { repetitions: 0 } },
      { settings: { repetitions: 101 } },
      { settings: { limits: { cost: 0 } } },
      { settings: { limits: { duration_ms: Number.NaN } } },
      { settings: { decision: { metric: 'quality', threshold: 0.5 } } },
      { metrics: [quality], settings: { decision: { metric: 'quality', threshold: 2 } } },
      { metrics: [quality], settings: { decision: { metric: 'quality', threshold: 0.5, level: 1 } } },
      { metrics: [quality, quality] },
      { metrics: Array.from({ length: 51 }, (_, index) => ({ name: `m${index}`, evaluator: 'quality' })) },
      { earlier: { finished: () => false, totals: [1, 2], durationMs: 0 } },
    ])
      expect(refusal(more)).toMatchObject({ code: 'invalid_request' })
    for (const more of [
      { settings: { concurrency: 1_000, timeout_ms: 3_600_000, retries: 10, repetitions: 100 } },
      { metrics: Array.from({ length: 50 }, (_, index) => ({ name: `m${index}`, evaluator: 'quality' })) },
    ])
      expect(refusal(more)).toBeNull()
  })
})

describe('a slow listener', () => {
  it('slows the run down: what it has not heard is bounded, and so is what was read', async () => {
    let read = 0
    function* cases(): Generator<RunCase> {
      for (const one of numbered(1_000)) {
        read++
        yield one
      }
    }
    const running = run(planOf({ cases: cases(), settings: { concurrency: 3 } }), {
      answer: ({ case: { input } }) => ({ output: input }),
      evaluate: odd,
    })
    let heard = 0
    while (heard < 50) {
      const { value } = await running.next()
      if (value?.type === 'item') heard++
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      expect(read - heard).toBeLessThanOrEqual(6)
    }
    await running.return()
    expect(read).toBeLessThanOrEqual(heard + 6)
  })

  it('that listens no more ends the run: tasks are told, and the cases are closed', async () => {
    let closed = false
    async function* cases() {
      try {
        for (const one of numbered(100)) {
          await Promise.resolve()
          yield one
        }
      } finally {
        closed = true
      }
    }
    const signals: AbortSignal[] = []
    for await (const event of run(planOf({ cases: cases() }), {
      answer: ({ case: { input }, signal }) => {
        signals.push(signal)
        return Number(input) < 2 ? { output: 1 } : new Promise(() => undefined)
      },
      evaluate: odd,
    }))
      if (event.type === 'item_started' && event.item_index === 4) break
    expect(signals.length).toBeGreaterThanOrEqual(5)
    expect(signals.filter(({ aborted }) => aborted).length).toBe(signals.length - 2)
    await new Promise(setImmediate)
    expect(closed).toBe(true)
  })
})

describe('a run that is resumed', () => {
  it('does what is missing and nothing else, and ends with the numbers of one that was never interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ count: fc.nat(25), repetitions: fc.integer({ min: 1, max: 3 }), stop: fc.nat(60) }),
        turns,
        async ({ count, repetitions, stop }, order) => {
          const plan = { cases: numbered(count), metrics: [quality], settings: { repetitions } }
          const answer = inTurns(order)
          const whole = await listen(planOf(plan), { answer })
          const first: RunEvent[] = []
          for await (const event of run(planOf(plan), { answer, evaluate: odd })) {
            first.push(event)
            if (itemsOf(first).length >= stop) break
          }
          const done = new Set(itemsOf(first).map(({ item_id }) => item_id))
          const told = first.findLast((event) => event.type === 'item')
          const totals = told?.type === 'item' ? told.totals : undefined
          const second = await listen(
            planOf({ ...plan, ...(totals && { earlier: { finished: (id) => done.has(id), totals, durationMs: 7 } }) }),
            { answer },
          )
          const ids = [...itemsOf(first), ...second.items].map(({ item_id }) => item_id)
          expect(ids.sort()).toEqual(whole.items.map(({ item_id }) => item_id).sort())
          expectSameNumbers(second.ended.totals, whole.ended.totals)
          expect(second.ended.progress.total_items).toBe(count * repetitions)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('counts what was finished of more cases than it is given now', async () => {
    const { totals } = (await listen(planOf({ cases: numbered(5), metrics: [quality] }))).ended
    const earlier = { finished: () => true, totals, durationMs: 0 }
    const { items, ended } = await listen(planOf({ cases: numbered(2), metrics: [quality], earlier }))
    expect(items).toEqual([])
    expect(ended).toMatchObject({ status: 'completed', progress: { total_items: 5, completed_items: 5 } })
  })

  it('skips a hundred thousand finished items without asking one', async () => {
    const plan = { cases: slowly(numbered(100_000)), metrics: [quality] }
    const { totals } = (await listen(planOf({ cases: numbered(1), metrics: [quality] }))).ended
    const { items, ended } = await listen(
      planOf({ ...plan, earlier: { finished: (_id, index) => index !== 99_999, totals, durationMs: 1_000 } }),
    )
    expect(items.map(({ item_id }) => item_id)).toEqual(['case-99999#1'])
    expect(ended.progress).toMatchObject({ total_items: 100_000, completed_items: 2 })
    expect(ended.duration_ms).toBeGreaterThanOrEqual(1_000)
  })
})

describe('totals', () => {
  it('of parts joined are those of the whole', async () => {
    const cases = numbered(41)
    const whole = (await listen(planOf({ cases, metrics: [quality] }))).ended.totals
    const parts = await Promise.all(
      [cases.slice(0, 7), cases.slice(7, 8), [], cases.slice(8)].map(async (part) => {
        return (await listen(planOf({ cases: part, metrics: [quality] }))).ended.totals
      }),
    )
    expectSameNumbers(parts.reduceRight(joinTotals), whole)
    const shape = { names: ['quality'], repetitions: 1, totalItems: 41 }
    expect(progressOf(whole, shape).metrics['quality']?.mean).toBeCloseTo(20 / 41, 12)
  })
})

async function* slowly(cases: readonly RunCase[]): AsyncGenerator<RunCase> {
  for (const one of cases) {
    await Promise.resolve()
    yield one
  }
}

function expectSameNumbers(seen: readonly number[], expected: readonly number[]): void {
  expect(seen).toHaveLength(expected.length)
  for (const [index, value] of expected.entries()) expect(seen[index]).toBeCloseTo(value, 9)
}
