import { readEvalSet } from '@llm-eval/formats/adk'
import { caseName } from '@llm-eval/formats/conversation'
import { limits } from '@llm-eval/protocol'
import { conversationTurnPage, exportReport } from '@llm-eval/protocol/conversation-answers'
import { traceInput } from '@llm-eval/protocol/schemas'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { registerDatasets } from '../src/datasets/routes.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { allSlices, type Ground, noon, openShelf, type Shelf, startGround } from './ground.ts'

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  await shelf.clear()
  const slices = [...allSlices, registerTraces, registerDatasets, registerConversations(createBridge())]
  ground = await startGround({ shelf, slices })
})
afterEach(() => ground.close())

const base = '/api/v1/conversations'
let made = 0
const newThread = () => `exported-${++made}`
const seconds = noon / 1_000

const user = (text: string, run: string) => ({ kind: 'user_message', run_id: run, payload: { text } })
const starts = (run: string) => ({ kind: 'run_start', run_id: run, payload: {} })
const ends = (run: string, status = 'finished') => ({ kind: 'run_end', run_id: run, payload: { status } })
const adk = (run: string, parts: object[], fields: object = {}) => ({
  kind: 'adk_event',
  run_id: run,
  payload: {
    id: `${run}-${JSON.stringify(parts).length}`,
    invocation_id: `e-${run}`,
    author: 'root_agent',
    timestamp: seconds + 0.25,
    content: { role: 'model', parts },
    ...fields,
  },
})
/** A turn with a call, in the snake case of Agent Engine. */
const turn = (run: string, question: string, answer: string) => [
  starts(run),
  user(question, run),
  adk(run, [
    { function_call: { id: `adk-${run}`, name: 'find_nth_prime', args: { n: 10 } }, thought_signature: 'CrQC-_8=' },
  ]),
  adk(run, [{ function_response: { id: `adk-${run}`, name: 'find_nth_prime', response: { result: 29 } } }]),
  adk(run, [{ text: answer }], {
    usage_metadata: { prompt_token_count: 7, candidates_token_count: 2, total_token_count: 9 },
  }),
  ends(run),
]

async function record(events: object[], thread = newThread(), more: object = {}): Promise<string> {
  const told = await ground.send({ path: `${base}/${thread}/events`, body: { events, ...more } })
  expect(told.status, told.text).toBe(200)
  return thread
}
const get = (path: string) => ground.send({ path })

