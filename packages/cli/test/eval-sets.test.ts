import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { readEvalResult } from '@llm-eval/formats/adk'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adkCall, adkText, startAdk } from './adk-agent.ts'
import { call, place, said, startAgent } from './agents.ts'
import { llmEval } from './stage.ts'

interface Tests {
  exit_code: number
  cases: {
    name: string
    suite: string
    outcome: string
    attempts: {
      score: number | null
      assertions: { kind: string; outcome: string; actual: unknown; message: string }[]
      trace: { tool_calls: { name: string; args: unknown; result: unknown }[]; tokens: object; cost: number }
    }[]
  }[]
}

const content = (text: string, role: string) => ({ parts: [{ text }], role })
const invocation = (query: string, calls: { name: string; args: object }[], response: string) => ({
  invocation_id: `e-${query}`,
  user_content: content(query, 'user'),
  final_response: content(response, 'model'),
  intermediate_data: {
    invocation_events: calls.map((one) => ({
      author: 'root_agent',
      content: { parts: [{ function_call: { id: 'adk-1', ...one } }], role: 'model' },
    })),
  },
})

/** Two turns of one session. */
const evalSet = {
  eval_set_id: 'trips',
  eval_cases: [
    {
      eval_id: 'case_rome',
      conversation: [
        invocation('A room in Rome?', [{ name: 'find', args: { city: 'Rome', n: 1 } }], 'There is one at the Tiber.'),
        invocation('Book it.', [{ name: 'book', args: {} }], 'It is booked.'),
      ],
      session_input: { app_name: 'trips', user_id: 'ada', state: { lang: 'en' } },
    },
  ],
}
const file = (value: unknown) => JSON.stringify(value, null, 2)

/** Does what is expected of it. */
const good = (text: string) =>
  text === 'Book it.'
    ? [...adkCall('book', {}), ...adkText('It is booked.')]
    : [...adkCall('find', { n: 1.0, city: 'Rome' }), ...adkText('There is one at the Tiber.')]

