import { HttpAgent } from '@ag-ui/client'
import { HttpAgent as HttpAgent0 } from '@ag-ui/client-0'
import type { ConversationEvent } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { ConversationRecorder, type RecorderOptions } from '../src/recorder/index.ts'
import { type AguiScript, primes, startAguiServer } from './agui-server.ts'

const start = Date.UTC(2026, 0, 5, 9, 30)

/** Each look at the clock is a second later. */
function ticking(): () => number {
  let at = start
  return () => (at += 1_000)
}

const kinds = (events: readonly ConversationEvent[]) =>
  events.map(({ kind, payload }) => ('type' in payload ? String(payload['type']) : kind))

const turn = [
  'run_start',
  'user_message',
  'RUN_STARTED',
  'TOOL_CALL_START',
  'TOOL_CALL_ARGS',
  'TOOL_CALL_END',
  'TOOL_CALL_RESULT',
  'TEXT_MESSAGE_START',
  'TEXT_MESSAGE_CONTENT',
  'TEXT_MESSAGE_END',
  'RUN_FINISHED',
  'run_end',
]

const clients = [
  ['1.0.0', HttpAgent],
  ['0.0.59', HttpAgent0],
] as const

describe.each(clients)('a recorder attached to HttpAgent of @ag-ui/client %s', (_, Agent) => {
  /** An agent, what records it, and a way to ask. */
  async function scene(script: AguiScript, options: Partial<RecorderOptions> = {}) {
    const server = await startAguiServer(script)
    const agent = new Agent({ url: server.url, threadId: 'thread-1' })
    const recorder = new ConversationRecorder({ threadId: 'thread-1', now: ticking(), ...options })
    const detach = recorder.attach(agent)
    let asked = 0
    return {
      agent,
      recorder,
      detach,
      async ask(content: string) {
        agent.addMessage({ id: `u${++asked}`, role: 'user', content })
        await agent.runAgent()
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  }

  it('records what the user said before the agent is asked, all that came, and how it ended', async () => {
    await using all = await scene(primes())
    await all.ask('What is the 10th prime?')
    const { events } = all.recorder
    expect(kinds(events)).toEqual(turn)
    expect(events.map(({ seq }) => seq)).toEqual(turn.map((_kind, index) => index + 1))
    expect(new Set(events.map(({ run_id }) => run_id)).size).toBe(1)
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(events.length)
    expect(events[0]?.at).toBe('2026-01-05T09:30:01.000Z')
    expect(events[1]?.payload).toEqual({ id: 'u1', text: 'What is the 10th prime?', files: [], author: null })
    expect(events[11]?.payload).toEqual({ status: 'finished', code: null, message: null })
  })

  it('keeps pieces of one text as one event', async () => {
    await using all = await scene(primes())
    await all.ask('What is the 10th prime?')
    const said = all.recorder.events.flatMap(({ kind, payload }) => (kind === 'agui_event' ? payload['delta'] : []))
    expect(said.filter((delta) => delta !== undefined)).toEqual(['{"n":10}', 'It is 29.'])
  })

  it('records each message once, though every request sends the whole history again', async () => {
    await using all = await scene(primes())
    await all.ask('What is the 10th prime?')
    await all.ask('And again?')
    expect(all.recorder.warnings).toEqual([])
    expect(kinds(all.recorder.events)).toEqual([...turn, ...turn])
    const said = all.recorder.events.flatMap(({ kind, payload }) => (kind === 'user_message' ? payload : []))
    expect(said).toMatchObject([{ text: 'What is the 10th prime?' }, { text: 'And again?' }])
  })

  it('records the results of tools that the page runs itself', async () => {
    await using all = await scene(primes())
    await all.ask('What is the 10th prime?')
    all.agent.addMessage({ id: 't1', role: 'tool', toolCallId: 'c9', content: '{"ok":true}' })
    await all.ask('Done')
    expect(all.recorder.events.filter(({ kind }) => kind === 'tool_result')).toMatchObject([
      { payload: { id: 'c9', name: null, result: { ok: true } } },
    ])
  })

  it('records files that a user sends', async () => {
    await using all = await scene(primes())
    all.agent.addMessage({
      id: 'u1',
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image', source: { type: 'data', value: 'aGk=', mimeType: 'image/png' } },
        { type: 'image', source: { type: 'url', value: 'https://example.com/a.png' } },
      ],
    })
    await all.agent.runAgent()
    expect(all.recorder.events[1]?.payload).toMatchObject({
      text: 'What is this?',
      files: [
        { mime_type: 'image/png', data: 'aGk=', uri: null },
        { mime_type: 'application/octet-stream', data: null, uri: 'https://example.com/a.png' },
      ],
    })
  })

  const ends: [string, AguiScript, object][] = [
    [
      'trap 17: a stream that breaks off, which the client takes for success, is truncated',
      (say, { threadId, runId }) => say({ type: 'RUN_STARTED', threadId, runId }),
      { status: 'truncated' },
    ],
    [
      'trap 16: an error of the agent is a failure with its code',
      (say, { threadId, runId }) => {
        say({ type: 'RUN_STARTED', threadId, runId })
        say({ type: 'RUN_ERROR', message: 'The model is gone.', code: 'GONE' })
      },
      { status: 'failed', code: 'GONE', message: 'The model is gone.' },
    ],
    [
      'an agent that asks its user is waiting',
      (say, { threadId, runId }) => {
        say({ type: 'RUN_STARTED', threadId, runId })
        say({
          type: 'RUN_FINISHED',
          threadId,
          runId,
          outcome: { type: 'interrupt', interrupts: [{ id: 'i1', reason: 'input_required' }] },
        })
      },
      { status: 'waiting' },
    ],
  ]
  it.each(ends)('%s', async (_name, script, end) => {
    await using all = await scene(script)
    await all.ask('Hello').catch(() => undefined)
    expect(all.recorder.events.at(-1)).toMatchObject({ kind: 'run_end', payload: end })
  })

  it('a user who stops the agent cancels it', async () => {
    await using all = await scene((say, { threadId, runId }, response) => {
      say({ type: 'RUN_STARTED', threadId, runId })
      say({ type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' })
      return new Promise((resolve) => void response.on('close', resolve))
    })
    all.agent.subscribe({ onTextMessageStartEvent: () => all.agent.abortRun() })
    await all.ask('Hello').catch(() => undefined)
    expect(all.recorder.events.at(-1)).toMatchObject({ kind: 'run_end', payload: { status: 'cancelled' } })
  })

  it('a server that does not answer as an agent is a failure', async () => {
    await using all = await scene((_say, _input, response) => void response.end('data: {"type":"NONE"}\n\n'))
    await all.ask('Hello').catch(() => undefined)
    expect(all.recorder.events.at(-1)).toMatchObject({ kind: 'run_end' })
    expect(all.recorder.events.at(-1)?.payload).not.toMatchObject({ status: 'finished' })
  })

  it('takes what was said before it listened from the messages of the page, and says that it did', async () => {
    await using server = await startAguiServer(primes())
    const agent = new Agent({ url: server.url, threadId: 'thread-1' })
    agent.setMessages([
      { id: 'u0', role: 'user', content: 'Hi' },
      {
        id: 'a0',
        role: 'assistant',
        content: 'One moment.',
        toolCalls: [{ id: 'c0', type: 'function', function: { name: 'greet', arguments: '{"to":"you"}' } }],
      },
      { id: 't0', role: 'tool', toolCallId: 'c0', content: 'done' },
      { id: 'a1', role: 'assistant', content: 'Hello!' },
      { id: 'u1', role: 'user', content: 'What is the 10th prime?' },
    ])
    const recorder = new ConversationRecorder({ threadId: 'thread-1' })
    recorder.attach(agent)
    await agent.runAgent()
    expect(kinds(recorder.events)).toEqual([
      'user_message',
      'assistant_message',
      'tool_call',
      'tool_result',
      'assistant_message',
      ...turn,
    ])
    expect(recorder.events[2]?.payload).toMatchObject({ id: 'c0', name: 'greet', args: { to: 'you' } })
    expect(recorder.events[3]?.payload).toMatchObject({ id: 'c0', result: { result: 'done' } })
    expect(recorder.warnings).toEqual([expect.stringContaining('before the recorder listened')])
  })

  it('keeps out other threads, and says so', async () => {
    await using server = await startAguiServer(primes())
    const agent = new Agent({ url: server.url, threadId: 'another' })
    const recorder = new ConversationRecorder({ threadId: 'thread-1' })
    recorder.attach(agent)
    await agent.runAgent()
    expect(recorder.events).toEqual([])
    expect(recorder.warnings).toEqual([expect.stringContaining('another')])
  })

  it('keeps a text in very many pieces as one event', async () => {
    const many = 5_000
    await using all = await scene((say, { threadId, runId }) => {
      say({ type: 'RUN_STARTED', threadId, runId })
      say({ type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' })
      for (let n = 0; n < many; n++) say({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'a' })
      say({ type: 'TEXT_MESSAGE_END', messageId: 'm' })
      say({ type: 'RUN_FINISHED', threadId, runId })
    })
    await all.ask('Talk')
    expect(all.recorder.events).toHaveLength(8)
    expect(JSON.stringify(all.recorder.exportToEvalFormat())).toContain('a'.repeat(many))
  })

  it('trap 30: takes keys of prototypes for keys like any other', async () => {
    await using all = await scene((say, { threadId, runId }, response) => {
      say({ type: 'RUN_STARTED', threadId, runId })
      const value = '{"__proto__":{"polluted":true},"constructor":1}'
      response.write(`data: {"type":"CUSTOM","name":"n","value":${value},"__proto__":{"polluted":true}}\n\n`)
      say({ type: 'RUN_FINISHED', threadId, runId })
    })
    await all.ask('Hello')
    all.recorder.recordToolCall('f', JSON.parse('{"__proto__":{"polluted":true}}'), 'c')
    expect(JSON.stringify(all.recorder.events.at(-1)?.payload)).toContain('"__proto__":{"polluted":true}')
    expect(all.recorder.toFile().text).toContain('"f"')
    expect(Object.keys(Object.prototype)).toEqual([])
    expect({}).not.toHaveProperty('polluted')
  })

  it('stops listening when told', async () => {
    await using all = await scene(primes())
    all.detach()
    await all.ask('What is the 10th prime?')
    expect(all.recorder.events).toEqual([])
  })
})

describe('a recorder that is told by hand', () => {
  it('takes the methods of the source document', () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1', now: ticking() })
    recorder.recordUserMessage('What is the 10th prime?')
    recorder.recordThinking(86)
    recorder.recordToolCall('find_nth_prime', { n: 10 }, 'adk-1')
    recorder.recordToolResult('adk-1', { result: 29 })
    recorder.recordAssistantMessage('It is 29.')
    expect(kinds(recorder.events)).toEqual([
      'user_message',
      'thinking',
      'tool_call',
      'tool_result',
      'assistant_message',
    ])
    expect(recorder.events[1]?.payload).toMatchObject({ usage: { thoughts: 86, input: null, total: null } })
    expect(new Set(recorder.events.map(({ invocation_id }) => invocation_id)).size).toBe(1)
    recorder.recordUserMessage('And the 11th?')
    expect(recorder.events.at(-1)?.invocation_id).not.toBe(recorder.events[0]?.invocation_id)
  })

  it.each([
    ['an object', { a: 1 }, { a: 1 }],
    ['JSON of an object', '{"a":1}', { a: 1 }],
    ['a list', [1, 2], { result: [1, 2] }],
    ['plain text', 'done', { result: 'done' }],
    ['a number', 29, { result: 29 }],
    ['nothing', undefined, { result: null }],
  ])('trap 10: a result that is %s stands in an object', (_, given, kept) => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1' })
    recorder.recordToolResult('c', given)
    expect(recorder.events[0]?.payload).toMatchObject({ result: kept })
  })

  it('trap 9: a call without arguments has none, which is an object', () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1' })
    recorder.recordToolCall('now', undefined, 'c')
    expect(recorder.events[0]?.payload).toMatchObject({ args: {} })
  })

  it('takes a history of messages, of which it knows some', () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1' })
    const history = [
      { id: 'u1', role: 'user', content: 'Hi' },
      { id: 'a1', role: 'assistant', content: 'Hello!' },
    ]
    recorder.recordMessages(history)
    recorder.recordMessages([...history, { id: 'u2', role: 'user', content: 'Bye' }, { nonsense: true }])
    expect(kinds(recorder.events)).toEqual(['user_message', 'assistant_message', 'user_message'])
    expect(new Set(recorder.events.map(({ invocation_id }) => invocation_id)).size).toBe(2)
  })

  it('keeps the beginning when it is full, and says so', () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1', bounds: { events: 2 } })
    for (const text of ['one', 'two', 'three']) recorder.recordUserMessage(text)
    expect(recorder.events.map(({ payload }) => payload)).toMatchObject([{ text: 'one' }, { text: 'two' }])
    expect(recorder.warnings).toEqual([expect.stringContaining('1 event')])
    const small = new ConversationRecorder({ threadId: 'thread-1', bounds: { bytes: 1_000 } })
    small.recordUserMessage('fits')
    small.recordUserMessage('x'.repeat(1_000))
    expect(small.events).toHaveLength(1)
  })

  it('wants a thread', () => {
    expect(() => new ConversationRecorder({ threadId: '' })).toThrow(TypeError)
  })
})

