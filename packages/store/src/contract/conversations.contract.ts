import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type {
  ConversationFilter,
  ConversationHold,
  ConversationOrigin,
  ConversationQueries,
  NewConversationEvent,
} from '../conversations.ts'
import { now, type Room } from './room.contract.ts'

type ConversationPage = ConversationQueries['conversations']['out']
type Adds = NewConversationEvent['adds']

const nothing: Adds = {
  turn: null,
  toolCalls: 0,
  tokens: null,
  thinking: null,
  agent: null,
  model: null,
  turning: null,
  error: null,
  title: null,
}

/** An event that adds what is said. */
export function newEvent(
  adds: Partial<Adds> = {},
  fields: Partial<Omit<NewConversationEvent, 'adds'>> = {},
): NewConversationEvent {
  const payload = '{"text":"hi"}'
  return {
    at: now,
    kind: 'user_message',
    runId: null,
    invocationId: null,
    eventId: null,
    payload,
    adds: { ...nothing, ...adds },
    ...fields,
  }
}

/** Adds events to a thread. */
export function append(
  r: Room,
  threadId: string,
  {
    events = [newEvent()],
    at = now,
    hold,
    ...origin
  }: Partial<ConversationOrigin> & { events?: NewConversationEvent[]; at?: number; hold?: ConversationHold } = {},
) {
  const whole = { threadId, target: null, appName: 'app', userId: 'user', replayOf: null, ...origin }
  return r.apply({ kind: 'appendConversation', origin: whole, events, at, hold })
}

export async function find(r: Room, threadId: string) {
  const found = await r.read('conversation', { threadId })
  if (found === null || found === 'deleted') throw new Error(`there is no thread ${threadId}: ${found}`)
  return found
}

const everything = { after: 0, limit: 1_000_000, bytes: Number.MAX_SAFE_INTEGER }

export async function eventsOf(r: Room, threadId: string) {
  return (await r.read('conversationEvents', { ref: (await find(r, threadId)).ref, ...everything })).events
}

const tokens = { input: 10, output: 5, thoughts: null, cached: 0, total: 15 }

