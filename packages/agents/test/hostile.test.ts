import { limits } from '@llm-eval/protocol'
import { array, assert, asyncProperty, constantFrom, jsonValue, oneof, record, string, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask } from '../src/index.ts'
import { answering, blocks, lines, options, scriptedAgent, traceOf } from './scripted-agent.ts'

const end = { type: 'message_complete', data: { content: 'done' } }
const query = [{ query: 'Hello' }]

describe('an answer under the wrong name', () => {
  test.each([
    ['lines as an event stream', lines({ type: 'status' }, end), 'text/event-stream'],
    ['one line as an event stream', lines(end), 'text/event-stream'],
    ['a document as an event stream', '{"response": "done"}', 'text/event-stream'],
    ['a document over many lines as an event stream', '{\n  "response": "done"\n}', 'text/event-stream; charset=utf-8'],
    ['a document as bytes', '{"response": "done"}', 'application/octet-stream'],
    ['a document as a page', '{"response": "done"}', 'text/html'],
    ['an event stream as a document', blocks({ type: 'status' }, end), 'application/json'],
    ['lines after a byte order mark', `\ufeff${lines({ type: 'status' }, end)}`, 'application/json'],
    ['an event stream after a byte order mark', `\ufeff${blocks({ type: 'status' }, end)}`, 'text/event-stream'],
  ])('is understood: %s', async (...[, body, contentType]) => {
    expect(await traceOf(body, { contentType })).toMatchObject({ output: 'done', fault: null })
  })
})

describe('an event stream', () => {
  const json = JSON.stringify(end)
  test.each([
    ['with CRLF', `data: {"type":"status"}\r\n\r\ndata: ${json}\r\n\r\n`],
    ['with CR alone', `data: {"type":"status"}\r\rdata: ${json}\r\r`],
    ['without a space after data:', `data:${json}\n\n`],
    ['with data over several lines', `data: {"type": "message_complete",\ndata: "data": {"content": "done"}}\n\n`],
    ['with comments, ids and waits', `: hello\n\nid: 7\nretry: 10\n: again\ndata: ${json}\n\n`],
    ['with a beat that has no data', `event: ping\ndata:\n\ndata: ${json}\n\n`],
    ['with a beat without any data', `event: ping\n\ndata: ${json}\n\n`],
    ['whose last block is not ended', `data: {"type":"status"}\n\ndata: ${json}`],
  ])('%s is understood', async (_how, body) => {
    expect(await traceOf(body, { contentType: 'text/event-stream' })).toMatchObject({ output: 'done', fault: null })
  })

  test('that only says that it failed has failed, and not been cut off', async () => {
    const trace = await traceOf(blocks({ error: { message: 'no quota', code: 429 } }), {
      contentType: 'text/event-stream',
    })
    expect(trace.fault).toEqual({ code: 'agent_error', message: 'The agent reported a failure: no quota' })
  })

  test('of chat completions that is done without a reason is whole', async () => {
    const chunk = (content: string) => ({
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: { content } }],
    })
    const trace = await traceOf(blocks(chunk('do'), chunk('ne'), '[DONE]'), { contentType: 'text/event-stream' })
    expect(trace).toMatchObject({ dialect: 'openai_chat', output: 'done', fault: null })
  })

  test('of chat completions may say the name of a call with each of its pieces', async () => {
    const piece = (index: number, id: string, args: string) => ({
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: { tool_calls: [{ index, id, function: { name: id, arguments: args } }] } }],
    })
    const trace = await traceOf(
      blocks(piece(0, 'a', '{"x"'), piece(0, 'a', ':1}'), piece(0, 'b', '{}'), {
        choices: [{ delta: {}, finish_reason: 'tool_calls' }],
      }),
    )
    expect(trace.tool_calls.map(({ name, args }) => [name, args])).toEqual([
      ['a', { x: 1 }],
      ['b', {}],
    ])
  })
})

