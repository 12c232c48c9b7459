import { readFileSync } from 'node:fs'
import type { ConversationEvent } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AdkEvent, type AdkPart, readAdkText, readEvalSet, toInvocations } from '../src/adk/index.ts'
import { AdkToAgui } from '../src/agui/index.ts'
import { exportConversation, summarise, toAdkEvents, toTurns } from '../src/conversation/index.ts'
import { adk, ask, began, callTool, end, head, record, say, start, type Told, toolResult } from './conversation-told.ts'

const recordedStream = (name: string): AdkEvent[] =>
  [...readAdkText(readFileSync(new URL(`fixtures/adk/${name}.sse`, import.meta.url), 'utf8'))].flatMap((item) =>
    item.kind === 'event' ? [item.event] : [],
  )

/** The texts of each turn: the user's, and the last answer. */
function inShort(events: ConversationEvent[]): [string | undefined, string | undefined][] {
  const text = (parts: readonly AdkPart[] | undefined) =>
    parts?.map((part) => part.text ?? JSON.stringify(part)).join('|')
  const { invocations } = toInvocations(toAdkEvents(events).events)
  return invocations.map(({ userContent, finalResponse }) => [text(userContent.parts), text(finalResponse?.parts)])
}

describe('a conversation as events of ADK', () => {
  it("has the user's message in the invocation that the agent names later", () => {
    const { events, warnings } = toAdkEvents(record(start(), ask('hi'), adk([{ text: 'Hello' }]), end('finished')))
    expect(warnings).toEqual([])
    expect(events.map(({ author, invocationId }) => [author, invocationId])).toEqual([
      ['user', 'e-1'],
      ['root_agent', 'e-1'],
    ])
  })

  it('has it without requests too, before what is said next', () => {
    const events = record(
      ask('one', null),
      adk([{ text: 'A' }], { invocationId: 'e-1' }, null),
      ask('two', null),
      ask('more', null),
      adk([{ text: 'B' }], { invocationId: 'e-2', id: 'y' }, null),
      ask('three', null),
    )
    expect(inShort(events)).toEqual([
      ['one', 'A'],
      ['two|more', 'B'],
      ['three', undefined],
    ])
  })

  it('has turns also where an agent of ADK names no invocations', () => {
    const none = { invocationId: '' }
    const said = (id: string, text: string) => adk([{ text }], { ...none, id }, null)
    const events = record(
      adk([{ text: 'one' }], { ...none, id: 'u1', author: 'user' }, null),
      said('a1', 'A'),
      ask('two', null),
      said('a2', 'B'),
    )
    expect(inShort(events)).toEqual([
      ['one', 'A'],
      ['two', 'B'],
    ])
    expect(toTurns(events).map(({ user }) => user?.text)).toEqual(['one', 'two'])
  })

  it('is also one where nobody knows of ADK: messages, calls, results and thoughts', () => {
    const events = record(
      ask('weather?', null),
      {
        kind: 'thinking',
        run: null,
        payload: { text: 'Look it up.', thought_signature: 'CrQC', author: null, usage: null, model: null },
      },
      callTool('c1', 'weather', null),
      toolResult('c1', { sky: 'clear' }, null),
      {
        kind: 'assistant_message',
        run: null,
        payload: {
          id: null,
          text: 'Clear.',
          author: 'helper',
          usage: { input: 5, output: 7, thoughts: 3, cached: 1, total: 12 },
          model: 'm',
        },
      },
    )
    const { events: told, warnings } = toAdkEvents(events, { author: 'guide' })
    expect(warnings).toEqual([])
    expect(told.map(({ author, content }) => [author, content?.parts])).toEqual([
      ['user', [{ text: 'weather?' }]],
      ['guide', [{ text: 'Look it up.', thought: true, thoughtSignature: 'CrQC' }]],
      ['guide', [{ functionCall: { id: 'c1', name: 'weather', args: { city: 'Oslo' } } }]],
      ['guide', [{ functionResponse: { id: 'c1', name: 'weather', response: { sky: 'clear' } } }]],
      ['helper', [{ text: 'Clear.' }]],
    ])
    expect(new Set(told.map(({ invocationId }) => invocationId)).size).toBe(1)
    expect(told.at(-1)).toMatchObject({
      modelVersion: 'm',
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 4, thoughtsTokenCount: 3, totalTokenCount: 12 },
    })
  })

  it('has one turn for each message of a user, not one for each message', () => {
    const events = record(
      start('a'),
      ask('1', 'a'),
      say('A', 'a'),
      start('b'),
      ask('2', 'b'),
      callTool('c', 'f', 'b'),
      toolResult('c', {}, 'b'),
      say('B', 'b'),
    )
    expect(inShort(events)).toEqual([
      ['1', 'A'],
      ['2', 'B'],
    ])
  })

  it('has files of users', () => {
    const files = [
      { mime_type: 'image/png', data: '+/+/EIM=', uri: null },
      { mime_type: 'text/csv', data: null, uri: 'gs://a/b.csv' },
    ]
    const [event] = toAdkEvents(
      record({ kind: 'user_message', payload: { id: 'm', text: '', files, author: null } }),
    ).events
    expect(event?.content?.parts).toEqual([
      { inlineData: { data: '-_-_EIM=', mimeType: 'image/png' } },
      { fileData: { fileUri: 'gs://a/b.csv', mimeType: 'text/csv' } },
    ])
  })

  it('has a message once that the bridge recorded and the agent told too (trap 18)', () => {
    const own = adk([{ text: 'hi' }], { author: 'user', id: 'u' })
    const events = record(start(), ask('hi'), own, adk([{ text: 'Hello' }]))
    expect(toAdkEvents(events).events.map(({ author }) => author)).toEqual(['user', 'root_agent'])
    expect(inShort(events)).toEqual([['hi', 'Hello']])
  })

  it('repeats a message that was answered again, which is recorded once (trap 18)', () => {
    const events = record(
      start('a'),
      ask('poem', 'a', 'm1'),
      adk([{ text: 'Roses' }], { invocationId: 'e-1' }, 'a'),
      start('b'),
      adk([{ text: 'Violets' }], { invocationId: 'e-2', id: 'y' }, 'b'),
    )
    expect(inShort(events)).toEqual([
      ['poem', 'Roses'],
      ['poem', 'Violets'],
    ])
    expect(toAdkEvents(events).warnings).toEqual([
      'e-2: no message of the user was recorded: the one before is taken to be answered again',
    ])
  })

  it("knows that a result comes from the user's side where an earlier request ended with its call (trap 13)", () => {
    const events = record(
      start('a'),
      ask('pay', 'a'),
      adk([{ functionCall: { id: 'c', name: 'approve', args: {} } }], { longRunningToolIds: ['c'] }, 'a'),
      end('waiting', 'a'),
      start('b'),
      toolResult('c', { yes: true }, 'b'),
      adk([{ text: 'Paid.' }], { invocationId: 'e-2', id: 'y' }, 'b'),
      end('finished', 'b'),
    )
    const { events: told } = toAdkEvents(events)
    expect(told.map(({ author, invocationId }) => [author, invocationId])).toEqual([
      ['user', 'e-1'],
      ['root_agent', 'e-1'],
      ['user', 'e-2'],
      ['root_agent', 'e-2'],
    ])
    const [first, second] = toTurns(events)
    expect(first).toMatchObject({ state: 'waiting', user: { text: 'pay' } })
    expect(first?.steps).toEqual([
      {
        kind: 'tool',
        author: 'root_agent',
        at_ms: 100,
        id: 'c',
        name: 'approve',
        args: {},
        result: { yes: true },
        ended_ms: 400,
        long_running: true,
        signed: false,
      },
    ])
    expect(second).toMatchObject({ user: null, steps: [{ kind: 'text', text: 'Paid.', final: true }] })
  })

  it('tells what cannot be read, by its place, and goes on', () => {
    const events = record(
      ask('hi'),
      { kind: 'adk_event', payload: { nonsense: 1 } },
      { kind: 'agui_event', payload: { type: 5 } },
      { kind: 'thinking', payload: { text: null, thought_signature: '$', author: null, usage: null, model: null } },
      say('Hello'),
    )
    const { warnings } = toAdkEvents(events)
    expect(warnings[0]).toBe('event 2 (adk_event): is no event of ADK: it has neither author nor content')
    expect(warnings[1]).toMatch(/^event 3 \(agui_event\): /)
    expect(warnings[2]).toBe('event 4 (thinking): content.parts[0].thoughtSignature is no base64')
    expect(inShort(events)).toEqual([['hi', 'Hello']])
  })

  it('tells of at most two hundred such events one by one', () => {
    const bad = Array.from({ length: 250 }, (): Told => ({ kind: 'adk_event', payload: {} }))
    const { warnings } = toAdkEvents(record(...bad))
    expect(warnings).toHaveLength(201)
    expect(warnings.at(-1)).toBe('and 50 more')
  })

  it('is read whatever agents sent, and nothing throws', () => {
    const kinds = fc.oneof(
      fc.constant(start()),
      fc.constant(end('failed')),
      fc.string().map((text) => ask(text)),
      fc
        .dictionary(
          fc.constantFrom('type', 'author', 'content', 'actions', 'messageId', 'delta', '__proto__'),
          fc.jsonValue(),
        )
        .map((payload): Told => ({ kind: 'adk_event', payload })),
      fc
        .record({
          type: fc.constantFrom('RUN_STARTED', 'TEXT_MESSAGE_START', 'TEXT_MESSAGE_CONTENT', 'TOOL_CALL_ARGS'),
          messageId: fc.string(),
          delta: fc.jsonValue(),
          input: fc.jsonValue(),
        })
        .map((payload): Told => ({ kind: 'agui_event', payload })),
    )
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 10 }), (told) => {
        const events = record(...told)
        expect(toTurns(events).map(({ index }) => index)).toEqual(toTurns(events).map((_, index) => index))
        for (const format of ['evalset', 'evalcase', 'legacy', 'trace', 'jsonl'] as const)
          expect(() => exportConversation(head, events, { format })).not.toThrow()
      }),
    )
  })
})

