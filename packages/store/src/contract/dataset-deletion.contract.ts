import { describe, expect, test } from 'vitest'
import { append, find } from './conversations.contract.ts'
import { newDataset, newRow } from './dataset-room.contract.ts'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

/** What a deleted trace brought is gone from draft and versions, and a deleted dataset is gone for good. */
export function datasetDeletionContract(room: () => Promise<Room>): void {
  describe('rows made of traces', () => {
    test('a trace is in a dataset once, and a trace that is not there brings no row', async () => {
      const r = await room()
      const d = await newDataset(r)
      const [one, two] = newTraces(2)
      if (!one || !two) throw new Error('two traces')
      await r.ingest([one, two])
      const [first, second] = [newRow({ q: 1 }, one.traceId), newRow({ q: 2 }, one.traceId)]
      expect(await d.add(first, newRow({ q: 3 }, two.traceId), newRow({ q: 4 }, one.traceId))).toMatchObject({
        rows: [{ added: true }, { added: true }, { id: first.id, rowIndex: 0, added: false }],
      })
      expect(await d.add(second)).toEqual({ result: 'ok', rows: [{ id: first.id, rowIndex: 0, added: false }] })
      expect(await d.values()).toEqual([{ q: 1 }, { q: 3 }])
      expect(await d.add(newRow(), newRow({}, 'nobody'))).toEqual({ result: 'trace_not_found', traceId: 'nobody' })
      expect(await d.dataset()).toMatchObject({ total_rows: 2 })
      await d.remove(first)
      expect(await d.add(second)).toMatchObject({ rows: [{ id: second.id, added: true }] })
    })

    test('of many that add one trace at once, one does', async () => {
      const r = await room()
      const d = await newDataset(r)
      const trace = newTrace()
      await r.ingest([trace])
      const all = await Promise.all(Array.from({ length: 10 }, () => d.add(newRow({}, trace.traceId))))
      expect(all.filter((one) => one.result === 'ok' && one.rows[0]?.added)).toHaveLength(1)
      expect(await d.all()).toHaveLength(1)
    })

    test('deleting the trace takes its rows out of the draft and of every version, which count them', async () => {
      const r = await room()
      const d = await newDataset(r)
      const secret = 'zyzzyvaquark'
      const [doomed, kept] = newTraces(2)
      if (!doomed || !kept) throw new Error('two traces')
      await r.ingest([doomed, kept])
      const row = newRow({ q: `${secret} 1` }, doomed.traceId)
      await d.add(newRow({ q: 'own' }), row, newRow({ q: 'kept' }, kept.traceId))
      await d.publish()
      await d.update(row, { q: `${secret} 2` })
      await d.publish()
      await d.update(row, { q: `${secret} 3` })
      await d.publish()
      await d.replace(newRow({ q: `${secret} 4` }, doomed.traceId), newRow({ q: 'late' }))
      expect(await r.dump()).toContain(secret)
      await r.delete(doomed.traceId)
      expect(await r.dump()).not.toContain(secret)
      expect(await d.versions()).toEqual([
        { version: 'v3', rows: 2, erased: 1 },
        { version: 'v2', rows: 2, erased: 1 },
        { version: 'v1', rows: 2, erased: 1 },
      ])
      expect(await d.values()).toEqual([{ q: 'late' }])
      for (const version of ['v1', 'v2', 'v3']) expect(await d.values(version)).toEqual([{ q: 'own' }, { q: 'kept' }])
      expect(await d.add(newRow({}, doomed.traceId))).toMatchObject({ result: 'trace_not_found' })
    })

    test('a trace that is deleted while it is added leaves no row', async () => {
      const r = await room()
      const d = await newDataset(r)
      for (let round = 0; round < 15; round++) {
        const trace = newTrace()
        await r.ingest([trace])
        await Promise.all([d.add(newRow({}, trace.traceId)), r.delete(trace.traceId), d.add(newRow({}, trace.traceId))])
      }
      expect(await d.all()).toEqual([])
    })

    test('an expired trace leaves its row; erasing the user takes it, in bounded steps, and nobody else\u2019s', async () => {
      const r = await room()
      const d = await newDataset(r)
      const traces = newTraces(9, (n) => ({ userId: n % 3 === 0 ? 'bob' : 'ann', timestamp: now - 1_000 }))
      await r.ingest(traces)
      await d.add(...traces.map(({ traceId }, n) => newRow({ q: n }, traceId)))
      await d.publish()
      await r.apply({ kind: 'expireTraces', before: now, at: now, limit: 100 })
      expect(await d.all()).toHaveLength(9)
      const erase = () => r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 4 })
      expect(await erase()).toEqual({ deleted: 0, more: true })
      expect(await erase()).toEqual({ deleted: 0, more: false })
      expect(await d.values()).toEqual([{ q: 0 }, { q: 3 }, { q: 6 }])
      expect(await d.values('v1')).toEqual([{ q: 0 }, { q: 3 }, { q: 6 }])
      expect(await d.versions()).toEqual([{ version: 'v1', rows: 3, erased: 6 }])
    })
  })

  describe('rows made of conversations', () => {
    const remove = (r: Room, threadId: string) => r.apply({ kind: 'deleteConversation', threadId, at: now, limit: 100 })

    test('go with their conversation, out of the draft and of every version, which count them', async () => {
      const r = await room()
      const d = await newDataset(r)
      await append(r, 'doomed')
      await append(r, 'kept')
      const of = async (threadId: string, values: object) => ({
        ...newRow(values),
        userId: 'ann',
        conversationRef: (await find(r, threadId)).ref,
      })
      const doomed = await of('doomed', { q: 'said in confidence' })
      await d.add(doomed, await of('kept', { q: 'kept' }), newRow({ q: 'own' }))
      await d.publish()
      await d.update(doomed, { q: 'said in confidence, edited' })
      await remove(r, 'doomed')
      expect(await r.dump()).not.toContain('said in confidence')
      expect(await d.values()).toEqual([{ q: 'kept' }, { q: 'own' }])
      expect(await d.versions()).toEqual([{ version: 'v1', rows: 2, erased: 1 }])
      expect(await d.add(doomed)).toEqual({ result: 'conversation_deleted' })
      await r.apply({ kind: 'expireConversations', before: now + 1, at: now, limit: 100 })
      expect(await d.values()).toEqual([{ q: 'kept' }, { q: 'own' }])
      await r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 100 })
      expect(await d.values()).toEqual([{ q: 'own' }])
    })

    test('are not left where their conversation is deleted while they are added', async () => {
      const r = await room()
      const d = await newDataset(r)
      for (let round = 0; round < 10; round++) {
        const threadId = `t${round}`
        await append(r, threadId)
        const row = { ...newRow(), conversationRef: (await find(r, threadId)).ref }
        await Promise.all([d.add(row), remove(r, threadId), d.add({ ...row, id: `${row.id}x` })])
      }
      expect(await d.all()).toEqual([])
    })
  })

  describe('deleting a dataset', () => {
    test('it is gone at once, its rows go step by step, and its slug is free', async () => {
      const r = await room()
      const d = await newDataset(r)
      const word = 'quokkaverse'
      await d.add(...Array.from({ length: 25 }, () => newRow({ q: word })))
      await d.publish()
      await d.replace(newRow({ q: word }))
      const step = (dataset = 'qa') => r.apply({ kind: 'deleteDataset', dataset, limit: 10 })
      expect(await step()).toEqual({ found: true, more: true })
      expect(await d.dataset()).toBeNull()
      expect(await r.read('datasets', {})).toEqual([])
      const again = await newDataset(r)
      await again.add(newRow({ q: 'kept' }))
      let more = true
      while (more) ({ more } = await step('nobody'))
      expect(await r.dump()).not.toContain(word)
      expect(await again.values()).toEqual([{ q: 'kept' }])
      expect(await step('nobody')).toEqual({ found: false, more: false })
    })

    test('what a deletion left behind is swept away', async () => {
      const r = await room()
      const d = await newDataset(r)
      await d.add(...Array.from({ length: 25 }, () => newRow({ q: 'wombatine' })))
      await r.apply({ kind: 'deleteDataset', dataset: 'qa', limit: 1 })
      expect(await r.dump()).toContain('wombatine')
      await r.apply({ kind: 'sweep', at: now, messagesBefore: 0 })
      expect(await r.dump()).not.toContain('wombatine')
    })
  })
}