describe.each(clients)('a file of a conversation behind any other bridge, with HttpAgent %s', (_, Agent) => {
  async function recorded(script: AguiScript, options: Partial<RecorderOptions> = {}): Promise<ConversationRecorder> {
    await using server = await startAguiServer(script)
    const agent = new Agent({ url: server.url, threadId: 'thread-1' })
    const recorder = new ConversationRecorder({ threadId: 'thread-1', now: ticking(), ...options })
    recorder.attach(agent)
    for (const content of ['What is the 10th prime?', 'And again?']) {
      agent.addMessage({ id: crypto.randomUUID(), role: 'user', content })
      await agent.runAgent().catch(() => undefined)
    }
    return recorder
  }

  it('has a turn for each request, and lists what nobody told', async () => {
    const recorder = await recorded(primes(), { rootAgent: 'mathematician', appName: 'primes', userId: 'ada' })
    const { warnings } = recorder.toFile()
    expect(warnings.length).toBeGreaterThan(0)
    const runs = [...new Set(recorder.events.map(({ run_id }) => run_id))]
    expect(recorder.exportToEvalFormat()).toMatchObject({
      session_input: { app_name: 'primes', user_id: 'ada' },
      conversation: runs.map((run, index) => ({
        invocation_id: `e-${run}`,
        user_content: { parts: [{ text: ['What is the 10th prime?', 'And again?'][index] }], role: 'user' },
        final_response: { parts: [{ text: 'It is 29.' }], role: 'model' },
        intermediate_data: {
          invocation_events: [
            {
              author: 'mathematician',
              content: { parts: [{ function_call: { name: 'find_nth_prime', args: { n: 10 } } }], role: 'model' },
            },
            {
              author: 'mathematician',
              content: { parts: [{ function_response: { response: { result: 29 } } }], role: 'user' },
            },
          ],
        },
      })),
    })
  })

  it('trap 17: holds what came of a stream that broke off, and says that it did', async () => {
    const recorder = await recorded((say, { threadId, runId }) => {
      say({ type: 'RUN_STARTED', threadId, runId })
      say({ type: 'TEXT_MESSAGE_START', messageId: `m-${runId}`, role: 'assistant' })
      say({ type: 'TEXT_MESSAGE_CONTENT', messageId: `m-${runId}`, delta: 'It is' })
    })
    const { warnings, text } = recorder.toFile()
    expect(text).toContain('It is')
    expect(warnings.join('\n')).toContain('truncated')
  })
})