describe('a conversation of AG-UI', () => {
  it.each(['prime', 'both', 'approve', 'move', 'file', 'note', 'fail'])(
    'that our bridge made of the recorded scene "%s" is the same file as that of ADK',
    (scene) => {
      const heard = recordedStream(scene)
      const bridge = new AdkToAgui({ now: () => began })
      const spoken = [
        ...bridge.start({ threadId: 't', runId: 'r1' }),
        ...heard.flatMap((event) => bridge.push(event)),
        ...bridge.end({ how: 'complete' }),
      ]
      const common = [start(), ask('?')]
      const file = (told: Told[]) =>
        exportConversation(head, record(...common, ...told, end('finished')), { format: 'evalset', usage: 'included' })
      const own = file(heard.map((payload): Told => ({ kind: 'adk_event', payload })))
      const other = file(
        spoken.map((payload): Told => ({ kind: 'agui_event', payload: JSON.parse(JSON.stringify(payload)) })),
      )
      expect(other.text).toBe(own.text)
    },
  )

  it('of any other bridge has no signature that is no base64: ADK would refuse the whole file (trap 8)', () => {
    const agui = (payload: Record<string, unknown>): Told => ({ kind: 'agui_event', payload })
    const events = record(
      start(),
      ask('hi'),
      agui({ type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'f' }),
      agui({ type: 'TOOL_CALL_END', toolCallId: 'c' }),
      agui({ type: 'REASONING_ENCRYPTED_VALUE', subtype: 'tool-call', entityId: 'c', encryptedValue: '{sealed}' }),
      agui({ type: 'RUN_FINISHED', threadId: 't', runId: 'r1' }),
      end('finished'),
    )
    const { events: told, warnings } = toAdkEvents(events)
    expect(told.at(-1)?.content?.parts).toEqual([{ functionCall: { id: 'c', name: 'f', args: {} } }])
    expect(warnings.some((warning) => warning.endsWith('thoughtSignature is no base64'))).toBe(true)
  })

  it('of any other bridge says what had to be made up, and takes the user from the request', () => {
    const agui = (payload: Record<string, unknown>, run = 'r1'): Told => ({ kind: 'agui_event', run, payload })
    const messages = [{ id: 'm1', role: 'user', content: 'hi' }]
    const later = [
      ...messages,
      { id: 'a1', role: 'assistant', content: 'Hello' },
      { id: 'm2', role: 'user', content: [{ type: 'text', text: 'bye' }] },
    ]
    const text = (id: string, delta: string, run: string): Told[] => [
      agui({ type: 'TEXT_MESSAGE_START', messageId: id, role: 'assistant' }, run),
      agui({ type: 'TEXT_MESSAGE_CONTENT', messageId: id, delta }, run),
      agui({ type: 'TEXT_MESSAGE_END', messageId: id }, run),
    ]
    const events = record(
      agui({ type: 'RUN_STARTED', threadId: 't', runId: 'r1', input: { threadId: 't', runId: 'r1', messages } }),
      ...text('a1', 'Hello', 'r1'),
      agui({ type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'f' }),
      agui({ type: 'TOOL_CALL_END', toolCallId: 'c' }),
      agui({ type: 'TOOL_CALL_RESULT', messageId: 'x', toolCallId: 'c', content: '[1]' }),
      agui({ type: 'RUN_FINISHED', threadId: 't', runId: 'r1' }),
      agui(
        { type: 'RUN_STARTED', threadId: 't', runId: 'r2', input: { threadId: 't', runId: 'r2', messages: later } },
        'r2',
      ),
      ...text('a2', 'Bye', 'r2'),
      agui({ type: 'RUN_ERROR', message: 'gone', code: 'X' }, 'r2'),
    )
    expect(inShort(events).map(([user]) => user)).toEqual(['hi', 'bye'])
    const { warnings } = toAdkEvents(events)
    expect(warnings.some((warning) => warning.includes('root_agent'))).toBe(true)
    const turns = toTurns(events)
    expect(turns.map(({ state, error }) => [state, error])).toEqual([
      ['finished', null],
      ['failed', 'X: gone'],
    ])
    expect(turns[0]?.steps.find((step) => step.kind === 'tool')).toMatchObject({
      name: 'f',
      args: {},
      result: { result: [1] },
    })
  })
})

