import { describe, expect, test } from 'vitest'
import { ask } from '../src/index.ts'
import { options, scriptedAgent, traceOf } from './scripted-agent.ts'

describe('a document', () => {
  test('with nothing but the answer is level 1, and what it does not say is unknown', async () => {
    const trace = await traceOf('{"response": "AAPL is trading at $266.25..."}')
    expect(trace).toMatchObject({
      dialect: 'json',
      level: 1,
      captured: ['output'],
      output: 'AAPL is trading at $266.25...',
      tool_calls: [],
      tokens: null,
      cost: null,
      cost_source: null,
      model: null,
      first_token_ms: null,
      fault: null,
    })
    expect(trace.latency_ms).toBeGreaterThan(0)
  })

  test('with the seed’s metadata is level 2: its steps are names of tools', async () => {
    const trace = await traceOf(
      JSON.stringify({
        response: 'AAPL analysis...',
        metadata: {
          cost: 0.05,
          tokens: { input: 100, output: 500 },
          steps: ['fetch_data', 'analyze', 'synthesize'],
        },
      }),
    )
    expect(trace).toMatchObject({
      level: 2,
      cost: 0.05,
      cost_source: 'reported',
      tokens: { input: 100, output: 500, cached: null, total: 600 },
    })
    expect(trace.captured).toEqual(['output', 'tools', 'tokens', 'cost'])
    expect(trace.tool_calls.map(({ name, args, result }) => [name, args, result])).toEqual([
      ['fetch_data', null, null],
      ['analyze', null, null],
      ['synthesize', null, null],
    ])
  })

  test('may give tokens as one number, whose kinds are then unknown', async () => {
    const trace = await traceOf('{"response": "Hi", "metadata": {"cost": 0, "tokens": 1500}}')
    expect(trace).toMatchObject({ cost: 0, tokens: { input: null, output: null, cached: null, total: 1500 } })
  })

  test.each([
    ['response', { response: 'yes', output: 'no' }],
    ['output', { output: 'yes', answer: 'no' }],
    ['result', { result: 'yes' }],
    ['answer', { answer: 'yes' }],
    ['message', { message: 'yes' }],
    ['message.content', { message: { role: 'assistant', content: 'yes' } }],
    ['content parts', { content: [{ type: 'text', text: 'ye' }, { text: 's' }] }],
    ['text', { text: 'yes' }],
    ['reply', { reply: 'yes' }],
    ['data.response', { data: { response: 'yes' } }],
    [
      'messages',
      {
        messages: [
          { role: 'user', content: 'no' },
          { role: 'assistant', content: 'yes' },
        ],
      },
    ],
    ['a list of one', [{ output: 'yes' }]],
    ['nothing but a text', 'yes'],
  ])('says its answer under %s', async (_name, document) => {
    expect((await traceOf(JSON.stringify(document))).output).toBe('yes')
  })

  test.each<[string, object, string, string]>([
    ['beside an answer', { response: 'Sorry.', error: 'db down' }, 'db down', 'Sorry.'],
    ['beside an empty answer', { response: '', error: { message: 'db down' } }, 'db down', ''],
    ['with its success', { success: false, message: 'db down' }, 'db down', ''],
    ['with its success, beside an answer', { ok: false, response: 'Sorry.' }, 'it did not say why', 'Sorry.'],
    ['as its status', { status: 'error', message: 'db down' }, 'db down', ''],
  ])('that tells of a failure %s is a failure, whatever its status code', async (...[, document, why, output]) => {
    const trace = await traceOf(JSON.stringify({ ...document, metadata: { cost: 0.5 } }))
    expect(trace.fault).toMatchObject({ code: 'agent_error', message: `The agent reported a failure: ${why}` })
    expect(trace).toMatchObject({ output, cost: 0.5 })
  })

  test.each<[string, object]>([
    ['errors that are none', { response: 'yes', error: null, errors: [] }],
    ['an empty error', { response: 'yes', error: '' }],
    ['no errors in a list', { response: 'yes', error: [] }],
    ['a success', { success: true, message: 'yes' }],
    ['a status of what was asked about', { response: 'yes', status: 'error' }],
  ])('with %s is an answer', async (...[, document]) => {
    expect(await traceOf(JSON.stringify(document))).toMatchObject({ output: 'yes', fault: null })
  })

  test('without a word in its answer is told so', async () => {
    const trace = await traceOf('{"response": " "}')
    expect(trace).toMatchObject({ fault: null, warnings: ['The agent answered with no words at all.'] })
  })

  test('shows steps as objects under all names in use, with arguments written as JSON', async () => {
    const trace = await traceOf(
      JSON.stringify({
        output: 'Done.',
        steps: [
          { tool: 'search', parameters: { q: 'a' }, output: ['hit'], success: true },
          { name: 'fetch', args: { url: 'b' }, error: 'not found' },
          { id: 'c1', type: 'function', function: { name: 'sum', arguments: '{"x":1}' } },
        ],
      }),
    )
    expect(
      trace.tool_calls.map(({ id, name, args, result, succeeded, error }) => [
        id,
        name,
        args,
        result,
        succeeded,
        error,
      ]),
    ).toEqual([
      [null, 'search', { q: 'a' }, ['hit'], true, null],
      [null, 'fetch', { url: 'b' }, null, false, 'not found'],
      ['c1', 'sum', { x: 1 }, null, null, null],
    ])
    expect(trace.captured).toEqual(['output', 'tools', 'tool_arguments', 'tool_results'])
  })

  test('that lists no steps shows that no tool was called, and one without a list shows nothing of tools', async () => {
    expect((await traceOf('{"response": "Hi", "steps": []}')).captured).toContain('tools')
    expect((await traceOf('{"response": "Hi"}')).captured).not.toContain('tools')
  })

  test('sums what its steps cost, and knows no cost when one of them does not say', async () => {
    const step = (cost?: number) => ({ name: 'a', ...(cost === undefined ? {} : { cost }) })
    expect((await traceOf(JSON.stringify({ output: 'x', steps: [step(0.25), step(0.5)] }))).cost).toBe(0.75)
    expect((await traceOf(JSON.stringify({ output: 'x', steps: [step(0.25), step()] }))).cost).toBeNull()
  })

  test('of OpenAI’s chat completions shows its calls, tokens and model', async () => {
    const trace = await traceOf(
      JSON.stringify({
        object: 'chat.completion',
        model: 'gpt-4o-2024-08-06',
        choices: [
          {
            finish_reason: 'tool_calls',
            message: {
              role: 'assistant',
              content: 'One moment.',
              tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } }],
            },
          },
        ],
        usage: {
          prompt_tokens: 20,
          completion_tokens: 5,
          total_tokens: 25,
          prompt_tokens_details: { cached_tokens: 8 },
        },
      }),
    )
    expect(trace).toMatchObject({
      dialect: 'openai_chat',
      output: 'One moment.',
      model: 'gpt-4o-2024-08-06',
      tokens: { input: 20, output: 5, cached: 8, total: 25 },
      cost_source: 'priced',
      fault: null,
    })
    expect(trace.tool_calls).toMatchObject([{ id: 'c1', name: 'weather', args: { city: 'Bern' } }])
  })

  test('of OpenAI’s Responses shows calls of functions and of built-in tools', async () => {
    const trace = await traceOf(
      JSON.stringify({
        object: 'response',
        id: 'resp_1',
        status: 'completed',
        model: 'gpt-5-mini',
        output: [
          { type: 'web_search_call', id: 'ws_1', action: { query: 'AAPL' } },
          { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'analyze', arguments: '{"symbol":"AAPL"}' },
          {
            type: 'message',
            content: [
              { type: 'output_text', text: 'It is ' },
              { type: 'output_text', text: 'up.' },
            ],
          },
        ],
        usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
      }),
    )
    expect(trace).toMatchObject({ dialect: 'openai_responses', output: 'It is up.', session_id: 'resp_1' })
    expect(trace.tool_calls.map(({ id, name, args }) => [id, name, args])).toEqual([
      ['ws_1', 'web_search', { query: 'AAPL' }],
      ['c1', 'analyze', { symbol: 'AAPL' }],
    ])
  })

  test('in plain text is an answer, and is told to say more', async () => {
    const trace = await traceOf('Just words.', { contentType: 'text/plain' })
    expect(trace).toMatchObject({ level: 1, output: 'Just words.', fault: null })
    expect(trace.warnings.join(' ')).toContain('plain text')
  })

  test('of a shape nobody knows is read where a mapping says', async () => {
    const body = {
      payload: { parts: [{ say: 'Two ' }, { say: 'halves.' }], calls: [{ name: 'a', args: { x: 1 }, result: 2 }] },
      bill: { usd: '0.25', in: 1 },
      sid: 7,
    }
    const trace = await traceOf(JSON.stringify(body), {
      response: {
        output: '$.payload.parts[*].say',
        tool_calls: '$.payload.calls',
        cost: '$.bill.usd',
        session: '$.sid',
      },
    })
    expect(trace).toMatchObject({ dialect: 'mapped', output: 'Two halves.', cost: 0.25, session_id: '7', fault: null })
    expect(trace.tool_calls).toMatchObject([{ name: 'a', args: { x: 1 }, result: 2 }])
  })
})

