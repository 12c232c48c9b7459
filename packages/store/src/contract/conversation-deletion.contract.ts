import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { append, eventsOf, find, newEvent } from './conversations.contract.ts'
import { makeRoom, newTrace, now, type OpenStoreUnderTest, Room } from './room.contract.ts'

/** How conversations end. */
export function conversationDeletionContract(room: () => Promise<Room>, open: OpenStoreUnderTest): void {
  const many = (count: number) => Array.from({ length: count }, () => newEvent())
  const remove = (r: Room, threadId: string, limit = 1_000) =>
    r.apply({ kind: 'deleteConversation', threadId, at: now, limit })
  /** How many went with each step, until nothing is left. */
  const eraseAll = async (r: Room, userId: string, limit = 100) => {
    const steps: number[] = []
    for (let more = true; more; ) {
      const step = await r.apply({ kind: 'eraseUser', userId, at: now, limit })
      steps.push(step.deleted)
      more = step.more
    }
    return steps
  }
  const kinds = async (r: Room) => (await r.journal()).map(({ kind }) => kind)

  describe('a conversation that is deleted', () => {
    test('is gone at once, and goes step by step; it cannot be told again', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      const texts = { title: secret, agent: secret, model: secret, error: secret, turn: { key: secret } }
      const named = { runId: secret, invocationId: secret, eventId: secret, payload: JSON.stringify({ secret }) }
      const origin = { target: secret, appName: secret, userId: secret, replayOf: secret, wordsOf: secret }
      await append(r, secret, { ...origin, events: [newEvent({ ...texts, turning: { kind: 'begins' } }, named)] })
      await append(r, secret, { events: many(4) })
      const { ref } = await find(r, secret)
      expect(await remove(r, secret, 2)).toEqual({ found: true, more: true })
      expect(await r.read('conversation', { threadId: secret })).toBe('deleted')
      expect(await r.read('conversationEvents', { ref, after: 0, limit: 9, bytes: 1e6 })).toEqual({
        events: [],
        more: false,
      })
      expect(await r.read('conversationThinking', { ref, limit: 9 })).toEqual([])
      const asked = { filter: {}, limit: 9, cursor: null, silentBefore: 0 }
      expect(await r.read('conversations', asked)).toEqual({ items: [], nextCursor: null })
      expect(await append(r, secret)).toEqual({ result: 'deleted' })
      expect(await remove(r, secret, 2)).toEqual({ found: false, more: true })
      expect(await remove(r, secret, 2)).toEqual({ found: false, more: false })
      expect(await r.dump()).not.toContain(secret)
      expect((await kinds(r)).slice(2)).toEqual(['conversation_deleted'])
      expect(await append(r, 'another')).toMatchObject({ created: true })
    })

    test('is none of those that are there, and its id may be that of another one after retention', async () => {
      const [r, other] = [await room(), await room()]
      for (const threadId of ['a', 'b', '__proto__']) await append(r, threadId)
      await append(other, 'c')
      const there = async (...threadIds: string[]) => await r.read('conversationRefs', { threadIds })
      const [a, proto] = [await find(r, 'a'), await find(r, '__proto__')]
      await remove(r, 'b')
      expect(await there('a', 'b', 'c', 'd', '__proto__')).toEqual([
        { threadId: 'a', ref: a.ref },
        { threadId: '__proto__', ref: proto.ref },
      ])
      expect(await there()).toEqual([])
      await r.apply({ kind: 'expireConversations', before: now + 1e9, at: now, limit: 100 })
      expect(await there('a')).toEqual([])
      await append(r, 'a')
      expect(await there('a')).not.toEqual([{ threadId: 'a', ref: a.ref }])
    })

    test('is found by its own project only', async () => {
      const [r, other] = [await room(), await room()]
      await append(r, 't')
      expect(await remove(other, 't')).toEqual({ found: false, more: false })
      expect(await r.read('conversation', { threadId: 't' })).toMatchObject({ events: 1 })
      expect(await remove(r, 'none')).toEqual({ found: false, more: false })
    })

    test('is removed by the sweep of every minute, where whoever deleted it died', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      await append(r, 't', { events: [newEvent({}, { payload: JSON.stringify({ secret }) }), ...many(5)] })
      await remove(r, 't', 1)
      expect(await r.dump()).toContain(secret)
      await r.apply({ kind: 'sweep', at: now, messagesBefore: 0 })
      expect(await r.dump()).not.toContain(secret)
    })

    test('makes room for one that is told while it goes', async () => {
      const r = await room()
      await append(r, 'a', { events: many(10) })
      const told = Array.from({ length: 10 }, (_, i) => append(r, 'b', { events: [newEvent({}, { eventId: `${i}` })] }))
      const steps = Array.from({ length: 10 }, () => remove(r, 'a', 1))
      await Promise.all([...told, ...steps])
      expect((await eventsOf(r, 'b')).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(await r.read('conversation', { threadId: 'a' })).toBe('deleted')
    })
  })

  describe('conversations that are old', () => {
    test('go in bounded steps, the oldest first, and may be told again', async () => {
      const r = await room()
      for (let i = 0; i < 4; i++)
        await append(r, `t${i}`, {
          events: [newEvent({}, { at: now + i }), newEvent({}, { at: now - 99 })],
          at: now + 9,
        })
      const expire = (limit: number) => r.apply({ kind: 'expireConversations', before: now + 3, at: now + 10, limit })
      expect(await expire(2)).toEqual({ deleted: 2, more: true })
      expect(await r.read('conversation', { threadId: 't1' })).toBeNull()
      expect(await r.read('conversation', { threadId: 't2' })).toMatchObject({ events: 2 })
      expect(await expire(100)).toEqual({ deleted: 1, more: false })
      expect(await expire(100)).toEqual({ deleted: 0, more: false })
      expect(await r.read('conversation', { threadId: 't3' })).toMatchObject({ events: 2 })
      expect((await kinds(r)).filter((kind) => kind === 'conversation_deleted')).toHaveLength(3)
      expect(await append(r, 't0')).toMatchObject({ created: true, first: 1 })
      expect((await eventsOf(r, 't0')).map(({ seq }) => seq)).toEqual([1])
    })
  })

  describe('the conversations of a user who is erased', () => {
    test('go with the traces, step by step, and cannot be told again', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      await r.ingest([newTrace({ userId: secret })])
      for (let i = 0; i < 5; i++)
        await append(r, `t${i}`, { userId: secret, events: [newEvent({ title: secret }), ...many(3)] })
      await append(r, 'of another', { userId: 'bob' })
      const erase = () => r.apply({ kind: 'eraseUser', userId: secret, at: now, limit: 2 })
      let deleted = 0
      for (let more = true; more; ) {
        const step = await erase()
        deleted += step.deleted
        more = step.more
      }
      expect(deleted).toBe(6)
      expect(await r.dump()).not.toContain(secret)
      expect(await append(r, 't3')).toEqual({ result: 'deleted' })
      expect(await r.read('conversation', { threadId: 'of another' })).toMatchObject({ events: 1 })
    })

    test('go with their replays and the replays of those, in which the same words stand', async () => {
      const r = await room()
      await append(r, 'said', { userId: 'ann' })
      await append(r, 'again', { userId: 'target', replayOf: 'said' })
      await append(r, 'and again', { userId: 'target', replayOf: 'again' })
      await append(r, 'other', { userId: 'target', replayOf: 'another' })
      expect(await eraseAll(r, 'ann')).toEqual([3])
      for (const threadId of ['said', 'again', 'and again'])
        expect(await r.read('conversation', { threadId })).toBe('deleted')
      expect(await r.read('conversation', { threadId: 'other' })).toMatchObject({ events: 1 })
    })

    test('go with replays of those that are gone: deleted, or taken by retention', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      const words = [newEvent({ title: secret }, { payload: JSON.stringify({ secret }) })]
      await append(r, 'deleted', { userId: secret })
      await append(r, 'of the deleted', { userId: 'target', replayOf: 'deleted', events: words })
      await remove(r, 'deleted')
      await append(r, 'old', { userId: secret, events: [newEvent({}, { at: now - 9 })] })
      await append(r, 'of the old', { userId: 'target', replayOf: 'old', events: words })
      await append(r, 'of that again', { userId: 'target', replayOf: 'of the old', events: words })
      await r.apply({ kind: 'expireConversations', before: now, at: now, limit: 100 })
      await remove(r, 'of the old')
      expect(await eraseAll(r, secret)).toEqual([2])
      expect(await r.dump()).not.toContain(secret)
      for (const threadId of ['of the deleted', 'of that again'])
        expect(await r.read('conversation', { threadId })).toBe('deleted')
    })

    test('leave a replay of somebody else, whose id retention freed and they took', async () => {
      const r = await room()
      await append(r, 't', { userId: 'bob', events: [newEvent({}, { at: now - 9 })] })
      await append(r, 'again', { userId: 'target', replayOf: 't' })
      await r.apply({ kind: 'expireConversations', before: now, at: now, limit: 100 })
      await append(r, 't', { userId: 'carl' })
      expect(await eraseAll(r, 'carl')).toEqual([1])
      expect(await find(r, 'again')).toMatchObject({ wordsOf: 'bob' })
      expect(await eraseAll(r, 'bob')).toEqual([1])
      expect(await r.read('conversation', { threadId: 'again' })).toBe('deleted')
    })

    test('leave what they said again of somebody else to others, but take their own replays', async () => {
      const r = await room()
      await append(r, 't', { userId: 'bob' })
      await append(r, 'by carl', { userId: 'carl', replayOf: 't' })
      await append(r, 'again', { userId: 'target', replayOf: 'by carl' })
      expect(await eraseAll(r, 'carl')).toEqual([1])
      expect(await find(r, 'again')).toMatchObject({ wordsOf: 'bob', replayOf: 'by carl' })
    })

    test('go with a replay that was told before them', async () => {
      const r = await room()
      await append(r, 'and again', { userId: 'target', replayOf: 'again' })
      await append(r, 'again', { userId: 'target', replayOf: 'said' })
      await append(r, 'said', { userId: 'ann' })
      await append(r, 'itself', { userId: 'ann', replayOf: 'itself' })
      expect(await find(r, 'and again')).toMatchObject({ wordsOf: null })
      const steps = await eraseAll(r, 'ann')
      expect(steps.reduce((sum, step) => sum + step)).toBe(4)
      for (const threadId of ['said', 'again', 'and again', 'itself'])
        expect(await r.read('conversation', { threadId })).toBe('deleted')
    })

    test('go with the replays of which whoever makes them says whose words they are', async () => {
      const r = await room()
      await append(r, 'again', { userId: 'target', replayOf: 'gone', wordsOf: 'ann' })
      await append(r, 'again', { userId: 'target', replayOf: 'gone', wordsOf: 'bob' })
      expect(await find(r, 'again')).toMatchObject({ wordsOf: 'ann', events: 2 })
      expect(await eraseAll(r, 'bob')).toEqual([0])
      expect(await eraseAll(r, 'ann')).toEqual([1])
    })

    test.each([
      { replays: 1, steps: [2] },
      { replays: 2, steps: [3, 0] },
      { replays: 3, steps: [3, 1] },
      { replays: 9, steps: [3, 3, 3, 1] },
    ])('go in steps of no more than was said: with $replays replays in steps of $steps', async ({ replays, steps }) => {
      const r = await room()
      await append(r, 'said', { userId: 'ann' })
      for (let i = 0; i < replays; i++) await append(r, `again-${i}`, { userId: 'target', replayOf: 'said' })
      expect(await eraseAll(r, 'ann', 3)).toEqual(steps)
      const asked = { filter: {}, limit: 99, cursor: null, silentBefore: 0 }
      expect(await r.read('conversations', asked)).toMatchObject({ items: [] })
    })

    test('go in bounded steps with replays that were told before them, of which none is left', async () => {
      const r = await room()
      for (let i = 0; i < 7; i++) await append(r, `again-${i}`, { userId: 'target', replayOf: 'said' })
      await append(r, 'said', { userId: 'ann' })
      const steps = await eraseAll(r, 'ann', 3)
      expect(Math.max(...steps)).toBeLessThanOrEqual(3)
      expect(steps.reduce((sum, step) => sum + step)).toBe(8)
    })
  })

  describe('what was told of a conversation', () => {
    test('is there when the store is opened again, and goes on', async () => {
      await using own = await open()
      const first = await makeRoom(own)
      await append(first, 't', { events: [newEvent({ title: 'a' }, { eventId: 'e' }), newEvent()] })
      await append(first, 'gone')
      await remove(first, 'gone')
      const before = await find(first, 't')
      await own.reopen()
      const r = new Room(own, first.project)
      expect(await find(r, 't')).toEqual(before)
      expect(await append(r, 't', { events: [newEvent({}, { eventId: 'e' }), newEvent()] })).toMatchObject({
        first: 3,
        last: 3,
        duplicates: 1,
      })
      expect(await append(r, 'gone')).toEqual({ result: 'deleted' })
      expect((await eventsOf(r, 't')).map(({ seq }) => seq)).toEqual([1, 2, 3])
    })
  })
}
