import { describe, expect, test } from 'vitest'
import type { NewSpan } from '../store.ts'
import { newTrace, now, type Room, statuses } from './room.contract.ts'

/** Spans: written once, in any order; a trace that is known only by its spans is open. */
export function spansContract(room: () => Promise<Room>): void {
  const put = (r: Room, spans: NewSpan[]) => r.apply({ kind: 'putSpans', spans, at: now, model: 'm-1', source: 'otel' })

  describe('spans', () => {
    test('spans of an unknown trace open it, and its time and latency follow from them', async () => {
      const r = await room()
      const { traceId } = newTrace()
      const child = span({ traceId, span_id: 'child', parent_span_id: 'root', start: 100, end: 300 })
      expect(await put(r, [child])).toEqual({ statuses: ['created'] })
      expect(await r.trace(traceId)).toMatchObject({
        state: 'open',
        model_name: 'm-1',
        source: 'otel',
        timestamp: new Date(now + 100).toISOString(),
        response_time_ms: null,
        tokens_used: null,
        cost: null,
        user_query: '',
        spans: [{ span_id: 'child', start: new Date(now + 100).toISOString(), attributes: { of: 'child' } }],
      })
      expect(await r.metrics()).toMatchObject({ total_traces: 1, response_time_count: 0, pending_traces: 1 })

      const root = span({ traceId, span_id: 'root', start: 0, end: 1_500 })
      expect(await put(r, [root])).toEqual({ statuses: ['created'] })
      expect(await r.trace(traceId)).toMatchObject({
        timestamp: new Date(now).toISOString(),
        response_time_ms: 1_500,
        spans: [{ span_id: 'root' }, { span_id: 'child' }],
      })
      expect(await r.metrics()).toMatchObject({ total_traces: 1, response_time_count: 1, avg_response_time: 1_500 })
      const [opened, updated] = await r.journal()
      expect(opened).toMatchObject({ kind: 'trace_created', data: { latencyMs: null } })
      expect(updated).toMatchObject({
        kind: 'trace_updated',
        data: { latencyMs: 1_500, minute: now / 60_000, was: { latencyMs: null, minute: now / 60_000 } },
      })
    })

    test('a span sent again is a duplicate, other content a conflict, and the first write stays', async () => {
      const r = await room()
      const { traceId } = newTrace()
      const first = span({ traceId, span_id: 'a', start: 0, end: 10 })
      const other = { ...first, name: 'other', hash: 'other' }
      expect(await put(r, [first, first, other])).toEqual({ statuses: ['created', 'duplicate', 'conflict'] })
      expect(await put(r, [other, first])).toEqual({ statuses: ['conflict', 'duplicate'] })
      expect((await r.trace(traceId))?.spans.map((one) => one.name)).toEqual(['a'])
      expect(await r.journal()).toHaveLength(1)
    })

    test('spans of several traces are told apart, in the order they were sent', async () => {
      const r = await room()
      const [one, two] = [newTrace().traceId, newTrace().traceId]
      const spans = [
        span({ traceId: one, span_id: 'a', start: 0, end: 1 }),
        span({ traceId: two, span_id: 'a', start: 0, end: 2 }),
        span({ traceId: one, span_id: 'b', start: 5, end: 6 }),
        span({ traceId: two, span_id: 'a', start: 0, end: 2 }),
      ]
      expect(await put(r, spans)).toEqual({ statuses: ['created', 'created', 'created', 'duplicate'] })
      expect((await r.trace(one))?.spans.map((each) => each.span_id)).toEqual(['a', 'b'])
      expect((await r.trace(two))?.spans.map((each) => each.span_id)).toEqual(['a'])
    })

    test('a late span of a closed trace is kept, and changes none of its numbers', async () => {
      const r = await room()
      const trace = newTrace({ latencyMs: 42 })
      await r.ingest([trace])
      await put(r, [span({ traceId: trace.traceId, span_id: 'late', start: -60_000, end: 99_999 })])
      expect(await r.trace(trace.traceId)).toMatchObject({
        state: 'closed',
        timestamp: new Date(now).toISOString(),
        response_time_ms: 42,
        user_query: 'What is the capital of France?',
        spans: [{ span_id: 'late' }],
      })
      expect(await r.metrics()).toMatchObject({ total_traces: 1, avg_response_time: 42, today_traces: 1 })
    })

    test('a span without an end leaves the latency unknown', async () => {
      const r = await room()
      const { traceId } = newTrace()
      await put(r, [{ ...span({ traceId, span_id: 'root', start: 0, end: 0 }), end: null }])
      expect((await r.trace(traceId))?.response_time_ms).toBeNull()
    })

    test('spans and webhooks of one trace at the same time make one trace', async () => {
      const r = await room()
      for (let round = 0; round < 10; round++) {
        const trace = newTrace()
        const spans = Array.from({ length: 6 }, (_, i) =>
          span({ traceId: trace.traceId, span_id: `s${i}`, parent_span_id: 'p', start: i, end: i }),
        )
        const [, sent] = await Promise.all([
          Promise.all(spans.map((one) => put(r, [one]))),
          r.ingest([trace]),
          r.ingest([{ ...trace }]),
        ])
        expect(['created', 'conflict']).toContain(statuses(sent)[0])
        expect((await r.trace(trace.traceId))?.spans).toHaveLength(6)
      }
      expect((await r.metrics()).total_traces).toBe(10)
    })

    test('an open trace that moves to another day is counted on that day', async () => {
      const r = await room()
      const { traceId } = newTrace()
      const day = 86_400_000
      await put(r, [span({ traceId, span_id: 'b', parent_span_id: 'a', start: 0, end: 10 })])
      await put(r, [span({ traceId, span_id: 'a', start: -day, end: 10 })])
      expect((await r.metrics(Math.floor(now / day))).today_traces).toBe(0)
      expect((await r.metrics(Math.floor(now / day) - 1)).today_traces).toBe(1)
    })
  })
}

function span(given: {
  traceId: string
  span_id: string
  parent_span_id?: string
  start: number
  end: number
}): NewSpan {
  const { traceId, span_id, parent_span_id = null } = given
  const time = (offset: number) => new Date(now + offset).toISOString()
  const own = { span_id, parent_span_id, kind: 'tool' as const, name: span_id, status: 'ok' as const }
  return {
    ...own,
    start: time(given.start),
    end: time(given.end),
    attributes: { of: span_id },
    traceId,
    hash: `hash-${span_id}`,
  }
}
