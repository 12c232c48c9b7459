import { HttpAgent } from '@ag-ui/client'
import { HttpAgent as HttpAgent0 } from '@ag-ui/client-0'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { heard, say, type ScriptedAdk, spoken, startScriptedAdk } from '../../server/test/scripted-adk.ts'
import { ConversationRecorder } from '../src/recorder/index.ts'
import { primes, startAguiServer } from './agui-server.ts'
import { type RealServer, startRealServer } from './real-server.ts'

let adk: ScriptedAdk
let server: RealServer

beforeAll(async () => {
  adk = await startScriptedAdk()
  const target = {
    kind: 'adk' as const,
    url: adk.url,
    app_name: 'agent1',
    user_id: 'someone',
    headers: {},
    forward_headers: {},
    token_env: null,
    token_command: null,
    api_key_env: null,
    timeout_seconds: 60,
  }
  server = await startRealServer({ targets: { primes: target } })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await adk?.close()
})

/** The formats of an export that are one JSON. */
const formats = ['evalset', 'evalcase', 'legacy'] as const

async function exported(threadId: string, format: string): Promise<string> {
  const answer = await fetch(`${server.url}/export/${encodeURIComponent(threadId)}?format=${format}`)
  expect(answer.status).toBe(200)
  return answer.text()
}

let number = 0
const usage = { promptTokenCount: 120, candidatesTokenCount: 12, thoughtsTokenCount: 86, totalTokenCount: 218 }
const call = (id: string, args: object) => ({ functionCall: { id, name: 'find_nth_prime', args } })
const result = (id: string, response: object) => ({ functionResponse: { id, name: 'find_nth_prime', response } })
const calls = (...parts: object[]) => heard({ role: 'model', parts }, { usageMetadata: usage, modelVersion: 'gemini' })
const results = (...parts: object[]) => heard({ role: 'user', parts })
const skipped = (...parts: object[]) => heard({ role: 'user', parts }, { actions: { skipSummarization: true } })
const piece = (text: string) => spoken(text, { partial: true })
const grows = (...partialArgs: object[]) => {
  const functionCall = { id: 'c1', name: 'find_nth_prime', partialArgs, willContinue: true }
  return heard({ role: 'model', parts: [{ functionCall }] }, { partial: true })
}
const title = (stringValue: string) => ({ jsonPath: '$.title', stringValue, willContinue: true })

