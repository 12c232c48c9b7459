import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEvalSet } from '@llm-eval/formats/adk'
import { describe, expect, test } from 'vitest'
import { adkCall, adkText, startAdk } from './adk-agent.ts'
import { place } from './agents.ts'
import { folder, llmEval, serve, sharedServer, start } from './stage.ts'

const server = sharedServer()

interface Shown {
  thread_id: string
  state: string
  turns: { user: { text: string } | null; steps: { kind: string; name?: string; result?: object }[] }[]
}
const rome = { user: 'A room in Rome?', calls: [{ name: 'find', args: { city: 'Rome' } }], answer: 'One at the Tiber.' }
const book = { user: 'Book it.', calls: [{ name: 'book', args: {} }], answer: 'It is booked.' }
const env = () => ({ LLM_EVAL_URL: server.url() })
const show = async (thread: string) =>
  JSON.parse((await llmEval(['conversations', 'show', thread, '--json'], { env: env() })).out) as Shown

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

  const approved = { id: 'c-1', name: 'approve', result: { approved: true }, author: 'user' }
  /** What an engine logged, that an answer ends. */
  const answering = (thread: string) => ({
    'logs/events_1.log': bridge.join('\n').replaceAll('logged', thread),
    'logs/agent_engine_raw_1.log': engine.join('\n'),
  })

  test('goes on with a request that brought results of tools, as what users bring is not what agents say', async () => {
    const results = ['c-1', 'c-2'].map((id) => ({ kind: 'tool_result', payload: { ...approved, id } }))
    await record('results', [...results, adk(engine[0])])
    const cwd = place(answering('results'))
    const { out, err } = await llmEval(named, { cwd, env: env() })
    expect([out, err]).toEqual(['results: 3 events, 3 were there.\n', ''])
    expect(await show('results')).toMatchObject({
      state: 'finished',
      turns: [
        {
          steps: [
            { name: 'approve' },
            { name: 'approve' },
            { name: 'find', result: { result: 'ok' } },
            { text: rome.answer },
          ],
        },
      ],
    })
  })

  test.each([['with'], ['without']])(
    'goes on with the later of two requests that ADK numbers alike, %s a log of the bridge',
    async (which) => {
      const thread = `resumed-${which}`
      const piece = (place: number, text: string) =>
        event('e-1', place, { role: 'model', parts: [{ text }] }).replace('{', '{"partial":true,')
      const later = [
        { kind: 'run_start', payload: {} },
        { kind: 'tool_result', payload: approved },
        { ...adk(piece(1, 'One at ')), event_id: 'e-1-1:partial' },
      ].map((one) => ({ ...one, run_id: 'r-2' }))
      const waited = { kind: 'run_end', payload: { status: 'waiting', code: null, message: null } }
      await record(thread, [adk(engine[0]), waited, ...later])
      // As `llm-eval bridge --log-dir` writes it.
      const raw = [
        ['r-1', engine[0]],
        ['r-2', piece(1, 'One at ')],
        ['r-2', piece(2, 'the Tiber.')],
        ['r-2', engine[2]],
      ].map(([run_id, line]) => JSON.stringify({ thread_id: thread, run_id, raw: adk(line).payload }))
      const events = [
        ...bridge,
        ...bridge.filter((line) => !line.includes('TOOL')).map((line) => line.replace('r-1', 'r-2')),
      ]
      const cwd = place({
        'logs/events_1.log': events.join('\n').replaceAll('logged', thread),
        'logs/agent_engine_raw_1.log': raw.join('\n'),
      })
      const args = which === 'with' ? named : ['import-logs', '--engine', 'logs/agent_engine_raw_*.log']
      expect((await llmEval(args, { cwd, env: env() })).out).toMatch(new RegExp(`^${thread}: 3 events, `))
      expect(await show(thread)).toMatchObject({ state: 'finished' })
      expect((await llmEval(args, { cwd, env: env() })).out).toMatch(new RegExp(`^${thread}: 0 events, `))
    },
  )

  test('goes on with what it imported of the later of two requests that ADK numbers alike', async () => {
    const raw = [
      ['r-1', engine[0]],
      ['r-2', engine[1]],
      ['r-2', engine[2]],
    ].map(([run_id, line]) => JSON.stringify({ thread_id: 'both-imported', run_id, raw: adk(line).payload }))
    const engineOnly = ['import-logs', '--engine', 'logs/agent_engine_raw_*.log']
    const cwd = place({ 'logs/agent_engine_raw_1.log': raw.slice(0, 2).join('\n') })
    expect((await llmEval(engineOnly, { cwd, env: env() })).out).toBe('both-imported: 6 events.\n')
    writeFileSync(join(cwd, 'logs/agent_engine_raw_1.log'), raw.join('\n'))
    // The answer, and an end.
    expect((await llmEval(engineOnly, { cwd, env: env() })).out).toBe('both-imported: 2 events, 5 were there.\n')
    expect(await show('both-imported')).toMatchObject({ state: 'finished' })
    expect((await llmEval(engineOnly, { cwd, env: env() })).out).toBe('both-imported: 0 events, 7 were there.\n')
  })

  test('does not mark as finished what a log in another form ends, and goes on with it by one in the same form', async () => {
    await record('other-log', [adk(engine[0])])
    const cwd = place(answering('other-log'))
    const bridgeOnly = ['import-logs', '--bridge', 'logs/events_1.log']
    const other = await llmEval(bridgeOnly, { cwd, env: env() })
    expect(other.err).toContain('only a log of the engine (--engine) goes on with it: its rest is not told')
    expect(await show('other-log')).toMatchObject({ state: 'truncated' })
    const same = await llmEval(named, { cwd, env: env() })
    expect([same.out, same.err]).toEqual(['other-log: 3 events, 3 were there.\n', ''])
    expect(await show('other-log')).toMatchObject({
      state: 'finished',
      turns: [{ steps: [{ kind: 'tool', result: { result: 'ok' } }, { text: rome.answer }] }],
    })
    expect((await llmEval(bridgeOnly, { cwd, env: env() })).out).toMatch(/^other-log: 0 events, /)
  })

  test('says of a request that somebody told in words of their own that no log goes on with it', async () => {
    const payload = { id: null, text: 'One', author: 'agent', usage: null, model: null }
    await record('own-words', [{ kind: 'assistant_message', payload }])
    const { err } = await llmEval(named, { cwd: place(answering('own-words')), env: env() })
    expect(err).toContain('own-words: r-1 was recorded in other words than those of logs: its rest is not told')
    expect(await show('own-words')).toMatchObject({ turns: [{ steps: [{ text: 'One' }] }] })
  })

  test('tells no message of a user again that an engine logs as its own event, where the bridge recorded it', async () => {
    const said = event('e-1', 0, { role: 'user', parts: [{ text: rome.user }] }).replace('root_agent', 'user')
    const piece = (place: number, text: string) =>
      event('e-1', place, { role: 'model', parts: [{ text }] }).replace('{', '{"partial":true,')
    const log = [said, piece(1, 'One at '), piece(2, 'the Tiber.'), event('e-1', 3, { parts: [{ text: rome.answer }] })]
    await record('echoed', [{ ...adk(piece(1, 'One')), event_id: 'e-1-1:partial' }])
    const cwd = place({ ...answering('echoed'), 'logs/agent_engine_raw_1.log': log.join('\n') })
    expect((await llmEval(named, { cwd, env: env() })).out).toBe('echoed: 4 events, 2 were there.\n')
    expect(await show('echoed')).toMatchObject({
      state: 'finished',
      turns: [{ user: { text: rome.user }, steps: [{ text: rome.answer }] }],
    })
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
