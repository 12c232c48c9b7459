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

const update = (r: Room, id: string, set: Change<'updateRun'>['set']) =>
  r.apply({ kind: 'updateRun', id, set, at: now })
const approval = { state: 'approved', note: 'ship it', by: 'ann', at: '2026-01-01T00:00:00.000Z' } as const

/** Runs: made once, changed in the open, ended once. */
export function runsContract(room: () => Promise<Room>): void {
  describe('runs', () => {
    test('a run is kept as it was made, and told in the journal in numbers', async () => {
      const r = await room()
      const given = newRun({
        description: 'nul \0, half \ud800, 文字',
        tags: ['a"b', 'ci'],
        metadata: '{"big":12345678901234567890.10}',
        datasetId: 'ds_1',
        modelVersion: '2026',
        taskType: 'qa',
        environment: 'ci',
        createdBy: 'ann',
        total: 7,
      })
      const made = await r.apply({ kind: 'createRun', run: given, owner: null, at: now, leaseMs })
      const numbers = { total: 7, completed: 0, successful: 0, erased: 0, costNano: 0, unknownCosts: 0, workedMs: 0 }
      const run = await runOf(r, given.id)
      expect(made).toEqual({ result: 'created', run })
      expect(run).toEqual({
        ...given,
        ...numbers,
        description: expect.stringMatching(/^nul .*文字$/),
        totals: Array.from({ length: 16 }, () => 0),
        ref: run.ref,
        status: 'queued',
        stoppedBy: null,
        owner: null,
        attempt: 0,
        error: null,
        approval: null,
        createdAt: now,
        updatedAt: now,
        startedAt: null,
        beganAt: null,
        endedAt: null,
      })
      const data = { status: 'queued', stoppedBy: null, ...numbers, totals: run.totals }
      expect(await r.journal()).toEqual([{ seq: 1, at: now, kind: 'run_created', ref: null, run: run.ref, data }])
    })

    test('the same run again is the same run; another one of its id is a conflict', async () => {
      const r = await room()
      const run = newRun()
      const create = (more: Partial<typeof run>) =>
        r.apply({ kind: 'createRun', run: { ...run, ...more }, owner: worker, at: now, leaseMs })
      const all = await Promise.all(Array.from({ length: 8 }, () => create({})))
      expect(all.map((one) => one.result).toSorted()).toEqual(['created', ...Array.from({ length: 7 }, () => 'exists')])
      expect(new Set(all.map((one) => 'run' in one && one.run.ref)).size).toBe(1)
      expect(await create({ hash: 'other', name: 'other' })).toEqual({ result: 'conflict' })
      expect(await runOf(r, run.id)).toMatchObject({
        name: 'nightly',
        status: 'running',
        owner: worker,
        startedAt: now,
      })
      expect(await r.journal()).toHaveLength(1)
      // Another project has runs of its own.
      const other = await room()
      expect(await other.read('run', { id: run.id })).toBeNull()
      const theirs = { ...run, hash: 'other' }
      expect((await other.apply({ kind: 'createRun', run: theirs, owner: null, at: now, leaseMs })).result).toBe(
        'created',
      )
    })

    test('what a run is called changes, and what is not named stays', async () => {
      const r = await room()
      const { id, ref } = await running(r, { description: 'first', tags: ['a'] })
      const changed = await update(r, id, { name: 'better', tags: ['b', 'c'], environment: 'ci', total: 12 })
      expect(changed).toMatchObject({ result: 'ok', run: { description: 'first', updatedAt: now } })
      await update(r, id, { description: null, metadata: '{"k":1}', modelName: null })
      expect(await runOf(r, id)).toMatchObject({
        name: 'better',
        description: null,
        tags: ['b', 'c'],
        metadata: '{"k":1}',
        modelName: null,
        environment: 'ci',
        total: 12,
        status: 'running',
      })
      expect((await eventsOf(r, ref)).map(({ kind, id: told, data }) => [kind, told, data.total])).toEqual([
        ['run_created', id, null],
        ['run_updated', id, 12],
        ['run_updated', id, 12],
      ])
      expect(await update(r, 'nobody', { name: 'x' })).toEqual({ result: 'not_found' })
    })

    test('people decide about a run that is over; what they decided falls when it goes on', async () => {
      const r = await room()
      const { id } = await running(r)
      expect(await update(r, id, { approval })).toEqual({ result: 'not_over' })
      await end(r, id)
      expect(await update(r, id, { approval })).toMatchObject({ result: 'ok', run: { approval } })
      await update(r, id, { name: 'other' })
      expect((await runOf(r, id)).approval).toEqual(approval)
      await update(r, id, { approval: null })
      expect((await runOf(r, id)).approval).toBeNull()
      await update(r, id, { approval })
      await r.apply({ kind: 'resumeRun', id, owner: worker, at: now, leaseMs })
      expect(await runOf(r, id)).toMatchObject({ approval: null, status: 'running', endedAt: null })
    })

    test('a run ends once, as its worker says, with the time it was worked on', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      await add(r, id, newItems(3))
      expect(await end(r, id, { owner: 'somebody else' })).toEqual({ result: 'held' })
      const ended = await end(r, id, { stoppedBy: 'cost_limit', total: 9, at: now + 700 })
      expect(ended).toMatchObject({
        result: 'ok',
        run: {
          status: 'completed',
          stoppedBy: 'cost_limit',
          total: 9,
          completed: 3,
          workedMs: 700,
          endedAt: now + 700,
          beganAt: null,
          owner: null,
        },
      })
      expect(await end(r, id, { status: 'failed' })).toEqual({ result: 'over', status: 'completed' })
      expect(await r.apply({ kind: 'cancelRun', id, at: now })).toEqual({ result: 'over', status: 'completed' })
      const last = (await eventsOf(r, ref)).at(-1)
      expect(last).toMatchObject({
        kind: 'run_ended',
        data: { status: 'completed', stoppedBy: 'cost_limit', workedMs: 700 },
      })
      expect(await end(r, 'nobody')).toEqual({ result: 'not_found' })
    })

    test('a failure keeps its reason until the run goes on', async () => {
      const r = await room()
      const { id } = await running(r)
      const error = { code: 'dataset_unreadable', message: 'nul \0, half \ud800' }
      await end(r, id, { status: 'failed', error })
      expect(await runOf(r, id)).toMatchObject({ status: 'failed', error })
      await r.apply({ kind: 'resumeRun', id, owner: worker, at: now, leaseMs })
      expect(await runOf(r, id)).toMatchObject({ status: 'running', error: null, stoppedBy: null })
    })

    test('of many that end a run at the same time, one does', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const fates = await Promise.all([
        ...Array.from({ length: 6 }, () => end(r, id)),
        ...Array.from({ length: 6 }, () => r.apply({ kind: 'cancelRun', id, at: now })),
      ])
      expect(fates.filter((fate) => fate.result === 'ok')).toHaveLength(1)
      expect((await eventsOf(r, ref)).filter((event) => event.kind === 'run_ended')).toHaveLength(1)
    })

    test('a run is cancelled in every state but those that are over, and keeps what it has', async () => {
      const r = await room()
      const cancel = (id: string) => r.apply({ kind: 'cancelRun', id, at: now + 100 })
      const waiting = await queued(r)
      expect(await cancel(waiting.id)).toMatchObject({
        result: 'ok',
        run: { status: 'cancelled', startedAt: null, workedMs: 0 },
      })
      const { id } = await running(r)
      await add(r, id, newItems(4))
      expect(await cancel(id)).toMatchObject({
        result: 'ok',
        run: { status: 'cancelled', stoppedBy: 'cancelled', completed: 4, workedMs: 100 },
      })
      expect(await cancel(id)).toEqual({ result: 'over', status: 'cancelled' })
      expect(await end(r, id)).toEqual({ result: 'over', status: 'cancelled' })
      expect(await add(r, id, [newItem(3), newItem(4)])).toEqual(['duplicate', 'run_over'])
      const lost = await running(r)
      await r.apply({ kind: 'abandonRuns', at: now + leaseMs, limit: 9 })
      expect(await cancel(lost.id)).toMatchObject({ result: 'ok', run: { status: 'cancelled' } })
      expect(await cancel('nobody')).toEqual({ result: 'not_found' })
    })

    test('a run that is over goes on with what is missing, queued or with a worker', async () => {
      const r = await room()
      const resume = (id: string, owner: string | null) =>
        r.apply({ kind: 'resumeRun', id, owner, at: now + 1_000, leaseMs })
      const { id, ref } = await running(r)
      await add(r, id, newItems(2))
      await end(r, id, { stoppedBy: 'time_limit', at: now + 10 })
      expect(await add(r, id, [newItem(2)])).toEqual(['run_over'])
      expect(await resume(id, worker)).toMatchObject({
        result: 'ok',
        run: { status: 'running', beganAt: now + 1_000, workedMs: 10 },
      })
      expect(await add(r, { id, lease: null, at: now + 1_000 }, [newItem(2)])).toEqual(['created'])
      expect(await end(r, id, { at: now + 1_005 })).toMatchObject({
        run: { workedMs: 15, completed: 3, startedAt: now },
      })
      expect((await eventsOf(r, ref)).map(({ kind, data }) => [kind, data.status])).toEqual([
        ['run_created', 'running'],
        ['run_item', 'running'],
        ['run_item', 'running'],
        ['run_ended', 'completed'],
        ['run_updated', 'running'],
        ['run_item', 'running'],
        ['run_ended', 'completed'],
      ])
      const server = await queued(r)
      expect(await resume(server.id, null)).toEqual({ result: 'held' })
      await r.apply({ kind: 'cancelRun', id: server.id, at: now })
      expect(await resume(server.id, null)).toMatchObject({
        result: 'ok',
        run: { status: 'queued', attempt: 0, endedAt: null },
      })
      expect(await resume('nobody', null)).toEqual({ result: 'not_found' })
    })
  })
}
