import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '@llm-eval/protocol'
import { conversationDetail, conversationEventPage, conversationPage } from '@llm-eval/protocol/conversation-answers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { redactionSchema } from '../src/config/redaction.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { maintain } from '../src/maintenance.ts'
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

  it('has numbers that everybody can read, whatever agents claim to have used', async () => {
    const usage = { input: limits.countMax, output: null, thoughts: limits.countMax, cached: null, total: 0 }
    const claims = Array.from({ length: 1_000 }, () => assistant('x'.repeat(3), {})).map((event) => ({
      ...event,
      payload: { ...event.payload, usage },
    }))
    const thread = newThread()
    for (let sent = 0; sent < 10; sent++) expect((await tell(thread, claims)).status).toBe(200)
    const most = Number.MAX_SAFE_INTEGER
    const page = conversationPage.parse(await read(base))
    const told = page.items.find(({ thread_id }) => thread_id === thread)
    expect(told?.tokens).toEqual({ input: most, output: null, thoughts: most, cached: null, total: 0 })
    expect(conversationDetail.parse(await read(`${base}/${thread}`)).tokens).toEqual(told?.tokens)
  })

  it('has objects for results that are none, as ADK makes them (trap 10)', async () => {
    const thread = newThread()
    const results = [{ sky: 'clear' }, 'rain', 7, ['a'], null, '{"sky":"clear"}']
    const told = results.map((result, at) => ({ kind: 'tool_result', payload: { id: `c${at}`, result } }))
    expect((await tell(thread, told)).json).toMatchObject({ stored: results.length })
    const { items } = conversationEventPage.parse(await read(`${base}/${thread}/events`))
    expect(items.map(({ payload }) => payload['result'])).toEqual([
      { sky: 'clear' },
      ...results.slice(1).map((result) => ({ result })),
    ])
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

  it('is told by its ids at once, whoever asks for the next page of them', async () => {
    const owner = `owner-${newThread()}`
    const threads: string[] = []
    for (let i = 0; i < 5; i++) {
      ground.clock.now = noon + i * 1_000
      const thread = newThread()
      threads.unshift(thread)
      await tell(thread, [user(`Nr. ${i}`)], { user_id: owner, app_name: i === 0 ? 'other' : 'guide' })
    }
    const list = async (query: string) => conversationPage.parse(await read(`${base}?user_id=${owner}${query}`))
    const ids = (page: Awaited<ReturnType<typeof list>>) => page.items.map(({ thread_id }) => thread_id)
    const first = await list('&limit=2')
    expect(ids(first)).toEqual(threads.slice(0, 2))
    const second = await list(`&limit=2&cursor=${first.next_cursor}`)
    expect(ids(second)).toEqual(threads.slice(2, 4))
    const third = await list(`&limit=2&cursor=${second.next_cursor}`)
    expect([ids(third), third.next_cursor]).toEqual([threads.slice(4), null])
    expect(ids(await list('&app_name=other'))).toEqual(threads.slice(4))
    expect(ids(await list('&q=NR.%203'))).toEqual([threads[1]])
    expect(ids(await list('&target=none'))).toEqual([])
    expect(ids(await list('&state=running'))).toEqual(threads)
    for (const query of ['limit=201', 'limit=0', 'state=over', 'cursor=x', 'q=', 'order=name', `q=${'x'.repeat(201)}`])
      expect((await ground.send({ path: `${base}?${query}` })).status, query).toBe(400)
  })

  it('is read on from any place, in pages', async () => {
    const thread = newThread()
    await tell(
      thread,
      Array.from({ length: 5 }, (_, i) => assistant(`${i}`)),
    )
    const page = async (query: string) => {
      const { items, next_after } = conversationEventPage.parse(await read(`${base}/${thread}/events${query}`))
      return [items.map(({ seq }) => seq), next_after]
    }
    expect(await page('?limit=2')).toEqual([[1, 2], 2])
    expect(await page('?limit=2&after=2')).toEqual([[3, 4], 4])
    expect(await page('?limit=2&after=4')).toEqual([[5], null])
    expect(await page('?after=5')).toEqual([[], null])
    expect((await ground.send({ path: `${base}/${thread}/events?limit=1001` })).status).toBe(400)
  })

  it('is told in the words of ADK, which are kept in one form', async () => {
    const thread = newThread()
    const snake = {
      id: 'x1',
      invocation_id: 'e-1',
      author: 'root',
      timestamp: 1_737_979_200.5,
      content: { parts: [{ function_call: { name: 'f', args: { user_id: 1 } }, thought_signature: '-_8=' }] },
    }
    const told = await tell(thread, [{ kind: 'adk_event', payload: snake }])
    expect([told.status, told.json.warnings]).toEqual([200, []])
    const [event] = (await read(`${base}/${thread}/events`)).items
    expect(event).toMatchObject({
      at: '2025-01-27T12:00:00.500Z',
      invocation_id: 'e-1',
      payload: {
        invocationId: 'e-1',
        content: { parts: [{ functionCall: { name: 'f', args: { user_id: 1 } }, thoughtSignature: '-_8=' }] },
      },
    })
    const odd = await tell(thread, [{ kind: 'adk_event', payload: { ...snake, timestamp: undefined, unheard: 1 } }])
    expect(odd.json.warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^events\[0\]\.payload: .*timestamp/)]),
    )
  })

  it('is not led into a session of somebody else by who tells of it', async () => {
    const thread = newThread()
    const started = { kind: 'run_start', run_id: 'r1', payload: { target: 'demo', session_id: 'stolen' } }
    expect((await tell(thread, [started])).status).toBe(200)
    const [event] = (await read(`${base}/${thread}/events`)).items
    expect(event.payload).toEqual({ parent_run_id: null, target: 'demo', session_id: null })
  })

  it('that is old goes by the retention of traces, and its id may be used again', async () => {
    const thread = newThread()
    await tell(thread, [user('old')])
    const config = { ...ground.deps.config, retention_days: 30 }
    ground.clock.now = noon + 30 * 86_400_000
    await maintain({ ...ground.deps, config })
    expect((await ground.send({ path: `${base}/${thread}` })).status).toBe(200)
    ground.clock.now += 1
    await maintain({ ...ground.deps, config })
    expect((await ground.send({ path: `${base}/${thread}` })).status).toBe(404)
    expect((await tell(thread, [user('new')])).json).toMatchObject({ stored: 1, last_seq: 1 })
  })
})

