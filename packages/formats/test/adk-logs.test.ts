import { limits } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinLogs, logLines, parseBridgeLog, parseEngineLog } from '../src/adk/index.ts'

const call = { id: 'adk-1', name: 'find_nth_prime', args: { n: 10 } }

/** What an agent sent in one turn: a call, its result, an answer; as Agent Engine writes it. */
function turn(id: string, { at = 1_763_829_465.4, callId = `adk-${id}` } = {}) {
  const of = (more: object, place: number) => ({
    id: `ev-${id}-${place}`,
    invocation_id: id,
    author: 'root_agent',
    timestamp: at + place,
    ...more,
  })
  return [
    of(
      {
        content: {
          role: 'model',
          parts: [{ function_call: { ...call, id: callId }, thought_signature: 'CrQCAd-_' }],
        },
      },
      0,
    ),
    of(
      {
        content: {
          role: 'user',
          parts: [{ function_response: { id: callId, name: call.name, response: { result: 29 } } }],
        },
      },
      1,
    ),
    of({ content: { role: 'model', parts: [{ text: 'It is 29.' }] } }, 2),
  ]
}

const lines = (values: readonly object[], prefix = '') => values.map((value) => `${prefix}${JSON.stringify(value)}`)
const codes = (log: { warnings: { code: string }[] }) => log.warnings.map(({ code }) => code)