describe('turns of a conversation', () => {
  it('have one step for text that came in pieces, at the time of its first piece', () => {
    const [turn] = toTurns(
      record(
        start(),
        ask('hi'),
        adk([{ text: 'They', thought: true }], { partial: true, id: 'p1' }),
        adk([{ text: 'Hel' }], { partial: true, id: 'p2' }),
        adk([{ text: 'lo' }], { partial: true, id: 'p3' }),
        adk([{ text: 'They ask', thought: true }, { text: 'Hello' }], {
          usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, thoughtsTokenCount: 3, totalTokenCount: 6 },
          modelVersion: 'm',
        }),
        end('finished'),
      ),
    )
    expect(turn).toEqual({
      index: 0,
      invocation_id: 'e-1',
      run_ids: ['r1'],
      at: new Date(began + 100).toISOString(),
      user: { text: 'hi', files: [] },
      steps: [
        { kind: 'thought', author: 'root_agent', at_ms: 100, text: 'They ask', partial: false, signed: false },
        { kind: 'text', author: 'root_agent', at_ms: 200, text: 'Hello', final: true, partial: false },
      ],
      state: 'finished',
      error: null,
      duration_ms: 500,
      first_token_ms: 100,
      tokens: { input: 1, output: 5, thoughts: 3, cached: null, total: 6 },
      models: ['m'],
    })
  })

  it('have no durations where all of it was told at one time: they are unknown, not 0', () => {
    const told = record(
      start(),
      ask('hi'),
      adk([{ functionCall: { id: 'c1', name: 'find', args: {} } }]),
      adk([{ functionResponse: { id: 'c1', name: 'find', response: { n: 1 } } }]),
      adk([{ text: 'Hello' }]),
      end('finished'),
    )
    const at = new Date(began).toISOString()
    const events = told.map((event) => ({ ...event, at }))
    expect(toTurns(events)).toMatchObject([
      {
        state: 'finished',
        duration_ms: null,
        first_token_ms: null,
        steps: [
          { kind: 'tool', at_ms: null, ended_ms: null, long_running: false, result: { n: 1 } },
          { kind: 'text', at_ms: null },
        ],
      },
    ])
    expect(summarise(events).session_stats.durationSeconds).toBeNull()
    // That it ended later is known, and so is how long it took.
    const later = [...events.slice(0, -1), ...told.slice(-1)]
    expect(toTurns(later)).toMatchObject([{ duration_ms: 500 }])
    expect(summarise(later).session_stats.durationSeconds).toBe(0.5)
  })

  it('show what came of a request that broke off', () => {
    const events = record(start(), ask('hi'), adk([{ text: 'Hel' }], { partial: true }), end('truncated', 'r1', 'cut'))
    expect(toTurns(events)).toMatchObject([
      { state: 'truncated', error: 'cut', steps: [{ kind: 'text', text: 'Hel', partial: true, final: false }] },
    ])
  })

  it('run while nobody said that they ended, and count as truncated when nothing was heard for long', () => {
    const events = record(start(), ask('hi'), adk([{ text: 'Hel' }], { partial: true }))
    const last = began + 200
    expect(toTurns(events)[0]).toMatchObject({ state: 'running', duration_ms: null })
    expect(toTurns(events, { now: last + 119_999 })[0]).toMatchObject({ state: 'running' })
    expect(toTurns(events, { now: last + 120_000 })[0]).toMatchObject({ state: 'truncated', duration_ms: 100 })
  })

  it('have calls with their results, also where these come in another order, and signatures (trap 4)', () => {
    const [turn] = toTurns(
      record(
        ask('both'),
        adk([
          { functionCall: { id: 'a', name: 'f', args: { n: 1 } }, thoughtSignature: 'CrQC' },
          { functionCall: { id: 'b', name: 'g' } },
        ]),
        adk(
          [
            { functionResponse: { id: 'b', name: 'g', response: { b: 1 } } },
            { functionResponse: { id: 'a', name: 'f', response: { a: 1 } } },
          ],
          { id: 'y' },
        ),
        adk([{ functionResponse: { id: 'z', name: 'h', response: {} } }], { id: 'w' }),
      ),
    )
    expect(turn?.steps).toMatchObject([
      { id: 'a', result: { a: 1 }, signed: true, at_ms: 100, ended_ms: 200 },
      { id: 'b', result: { b: 1 }, signed: false, args: {} },
      { id: 'z', name: 'h', result: {} },
    ])
  })

  it('have files, code with its output, and handovers', () => {
    const [turn] = toTurns(
      record(
        {
          kind: 'user_message',
          payload: { id: 'm', text: 'see', files: [{ mime_type: 'a/b', data: 'AAAA', uri: null }], author: null },
        },
        adk([{ executableCode: { code: 'print(1)', language: 'PYTHON' } }], { id: '1' }),
        adk([{ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } }], { id: '2' }),
        adk([{ inlineData: { data: 'QQ==', mimeType: 'image/png' } }, { fileData: { fileUri: 'gs://x' } }], {
          id: '3',
        }),
        adk([], { id: '4', actions: { transferToAgent: 'poet' } }),
        // Some agents say it with the call and with its result.
        adk([], { id: '5', actions: { transferToAgent: 'poet' } }),
      ),
    )
    expect(turn?.user).toEqual({ text: 'see', files: [{ mime_type: 'a/b', uri: null, bytes: 3 }] })
    expect(turn?.steps).toEqual([
      {
        kind: 'code',
        author: 'root_agent',
        at_ms: 100,
        language: 'PYTHON',
        code: 'print(1)',
        output: '1',
        outcome: 'OUTCOME_OK',
      },
      { kind: 'file', author: 'root_agent', at_ms: 300, file: { mime_type: 'image/png', uri: null, bytes: 1 } },
      {
        kind: 'file',
        author: 'root_agent',
        at_ms: 300,
        file: { mime_type: 'application/octet-stream', uri: 'gs://x', bytes: null },
      },
      { kind: 'transfer', author: 'root_agent', at_ms: 400, to: 'poet' },
    ])
  })

  it('of many thousands of events are there without waiting for each other', () => {
    const turns = Array.from({ length: 1_000 }, (_, at) => [
      start(`r${at}`),
      ask(`question ${at}`, `r${at}`),
      adk(
        [{ functionCall: { id: `c${at}`, name: 'f', args: { at } } }],
        { invocationId: `e-${at}`, id: `a${at}` },
        `r${at}`,
      ),
      adk(
        [{ functionResponse: { id: `c${at}`, name: 'f', response: { at } } }],
        { invocationId: `e-${at}`, id: `b${at}` },
        `r${at}`,
      ),
      adk([{ text: 'Done' }], { invocationId: `e-${at}`, id: `c${at}` }, `r${at}`),
    ])
    const events = record(...turns.flat())
    expect(toTurns(events)).toHaveLength(1_000)
    const told = readEvalSet(JSON.parse(exportConversation(head, events, { format: 'evalset' }).text))
    expect('set' in told && told.set.evalCases[0]?.conversation).toHaveLength(1_000)
  })

  it('of fifty thousand pieces of text are one', () => {
    const pieces = Array.from({ length: 50_000 }, (_, at) => adk([{ text: 'x' }], { partial: true, id: `p${at}` }))
    const events = record(start(), ask('hi'), ...pieces)
    const [turn] = toTurns(events)
    expect(turn?.steps).toMatchObject([{ kind: 'text', text: 'x'.repeat(50_000), partial: true }])
  })
})
