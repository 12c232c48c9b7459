import { describe, expect, test } from 'vitest'
import type { Change } from '../store.ts'
import { now, type Room } from './room.contract.ts'
import {
  add,
  end,
  eventsOf,
  leaseMs,
  newItem,
  newItems,
  newRun,
  queued,
  runOf,
  running,
  worker,
} from './running.contract.ts'

const take = (r: Room, more: Partial<Change<'takeRuns'>> = {}) =>
  r.apply({ kind: 'takeRuns', owner: worker, at: now, leaseMs, limit: 100, maxAttempts: 3, ...more })
const begin = (r: Room, id: string, more: Partial<Change<'startRun'>> = {}) =>
  r.apply({ kind: 'startRun', id, owner: worker, at: now, leaseMs, ...more })
const abandon = (r: Room, at: number) => r.apply({ kind: 'abandonRuns', at, limit: 10 })

/** Who works on runs, for how long, and what becomes of those that nobody works on any more. */
export function runWorkersContract(room: () => Promise<Room>): void {
  describe('workers of runs', () => {
    test('runs of the server are taken by one process at a time, and by the next when the time is up', async () => {
      const r = await room()
      const { id, ref } = await queued(r)
      const taken = await take(r)
      expect(taken).toEqual({ runs: [await runOf(r, id)], abandoned: 0 })
      expect(taken.runs[0]).toMatchObject({
        status: 'running',
        owner: worker,
        attempt: 1,
        startedAt: now,
        beganAt: now,
      })
      expect(await take(r, { owner: 'next', at: now + leaseMs - 1 })).toEqual({ runs: [], abandoned: 0 })
      const again = await take(r, { owner: 'next', at: now + leaseMs })
      expect(again.runs[0]).toMatchObject({ owner: 'next', attempt: 2, startedAt: now, beganAt: now + leaseMs })
      expect(await end(r, id)).toEqual({ result: 'held' })
      expect(await end(r, id, { owner: 'next', at: now + leaseMs + 5 })).toMatchObject({ result: 'ok' })
      expect((await eventsOf(r, ref)).map(({ kind }) => kind)).toEqual([
        'run_created',
        'run_updated',
        'run_updated',
        'run_ended',
      ])
    })

    test('what was interrupted too often ends as failed instead of being tried for ever', async () => {
      const r = await room()
      const { id } = await queued(r)
      for (const attempt of [1, 2, 3]) {
        const { runs } = await take(r, { at: now + attempt * leaseMs })
        expect(runs.map((run) => run.attempt)).toEqual([attempt])
      }
      expect(await take(r, { at: now + 9 * leaseMs })).toEqual({ runs: [], abandoned: 1 })
      expect(await take(r, { at: now + 10 * leaseMs })).toEqual({ runs: [], abandoned: 0 })
      expect(await runOf(r, id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' }, workedMs: 0 })
      await r.apply({ kind: 'resumeRun', id, owner: null, at: now, leaseMs })
      expect((await take(r)).runs.map((run) => run.attempt)).toEqual([1])
    })

    test('two that take at the same time never get the same', async () => {
      const r = await room()
      const made = await Promise.all(Array.from({ length: 12 }, () => queued(r)))
      const hands = await Promise.all(Array.from({ length: 6 }, (_, i) => take(r, { owner: `hand-${i}`, limit: 2 })))
      const taken = hands.flatMap(({ runs }) => runs.map(({ ref }) => ref))
      expect(taken.toSorted((a, b) => a - b)).toEqual(made.map(({ ref }) => ref).toSorted((a, b) => a - b))
    })

    test('a named run is begun by who comes first, and not when it is over', async () => {
      const r = await room()
      const { id } = await queued(r, { worker: 'client' })
      expect(await take(r, { at: now + leaseMs })).toEqual({ runs: [], abandoned: 0 })
      expect(await begin(r, id)).toMatchObject({ result: 'ok', run: { status: 'running', owner: worker } })
      expect(await begin(r, id, { owner: 'next' })).toEqual({ result: 'held' })
      expect(await begin(r, id)).toMatchObject({ result: 'ok' })
      expect(await begin(r, id, { owner: 'next', at: now + leaseMs })).toMatchObject({ run: { owner: 'next' } })
      await end(r, id, { owner: 'next' })
      expect(await begin(r, id)).toEqual({ result: 'over', status: 'completed' })
      expect(await begin(r, 'nobody')).toEqual({ result: 'not_found' })
    })

    test('who holds on keeps what it names while it is its own, and who lets go gives all of it back', async () => {
      const r = await room()
      const mine = [await queued(r), await queued(r), await queued(r)]
      await take(r)
      const other = await running(await room())
      const refs = [...mine.map(({ ref }) => ref), other.ref]
      await r.apply({ kind: 'cancelRun', id: mine[0]?.id ?? '', at: now })
      const hold = { kind: 'holdRuns', refs, owner: worker, at: now + 500, leaseMs } as const
      expect(await r.apply(hold)).toEqual({ held: refs.slice(1, 3) })
      expect(await r.apply({ ...hold, refs: [] })).toEqual({ held: [] })
      expect(await r.apply({ ...hold, owner: 'next' })).toEqual({ held: [] })
      expect(await take(r, { owner: 'next', at: now + leaseMs })).toEqual({ runs: [], abandoned: 0 })
      expect(await r.apply({ kind: 'releaseRuns', owner: worker, after: 'stop', at: now + 800 })).toEqual({
        released: 2,
      })
      expect(await runOf(r, mine[1]?.id ?? '')).toMatchObject({ status: 'running', owner: null, workedMs: 800 })
      const { runs } = await take(r, { owner: 'next', at: now + 1_000 })
      // What was let go of in good order was not interrupted: it uses up no further attempt.
      expect(runs.map(({ ref, workedMs, attempt }) => [ref, workedMs, attempt])).toEqual([
        [refs[1], 800, 2],
        [refs[2], 800, 2],
      ])
    })

    test('projects with runs for whoever has time are named', async () => {
      const [r, idle] = [await room(), await room()]
      const { id } = await running(idle)
      await end(idle, id)
      await running(r)
      const free = async (at: number) =>
        (await r.read('freeRuns', { at })).filter((one) => one === r.project || one === idle.project)
      expect(await free(now + leaseMs - 1)).toEqual([])
      expect(await free(now + leaseMs)).toEqual([r.project])
      await queued(idle)
      expect(await free(now)).toEqual([idle.project])
    })
  })

  describe('runs of clients that fall silent', () => {
    test('are abandoned when they were not heard of in time, with the time up to when they were', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const waiting = await queued(r, { worker: 'client' })
      await queued(r)
      expect(await abandon(r, now + leaseMs - 1)).toEqual({ refs: [] })
      await add(r, { id, lease: { owner: worker, leaseMs }, at: now + 2_000 }, [newItem(0)])
      expect(await abandon(r, now + leaseMs)).toEqual({ refs: [waiting.ref] })
      expect(await abandon(r, now + leaseMs + 2_000)).toEqual({ refs: [ref] })
      expect(await abandon(r, now + 2 * leaseMs)).toEqual({ refs: [] })
      expect(await runOf(r, id)).toMatchObject({ status: 'abandoned', workedMs: 2_000, owner: null, completed: 1 })
      expect((await eventsOf(r, ref)).at(-1)).toMatchObject({ kind: 'run_ended', data: { status: 'abandoned' } })
    })

    test('go on when an item comes after all, and end when their worker says so', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      await add(r, id, newItems(2))
      const late = now + 2 * leaseMs
      await abandon(r, late)
      // What is there already is no sign of life.
      expect(await add(r, { id, lease: { owner: worker, leaseMs }, at: late }, newItems(2))).toEqual([
        'duplicate',
        'duplicate',
      ])
      expect((await runOf(r, id)).status).toBe('abandoned')
      expect(await add(r, { id, lease: { owner: worker, leaseMs }, at: late }, [newItem(2)])).toEqual(['created'])
      expect(await runOf(r, id)).toMatchObject({ status: 'running', owner: worker, endedAt: null, completed: 3 })
      expect((await eventsOf(r, ref)).slice(-3).map(({ kind, data }) => [kind, data.status])).toEqual([
        ['run_ended', 'abandoned'],
        ['run_updated', 'running'],
        ['run_item', 'running'],
      ])
      await abandon(r, late + leaseMs)
      expect(await end(r, id, { at: late + leaseMs })).toMatchObject({ result: 'ok', run: { status: 'completed' } })
    })

    test('are taken over by the next process of the client, and what the one before still sends is kept once', async () => {
      const r = await room()
      const { id } = await running(r)
      const resume = (owner: string | null) => r.apply({ kind: 'resumeRun', id, owner, at: now + 10, leaseMs })
      expect(await resume(null)).toEqual({ result: 'held' })
      expect(await resume('second')).toMatchObject({ result: 'ok', run: { owner: 'second', attempt: 2, workedMs: 10 } })
      expect(await end(r, id)).toEqual({ result: 'held' })
      expect(await add(r, id, newItems(2))).toEqual(['created', 'created'])
      expect(await add(r, { id, lease: { owner: 'second', leaseMs }, at: now }, newItems(3))).toEqual([
        'duplicate',
        'duplicate',
        'created',
      ])
      expect((await runOf(r, id)).owner).toBe('second')
    })

    test('that were given up go on with a sign of life, and not with what is there already', async () => {
      const r = await room()
      const { id } = await running(r)
      await add(r, id, newItems(1))
      const late = now + 2 * leaseMs
      await abandon(r, late)
      const given = { id, lease: { owner: worker, leaseMs }, at: late }
      expect(await add(r, given, newItems(1))).toEqual(['duplicate'])
      expect((await runOf(r, id)).status).toBe('abandoned')
      expect(await add(r, { id, lease: null, at: late }, [])).toEqual([])
      expect((await runOf(r, id)).status).toBe('abandoned')
      expect(await add(r, given, [])).toEqual([])
      expect(await runOf(r, id)).toMatchObject({ status: 'running', owner: worker, endedAt: null, completed: 1 })
    })

    test('begin with their first item, if nobody said that they began', async () => {
      const r = await room()
      const run = newRun()
      await r.apply({ kind: 'createRun', run, owner: null, at: now, leaseMs })
      await add(r, run.id, [newItem(0)])
      expect(await runOf(r, run.id)).toMatchObject({ status: 'running', owner: worker, startedAt: now, attempt: 1 })
      expect(await abandon(r, now + leaseMs - 1)).toEqual({ refs: [] })
    })
  })
}
