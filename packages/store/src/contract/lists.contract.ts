import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ReviewStatus } from '@llm-eval/protocol'
import type { Filter, NewTrace, Queries } from '../store.ts'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

const stati: readonly ReviewStatus[] = ['pending', 'in_review', 'accepted', 'rejected']

/** Lists: newest first, every filter, cursors that stay true while traces arrive. */
export function listsContract(room: () => Promise<Room>): void {
  describe('lists', () => {
    let r: Room
    let known: { trace: NewTrace; status: ReviewStatus; ref: number }[]
    beforeAll(async () => {
      r = await room()
      known = await populate(r)
    }, 60_000)

    /** What a list with this filter must hold, by brute force. */
    const expected = (filter: Filter) =>
      known
        .filter(({ trace, status }) => matches(trace, status, filter))
        .sort((a, b) => b.trace.timestamp - a.trace.timestamp || b.ref - a.ref)
        .map(({ trace }) => trace.traceId)

    test('without a filter all traces are listed, newest first', async () => {
      expect((await r.list({}, { limit: 200 })).ids).toEqual(expected({}))
    })

    const single: Filter[] = [
      { model_name: 'm-1' },
      { model_name: 'no such model' },
      { evaluation_status: 'rejected' },
      { source: 'web' },
      { session_id: 's-1' },
      { user_id: 'u-2' },
      { from: now - 40_000 },
      { to: now - 40_000 },
      { from: now - 40_000, to: now - 20_000 },
      { min_latency: 200 },
      { max_latency: 200 },
      { min_cost: 0.000_003 },
      { max_cost: 0.000_003 },
      { q: 'even' },
    ]
    for (const filter of single) {
      test(`the filter ${JSON.stringify(filter)} lists what it says, on pages of any size`, async () => {
        for (const limit of [1, 7, 200]) expect((await r.list(filter, { limit })).ids).toEqual(ordered(filter))
      })
    }

    /** Searches are ordered by arrival. */
    function ordered(filter: Filter): string[] {
      const ids = expected(filter)
      if (filter.q === undefined) return ids
      return known
        .filter(({ trace }) => ids.includes(trace.traceId))
        .sort((a, b) => b.ref - a.ref)
        .map(({ trace }) => trace.traceId)
    }

    test('filters combine with AND, in every combination, over pages of any size and slices of any time', async () => {
      const optional = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
      const filters: fc.Arbitrary<Filter> = fc.record({
        model_name: optional('m-0', 'm-1', 'm-2'),
        evaluation_status: optional(...stati),
        source: optional('web', 'batch'),
        session_id: optional('s-0', 's-1'),
        user_id: optional('u-0', 'u-1', 'u-2'),
        from: optional(now - 90_000, now - 30_000),
        to: optional(now - 1_000, now - 60_000),
        min_latency: optional(0, 150),
        max_latency: optional(400, 250),
        min_cost: optional(0, 0.000_002),
        max_cost: optional(0.000_005, 0.000_001),
        q: optional('even', 'odd', 'common word', 'comm*', 'nowhere'),
      })
      await fc.assert(
        fc.asyncProperty(
          filters,
          fc.constantFrom(1, 3, 10, 200),
          fc.constantFrom(0, 1_000),
          async (filter, limit, sliceMs) => {
            expect((await r.list(filter, { limit, sliceMs })).ids).toEqual(ordered(filter))
          },
        ),
        { numRuns: 150 },
      )
    })

    test('whole traces are paged in the same order', async () => {
      for (const filter of [{}, { user_id: 'u-1', min_latency: 100 }]) {
        const ids: string[] = []
        let cursor: string | null = null
        do {
          const page: Queries['pageTraces']['out'] = await r.read('pageTraces', {
            filter,
            limit: 9,
            cursor,
            sliceMs: 50,
          })
          if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
          for (const item of page.items) expect(item.ai_response).toContain(`answer of ${item.trace_id}`)
          ids.push(...page.items.map((item) => item.trace_id))
          cursor = page.nextCursor
        } while (cursor !== null)
        expect(ids).toEqual(expected(filter))
      }
    })

    test('a cursor that the store did not make is refused', async () => {
      const from = (text: string) => Buffer.from(text).toString('base64url')
      const cursors = [
        '',
        'x',
        '%%%',
        from('t1'),
        from('t1.'),
        from('t1.2.3'),
        from('t1e3.1'),
        from('x1.1'),
        'a'.repeat(400),
      ]
      for (const cursor of [...cursors, from("t1.1' OR 1=1 --"), from('t9999999999999999.1')]) {
        const asked = { filter: {}, limit: 10, cursor, sliceMs: 50 }
        expect(await r.read('listTraces', asked)).toEqual({ invalidCursor: true })
        expect(await r.read('pageTraces', asked)).toEqual({ invalidCursor: true })
      }
    })

    test('a cursor of a search is none of a list, and the other way round', async () => {
      const first = async (filter: Filter) => {
        const page = await r.read('listTraces', { filter, limit: 2, cursor: null, sliceMs: 1_000 })
        return 'invalidCursor' in page ? null : page.nextCursor
      }
      const [list, search] = [await first({}), await first({ q: 'common' })]
      expect(list && search).not.toBeNull()
      const ask = (filter: Filter, cursor: string | null) =>
        r.read('listTraces', { filter, limit: 2, cursor, sliceMs: 50 })
      expect(await ask({ q: 'common' }, list)).toEqual({ invalidCursor: true })
      expect(await ask({}, search)).toEqual({ invalidCursor: true })
    })

    test('facets name the models with their traces, and the sources', async () => {
      const { models, sources } = await r.read('facets', {})
      const count = (model: string) => known.filter(({ trace }) => trace.model === model).length
      expect(models).toEqual(['m-0', 'm-1', 'm-2'].map((name) => ({ name, traces: count(name) })))
      expect(sources).toEqual(['batch', 'web'])
    })

    test('facets name a hundred sources at most, in the order of their bytes', async () => {
      const own = await room()
      const sources = ['Z', 'a', 'é', ...Array.from({ length: 120 }, (_, i) => `s${String(i).padStart(3, '0')}`)]
      await own.ingest(sources.map((source) => newTrace({ source })))
      const { sources: named } = await own.read('facets', {})
      expect(named).toEqual(['Z', 'a', ...sources.slice(3, 101)])
    })
  })

  describe('lists while traces arrive', () => {
    test('a list that is read page by page shows every trace that was there at first once, whatever arrives or goes', async () => {
      const r = await room()
      const first = newTraces(60, (i) => ({ timestamp: now - i * 1_000, userId: i % 2 ? 'ann' : 'bob' }))
      await r.ingest(first)
      for (const filter of [{}, { user_id: 'ann' }, { min_latency: 1 }] satisfies Filter[]) {
        const seen: string[] = []
        let cursor: string | null = null
        do {
          const page: Queries['listTraces']['out'] = await r.read('listTraces', {
            filter,
            limit: 7,
            cursor,
            sliceMs: 50,
          })
          if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
          seen.push(...page.items.map((item) => item.trace_id))
          cursor = page.nextCursor
          // One newer, one among those that were read, one that is older than all.
          const late = [now + 500, now - seen.length * 500, now - 1e9]
          const more = late.map((timestamp) => newTrace({ timestamp, userId: 'ann' }))
          await r.ingest(more)
          await r.delete(more[1]?.traceId ?? '')
        } while (cursor !== null)
        expect(new Set(seen).size).toBe(seen.length)
        const wanted = first.filter((trace) => filter.user_id === undefined || trace.userId === filter.user_id)
        expect(seen.filter((id) => wanted.some((trace) => trace.traceId === id))).toEqual(
          wanted.map((trace) => trace.traceId),
        )
      }
    })

    test('traces of one moment are listed latest arrival first, and paged without a gap', async () => {
      const r = await room()
      const traces = newTraces(25)
      for (const trace of traces) await r.ingest([trace])
      expect((await r.list({}, { limit: 4 })).ids).toEqual(traces.map((trace) => trace.traceId).toReversed())
    })
  })

  describe('slices', () => {
    test('a search through many traces stops when its time is up, says how far it got, and goes on from there', async () => {
      const r = await room()
      const traces = newTraces(3_000, (i) => ({ timestamp: now - i, latencyMs: i === 2_900 ? 5_000 : 10 }))
      for (let at = 0; at < traces.length; at += 1_000) await r.ingest(traces.slice(at, at + 1_000))
      const filter = { min_latency: 1_000 }
      const page = await r.read('listTraces', { filter, limit: 10, cursor: null, sliceMs: 0 })
      if ('invalidCursor' in page) throw new Error('no cursor was given')
      expect(page.items).toEqual([])
      expect(page.searchedTo).toBeLessThan(now - 100)
      expect(page.searchedTo).toBeGreaterThan(now - 2_900)
      const { ids, pages } = await r.list(filter, { sliceMs: 0 })
      expect(ids).toEqual([traces[2_900]?.traceId])
      expect(pages).toBeGreaterThan(1)
    })
  })
}

