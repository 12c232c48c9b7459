import { describe, expect, test } from 'vitest'
import { append, eventsOf, find } from './conversations.contract.ts'
import { now, type Room } from './room.contract.ts'

async function placeOf(r: Room, threadId: string): Promise<number> {
  const found = await r.read('conversation', { threadId })
  return found === null || found === 'deleted' ? 0 : found.events
}

/** The right to ask the agents of threads, which one server has at a time. */
export function conversationHoldsContract(room: () => Promise<Room>): void {
  describe('the right to ask the agent of a conversation', () => {
    test("is one server's at a time, until it lets go or is not heard of any more", async () => {
      const r = await room()
      const take = async (owner: string, at: number) =>
        append(r, 't', { at, hold: { kind: 'take', owner, until: at + 10, last: await placeOf(r, 't') } })
      const ok = { result: 'ok' }
      expect(await take('one', now)).toMatchObject(ok)
      expect(await take('other', now + 9)).toEqual({ result: 'held' })
      expect(await find(r, 't')).toMatchObject({ events: 1 })
      expect(await take('one', now + 1)).toMatchObject(ok)
      // What others tell changes nothing.
      expect(await append(r, 't', { at: now + 2 })).toMatchObject(ok)
      expect(await take('other', now + 10)).toEqual({ result: 'held' })
      expect(await take('other', now + 11)).toMatchObject(ok)
      expect(await take('one', now + 12)).toEqual({ result: 'held' })
      const keep = (owner: string, until: number) =>
        r.apply({ kind: 'holdConversations', threadIds: ['t', 'none'], owner, until })
      expect(await keep('one', now + 99)).toEqual({ held: [] })
      expect(await keep('other', now + 30)).toEqual({ held: ['t'] })
      expect(await take('one', now + 29)).toEqual({ result: 'held' })
      expect(await append(r, 't', { at: now + 29, hold: { kind: 'release', owner: 'other' } })).toMatchObject(ok)
      expect(await take('one', now + 29)).toMatchObject(ok)
    })

    test('is kept with what is stored of a request, and nothing of a request is stored once another server took it', async () => {
      const r = await room()
      const keep = (owner: string, at: number) => append(r, 't', { at, hold: { kind: 'keep', owner, until: at + 10 } })
      const take = async (owner: string, at: number) =>
        append(r, 't', { at, hold: { kind: 'take', owner, until: at + 10, last: await placeOf(r, 't') } })
      const release = (owner: string) => append(r, 't', { at: now, hold: { kind: 'release', owner } })
      expect(await keep('one', now)).toEqual({ result: 'held' })
      expect(await r.read('conversation', { threadId: 't' })).toBeNull()
      await take('one', now)
      expect(await keep('one', now + 5)).toMatchObject({ result: 'ok', last: 2 })
      expect(await take('other', now + 14)).toEqual({ result: 'held' })
      // Nobody took it in the meantime.
      expect(await keep('one', now + 40)).toMatchObject({ result: 'ok', last: 3 })
      expect(await take('other', now + 50)).toMatchObject({ result: 'ok', last: 4 })
      expect(await keep('one', now + 51)).toEqual({ result: 'held' })
      expect(await release('one')).toEqual({ result: 'held' })
      expect(await release('other')).toMatchObject({ result: 'ok', last: 5 })
      // Others may have it once more: what the first one knows of the thread is not all of it.
      expect(await keep('one', now + 52)).toEqual({ result: 'held' })
      expect(await eventsOf(r, 't')).toHaveLength(5)
    })

    test('is taken by those who have read all of it', async () => {
      const r = await room()
      const take = (last: number) => append(r, 't', { hold: { kind: 'take', owner: 'one', until: now + 10, last } })
      expect(await take(1)).toEqual({ result: 'stale' })
      expect(await r.read('conversation', { threadId: 't' })).toBeNull()
      expect(await take(0)).toMatchObject({ result: 'ok', last: 1 })
      await append(r, 't')
      expect(await take(1)).toEqual({ result: 'stale' })
      expect(await take(3)).toEqual({ result: 'stale' })
      expect(await take(2)).toMatchObject({ result: 'ok', first: 3 })
    })

    test('is begun by one of many servers that take it at once', async () => {
      const r = await room()
      await append(r, 'known')
      for (const threadId of ['new', 'known']) {
        const last = await placeOf(r, threadId)
        const all = Array.from({ length: 8 }, (_, i) =>
          append(r, threadId, { hold: { kind: 'take', owner: `server-${i}`, until: now + 10, last } }),
        )
        const results = (await Promise.all(all)).map(({ result }) => result)
        expect(results.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'held'), 'ok'])
      }
    })
  })
}