describe('who may see and tell conversations', () => {
  it('belongs to the project, and needs the scope', async () => {
    const admin = await firstKey(ground)
    const keyOf = async (scopes: string[], project?: string) => {
      const body = { name: 'k', scopes, ...(project === undefined ? {} : { project }) }
      return (await ground.send({ path: '/api/v1/keys', body, key: admin })).json.key as string
    }
    const [reader, writer, teller] = [await keyOf(['read']), await keyOf(['write']), await keyOf(['ingest'])]
    const other = await keyOf(['read', 'write', 'ingest'], `other-${newThread()}`)
    const thread = newThread()
    const path = `${base}/${thread}`
    const body = { events: [user('hi')] }
    const status = async (sent: Parameters<Ground['send']>[0]) => (await ground.send(sent)).status
    expect(await status({ path: `${path}/events`, body })).toBe(401)
    expect(await status({ path: `${path}/events`, body, key: reader })).toBe(403)
    expect(await status({ path: `${path}/events`, body, key: writer })).toBe(403)
    expect(await status({ path: `${path}/events`, body, key: teller })).toBe(200)
    const reads = [path, `${path}/events`, `${path}/turns`, base, `/export/${thread}`]
    for (const one of reads) {
      expect(await status({ path: one }), one).toBe(401)
      expect(await status({ path: one, key: teller }), one).toBe(403)
      expect(await status({ path: one, key: reader }), one).toBe(200)
      // Of another project, there is no such conversation.
      expect(await status({ path: one, key: other }), one).toBe(one === base ? 200 : 404)
    }
    expect((await ground.send({ path: base, key: other })).json.items).toEqual([])
    expect(await status({ path: '/export', body: { thread_ids: [thread] }, key: other })).toBe(404)
    expect(await status({ path: '/export', body: { thread_ids: [thread] }, key: reader })).toBe(200)
    const acts = [`${path}/rows`, `${path}/replay`]
    for (const one of acts) expect(await status({ path: one, body: {}, key: reader }), one).toBe(403)
    expect(await status({ path: acts[1] ?? '', body: { target: 'none' }, key: other })).toBe(404)
    expect(await status({ path: `${path}/comparison?with=${thread}`, key: other })).toBe(404)
    expect(await status({ method: 'DELETE', path, key: other })).toBe(404)
    expect(await status({ method: 'DELETE', path, key: reader })).toBe(403)
    // The same thread id is another conversation there.
    expect((await ground.send({ path: `${path}/events`, body, key: other })).json).toMatchObject({ last_seq: 1 })
    expect(await status({ method: 'DELETE', path, key: writer })).toBe(200)
    expect(await status({ path, key: other })).toBe(200)
  })

  it('is limited as traces are: each event counts', async () => {
    await ground.close()
    const rate_limits = { traces_per_minute: 10, reads_per_minute: 0, streams_per_minute: 0 }
    const slices = [...allSlices, registerConversations(createBridge())]
    ground = await startGround({ shelf, slices, config: { rate_limits } })
    const key = await firstKey(ground)
    const send = (thread: string, events: object[]) =>
      ground.send({ path: `${base}/${thread}/events`, body: { events }, key })
    const events = (count: number) => Array.from({ length: count }, () => user('hi'))
    expect((await send(newThread(), events(8))).status).toBe(200)
    const thread = newThread()
    const refused = await send(thread, events(3))
    expect([refused.status, refused.json.code]).toEqual([429, 'rate_limited'])
    expect((await ground.send({ path: `${base}/${thread}`, key })).status).toBe(404)
    expect((await send(thread, events(2))).status).toBe(200)
    expect((await send(thread, [{ kind: 'nonsense' }])).status).toBe(429)
  })
})

