import { array, assert, asyncProperty, nat } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask } from '../src/index.ts'
import { blocks, lines, options, traceOf } from './scripted-agent.ts'

const level3 = [
  { type: 'tool_call', data: { name: 'analyzeStock', args: { symbol: 'AAPL' } } },
  { type: 'tool_result', data: { result: '…', success: true } },
  { type: 'usage', data: { input_tokens: 1000, output_tokens: 500 } },
  { type: 'message_complete', data: { content: 'Final response...' } },
]

/** Ways to send them. */
const framings = [
  ['lines', lines(...level3), 'application/x-ndjson'],
  ['lines under the name of JSON', lines(...level3), 'application/json'],
  ['lines under the name of text, with CRLF', lines(...level3).replaceAll('\n', '\r\n'), 'text/plain'],
  ['an event stream', blocks(...level3), 'text/event-stream'],
  ['an event stream under another name', blocks(...level3), 'text/plain'],
  [
    'named blocks',
    level3.map(({ type, data }) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`).join(''),
    'text/event-stream',
  ],
  ['flat events', lines(...level3.map(({ type, data }) => ({ type, ...data }))), 'application/x-ndjson'],
] as const

describe('a stream of level 3', () => {
  test.each(framings)('says the same in %s', async (_name, body, contentType) => {
    const trace = await traceOf(body, { contentType, model: 'gpt-5-mini' })
    expect(trace).toMatchObject({
      dialect: 'events',
      level: 3,
      output: 'Final response...',
      tokens: { input: 1000, output: 500, total: 1500 },
      cost: 0.00125,
      cost_source: 'priced',
      fault: null,
    })
    expect(trace.tool_calls).toMatchObject([
      { name: 'analyzeStock', args: { symbol: 'AAPL' }, result: '…', succeeded: true, error: null, turn: 1 },
    ])
  })

  test('gives results to calls by their id, and without ids in their order', async () => {
    const trace = await traceOf(
      lines(
        { type: 'tool_call', data: { id: 'a', name: 'first', args: {} } },
        { type: 'tool_call', data: { id: 'b', name: 'second', args: {} } },
        { type: 'tool_call', data: { name: 'third' } },
        { type: 'tool_call', data: { name: 'fourth' } },
        { type: 'tool_result', data: { id: 'b', result: 2, success: true } },
        { type: 'tool_result', data: { id: 'a', result: 1, success: true } },
        { type: 'tool_result', data: { result: 3 } },
        { type: 'tool_result', data: { success: false, error: 'no' } },
        { type: 'message_complete', data: { content: 'x' } },
      ),
    )
    expect(trace.tool_calls.map(({ name, result, succeeded, error }) => [name, result, succeeded, error])).toEqual([
      ['first', 1, true, null],
      ['second', 2, true, null],
      ['third', 3, null, null],
      ['fourth', null, false, 'no'],
    ])
  })

  test('that narrates a call and makes it has one step, and one of its own where it only narrates', async () => {
    const narration = (toolName: string) => ({ type: 'step_narration', data: { text: 'Looking', toolName } })
    const trace = await traceOf(
      lines(
        narration('search'),
        { type: 'tool_call', data: { name: 'search', args: { q: 'x' } } },
        narration('search'),
        narration('read'),
        { type: 'message_complete', data: { content: 'x' } },
      ),
    )
    expect(trace.tool_calls.map(({ name, args }) => [name, args])).toEqual([
      ['search', { q: 'x' }],
      ['read', null],
    ])
    expect(trace.notes.map(({ kind, text }) => [kind, text])).toEqual([0, 1, 2].map(() => ['narration', 'Looking']))
  })

  test('may tell its usage anywhere and often; it is summed, each by its model', async () => {
    const usage = (model: string) => ({
      type: 'usage',
      data: { input_tokens: 10, output_tokens: 1, cached_tokens: 4, model },
    })
    const trace = await traceOf(
      lines(usage('gpt-4o'), { type: 'message_complete', data: { content: 'x' } }, usage('gpt-4o-mini')),
    )
    expect(trace.tokens).toEqual({ input: 20, output: 2, cached: 8, total: 22 })
    expect(trace.cost).toBeCloseTo((6 * 2.5 + 4 * 1.25 + 10 + 6 * 0.15 + 4 * 0.075 + 0.6) / 1e6, 12)
  })

  test('of a model without a price, or with one usage that is unpriced, has an unknown cost', async () => {
    const usage = (model?: string) => ({ type: 'usage', data: { input_tokens: 10, output_tokens: 1, model } })
    const end = { type: 'message_complete', data: { content: 'x' } }
    for (const told of [usage('our-own-model'), usage()]) {
      const trace = await traceOf(lines(usage('gpt-4o'), told, end).replaceAll('gpt-4o', told.data.model ?? 'nobody'))
      expect([trace.cost, trace.cost_source]).toEqual([null, null])
    }
  })

  test('takes the final message in place of the tokens before it, and the tokens where it has no words', async () => {
    const tokens = ['He', 'llo'].map((token) => ({ type: 'token', data: { token } }))
    const whole = await traceOf(lines(...tokens, { type: 'message_complete', data: { content: 'Hello!' } }))
    expect(whole.output).toBe('Hello!')
    const pieces = await traceOf(lines(...tokens, { type: 'message_complete', data: {} }))
    expect(pieces.output).toBe('Hello')
    const final = await traceOf(lines({ type: 'final_message', data: { text: 'Bye' } }))
    expect(final.output).toBe('Bye')
  })

  test('keeps what it does not know', async () => {
    const odd = { type: 'mood', data: { happy: true } }
    const trace = await traceOf(lines({ type: 'status', data: { text: 'Refinement 1/3' } }, odd, level3.at(-1)))
    expect(trace.notes.map(({ kind, text }) => [kind, text])).toEqual([
      ['status', 'Refinement 1/3'],
      ['unknown', JSON.stringify(odd)],
    ])
  })

  test('says the same however it is cut into pieces', async () => {
    const body = Buffer.from(lines(...level3, { type: 'status', data: { text: 'Zürich 🚀' } }))
    const whole = await traceOf(body)
    await assert(
      asyncProperty(array(nat(body.length), { maxLength: 12 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), body.length]
        const pieces = edges.slice(1).map((edge, index) => body.subarray(edges[index], edge))
        const chunks = pieces.filter(({ length }) => length > 0)
        const stream = new ReadableStream({
          pull: (controller) => {
            const next = chunks.shift()
            if (next) controller.enqueue(next)
            else controller.close()
          },
        })
        const fetch = () =>
          Promise.resolve(new Response(stream, { headers: { 'content-type': 'application/x-ndjson' } }))
        const trace = await ask({ url: 'http://agent.test/' }, [{ query: 'x' }], options({ fetch }))
        const timeless = ({ tool_calls, notes, output, tokens, fault }: typeof trace) => ({
          calls: tool_calls.map(({ name, args, result }) => [name, args, result]),
          notes: notes.map(({ text }) => text),
          output,
          tokens,
          fault,
        })
        expect(timeless(trace)).toEqual(timeless(whole))
      }),
      { numRuns: 40 },
    )
  })
})

describe('a stream of another dialect', () => {
  test('OpenAI’s chunks are put together, arguments and all', async () => {
    const chunk = (delta: unknown, more: Record<string, unknown> = {}) => ({
      object: 'chat.completion.chunk',
      model: 'gpt-4o',
      choices: [{ index: 0, delta, ...more }],
    })
    const call = (index: number, told: Record<string, unknown>) => ({ tool_calls: [{ index, ...told }] })
    const trace = await traceOf(
      blocks(
        chunk({ role: 'assistant', content: 'Let me ' }),
        chunk({ content: 'see.' }),
        chunk(call(0, { id: 'c1', function: { name: 'add', arguments: '' } })),
        chunk(call(1, { id: 'c2', function: { name: 'mul', arguments: '{"x"' } })),
        chunk(call(0, { function: { arguments: '{"a":1' } })),
        chunk(call(1, { function: { arguments: ':3}' } })),
        chunk(call(0, { function: { arguments: ',"b":2}' } })),
        chunk({}, { finish_reason: 'tool_calls' }),
        { object: 'chat.completion.chunk', choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } },
        '[DONE]',
      ),
      { contentType: 'text/event-stream' },
    )
    expect(trace).toMatchObject({
      dialect: 'openai_chat',
      level: 3,
      output: 'Let me see.',
      tokens: { total: 10 },
      fault: null,
    })
    expect(trace.tool_calls.map(({ id, name, args }) => [id, name, args])).toEqual([
      ['c1', 'add', { a: 1, b: 2 }],
      ['c2', 'mul', { x: 3 }],
    ])
  })

  test('OpenAI’s Responses tell each call once', async () => {
    const item = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'analyze' }
    const message = { type: 'message', content: [{ type: 'output_text', text: 'Up.' }] }
    const trace = await traceOf(
      blocks(
        { type: 'response.created', response: { id: 'resp_1' } },
        { type: 'response.output_item.added', item: { ...item, arguments: '' } },
        { type: 'response.output_item.done', item: { ...item, arguments: '{"s":1}' } },
        { type: 'response.output_text.delta', delta: 'Up.' },
        {
          type: 'response.completed',
          response: {
            id: 'resp_1',
            model: 'gpt-5-mini',
            output: [{ ...item, arguments: '{"s":1}' }, message],
            usage: { input_tokens: 4, output_tokens: 1 },
          },
        },
      ),
      { contentType: 'text/event-stream' },
    )
    expect(trace).toMatchObject({
      dialect: 'openai_responses',
      level: 3,
      output: 'Up.',
      tokens: { total: 5 },
      fault: null,
    })
    expect(trace.tool_calls.map(({ id, name, args }) => [id, name, args])).toEqual([['c1', 'analyze', { s: 1 }]])
  })

  test('the AI SDK’s messages show text, calls, results and failures of tools', async () => {
    const trace = await traceOf(
      blocks(
        { type: 'start', messageMetadata: { model: 'gpt-4o' } },
        { type: 'start-step' },
        { type: 'reasoning-delta', id: 'r', delta: 'Hm.' },
        { type: 'tool-input-start', toolCallId: 'c1', toolName: 'weather' },
        { type: 'tool-input-delta', toolCallId: 'c1', inputTextDelta: '{"city"' },
        { type: 'tool-input-available', toolCallId: 'c1', toolName: 'weather', input: { city: 'Bern' } },
        { type: 'tool-output-available', toolCallId: 'c1', output: { t: 1 }, preliminary: true },
        { type: 'tool-output-available', toolCallId: 'c1', output: { t: 21 } },
        { type: 'tool-input-available', toolCallId: 'c2', toolName: 'map', input: {} },
        { type: 'tool-output-error', toolCallId: 'c2', errorText: 'no map' },
        { type: 'text-start', id: 't' },
        { type: 'text-delta', id: 't', delta: 'Sun' },
        { type: 'text-delta', id: 't', delta: 'ny.' },
        { type: 'finish', messageMetadata: { totalUsage: { inputTokens: 3, outputTokens: 2 } } },
        '[DONE]',
      ),
      { contentType: 'text/event-stream' },
    )
    expect(trace).toMatchObject({
      dialect: 'ai_sdk',
      level: 3,
      output: 'Sunny.',
      model: 'gpt-4o',
      tokens: { total: 5 },
      fault: null,
    })
    expect(
      trace.tool_calls.map(({ name, args, result, succeeded, error }) => [name, args, result, succeeded, error]),
    ).toEqual([
      ['weather', { city: 'Bern' }, { t: 21 }, true, null],
      ['map', {}, null, false, 'no map'],
    ])
  })

  test('the AI SDK’s older lines of codes are understood', async () => {
    const body =
      '0:"Sun"\n0:"ny."\n9:{"toolCallId":"c1","toolName":"weather","args":{"city":"Bern"}}\na:{"toolCallId":"c1","result":21}\nd:{"finishReason":"stop","usage":{"promptTokens":3,"completionTokens":2}}\n'
    const trace = await traceOf(body, { contentType: 'text/plain' })
    expect(trace).toMatchObject({ dialect: 'ai_sdk', level: 3, output: 'Sunny.', tokens: { total: 5 }, fault: null })
    expect(trace.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Bern' }, result: 21 }])
  })

  test('AG-UI’s events are put together', async () => {
    const trace = await traceOf(
      blocks(
        { type: 'RUN_STARTED', threadId: 't1', runId: 'r1' },
        { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'weather' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"city":' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '"Bern"}' },
        { type: 'TOOL_CALL_END', toolCallId: 'c1' },
        { type: 'TOOL_CALL_RESULT', toolCallId: 'c1', messageId: 'm0', content: '{"t":21}' },
        { type: 'TEXT_MESSAGE_START', messageId: 'm1', role: 'assistant' },
        { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta: 'Sunny.' },
        { type: 'TEXT_MESSAGE_END', messageId: 'm1' },
        { type: 'RUN_FINISHED', threadId: 't1', runId: 'r1' },
      ),
      { contentType: 'text/event-stream' },
    )
    expect(trace).toMatchObject({ dialect: 'ag_ui', level: 3, output: 'Sunny.', session_id: 't1', fault: null })
    expect(trace.tool_calls).toMatchObject([{ id: 'c1', name: 'weather', args: { city: 'Bern' }, result: { t: 21 } }])
  })

  test('a mapping reads the events of a stream too', async () => {
    const trace = await traceOf(lines({ bit: 'Sun' }, { other: 1 }, { bit: 'ny.' }), { response: { output: '$.bit' } })
    expect(trace).toMatchObject({ dialect: 'mapped', output: 'Sunny.', fault: null })
  })
})

describe('an event stream of plain words', () => {
  const stream = (...events: string[]) => events.map((one) => `${one}\n\n`).join('')

  test.each<[string, string]>([
    ['to its end', stream('data: AAPL', 'data:  is at', 'data:  266.')],
    ['until it says that it is done', stream('data: AAPL', 'data:  is at', 'data:  266.', 'data: [DONE]')],
    ['until an event says so', stream('data: AAPL', 'data:  is at 266.', 'event: done\ndata: bye')],
    ['under a name', stream('event: token\ndata: AAPL', 'event: token\ndata:  is at 266.')],
    ['that are written as JSON', stream('data: "AAPL"', 'data: " is at 266."', 'data: [DONE]')],
    ['with beats between them', stream(': hi', 'event: ping\ndata: now', 'data: AAPL is at', ':', 'data:  266.')],
  ])('is read %s, and shows no tools', async (...[, body]) => {
    const trace = await traceOf(body, { contentType: 'text/event-stream' })
    expect(trace).toMatchObject({ output: 'AAPL is at 266.', fault: null, level: 1, dialect: 'events' })
    expect(trace.captured).toEqual(['output', 'first_token'])
    expect(trace.warnings.join()).toContain('streams plain text')
  })

  test('may hold numbers, and words over several lines', async () => {
    const body = stream('data: 42', 'data:  is', 'data: the\ndata: answer')
    expect(await traceOf(body, { contentType: 'text/event-stream' })).toMatchObject({ output: '42 isthe\nanswer' })
  })

  test('fails where an event says so', async () => {
    const trace = await traceOf(stream('data: AAPL', 'event: error\ndata: db down'))
    expect(trace.fault).toMatchObject({ code: 'agent_error', message: 'The agent reported a failure: db down' })
    expect(trace.output).toBe('AAPL')
  })

  test('is none where events are JSON, of which one is broken', async () => {
    const first = await traceOf(stream('data: {"type": "token"', 'data: x'), { contentType: 'text/event-stream' })
    expect(first.fault).toMatchObject({ code: 'invalid_json', line: 1 })
    const later = await traceOf(stream('data: {"type": "token", "data": {"text": "a"}}', 'data: b'))
    expect(later.fault).toMatchObject({ code: 'invalid_json', line: 2 })
  })
})