describe('llm-eval test of an eval set of ADK', () => {
  test('says how an api server is asked, where its plain address is given', async () => {
    const server = createServer((request, response) => {
      const [status, body] = request.url === '/list-apps' ? [200, ['trips']] : [404, { detail: 'Not Found' }]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const cwd = place({ 'trips.evalset.json': file(evalSet) })
    const { code, out } = await llmEval(['test', 'trips.evalset.json', '--agent', url], { cwd })
    expect(code).toBe(2)
    expect(out).toContain(`It is an api_server of ADK: name it as adk:${url}/trips.`)
  })

  test('asks an api server its turns in one session, and passes by the measures of ADK', async () => {
    const { url, asked } = await startAdk(good)
    const cwd = place({ 'trips.evalset.json': file(evalSet) })
    const args = ['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`]
    const { code, out, err } = await llmEval([...args, '--json'], { cwd })
    expect([code, err]).toEqual([0, ''])
    const [session = ''] = asked.map((one) => one.session)
    expect(asked.map(({ text, ...one }) => [text, one.session, one.user, one.app, one.state])).toEqual([
      ['A room in Rome?', session, 'ada', 'trips', { lang: 'en' }],
      ['Book it.', session, 'ada', 'trips', undefined],
    ])
    const [one] = (JSON.parse(out) as Tests).cases
    expect(one).toMatchObject({ name: 'case_rome', suite: 'trips', outcome: 'passed' })
    const [attempt] = one?.attempts ?? []
    expect(attempt?.assertions.map(({ kind, outcome, actual }) => [kind, outcome, actual])).toEqual([
      ['adk.tool_trajectory_avg_score', 'passed', 1],
      ['adk.response_match_score', 'passed', 1],
      ['thresholds.min_score', 'passed', 100],
    ])
    expect(attempt?.trace).toMatchObject({
      tool_calls: [
        { name: 'find', args: { city: 'Rome', n: 1 }, result: { result: 'ok' } },
        { name: 'book', args: {} },
      ],
      tokens: { input: 20, output: 10, cached: null, total: 30 },
    })
    expect(attempt?.trace.cost).toBeGreaterThan(0)
  })

  test('fails with the turns that are below, and goes by the criteria beside it', async () => {
    const { url } = await startAdk((text) => (text === 'Book it.' ? adkText('No.') : good(text)))
    const strict = place({ 'trips.evalset.json': file(evalSet) })
    const args = ['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`]
    const failed = await llmEval(args, { cwd: strict })
    expect(failed.code).toBe(1)
    expect(failed.out).toContain('tool_trajectory_avg_score is 0.5; it must be at least 1. Below it: turn 2.')
    // Each score is told once, and what comes next is about the same file and agent.
    expect(failed.out.match(/tool_trajectory_avg_score is/g)).toHaveLength(1)
    expect(failed.out.match(/response_match_score is/g)).toHaveLength(1)
    const again = `--test "case_rome" --verbose --agent adk:${url}/trips`
    expect(failed.out).toContain(`Next: llm-eval test trips.evalset.json ${again}`)
    const mild = place({
      'trips.evalset.json': file(evalSet),
      'test_config.json': file({ criteria: { tool_trajectory_avg_score: { threshold: 0.5, matchType: 'any order' } } }),
    })
    expect((await llmEval(args, { cwd: mild })).code).toBe(0)
    const named = await llmEval([...args, '--adk-config', 'test_config.json'], { cwd: mild })
    expect(named.code).toBe(0)
    expect((await llmEval([...args, '--adk-config', 'no.json'], { cwd: mild })).code).toBe(2)
  })

  test('asks any other agent as well, whose tools must be seen', async () => {
    const { url } = await startAgent((message) =>
      message === 'Book it.'
        ? [call('book'), said('It is booked.')]
        : [call('find', { city: 'Rome', n: 1 }), said('There is one at the Tiber.')],
    )
    const cwd = place({ 'cases/trips.evalset.json': file(evalSet), 'cases/test_config.json': file({ criteria: {} }) })
    const args = ['test', 'cases', '--agent', url]
    // Without any criterion nothing is decided.
    expect((await llmEval(args, { cwd })).code).toBe(2)
    const both = place({ 'trips.evalset.json': file(evalSet) })
    expect((await llmEval(['test', 'trips.evalset.json', '--agent', url], { cwd: both })).code).toBe(0)
    const blind = await startAgent(() => ({ response: 'There is one at the Tiber. It is booked.' }))
    const unseen = await llmEval(['test', 'trips.evalset.json', '--agent', blind.url], { cwd: both })
    expect(unseen.out).toContain('The agent does not show its tools.')
    expect(unseen.code).not.toBe(0)
  })

  test('is not green by criteria that only a model or Python can tell, unless judges are waived', async () => {
    const { url } = await startAdk(good)
    const criteria = { tool_trajectory_avg_score: 1, final_response_match_v2: { threshold: 0.8 } }
    const cwd = place({ 'trips.evalset.json': file(evalSet), 'test_config.json': file({ criteria }) })
    const args = ['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`]
    const { code, out, err } = await llmEval(args, { cwd })
    expect(code).toBe(2)
    expect(err).toContain('final_response_match_v2 cannot be measured: ADK asks a model for it')
    expect(out).toContain('final_response_match_v2 cannot be measured')
    expect((await llmEval([...args, '--no-judge'], { cwd })).code).toBe(0)
    const own = place({ 'trips.evalset.json': file(evalSet), 'test_config.json': file({ criteria: { mine: 0.5 } }) })
    expect((await llmEval([...args, '--no-judge'], { cwd: own })).code).toBe(2)
  })

  const [rome] = evalSet.eval_cases
  const scenario = { starting_prompt: 'Hi', conversation_plan: 'Ask for a room.' }
  const toolResult = { parts: [{ function_response: { id: 'adk-1', name: 'ask', response: { result: 'yes' } } }] }
  test.each<[string, object, string]>([
    ['a simulated user', { eval_id: 'other', conversation_scenario: scenario }, 'its user is simulated'],
    [
      'the result of a tool',
      { eval_id: 'other', conversation: [{ user_content: toolResult }] },
      'in turn 1 the user brings the result of a tool',
    ],
    [
      'a file',
      {
        eval_id: 'other',
        conversation: [{ user_content: { parts: [{ inline_data: { data: 'AAAA', mime_type: 'image/png' } }] } }],
      },
      'in turn 1 the user sends a file',
    ],
    ['nothing', { eval_id: 'other', conversation: [] }, 'its conversation is empty'],
  ])('names a case with %s, goes on with the others, and is not green', async (_name, other, message) => {
    const { url, asked } = await startAdk(good)
    const cwd = place({ 'trips.evalset.json': file({ ...evalSet, eval_cases: [other, rome] }) })
    const { code, err } = await llmEval(['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`], { cwd })
    expect([code, asked.length]).toEqual([2, 2])
    expect(err).toContain(`eval_cases[0] other cannot be asked: ${message}`)
  })

  test.each<[string, string, unknown]>([
    ['a bare case', 'rome.test.json', rome],
    ['camel case', 'rome.json', { evalId: 'case_rome', conversation: rome?.conversation }],
    [
      'the list of the first versions',
      'rome.test.json',
      [
        {
          query: 'Book it.',
          expected_tool_use: [{ tool_name: 'book', tool_input: {} }],
          reference: 'It is booked.',
        },
      ],
    ],
  ])('reads %s', async (_name, name, value) => {
    const { url } = await startAdk(good)
    const cwd = place({ [name]: file(value) })
    const { code } = await llmEval(['test', name, '--agent', `adk:${url}/trips`], { cwd })
    expect(code).toBe(0)
  })

  test.each<[string, string]>([
    ['no JSON', '{"eval_set_id": "a"'],
    ['no eval file', '{"eval_set_id": "a"}'],
  ])('is not green with %s', async (_name, text) => {
    const { url } = await startAdk(good)
    const cwd = place({ 'trips.evalset.json': text })
    const { code, err } = await llmEval(['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('error: trips.evalset.json')
  })

  test('tells what is not as it is written, and goes by what it reads (trap 25)', async () => {
    const { url } = await startAdk(good)
    const cwd = place({ 'trips.evalset.json': file(evalSet).replace('"args": {}', '"args": "x"') })
    const { code, err } = await llmEval(['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`], { cwd })
    expect(code).toBe(1)
    expect(err).toContain('function_call.args is no object')
  })

  test.each<[string, (object | string)[], string]>([
    ['says that it failed', [{ error: 'quota exceeded' }], 'agent_error: The agent reported a failure: quota exceeded'],
    [
      'sends an event with an error',
      [{ errorCode: '429', errorMessage: 'too many' }],
      'agent_error: The agent reported a failure: too many',
    ],
    ['ends before its answer', adkCall('find', {}), 'cut_off'],
    ['breaks off', [...adkCall('find', {}), 'data: {"inv'], 'cut_off'],
    ['says nothing', [], 'cut_off'],
  ])('is not green where the agent %s (traps 16 and 17)', async (_name, events, told) => {
    const { url } = await startAdk(() => events)
    const cwd = place({ 'trips.evalset.json': file(evalSet) })
    const { code, out } = await llmEval(['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`], { cwd })
    expect(code).toBe(2)
    expect(out).toContain(told)
  })

  test('counts thoughts in a final response, as adk eval does (trap 7)', async () => {
    const thinking = { content: { role: 'model', parts: [{ text: 'Hm.', thought: true }, { text: 'It is booked.' }] } }
    const { url } = await startAdk((text) => (text === 'Book it.' ? [...adkCall('book', {}), thinking] : good(text)))
    const cwd = place({ 'trips.evalset.json': file(evalSet) })
    const args = ['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`, '--json']
    const [one] = (JSON.parse((await llmEval(args, { cwd })).out) as Tests).cases
    // Three of the four words of the second turn: 2 · ¾ · 1 / (¾ + 1).
    const match = one?.attempts[0]?.assertions.find(({ kind }) => kind === 'adk.response_match_score')
    expect(match?.actual).toBeCloseTo((1 + 6 / 7) / 2, 9)
  })

  test('is accepted and held against what was accepted like any other case', async () => {
    let behave = good
    const { url } = await startAdk((text) => behave(text))
    const cwd = place({ 'trips.evalset.json': file(evalSet) })
    const args = ['trips.evalset.json', '--agent', `adk:${url}/trips`]
    const accepted = await llmEval(['snapshot', ...args], { cwd })
    expect([accepted.code, accepted.out]).toEqual([
      0,
      expect.stringContaining(`Next: llm-eval check ${args.join(' ')}`),
    ])
    expect((await llmEval(['check', ...args], { cwd })).code).toBe(0)
    behave = (text) => (text === 'Book it.' ? [...adkText('It is booked.')] : good(text))
    const worse = await llmEval(['check', ...args], { cwd })
    expect([worse.code, worse.out]).toEqual([1, expect.stringContaining('BLOCK_RELEASE')])
  })

  test('writes the result as ADK does, where that is wished', async () => {
    const { url } = await startAdk((text) => (text === 'Book it.' ? adkText('No.') : good(text)))
    const cwd = place({ 'trips.evalset.json': file(evalSet) })
    const args = ['test', 'trips.evalset.json', '--agent', `adk:${url}/trips`, '--adk-results', 'out']
    const { code, err } = await llmEval(args, { cwd })
    expect(code).toBe(1)
    const [name = ''] = readdirSync(join(cwd, 'out'))
    expect(name).toMatch(/^trips_trips_[\d.]+\.evalset_result\.json$/)
    expect(err).toContain(name)
    const text = readFileSync(join(cwd, 'out', name), 'utf8')
    // A number, as configurations may have it, is none of a result to ADK.
    expect(text.match(/"criterion": \{/g)).toHaveLength(6)
    const read = readEvalResult(JSON.parse(text))
    expect(read).toMatchObject({
      lost: [],
      result: {
        evalSetId: 'trips',
        evalCaseResults: [
          {
            evalId: 'case_rome',
            finalEvalStatus: 'failed',
            userId: 'ada',
            overallEvalMetricResults: [
              { metricName: 'tool_trajectory_avg_score', score: 0.5, evalStatus: 'failed', threshold: 1 },
              { metricName: 'response_match_score', score: 0.5, evalStatus: 'failed', threshold: 0.8 },
            ],
            evalMetricResultPerInvocation: [
              { evalMetricResults: [{ score: 1, evalStatus: 'passed' }, { score: 1 }] },
              {
                actualInvocation: { finalResponse: { parts: [{ text: 'No.' }] } },
                expectedInvocation: { userContent: { parts: [{ text: 'Book it.' }] } },
                evalMetricResults: [{ score: 0, evalStatus: 'failed' }, { score: 0 }],
              },
            ],
          },
        ],
      },
    })
  })

  test('sends the headers of the settings, and finds the one app of a server by itself', async () => {
    const { url, asked } = await startAdk(good)
    const cwd = place({
      'trips.evalset.json': file(evalSet),
      'llm-eval.agent.yaml': `agent: {url: "adk:${url}", headers: {Authorization: "Bearer {{env.ADK_TOKEN}}"}}\n`,
    })
    const { code } = await llmEval(['test', 'trips.evalset.json'], { cwd, env: { ADK_TOKEN: 'secret-token' } })
    expect(code).toBe(0)
    expect(asked[0]).toMatchObject({ app: 'trips', authorization: 'Bearer secret-token' })
  })
})