/** What is recorded of conversations. */
export function conversationsContract(room: () => Promise<Room>): void {
  describe('a conversation', () => {
    test('begins with its first events, in its own project', async () => {
      const [r, other] = [await room(), await room()]
      const origin = { target: 'demo', appName: 'guide', userId: 'ann', replayOf: 'earlier' }
      const events = [
        newEvent({ turn: { key: 'r1' }, title: 'Weather?' }, { at: now - 9_000, runId: 'r1', eventId: 'e1' }),
        newEvent({ agent: 'root', model: 'gemini', tokens, toolCalls: 2 }, { kind: 'adk_event', invocationId: 'e-1' }),
      ]
      expect(await append(r, 't', { ...origin, events })).toEqual({
        result: 'ok',
        created: true,
        first: 1,
        last: 2,
        duplicates: 0,
      })
      const { ref, ...stored } = await find(r, 't')
      expect(stored).toEqual({
        threadId: 't',
        ...origin,
        wordsOf: null,
        title: 'Weather?',
        state: 'finished',
        error: null,
        startedAt: now - 9_000,
        updatedAt: now,
        heardAt: now,
        events: 2,
        bytes: 26,
        turns: 1,
        toolCalls: 2,
        tokens,
        agents: ['root'],
        models: ['gemini'],
      })
      const told = { at: now, payload: '{"text":"hi"}', eventId: null, runId: null, invocationId: null }
      expect(await eventsOf(r, 't')).toEqual([
        { ...told, seq: 1, at: now - 9_000, kind: 'user_message', runId: 'r1', eventId: 'e1' },
        { ...told, seq: 2, kind: 'adk_event', invocationId: 'e-1' },
      ])
      expect(await other.read('conversation', { threadId: 't' })).toBeNull()
      expect(await other.read('conversationEvents', { ref, ...everything })).toEqual({ events: [], more: false })
      expect(await append(other, 't')).toMatchObject({ created: true, first: 1, last: 1 })
    })

    test('goes on after what is there, and what it is of stays as it was first told', async () => {
      const r = await room()
      await append(r, 't', { userId: 'ann', events: [newEvent({ title: 'first', tokens })] })
      const later = newEvent({ title: 'second', tokens: { ...tokens, thoughts: 7 }, agent: 'b' }, { at: now + 5 })
      expect(await append(r, 't', { userId: 'bob', target: 'x', events: [later], at: now + 5 })).toEqual({
        result: 'ok',
        created: false,
        first: 2,
        last: 2,
        duplicates: 0,
      })
      expect(await find(r, 't')).toMatchObject({
        userId: 'ann',
        target: null,
        title: 'first',
        events: 2,
        updatedAt: now + 5,
        tokens: { input: 20, output: 10, thoughts: 7, cached: 0, total: 30 },
        agents: ['b'],
      })
    })

    test('holds an event id once, in one request and over many', async () => {
      const r = await room()
      const [a, b] = [newEvent({}, { eventId: 'a' }), newEvent({}, { eventId: 'b' })]
      expect(await append(r, 't', { events: [a, a, newEvent()] })).toMatchObject({ first: 1, last: 2, duplicates: 1 })
      expect(await append(r, 't', { events: [b, a] })).toMatchObject({ first: 3, last: 3, duplicates: 1 })
      expect(await append(r, 't', { events: [a, b] })).toEqual({
        result: 'ok',
        created: false,
        first: null,
        last: 3,
        duplicates: 2,
      })
      expect((await r.journal()).map(({ data }) => data)).toMatchObject([
        { lastSeq: 2, count: 2 },
        { lastSeq: 3, count: 1 },
      ])
      expect(await append(r, 'u', { events: [a] })).toMatchObject({ first: 1, duplicates: 0 })
    })

    test('holds an id once in each request to the agent, as some agents count their events anew', async () => {
      const r = await room()
      const said = (runId: string | null) => newEvent({}, { kind: 'adk_event', eventId: 'e1', runId })
      expect(await append(r, 't', { events: [said('r1')] })).toMatchObject({ last: 1, duplicates: 0 })
      expect(await append(r, 't', { events: [said('r2'), said('r2')] })).toMatchObject({ last: 2, duplicates: 1 })
      expect(await append(r, 't', { events: [said('r1'), said('r2'), said(null)] })).toMatchObject({
        last: 2,
        duplicates: 3,
      })
      expect(await append(r, 't', { events: [said('r3')] })).toMatchObject({ first: 3, last: 3, duplicates: 0 })
      const again = { ...said('r4'), kind: 'user_message' as const }
      expect(await append(r, 't', { events: [again] })).toMatchObject({ last: 3, duplicates: 1 })
    })

    test('has places without gaps, whoever tells at once', async () => {
      const r = await room()
      const tell = async (writer: number) => {
        const places: number[] = []
        for (let i = 0; i < 5; i++) {
          const events = Array.from({ length: 3 }, (_, n) => newEvent({}, { eventId: `${writer}.${i}.${n}` }))
          const told = await append(r, 't', { events })
          if (told.result !== 'ok' || told.first === null) throw new Error('it was not stored')
          places.push(told.first, told.first + 1, told.first + 2)
        }
        return places
      }
      const places = (await Promise.all(Array.from({ length: 8 }, (_, writer) => tell(writer)))).flat()
      const all = Array.from({ length: 120 }, (_, i) => i + 1)
      expect(places.toSorted((a, b) => a - b)).toEqual(all)
      expect((await eventsOf(r, 't')).map(({ seq }) => seq)).toEqual(all)
      const told = (await r.journal()).flatMap((event) => (event.kind === 'conversation_changed' ? [event.data] : []))
      expect(told.map(({ lastSeq }) => lastSeq)).toEqual(told.map((_, i) => 3 * (i + 1)))
    })

    test('of many that tell the same at once, one does', async () => {
      const r = await room()
      const events = [newEvent({}, { eventId: 'a' })]
      const all = await Promise.all(Array.from({ length: 8 }, () => append(r, 't', { events })))
      expect(all.map((told) => (told.result === 'ok' ? told.duplicates : -1)).toSorted((a, b) => a - b)).toEqual([
        0, 1, 1, 1, 1, 1, 1, 1,
      ])
      expect((await find(r, 't')).events).toBe(1)
    })

    test('keeps texts as they are: NUL, half characters, keys like __proto__, and many', async () => {
      const r = await room()
      const texts = [
        '{"a":"\\u0000\\ud800"}',
        '{"__proto__":{"x":1}}',
        `{"n":12345678901234567890,"t":"${'é😀'.repeat(50_000)}"}`,
      ]
      await append(r, 't', { events: texts.map((payload) => newEvent({ title: 'a\0\ud800' }, { payload })) })
      expect((await eventsOf(r, 't')).map(({ payload }) => payload)).toEqual(texts)
      expect((await find(r, 't')).title).toBe('a\ufffd\ufffd')
    })

    test('knows again what has an odd id', async () => {
      const r = await room()
      const ids = { eventId: 'e\0\ud800', runId: 'r\0', invocationId: '\udfff' }
      const events = [newEvent({ turn: { key: 'r\0' }, turning: { kind: 'begins' } }, ids)]
      expect(await append(r, 't', { events })).toMatchObject({ first: 1, duplicates: 0 })
      expect(await append(r, 't', { events })).toMatchObject({ first: null, duplicates: 1 })
      expect(await eventsOf(r, 't')).toMatchObject([
        { eventId: 'e\ufffd\ufffd', runId: 'r\ufffd', invocationId: '\ufffd' },
      ])
      const end = newEvent({ turning: { kind: 'ends', state: 'finished' }, turn: { key: 'r\0' } }, { runId: 'r\0' })
      await append(r, 't', { events: [end] })
      expect(await find(r, 't')).toMatchObject({ state: 'finished', turns: 1 })
    })

    test('is told in the journal by numbers only, and named as long as it is there', async () => {
      const r = await room()
      const secret = `secret-${randomUUID()}`
      await append(r, secret, { events: [newEvent({ turning: { kind: 'begins' }, title: secret })] })
      const { ref } = await find(r, secret)
      const data = { conversation: ref, lastSeq: 1, count: 1, state: 'running' }
      expect(await r.journal()).toMatchObject([{ kind: 'conversation_changed', data, thread: secret }])
      expect(await r.read('facts', { after: 0, limit: 9 })).toMatchObject([{ data, thread: null }])
      await r.apply({ kind: 'deleteConversation', threadId: secret, at: now, limit: 10 })
      expect(await r.journal()).toMatchObject([
        { kind: 'conversation_changed', data, thread: null },
        { kind: 'conversation_deleted', data: { ...data, count: 0 } },
      ])
      expect(await r.dump()).not.toContain(secret)
    })
  })

  describe('the numbers of a conversation', () => {
    const stateAfter = async (...events: NewConversationEvent[]) => {
      const r = await room()
      await append(r, 't', { events })
      const { state, error } = await find(r, 't')
      return [state, error]
    }
    const begins = (runId: string) => newEvent({ turning: { kind: 'begins' } }, { runId })
    const ends = (runId: string, state: 'finished' | 'failed', error: string | null = null) =>
      newEvent({ turning: { kind: 'ends', state }, error }, { runId })
    const tells = (state: 'running' | 'finished') => newEvent({ turning: { kind: 'tells', state } })

    test('say what it does: what its newest request does, and else what was told last', async () => {
      expect(await stateAfter(begins('r1'), tells('finished'))).toEqual(['running', null])
      expect(await stateAfter(begins('r1'), ends('r1', 'failed', 'no'))).toEqual(['failed', 'no'])
      expect(await stateAfter(begins('r1'), ends('r1', 'failed', 'no'), begins('r2'))).toEqual(['running', null])
      expect(await stateAfter(begins('r1'), begins('r2'), ends('r1', 'failed'))).toEqual(['running', null])
      expect(await stateAfter(tells('running'))).toEqual(['running', null])
      expect(await stateAfter(tells('running'), tells('finished'))).toEqual(['finished', null])
      expect(await stateAfter(begins('r1'), ends('r1', 'finished'), tells('running'))).toEqual(['running', null])
    })

    test('count a turn of which is told twice once', async () => {
      const r = await room()
      const keys = ['r1', 'r1', 'r2', null, null, 'r2']
      await append(r, 't', { events: keys.map((key) => newEvent({ turn: { key } })) })
      expect((await find(r, 't')).turns).toBe(4)
      const unnamed = newEvent({ turn: { key: null } })
      await append(r, 'u', { events: [unnamed, unnamed, newEvent(), unnamed] })
      await append(r, 'u', { events: [unnamed] })
      expect((await find(r, 'u')).turns).toBe(2)
    })

    test('leave unknown what nobody told, and keep a bounded number of names', async () => {
      const r = await room()
      await append(r, 't')
      expect((await find(r, 't')).tokens).toEqual({
        input: null,
        output: null,
        thoughts: null,
        cached: null,
        total: null,
      })
      const events = Array.from({ length: 101 }, (_, i) => newEvent({ agent: `a${i}`, model: `m${i % 100}` }))
      await append(r, 't', { events })
      const { agents, models } = await find(r, 't')
      expect([agents.length, models.length, agents[0], agents.at(-1)]).toEqual([100, 100, 'a0', 'a99'])
    })

    test('take a time that lies ahead for now', async () => {
      const r = await room()
      await append(r, 't', { events: [newEvent({}, { at: now + 1_000_000 })] })
      expect(await find(r, 't')).toMatchObject({ startedAt: now, updatedAt: now, heardAt: now })
      await append(r, 't', { events: [newEvent({}, { at: now - 50 })], at: now + 10 })
      expect(await find(r, 't')).toMatchObject({ startedAt: now - 50, updatedAt: now, heardAt: now + 10 })
    })

    test('tell of thoughts, the newest in their order', async () => {
      const r = await room()
      const thought = (thoughts: number | null) => newEvent({ thinking: { thoughts, total: 9, model: 'm' } })
      await append(r, 't', { events: [thought(1), newEvent(), thought(null), thought(3)] })
      const { ref } = await find(r, 't')
      const told = async (limit: number) =>
        (await r.read('conversationThinking', { ref, limit })).map(({ thoughts }) => thoughts)
      expect(await told(9)).toEqual([1, null, 3])
      expect(await told(2)).toEqual([null, 3])
      expect((await r.read('conversationThinking', { ref, limit: 1 }))[0]).toEqual({
        thoughts: 3,
        total: 9,
        model: 'm',
      })
      const other = await room()
      expect(await other.read('conversationThinking', { ref, limit: 9 })).toEqual([])
    })
  })

  describe('the events of a conversation', () => {
    test('come in pages that are bounded in rows and bytes, one at least', async () => {
      const r = await room()
      const payload = (size: number) => `{"t":"${'x'.repeat(size - 8)}"}`
      await append(r, 't', { events: [100, 100, 5_000, 100].map((size) => newEvent({}, { payload: payload(size) })) })
      const { ref } = await find(r, 't')
      const page = async (after: number, limit: number, bytes: number) => {
        const { events, more } = await r.read('conversationEvents', { ref, after, limit, bytes })
        return [events.map(({ seq }) => seq), more]
      }
      expect(await page(0, 10, 1e6)).toEqual([[1, 2, 3, 4], false])
      expect(await page(0, 4, 1e6)).toEqual([[1, 2, 3, 4], false])
      expect(await page(0, 3, 1e6)).toEqual([[1, 2, 3], true])
      expect(await page(0, 10, 200)).toEqual([[1, 2], true])
      expect(await page(0, 10, 199)).toEqual([[1], true])
      expect(await page(2, 10, 1)).toEqual([[3], true])
      expect(await page(3, 10, 1)).toEqual([[4], false])
      expect(await page(4, 10, 1e6)).toEqual([[], false])
    })
  })

  describe('conversations', () => {
    const list = async (
      r: Room,
      filter: ConversationFilter = {},
      paging: { limit?: number; silentBefore?: number } = {},
    ) => {
      const { limit = 2, silentBefore = 0 } = paging
      const ids: string[] = []
      let cursor: string | null = null
      do {
        const page: ConversationPage = await r.read('conversations', { filter, limit, cursor, silentBefore })
        if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
        expect(page.items.length).toBeLessThanOrEqual(limit)
        ids.push(...page.items.map(({ threadId }) => threadId))
        cursor = page.nextCursor
      } while (cursor !== null)
      return ids
    }

    test('come with the one first in which something happened last, filtered and page by page', async () => {
      const [r, other] = [await room(), await room()]
      const at = (ms: number) => [newEvent({ title: `Über ${ms}% of it_` }, { at: now - ms })]
      await append(r, 'c', { events: at(3), userId: 'ann', target: 'x' })
      await append(r, 'a', { events: at(1), userId: 'ann', target: 'y' })
      await append(r, 'b', { events: at(2), userId: 'bob', target: 'x', appName: 'other' })
      await append(r, 'd', { events: at(2) })
      await append(other, 'z')
      expect(await list(r)).toEqual(['a', 'd', 'b', 'c'])
      expect(await list(r, {}, { limit: 4 })).toEqual(['a', 'd', 'b', 'c'])
      expect(await list(r, { userId: 'ann' }, { limit: 1 })).toEqual(['a', 'c'])
      expect(await list(r, { target: 'x' })).toEqual(['b', 'c'])
      expect(await list(r, { target: 'x', userId: 'ann' })).toEqual(['c'])
      expect(await list(r, { appName: 'other' })).toEqual(['b'])
      expect(await list(r, { q: 'üBER 2% OF IT_' })).toEqual(['d', 'b'])
      expect(await list(r, { q: '2_' })).toEqual([])
      await append(r, 'c', { events: [newEvent({}, { at: now + 1 })], at: now + 1 })
      expect(await list(r)).toEqual(['c', 'a', 'd', 'b'])
    })

    test('that run and are silent are listed as truncated', async () => {
      const r = await room()
      const state = (kind: 'begins' | 'ends') =>
        newEvent({ turning: kind === 'begins' ? { kind } : { kind, state: 'truncated' } })
      await append(r, 'silent', { events: [state('begins')], at: now - 100 })
      await append(r, 'runs', { events: [state('begins')], at: now })
      await append(r, 'broken', { events: [state('ends')], at: now })
      await append(r, 'over')
      const silentBefore = now - 50
      expect(await list(r, { state: 'running' }, { silentBefore })).toEqual(['runs'])
      expect((await list(r, { state: 'truncated' }, { silentBefore })).toSorted()).toEqual(['broken', 'silent'])
      expect(await list(r, { state: 'finished' }, { silentBefore })).toEqual(['over'])
      expect(await list(r, { state: 'running' }, { silentBefore: now - 100 })).toEqual(['runs', 'silent'])
    })

    test.each(['', 'x', '1', '1.2.3', '-1.-1', 'NaN.1'])('refuse %j, which is no cursor', async (cursor) => {
      const r = await room()
      expect(await r.read('conversations', { filter: {}, limit: 1, cursor, silentBefore: 0 })).toEqual({
        invalidCursor: true,
      })
    })
  })
}