describe('calls and results', () => {
  const call = (id: unknown, name = 'search') => ({ type: 'tool_call', data: { id, name, args: {} } })
  const result = (id: unknown, value: unknown) => ({ type: 'tool_result', data: { id, result: value } })

  test('whose ids are numbers belong together', async () => {
    const trace = await traceOf(lines(call(1), call(2), result(2, 'two'), result(1, 'one'), end))
    expect(trace.tool_calls.map(({ id, result: value }) => [id, value])).toEqual([
      ['1', 'one'],
      ['2', 'two'],
    ])
  })

  test('that come in the wrong order belong together by their ids', async () => {
    const trace = await traceOf(lines(result('b', 2), call('a'), call('b'), result('a', 1), end))
    expect(trace.tool_calls.map(({ id, result: value }) => [id, value])).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(trace.warnings).toEqual([])
  })

  test('that share an id have a result each', async () => {
    const trace = await traceOf(lines(call('a'), call('a'), result('a', 1), result('a', 2), end))
    expect(new Set(trace.tool_calls.map(({ result: value }) => value))).toEqual(new Set([1, 2]))
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])('may be called %j', async (name) => {
    const body = `{"type":"tool_call","data":{"id":"${name}","name":"${name}","args":{"__proto__":{"a":1}}}}\n`
    const trace = await traceOf(body + lines(result(name, name), { type: name }, { type: name, data: {} }, end))
    expect(trace).toMatchObject({ output: 'done', fault: null })
    expect(trace.tool_calls).toHaveLength(1)
    expect(trace.tool_calls[0]).toMatchObject({ name: name || 'unknown', result: name })
    expect(JSON.stringify(trace.tool_calls[0]?.args)).toBe('{"__proto__":{"a":1}}')
  })

  test('that nobody called are soon passed over, however many calls wait for theirs', async () => {
    const calls = Array.from({ length: limits.agentToolCalls }, (_, at) => ({
      type: 'tool_call',
      data: { id: `${at}` },
    }))
    const lost = (data: object) => lines({ type: 'tool_result', data }).repeat(50_000)
    const body = lines(...calls) + lost({ id: 'x', name: 'nobody' }) + lost({ name: 'nobody' }) + lines(end)
    const trace = await traceOf(body)
    expect([trace.fault, trace.tool_calls.length]).toEqual([null, limits.agentToolCalls])
    expect(trace.warnings).toHaveLength(1)
  })

  test('whose arguments come in very many pieces are soon put together', async () => {
    const piece = (delta: string) => lines({ type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta })
    const trace = await traceOf(
      lines({ type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'count' }) +
        piece('[') +
        piece('1,').repeat(100_000) +
        piece('1]') +
        lines({ type: 'RUN_FINISHED' }),
    )
    expect(trace.tool_calls[0]?.args).toHaveLength(100_001)
  })
})

describe('what is nested too deep', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

  test.each([
    ['a document', (json: string) => `{"response": "x", "steps": ${json}}`],
    ['an event', (json: string) => `{"type": "odd", "data": ${json}}\n${lines(end)}`],
    ['an event of a stream', (json: string) => `data: {"type": "odd", "data": ${json}}\n\n`],
    ['arguments', (json: string) => lines({ type: 'tool_call', data: { name: 'a', args: json } }, end)],
  ])('in %s is a failure, or left as text', async (_where, body) => {
    for (const levels of [limits.agentJsonDepth + 5, 200_000]) {
      const trace = await traceOf(body(deep(levels)))
      expect([null, 'invalid_json']).toContain(trace.fault?.code ?? null)
      // Whatever came of it can be written.
      expect(JSON.stringify(trace).length).toBeGreaterThan(0)
    }
  })

  test('is told so, and what is just within is read', async () => {
    const body = (levels: number) =>
      `{"type": "tool_call", "data": {"name": "a", "args": ${deep(levels)}}}\n${lines(end)}`
    const within = await traceOf(body(limits.agentJsonDepth - 2))
    expect([within.fault, within.tool_calls.length]).toEqual([null, 1])
    const beyond = await traceOf(body(limits.agentJsonDepth - 1))
    expect(beyond.fault?.message).toContain(`nested deeper than ${limits.agentJsonDepth}`)
  })
})

