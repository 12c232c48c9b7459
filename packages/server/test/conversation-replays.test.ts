import { conversationComparison, replayBegun } from '@llm-eval/protocol/conversation-answers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Bridge } from '../src/bridge/bridge.ts'
import { createTargets, printedBy } from '../src/bridge/targets.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { configSchema } from '../src/config/config.ts'
import { createRecording } from '../src/recording/append.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { allSlices, type Ground, openShelf, type Shelf, startGround } from './ground.ts'
import { begin, heard, say, type ScriptedAdk, spoken, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let ground: Ground
let adk: ScriptedAdk
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  await shelf.clear()
  adk = await startScriptedAdk()
  ground = await startReplays()
})
afterEach(async () => {
  await ground.close()
  await adk.close()
})

function startReplays(asking: typeof fetch = fetch): Promise<Ground> {
  const demo = { url: adk.url, app_name: 'demo' }
  const { targets } = configSchema.parse({ targets: { demo, other: demo, unnamed: { url: adk.url } } })
  const conversations = registerConversations(
    ({ access, closing, config, log, now, store }) =>
      new Bridge({
        recording: createRecording({ store, now, config }),
        targets: createTargets(targets, { fetch: asking, env: {}, printed: printedBy }),
        fetch,
        home: access.home,
        log,
        closing,
      }),
  )
  return startGround({ shelf, config: { targets }, slices: [...allSlices, registerTraces, conversations] })
}

const base = '/api/v1/conversations'
let made = 0
const newThread = () => `thread-${++made}`

const user = (text: string, fields: object = {}) => ({ kind: 'user_message', payload: { text }, ...fields })
const assistant = (text: string) => ({ kind: 'assistant_message', payload: { text } })
const call = (id: string, city: string) => ({ kind: 'tool_call', payload: { id, name: 'weather', args: { city } } })
const result = (id: string) => ({ kind: 'tool_result', payload: { id, result: { sky: 'clear' } } })

async function record(events: object[], more: object = {}): Promise<string> {
  const thread = newThread()
  const told = await ground.send({ path: `${base}/${thread}/events`, body: { events, ...more } })
  expect(told.status, told.text).toBe(200)
  return thread
}

const replay = (thread: string, body: object) => ground.send({ path: `${base}/${thread}/replay`, body })
const read = async (path: string) => (await ground.send({ path })).json

async function over(thread: string) {
  return vi.waitFor(
    async () => {
      const detail = await read(`${base}/${thread}`)
      expect(detail.state).not.toBe('running')
      return detail
    },
    { timeout: 60_000, interval: 20 },
  )
}

/** Says how the weather is, with a call of its tool. */
function weather(city: string, words: string) {
  const own = { invocationId: `e-${city}` }
  return say(
    heard({ role: 'model', parts: [{ functionCall: { id: city, name: 'weather', args: { city } } }] }, own),
    heard({ role: 'user', parts: [{ functionResponse: { id: city, name: 'weather', response: {} } }] }, own),
    spoken(words, own),
  )
}