async function populate(r: Room): Promise<{ trace: NewTrace; status: ReviewStatus; ref: number }[]> {
  const unknown = <T>(i: number, every: number, value: T) => (i % every === 0 ? null : value)
  const traces = Array.from({ length: 120 }, (_, i) =>
    newTrace(
      {
        traceId: `listed-${(i * 37) % 120}`,
        timestamp: now - ((i * 53) % 100) * 1_000,
        model: `m-${i % 3}`,
        source: unknown(i, 7, i % 2 ? 'web' : 'batch'),
        sessionId: unknown(i, 5, `s-${i % 4}`),
        userId: unknown(i, 6, `u-${i % 5}`),
        latencyMs: unknown(i, 8, (i * 31) % 500),
        costNano: unknown(i, 9, (i % 7) * 1_000),
      },
      {
        user_query: `common word ${i % 2 ? 'odd' : 'even'}`,
        ai_response: `answer of listed-${(i * 37) % 120}`,
      },
    ),
  )
  for (let at = 0; at < traces.length; at += 10) await r.ingest(traces.slice(at, at + 10))
  const known = traces.map((trace, i) => ({ trace, status: stati[i % 4] ?? 'pending', ref: i }))
  for (const { trace, status } of known) if (status !== 'pending') await r.review(trace.traceId, status)
  await r.caughtUp()
  return known
}