describe('what makes no sense', () => {
  const faults = async (body: unknown) => {
    const { status, json } = await ground.send({ path: `${base}/${newThread()}/events`, body })
    return [status, json.errors?.[0]?.path ?? json.code]
  }
  const one = (event: object) => ({ events: [event] })
  const file = (data: string) => ({ kind: 'user_message', payload: { text: 'x', files: [{ mime_type: 'a/b', data }] } })

  it.each([
    [[], ''],
    [{}, 'events'],
    [{ events: [] }, 'events'],
    [{ events: [user('a')], thread: 'x' }, 'thread'],
    [one({ kind: 'message', payload: {} }), 'events[0].kind'],
    [one({ kind: 'user_message' }), 'events[0].payload'],
    [one({ kind: 'user_message', payload: { text: 5 } }), 'events[0].payload.text'],
    [one({ kind: 'user_message', payload: { text: 'x', role: 'user' } }), 'events[0].payload.role'],
    [one(file('not base64!')), 'events[0].payload.files[0].data'],
    [one(file('ab-_/+')), 'events[0].payload.files[0].data'],
    [one(file('a b')), 'events[0].payload.files[0].data'],
    [one({ ...user('x'), at: 'yesterday' }), 'events[0].at'],
    [one({ ...user('x'), at: '2025-02-30T00:00:00Z' }), 'events[0].at'],
    [one({ ...user('x'), event_id: 'a\0b' }), 'events[0].event_id'],
    [one({ ...user('x'), run_id: '\ud800' }), 'events[0].run_id'],
    [one({ ...user('x'), run_id: '' }), 'events[0].run_id'],
    [one({ ...user('x'), event_id: 'x'.repeat(201) }), 'events[0].event_id'],
    [one({ kind: 'tool_call', payload: { id: 'c', name: 'f', args: [] } }), 'events[0].payload.args'],
    [
      one({ kind: 'tool_call', payload: { id: 'c', name: 'f', thought_signature: '%%' } }),
      'events[0].payload.thought_signature',
    ],
    [one({ kind: 'tool_result', payload: { id: 'c' } }), 'events[0].payload.result'],
    [one({ kind: 'run_end', payload: { status: 'running' } }), 'events[0].payload.status'],
    [one({ kind: 'adk_event', payload: 5 }), 'events[0].payload'],
    [one({ kind: 'adk_event', payload: {} }), 'events[0].payload'],
    [one({ kind: 'agui_event', payload: {} }), 'events[0].payload.type'],
    [{ events: [user('a'), { kind: 'agui_event', payload: { type: '' } }] }, 'events[1].payload.type'],
    [{ events: [user('a')], user_id: '' }, 'user_id'],
  ])('is refused with where it is, and nothing is stored: %j', async (body, where) => {
    expect(await faults(body)).toEqual([422, where])
  })

  it('is refused where a thread could not be named again', async () => {
    const statusOf = async (thread: string) => (await tell(thread, [user('x')])).status
    expect(await statusOf('x'.repeat(200))).toBe(200)
    expect(await statusOf('x'.repeat(201))).toBe(400)
    expect(await statusOf('%00')).toBe(400)
    expect(await statusOf('%ff')).toBe(400)
    expect(await statusOf('a%2Fb%20%C3%A9')).toBe(200)
    expect((await read(`${base}/a%2Fb%20%C3%A9`)).thread_id).toBe('a/b é')
  })

  it(`is more than ${limits.requestConversationEvents} events in a request`, async () => {
    const events = (count: number) => ({ events: Array.from({ length: count }, () => user('x')) })
    expect(await faults(events(limits.requestConversationEvents + 1))).toEqual([422, 'events'])
    expect(
      (await ground.send({ path: `${base}/${newThread()}/events`, body: events(limits.requestConversationEvents) }))
        .json,
    ).toMatchObject({ stored: limits.requestConversationEvents })
  })

  it(`is an event of more than ${limits.conversationEventBytes} bytes; all of its request is refused`, async () => {
    const thread = newThread()
    const frame = Buffer.byteLength(JSON.stringify({ id: null, text: '', files: [], author: null }))
    const sized = (bytes: number) => user('é'.repeat((bytes - frame) >> 1) + 'x'.repeat((bytes - frame) % 2))
    const past = await tell(thread, [user('small'), sized(limits.conversationEventBytes + 1)])
    expect([past.status, past.json.errors]).toEqual([
      422,
      [{ path: 'events[1].payload', message: `may hold at most ${limits.conversationEventBytes} bytes` }],
    ])
    expect((await ground.send({ path: `${base}/${thread}` })).status).toBe(404)
    expect((await tell(thread, [sized(limits.conversationEventBytes)])).status).toBe(200)
    expect((await read(`${base}/${thread}/events`)).items[0].payload.text.length).toBeGreaterThan(2_000_000)
  })

  it(`is a body of more than ${limits.requestConversationBytes} bytes, or of any size without end`, async () => {
    const send = (bytes: number) =>
      ground.send({
        path: `${base}/${newThread()}/events`,
        headers: { 'content-type': 'application/json' },
        body: Buffer.alloc(bytes, ' '),
      })
    const past = await send(limits.requestConversationBytes + 1)
    expect([past.status, past.json.code]).toEqual([413, 'body_too_large'])
    expect((await send(100 * 1024 * 1024)).status).toBe(413)
    const atLimit = await send(limits.requestConversationBytes)
    expect([atLimit.status, atLimit.json.code]).toEqual([400, 'malformed_json'])
  })

  it('is JSON nested deeper than anybody writes', async () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    const send = (depth: number) =>
      ground.send({
        path: `${base}/${newThread()}/events`,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(`{"events":[{"kind":"tool_call","payload":{"id":"c","name":"f","args":${nested(depth)}}}]}`),
      })
    // Four levels stand around the arguments.
    expect((await send(limits.jsonDepth - 4)).status).toBe(200)
    expect((await send(limits.jsonDepth - 3)).json.code).toBe('too_deep')
    expect((await send(100_000)).json.code).toBe('too_deep')
  })

  it('becomes nothing else on its way: keys, NUL and half characters', async () => {
    const thread = newThread()
    const args = '{"__proto__":{"polluted":1},"constructor":{"prototype":{}},"nul":"\\u0000","half":"\\udfff"}'
    const told = await ground.send({
      path: `${base}/${thread}/events`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(`{"events":[{"kind":"tool_call","payload":{"id":"c","name":"f","args":${args}}}]}`),
    })
    expect(told.status, told.text).toBe(200)
    expect((await ground.send({ path: `${base}/${thread}/events` })).text).toContain(`"args":${args}`)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    await tell(thread, [user('a\0b\ud800')])
    expect((await read(`${base}/${thread}`)).title).toBe('a\ufffdb\ufffd')
    for (const path of [`${base}/${thread}/turns`, `/export/${thread}`, `/export/${thread}?format=trace`])
      expect((await ground.send({ path })).status, path).toBe(200)
  })
})