describe('numbers', () => {
  const usage = (data: object) => ({ type: 'usage', data })

  test.each([
    { input_tokens: -1, output_tokens: -1 },
    { input_tokens: 1.5, output_tokens: null },
    { input_tokens: 1e300, output_tokens: 2 ** 53 },
    { input_tokens: '1000', output_tokens: {} },
  ])('of tokens such as %j are unknown', async (data) => {
    const trace = await traceOf(lines(usage(data), end), { model: 'gpt-4o' })
    expect([trace.tokens, trace.cost, trace.fault]).toEqual([null, null, null])
  })

  test.each(['NaN', '"NaN"', '"Infinity"', '1e999', '-1', '"-0.5"', '{}', '""', '[]', 'null'])(
    'of cost such as %s are unknown',
    async (cost) => {
      const body = `{"response": "x", "metadata": {"cost": ${cost === 'NaN' ? 'null' : cost}}}`
      expect(await traceOf(body)).toMatchObject({ cost: null, cost_source: null, fault: null })
    },
  )

  test('whose sum is more than a number can be are unknown', async () => {
    const one = usage({ input_tokens: 1, output_tokens: 1, cost: 1e308 })
    expect(await traceOf(lines(one, one, end))).toMatchObject({ cost: null, cost_source: null })
  })
})

describe('secrets', () => {
  const secret = 'sk-very-secret-key'

  test('of headers that cannot be sent are not told', async () => {
    const { url } = await scriptedAgent(answering('{}'))
    const headers = { authorization: `Bearer ${secret}\nx` }
    const trace = await ask({ url, headers, retries: 0 }, query, options())
    expect(trace.fault?.code).toBe('invalid_request')
    expect(JSON.stringify(trace)).not.toContain(secret)
    expect(trace.fault?.message).toContain('authorization')
  })

  test('of an address are sent as credentials, and not told', async () => {
    const agent = await scriptedAgent((answer) => void answer.writeHead(401).end('no'))
    const url = agent.url.replace('http://', `http://ada:${secret}@`)
    const trace = await ask({ url, retries: 0 }, query, options())
    expect(trace.fault).toMatchObject({ code: 'http_status', status: 401 })
    expect(agent.got[0]?.headers.authorization).toBe(`Basic ${btoa(`ada:${secret}`)}`)
    expect(JSON.stringify(trace)).not.toContain(secret)
  })

  test.each([
    ['in an error', 401, (key: string) => `{"error": "The key ${key} is not known"}`],
    ['in a page', 200, (key: string) => `<html>${key}</html>`],
    ['in an event', 200, (key: string) => lines({ type: 'error', data: { message: `no ${key}` } })],
    ['in broken JSON', 200, (key: string) => `{"oops ${key}`],
  ])('that the agent says back %s are not told', async (_where, status, body) => {
    const { url } = await scriptedAgent((answer) => void answer.writeHead(status).end(body(secret)))
    const agent = { url: `${url}?key={{env.KEY}}`, headers: { authorization: `Bearer ${secret}` }, retries: 0 }
    const trace = await ask(agent, query, options({ env: { KEY: secret } }))
    expect(trace.fault).not.toBeNull()
    expect(JSON.stringify(trace.fault)).not.toContain(secret)
  })

  test('of a place where the agent leads are not told', async () => {
    const { url } = await scriptedAgent(
      (answer) => void answer.writeHead(302, { location: `/new?token=${secret}` }).end(),
    )
    const trace = await ask({ url, retries: 0 }, query, options())
    expect(trace.fault?.message).toContain('/new')
    expect(JSON.stringify(trace)).not.toContain(secret)
  })
})

