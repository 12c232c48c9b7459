import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'
import {
  add,
  end,
  eventsOf,
  itemsOf,
  leaseMs,
  newItem,
  newItems,
  newRun,
  runOf,
  running,
  shown,
  worker,
} from './running.contract.ts'

/** A word that stands nowhere else, and a body that says it wherever it can. */
function newSecret() {
  const secret = `zither${randomUUID()}`
  const text = `"${secret}"`
  return { secret, body: { input: text, expected: text, output: text, scores: `{"exact":${text}}` } }
}

/** A run that says a secret wherever it can. */
async function telling(r: Room, items = 5) {
  const { secret, body } = newSecret()
  const texts = { name: secret, description: secret, tags: [secret], metadata: body.input, modelName: secret }
  const run = await running(r, { id: secret, ...texts, datasetName: secret, createdBy: secret })
  const error = { code: 'execution_failed', message: secret } as const
  const said = newItems(items, () => ({ body, preview: secret, caseId: secret, error, traceId: secret }))
  await add(r, run.id, said)
  return { ...run, secret }
}

/** An empty dataset. */
function makeDataset(r: Room, slug: string) {
  const given = { id: `ds_${slug}`, slug, name: slug, description: null, columns: [] }
  return r.apply({ kind: 'createDataset', ...given, at: now })
}

