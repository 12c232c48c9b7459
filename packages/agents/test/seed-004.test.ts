import { describe, expect, test } from 'vitest'
import { agentDefaults, ask, examine, timeoutProfiles } from '../src/index.ts'
import { answering, lines, options, scriptedAgent, traceOf } from './scripted-agent.ts'

describe('the answers of the source document', () => {
  test('of the quick start are an answer, and with metadata also a cost and tokens', async () => {
    expect(await traceOf('{"response": "Agent answer here..."}')).toMatchObject({
      level: 1,
      output: 'Agent answer here...',
      cost: null,
      fault: null,
    })
    const metadata = `{
  "response": "Agent answer...",
  "metadata": {
    "cost": 0.05,
    "tokens": {"input": 100, "output": 500}
  }
}`
    expect(await traceOf(metadata)).toMatchObject({
      level: 2,
      output: 'Agent answer...',
      cost: 0.05,
      cost_source: 'reported',
      tokens: { input: 100, output: 500, total: 600 },
      fault: null,
    })
  })

  test('of level 1 tell what was said and how long it took; cost, tools and order are not known, and nothing is 0', async () => {
    const trace = await traceOf('{"response": "AAPL is trading at $266.25..."}')
    expect(trace).toMatchObject({ level: 1, output: 'AAPL is trading at $266.25...', cost: null, tokens: null })
    expect(trace.captured).toEqual(['output'])
    expect(trace.latency_ms).toBeGreaterThan(0)
  })

  test('of level 1 are told to the doctor with a warning that no cost is reported', async () => {
    const { url } = await scriptedAgent(answering('{"response": "AAPL is trading at $266.25..."}'))
    const { findings } = await examine({ url, retries: 0 }, options())
    expect(findings.find(({ topic }) => topic === 'cost')).toMatchObject({ severity: 'advice' })
  })

  test('of level 2 tell cost, tokens, and the tools in their order without arguments', async () => {
    const trace = await traceOf(`{
  "response": "AAPL analysis...",
  "metadata": {
    "cost": 0.05,
    "tokens": {"input": 100, "output": 500},
    "steps": ["fetch_data", "analyze", "synthesize"]
  }
}`)
    expect(trace).toMatchObject({ level: 2, output: 'AAPL analysis...', cost: 0.05, fault: null })
    expect(trace.captured).toEqual(['output', 'tools', 'tokens', 'cost'])
    expect(trace.tool_calls.map(({ name, args }) => [name, args])).toEqual([
      ['fetch_data', null],
      ['analyze', null],
      ['synthesize', null],
    ])
  })

  test('of option A, lines of JSON, tell all of it', async () => {
    const trace = await traceOf(
      `{"type": "tool_call", "data": {"name": "analyzeStock", "args": {"symbol": "AAPL"}}}
{"type": "tool_result", "data": {"result": "...", "success": true}}
{"type": "usage", "data": {"input_tokens": 1000, "output_tokens": 500}}
{"type": "message_complete", "data": {"content": "Final response..."}}
`,
      { model: 'gpt-4o-mini' },
    )
    expect(trace).toMatchObject({
      level: 3,
      output: 'Final response...',
      tokens: { input: 1000, output: 500, total: 1500 },
      cost_source: 'priced',
      tool_calls: [{ name: 'analyzeStock', args: { symbol: 'AAPL' }, result: '...', succeeded: true, error: null }],
      fault: null,
    })
    expect(trace.cost).toBeCloseTo((1000 * 0.15 + 500 * 0.6) / 1e6, 12)
  })

  test('of option B, one document, may tell tokens as one number', async () => {
    const trace = await traceOf(`{
  "response": "Complete agent response text...",
  "metadata": {
    "cost": 0.05,
    "tokens": 1500
  }
}`)
    expect(trace).toMatchObject({ output: 'Complete agent response text...', cost: 0.05, tokens: { total: 1500 } })
  })
})

