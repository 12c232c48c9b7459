import type { Metrics, ReviewStatus } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NewTrace } from '../store.ts'
import { newTrace, now, type Room, statuses } from './room.contract.ts'

const minute = 60_000
const models = ['a', 'b', 'c']

/** One thing that happens to a project; `trace` and `user` choose among few, so that things meet. */
type Happening =
  | { what: 'ingest'; traces: { id: number; model: number; age: number; value: number | null; user: number }[] }
  | { what: 'review'; trace: number; status: ReviewStatus }
  | { what: 'delete'; trace: number }
  | { what: 'erase'; user: number }
  | { what: 'expire'; age: number }
  | { what: 'spans'; trace: number; start: number; length: number }
  | { what: 'digest' }

const id = fc.integer({ min: 0, max: 24 })
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('ingest' as const),
      traces: fc.array(
        fc.record({
          id,
          model: fc.integer({ min: 0, max: 2 }),
          age: fc.integer({ min: 0, max: 200 }),
          value: fc.option(fc.integer({ min: 0, max: 2_000 })),
          user: fc.integer({ min: 0, max: 3 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('review' as const),
      trace: id,
      status: fc.constantFrom<ReviewStatus>('pending', 'in_review', 'accepted', 'rejected'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('delete' as const), trace: id }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('erase' as const), user: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('expire' as const), age: fc.integer({ min: 150, max: 200 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('spans' as const),
      trace: id,
      start: fc.integer({ min: -100, max: 0 }),
      length: fc.integer({ min: 0, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: 'digest' as const }) },
)

/** Counters and roll-ups equal a recount after anything that may happen, in any order. */
export function countersContract(room: () => Promise<Room>): void {
  describe('counters and roll-ups', () => {
    test('equal a recount of the traces after any sequence of happenings', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 40 }), async (happenings) => {
          const r = await room()
          for (const one of happenings) await perform(r, one)
          await recount(r)
        }),
        { numRuns: 20 },
      )
    })

    test('equal a recount when all happens at once', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(happening, { minLength: 30, maxLength: 60 }), async (happenings) => {
          const r = await room()
          await Promise.all(happenings.map((one) => perform(r, one)))
          await recount(r)
        }),
        { numRuns: 8 },
      )
    })

    test('a verdict moves with its trace when a late span makes the trace begin earlier', async () => {
      const r = await room()
      await perform(r, { what: 'spans', trace: 1, start: 0, length: 0 })
      await perform(r, { what: 'review', trace: 1, status: 'rejected' })
      await perform(r, { what: 'spans', trace: 1, start: -1, length: 0 })
      await recount(r)
      await perform(r, { what: 'delete', trace: 1 })
      await recount(r)
    })

    test('roll-ups forget what was deleted before they were made, too', async () => {
      const r = await room()
      const traces = Array.from({ length: 30 }, (_, i) => newTrace({ timestamp: now - i * minute }))
      await Promise.all([
        r.ingest(traces),
        ...traces.slice(0, 20).map(async ({ traceId }) => {
          await r.review(traceId, 'accepted')
          await r.delete(traceId)
        }),
      ])
      // Those whose deletion came before the ingest was through are there still.
      await Promise.all(traces.slice(0, 20).map(({ traceId }) => r.delete(traceId)))
      await recount(r)
      expect((await r.metrics()).total_traces).toBe(10)
    })
  })

  describe('series', () => {
    test('steps add up what their minutes hold, hours are read for long ranges, and the range is widened to whole steps', async () => {
      const r = await room()
      const traces = Array.from({ length: 240 }, (_, i) =>
        newTrace({
          timestamp: now + i * minute,
          model: models[i % 2] ?? '',
          latencyMs: i + 1,
          costNano: 1e9,
          tokens: 2,
        }),
      )
      await r.ingest(traces)
      await r.review(traces[0]?.traceId ?? '', 'accepted')
      await r.review(traces[61]?.traceId ?? '', 'rejected')
      await r.caughtUp()
      const read = (stepSeconds: number, model: string | null) =>
        r.read('series', { from: now + 1, to: now + 240 * minute - 1, stepSeconds, model })
      for (const step of [60, 300, 3_600, 7_200]) {
        const { points, from, to, step_seconds, lag_events } = await read(step, null)
        expect({ from, to, step_seconds, lag_events }).toEqual({
          from: new Date(now).toISOString(),
          to: new Date(now + 240 * minute).toISOString(),
          step_seconds: step,
          lag_events: 0,
        })
        expect(points).toHaveLength((240 * 60) / step)
        expect(points[0]).toMatchObject({ traces: step / 60, accepted: 1, cost: step / 60, tokens: step / 30 })
        expect(points.reduce((sum, point) => sum + point.rejected, 0)).toBe(1)
        expect(points.reduce((sum, point) => sum + point.latency_count, 0)).toBe(240)
      }
      const ofModel = await read(3_600, 'a')
      expect(ofModel.points.map((point) => point.traces)).toEqual([30, 30, 30, 30])
      expect(ofModel.model_name).toBe('a')
      expect((await read(3_600, 'nobody')).points.map((point) => point.traces)).toEqual([0, 0, 0, 0])
    })

    test('percentiles are at most 5 % off', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }),
          async (latencies) => {
            const r = await room()
            await r.ingest(latencies.map((latencyMs) => newTrace({ latencyMs })))
            await r.caughtUp()
            const { points } = await r.read('series', { from: now, to: now + minute, stepSeconds: 60, model: null })
            const sorted = latencies.toSorted((a, b) => a - b)
            for (const [p, name] of [
              [0.5, 'latency_p50'],
              [0.95, 'latency_p95'],
              [0.99, 'latency_p99'],
            ] as const) {
              const exact = sorted[Math.ceil(p * sorted.length) - 1] ?? 0
              const read = points[0]?.[name] ?? 0
              expect(Math.abs(read - exact) / exact).toBeLessThanOrEqual(0.05)
            }
          },
        ),
        { numRuns: 10 },
      )
    })

    test('a step without traces has no latency', async () => {
      const r = await room()
      await r.ingest([newTrace({ latencyMs: null }), newTrace({ timestamp: now + minute, latencyMs: 0 })])
      await r.caughtUp()
      const { points } = await r.read('series', { from: now, to: now + 3 * minute, stepSeconds: 60, model: null })
      expect(points.map((point) => [point.traces, point.latency_count, point.latency_p50])).toEqual([
        [1, 0, null],
        [1, 1, 0.5],
        [0, 0, null],
      ])
    })
  })
}

