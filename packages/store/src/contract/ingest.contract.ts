import { describe, expect, test } from 'vitest'
import { newTrace, newTraces, now, type Room, statuses } from './room.contract.ts'

/** Ingest: idempotent, one bad item spoils nothing, every fate is named. */
export function ingestContract(room: () => Promise<Room>): void {
  describe('ingest', () => {
    test('a stored trace is read back with everything it was sent with', async () => {
      const r = await room()
      const texts = {
        user_query: 'Why?',
        ai_response: 'Because.',
        system_prompt: 'Be brief.',
        functions_called: [{ name: 'look', parameters: { z: 1, a: [null, 'x'] }, result: 'y' }],
        metadata: { z: 1, a: { b: [1.5, 'two'] } },
        extra: { unknown: true },
      }
      const fields = { sessionId: 's-1', userId: 'u-1', batchId: 'b-1', captured: 0b11, timestamp: now - 1_234 }
      const sent = newTrace(fields, texts)
      expect(statuses(await r.ingest([sent]))).toEqual(['created'])
      expect(await r.trace(sent.traceId)).toMatchObject({
        ...texts,
        trace_id: sent.traceId,
        timestamp: new Date(now - 1_234).toISOString(),
        received_at: new Date(now).toISOString(),
        model_name: 'gpt-4o',
        source: 'tests',
        session_id: 's-1',
        user_id: 'u-1',
        batch_id: 'b-1',
        tokens_used: 120,
        response_time_ms: 850,
        cost: 0.015,
        evaluation_status: 'pending',
        version: 0,
        captured: ['response', 'system_prompt'],
        state: 'closed',
        reviews: [],
        review: { reason: null, note: null, reviewer: null, at: null },
        spans: [],
      })
    })

    test('what is unknown stays unknown', async () => {
      const r = await room()
      const sent = newTrace({ latencyMs: null, costNano: null, tokens: null, source: null })
      await r.ingest([sent])
      expect(await r.trace(sent.traceId)).toMatchObject({
        tokens_used: null,
        response_time_ms: null,
        cost: null,
        source: null,
        session_id: null,
        user_id: null,
        batch_id: null,
      })
      expect(await r.metrics()).toMatchObject({
        avg_response_time: null,
        response_time_count: 0,
        cost_count: 0,
        tokens_count: 0,
      })
    })

    test('a trace sent again is a duplicate, other content under its id a conflict, and the first write stays', async () => {
      const r = await room()
      const first = newTrace()
      expect(statuses(await r.ingest([first]))).toEqual(['created'])
      expect(statuses(await r.ingest([first]))).toEqual(['duplicate'])
      expect(statuses(await r.ingest([{ ...newTrace({ model: 'other' }), traceId: first.traceId }]))).toEqual([
        'conflict',
      ])
      expect((await r.trace(first.traceId))?.model_name).toBe('gpt-4o')
      expect((await r.metrics()).total_traces).toBe(1)
      expect(await r.journal()).toHaveLength(1)
    })

    test('an id that stands several times in one batch is stored once', async () => {
      const r = await room()
      const first = newTrace()
      const other = { ...newTrace({ model: 'other' }), traceId: first.traceId }
      expect(statuses(await r.ingest([first, newTrace(), first, other, { ...first }]))).toEqual([
        'created',
        'created',
        'duplicate',
        'conflict',
        'duplicate',
      ])
      expect((await r.metrics()).total_traces).toBe(2)
    })

    test('of many requests at once with the same traces, each trace is created by one', async () => {
      const r = await room()
      const traces = newTraces(40)
      // Each request names them in another order, and brings some of its own.
      const results = await Promise.all(
        Array.from({ length: 25 }, (_, i) => {
          const turned = [...traces.slice(i), ...traces.slice(0, i)]
          return r.ingest([...(i % 2 ? turned : turned.toReversed()), ...newTraces(3)])
        }),
      )
      const all = results.flatMap(statuses)
      expect(all.filter((status) => status === 'created')).toHaveLength(40 + 25 * 3)
      expect(all.filter((status) => status === 'duplicate')).toHaveLength(24 * 40)
      expect((await r.metrics()).total_traces).toBe(40 + 25 * 3)
      expect((await r.list()).ids).toHaveLength(40 + 25 * 3)
    })

    test('a trace that the database refuses is invalid, and neither its batch nor its neighbours suffer', async () => {
      const r = await room()
      const known = newTrace()
      await r.ingest([known])
      const good = newTraces(4)
      const bad = newTrace({ traceId: 'x'.repeat(600) })
      const [mixed, neighbour, reviewed] = await Promise.all([
        r.ingest([good[0] ?? bad, bad, good[1] ?? bad]),
        r.ingest(good.slice(2)),
        r.review(known.traceId, 'accepted'),
      ])
      expect(mixed.outcomes).toEqual([
        { status: 'created' },
        { status: 'invalid', error: expect.stringContaining('cannot store') as string },
        { status: 'created' },
      ])
      expect(statuses(neighbour)).toEqual(['created', 'created'])
      expect(reviewed).toMatchObject({ result: 'ok' })
      expect(await r.metrics()).toMatchObject({ total_traces: 5, accepted_traces: 1 })
      expect((await r.journal()).map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6])
    })

    test('names keep quotes, braces, commas, backslashes, emoji and the word NULL', async () => {
      const r = await room()
      const hostile = ['a "b" \\ {c},d', 'NULL', '{}', '', "o'hara; --", '👩‍👩‍👧 ünïcödé', '\\x41', ' padded ']
      const traces = hostile.map((text, i) =>
        newTrace({
          traceId: `${i}${text}`,
          model: `m${text}`,
          source: text,
          sessionId: text,
          userId: text,
          hash: text,
        }),
      )
      expect(new Set(statuses(await r.ingest(traces)))).toEqual(new Set(['created']))
      for (const [i, text] of hostile.entries()) {
        expect(await r.trace(`${i}${text}`)).toMatchObject({
          trace_id: `${i}${text}`,
          model_name: `m${text}`,
          source: text,
          session_id: text,
          user_id: text,
        })
      }
      expect(new Set(statuses(await r.ingest(traces)))).toEqual(new Set(['duplicate']))
    })

    test('texts keep NUL, lone surrogates, separators and every order of keys', async () => {
      const r = await room()
      const text = 'a\u0000b\ud800c\u001ed\u2028e\r\n"\\'
      const sent = newTrace({}, { user_query: text, ai_response: text, metadata: { z: text, a: text, 10: 1, 9: 2 } })
      const other = newTrace()
      expect(statuses(await r.ingest([sent, other]))).toEqual(['created', 'created'])
      const read = await r.trace(sent.traceId)
      expect(read?.user_query).toBe(text)
      expect(JSON.stringify(read?.metadata)).toBe(JSON.stringify({ z: text, a: text, 10: 1, 9: 2 }))
      expect((await r.trace(other.traceId))?.ai_response).toBe('Paris.')
    })

    test('a text of several megabytes is stored whole', async () => {
      const r = await room()
      const long = 'All work and no play makes Jack a dull boy. '.repeat(75_000)
      const sent = newTrace({}, { ai_response: long })
      await r.ingest([sent])
      expect((await r.trace(sent.traceId))?.ai_response).toBe(long)
    })

    test('the largest and the smallest numbers are kept', async () => {
      const r = await room()
      const most = newTrace({ latencyMs: 1e12, costNano: 1e15, tokens: 1e12, timestamp: Date.UTC(9999, 11, 31) })
      const least = newTrace({ latencyMs: 0, costNano: 0, tokens: 0, timestamp: Date.UTC(1900, 0, 1) })
      const fine = newTrace({ latencyMs: 0.1 + 0.2 })
      await r.ingest([most, least, fine])
      expect(await r.trace(most.traceId)).toMatchObject({ response_time_ms: 1e12, cost: 1e6, tokens_used: 1e12 })
      expect(await r.trace(least.traceId)).toMatchObject({ response_time_ms: 0, cost: 0, tokens_used: 0 })
      expect(await r.trace(fine.traceId)).toMatchObject({ response_time_ms: 0.1 + 0.2 })
    })

    test('whoever was told that a trace is stored reads it at once', async () => {
      const r = await room()
      await Promise.all(
        newTraces(60).map(async (trace) => {
          const { seq } = await r.ingest([trace])
          const [read, head] = await Promise.all([r.trace(trace.traceId), r.read('head', {})])
          expect(read?.trace_id).toBe(trace.traceId)
          expect(head.seq).toBeGreaterThanOrEqual(seq)
        }),
      )
    })

    test('traces of one request stand in the journal, and in the order of arrival, as they were sent', async () => {
      const r = await room()
      const traces = newTraces(30, (i) => ({ traceId: `t-${(i * 7) % 30}-${now}` }))
      const { seq } = await r.ingest(traces)
      expect(seq).toBe(30)
      const ids = traces.map((trace) => trace.traceId)
      expect((await r.journal()).map((event) => 'trace' in event && event.trace?.trace_id)).toEqual(ids)
      const { items, seq: at } = await r.read('snapshot', { limit: 100 })
      expect(at).toBe(30)
      expect(items.map((item) => item.trace_id)).toEqual(ids.toReversed())
    })

    test('a project that does not exist takes nothing', async () => {
      const r = await room()
      const trace = newTrace()
      await expect(r.store.ingest(999_999, { traces: [trace] })).rejects.toThrow()
      await expect(r.store.apply(999_999, { kind: 'sweep', at: now, messagesBefore: now })).rejects.toThrow()
      expect(await r.dump()).not.toContain(`"${trace.traceId}"`)
    })
  })

  describe('receipts', () => {
    const receipt = (batchId: string, refused: ({ status: 'invalid'; error: string } | null)[]) => ({
      receipt: { batchId, source: 'tests', receivedAt: now, refused },
    })

    test('a receipt tells the fate of every item, those included that never reached the store', async () => {
      const r = await room()
      const [known, conflicting, gone, fresh] = newTraces(4)
      if (!known || !conflicting || !gone || !fresh) throw new Error('four traces')
      await r.ingest([known, conflicting, gone])
      await r.delete(gone.traceId)
      const refused = [null, { status: 'invalid' as const, error: 'no model_name' }, null, null, null]
      const sent = [known, { ...conflicting, hash: 'other' }, gone, fresh]
      const result = await r.ingest(sent, receipt('batch', refused))
      expect(statuses(result)).toEqual(['duplicate', 'conflict', 'deleted', 'created'])
      expect(await r.read('receipt', { batchId: 'batch' })).toEqual({
        batch_id: 'batch',
        source: 'tests',
        received_at: new Date(now).toISOString(),
        processed_count: 2,
        results: [
          { trace_id: known.traceId, status: 'duplicate' },
          { trace_id: null, status: 'invalid', error: 'no model_name' },
          { trace_id: conflicting.traceId, status: 'conflict' },
          { trace_id: null, status: 'conflict', error: 'this trace was deleted' },
          { trace_id: fresh.traceId, status: 'created' },
        ],
      })
      expect(await r.read('receipt', { batchId: 'other' })).toBeNull()
    })

    test('a trace that the database refuses is invalid on the receipt too', async () => {
      const r = await room()
      const good = newTrace()
      const bad = newTrace({ traceId: 'y'.repeat(600) })
      await r.ingest([bad, good], receipt('batch', [{ status: 'invalid', error: 'first' }, null, null]))
      const read = await r.read('receipt', { batchId: 'batch' })
      expect(read?.results.map((result) => [result.status, result.trace_id])).toEqual([
        ['invalid', null],
        ['invalid', null],
        ['created', good.traceId],
      ])
      expect(read?.processed_count).toBe(1)
    })

    test('the first receipt of a batch stays', async () => {
      const r = await room()
      const [first, second] = newTraces(2)
      if (!first || !second) throw new Error('two traces')
      await r.ingest([first], receipt('batch', [null]))
      await r.ingest([second], receipt('batch', [null]))
      expect((await r.read('receipt', { batchId: 'batch' }))?.results[0]?.trace_id).toBe(first.traceId)
    })

    test('a receipt forgets the ids of traces that are deleted', async () => {
      const r = await room()
      const traces = newTraces(2)
      await r.ingest(traces, receipt('batch', [null, null]))
      await r.delete(traces[0]?.traceId ?? '')
      expect((await r.read('receipt', { batchId: 'batch' }))?.results).toEqual([
        { trace_id: null, status: 'created' },
        { trace_id: traces[1]?.traceId, status: 'created' },
      ])
    })
  })

  describe('message ids', () => {
    test('a message sent again stores nothing twice, and its id with another body stores nothing at all', async () => {
      const r = await room()
      const first = newTrace()
      const message = { id: 'msg-1', bodyHash: 'one' }
      expect(await r.ingest([first], { message })).toMatchObject({ replay: false, outcomes: [{ status: 'created' }] })
      expect(await r.ingest([first], { message })).toMatchObject({ replay: false, outcomes: [{ status: 'duplicate' }] })
      const second = newTrace()
      const replay = await r.ingest([second], { message: { id: 'msg-1', bodyHash: 'two' } })
      expect(replay).toMatchObject({ replay: true, outcomes: [] })
      expect(await r.trace(second.traceId)).toBeNull()
    })

    test('of two bodies that arrive at once under one message id, one is stored', async () => {
      const r = await room()
      for (let round = 0; round < 10; round++) {
        const results = await Promise.all(
          newTraces(6).map((trace, i) =>
            r.ingest([trace], { message: { id: `msg-${round}`, bodyHash: i % 2 ? 'odd' : 'even' } }),
          ),
        )
        expect(results.filter((result) => result.replay)).toHaveLength(3)
      }
      expect((await r.metrics()).total_traces).toBe(30)
    })

    test('sweeping forgets old message ids and expired tokens, and keeps the others', async () => {
      const r = await room()
      await r.ingest([newTrace({ receivedAt: now - 10_000 })], { message: { id: 'old', bodyHash: 'one' } })
      await r.ingest([newTrace()], { message: { id: 'young', bodyHash: 'one' } })
      await r.apply({ kind: 'sweep', at: now, messagesBefore: now - 5_000 })
      const again = (id: string) => r.ingest([newTrace()], { message: { id, bodyHash: 'two' } })
      expect((await again('old')).replay).toBe(false)
      expect((await again('young')).replay).toBe(true)
    })
  })
}