describe('the log of an engine is read', () => {
  const events = turn('e-1')
  const session = { id: 's-1', appName: 'agent1', userId: 'ada', events }
  const python = (value: unknown): string => {
    if (value === null) return 'None'
    if (typeof value === 'boolean') return value ? 'True' : 'False'
    if (typeof value === 'string') return `'${value.replaceAll("'", String.raw`\'`)}'`
    if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`
    if (typeof value === 'object')
      return `{${Object.entries(value)
        .map(([name, member]) => `'${name}': ${python(member)}`)
        .join(', ')}}`
    return JSON.stringify(value)
  }

  it.each<[string, string[]]>([
    ['one event a line', lines(events)],
    ['of data: lines, with what else SSE has', lines(events, 'data: ').flatMap((line) => ['event: message', line, ''])],
    ['of data:, without a space, with CRLF', lines(events, 'data:').map((line) => `${line}\r`)],
    ['after a time and a level', lines(events, '2025-11-22 16:37:45,399 [INFO] agent {app}: raw: ')],
    ['over several lines', events.flatMap((event) => JSON.stringify(event, null, 2).split('\n'))],
    [
      'over several lines after a prefix',
      events.flatMap((event) => `INFO raw: ${JSON.stringify(event, null, 4)}`.split('\n')),
    ],
    [
      'over several data: lines',
      events.flatMap((event) =>
        JSON.stringify(event, null, 1)
          .split('\n')
          .map((line) => `data: ${line}`),
      ),
    ],
    ['several on a line', [events.map((event) => JSON.stringify(event)).join(' ')]],
    ['as a list', JSON.stringify(events, null, 2).split('\n')],
    [
      'as a list with an event a line',
      ['[', ...lines(events).map((line, place) => (place < 2 ? `${line},` : line)), ']'],
    ],
    ['as Python prints dicts', events.map((event) => `DEBUG chunk=${python(event)}`)],
    [
      'in objects of a logger',
      lines(events.map((event) => ({ severity: 'INFO', jsonPayload: { message: JSON.stringify(event) } }))),
    ],
    ['in the session that ADK stores', JSON.stringify(session, null, 2).split('\n')],
    ['behind a byte order mark', lines(events).map((line, place) => (place === 0 ? `\uFEFF${line}` : line))],
    ['with something after the JSON', lines(events).map((line) => `${line} (took 3 ms)`)],
  ])('%s', async (_name, log) => {
    const read = await parseEngineLog(log)
    expect(codes(read)).toEqual([])
    expect(read.events.map(({ event }) => [event.id, event.invocationId, event.author])).toEqual(
      events.map(({ id }) => [id, 'e-1', 'root_agent']),
    )
    const parts = read.events.flatMap(({ event }) => event.content?.parts ?? [])
    expect(parts[0]).toEqual({ functionCall: { ...call, id: 'adk-e-1' }, thoughtSignature: 'CrQCAd-_' })
    expect(parts[2]).toEqual({ text: 'It is 29.' })
  })

  it('with bytes of Python as base64, and numbers that JSON has not as text', async () => {
    const read = await parseEngineLog([
      String.raw`{'invocation_id': 'e-1', 'author': 'a', 'timestamp': 1.5, 'content': {'parts': [{'text': 'it\'s ' "5 o'clock\n", 'thought_signature': b'\xff\xfe\x00a'}, {'function_call': {'name': 'f', 'args': {'big': 12345678901234567890, 'x': nan, 'y': (1, 2), 'z': -1.5e3, 'no': None, 'yes': True}}}], 'role': 'model'}}`,
    ])
    expect(codes(read)).toEqual(['number_as_text', 'number_as_text'])
    expect(read.events[0]?.event.content?.parts).toEqual([
      { text: "it's 5 o'clock\n", thoughtSignature: '__4AYQ==' },
      {
        functionCall: {
          name: 'f',
          args: { big: '12345678901234567890', x: 'nan', y: [1, 2], z: -1500, no: null, yes: true },
        },
      },
    ])
  })

  it('and what cannot be is told with its line', async () => {
    const [first = '', second = ''] = lines(events)
    const read = await parseEngineLog(
      [
        first.slice(0, 60),
        "Event(content=Content(parts=[Part(text='hi')]))",
        "{'author': 'a', 'content': Content(parts=[])}",
        '{"a": tru}',
        '{',
        '  "author": "a",',
        second,
        `${'['.repeat(500)}${']'.repeat(500)}`,
        '{"author": "a", "content": {"parts": [{"text": "whose?"}]}}',
        '{"error": "quota exceeded"}',
        'GET /apps/{app}/users/{user} 200 {it is prose}',
      ],
      { file: 'engine.log' },
    )
    expect(read.events.map(({ event, line }) => [event.id, line])).toEqual([['ev-e-1-1', 7]])
    expect(read.warnings.map(({ file, line, code }) => [file, line, code])).toEqual([
      ['engine.log', 1, 'cut_json'],
      ['engine.log', 3, 'python_object'],
      ['engine.log', 4, 'python_object'],
      ['engine.log', 5, 'cut_json'],
      ['engine.log', 8, 'too_deep'],
      ['engine.log', 9, 'bad_event'],
      ['engine.log', 10, 'agent_error'],
    ])
  })

  it('with __proto__ as a member like any other, which changes nothing else (trap 30)', async () => {
    const text =
      '{"invocation_id": "e-1", "author": "a", "timestamp": 1, "__proto__": {"polluted": 1}, "content": {"parts": [{"function_call": {"name": "f", "args": {"n": 1, "__proto__": {"polluted": 1}}}}]}}'
    for (const line of [text, text.replaceAll('"', "'")]) {
      const { events } = await parseEngineLog([line])
      const args: object = events[0]?.event.content?.parts?.[0]?.functionCall?.args ?? {}
      expect(Reflect.get(args, 'n')).toBe(1)
      expect([Reflect.get(args, 'polluted'), Reflect.get({}, 'polluted')]).toEqual([undefined, undefined])
    }
  })
})