describe('a file of a conversation', () => {
  it('is always the same, whenever it is made', async () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1', now: ticking() })
    recorder.recordUserMessage('Hi')
    recorder.recordAssistantMessage('Hello!', { tokens: { output: 3 }, model: 'gemini' })
    const first = recorder.toFile()
    expect(recorder.toFile()).toEqual(first)
    expect(first.name).toMatch(/^case[0-9a-f]{12}\.evalset\.json$/)
    expect(recorder.toFile({ format: 'jsonl' }).text.trim().split('\n')).toHaveLength(2)
    expect(JSON.parse(recorder.toFile({ format: 'trace' }).text)).toMatchObject({ ai_response: 'Hello!' })
  })

  it('can be of some turns, of all versions of ADK, and with tokens', () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1', now: ticking() })
    for (const text of ['one', 'two']) {
      recorder.recordUserMessage(text)
      recorder.recordAssistantMessage(`${text}!`, { tokens: { output: 3 }, model: 'gemini' })
    }
    expect(recorder.exportToEvalFormat({ turns: [1] })).toMatchObject({
      conversation: [{ user_content: { parts: [{ text: 'two' }] } }],
    })
    expect(recorder.exportToEvalFormat({ format: 'evalset' })).toMatchObject({
      eval_cases: [{ conversation: [{}, {}] }],
    })
    expect(recorder.toFile({ usage: 'included' }).text).toContain('candidates_token_count')
    expect(recorder.toFile({ format: 'legacy' }).text).toContain('tool_uses')
  })

  it('cannot be downloaded where there is no page, and the error says what to do', () => {
    const recorder = new ConversationRecorder({ threadId: 'thread-1' })
    recorder.recordUserMessage('Hi')
    expect(() => recorder.download()).toThrow(/needs a page: elsewhere take toFile/)
  })

  it('trap 24: has an id that adk eval does not split, whatever the thread is called', () => {
    const recorder = new ConversationRecorder({ threadId: 'a:b,c/d e' })
    expect(recorder.exportToEvalFormat()['eval_id']).toMatch(/^case[0-9a-f]{12}$/)
  })
})