describe('what must not be kept', () => {
  it('is on no disk, and in no answer', async () => {
    await ground.close()
    const redact = redactionSchema.parse({ kinds: ['email'], paths: ['args.pin'] })
    const slices = [...allSlices, registerConversations(createBridge())]
    ground = await startGround({ shelf, slices, config: { redact } })
    const thread = newThread()
    const secret = `${newThread()}@example.com`
    await tell(thread, [
      user(`I am ${secret}`),
      { kind: 'tool_call', payload: { id: 'c', name: 'f', args: { pin: 'zz-0815-zz', mail: secret } } },
    ])
    expect((await read(`${base}/${thread}`)).title).toBe('I am [redacted:email]')
    const whole = [
      `${base}/${thread}/events`,
      `${base}/${thread}/turns`,
      `/export/${thread}`,
      `/export/${thread}?format=jsonl`,
    ]
    for (const path of whole) {
      const { text } = await ground.send({ path })
      expect(text).toContain('[redacted:email]')
      expect(text).not.toContain(secret)
    }
    const files = await readdir(shelf.directory)
    for (const name of files.filter((one) => /^llm-eval\.db(-wal)?$/.test(one))) {
      const bytes = await readFile(join(shelf.directory, name))
      expect(bytes.includes(secret), name).toBe(false)
      expect(bytes.includes('zz-0815-zz'), name).toBe(false)
    }
  })
})