describe('whatever a log holds', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '\\',
      'data: ',
      '{"',
      "{'",
      '": ',
      ', ',
      'None',
      'b"',
      '__proto__',
      '\uFEFF',
    ),
    fc.json(),
    fc.constantFrom(...lines(turn('e-1')), '2025-11-22 16:37:45 INFO RUN_STARTED {"threadId": "t", "runId": "r"}'),
  )

  it('nothing throws, and warnings have lines that are there', async () => {
    const log = fc.array(
      fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(log, log, async (bridge, engine) => {
        const read = [await parseBridgeLog(bridge), await parseEngineLog(engine)] as const
        const joined = joinLogs([read[0]], [read[1]])
        for (const { line } of [...read[0].warnings, ...read[1].warnings])
          expect(line === null || (line >= 1 && line <= 12)).toBe(true)
        expect(joined.threads.every(({ events }) => events.length > 0)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('every place where it breaks off leaves what came before', async () => {
    const whole = lines(turn('e-1'), 'data: ').join('\n')
    for (let end = 0; end <= whole.length; end += 7) {
      const read = await parseEngineLog(whole.slice(0, end).split('\n'))
      const finished = whole
        .slice(0, end)
        .split('\n')
        .filter((line) => line.endsWith('}}') || line.endsWith(']}}')).length
      expect(read.events.length).toBeGreaterThanOrEqual(Math.min(finished, 1) === 0 ? 0 : 1)
    }
  })

  it.each([
    ['brackets', '['.repeat(2_000_000)],
    ['braces with quotes', '{"'.repeat(1_000_000)],
    ['braces and spaces', `{${' '.repeat(90)}`.repeat(20_000)],
    ['escapes', `{"a": "${'\\'.repeat(2_000_000)}`],
    ['quotes', `{'a': ${"''".repeat(1_000_000)}`],
    ['pieces of literals', "{'a': (".repeat(200_000)],
  ])('a line of millions of %s is passed over', async (_name, line) => {
    const read = await parseEngineLog([line, ...lines(turn('e-1'))])
    expect(read.events.length).toBeGreaterThanOrEqual(0)
  })

  it('as much as it may be is read of it, and what is more is told', async () => {
    const event = (text: string) =>
      `{"invocation_id":"e","author":"a","timestamp":1,"content":{"parts":[{"text":"${text}"}]}}`
    const room = limits.logRecordChars - event('').length
    expect((await parseEngineLog([event('x'.repeat(room))])).events).toHaveLength(1)
    expect(codes(await parseEngineLog([event('x'.repeat(room + 1))]))).toEqual(['too_large'])
    const nested = (levels: number) => `{"error":"deep","a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
    expect(codes(await parseEngineLog([nested(limits.logRecordDepth)]))).toEqual(['agent_error'])
    expect(codes(await parseEngineLog([nested(limits.logRecordDepth + 1)]))).toEqual(['too_deep'])
    const bad = (count: number) => Array.from({ length: count }, () => '{"a": 1')
    expect((await parseEngineLog(bad(limits.logWarnings))).warnings).toHaveLength(limits.logWarnings)
    const told = (await parseEngineLog(bad(limits.logWarnings + 2))).warnings
    expect([told.length, told.at(-1)?.message]).toEqual([limits.logWarnings + 1, 'There are 2 more warnings.'])
    const three = lines(turn('e-1'))
    expect(codes(await parseEngineLog(three, { mostEvents: 3 }))).toEqual([])
    const two = await parseEngineLog(three, { mostEvents: 2 })
    expect([two.events.length, codes(two)]).toEqual([2, ['too_many']])
    const run = bridged({ thread: 't', run: 'r', text: 'one' })
    expect(codes(await parseBridgeLog(run, { mostEvents: 5 }))).toEqual([])
    const cut = await parseBridgeLog(run, { mostEvents: 4 })
    expect([cut.runs[0]?.events.length, codes(cut)]).toEqual([4, ['too_many']])
  })

  it('lines are found in bytes that are cut anywhere (trap 22)', async () => {
    const bytes = new TextEncoder().encode('grün\r\n日本\n\nend')
    for (let size = 1; size < 6; size++) {
      const found: string[] = []
      for await (const line of logLines(cutInto(bytes, size))) found.push(line)
      expect(found).toEqual(['grün\r', '日本', '', 'end'])
    }
  })
})

async function* cutInto(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

/** What a bridge logged of a run, a line an event. */
function bridged(
  { thread, run, text, id = `m-${run}` }: { thread: string; run: string; text: string; id?: string },
  { callId, at = '16:37:45' }: { callId?: string; at?: string } = {},
): string[] {
  const line = (type: string, value: object) =>
    `2025-11-22 ${at},120 INFO [bridge] ${type} ${JSON.stringify({ type, ...value })}`
  const input = { threadId: thread, runId: run, messages: [{ id, role: 'user', content: text }], tools: [] }
  return [
    `2025-11-22 ${at},100 INFO request ${JSON.stringify(input)}`,
    line('RUN_STARTED', { threadId: thread, runId: run }),
    ...(callId === undefined
      ? []
      : [
          line('TOOL_CALL_START', { toolCallId: callId, toolCallName: call.name }),
          line('TOOL_CALL_ARGS', { toolCallId: callId, delta: '{"n": 10}' }),
          line('TOOL_CALL_END', { toolCallId: callId }),
          line('TOOL_CALL_RESULT', { messageId: `r-${callId}`, toolCallId: callId, content: '{"result": 29}' }),
        ]),
    line('TEXT_MESSAGE_START', { messageId: `a-${run}`, role: 'assistant' }),
    line('TEXT_MESSAGE_CONTENT', { messageId: `a-${run}`, delta: 'It is 29.' }),
    line('TEXT_MESSAGE_END', { messageId: `a-${run}` }),
    line('RUN_FINISHED', { threadId: thread, runId: run }),
  ]
}

describe('the logs of a bridge and of an engine are put together', () => {
  // 2025-11-22 16:37:45 UTC.
  const begun = 1_763_829_465

  async function joined(bridge: string[], engine: string[], thread?: string) {
    const logs = [await parseBridgeLog(bridge), await parseEngineLog(engine)] as const
    expect([...codes(logs[0]), ...codes(logs[1])]).toEqual([])
    return joinLogs([logs[0]], [logs[1]], { thread })
  }

  it('by the id of a call', async () => {
    const { threads, warnings } = await joined(
      [
        ...bridged({ thread: 't-1', run: 'r-1', text: 'prime?' }, { callId: 'adk-e-1' }),
        ...bridged({ thread: 't-2', run: 'r-2', text: 'and then?' }, { callId: 'adk-e-2' }),
      ],
      // Clocks that are far apart do not matter.
      lines([...turn('e-2', { at: 5_000 }), ...turn('e-1', { at: 9_000 })]),
    )
    expect(warnings).toEqual([])
    expect(threads.map(({ thread_id }) => thread_id)).toEqual(['t-1', 't-2'])
    const [first] = threads
    expect(first?.events.map(({ kind, run_id, invocation_id }) => [kind, run_id, invocation_id])).toEqual([
      ['run_start', 'r-1', 'e-1'],
      ['user_message', 'r-1', 'e-1'],
      ['adk_event', 'r-1', 'e-1'],
      ['adk_event', 'r-1', 'e-1'],
      ['adk_event', 'r-1', 'e-1'],
      ['run_end', 'r-1', null],
    ])
    expect(first?.events[1]?.payload).toMatchObject({ id: 'm-r-1', text: 'prime?' })
    expect(first?.events.at(-1)?.payload).toMatchObject({ status: 'finished' })
  })

  it('by the id of an invocation', async () => {
    const bridge = [
      ...bridged({ thread: 't-1', run: 'r-1', text: 'one' }),
      ...bridged({ thread: 't-1', run: 'r-2', text: 'two' }),
    ].map((line) =>
      line.includes('TEXT_MESSAGE_START')
        ? line.replace('"role"', `"metadata":{"adk":{"invocationId":"${line.includes('r-1') ? 'e-1' : 'e-2'}"}},"role"`)
        : line,
    )
    const { threads, warnings } = await joined(bridge, lines([...turn('e-2'), ...turn('e-1')]))
    expect(warnings).toEqual([])
    expect(threads[0]?.events.filter(({ kind }) => kind === 'user_message').map((one) => one.invocation_id)).toEqual([
      'e-1',
      'e-2',
    ])
  })

  it('by session and time, which is told', async () => {
    const { threads, warnings } = await joined(
      [
        ...bridged({ thread: 't-1', run: 'r-1', text: 'one' }, { at: '16:37:45' }),
        ...bridged({ thread: 't-1', run: 'r-2', text: 'two' }, { at: '16:47:45' }),
      ],
      lines(
        [...turn('e-2', { at: begun + 600 }), ...turn('e-1', { at: begun })].map((event) => ({
          session_id: 't-1',
          event,
        })),
      ),
    )
    expect(warnings.map(({ code }) => code)).toEqual(['joined_by_time', 'joined_by_time'])
    expect(threads[0]?.events.filter(({ kind }) => kind === 'user_message').map((one) => one.invocation_id)).toEqual([
      'e-1',
      'e-2',
    ])
  })

  it('and what only one of them has is there, and told', async () => {
    const { threads, warnings } = await joined(
      bridged({ thread: 't-1', run: 'r-1', text: 'one' }),
      lines(turn('e-9', { at: begun + 86_400 })),
    )
    expect(warnings.map(({ code }) => code)).toEqual(['no_bridge_run', 'no_engine_events', 'no_user_message'])
    expect(threads.map(({ thread_id }) => thread_id)).toEqual(['t-1', 'e-9'])
    expect(threads[0]?.events.map(({ kind }) => kind)).toEqual([
      'run_start',
      'user_message',
      ...Array.from({ length: 5 }, () => 'agui_event'),
      'run_end',
    ])
  })

  it('with the requests of the engine where no bridge says what users said', async () => {
    const request = {
      class_method: 'async_stream_query',
      input: { user_id: 'ada', session_id: 's-1', message: 'prime?' },
    }
    const { threads, warnings } = await joined([], lines([request, ...turn('e-1')]))
    expect(warnings).toEqual([])
    expect(threads[0]).toMatchObject({ thread_id: 's-1' })
    expect(threads[0]?.events[1]).toMatchObject({
      kind: 'user_message',
      invocation_id: 'e-1',
      payload: { text: 'prime?' },
    })
  })

  it('only of the thread that is asked for', async () => {
    const bridge = [
      ...bridged({ thread: 't-1', run: 'r-1', text: 'one' }),
      ...bridged({ thread: 't-2', run: 'r-2', text: 'two' }),
    ]
    const { threads } = await joined(bridge, [], 't-2')
    expect(threads.map(({ thread_id }) => thread_id)).toEqual(['t-2'])
  })

  it('the same in whatever order and files the engine logged', async () => {
    const runs = ['1', '2', '3', '4', '5', '6'].map((n) => ({
      thread: `t-${Number(n) % 2}`,
      run: `r-${n}`,
      text: n,
      n,
    }))
    const bridge = await parseBridgeLog(
      runs.flatMap(({ n, ...run }) => bridged(run, { callId: `adk-e-${n}`, at: `16:37:4${n}` })),
    )
    const invocations = runs.map(({ n }) => lines(turn(`e-${n}`, { at: begun + Number(n) })))
    const threadsOf = async (logs: string[][]) => {
      const engine = await Promise.all(logs.map((log) => parseEngineLog(log)))
      const { threads, warnings } = joinLogs([bridge], engine)
      expect(warnings).toEqual([])
      return threads
    }
    const whole = await threadsOf([invocations.flat()])
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(invocations, { minLength: 6 }), fc.nat(6), async (shuffled, cut) => {
        const files = [shuffled.slice(0, cut).flat(), shuffled.slice(cut).flat()]
        expect(await threadsOf(files)).toEqual(whole)
      }),
      { numRuns: 50 },
    )
  })

  it('with frames that share an id kept apart, and what was logged twice kept once (trap 3)', async () => {
    const [event] = turn('e-1')
    const artifact = { ...event, content: undefined, actions: { artifact_delta: { 'a.png': 1 } } }
    const log = lines([event ?? {}, artifact, event ?? {}])
    const { threads } = await joined([], log)
    expect(threads[0]?.events.filter(({ kind }) => kind === 'adk_event').map(({ event_id }) => event_id)).toEqual([
      'ev-e-1-0',
      'ev-e-1-0#1',
    ])
  })

  it('with results that a front end brought for a call that takes long (trap 13)', async () => {
    const messages = [
      { id: 'm-1', role: 'user', content: 'approve it' },
      {
        id: 'm-2',
        role: 'assistant',
        toolCalls: [{ id: 'adk-7', type: 'function', function: { name: 'ask_boss', arguments: '{}' } }],
      },
      { id: 'm-3', role: 'tool', toolCallId: 'adk-7', content: '"yes"' },
    ]
    const log = [
      JSON.stringify({ threadId: 't-1', runId: 'r-2', messages }),
      JSON.stringify({ type: 'RUN_STARTED', threadId: 't-1', runId: 'r-2', timestamp: begun * 1_000 }),
      JSON.stringify({ type: 'RUN_ERROR', message: 'cut', code: 'UPSTREAM_TRUNCATED' }),
    ]
    const { threads } = await joined(log, [])
    expect(threads[0]?.events.map(({ kind }) => kind)).toEqual([
      'run_start',
      'tool_result',
      'agui_event',
      'agui_event',
      'run_end',
    ])
    expect(threads[0]?.events[1]?.payload).toEqual({
      id: 'adk-7',
      name: 'ask_boss',
      result: { result: 'yes' },
      author: 'user',
    })
    expect(threads[0]?.events.at(-1)?.payload).toMatchObject({ status: 'truncated', code: 'UPSTREAM_TRUNCATED' })
  })

  it('with what an agent does after the result that it waited for in the run that brought it, though ADK numbers both alike', async () => {
    // As `llm-eval bridge --log-dir` writes it.
    const logged = (run: string, values: object[]) =>
      lines(values.map((raw) => ({ thread_id: 't-1', run_id: run, raw })))
    const [asks, , answers] = turn('e-1', { callId: 'adk-7' })
    const bridge = [
      ...bridged({ thread: 't-1', run: 'r-1', text: 'prime?' }, { callId: 'adk-7' }),
      ...bridged({ thread: 't-1', run: 'r-2', text: 'here' }, { at: '16:47:45' }).map((line) =>
        line.replace('"role":"user"', '"role":"tool","toolCallId":"adk-7"'),
      ),
    ]
    const engine = [...logged('r-1', [asks ?? {}]), ...logged('r-2', [answers ?? {}])]
    const told = (threads: Awaited<ReturnType<typeof joined>>['threads']) =>
      threads.map(({ events }) => events.map(({ kind, run_id, event_id }) => [kind, run_id, event_id]))
    const spoken = [
      ['adk_event', 'r-1', 'ev-e-1-0'],
      ['adk_event', 'r-2', 'ev-e-1-2'],
    ]
    const both = await joined(bridge, engine)
    expect(both.warnings).toEqual([])
    expect(told(both.threads)).toEqual([
      [
        ['run_start', 'r-1', 'r-1:start'],
        ['user_message', 'r-1', 'r-1:said:0'],
        spoken[0],
        ['run_end', 'r-1', 'r-1:end'],
        ['run_start', 'r-2', 'r-2:start'],
        ['tool_result', 'r-2', 'r-2:said:0'],
        spoken[1],
        ['run_end', 'r-2', 'r-2:end'],
      ],
    ])
    // A name that logs of the bridge do not hold is not that of another run of them.
    const other = bridged({ thread: 't-1', run: 'r-3', text: 'more?' }, { callId: 'adk-7' })
    const half = await joined([...bridge.slice(10), ...other], engine)
    expect(half.warnings.map(({ code }) => code)).toEqual([
      'no_bridge_run',
      'no_engine_events',
      'no_user_message',
      'no_end',
    ])
    expect(told(half.threads)[0]?.filter(([kind]) => kind === 'adk_event')).toEqual(spoken)
    const alone = await joined([], engine)
    expect(told(alone.threads)[0]?.filter(([kind]) => kind === 'adk_event')).toEqual(spoken)
  })

  it('with runs at the same time told apart by the ids of what goes on', async () => {
    const one = bridged({ thread: 't-1', run: 'r-1', text: 'one' })
    const two = bridged({ thread: 't-2', run: 'r-2', text: 'two' })
    const mixed = one
      .flatMap((line, place) => [line, two[place] ?? ''])
      .map((line) => line.replace('TEXT_MESSAGE_START', (type) => `thread=t-${line.includes('r-1') ? 1 : 2} ${type}`))
    const log = await parseBridgeLog(mixed)
    const texts = log.runs.map(({ thread, events }) => [thread, events.length])
    expect(texts).toEqual([
      ['t-1', 5],
      ['t-2', 5],
    ])
  })
})