function matches(trace: NewTrace, status: ReviewStatus, filter: Filter): boolean {
  const equal = (wanted: unknown, value: unknown) => wanted === undefined || wanted === value
  const least = (wanted: number | undefined, value: number | null) =>
    wanted === undefined || (value !== null && value >= wanted)
  const most = (wanted: number | undefined, value: number | null) =>
    wanted === undefined || (value !== null && value <= wanted)
  const cost = trace.costNano === null ? null : trace.costNano / 1e9
  const words = (filter.q ?? '').split(' ').filter(Boolean)
  const text = trace.body
  return (
    equal(filter.model_name, trace.model) &&
    equal(filter.evaluation_status, status) &&
    equal(filter.source, trace.source) &&
    equal(filter.session_id, trace.sessionId) &&
    equal(filter.user_id, trace.userId) &&
    least(filter.from, trace.timestamp) &&
    (filter.to === undefined || trace.timestamp < filter.to) &&
    least(filter.min_latency, trace.latencyMs) &&
    most(filter.max_latency, trace.latencyMs) &&
    least(filter.min_cost, cost) &&
    most(filter.max_cost, cost) &&
    words.every((word) => new RegExp(word.endsWith('*') ? `\\b${word.slice(0, -1)}` : `\\b${word}\\b`).test(text))
  )
}