async function perform(r: Room, one: Happening): Promise<void> {
  const name = (trace: number) => `t-${trace}`
  if (one.what === 'ingest') {
    const traces = one.traces.map((given): NewTrace => {
      const numbers = { latencyMs: given.value, costNano: given.value, tokens: given.value }
      const fields = { traceId: name(given.id), model: models[given.model] ?? '', userId: `u-${given.user}` }
      return newTrace({ ...fields, ...numbers, timestamp: now - given.age * minute })
    })
    const fates = statuses(await r.ingest(traces))
    expect(fates).toHaveLength(traces.length)
  } else if (one.what === 'review') await r.review(name(one.trace), one.status)
  else if (one.what === 'delete') await r.delete(name(one.trace))
  else if (one.what === 'erase') await r.apply({ kind: 'eraseUser', userId: `u-${one.user}`, at: now, limit: 3 })
  else if (one.what === 'expire')
    await r.apply({ kind: 'expireTraces', before: now - one.age * minute, at: now, limit: 3 })
  else if (one.what === 'spans') {
    const time = (offset: number) => new Date(now + offset * minute).toISOString()
    const own = {
      span_id: `s${one.start}`,
      parent_span_id: null,
      kind: 'llm' as const,
      name: '',
      status: 'ok' as const,
    }
    const span = { ...own, start: time(one.start), end: time(one.start + one.length), attributes: {}, hash: 'h' }
    const spans = [{ ...span, traceId: name(one.trace) }]
    await r.apply({ kind: 'putSpans', spans, at: now, model: 'c', source: null })
  } else await r.caughtUp()
}

/** Reads all traces, and compares what they add up to with what the store counted. */
async function recount(r: Room): Promise<void> {
  const { items } = await r.list({}, { limit: 200 })
  const sum = (values: (number | null)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0)
  const known = (values: (number | null)[]) => values.filter((value) => value !== null).length
  const count = (status: ReviewStatus) => items.filter((item) => item.evaluation_status === status).length
  const latencies = items.map((item) => item.response_time_ms)
  const costs = items.map((item) => item.cost)
  const tokens = items.map((item) => item.tokens_used)
  const decided = count('accepted') + count('rejected')
  const day = Math.floor(now / 86_400_000)
  const expected: Metrics = {
    total_traces: items.length,
    accepted_traces: count('accepted'),
    rejected_traces: count('rejected'),
    pending_traces: count('pending') + count('in_review'),
    in_review_traces: count('in_review'),
    decided_traces: decided,
    avg_response_time: known(latencies) === 0 ? null : Number((sum(latencies) / known(latencies)).toFixed(2)),
    response_time_count: known(latencies),
    total_cost: Number(sum(costs).toFixed(4)),
    cost_count: known(costs),
    total_tokens: sum(tokens),
    tokens_count: known(tokens),
    today_traces: items.filter((item) => Math.floor(Date.parse(item.timestamp) / 86_400_000) === day).length,
    acceptance_rate: decided === 0 ? 0 : Number(((100 * count('accepted')) / decided).toFixed(1)),
  }
  expect(await r.metrics(day)).toEqual(expected)

  await r.caughtUp()
  for (const model of [null, ...models]) {
    for (const stepSeconds of [60, 3_600]) {
      const range = { from: now - 300 * minute, to: now + 60 * minute }
      const { points } = await r.read('series', { ...range, stepSeconds, model })
      for (const point of points) {
        const start = Date.parse(point.at)
        const own = items.filter((item) => {
          const at = Date.parse(item.timestamp)
          return at >= start && at < start + stepSeconds * 1_000 && (model === null || item.model_name === model)
        })
        expect({ model, ...point }).toMatchObject({
          traces: own.length,
          accepted: own.filter((item) => item.evaluation_status === 'accepted').length,
          rejected: own.filter((item) => item.evaluation_status === 'rejected').length,
          cost: Number(sum(own.map((item) => item.cost)).toFixed(9)),
          cost_count: known(own.map((item) => item.cost)),
          tokens: sum(own.map((item) => item.tokens_used)),
          tokens_count: known(own.map((item) => item.tokens_used)),
          latency_count: known(own.map((item) => item.response_time_ms)),
        })
      }
    }
  }
  const { models: counted } = await r.read('facets', {})
  for (const { name, traces } of counted)
    expect([name, traces]).toEqual([name, items.filter((item) => item.model_name === name).length])
}