/** The examples of events, which are written over several lines there and are one line each on the wire. */
const events = {
  tool_call: `{"type": "tool_call", "data": {
  "name": "analyzeStock",
  "args": {"symbol": "AAPL"}
}}`,
  tool_result: `{"type": "tool_result", "data": {
  "result": "Stock analysis data...",
  "success": true,
  "error": null
}}`,
  step_narration: `{"type": "step_narration", "data": {
  "text": "Analyzing stock fundamentals",
  "toolName": "analyzeStock"
}}`,
  usage: `{"type": "usage", "data": {
  "input_tokens": 1000,
  "output_tokens": 500,
  "cached_tokens": 100
}}`,
  message_complete: `{"type": "message_complete", "data": {
  "content": "Complete agent response..."
}}`,
}
const told = (...names: (keyof typeof events)[]) => lines(...names.map((name) => JSON.parse(events[name]) as object))

describe('the events of the source document', () => {
  test('of a call and its result show tool, arguments, result and success', async () => {
    expect(await traceOf(told('tool_call', 'tool_result', 'message_complete'))).toMatchObject({
      output: 'Complete agent response...',
      tool_calls: [
        {
          name: 'analyzeStock',
          args: { symbol: 'AAPL' },
          result: 'Stock analysis data...',
          succeeded: true,
          error: null,
        },
      ],
    })
  })

  test('of a narrated step show its tool and its text', async () => {
    expect(await traceOf(told('step_narration', 'message_complete'))).toMatchObject({
      tool_calls: [{ name: 'analyzeStock', args: null }],
      notes: [{ kind: 'narration', text: 'Analyzing stock fundamentals' }],
    })
  })

  test('of usage are summed across all steps, and cost what exactly their model costs', async () => {
    const named = lines({
      type: 'usage',
      data: { input_tokens: 1000, output_tokens: 500, cached_tokens: 100, model: 'gpt-4' },
    })
    const trace = await traceOf(named + named + told('message_complete'))
    expect(trace.tokens).toEqual({ input: 2000, output: 1000, cached: 200, total: 3000 })
    expect(trace.cost_source).toBe('priced')
    expect(trace.cost).toBeGreaterThan(0)
    const unnamed = await traceOf(told('usage', 'usage', 'message_complete'))
    expect([unnamed.tokens?.total, unnamed.cost]).toEqual([3000, null])
  })

  test('of progress, `Refinement 1/3`, are kept as notes', async () => {
    const status = { type: 'status', data: { text: 'Refinement 1/3' } }
    expect((await traceOf(lines(status) + told('message_complete'))).notes).toMatchObject([
      { kind: 'status', text: 'Refinement 1/3' },
    ])
  })
})

/** What goes wrong, an agent that does it, and where the doctor tells it. */
const issues = [
  [
    'Tests timeout',
    (answer: { write: (text: string) => unknown }) => void answer.write(lines({ type: 'status' })),
    'time',
  ],
  ['No cost tracking', '{"response": "x"}', 'cost'],
  ['No tool calls captured', '{"response": "x"}', 'tools'],
  ['Empty or incomplete responses', lines({ type: 'token', data: { token: 'x' } }, { type: 'status' }), 'end'],
] as const

describe('what the source document says of requests and time', () => {
  test('a request is a POST of JSON with message and userId, and with what other agents read', async () => {
    const agent = await scriptedAgent(answering('{"response": "x"}'))
    await ask({ url: agent.url }, [{ query: 'Analyze AAPL stock performance' }], options())
    expect(agent.got[0]?.headers['content-type']).toBe('application/json')
    expect(agent.got[0]?.body).toMatchObject({ message: 'Analyze AAPL stock performance', userId: 'test-user' })
  })

  test('its times are profiles: 30, 90 and 120 seconds at most, and 120 where nobody says', () => {
    expect(timeoutProfiles).toEqual({ simple: 30_000, multi_step: 90_000, orchestration: 120_000 })
    expect(agentDefaults.timeoutMs).toBe(120_000)
  })

  test.each(issues)('the issue “%s” is found by the doctor, who says what to add', async (_issue, behaves, topic) => {
    const { url } = await scriptedAgent(typeof behaves === 'string' ? answering(behaves) : behaves)
    const { findings } = await examine({ url, retries: 0, timeoutMs: topic === 'time' ? 2_000 : 60_000 }, options())
    const found = findings.find((finding) => finding.topic === topic)
    expect(found?.severity).toBe(topic === 'time' || topic === 'end' ? 'problem' : 'advice')
    expect(`${found?.found} ${found?.add}`).toMatch(
      { time: /Bound what it refines/, cost: /"cost"/, tools: /"steps"/, end: /message_complete/ }[topic] ?? /^$/,
    )
  })
})
