import { expect, test } from 'vitest'
import { type Agent, ask } from '../src/index.ts'
import { answering, options, scriptedAgent } from './scripted-agent.ts'

const turns = [{ query: 'One', context: { city: 'Bern' } }, { query: 'Two' }]

/** What an agent is sent in two turns. */
async function sent(agent: Partial<Agent>, env: Record<string, string> = {}) {
  const { url, got } = await scriptedAgent(answering('{"response": "Well.", "session_id": "s"}'))
  const trace = await ask(
    { url, ...agent, ...(agent.url === undefined ? {} : { url: url + agent.url }) },
    turns,
    options({ env }),
  )
  expect(trace.fault).toBeNull()
  return got
}

test('a body of one’s own is filled in: whole values stay what they are, others become text', async () => {
  const body = {
    input: { question: '{{query}}', place: 'in {{context.city}}', turn: '{{turn}}' },
    past: '{{history}}',
    note: 'said: {{history}}',
    session: '{{session_id}}',
    literal: [1, true, null],
  }
  const [, second] = await sent({ request: { body: { ...body, input: { question: '{{query}}', turn: '{{turn}}' } } } })
  const past = [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: 'Well.' },
  ]
  expect(second?.body).toEqual({
    input: { question: 'Two', turn: 2 },
    past,
    note: `said: ${JSON.stringify(past)}`,
    session: 's',
    literal: [1, true, null],
  })
})

test('what a query holds is never taken for a place', async () => {
  const { url, got } = await scriptedAgent(answering('{"response": "x"}'))
  const query = '{{env.SECRET}} {{query}}'
  await ask({ url, request: { body: { q: 'ask: {{query}}' } } }, [{ query }], options({ env: { SECRET: 'no' } }))
  expect(got[0]?.body).toEqual({ q: `ask: ${query}` })
})

test('address and headers may hold what the environment says', async () => {
  const [first] = await sent(
    { url: '?key={{env.KEY}}', headers: { Authorization: 'Bearer {{env.TOKEN}}', 'X-Turn': '{{turn}}' } },
    { KEY: 'k', TOKEN: 't' },
  )
  expect(first?.path).toBe('/api/chat?key=k')
  expect(first?.headers).toMatchObject({ authorization: 'Bearer t', 'x-turn': '1', 'user-agent': 'llm-eval' })
})

test('the seed’s body can be added to', async () => {
  const [first] = await sent({ body: { userId: 'me', enable_tracing: true }, userId: 'other' })
  expect(first?.body).toMatchObject({ message: 'One', userId: 'me', enable_tracing: true, context: { city: 'Bern' } })
})

test.each([
  [
    'openai_chat',
    {
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'user', content: 'One' },
        { role: 'assistant', content: 'Well.' },
        { role: 'user', content: 'Two' },
      ],
    },
  ],
  ['openai_responses', { model: 'm', stream: true, input: 'Two', previous_response_id: 's' }],
  [
    'ai_sdk',
    { id: 's', messages: [{ role: 'user' }, { role: 'assistant' }, { parts: [{ type: 'text', text: 'Two' }] }] },
  ],
  [
    'ag_ui',
    { threadId: 's', runId: 'run-2', messages: [{}, {}, { role: 'user', content: 'Two' }], tools: [], context: [] },
  ],
] as const)('a body in the shape %s carries the conversation', async (request, body) => {
  const [, second] = await sent({ request, model: 'm' })
  expect(second?.body).toMatchObject(body)
})

test('nothing asked is a mistake of the caller', async () => {
  await expect(ask({ url: 'http://a.test' }, [], options())).rejects.toThrow(RangeError)
})