describe('GET /export/:thread_id', () => {
  it('is an eval set that ADK loads, named like its thread whenever it is asked for', async () => {
    const thread = await record(turn('r1', 'The tenth prime?', '29.'), newThread(), {
      app_name: 'agent1',
      user_id: 'ann',
    })
    const file = await get(`/export/${thread}`)
    expect(file.status, file.text).toBe(200)
    expect(file.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': `attachment; filename="${caseName(thread)}.evalset.json"`,
      'x-conversation-state': 'finished',
      'x-export-warnings': '0',
    })
    const read = readEvalSet(file.json)
    if ('fault' in read) throw new Error(read.fault)
    expect(file.json.eval_cases).toEqual([
      {
        eval_id: caseName(thread),
        conversation: [
          {
            invocation_id: 'e-r1',
            user_content: { parts: [{ text: 'The tenth prime?' }], role: 'user' },
            final_response: { parts: [{ text: '29.' }], role: 'model' },
            intermediate_data: {
              invocation_events: [
                {
                  author: 'root_agent',
                  content: {
                    parts: [
                      {
                        function_call: { id: 'adk-r1', args: { n: 10 }, name: 'find_nth_prime' },
                        thought_signature: 'CrQC-_8=',
                      },
                    ],
                    role: 'model',
                  },
                },
                {
                  author: 'root_agent',
                  content: {
                    parts: [{ function_response: { id: 'adk-r1', name: 'find_nth_prime', response: { result: 29 } } }],
                    role: 'model',
                  },
                },
              ],
            },
            creation_timestamp: seconds,
          },
        ],
        session_input: { app_name: 'agent1', user_id: 'ann' },
        creation_timestamp: seconds,
      },
    ])
    const head = await ground.send({ method: 'HEAD', path: `/export/${thread}` })
    expect([head.status, head.headers['content-disposition'], head.text]).toEqual([
      200,
      file.headers['content-disposition'],
      '',
    ])
  })

  it('holds tokens and models too for whom ADK knows them, and thoughts apart for who wants them so', async () => {
    const thought = [{ text: 'Easy.', thought: true }, { text: '29.' }]
    const fields = { usage_metadata: { prompt_token_count: 7, thoughts_token_count: 3 }, model_version: 'm-1' }
    const thread = await record([starts('r1'), user('The tenth prime?', 'r1'), adk('r1', thought, fields), ends('r1')])
    const plain = (await get(`/export/${thread}`)).json.eval_cases[0].conversation[0]
    expect(plain).toMatchObject({ final_response: { parts: [{ thought: true }, { text: '29.' }] } })
    expect(JSON.stringify(plain)).not.toContain('usage_metadata')
    const told = { author: 'root_agent', usage_metadata: fields.usage_metadata, model_version: 'm-1' }
    const single = (await get(`/export/${thread}?usage=true&thoughts=apart`)).json
    const body = { thread_ids: [thread], usage: true, thoughts: 'apart' }
    const several = (await ground.send({ path: '/export', body })).json
    for (const set of [single, several]) {
      const read = readEvalSet(set)
      expect('fault' in read ? read.fault : read.set.evalCases).toHaveLength(1)
      const turned = set.eval_cases[0].conversation[0]
      expect(turned.final_response.parts).toEqual([{ text: '29.' }])
      const content = { role: 'model', parts: [{ text: 'Easy.', thought: true }] }
      expect(turned.intermediate_data.invocation_events).toEqual([{ ...told, content }])
    }
    expect((await get(`/export/${thread}?usage=perhaps`)).status).toBe(400)
  })

  it('is in the other formats too', async () => {
    const thread = await record([...turn('r1', 'The tenth prime?', '29.'), ...turn('r2', 'Again?', 'Still 29.')])
    const bare = await get(`/export/${thread}?format=evalcase`)
    expect(bare.headers['content-disposition']).toContain('.evalcase.json')
    expect(bare.json).toMatchObject({ eval_id: caseName(thread), conversation: [{}, {}] })
    const legacy = (await get(`/export/${thread}?format=legacy`)).json
    expect(legacy.eval_cases[0].conversation[0].intermediate_data).toMatchObject({
      tool_uses: [{ name: 'find_nth_prime' }],
      tool_responses: [{ response: { result: 29 } }],
    })
    const trace = traceInput.parse((await get(`/export/${thread}?format=trace`)).json)
    expect(trace).toMatchObject({ trace_id: thread, tokens_used: 18, functions_called: [{}, {}] })
    const lines = await get(`/export/${thread}?format=jsonl`)
    expect(lines.headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    const { items } = (await get(`${base}/${thread}/events`)).json
    expect(
      lines.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(items)
    expect((await get(`/export/${thread}?format=pdf`)).status).toBe(400)
  })

  it('keeps every digit and key in the raw lines', async () => {
    const payload =
      '{"type":"CUSTOM","name":"x","value":{"__proto__":{"userId":1},"n":12345678901234567890,"t":"\\u0000\\ud800"}}'
    const thread = newThread()
    const told = await ground.send({
      path: `${base}/${thread}/events`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(`{"events":[{"kind":"agui_event","payload":${payload}}]}`),
    })
    expect(told.json).toMatchObject({ stored: 1, warnings: [expect.stringContaining('12345678901234567890')] })
    const line = (await get(`/export/${thread}?format=jsonl`)).text
    expect(line).toContain('"__proto__":{"userId":1}')
    expect(line).toContain('"n":"12345678901234567890"')
    expect(line).toContain('"t":"\\u0000\\ud800"')
  })

  it('is marked where its end is missing, and says what is missing', async () => {
    const thread = await record([
      starts('r1'),
      user('The tenth prime?', 'r1'),
      adk('r1', [{ text: '2' }], { partial: true }),
    ])
    const running = await get(`/export/${thread}`)
    expect([running.status, running.headers['x-conversation-state']]).toEqual([200, 'running'])
    ground.clock.now += limits.conversationSilenceSeconds * 1_000
    expect((await get(`${base}/${thread}`)).json.state).toBe('running')
    ground.clock.now += 1
    const file = await get(`/export/${thread}`)
    expect(file.headers['x-conversation-state']).toBe('truncated')
    expect((await get(`${base}/${thread}`)).json.state).toBe('truncated')
    expect((await get(`${base}?state=truncated&q=tenth`)).json.items.length).toBeGreaterThan(0)
    const { items } = conversationTurnPage.parse((await get(`${base}/${thread}/turns`)).json)
    expect(items).toMatchObject([{ state: 'truncated', steps: [{ kind: 'text', text: '2', partial: true }] }])
    expect(file.json.eval_cases[0].conversation).toHaveLength(1)
    const report = exportReport.parse((await get(`/export/${thread}?report=true`)).json)
    expect(report).toMatchObject({
      state: 'truncated',
      warnings: expect.arrayContaining([expect.stringContaining('r1')]),
    })
    expect(Number(file.headers['x-export-warnings'])).toBe(report.warnings.length)
    expect(JSON.parse(decodeURIComponent(String(file.headers['x-export-warning-list'])))).toEqual(report.warnings)
  })

  it('is refused where there is no such conversation, or none any more', async () => {
    const thread = await record(turn('r1', 'a', 'b'))
    await ground.send({ method: 'DELETE', path: `${base}/${thread}` })
    expect((await get(`/export/${thread}`)).status).toBe(410)
    expect((await get('/export/never')).status).toBe(404)
    expect((await get('/export/never?format=jsonl')).status).toBe(404)
  })
})

describe('POST /export', () => {
  const send = (body: object) => ground.send({ path: '/export', body })

  it('is one eval set of several conversations, a case each', async () => {
    const threads = [await record(turn('r1', 'one', '1')), await record(turn('r2', 'two', '2'))]
    const file = await send({ thread_ids: threads, eval_set_id: 'my_set', name: 'My set' })
    expect(file.headers['content-disposition']).toBe('attachment; filename="my_set.evalset.json"')
    expect(file.json).toMatchObject({ eval_set_id: 'my_set', name: 'My set' })
    expect(file.json.eval_cases.map((one: { eval_id: string }) => one.eval_id)).toEqual(threads.map(caseName))
    const unnamed = await send({ thread_ids: threads, format: 'legacy' })
    expect(unnamed.json.eval_set_id).toMatch(/^conversations[0-9a-f]{12}$/)
    expect(exportReport.parse((await send({ thread_ids: threads, report: true })).json)).toMatchObject({
      state: 'finished',
    })
  })

  it('says which conversations are not there, and what else is wrong', async () => {
    const thread = await record(turn('r1', 'one', '1'))
    const missing = await send({ thread_ids: [thread, 'never'] })
    expect([missing.status, missing.json.code, missing.json.errors]).toEqual([
      404,
      'conversation_not_found',
      [{ path: 'thread_ids[1]', message: 'is no conversation' }],
    ])
    const wrong = async (body: object) => {
      const { status, json } = await send(body)
      return [status, json.errors[0].path]
    }
    expect(await wrong({ thread_ids: [] })).toEqual([422, 'thread_ids'])
    expect(await wrong({ thread_ids: [thread, thread] })).toEqual([422, 'thread_ids'])
    expect(await wrong({ thread_ids: [thread], eval_set_id: 'a:b' })).toEqual([422, 'eval_set_id'])
    const many = Array.from({ length: limits.exportConversations + 1 }, (_, i) => `t${i}`)
    expect(await wrong({ thread_ids: many })).toEqual([422, 'thread_ids'])
    expect((await send({ thread_ids: many.slice(1) })).status).toBe(404)
  })
})

describe('GET …/turns', () => {
  it('is paged by places, the newest first where nothing is said', async () => {
    const thread = await record(Array.from({ length: 7 }, (_, i) => turn(`r${i}`, `q${i}`, `a${i}`)).flat())
    const page = async (query: string) => {
      const { items, total } = conversationTurnPage.parse((await get(`${base}/${thread}/turns${query}`)).json)
      expect(total).toBe(7)
      return items.map(({ index }) => index)
    }
    expect(await page('')).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(await page('?limit=3')).toEqual([4, 5, 6])
    expect(await page('?limit=3&before=4')).toEqual([1, 2, 3])
    expect(await page('?limit=3&before=1')).toEqual([0])
    expect(await page('?limit=3&before=0')).toEqual([])
    expect(await page('?limit=3&before=100')).toEqual([4, 5, 6])
    expect(await page('?limit=3&after=0')).toEqual([1, 2, 3])
    expect(await page('?limit=3&after=5')).toEqual([6])
    expect(await page('?after=6')).toEqual([])
    for (const query of ['?before=1&after=1', '?limit=0', '?limit=201', '?before=-1', '?page=2'])
      expect((await get(`${base}/${thread}/turns${query}`)).status, query).toBe(400)
  })

  it('shows what is told after it was looked at', async () => {
    const thread = await record(turn('r1', 'one', '1'))
    const turns = async () => (await get(`${base}/${thread}/turns`)).json.items
    expect(await turns()).toHaveLength(1)
    await record(turn('r2', 'two', '2'), thread)
    expect(await turns()).toMatchObject([{ state: 'finished' }, { state: 'finished', user: { text: 'two' } }])
    await record([starts('r3'), user('three', 'r3')], thread)
    expect((await turns())[2]).toMatchObject({ state: 'running', duration_ms: null })
    await record([adk('r3', [{ text: '3' }]), ends('r3')], thread)
    expect((await turns())[2]).toMatchObject({ state: 'finished', steps: [{ kind: 'text', text: '3', final: true }] })
  })
})

describe('POST …/rows', () => {
  const rows = (thread: string, body: object) => ground.send({ path: `${base}/${thread}/rows`, body })
  const dataset = async (name: string, columns: object[] = []) =>
    (await ground.send({ path: '/api/v1/datasets', body: { name, columns } })).json.slug as string

  it('makes a row of each turn: what was asked, what was said before, and what is expected', async () => {
    const thread = await record([...turn('r1', 'one', '1'), ...turn('r2', 'two', '2')], newThread(), {
      user_id: 'row-user',
    })
    const slug = await dataset('Rows of conversations')
    const added = await rows(thread, { dataset: slug })
    expect([added.status, added.json]).toEqual([200, { dataset: slug, added: 2, warnings: [] }])
    const listed = (await get(`/api/v1/datasets/${slug}/rows`)).json.items
    expect(listed.map(({ values }: { values: object }) => values)).toEqual([
      {
        input: 'one',
        history: null,
        'expected-output': '1',
        'expected-tools': [{ name: 'find_nth_prime', args: { n: 10 } }],
        'case-id': `${caseName(thread)}-0`,
      },
      {
        input: 'two',
        history: [
          { role: 'user', content: 'one' },
          { role: 'assistant', content: '1' },
        ],
        'expected-output': '2',
        'expected-tools': [{ name: 'find_nth_prime', args: { n: 10 } }],
        'case-id': `${caseName(thread)}-1`,
      },
    ])
    // What a user said is gone everywhere when they are erased.
    const erased = await ground.send({ method: 'DELETE', path: '/api/v1/users/row-user' })
    expect([erased.status, erased.json]).toEqual([200, { deleted: 1 }])
    expect((await get(`/api/v1/datasets/${slug}/rows`)).json.items).toEqual([])
    expect((await get(`${base}/${thread}`)).status).toBe(410)
  })

  it('makes rows of a replay that go with the user whose words it says again, also after retention took it', async () => {
    const thread = await record(turn('r1', 'one', '1'), newThread(), { user_id: 'first-user' })
    const again = await record(turn('r1', 'one', '1'), newThread(), { user_id: 'target', replay_of: thread })
    const slug = await dataset('Rows of replays')
    await rows(again, { dataset: slug })
    const taken = { before: Number.MAX_SAFE_INTEGER, at: ground.clock.now, limit: 1_000 }
    await ground.store.apply(ground.access.home, { kind: 'expireConversations', ...taken })
    expect((await get(`${base}/${again}`)).status).toBe(404)
    expect((await get(`/api/v1/datasets/${slug}/rows`)).json.items).toHaveLength(1)
    await ground.send({ method: 'DELETE', path: '/api/v1/users/first-user' })
    expect((await get(`/api/v1/datasets/${slug}/rows`)).json.items).toEqual([])
  })

  it('makes rows that go with their conversation', async () => {
    const thread = await record(turn('r1', 'one', '1'))
    const kept = await record(turn('r1', 'two', '2'))
    const slug = await dataset('Rows that go')
    for (const one of [thread, kept]) await rows(one, { dataset: slug })
    expect((await ground.send({ method: 'DELETE', path: `${base}/${thread}` })).status).toBe(200)
    const { items } = (await get(`/api/v1/datasets/${slug}/rows`)).json
    expect(items.map(({ values }: { values: { input: string } }) => values.input)).toEqual(['two'])
    expect((await rows(thread, { dataset: slug })).json.code).toBe('conversation_deleted')
  })

  it('takes the turns that are named, and columns that are there', async () => {
    const thread = await record([...turn('r1', 'one', '1'), ...turn('r2', 'two', '2')])
    const slug = await dataset('With columns', [{ name: 'Input' }, { name: 'Note' }])
    expect((await rows(thread, { dataset: slug, turns: [1] })).json).toMatchObject({ added: 1 })
    const { columns } = (await get(`/api/v1/datasets/${slug}`)).json
    expect(columns.map((column: { slug: string }) => column.slug)).toEqual([
      'input',
      'note',
      'history',
      'expected-output',
      'expected-tools',
      'case-id',
    ])
    const code = async (body: object) => (await rows(thread, body)).json.code as string
    expect(await code({ dataset: slug, turns: [2] })).toBe('turn_not_found')
    expect(await code({ dataset: 'never' })).toBe('dataset_not_found')
    expect(await code({ dataset: slug, turns: [] })).toBe('invalid_request')
  })

  it('says which turns make no good rows', async () => {
    const late = { kind: 'tool_result', run_id: 'r2', payload: { id: 'x', result: {}, author: 'user' } }
    const thread = await record([
      ...turn('r1', 'one', '1'),
      starts('r2'),
      late,
      adk('r2', [{ text: 'ok' }]),
      ends('r2'),
      starts('r3'),
      user('three', 'r3'),
    ])
    const { json } = await rows(thread, { dataset: await dataset('Some rows') })
    expect(json.added).toBe(2)
    expect(json.warnings).toEqual([expect.stringContaining('turn 2'), expect.stringContaining('turn 3 is running')])
  })
})