describe('time', () => {
  test('until a date is told by the clock of the agent itself', async () => {
    const waits: number[] = []
    const clock = { now: () => 0, wait: (ms: number) => Promise.resolve(void waits.push(ms)) }
    const headers = { date: 'Sat, 01 Jan 2000 00:00:00 GMT', 'retry-after': 'Sat, 01 Jan 2000 00:00:20 GMT' }
    const { url } = await scriptedAgent(
      (answer, _got, nth) => void (nth === 1 ? answer.writeHead(503, headers).end() : answer.end('{"response":"x"}')),
    )
    expect((await ask({ url }, query, options({ clock }))).output).toBe('x')
    expect(waits).toEqual([20_000])
  })

  test('that is longer than a timer can run is no time at all, and still not over at once', async () => {
    const { url } = await scriptedAgent(answering('{"response": "done"}'))
    expect(await ask({ url, timeoutMs: 1e12 }, query, options())).toMatchObject({ output: 'done', fault: null })
  })

  test('after a refusal is not spent on waiting for its words', async () => {
    const { url } = await scriptedAgent((answer) => void answer.writeHead(500).write('out of'))
    const trace = await ask({ url, retries: 0, timeoutMs: 60_000 }, query, options())
    expect(trace.fault).toMatchObject({ code: 'http_status', status: 500, excerpt: 'out of' })
  })

  test('after the end is not spent on an agent that goes on beating', async () => {
    const { url } = await scriptedAgent((answer) => {
      answer.setHeader('content-type', 'text/event-stream').write(blocks(end))
      const timer = setInterval(() => answer.write(': beat\n\n'), 100)
      answer.once('close', () => clearInterval(timer))
    })
    const trace = await ask({ url, timeoutMs: 60_000 }, query, options())
    expect(trace).toMatchObject({ output: 'done', fault: null })
    expect(trace.warnings).toEqual(['The agent did not close its stream after `message_complete`: end the response.'])
  })
})

describe('whatever an agent says', () => {
  const types = constantFrom(
    'tool_call',
    'tool_result',
    'usage',
    'token',
    'message_complete',
    'final_message',
    'step_narration',
    'error',
    '',
    'start',
    'finish',
    'text-delta',
    'tool-input-delta',
    'tool-output-available',
    'abort',
    'data-x',
    '__proto__',
    'TOOL_CALL_START',
    'TOOL_CALL_ARGS',
    'TOOL_CALL_RESULT',
    'TEXT_MESSAGE_CHUNK',
    'RUN_FINISHED',
    'CUSTOM',
    'response.completed',
    'response.output_item.done',
    'response.failed',
    'response.output_text.delta',
  )
  const names = constantFrom('id', 'name', 'args', 'result', 'error', 'content', 'delta', 'item', 'response', 'output')
  const value = oneof(
    jsonValue(),
    types,
    constantFrom(null, -1, 1e308, '{', '[1', '{"a":1}', [{}], [null], { type: 7 }),
  )
  const fields = array(record({ name: names, value }), { maxLength: 5 }).map((list) =>
    Object.fromEntries(list.map(({ name, value }) => [name, value])),
  )
  const flat = record({ type: types, fields }).map(({ type, fields }) => ({ type, ...fields }))
  const nested = record({ type: types, data: oneof(fields, value) })
  const choices = fields.map((delta) => ({
    choices: [{ delta: { ...delta, tool_calls: [{ index: 0, function: delta }] } }],
  }))
  const document = record({ response: value, steps: value, usage: value, metadata: oneof(fields, value) })
  const event = oneof(flat, nested, choices, document, value)
  const bodies = oneof(
    array(event, { maxLength: 8 }).map((list) => Buffer.from(lines(...list))),
    array(event, { maxLength: 8 }).map((list) => Buffer.from(blocks(...list))),
    event.map((one) => Buffer.from(JSON.stringify(one, null, 2))),
    string().map((text) => Buffer.from(text)),
    uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )

  test('it is an answer or a fault with a name, and can be written down', async () => {
    const contentTypes = constantFrom('application/json', 'text/event-stream', 'text/plain', '')
    await assert(
      asyncProperty(bodies, contentTypes, async (body, type) => {
        const fetch = () => Promise.resolve(new Response(new Uint8Array(body), { headers: { 'content-type': type } }))
        const trace = await ask({ url: 'http://agent.test/', retries: 0 }, query, options({ fetch }))
        expect(trace.fault === null || trace.fault.message.length > 0).toBe(true)
        expect(trace.cost === null || Number.isFinite(trace.cost)).toBe(true)
        for (const call of trace.tool_calls) expect(typeof call.name).toBe('string')
        expect(JSON.parse(JSON.stringify(trace))).toEqual(trace)
      }),
      { numRuns: 1_000 },
    )
  })
})
