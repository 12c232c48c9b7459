import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEvalSet } from '@llm-eval/formats/adk'
import { describe, expect, test } from 'vitest'
import { adkCall, adkText, startAdk } from './adk-agent.ts'
import { call, place, said, startAgent } from './agents.ts'
import type { Config } from '@llm-eval/server'
import { folder, llmEval, serve, sharedServer, start } from './stage.ts'

const server = sharedServer()

interface Shown {
  thread_id: string
  replay_of: string | null
  state: string
  turns: { user: { text: string } | null; steps: { kind: string; name?: string; result?: object }[] }[]
}
interface Replayed {
  exit_code: number
  replay: string
  scores: Record<string, number | null>
  turns: { tool_trajectory_avg_score: number | null; actual: object | null }[]
  warnings: string[]
}

/** A target as a configuration has it. */
function targetOf(url: string): Config['targets'] {
  const nothing = { token_env: null, token_command: null, api_key_env: null, headers: {}, forward_headers: {} }
  return { trips: { ...nothing, kind: 'adk', url, app_name: 'trips', user_id: 'ada', timeout_seconds: 120 } }
}

interface Turn {
  user: string
  calls?: { name: string; args: object }[]
  answer: string
}

/** Tells a server of a thread: each turn is what the user says, the calls, and the answer. */
async function tell(thread: string, turns: Turn[], url = server.url()) {
  const events = turns.flatMap(({ user, calls = [], answer }, index) => {
    const run = { run_id: `run-${index}`, at: `2025-11-22T16:3${index}:00Z` }
    return [
      { ...run, kind: 'run_start', payload: {} },
      { ...run, kind: 'user_message', payload: { text: user } },
      ...calls.flatMap(({ name, args }, place) => [
        { ...run, kind: 'tool_call', payload: { id: `c-${index}-${place}`, name, args } },
        { ...run, kind: 'tool_result', payload: { id: `c-${index}-${place}`, result: { result: 'ok' } } },
      ]),
      { ...run, kind: 'assistant_message', payload: { text: answer } },
      { ...run, kind: 'run_end', payload: { status: 'finished' } },
    ]
  })
  const response = await fetch(`${url}/api/v1/conversations/${thread}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events, app_name: 'trips', user_id: 'ada' }),
  })
  expect(response.status).toBe(200)
}

const rome = { user: 'A room in Rome?', calls: [{ name: 'find', args: { city: 'Rome' } }], answer: 'One at the Tiber.' }
const book = { user: 'Book it.', calls: [{ name: 'book', args: {} }], answer: 'It is booked.' }
const env = () => ({ LLM_EVAL_URL: server.url() })
const show = async (thread: string) =>
  JSON.parse((await llmEval(['conversations', 'show', thread, '--json'], { env: env() })).out) as Shown

describe('llm-eval conversations', () => {
  test('lists them, and goes on by cursor', async () => {
    await tell('listed-1', [rome])
    await tell('listed-2', [rome, book])
    const { out, code } = await llmEval(['conversations', 'list', '--user', 'ada'], { env: env() })
    expect(code).toBe(0)
    expect(out).toMatch(/^UPDATED +THREAD +STATE +TURNS +CALLS +TOKENS +APP +TITLE/)
    expect(out).toMatch(/listed-2 +finished +2 +2 +- +trips +A room in Rome\?/)
    const first = await llmEval(['conversations', 'list', '-n', '1', '--json'], { env: env() })
    expect(JSON.parse(first.out)).toMatchObject({ thread_id: 'listed-2', turns: 2 })
    const cursor = /--cursor (\S+)/.exec(first.err)?.[1] ?? ''
    const next = await llmEval(['conversations', 'list', '-n', '1', '--json', '--cursor', cursor], { env: env() })
    expect(JSON.parse(next.out)).toMatchObject({ thread_id: 'listed-1' })
    const none = await llmEval(['conversations', 'list', '--user', 'nobody'], { env: env() })
    expect([none.code, none.out, none.err]).toEqual([0, '', 'No conversation fits.\n'])
  })

  test('shows one with its turns, without letting its text steer the terminal', async () => {
    await tell('shown', [rome, { ...book, answer: 'Done.\u001b[31m' }])
    const { out, code } = await llmEval(['conversations', 'show', 'shown'], { env: env() })
    expect(code).toBe(0)
    expect(out).toContain('1  A room in Rome?')
    expect(out).toContain('find({"city":"Rome"}) → {"result":"ok"}')
    expect(out).toMatch(/Turns +2, 2 calls of tools/)
    expect(out).not.toContain('\u001b')
    const last = await llmEval(['conversations', 'show', 'shown', '--turns', '1'], { env: env() })
    expect(last.err).toContain('The last 1 of 2 turns')
    expect(last.out).not.toContain('1  A room in Rome?')
    const missing = await llmEval(['conversations', 'show', 'nowhere'], { env: env() })
    expect(missing.code).toBe(1)
  })

  test('shows how long one took as unknown where all of it was told at one time', async () => {
    await tell('at-once', [rome])
    const { out } = await llmEval(['conversations', 'show', 'at-once'], { env: env() })
    expect(out).toMatch(/Began +2025-11-22 [\d:]+, -\n/)
    await tell('timed', [rome, book])
    const timed = await llmEval(['conversations', 'show', 'timed'], { env: env() })
    expect(timed.out).toMatch(/Began +2025-11-22 [\d:]+, 1 min 0 s\n/)
  })

  test('exports one as an eval set of ADK, and several as one', async () => {
    await tell('out-1', [rome])
    await tell('out-2', [book])
    const cwd = folder()
    const one = ['conversations', 'export', 'out-1', '-o', 'one.evalset.json']
    expect((await llmEval(one, { cwd, env: env() })).code).toBe(0)
    const again = await llmEval(one, { cwd, env: env() })
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('exists already')])
    const read = readEvalSet(JSON.parse(readFileSync(join(cwd, 'one.evalset.json'), 'utf8')))
    expect(read).toMatchObject({
      form: 'evalset',
      set: { evalCases: [{ conversation: [{ userContent: { parts: [{ text: rome.user }] } }] }] },
    })
    const both = await llmEval(['conversations', 'export', 'out-1', 'out-2', '--name', 'trips'], { env: env() })
    expect(JSON.parse(both.out)).toMatchObject({ eval_set_id: 'trips' })
    expect(readEvalSet(JSON.parse(both.out))).toMatchObject({ set: { evalCases: [{}, {}] } })
    const bare = await llmEval(['conversations', 'export', 'out-1', 'out-2', '-f', 'evalcase'], { env: env() })
    expect(bare.code).toBe(2)
  })

  test('deletes them when that is confirmed', async () => {
    await tell('gone-1', [rome])
    await tell('gone-2', [rome])
    const asked = await llmEval(['conversations', 'delete', 'gone-1'], { env: env(), input: 'n\n' })
    expect(asked.code).not.toBe(0)
    expect((await show('gone-1')).thread_id).toBe('gone-1')
    const { code, out } = await llmEval(['conversations', 'delete', 'gone-1', 'gone-2', '--yes'], { env: env() })
    expect([code, out]).toEqual([0, 'gone-1 is deleted.\ngone-2 is deleted.\n'])
    expect((await llmEval(['conversations', 'show', 'gone-1'], { env: env() })).code).toBe(1)
  })
})

describe('llm-eval replay', () => {
  const good = (text: string) =>
    text === book.user
      ? [...adkCall('book', {}), ...adkText(book.answer)]
      : [...adkCall('find', { city: 'Rome' }), ...adkText(rome.answer)]

  test('says the turns of the user again to an agent of ADK, and records what comes of it', async () => {
    await tell('said', [rome, book])
    const { url, asked } = await startAdk(good)
    const args = ['replay', 'said', '--agent', `adk:${url}/trips`, '--min', 'tool_trajectory_avg_score=1']
    const { code, out, err } = await llmEval(args, { env: env() })
    expect(err).toMatch(/^Recorded replay-/)
    expect(out).toMatch(/all +1 +1 +1\n/)
    expect(out).toContain('PASSED  tool_trajectory_avg_score 1 of 1')
    expect(code).toBe(0)
    expect(asked.map(({ text, user }) => [text, user])).toEqual([
      [rome.user, 'ada'],
      [book.user, 'ada'],
    ])
    const replay = await show(/Recorded (\S+)/.exec(err)?.[1] ?? '')
    expect(replay).toMatchObject({ replay_of: 'said', state: 'finished' })
    expect(replay.turns.map(({ user, steps }) => [user?.text, steps.map(({ kind }) => kind)])).toEqual([
      [rome.user, ['tool', 'text']],
      [book.user, ['tool', 'text']],
    ])
  })

  test('fails by a measure that is not reached, of any agent', async () => {
    await tell('worse', [rome, book])
    const { url } = await startAgent((message) =>
      message === book.user ? [said('No.')] : [call('find', { city: 'Rome' }), said(rome.answer)],
    )
    const args = ['replay', 'worse', '--agent', url, '--json']
    const plain = await llmEval(args, { env: env() })
    expect(plain.code).toBe(0)
    const { turns, scores } = JSON.parse(plain.out) as Replayed
    expect(turns.map((turn) => turn.tool_trajectory_avg_score)).toEqual([1, 0])
    expect(scores).toMatchObject({ tool_trajectory_avg_score: 0.5 })
    const gated = await llmEval([...args, '--min', 'tool_trajectory_avg_score=0.6'], { env: env() })
    expect(gated.code).toBe(1)
    const held = [...args, '--min', 'tool_trajectory_avg_score=0.5', '--min', 'response_match_score=0.1']
    expect((await llmEval(held, { env: env() })).code).toBe(0)
  })

  test('is not green where a turn was not answered, and keeps what came', async () => {
    await tell('broken', [rome, book])
    const { url } = await startAdk((text) => (text === book.user ? [{ error: 'quota exceeded' }] : good(text)))
    const { code, out } = await llmEval(['replay', 'broken', '--agent', `adk:${url}/trips`, '--json'], { env: env() })
    expect(code).toBe(2)
    const { warnings, replay } = JSON.parse(out) as Replayed
    expect(warnings).toEqual([
      'turn 2: agent_error: The agent reported a failure: quota exceeded',
      'turn 2 of the replay is failed',
    ])
    expect((await show(replay)).state).toBe('failed')
  })

  test('records no key that the settings name, though an agent says it back (trap 31)', async () => {
    await tell('secret', [rome])
    const key = 'sk-very-secret-key'
    const { url, asked } = await startAdk(() => [...adkCall('find', { city: key }), ...adkText(`My key is ${key}.`)])
    const cwd = place({
      'llm-eval.agent.yaml': `agent: {url: "adk:${url}/trips", headers: {Authorization: "Bearer {{env.ADK_TOKEN}}"}}\n`,
    })
    const args = ['replay', 'secret', '--agent', `adk:${url}/trips`, '--json']
    const { out } = await llmEval(args, { cwd, env: { ...env(), ADK_TOKEN: key } })
    expect(asked[0]?.authorization).toBe(`Bearer ${key}`)
    const { replay } = JSON.parse(out) as Replayed
    const recorded = await llmEval(['conversations', 'export', replay, '-f', 'jsonl'], { env: env() })
    expect(recorded.out).toContain('My key is •••.')
    expect(out + recorded.out).not.toContain(key)
  })

  test('has a target of the bridge asked by the server, and waits until that is over', {
    timeout: 240_000,
  }, async () => {
    const { url, asked } = await startAdk(good)
    const own = await serve({ targets: targetOf(url) })
    await tell('bridged', [rome, book], own.url)
    const args = [
      'replay',
      'bridged',
      '--target',
      'trips',
      '--min',
      'tool_parameter_match=1',
      '--json',
      '--url',
      own.url,
    ]
    const { code, out, err } = await llmEval(args)
    expect(JSON.parse(out)).toMatchObject({
      scores: { tool_trajectory_avg_score: 1, response_match_score: 1, tool_parameter_match: 1 },
      warnings: [],
    })
    expect([code, err]).toEqual([0, expect.stringMatching(/^Recording replay-/)])
    expect(asked.map(({ text }) => text)).toEqual([rome.user, book.user])
  })

  test('is not green where the agent of a target fails', { timeout: 240_000 }, async () => {
    const { url } = await startAdk((text) => (text === book.user ? [{ error: 'quota exceeded' }] : good(text)))
    const own = await serve({ targets: targetOf(url) })
    await tell('failing', [rome, book], own.url)
    const { code, out } = await llmEval(['replay', 'failing', '--target', 'trips', '--url', own.url])
    expect(code).toBe(2)
    expect(out).toContain('NOT EVALUATED  1 of 2 turns was answered, and can be compared.')
  })

  test('is not green without a recording, an agent, or a measure that is known', async () => {
    await tell('alone', [rome])
    const bad = [
      ['replay', 'nowhere', '--agent', 'http://127.0.0.1:9/'],
      ['replay', 'alone'],
      ['replay', 'alone', '--agent', 'http://127.0.0.1:9/', '--target', 'trips'],
      ['replay', 'alone', '--agent', 'http://127.0.0.1:9/', '--min', 'niceness=1'],
      ['replay', 'alone', '--agent', 'http://127.0.0.1:9/', '--min', 'response_match_score=2'],
      ['replay', 'alone', '--target', 'nobody'],
    ]
    for (const args of bad) expect(await llmEval(args, { env: env() })).toMatchObject({ code: 2 })
  })
})

describe('llm-eval import-logs', () => {
  const time = 1_763_829_465
  const event = (id: string, place: number, content: object) =>
    JSON.stringify({ id: `${id}-${place}`, invocation_id: id, author: 'root_agent', timestamp: time + place, content })
  const engine = [
    event('e-1', 0, {
      role: 'model',
      parts: [{ function_call: { id: 'adk-1', name: 'find', args: { city: 'Rome' } }, thought_signature: 'CrQCAd-_' }],
    }),
    event('e-1', 1, {
      role: 'user',
      parts: [{ function_response: { id: 'adk-1', name: 'find', response: { result: 'ok' } } }],
    }),
    event('e-1', 2, { role: 'model', parts: [{ text: rome.answer }] }),
  ].map((line) => `2025-11-22 16:37:45,100 INFO raw: ${line}`)
  const bridge = [
    { threadId: 'logged', runId: 'r-1', messages: [{ id: 'm-1', role: 'user', content: rome.user }] },
    { type: 'RUN_STARTED', threadId: 'logged', runId: 'r-1' },
    { type: 'TOOL_CALL_START', toolCallId: 'adk-1', toolCallName: 'find' },
    { type: 'RUN_FINISHED', threadId: 'logged', runId: 'r-1' },
  ].map((value) => `2025-11-22 16:37:45,000 INFO ${JSON.stringify(value)}`)
  const logs = { 'logs/events_1.log': bridge.join('\n'), 'logs/agent_engine_raw_1.log': engine.join('\n') }
  const named = ['import-logs', '--bridge', 'logs/events_*.log', '--engine', 'logs/agent_engine_raw_*.log']

  test('writes an eval set of what it puts together', async () => {
    const cwd = place(logs)
    const { code, err } = await llmEval([...named, '--out', 'trip.evalset.json', '--app', 'trips'], { cwd })
    expect([code, err]).toEqual([0, expect.stringContaining('Wrote 1 conversation')])
    const text = readFileSync(join(cwd, 'trip.evalset.json'), 'utf8')
    expect(readEvalSet(JSON.parse(text))).toMatchObject({
      lost: [],
      set: {
        evalCases: [
          {
            sessionInput: { appName: 'trips' },
            conversation: [
              {
                invocationId: 'e-1',
                userContent: { parts: [{ text: rome.user }] },
                finalResponse: { parts: [{ text: rome.answer }] },
                intermediateData: {
                  invocationEvents: [
                    { author: 'root_agent', content: { parts: [{ thoughtSignature: 'CrQCAd-_' }] } },
                    { author: 'root_agent' },
                  ],
                },
              },
            ],
          },
        ],
      },
    })
  })

  test('sends it to the server, where the second time nothing is new', async () => {
    const cwd = place(logs)
    const first = await llmEval(named, { cwd, env: env() })
    expect([first.code, first.out]).toEqual([0, 'logged: 6 events.\n'])
    expect(await show('logged')).toMatchObject({ state: 'finished', turns: [{ user: { text: rome.user } }] })
    const second = await llmEval(named, { cwd, env: env() })
    expect([second.code, second.out]).toEqual([0, 'logged: 0 events, 6 were there.\n'])
  })

  test('makes of the logs of a bridge what the export of its server is, and tells that server nothing twice', {
    timeout: 240_000,
  }, async () => {
    const { url: agent } = await startAdk((text) =>
      text === rome.user ? [...adkCall('find', { city: 'Rome' }), ...adkText(rome.answer)] : adkText(book.answer),
    )
    const cwd = folder()
    const args = ['bridge', '--target', agent, '--app', 'trips', '--port', '0', '--data', 'data', '--log-dir', 'logs']
    const bridging = start(args, { cwd, env: { NO_COLOR: '1' } })
    await bridging.says(/http:\/\/[^\s']+\/agui\/\w+/)
    const [address = ''] = /http:\/\/[^\s']+\/agui\/\w+/.exec(bridging.out() + bridging.err()) ?? []
    const messages = [{ id: 'm-1', role: 'user', content: rome.user }]
    for (const runId of ['r-1', 'r-2']) {
      const body = JSON.stringify({ threadId: 'said', runId, messages, tools: [], context: [] })
      const answer = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      expect(await answer.text()).toContain('RUN_FINISHED')
      messages.push({ id: 'a-1', role: 'assistant', content: rome.answer })
      messages.push({ id: 'm-2', role: 'user', content: book.user })
    }
    const exported: unknown = await (await fetch(new URL('/export/said', address))).json()
    const back = [...named, '--url', new URL(address).origin]
    const known = /^said: 0 events, \d+ were there\.\n$/
    expect(await llmEval(back, { cwd })).toMatchObject({ code: 0, out: expect.stringMatching(known) as string })
    const engineOnly = ['import-logs', '--engine', 'logs/agent_engine_raw_*.log', '--url', new URL(address).origin]
    expect(await llmEval(engineOnly, { cwd })).toMatchObject({ code: 0, out: expect.stringMatching(known) as string })
    expect(await (await fetch(new URL('/export/said', address))).json()).toEqual(exported)
    bridging.child.kill('SIGTERM')
    await bridging.ended
    const imported = await llmEval([...named, '--out', '-'], { cwd })
    expect([imported.code, imported.err]).toEqual([0, ''])
    // To the times of its turns.
    expect(JSON.parse(imported.out)).toEqual(exported)
  })

  /** Records the beginning of a request, as a bridge does that is killed then; given an end, all of it. */
  const record = async (thread: string, told: object[]) => {
    const place = { run_id: 'r-1', at: '2025-11-22T16:37:45Z' }
    const events = [
      { ...place, kind: 'run_start', payload: {} },
      { ...place, kind: 'user_message', payload: { text: rome.user } },
      ...told.map((one) => ({ ...place, ...one })),
    ]
    const response = await fetch(`${server.url()}/api/v1/conversations/${thread}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ events, app_name: 'trips', user_id: 'ada' }),
    })
    expect(response.status).toBe(200)
  }
  const adk = (line = '') => {
    const payload = JSON.parse(line.slice(line.indexOf('{'))) as { id: string; invocation_id: string }
    return { kind: 'adk_event', event_id: payload.id, invocation_id: payload.invocation_id, payload }
  }
  /** The logs of a thread whose bridge was killed while its agent answered. */
  const killed = (thread: string) => ({
    'logs/events_1.log': bridge.slice(0, 3).join('\n').replaceAll('logged', thread),
    'logs/agent_engine_raw_1.log': engine.slice(0, 2).join('\n'),
  })

  test('tells of a run that was killed what is missing, marks it as truncated, and says until where it goes', async () => {
    await record('killed', [adk(engine[0])])
    const cwd = place(killed('killed'))
    const first = await llmEval(named, { cwd, env: env() })
    expect([first.code, first.out]).toEqual([0, 'killed: 2 events, 3 were there.\n'])
    expect(first.err).toContain(
      'logs/events_1.log:1: The log breaks off in killed, r-1: what it holds until line 3 of logs/events_1.log and line 2 of logs/agent_engine_raw_1.log is marked as truncated. (no_end)',
    )
    expect(await show('killed')).toMatchObject({
      state: 'truncated',
      turns: [{ user: { text: rome.user }, steps: [{ kind: 'tool', name: 'find', result: { result: 'ok' } }] }],
    })
    const second = await llmEval(named, { cwd, env: env() })
    expect([second.code, second.out]).toEqual([0, 'killed: 0 events, 5 were there.\n'])
  })

  test('goes on with what it imported when the logs went on, and tells the same by another log nothing twice', async () => {
    const cwd = place(killed('going-on'))
    expect((await llmEval(named, { cwd, env: env() })).out).toBe('going-on: 5 events.\n')
    expect(await show('going-on')).toMatchObject({ state: 'truncated' })
    writeFileSync(join(cwd, 'logs/events_1.log'), bridge.join('\n').replaceAll('logged', 'going-on'))
    writeFileSync(join(cwd, 'logs/agent_engine_raw_1.log'), engine.join('\n'))
    expect((await llmEval(named, { cwd, env: env() })).out).toBe('going-on: 2 events, 4 were there.\n')
    const whole = await show('going-on')
    expect(whole).toMatchObject({ state: 'finished', turns: [{ steps: [{ kind: 'tool' }, { text: rome.answer }] }] })
    const bridgeOnly = ['import-logs', '--bridge', 'logs/events_1.log']
    expect((await llmEval(bridgeOnly, { cwd, env: env() })).out).toBe('going-on: 0 events, 6 were there.\n')
    expect(await show('going-on')).toEqual(whole)
  })

  test('leaves alone what may still be under way, and what was recorded in another form', async () => {
    const now = { at: new Date().toISOString() }
    await record('under-way', [{ ...adk(engine[0]), ...now }])
    const live = await llmEval(named, { cwd: place(killed('under-way')), env: env() })
    expect(live.out).toBe('under-way: 0 events, 5 were there.\n')
    expect(live.err).toContain('under-way: r-1 may still be under way: import its logs again when it is over')
    await record('other-form', [{ kind: 'agui_event', payload: { type: 'TEXT_MESSAGE_START', messageId: 'm' } }])
    const other = await llmEval(named, { cwd: place(killed('other-form')), env: env() })
    expect(other.out).toBe('other-form: 1 events, 4 were there.\n')
    expect(other.err).toContain('only a log of the bridge alone (--bridge) goes on with it')
  })

  test('refuses a key that cannot read what is there, as it might be told twice', async () => {
    const data = folder()
    await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--data', data])
    const made = await llmEval(['keys', 'create', 'ci', '--scopes', 'ingest', '--quiet', '--data', data])
    const { url } = await serve({ data })
    const withKey = { LLM_EVAL_URL: url, LLM_EVAL_API_KEY: made.out.trim() }
    const { code, out, err } = await llmEval(named, { cwd: place(logs), env: withKey })
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('use a key with the scopes ingest and read, or write a file with --out')
  })

  test('tells what it cannot use with its file and line, and goes on', async () => {
    const cwd = place(logs)
    writeFileSync(join(cwd, 'logs/agent_engine_raw_2.log'), '{\'content\': Content(parts=[])}\n{"invocation_id":')
    const { code, err } = await llmEval([...named, '--out', '-'], { cwd })
    expect(code).toBe(0)
    expect(err).toContain('logs/agent_engine_raw_2.log:1: A record is neither JSON nor a literal of Python')
    expect(err).toContain('logs/agent_engine_raw_2.log:2: A record breaks off. (cut_json)')
    writeFileSync(join(cwd, 'logs/events_3.log'), '{"lines_left_out":3}\n')
    const gap = await llmEval([...named, '--out', '-'], { cwd })
    expect(gap.err).toContain('logs/events_3.log:1: 3 lines are missing here')
    const lone = { type: 'RUN_STARTED', threadId: 'alone' }
    writeFileSync(join(cwd, 'logs/events_2.log'), JSON.stringify(lone))
    const unjoined = await llmEval([...named, '--thread', 'alone', '--out', '-'], { cwd })
    expect(unjoined.err).toContain('logs/events_2.log:1: No log says what the user said in alone. (no_user_message)')
  })

  test('says where logs were looked for, what they are, and what to name instead', async () => {
    const cwd = place({ ...logs, 'plain.log': 'nothing to see' })
    const said = async (...args: string[]) => (await llmEval(['import-logs', ...args], { cwd, env: env() })).err
    expect(await said('--bridge', 'no.log')).toContain(`No file is called no.log in ${cwd}.`)
    expect(await said('--bridge', 'logs')).toContain("logs is a directory. Name the files in it: 'logs/*.log'.")
    expect(await said('--bridge', 'plain.log')).toContain(
      'No conversation is in plain.log. --bridge names logs of AG-UI',
    )
    expect(await said('--bridge', 'logs/events_1.log', '--thread', 'x')).toContain(
      'No conversation called x is in logs/events_1.log. Without --thread all that are there are imported.',
    )
  })

  test('a bridge to no address does not begin', async () => {
    for (const args of [['nonsense'], ['projects/p/locations/l/reasoningEngines/1'], ['ftp://localhost']]) {
      const { code, err } = await llmEval(['bridge', '--port', '0', '--target', ...args], { cwd: folder() })
      expect([code, err]).toEqual([2, expect.stringContaining('is no address: http://localhost:8000')])
    }
  })

  test.each<[string, string[], number]>([
    ['no logs', ['import-logs'], 2],
    ['no such file', ['import-logs', '--engine', 'nothing*.log'], 2],
    ['no such thread', [...named, '--thread', 'other', '--out', '-'], 1],
    ['a bad offset', [...named, '--utc-offset', '2h'], 2],
  ])('complains of %s', async (_name, args, wanted) => {
    const { code, err } = await llmEval(args, { cwd: place(logs), env: env() })
    expect(err).not.toBe('')
    expect(code).toBe(wanted)
  })
})