describe('a conversation', () => {
  test('carries its history and its session from turn to turn, and sums what it took', async () => {
    const agent = await scriptedAgent((answer, { body }, nth) => {
      answer.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          response: `${nth}: ${String(body['message'])}`,
          session_id: 's-1',
          steps: [`tool${nth}`],
          metadata: { cost: nth, tokens: { input: nth, output: nth } },
        }),
      )
    })
    const trace = await ask(
      { url: agent.url },
      [{ query: 'One', context: { a: 1 } }, { query: 'Two' }, { query: 'Three' }],
      options(),
    )
    expect(trace.turns.map(({ query, output }) => [query, output])).toEqual([
      ['One', '1: One'],
      ['Two', '2: Two'],
      ['Three', '3: Three'],
    ])
    expect(trace).toMatchObject({ output: '3: Three', cost: 6, tokens: { total: 12 }, session_id: 's-1' })
    expect(trace.tool_calls.map(({ name, turn }) => [name, turn])).toEqual([
      ['tool1', 1],
      ['tool2', 2],
      ['tool3', 3],
    ])
    const [first, , third] = agent.got.map(({ body }) => body)
    expect(first).toEqual({ message: 'One', query: 'One', prompt: 'One', userId: 'test-user', context: { a: 1 } })
    expect(third).toMatchObject({
      message: 'Three',
      session_id: 's-1',
      context: null,
      conversation_history: [
        { role: 'user', content: 'One' },
        { role: 'assistant', content: '1: One' },
        { role: 'user', content: 'Two' },
        { role: 'assistant', content: '2: Two' },
      ],
    })
  })

  test('may begin in the middle: what its context says went before is sent as history', async () => {
    const agent = await scriptedAgent((answer) => void answer.end('{"response": "The second."}'))
    const past = [
      { role: 'user', content: 'Show me three' },
      { role: 'assistant', content: '1, 2, 3' },
    ]
    const context = { conversation_history: [...past, { role: 'system', content: 'x' }, null] }
    await ask({ url: agent.url }, [{ query: 'Which?', context }], options())
    expect(agent.got[0]?.body).toMatchObject({ conversation_history: past })
  })

  test('has an unknown cost and unknown tokens when one of its turns does not tell them', async () => {
    const agent = await scriptedAgent((answer, _got, nth) => {
      answer.end(JSON.stringify({ response: 'x', ...(nth === 1 ? { cost: 1, tokens: { input: 1, output: 1 } } : {}) }))
    })
    const trace = await ask({ url: agent.url }, [{ query: '1' }, { query: '2' }], options())
    expect([trace.cost, trace.tokens]).toEqual([null, null])
  })

  test('ends with the turn that fails, and keeps those before it', async () => {
    const agent = await scriptedAgent((answer, _got, nth) => {
      answer.end(nth === 2 ? '{"error": {"message": "out of ideas"}}' : '{"response": "fine"}')
    })
    const trace = await ask({ url: agent.url }, [{ query: '1' }, { query: '2' }, { query: '3' }], options())
    expect(trace.turns).toHaveLength(2)
    expect(trace.fault).toEqual({ code: 'agent_error', message: 'The agent reported a failure: out of ideas' })
    expect(agent.got).toHaveLength(2)
  })
})
