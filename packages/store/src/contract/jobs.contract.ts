import { describe, expect, test } from 'vitest'
import { newTraces, now, type Room } from './room.contract.ts'

/** Durable jobs and durable followers. */
export function jobsContract(room: () => Promise<Room>): void {
  const enqueue = (r: Room, more: { payload?: unknown; runAt?: number; maxAttempts?: number } = {}) =>
    r.apply({ kind: 'enqueueJob', queue: 'q', payload: null, runAt: now, maxAttempts: 3, ...more })
  const lease = async (r: Room, more: { owner?: string; at?: number; limit?: number; leaseMs?: number } = {}) =>
    (await r.apply({ kind: 'leaseJobs', queue: 'q', owner: 'me', at: now, leaseMs: 1_000, limit: 10, ...more })).jobs

  describe('jobs', () => {
    test('due jobs are taken oldest first, and by nobody else while they are held', async () => {
      const r = await room()
      const { id: late } = await enqueue(r, { payload: { n: 1 }, runAt: now - 1 })
      const { id: early } = await enqueue(r, { payload: 'two', runAt: now - 5 })
      await enqueue(r, { runAt: now + 1 })
      expect(await lease(r)).toEqual([
        { id: early, queue: 'q', payload: 'two', attempt: 1 },
        { id: late, queue: 'q', payload: { n: 1 }, attempt: 1 },
      ])
      expect(await lease(r, { owner: 'other' })).toEqual([])
      expect(await r.apply({ kind: 'leaseJobs', queue: 'p', owner: 'me', at: now, leaseMs: 1, limit: 9 })).toEqual({
        jobs: [],
      })
    })

    test('a job whose holder let the time run out goes to the next, and the former holder has lost it', async () => {
      const r = await room()
      const { id } = await enqueue(r)
      await lease(r, { owner: 'slow', leaseMs: 100 })
      expect(await lease(r, { owner: 'fast', at: now + 99 })).toEqual([])
      expect(await lease(r, { owner: 'fast', at: now + 100 })).toMatchObject([{ id, attempt: 2 }])
      expect(await r.apply({ kind: 'extendJob', id, owner: 'slow', at: now, leaseMs: 1 })).toEqual({ held: false })
      expect(await r.apply({ kind: 'completeJob', id, owner: 'slow' })).toEqual({ held: false })
      expect(await r.apply({ kind: 'failJob', id, owner: 'slow', error: '', runAt: 0 })).toEqual({
        held: false,
        final: false,
      })
      expect(await r.apply({ kind: 'completeJob', id, owner: 'fast' })).toEqual({ held: true })
      expect(await lease(r, { at: now + 1e9 })).toEqual([])
    })

    test('a job that is extended is held on', async () => {
      const r = await room()
      const { id } = await enqueue(r)
      await lease(r, { leaseMs: 100 })
      expect(await r.apply({ kind: 'extendJob', id, owner: 'me', at: now + 50, leaseMs: 500 })).toEqual({ held: true })
      expect(await lease(r, { owner: 'other', at: now + 549 })).toEqual([])
      expect(await lease(r, { owner: 'other', at: now + 550 })).toHaveLength(1)
    })

    test('a failed job comes back at its time, and after its last attempt it stays as failed', async () => {
      const r = await room()
      const { id } = await enqueue(r, { maxAttempts: 2 })
      const fail = () => r.apply({ kind: 'failJob', id, owner: 'me', error: 'no\u0000thing', runAt: now + 500 })
      await lease(r)
      expect(await fail()).toEqual({ held: true, final: false })
      expect(await lease(r, { at: now + 499 })).toEqual([])
      expect(await lease(r, { at: now + 500 })).toMatchObject([{ id, attempt: 2 }])
      expect(await fail()).toEqual({ held: true, final: true })
      expect(await lease(r, { at: now + 1e9 })).toEqual([])
    })

    test('a job whose holder died on its last attempt is not tried for ever', async () => {
      const r = await room()
      await enqueue(r, { maxAttempts: 1 })
      expect(await lease(r, { leaseMs: 100 })).toHaveLength(1)
      expect(await lease(r, { at: now + 1e6 })).toEqual([])
      expect(await lease(r, { at: now + 1e9 })).toEqual([])
    })

    test('of many that take jobs at the same time, no two get the same', async () => {
      const r = await room()
      await Promise.all(Array.from({ length: 60 }, (_, i) => enqueue(r, { payload: i })))
      const taken: unknown[] = []
      await Promise.all(
        Array.from({ length: 8 }, async (_, worker) => {
          for (;;) {
            const jobs = await lease(r, { owner: `w${worker}`, limit: 3 })
            if (jobs.length === 0) return
            taken.push(...jobs.map((job) => job.payload))
            for (const job of jobs) await r.apply({ kind: 'completeJob', id: job.id, owner: `w${worker}` })
          }
        }),
      )
      // Whoever finds the rest held by others stops; those finish what they hold.
      expect(taken.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 60 }, (_, i) => i))
    })

    test('a job can be finished in its own project only', async () => {
      const [r, other] = [await room(), await room()]
      const { id } = await enqueue(r)
      await lease(r)
      expect(await other.apply({ kind: 'completeJob', id, owner: 'me' })).toEqual({ held: false })
      expect(await other.apply({ kind: 'extendJob', id, owner: 'me', at: now, leaseMs: 1 })).toEqual({ held: false })
      expect(await other.apply({ kind: 'failJob', id, owner: 'me', error: '', runAt: 0 })).toEqual({
        held: false,
        final: false,
      })
      expect(await r.apply({ kind: 'completeJob', id, owner: 'me' })).toEqual({ held: true })
    })
  })

  describe('consumers', () => {
    const claim = (r: Room, owner: string, at: number) =>
      r.apply({ kind: 'claimConsumer', name: 'c', owner, at, leaseMs: 1_000 })
    const advance = (r: Room, owner: string, [from, to]: [number, number]) =>
      r.apply({ kind: 'advanceConsumer', name: 'c', owner, from, to, effects: [] })

    test('a consumer is held by one owner, until the lease runs out', async () => {
      const r = await room()
      expect(await claim(r, 'a', now)).toEqual({ seq: 0 })
      expect(await claim(r, 'b', now + 999)).toBeNull()
      expect(await claim(r, 'a', now + 999)).toEqual({ seq: 0 })
      expect(await advance(r, 'a', [0, 5])).toEqual({ advanced: true })
      expect(await claim(r, 'b', now + 1_999)).toEqual({ seq: 5 })
      expect(await advance(r, 'a', [5, 9])).toEqual({ advanced: false })
      expect(await advance(r, 'b', [5, 9])).toEqual({ advanced: true })
    })

    test('a consumer moves on from where it stands only, so nothing takes effect twice', async () => {
      const r = await room()
      await r.ingest(newTraces(3))
      await r.caughtUp()
      const rollup = {
        minute: 100,
        modelId: 77,
        traces: 1,
        accepted: 0,
        rejected: 0,
        costNano: 0,
        costCount: 0,
        tokens: 0,
        tokensCount: 0,
        latencyCount: 0,
        latency: {},
      }
      await claim(r, 'a', now)
      const move = () =>
        r.apply({
          kind: 'advanceConsumer',
          name: 'c',
          owner: 'a',
          from: 0,
          to: 1,
          effects: [{ kind: 'rollups', rows: [rollup] }],
        })
      const all = await Promise.all(Array.from({ length: 8 }, move))
      expect(all.filter((one) => one.advanced)).toHaveLength(1)
      const { points } = await r.read('series', { from: 0, to: 6_060_000, stepSeconds: 60, model: null })
      expect(points.reduce((sum, point) => sum + point.traces, 0)).toBe(1)
    })

    test('a project with unread events is behind for whoever may consume them', async () => {
      const r = await room()
      const behind = async (owner: string, at: number) =>
        (await r.read('behind', { consumer: 'c', owner, at })).includes(r.project)
      expect(await behind('a', now)).toBe(false)
      await r.ingest(newTraces(3))
      expect(await behind('a', now)).toBe(true)
      await claim(r, 'a', now)
      expect(await behind('a', now)).toBe(true)
      expect(await behind('b', now + 999)).toBe(false)
      expect(await behind('b', now + 1_000)).toBe(true)
      await advance(r, 'a', [0, 3])
      expect(await behind('a', now)).toBe(false)
    })
  })
}
