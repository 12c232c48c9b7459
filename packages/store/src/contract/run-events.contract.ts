import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { NewRunItem, StoredRun } from '../runs.ts'
import type { RunEvent } from '../run-queries.ts'
import { newTraces, now, type Room } from './room.contract.ts'
import { add, end, eventsOf, newItem, newItems, running, runOf, shown } from './running.contract.ts'

/** The journal of runs: read by run from any place, or by project without items. */
export function runEventsContract(room: () => Promise<Room>): void {
  describe('events of runs', () => {
    let r: Room
    let run: StoredRun
    let other: StoredRun
    let items: NewRunItem[]
    let all: RunEvent[]
    beforeAll(async () => {
      r = await room()
      run = await running(r)
      other = await running(r)
      items = newItems(60, (i) => ({ status: i % 9 === 0 ? 'failed' : 'success', preview: '文'.repeat(i) }))
      for (let from = 0; from < 60; from += 10) {
        await r.ingest(newTraces(3))
        await add(r, run.id, items.slice(from, from + 10))
        await add(r, other.id, [newItem(from)])
      }
      await end(r, run.id)
      all = await eventsOf(r, run.ref)
    }, 120_000)

    test('tell what a run came to, item by item, in the order of the journal', async () => {
      expect(all.map(({ kind }) => kind)).toEqual(['run_created', ...items.map(() => 'run_item'), 'run_ended'])
      const told = all.filter(({ kind }) => kind === 'run_item')
      expect(told.map(({ item }) => item)).toEqual(items.map(shown))
      expect(told.map(({ data }) => data.completed)).toEqual(items.map((_, i) => i + 1))
      expect(told.every(({ id, ref, at }) => id === run.id && ref === run.ref && at === now)).toBe(true)
      const { completed, successful, costNano, totals } = await runOf(r, run.id)
      expect(all.at(-1)?.data).toMatchObject({ status: 'completed', completed, successful, costNano, totals })
      expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((a, b) => a - b))
    })

    test('are read from any place, in pages of any length and weight, without gap or repeat', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(110),
          fc.integer({ min: 1, max: 70 }),
          fc.constantFrom(1, 2_000, 1e9),
          async (from, limit, bytes) => {
            const told: RunEvent[] = []
            for (let after = from; ; ) {
              const { events, head } = await r.read('runEvents', { ref: run.ref, after, limit, bytes })
              expect(events.length).toBeLessThanOrEqual(bytes === 1 ? 1 : limit)
              expect(head).toEqual(await r.read('head', {}))
              told.push(...events)
              if (events.length === 0) break
              after = events.at(-1)?.seq ?? 0
            }
            expect(told).toEqual(all.filter(({ seq }) => seq > from))
          },
        ),
        { numRuns: 15 },
      )
    }, 120_000)

    test('of all runs come without those of items, and those of one project only', async () => {
      const told = await eventsOf(r, null)
      expect(told.map(({ kind, ref }) => [kind, ref])).toEqual([
        ['run_created', run.ref],
        ['run_created', other.ref],
        ['run_ended', run.ref],
      ])
      expect(told.map(({ id }) => id)).toEqual([run.id, other.id, run.id])
      expect(await eventsOf(r, null, told[1]?.seq)).toEqual(told.slice(2))
      const elsewhere = await room()
      expect([await eventsOf(elsewhere, null), await eventsOf(elsewhere, run.ref)]).toEqual([[], []])
    })

    test('stand in the journal among all others, where every follower and consumer comes past them', async () => {
      const journal = await r.journal()
      expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i + 1))
      const own = journal.filter((event) => 'run' in event && event.run === run.ref)
      expect(own).toHaveLength(all.length)
      expect(own[3]).toEqual({
        seq: all[3]?.seq,
        at: now,
        kind: 'run_item',
        ref: null,
        run: run.ref,
        data: { ...all[3]?.data, itemIndex: 2, itemStatus: 'success' },
      })
      await r.caughtUp()
      expect((await r.metrics()).total_traces).toBe(18)
    })

    test('go with the journal when it is trimmed', async () => {
      const short = await room()
      const { id, ref } = await running(short)
      await add(short, id, newItems(4))
      await short.caughtUp()
      await short.apply({ kind: 'trimEvents', before: now + 1 })
      expect(await eventsOf(short, ref)).toEqual([])
      await end(short, id)
      expect((await eventsOf(short, ref)).map(({ seq, kind }) => [seq, kind])).toEqual([[6, 'run_ended']])
    })
  })
}