/** Deletion of runs, and of what they were made of. */
export function runDeletionContract(room: () => Promise<Room>): void {
  const remove = (r: Room, id: string, limit = 100) => r.apply({ kind: 'deleteRun', id, at: now, limit })

  describe('deleting a run', () => {
    test('leaves nothing of its texts, an event without them, and a tombstone', async () => {
      const r = await room()
      const { id, ref, secret } = await telling(r)
      const kept = await running(r)
      await add(r, kept.id, newItems(3))
      await r.apply({ kind: 'updateRun', id, set: { name: `${secret} again` }, at: now })
      expect(await remove(r, id)).toEqual({ found: true, more: true })
      expect(await remove(r, id)).toEqual({ found: false, more: false })
      expect(await r.dump()).not.toContain(secret)
      expect(await r.read('run', { id })).toBe('deleted')
      const again = await r.apply({ kind: 'createRun', run: newRun({ id }), owner: null, at: now, leaseMs })
      expect(again).toEqual({ result: 'deleted' })
      expect(await r.apply({ kind: 'addItems', id, items: [newItem(9)], lease: null, at: now })).toEqual({
        result: 'deleted',
      })
      for (const change of [
        { kind: 'cancelRun', id, at: now },
        { kind: 'updateRun', id, set: {}, at: now },
        { kind: 'resumeRun', id, owner: null, at: now, leaseMs },
        { kind: 'startRun', id, owner: worker, at: now, leaseMs },
      ] as const)
        expect(await r.apply(change)).toEqual({ result: 'deleted' })
      const events = await eventsOf(r, ref)
      expect(events.at(-1)).toMatchObject({ kind: 'run_deleted', id: null, data: { completed: 5 } })
      const items = events.filter(({ kind }) => kind === 'run_item')
      expect(items.map(({ id: told, item, itemIndex }) => [told, item, itemIndex])).toEqual(
        [0, 1, 2, 3, 4].map((i) => [null, null, i]),
      )
      expect(JSON.stringify(await eventsOf(r, null))).not.toContain(secret)
      expect((await itemsOf(r, kept.ref)).items).toHaveLength(3)
      expect(await (await room()).read('run', { id })).toBeNull()
    })

    test('takes it out of sight at once, and its items step by step', async () => {
      const r = await room()
      const { id, ref, secret } = await telling(r, 25)
      expect(await remove(r, id, 10)).toEqual({ found: true, more: true })
      expect((await itemsOf(r, ref)).items).toEqual([])
      expect(await r.read('runItem', { ref, itemIndex: 20 })).toBeNull()
      expect((await r.read('runColumns', { ref, after: -1, limit: 50 })).caseId).toEqual([])
      expect((await r.read('runItemIds', { ref, after: -1, limit: 50 })).caseId).toEqual([])
      const page = await r.read('runs', { filter: {}, order: 'name', direction: 'ascending', limit: 5, cursor: null })
      expect(page).toMatchObject({ items: [] })
      expect(await remove(r, id, 10)).toEqual({ found: false, more: true })
      expect(await remove(r, id, 10)).toEqual({ found: false, more: true })
      expect(await remove(r, id, 10)).toEqual({ found: false, more: false })
      expect(await r.dump()).not.toContain(secret)
    })

    test('that was left behind is swept away', async () => {
      const r = await room()
      const { id, secret } = await telling(r, 12)
      await remove(r, id, 1)
      await r.apply({ kind: 'sweep', at: now, messagesBefore: 0 })
      expect(await r.dump()).not.toContain(secret)
    })

    test('of many at the same time one finds it, while items still come', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      const [fates] = await Promise.all([
        Promise.all(Array.from({ length: 6 }, () => remove(r, id))),
        Promise.allSettled(Array.from({ length: 6 }, (_, i) => add(r, id, [newItem(i)]))),
      ])
      expect(fates.filter(({ found }) => found)).toHaveLength(1)
      while ((await remove(r, id)).more);
      expect((await eventsOf(r, ref)).at(-1)?.kind).toBe('run_deleted')
      expect((await itemsOf(r, ref)).items).toEqual([])
    })

    test('a new run never has the ref of an old one', async () => {
      const r = await room()
      const { id, ref } = await running(r)
      while ((await remove(r, id)).more);
      expect((await running(r)).ref).toBeGreaterThan(ref)
    })
  })

  describe('old runs', () => {
    test('go in bounded steps, the oldest first, and their ids can be used again', async () => {
      const r = await room()
      const made: string[] = []
      for (let i = 0; i < 5; i++) {
        const { id } = await telling(r)
        made.push(id)
        await end(r, id, { at: now + i })
      }
      const open = await running(r)
      const expire = (limit: number) => r.apply({ kind: 'expireRuns', before: now + 4, at: now + 10, limit })
      expect(await expire(3)).toEqual({ deleted: 3, more: true })
      expect(await r.read('run', { id: made[2] ?? '' })).toBeNull()
      expect(await runOf(r, made[3] ?? '')).toMatchObject({ status: 'completed' })
      expect(await expire(3)).toEqual({ deleted: 1, more: true })
      while ((await expire(3)).more);
      expect(await expire(3)).toEqual({ deleted: 0, more: false })
      expect(await runOf(r, made[4] ?? '')).toMatchObject({ status: 'completed' })
      expect(await runOf(r, open.id)).toMatchObject({ status: 'running' })
      expect((await eventsOf(r, null)).filter(({ kind }) => kind === 'run_deleted')).toHaveLength(4)
      expect(await r.dump()).not.toContain(made[1])
      expect(await running(r, { id: made[0] ?? '' })).toMatchObject({ completed: 0 })
    })
  })

  describe('an approved run', () => {
    test('is kept whatever its age, until it is approved no more', async () => {
      const r = await room()
      const ids: string[] = []
      for (const state of ['approved', 'rejected'] as const) {
        const { id } = await telling(r)
        ids.push(id)
        await end(r, id, { at: now })
        // A note cannot speak for the approval.
        const approval = { state, note: '"state":"approved"', by: 'ann', at: '2026-01-01T00:00:00.000Z' }
        await r.apply({ kind: 'updateRun', id, set: { approval }, at: now })
      }
      const [approved = '', rejected = ''] = ids
      const expire = () => r.apply({ kind: 'expireRuns', before: now + 4, at: now + 10, limit: 100 })
      while ((await expire()).more);
      expect(await r.read('run', { id: rejected })).toBeNull()
      expect(await runOf(r, approved)).toMatchObject({ approval: { state: 'approved' } })
      await r.apply({ kind: 'updateRun', id: approved, set: { approval: null }, at: now })
      while ((await expire()).more);
      expect(await r.read('run', { id: approved })).toBeNull()
    })
  })

  describe('items made of traces', () => {
    test('go with the trace that their case was made of, and with that of their answer; the run counts them as erased', async () => {
      const r = await room()
      const { secret, body } = newSecret()
      const [source, answer, other] = [newTrace(), newTrace(), newTrace()]
      await r.ingest([source, answer, other])
      const { id, ref } = await running(r)
      const items = [
        newItem(0, { body, caseId: secret, preview: secret, sourceTraceId: source.traceId }),
        newItem(1, { body, preview: secret, traceId: answer.traceId, sourceTraceId: other.traceId }),
        newItem(2, { traceId: other.traceId, sourceTraceId: other.traceId }),
        newItem(3),
      ]
      await add(r, id, items)
      await r.delete(source.traceId)
      await r.delete(answer.traceId)
      expect(await r.dump()).not.toContain(secret)
      expect((await itemsOf(r, ref)).items).toEqual(items.slice(2).map(shown))
      expect(await runOf(r, id)).toMatchObject({ completed: 2, erased: 2, costNano: 5_000 })
      const events = await eventsOf(r, ref)
      expect(events.at(-1)).toMatchObject({ kind: 'run_updated', data: { completed: 2, erased: 2 } })
      expect(events.filter(({ kind }) => kind === 'run_item').map(({ item }) => item?.itemIndex ?? null)).toEqual([
        null,
        null,
        2,
        3,
      ])
      // Sent again, they do not come back.
      expect(await add(r, id, items)).toEqual(['erased', 'erased', 'duplicate', 'duplicate'])
      expect(await runOf(r, id)).toMatchObject({ completed: 2, erased: 2 })
    })

    test('outlast a trace that expired, until the user is erased, in bounded steps', async () => {
      const r = await room()
      const traces = newTraces(5, (i) => ({ userId: i === 4 ? 'bob' : 'ann' }))
      await r.ingest(traces)
      const { id, ref } = await running(r)
      const items = newItems(5, (i) => ({ sourceTraceId: traces[i]?.traceId ?? null }))
      await add(r, id, items)
      await r.apply({ kind: 'expireTraces', before: now + 1, at: now, limit: 100 })
      expect((await itemsOf(r, ref)).items).toHaveLength(5)
      const erase = () => r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 3 })
      expect(await erase()).toEqual({ deleted: 0, more: true })
      expect(await erase()).toEqual({ deleted: 0, more: false })
      expect((await itemsOf(r, ref)).items).toEqual(items.slice(4).map(shown))
      expect(await runOf(r, id)).toMatchObject({ completed: 1, erased: 4 })
    })

    test('whose trace expired before they came go with the user of the row that they were made of', async () => {
      const r = await room()
      const trace = newTrace({ userId: 'ann' })
      await r.ingest([trace])
      await makeDataset(r, 'qa')
      const rows = [{ id: 'row', values: '{}', traceId: trace.traceId }]
      await r.apply({ kind: 'addRows', dataset: 'qa', rows, mode: 'append', at: now })
      await r.apply({ kind: 'expireTraces', before: now + 1, at: now, limit: 100 })
      const { id, ref } = await running(r)
      await add(r, id, [newItem(0, { sourceTraceId: trace.traceId })])
      while ((await r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 10 })).more);
      expect((await itemsOf(r, ref)).items).toEqual([])
    })

    test('that come while their trace is deleted are not there afterwards, whichever was first', async () => {
      const r = await room()
      const traces = newTraces(12)
      await r.ingest(traces)
      const { id, ref } = await running(r)
      await Promise.all(
        traces.flatMap((trace, i) => [
          add(r, id, [newItem(i, { sourceTraceId: trace.traceId })]),
          r.delete(trace.traceId),
        ]),
      )
      expect((await itemsOf(r, ref)).items).toEqual([])
      expect((await runOf(r, id)).completed).toBe(0)
    })
  })

  test('a run keeps what it took from a dataset that is deleted', async () => {
    const r = await room()
    await makeDataset(r, 'kept')
    const { id, ref } = await running(r, { datasetId: 'ds_kept', datasetName: 'kept' })
    await add(r, id, newItems(2))
    while ((await r.apply({ kind: 'deleteDataset', dataset: 'kept', limit: 100 })).more);
    expect(await runOf(r, id)).toMatchObject({ datasetId: 'ds_kept', datasetName: 'kept', completed: 2 })
    expect(await r.read('runItem', { ref, itemIndex: 1 })).toMatchObject({ body: newItem(1).body })
  })
}
