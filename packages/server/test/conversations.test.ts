import { conversationDetail, conversationEventPage, conversationPage } from '@llm-eval/protocol/conversation-schemas'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { allSlices, firstKey, type Ground, noon, openShelf, type Shelf, startGround } from './ground.ts'

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  await shelf.clear()
  ground = await startGround({ shelf, slices: [...allSlices, registerConversations(createBridge())] })
})
afterEach(() => ground.close())

const base = '/api/v1/conversations'
const iso = (ms: number) => new Date(ms).toISOString()
let made = 0
const newThread = () => `thread-${++made}`

const tell = (thread: string, events: object[], more: object = {}) =>
  ground.send({ path: `${base}/${thread}/events`, body: { events, ...more } })
const user = (text: string, fields: object = {}) => ({ kind: 'user_message', payload: { text }, ...fields })
const assistant = (text: string, fields: object = {}) => ({ kind: 'assistant_message', payload: { text }, ...fields })
const read = async (path: string) => (await ground.send({ path })).json

describe('a conversation', () => {
  it('is told in events, and read back as it was told', async () => {
    const thread = newThread()
    const call = { id: 'c1', name: 'weather', args: { city: 'Rome', __proto__: null } }
    const told = await tell(
      thread,
      [
        user('How is the weather in Rome?', { at: iso(noon - 5_000), run_id: 'r1', event_id: 'm1' }),
        { kind: 'tool_call', payload: call },
        { kind: 'tool_result', payload: { id: 'c1', name: 'weather', result: { sky: 'clear' } } },
        assistant('Clear.', { event_id: 'm2' }),
      ],
      { app_name: 'guide', user_id: 'ann' },
    )
    expect([told.status, told.json]).toEqual([
      200,
      { thread_id: thread, stored: 4, duplicates: 0, first_seq: 1, last_seq: 4, warnings: [] },
    ])
    const detail = conversationDetail.parse(await read(`${base}/${thread}`))
    expect(detail).toMatchObject({
      thread_id: thread,
      app_name: 'guide',
      user_id: 'ann',
      title: 'How is the weather in Rome?',
      state: 'finished',
      started_at: iso(noon - 5_000),
      updated_at: iso(noon),
      events: 4,
      turns: 1,
      tool_calls: 1,
      tokens: { input: null, output: null, thoughts: null, cached: null, total: null },
      session_stats: { totalThinkingTokens: null, totalToolCalls: 1, durationSeconds: 5 },
      thinking: [],
    })
    const { items, next_after } = conversationEventPage.parse(await read(`${base}/${thread}/events`))
    expect(next_after).toBeNull()
    expect(items.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'user_message'],
      [2, 'tool_call'],
      [3, 'tool_result'],
      [4, 'assistant_message'],
    ])
    expect(items[0]).toEqual({
      seq: 1,
      at: iso(noon - 5_000),
      kind: 'user_message',
      run_id: 'r1',
      invocation_id: null,
      event_id: 'm1',
      payload: { id: null, text: 'How is the weather in Rome?', files: [], author: null },
    })
    const listed = conversationPage.parse(await read(`${base}?user_id=ann&q=ROME`))
    expect(listed.items.map(({ thread_id }) => thread_id)).toContain(thread)
  })

  it('holds what is sent again with the same id once', async () => {
    const thread = newThread()
    await tell(thread, [user('a', { event_id: '1' })])
    const again = await tell(thread, [user('a', { event_id: '1' }), assistant('b', { event_id: '2' })])
    expect(again.json).toMatchObject({ stored: 1, duplicates: 1, first_seq: 2, last_seq: 2 })
    expect((await read(`${base}/${thread}`)).events).toBe(2)
  })

  it('that was deleted cannot be told again, and is gone for whoever asks', async () => {
    const thread = newThread()
    await tell(thread, [user('a')])
    const gone = await ground.send({ method: 'DELETE', path: `${base}/${thread}` })
    expect([gone.status, gone.json]).toEqual([200, { deleted: 1 }])
    for (const sent of [
      await tell(thread, [user('a')]),
      await ground.send({ path: `${base}/${thread}` }),
      await ground.send({ path: `${base}/${thread}/events` }),
      await ground.send({ method: 'DELETE', path: `${base}/${thread}` }),
    ])
      expect([sent.status, sent.json.code]).toEqual([410, 'conversation_deleted'])
    const none = await ground.send({ path: `${base}/never` })
    expect([none.status, none.json.code]).toEqual([404, 'conversation_not_found'])
  })

  it('belongs to its project', async () => {
    const admin = await firstKey(ground)
    expect(admin).toBeTruthy()
  })
})
