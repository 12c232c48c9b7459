import { describe, expect, test } from 'vitest'
import { newTrace, newTraces, now, type Room, statuses } from './room.contract.ts'

/** Deletion is real: nothing of a trace stays but a hashed tombstone. */
export function deletionContract(room: () => Promise<Room>): void {
  describe('deletion', () => {
    test('nothing of a deleted trace is left: no id, no text, no review, no span, no word in the index', async () => {
      const r = await room()
      const secret = 'xylophonequark'
      const batch = { batchId: 'b', source: 'tests', receivedAt: now, refused: [null] }
      const doomed = newTrace(
        { traceId: `id-${secret}`, sessionId: `session-${secret}`, queryPreview: secret },
        { user_query: `query ${secret}`, ai_response: `response ${secret}`, metadata: { secret } },
      )
      await r.ingest([doomed], { receipt: batch })
      await r.review(doomed.traceId, 'rejected', { note: `note ${secret}`, reviewer: `reviewer ${secret}` })
      await r.apply({ kind: 'putSpans', spans: [span(doomed.traceId, secret)], at: now, model: 'm', source: null })
      await r.caughtUp()
      expect((await r.list({ q: secret })).ids).toEqual([doomed.traceId])
      expect(await r.dump()).toContain(secret)

      expect(await r.delete(doomed.traceId)).toEqual({ found: true })
      await r.caughtUp()
      expect(await r.dump()).not.toContain(secret)
      expect(await r.trace(doomed.traceId)).toBeNull()
      expect((await r.list()).ids).toEqual([])
      expect((await r.list({ q: secret })).ids).toEqual([])
      expect((await r.read('snapshot', { limit: 10 })).items).toEqual([])
      expect(JSON.stringify(await r.journal())).not.toContain(secret)
      expect((await r.journal()).map((event) => [event.kind, 'trace' in event ? event.trace : undefined])).toEqual([
        ['trace_created', null],
        ['reviewed', null],
        ['trace_updated', null],
        ['trace_deleted', null],
      ])
    })

    test('counters forget a deleted trace, whatever it had become', async () => {
      const r = await room()
      const traces = newTraces(4)
      const [first, second, third] = traces.map((trace) => trace.traceId)
      await r.ingest(traces)
      await r.review(first ?? '', 'accepted')
      await r.review(second ?? '', 'rejected')
      await r.review(third ?? '', 'in_review')
      for (const { traceId } of traces) await r.delete(traceId)
      expect(await r.metrics()).toEqual({
        total_traces: 0,
        accepted_traces: 0,
        rejected_traces: 0,
        pending_traces: 0,
        in_review_traces: 0,
        decided_traces: 0,
        avg_response_time: null,
        response_time_count: 0,
        total_cost: 0,
        cost_count: 0,
        total_tokens: 0,
        tokens_count: 0,
        today_traces: 0,
        acceptance_rate: 0,
      })
    })

    test('a deleted trace cannot be sent again, by ingest or by spans, and its neighbours can', async () => {
      const r = await room()
      const [doomed, other] = newTraces(2)
      if (!doomed || !other) throw new Error('two traces')
      await r.ingest([doomed])
      await r.delete(doomed.traceId)
      expect(statuses(await r.ingest([doomed, other, { ...doomed, hash: 'x' }]))).toEqual([
        'deleted',
        'created',
        'deleted',
      ])
      const spans = [span(doomed.traceId, 'a'), span(other.traceId, 'b')]
      expect(await r.apply({ kind: 'putSpans', spans, at: now, model: 'm', source: null })).toEqual({
        statuses: ['deleted', 'created'],
      })
      expect(await r.trace(doomed.traceId)).toBeNull()
      expect((await r.metrics()).total_traces).toBe(1)
    })

    test('a trace is deleted once', async () => {
      const r = await room()
      const { traceId } = newTrace()
      await r.ingest([newTrace({ traceId })])
      const all = await Promise.all(Array.from({ length: 10 }, () => r.delete(traceId)))
      expect(all.filter((one) => one.found)).toHaveLength(1)
      expect((await r.metrics()).total_traces).toBe(0)
      expect(await r.delete('nobody')).toEqual({ found: false })
    })

    test('a trace that is deleted and sent at the same time is never stored beside its tombstone', async () => {
      const r = await room()
      for (let round = 0; round < 15; round++) {
        const trace = newTrace()
        await r.ingest([trace])
        const results = await Promise.all([
          r.ingest([trace, newTrace()]),
          r.delete(trace.traceId),
          r.ingest([newTrace(), trace]),
          r.ingest([trace]),
        ])
        expect(results[1]).toEqual({ found: true })
        expect(await r.trace(trace.traceId)).toBeNull()
        expect(statuses(await r.ingest([trace]))).toEqual(['deleted'])
      }
      expect((await r.metrics()).total_traces).toBe(30)
    })

    test('a trace that is read while it comes and goes is there whole or not at all', async () => {
      const r = await room()
      const stop = new AbortController()
      const traces = newTraces(40)
      const reading = Promise.all(
        [0, 1, 2].map(async () => {
          while (!stop.signal.aborted) {
            for (const { traceId } of traces.slice(0, 5)) await r.trace(traceId)
            const page = await r.read('pageTraces', { filter: {}, limit: 50, cursor: null, sliceMs: 50 })
            if ('items' in page) for (const item of page.items) expect(item.ai_response).toBe('Paris.')
          }
        }),
      )
      for (const trace of traces) {
        await r.ingest([trace])
        await r.review(trace.traceId, 'accepted')
        await r.delete(trace.traceId)
      }
      stop.abort()
      await reading
    })

    test('erasing a user deletes all traces of that user in bounded steps, with tombstones, and nobody else\u2019s', async () => {
      const r = await room()
      const traces = newTraces(25, (i) => ({ userId: i % 5 === 0 ? 'bob' : 'ann', timestamp: now - i }))
      await r.ingest(traces)
      const step = () => r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 8 })
      expect(await step()).toEqual({ deleted: 8, more: true })
      expect(await step()).toEqual({ deleted: 8, more: true })
      expect(await step()).toEqual({ deleted: 4, more: false })
      expect(await step()).toEqual({ deleted: 0, more: false })
      const kept = traces.filter((trace) => trace.userId === 'bob').map((trace) => trace.traceId)
      expect(new Set((await r.list()).ids)).toEqual(new Set(kept))
      expect(statuses(await r.ingest(traces.slice(0, 3)))).toEqual(['duplicate', 'deleted', 'deleted'])
      const erased = (await r.journal()).filter((event) => event.kind === 'user_erased')
      expect(erased.map((event) => event.data)).toEqual([{ count: 8 }, { count: 8 }, { count: 4 }])
    })

    test('several erasures of one user at once leave nothing of that user', async () => {
      const r = await room()
      await r.ingest(newTraces(60, () => ({ userId: 'ann' })))
      const erase = async () => {
        while ((await r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 7 })).more);
      }
      await Promise.all([erase(), erase(), erase(), r.ingest(newTraces(10, () => ({ userId: 'bob' })))])
      expect((await r.list({ user_id: 'ann' })).ids).toEqual([])
      expect(await r.metrics()).toMatchObject({ total_traces: 10, cost_count: 10 })
    })

    test('expired traces go in bounded steps, oldest first, and may be sent again', async () => {
      const r = await room()
      const traces = newTraces(10, (i) => ({ timestamp: now + i * 1_000 }))
      await r.ingest(traces)
      const step = () => r.apply({ kind: 'expireTraces', before: now + 6_000, at: now, limit: 4 })
      expect(await step()).toEqual({ deleted: 4, more: true })
      expect((await r.list()).ids).toEqual(
        traces
          .slice(4)
          .map((trace) => trace.traceId)
          .toReversed(),
      )
      expect(await step()).toEqual({ deleted: 2, more: false })
      expect((await r.metrics()).total_traces).toBe(4)
      const expired = (await r.journal()).filter((event) => event.kind === 'traces_expired')
      expect(expired.map((event) => event.data)).toEqual([{ count: 4 }, { count: 2 }])
      expect(statuses(await r.ingest(traces.slice(0, 1)))).toEqual(['created'])
    })
  })

  describe('trimming the journal', () => {
    test('old events go, and the journal says where it begins', async () => {
      const r = await room()
      await r.ingest(newTraces(10, (i) => ({ receivedAt: now + i })))
      await r.caughtUp()
      expect(await r.apply({ kind: 'trimEvents', before: now + 4 })).toEqual({ firstSeq: 5 })
      expect(await r.read('head', {})).toMatchObject({ firstSeq: 5, seq: 10 })
      expect((await r.journal()).map((event) => event.seq)).toEqual([5, 6, 7, 8, 9, 10])
      expect(await r.apply({ kind: 'trimEvents', before: now + 4 })).toEqual({ firstSeq: 5 })
      expect(await r.apply({ kind: 'trimEvents', before: now + 1_000 })).toEqual({ firstSeq: 11 })
      await r.ingest(newTraces(1))
      expect((await r.journal()).map((event) => event.seq)).toEqual([11])
    })

    test('no event goes that a consumer still has to read', async () => {
      const r = await room()
      await r.ingest(newTraces(10, () => ({ receivedAt: now })))
      await r.caughtUp()
      const mine = { name: 'slow', owner: 'me' }
      await r.apply({ kind: 'claimConsumer', ...mine, at: now, leaseMs: 1_000 })
      await r.apply({ kind: 'advanceConsumer', ...mine, from: 0, to: 3, effects: [] })
      expect(await r.apply({ kind: 'trimEvents', before: now + 1_000 })).toEqual({ firstSeq: 4 })
    })

    test('an old event behind a younger one stays until its turn', async () => {
      const r = await room()
      await r.ingest([newTrace({ receivedAt: now })])
      await r.ingest([newTrace({ receivedAt: now + 9_000 })])
      await r.ingest([newTrace({ receivedAt: now })])
      await r.caughtUp()
      expect(await r.apply({ kind: 'trimEvents', before: now + 5_000 })).toEqual({ firstSeq: 2 })
    })
  })
}

function span(traceId: string, secret: string) {
  const at = new Date(now).toISOString()
  const own = {
    span_id: `span-${secret}`,
    parent_span_id: null,
    kind: 'llm' as const,
    name: secret,
    start: at,
    end: at,
  }
  return { ...own, status: 'ok' as const, attributes: { secret }, traceId, hash: `hash-${secret}` }
}
