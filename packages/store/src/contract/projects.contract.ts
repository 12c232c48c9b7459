import { describe, expect, test } from 'vitest'
import type { Change, ChangeKind, Queries, QueryName } from '../store.ts'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

/** Projects do not see each other: not in any question, not in any change. */
export function projectsContract(room: () => Promise<Room>): void {
  describe('projects', () => {
    test('no question asked in one project is answered with anything of another', async () => {
      const [mine, other] = [await room(), await room()]
      const trace = newTrace({ sessionId: 's', userId: 'u', source: 'mine', model: 'mine' })
      const receipt = { batchId: 'batch', source: 'mine', receivedAt: now, refused: [null] }
      await mine.ingest([trace], { receipt })
      await mine.review(trace.traceId, 'accepted', { reviewer: 'Ann' })
      await mine.caughtUp()
      const ref = (await mine.trace(trace.traceId))?.ref ?? 0
      const page = { limit: 10, cursor: null, sliceMs: 50 }
      const nothing: { [Q in QueryName]?: { args: Queries[Q]['in']; out: unknown } } = {
        listTraces: { args: { filter: {}, ...page }, out: { items: [], nextCursor: null, searchedTo: null } },
        pageTraces: { args: { filter: { user_id: 'u' }, ...page }, out: { items: [], nextCursor: null } },
        trace: { args: { traceId: trace.traceId }, out: null },
        snapshot: { args: { limit: 10 }, out: { items: [], seq: 0 } },
        metrics: {
          args: { day: Math.floor(now / 86_400_000) },
          out: expect.objectContaining({ total_traces: 0, today_traces: 0 }),
        },
        facets: { args: {}, out: { models: [], sources: [] } },
        receipt: { args: { batchId: 'batch' }, out: null },
        head: { args: {}, out: expect.objectContaining({ seq: 0 }) },
        events: { args: { after: 0, limit: 10, bytes: 1e6 }, out: expect.objectContaining({ events: [] }) },
        facts: { args: { after: 0, limit: 10 }, out: [] },
        lags: { args: {}, out: { search: 0, rollups: 0 } },
        searchTexts: { args: { refs: [ref], bytes: 1e6 }, out: { texts: [], left: [] } },
      }
      for (const [query, { args, out }] of Object.entries(nothing))
        expect(await other.read(query as QueryName, args as never), query).toEqual(out)
      for (const filter of [{ q: 'paris' }, { model_name: 'mine' }, { source: 'mine' }, { min_latency: 1 }])
        expect((await other.list(filter)).ids).toEqual([])
      const { points } = await other.read('series', { from: now, to: now + 60_000, stepSeconds: 60, model: null })
      expect(points).toMatchObject([{ traces: 0 }])
      expect((await other.read('keys', {})).map((key) => key.project)).not.toContain(await nameOf(mine))
    })

    test('no change asked for in one project touches another', async () => {
      const [mine, other] = [await room(), await room()]
      const trace = newTrace({ userId: 'u' })
      await mine.ingest([trace], { message: { id: 'm', bodyHash: 'one' } })
      await mine.caughtUp()
      const at = now + 1e9
      const changes: Change<ChangeKind>[] = [
        {
          kind: 'review',
          traceId: trace.traceId,
          status: 'accepted',
          reason: null,
          note: null,
          reviewer: null,
          at,
          expectedVersion: null,
        },
        { kind: 'deleteTrace', traceId: trace.traceId, at },
        { kind: 'eraseUser', userId: 'u', at, limit: 10 },
        { kind: 'expireTraces', before: at, at, limit: 10 },
        { kind: 'trimEvents', before: at },
        { kind: 'sweep', at: 0, messagesBefore: at },
        { kind: 'advanceConsumer', name: 'rollups', owner: 'x', from: 1, to: 0, effects: [] },
      ]
      for (const change of changes) await other.apply(change)
      expect(await mine.trace(trace.traceId)).toMatchObject({ evaluation_status: 'pending' })
      expect(await mine.read('head', {})).toMatchObject({ firstSeq: 1, seq: 1 })
      expect((await mine.ingest([newTrace()], { message: { id: 'm', bodyHash: 'two' } })).replay).toBe(true)
      expect(await other.metrics()).toMatchObject({ total_traces: 0 })
    })

    test('the same ids may stand in several projects', async () => {
      const [mine, other] = [await room(), await room()]
      const trace = newTrace()
      const theirs = { ...newTrace({}, { user_query: 'another question' }), traceId: trace.traceId }
      const both = await Promise.all([mine.ingest([trace]), other.ingest([theirs])])
      expect(both.map((result) => result.outcomes[0]?.status)).toEqual(['created', 'created'])
      await mine.delete(trace.traceId)
      expect((await other.trace(trace.traceId))?.user_query).toBe('another question')
      expect((await other.ingest([theirs])).outcomes).toEqual([{ status: 'duplicate' }])
    })

    test('many projects written to at once keep their own counts and their own gapless journals', async () => {
      const rooms = await Promise.all(Array.from({ length: 8 }, room))
      await Promise.all(rooms.flatMap((r, i) => Array.from({ length: 10 }, () => r.ingest(newTraces(i + 1)))))
      for (const [i, r] of rooms.entries()) {
        expect((await r.metrics()).total_traces).toBe((i + 1) * 10)
        expect((await r.journal()).map((event) => event.seq)).toEqual(
          Array.from({ length: (i + 1) * 10 }, (_, n) => n + 1),
        )
      }
    })
  })
}

async function nameOf(r: Room): Promise<string | undefined> {
  return (await r.store.read(1, 'projects', {})).find((project) => project.id === r.project)?.name
}