/** What agents of ADK do, by what a front end has to be told of it. */
const scripts: [string, () => object[]][] = [
  ['answers with words', () => [spoken('Hello!')]],
  [
    'calls a tool with a signature and answers',
    () => [
      calls({ ...call('c1', { n: 10 }), thoughtSignature: 'CrQCAd_-' }),
      results(result('c1', { result: 29 })),
      spoken('It is 29.'),
    ],
  ],
  ['trap 1: streams its words, and says them whole at the end', () => [piece('Hel'), piece('lo!'), spoken('Hello!')]],
  [
    'streams the arguments of a call, and says them whole at the end',
    () => [
      piece('Let me see.'),
      grows(),
      grows(title('The ')),
      grows(title('10th'), { jsonPath: '$.n', numberValue: 10 }),
      calls({ text: 'Let me see.' }, call('c1', { title: 'The 10th', n: 10 })),
      results(result('c1', { result: 29 })),
      spoken('29.'),
    ],
  ],
  [
    'streams the arguments of a call in another order, and says others at the end',
    () => [
      grows({ jsonPath: '$.n', numberValue: 10 }),
      grows(title('The 10th')),
      calls(call('c1', { title: 'The 10th!', n: 10 })),
      results(result('c1', { result: 29 })),
      spoken('29.'),
    ],
  ],
  [
    'trap 4: calls tools at once, whose results come together',
    () => [
      calls({ ...call('c1', { n: 1 }), thoughtSignature: 'CrQCAQ==' }, call('c2', { n: 2 })),
      results(result('c2', { result: 3 }), result('c1', { result: 2 })),
      spoken('2 and 3.'),
    ],
  ],
  [
    'trap 6: says something in the same breath as it calls a tool',
    () => [calls({ text: 'Let me see.' }, call('c1', { n: 10 })), results(result('c1', { result: 29 })), spoken('29.')],
  ],
  [
    'trap 7: thinks before it answers',
    () => [heard({ role: 'model', parts: [{ text: 'Hm.', thought: true }, { text: 'Hello!' }] })],
  ],
  [
    'trap 9: calls a tool without arguments',
    () => [calls(call('c1', {})), results(result('c1', { result: 2 })), spoken('2.')],
  ],
  [
    'trap 11: hands over to another agent',
    () => [
      calls({ functionCall: { id: 't1', name: 'transfer_to_agent', args: { agent_name: 'mathematician' } } }),
      heard(
        {
          role: 'user',
          parts: [{ functionResponse: { id: 't1', name: 'transfer_to_agent', response: { result: null } } }],
        },
        { actions: { transferToAgent: 'mathematician' } },
      ),
      spoken('It is 29.', { author: 'mathematician', branch: 'root_agent.mathematician' }),
    ],
  ],
  ['trap 12: answers twice', () => [spoken('One.'), spoken('Two.', { author: 'second_agent' })]],
  [
    'trap 13: waits for a tool that takes long, and says that it does',
    () =>
      [
        calls({ ...call('c1', { n: 10 }), thoughtSignature: 'CrQCAQ==' }),
        results(result('c1', { status: 'pending' })),
        spoken('I wait.'),
      ].map((event, index) => (index === 0 ? { ...event, longRunningToolIds: ['c1'] } : event)),
  ],
  ['trap 14: ends with the result of a tool itself', () => [calls(call('c1', {})), skipped(result('c1', { done: 1 }))]],
  ['trap 23: changes its state', () => [spoken('Noted.', { actions: { stateDelta: { 'user:a/b~c': { seen: 1 } } } })]],
  [
    'trap 20: has arguments whose keys are in camel case',
    () => [calls(call('c1', { userId: 'u', snake_case: { innerKey: 1 } })), results(result('c1', {})), spoken('Done.')],
  ],
  [
    'trap 28: runs code',
    () => [
      heard({
        role: 'model',
        parts: [
          { executableCode: { language: 'PYTHON', code: 'print(29)' } },
          { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '29' } },
        ],
      }),
      spoken('29.'),
    ],
  ],
]

const clients = [
  ['1.0.0', HttpAgent],
  ['0.0.59', HttpAgent0],
] as const

describe.each(clients)('what a recorder at HttpAgent %s exports, and what the server does', (client, Agent) => {
  it.each(scripts)('is the same of an agent that %s', async (_, script) => {
    const threadId = `thread ${client} ${++number}`
    adk.answer((run) => say(...script().map((event) => ({ ...event, invocationId: `e-${threadId}-1` })))(run))
    const agent = new Agent({ url: `${server.url}/agui/primes`, threadId })
    const recorder = new ConversationRecorder({ threadId })
    recorder.attach(agent)
    agent.addMessage({ id: 'u1', role: 'user', content: 'What is the 10th prime?' })
    await agent.runAgent()
    adk.answer(say(spoken('You are welcome.', { invocationId: `e-${threadId}-2` })))
    agent.addMessage({ id: 'u2', role: 'user', content: 'Thank you.' })
    await agent.runAgent()
    for (const format of formats) expect(recorder.toFile({ format }).text).toBe(await exported(threadId, format))
    expect(recorder.exportToEvalFormat()).toMatchObject({
      session_input: { app_name: 'agent1', user_id: 'someone' },
      conversation: [{ invocation_id: `e-${threadId}-1` }, { invocation_id: `e-${threadId}-2` }],
    })
    expect(recorder.toFile().warnings).toEqual([])
  })
})

describe.each(clients)('a conversation in which something goes wrong, at HttpAgent %s', (client, Agent) => {
  it.each([
    [
      'an agent that cannot be reached, and then answers',
      (run: Parameters<ReturnType<typeof say>>[0]) => void run.response.writeHead(500).end('{"detail":"gone"}'),
    ],
    ['an agent that fails', say({ error: 'The model is gone.' })],
    ['trap 17: an agent that breaks off', say(piece('Hel'))],
    ['trap 17: an agent that breaks off in a call', say(piece('Hm.'), grows(title('The '), title('10')))],
  ])('is in both files alike: %s', async (name, wrong) => {
    const threadId = `${name} ${client}`
    adk.answer(wrong)
    const agent = new Agent({ url: `${server.url}/agui/primes`, threadId })
    const recorder = new ConversationRecorder({ threadId })
    recorder.attach(agent)
    agent.addMessage({ id: 'u1', role: 'user', content: 'What is the 10th prime?' })
    await agent.runAgent().catch(() => undefined)
    adk.answer(say(spoken('I am back.', { invocationId: `e-${threadId}` })))
    agent.addMessage({ id: 'u2', role: 'user', content: 'Are you there?' })
    await agent.runAgent()
    for (const format of formats) expect(recorder.toFile({ format }).text).toBe(await exported(threadId, format))
    expect(recorder.toFile().warnings).not.toEqual([])
  })
})

