import { describe, expect, test } from 'vitest'
import { now, type Room } from './room.contract.ts'
import { add, end, eventsOf, newItems, queued, running, worker } from './running.contract.ts'

/** What watchers of runs ask beside their events. */
export function runStatusesContract(room: () => Promise<Room>): void {
  describe('statuses of runs', () => {
    test('are counted, without runs that are deleted and those of other projects', async () => {
      const r = await room()
      const none = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0, abandoned: 0 }
      expect(await r.read('runCounts', {})).toEqual(none)
      await queued(r)
      await running(r)
      await running(r)
      const { id } = await running(r)
      await end(r, id)
      const gone = await running(r)
      await r.apply({ kind: 'deleteRun', id: gone.id, at: now, limit: 10 })
      expect(await r.read('runCounts', {})).toEqual({ ...none, queued: 1, running: 2, completed: 1 })
      expect(await (await room()).read('runCounts', {})).toEqual(none)
    })

    test('right before an event are those of the event before it of the same run', async () => {
      const r = await room()
      const one = await queued(r, { worker: 'client' })
      const { ref: other } = await running(r)
      await r.apply({ kind: 'startRun', id: one.id, owner: worker, at: now, leaseMs: 1_000 })
      await add(r, one.id, newItems(2))
      await end(r, one.id, { status: 'failed' })
      const seqs = (await eventsOf(r, one.ref)).map(({ seq }) => seq)
      const before = await Promise.all(seqs.map((seq) => r.read('runStatusBefore', { ref: one.ref, seq })))
      expect(before).toEqual([null, 'queued', 'running', 'running', 'running'])
      expect(await r.read('runStatusBefore', { ref: one.ref, seq: 1_000 })).toBe('failed')
      expect(await r.read('runStatusBefore', { ref: other, seq: 1_000 })).toBe('running')
      expect(await (await room()).read('runStatusBefore', { ref: one.ref, seq: 1_000 })).toBeNull()
    })
  })
}