describe('a conversation that is said again', () => {
  it('is answered in a thread of its own, turn by turn, and held against its recording', async () => {
    const thread = await record([
      user('Rome?'),
      call('c1', 'Rome'),
      result('c1'),
      assistant('It is clear in Rome.'),
      user('And Oslo?'),
      assistant('I do not know.'),
    ])
    const asked: string[] = []
    adk.answer((run) => {
      const [{ text }] = run.body.newMessage.parts
      asked.push(text)
      return text === 'Rome?' ? weather('Rome', 'It is clear in Rome.')(run) : weather('Oslo', 'Clear in Oslo.')(run)
    })
    const begun = await replay(thread, { target: 'demo' })
    expect(begun.status, begun.text).toBe(202)
    const { thread_id: again, ...rest } = replayBegun.parse(begun.json)
    expect(rest).toEqual({ replay_of: thread, target: 'demo', turns: 2, warnings: [] })
    await vi.waitFor(async () => expect((await read(`${base}/${again}`)).turns).toBe(2), { timeout: 60_000 })
    expect(await over(again)).toMatchObject({ replay_of: thread, target: 'demo', state: 'finished', turns: 2 })
    expect(asked).toEqual(['Rome?', 'And Oslo?'])
    // Both turns were said to one session.
    expect(new Set(adk.runs.map(({ body }) => body.sessionId)).size).toBe(1)
    const compared = conversationComparison.parse(await read(`${base}/${again}/comparison`))
    expect(compared).toMatchObject({
      recording: thread,
      replay: again,
      scores: { tool_trajectory_avg_score: 0.5, tool_parameter_match: 1 },
      warnings: [],
      turns: [
        {
          index: 0,
          user: 'Rome?',
          expected: { calls: [{ name: 'weather', args: { city: 'Rome' } }], response: 'It is clear in Rome.' },
          actual: { calls: [{ name: 'weather', args: { city: 'Rome' } }], response: 'It is clear in Rome.' },
          tool_trajectory_avg_score: 1,
          response_match_score: 1,
          tool_parameter_match: 1,
        },
        {
          index: 1,
          expected: { calls: [], response: 'I do not know.' },
          actual: { response: 'Clear in Oslo.' },
          tool_trajectory_avg_score: 0,
          response_match_score: 0,
          tool_parameter_match: null,
        },
      ],
    })
    expect(await read(`${base}/${thread}/comparison?with=${again}`)).toEqual(compared)
    expect(await read(`${base}/${again}/comparison?with=${thread}`)).toEqual(compared)
  })

  it('can be so in part; turns that bring only results of tools are told, and not said', async () => {
    const thread = await record([
      user('one'),
      assistant('1'),
      { kind: 'run_start', run_id: 'r2', payload: {} },
      { kind: 'tool_result', run_id: 'r2', payload: { id: 'x', result: { ok: true }, author: 'user' } },
      { kind: 'assistant_message', run_id: 'r2', payload: { text: '2' } },
      { kind: 'run_end', run_id: 'r2', payload: { status: 'finished' } },
      user('three', { run_id: 'r3' }),
      { kind: 'assistant_message', run_id: 'r3', payload: { text: '3' } },
    ])
    const { items } = await read(`${base}/${thread}/turns`)
    expect(items.map((turn: { user: { text: string } | null }) => turn.user?.text ?? null)).toEqual([
      'one',
      null,
      'three',
    ])
    const { json } = await replay(thread, { target: 'demo', turns: [1, 2], thread_id: `${thread}-again` })
    expect(json).toMatchObject({
      thread_id: `${thread}-again`,
      turns: 1,
      warnings: [expect.stringContaining('turn 2')],
    })
    await over(json.thread_id)
    const compared = await read(`${base}/${json.thread_id}/comparison`)
    expect(compared.turns).toMatchObject([
      { index: 0, user: 'one', actual: null, response_match_score: null },
      { index: 2, user: 'three', actual: { response: 'Hello!' } },
    ])
    expect(compared.warnings).toEqual([expect.stringContaining('turn 2')])
  })

  it('has no scores for a turn that goes on, on either side: what is not said yet is not wrong', async () => {
    const begun = [
      { kind: 'run_start', run_id: 'r1', payload: {} },
      { kind: 'user_message', run_id: 'r1', payload: { text: 'one' } },
      { kind: 'tool_call', run_id: 'r1', payload: { id: 'x', name: 'weather', args: {} } },
    ]
    const ended = [
      { kind: 'assistant_message', run_id: 'r1', payload: { text: '1' } },
      { kind: 'run_end', run_id: 'r1', payload: { status: 'finished' } },
    ]
    const [whole, open] = [await record([...begun, ...ended]), await record(begun)]
    const compare = (replayed: string, recorded: string) => read(`${base}/${replayed}/comparison?with=${recorded}`)
    const none = { tool_trajectory_avg_score: null, response_match_score: null, tool_parameter_match: null }
    expect(await compare(open, whole)).toMatchObject({
      scores: none,
      turns: [{ ...none, actual: { calls: [{ name: 'weather' }], response: '' } }],
      warnings: ['turn 1 of the replay is running'],
    })
    expect(await compare(whole, open)).toMatchObject({
      scores: none,
      turns: [{ ...none, actual: { response: '1' } }],
      warnings: ['turn 1 of the recording is running'],
    })
    expect(await compare(whole, whole)).toMatchObject({
      scores: { tool_trajectory_avg_score: 1, response_match_score: 1 },
    })
  })

  it('stops at the first turn that fails', async () => {
    const thread = await record([user('one'), assistant('1'), user('two'), assistant('2')])
    adk.answer(say({ error: 'the model is gone' }))
    const { json } = await replay(thread, { target: 'demo' })
    expect(await over(json.thread_id)).toMatchObject({
      state: 'failed',
      turns: 1,
      error: expect.stringContaining('gone'),
    })
    const compared = await read(`${base}/${json.thread_id}/comparison`)
    expect(compared.turns).toMatchObject([{ actual: null }, { actual: null }])
    expect(compared.scores).toEqual({
      tool_trajectory_avg_score: null,
      response_match_score: null,
      tool_parameter_match: null,
    })
    expect(adk.runs).toHaveLength(1)
  })

  it('brings the files that were said with it', async () => {
    const files = [{ mime_type: 'image/png', data: 'iVBORw==' }]
    const thread = await record([{ kind: 'user_message', payload: { text: 'What is this?', files } }])
    const { json } = await replay(thread, { target: 'demo' })
    await over(json.thread_id)
    expect(adk.runs[0]?.body.newMessage.parts).toEqual([
      { text: 'What is this?' },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw==' } },
    ])
  })

  it('goes with the user who said it first, though their conversation is deleted while it begins', async () => {
    const thread = await record([user('a secret'), assistant('1')], { user_id: 'ann' })
    const again = (await replay(thread, { target: 'demo' })).json.thread_id
    await over(again)
    const kept = await record([user('two'), assistant('2')], { user_id: 'bob' })
    await ground.close()
    // Nothing of the replay is stored before the name of the app is known.
    ground = await startReplays(async (...asked) => {
      if (new Request(...asked).url.endsWith('/list-apps'))
        await ground.send({ method: 'DELETE', path: `${base}/${again}` })
      return fetch(...asked)
    })
    const { status, json } = await replay(again, { target: 'unnamed' })
    expect(status).toBe(202)
    await over(json.thread_id)
    expect((await ground.send({ path: `${base}/${again}` })).status).toBe(410)
    expect((await ground.send({ method: 'DELETE', path: '/api/v1/users/ann' })).json).toEqual({ deleted: 2 })
    expect((await ground.send({ path: `${base}/${json.thread_id}` })).status).toBe(410)
    expect((await ground.send({ path: `${base}/${kept}` })).status).toBe(200)
  })

  it('is refused where nothing can be said, where it would be said to nobody, or into a thread that is there', async () => {
    const thread = await record([user('one'), assistant('1')])
    const code = async (body: object, of = thread) => {
      const { status, json } = await replay(of, body)
      return [status, json.code, json.errors?.[0]?.path]
    }
    expect(await code({})).toEqual([422, 'invalid_request', 'target'])
    expect(await code({ target: 'nobody' })).toEqual([404, 'target_not_found', undefined])
    expect(await code({ target: 'demo', turns: [1] })).toEqual([404, 'turn_not_found', undefined])
    expect(await code({ target: 'demo', turns: [] })).toEqual([422, 'invalid_request', 'turns'])
    expect(await code({ target: 'demo', thread_id: thread })).toEqual([422, 'invalid_request', 'thread_id'])
    expect(await code({ target: 'demo' }, 'never')).toEqual([404, 'conversation_not_found', undefined])
    const mute = await record([assistant('hello')])
    expect(await code({ target: 'demo' }, mute)).toEqual([422, 'invalid_request', 'turns'])
    const alone = await ground.send({ path: `${base}/${thread}/comparison` })
    expect([alone.status, alone.json.errors[0].path]).toEqual([400, 'with'])
    expect(adk.runs).toEqual([])
  })

  it('ends with the server, and what was heard is there', async () => {
    const thread = await record([user('one'), assistant('1'), user('two'), assistant('2')])
    adk.answer(({ response }) => begin(response))
    const { json } = await replay(thread, { target: 'demo' })
    await vi.waitFor(() => expect(adk.runs).toHaveLength(1), { timeout: 60_000 })
    ground.closing.abort()
    await ground.close()
    await adk.runs[0]?.gone
    ground = await startReplays()
    const detail = await over(json.thread_id)
    expect(['cancelled', 'failed', 'truncated']).toContain(detail.state)
    expect(detail.turns).toBe(1)
    expect(adk.runs).toHaveLength(1)
  })
})