describe.each(clients)('a tool that the page runs itself, at HttpAgent %s', (client, Agent) => {
  it('trap 13: has its result in both files alike', async () => {
    const threadId = `waiting ${client}`
    const invocationId = `e-${threadId}`
    const asks = { ...calls(call('c1', { n: 10 })), longRunningToolIds: ['c1'], invocationId }
    adk.answer(say(asks, { ...results(result('c1', { status: 'pending' })), invocationId }))
    const agent = new Agent({ url: `${server.url}/agui/primes`, threadId })
    const recorder = new ConversationRecorder({ threadId })
    recorder.attach(agent)
    agent.addMessage({ id: 'u1', role: 'user', content: 'What is the 10th prime?' })
    await agent.runAgent()
    adk.answer(say(spoken('It is 29.', { invocationId: `${invocationId}-2` })))
    agent.addMessage({ id: 't1', role: 'tool', toolCallId: 'c1', content: '{"result":29}' })
    await agent.runAgent()
    expect(adk.runs.at(-1)?.body.newMessage.parts).toEqual([result('c1', { result: 29 })])
    for (const format of formats) expect(recorder.toFile({ format }).text).toBe(await exported(threadId, format))
    expect(recorder.exportToEvalFormat()).toMatchObject({
      conversation: [{}, { user_content: { parts: [{ function_response: { id: 'c1', response: { result: 29 } } }] } }],
    })
  })
})

describe('what a recorder tells a server', () => {
  it('of an agent that no bridge records, is exported there as it is in the page', async () => {
    await using agui = await startAguiServer(primes())
    const threadId = 'told by a recorder'
    const about = { threadId, appName: 'primes', userId: 'ada' }
    const recorder = new ConversationRecorder({ ...about, server: { url: server.url } })
    const agent = new HttpAgent({ url: agui.url, threadId })
    recorder.attach(agent)
    agent.addMessage({ id: 'u1', role: 'user', content: 'What is the 10th prime?' })
    await agent.runAgent()
    expect(await recorder.close({ timeoutMs: 60_000 })).toEqual({ sent: 12, refused: 0, pending: 0 })
    for (const format of formats) expect(await exported(threadId, format)).toBe(recorder.toFile({ format }).text)
  })

  it('by hand, is exported there as it is in the page', async () => {
    const threadId = 'told by hand'
    const recorder = new ConversationRecorder({ threadId, server: { url: server.url } })
    recorder.recordUserMessage('What is the 10th prime?', { id: 'u1' })
    recorder.recordThinking({ tokens: 86, text: 'Hm.', model: 'gemini' })
    recorder.recordToolCall('find_nth_prime', { n: 10 }, { id: 'c1', thoughtSignature: 'CrQCAQ==' })
    recorder.recordToolResult('c1', 29)
    recorder.recordAssistantMessage('It is 29.', { tokens: { input: 9, output: 3 } })
    expect(await recorder.close({ timeoutMs: 60_000 })).toEqual({ sent: 5, refused: 0, pending: 0 })
    for (const format of formats) expect(await exported(threadId, format)).toBe(recorder.toFile({ format }).text)
  })

  it('is not what its bridge records', async () => {
    const threadId = 'recorded by the bridge'
    adk.answer(say(spoken('Hello!')))
    const recorder = new ConversationRecorder({ threadId, server: { url: server.url } })
    const agent = new HttpAgent({ url: `${server.url}/agui/primes`, threadId })
    recorder.attach(agent)
    agent.addMessage({ id: 'u1', role: 'user', content: 'hi' })
    await agent.runAgent()
    expect(await recorder.close({ timeoutMs: 60_000 })).toEqual({ sent: 0, refused: 0, pending: 0 })
    expect(await exported(threadId, 'evalset')).toBe(recorder.toFile().text)
  })
})
