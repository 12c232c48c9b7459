import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resyncReason } from '../head.ts'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

/** The journal: gapless, followed without gap or repeat. */
export function journalContract(room: () => Promise<Room>): void {
  describe('the journal', () => {
    test('begins empty, counts from 1, and has the same epoch in every project', async () => {
      const [r, other] = [await room(), await room()]
      const head = await r.read('head', {})
      expect(head).toEqual({ epoch: expect.stringMatching(/^[0-9a-z]{1,32}$/) as string, firstSeq: 1, seq: 0 })
      expect((await other.read('head', {})).epoch).toBe(head.epoch)
      await r.ingest(newTraces(3))
      expect(await r.read('head', {})).toEqual({ ...head, seq: 3 })
      expect((await other.read('head', {})).seq).toBe(0)
    })

    test('a page holds at most so many events, and about so many bytes, but always one', async () => {
      const r = await room()
      await r.ingest(newTraces(20))
      const page = (limit: number, bytes: number, after = 0) => r.read('events', { after, limit, bytes })
      expect((await page(7, 1e9)).events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
      expect((await page(7, 1, 4)).events.map((event) => event.seq)).toEqual([5])
      const few = (await page(100, 1_500)).events
      expect(few.length).toBeGreaterThan(1)
      expect(few.length).toBeLessThan(10)
      expect(await page(10, 1e9, 20)).toMatchObject({ events: [], head: { seq: 20, firstSeq: 1 } })
    })

    test('an event tells its trace as it is now, and its model', async () => {
      const r = await room()
      const sent = newTrace({ model: 'claude', latencyMs: 12.5 })
      await r.ingest([sent])
      await r.review(sent.traceId, 'accepted')
      const [created] = await r.journal()
      expect(created).toMatchObject({
        seq: 1,
        at: now,
        kind: 'trace_created',
        model: 'claude',
        data: { latencyMs: 12.5, costNano: 15_000_000, tokens: 120, minute: now / 60_000 },
        trace: { trace_id: sent.traceId, evaluation_status: 'accepted', version: 1 },
      })
    })

    test('facts are the same events without what can be joined', async () => {
      const r = await room()
      const sent = newTrace()
      await r.ingest([sent])
      await r.review(sent.traceId, 'rejected', { reason: 'other', reviewer: 'Ann' })
      const [created, reviewed] = await r.read('facts', { after: 0, limit: 10 })
      expect(created).toMatchObject({ seq: 1, kind: 'trace_created', trace: null, data: { tokens: 120 } })
      expect(reviewed).toMatchObject({ seq: 2, kind: 'reviewed', reviewer: null, data: { to: 'rejected' } })
      expect(await r.read('facts', { after: 1, limit: 10 })).toHaveLength(1)
      expect(await r.read('facts', { after: 0, limit: 1 })).toHaveLength(1)
    })

    test('a snapshot and the events after it make every trace seen once, while traces arrive', async () => {
      const r = await room()
      const writing = Promise.all(Array.from({ length: 40 }, () => r.ingest(newTraces(5))))
      const { items, seq } = await r.read('snapshot', { limit: 1_000 })
      await writing
      const later = (await r.journal()).filter((event) => event.seq > seq)
      const seen = [
        ...items.map((item) => item.trace_id),
        ...later.map((event) => 'trace' in event && event.trace?.trace_id),
      ]
      expect(new Set(seen).size).toBe(200)
      expect(seen).toHaveLength(200)
    })
  })

  describe('cursors', () => {
    test('a cursor is resumed where nothing was lost, and refused with the reason elsewhere', () => {
      const head = { epoch: 'a', firstSeq: 5, seq: 9 }
      const reason = (seq: number, epoch = 'a') => resyncReason(head, { epoch, seq })
      expect([reason(4), reason(7), reason(9)]).toEqual([undefined, undefined, undefined])
      expect(reason(3)).toBe('expired')
      expect(reason(10)).toBe('ahead')
      expect(reason(7, 'b')).toBe('other_epoch')
      expect(resyncReason({ epoch: 'a', firstSeq: 1, seq: 0 }, { epoch: 'a', seq: 0 })).toBeUndefined()
    })
  })

  describe('followers', () => {
    test('a follower sees every event once and in order while many write, wherever it begins', async () => {
      const r = await room()
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 7 }), async (limit, writers) => {
          const { seq: start } = await r.read('head', {})
          const end = start + writers * 20
          const stop = new AbortController()
          const writing = Promise.all(
            Array.from({ length: writers }, async () => {
              for (let i = 0; i < 10; i++) await r.ingest(newTraces(2))
            }),
          )
          const seqs: number[] = []
          for await (const { events } of r.store.follow(r.project, start, { signal: stop.signal, limit })) {
            expect(events.length).toBeLessThanOrEqual(limit)
            for (const event of events) expect('trace' in event && event.trace).not.toBeNull()
            seqs.push(...events.map((event) => event.seq))
            if ((seqs.at(-1) ?? 0) >= end) break
          }
          await writing
          expect(seqs).toEqual(Array.from({ length: end - start }, (_, i) => start + i + 1))
        }),
        { numRuns: 8 },
      )
    })

    test('a follower that waits gets what is committed next', async () => {
      const r = await room()
      const stop = new AbortController()
      const pages = r.store.follow(r.project, 0, { signal: stop.signal })[Symbol.asyncIterator]()
      const first = pages.next()
      const sent = newTrace()
      await r.ingest([sent])
      expect(await first).toMatchObject({
        value: { events: [{ trace: { trace_id: sent.traceId } }], head: { seq: 1 } },
      })
      stop.abort()
    })

    test('a follower ends when it is told to, in the middle of waiting and between pages', async () => {
      const r = await room()
      const stop = new AbortController()
      const waiting = r.store.follow(r.project, 0, { signal: stop.signal })[Symbol.asyncIterator]().next()
      stop.abort()
      expect(await waiting).toEqual({ done: true, value: undefined })
      await r.ingest(newTraces(10))
      const second = new AbortController()
      let pages = 0
      for await (const _ of r.store.follow(r.project, 0, { signal: second.signal, limit: 3 })) {
        pages++
        second.abort()
      }
      expect(pages).toBe(1)
    })

    test('followers of several projects see their own events only', async () => {
      const rooms = [await room(), await room(), await room()]
      const stop = new AbortController()
      const followed = rooms.map(async (r) => {
        const ids: unknown[] = []
        for await (const { events } of r.store.follow(r.project, 0, { signal: stop.signal })) {
          ids.push(...events.map((event) => 'trace' in event && event.trace?.trace_id))
          if (ids.length >= 30) break
        }
        return ids
      })
      const sent = rooms.map(() => newTraces(30))
      await Promise.all(rooms.flatMap((r, i) => (sent[i] ?? []).map((trace) => r.ingest([trace]))))
      for (const [i, ids] of (await Promise.all(followed)).entries()) {
        expect(new Set(ids)).toEqual(new Set(sent[i]?.map((trace) => trace.traceId)))
      }
    })

    test('commits with events are rung for, with the project and a place that can be read', async () => {
      const r = await room()
      const rung: number[] = []
      const stop = r.store.onCommit((project, seq) => {
        if (project === r.project) rung.push(seq)
      })
      const trace = newTrace()
      await r.ingest([trace])
      await r.ingest([trace])
      await r.review('nobody', 'accepted')
      await r.review(trace.traceId, 'accepted')
      stop()
      await r.delete(trace.traceId)
      expect(rung).toEqual([1, 2])
    })
  })
}
