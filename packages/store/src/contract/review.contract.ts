import { describe, expect, test } from 'vitest'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

/** Human verdicts: history kept, nobody overwrites another silently. */
export function reviewContract(room: () => Promise<Room>): void {
  describe('reviews', () => {
    test('a verdict changes status, version, history, counters and journal together', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      expect(await r.review(traceId, 'in_review', { reviewer: 'Ann', expectedVersion: 0 })).toEqual({
        result: 'ok',
        version: 1,
        previous: 'pending',
      })
      expect(await r.metrics()).toMatchObject({ in_review_traces: 1, pending_traces: 1, decided_traces: 0 })
      const verdict = { reason: 'hallucinated' as const, note: 'There is no such law.', reviewer: 'Ann' }
      expect(await r.review(traceId, 'rejected', { ...verdict, expectedVersion: 1, at: now + 5 })).toEqual({
        result: 'ok',
        version: 2,
        previous: 'in_review',
      })
      expect(await r.trace(traceId)).toMatchObject({
        evaluation_status: 'rejected',
        version: 2,
        review: { ...verdict, at: new Date(now + 5).toISOString() },
        reviews: [
          { version: 1, status: 'in_review', reason: null, note: null, reviewer: 'Ann' },
          { version: 2, status: 'rejected', ...verdict, at: new Date(now + 5).toISOString() },
        ],
      })
      expect(await r.metrics()).toMatchObject({
        total_traces: 1,
        in_review_traces: 0,
        rejected_traces: 1,
        pending_traces: 0,
        decided_traces: 1,
        acceptance_rate: 0,
      })
      const [, claimed, rejected] = await r.journal()
      expect(claimed).toMatchObject({ kind: 'reviewed', data: { from: 'pending', to: 'in_review', version: 1 } })
      expect(rejected).toMatchObject({
        kind: 'reviewed',
        seq: 3,
        at: now + 5,
        model: 'gpt-4o',
        reviewer: 'Ann',
        data: { from: 'in_review', to: 'rejected', version: 2, reason: 'hallucinated' },
        trace: { trace_id: traceId, evaluation_status: 'rejected' },
      })
    })

    test('a verdict can be taken back', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      await r.review(traceId, 'accepted')
      expect(await r.review(traceId, 'pending')).toMatchObject({ result: 'ok', previous: 'accepted', version: 2 })
      expect(await r.metrics()).toMatchObject({ accepted_traces: 0, pending_traces: 1, acceptance_rate: 0 })
    })

    test('whoever decides on an outdated version is told how the review stands', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      await r.review(traceId, 'accepted', { reviewer: 'Ann', expectedVersion: 0 })
      expect(await r.review(traceId, 'rejected', { reviewer: 'Bob', expectedVersion: 0 })).toEqual({
        result: 'version_conflict',
        version: 1,
        status: 'accepted',
        reviewer: 'Ann',
      })
      expect((await r.trace(traceId))?.evaluation_status).toBe('accepted')
      expect(await r.journal()).toHaveLength(2)
    })

    test('of many verdicts at once on one version, one is taken', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      const all = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          r.review(traceId, i % 2 ? 'accepted' : 'rejected', { reviewer: `r${i}`, expectedVersion: 0 }),
        ),
      )
      expect(all.filter((one) => one.result === 'ok')).toHaveLength(1)
      expect(all.filter((one) => one.result === 'version_conflict')).toHaveLength(29)
      expect(await r.metrics()).toMatchObject({ decided_traces: 1, pending_traces: 0 })
      expect((await r.trace(traceId))?.reviews).toHaveLength(1)
    })

    test('many verdicts at once without a version are taken one after the other', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, i) => r.review(traceId, i % 2 ? 'accepted' : 'rejected')),
      )
      expect(all.map((one) => ('version' in one ? one.version : 0)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      )
      const { accepted_traces, rejected_traces } = await r.metrics()
      expect(accepted_traces + rejected_traces).toBe(1)
    })

    test('a trace that is claimed cannot be claimed by another, but by its holder again', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      await r.review(traceId, 'in_review', { reviewer: 'Ann' })
      expect(await r.review(traceId, 'in_review', { reviewer: 'Bob' })).toEqual({
        result: 'already_claimed',
        reviewer: 'Ann',
      })
      expect(await r.review(traceId, 'in_review', { reviewer: 'Ann' })).toMatchObject({ result: 'ok', version: 2 })
      expect(await r.review(traceId, 'accepted', { reviewer: 'Bob' })).toMatchObject({ result: 'ok', version: 3 })
      expect(await r.metrics()).toMatchObject({ in_review_traces: 0, accepted_traces: 1 })
    })

    test('a trace that does not exist cannot be reviewed', async () => {
      const r = await room()
      expect(await r.review('nobody', 'accepted')).toEqual({ result: 'not_found' })
      expect((await r.read('head', {})).seq).toBe(0)
    })

    test('a note may hold any text', async () => {
      const r = await room()
      const { traceId } = await stored(r)
      const note = `quotes " ' \\ and 🙈 and\nlines, ${'long '.repeat(1_900)}`
      expect(await r.review(traceId, 'accepted', { note })).toMatchObject({ result: 'ok' })
      expect((await r.trace(traceId))?.review.note).toBe(note)
      expect(await r.review(traceId, 'accepted', { note: 'NUL \u0000 inside' })).toMatchObject({ result: 'ok' })
      expect((await r.trace(traceId))?.review.note).toMatch(/^NUL .? ?inside$/su)
    })

    test('850 accepted and 150 rejected of 1,500 make an acceptance rate of 85.0', async () => {
      const r = await room()
      const traces = newTraces(1_500)
      for (let at = 0; at < traces.length; at += 100) await r.ingest(traces.slice(at, at + 100))
      await Promise.all(
        traces.slice(0, 1_000).map(({ traceId }, i) => r.review(traceId, i < 850 ? 'accepted' : 'rejected')),
      )
      expect(await r.metrics()).toMatchObject({
        total_traces: 1_500,
        accepted_traces: 850,
        rejected_traces: 150,
        pending_traces: 500,
        decided_traces: 1_000,
        acceptance_rate: 85,
        total_cost: 22.5,
        total_tokens: 180_000,
        avg_response_time: 850,
        today_traces: 1_500,
      })
    })
  })
}

async function stored(r: Room): Promise<{ traceId: string }> {
  const trace = newTrace()
  await r.ingest([trace])
  return trace
}
