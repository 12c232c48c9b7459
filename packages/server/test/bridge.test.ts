import { HttpAgent as Newer } from '@ag-ui/client'
import { HttpAgent as Older } from '@ag-ui/client-0'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, openShelf, type Shelf } from './ground.ts'
import { begin, frame, heard, say, type ScriptedAdk, spoken, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let adk: ScriptedAdk
let ground: Ground
/** Of the test. */
let thread = ''
let number = 0

beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())

const settings = () => ({
  demo: {
    url: adk.url,
    app_name: 'demo',
    headers: { 'x-service': 'secret-of-the-service' },
    forward_headers: { 'x-agent-authorization': 'authorization', 'X-User': 'x-user' },
  },
  unnamed: { url: adk.url },
  quick: { url: adk.url, timeout_seconds: 0.5 },
  engine: { kind: 'agent_engine', url: `${adk.url}/v1/projects/p/locations/l/reasoningEngines/1`, api_key_env: 'KEY' },
})

beforeEach(async () => {
  thread = `thread-${++number}`
  adk = await startScriptedAdk()
  ground = await startBridge(settings(), { shelf, overSocket: true, env: { KEY: 'key-of-the-engine' } })
})
afterEach(async () => {
  await ground.close()
  await adk.close()
})

const url = async (target: string) => `${await ground.origin()}/agui/${target}`

async function agentOf(target = 'demo', threadId = thread, headers: Record<string, string> = {}): Promise<Newer> {
  return new Newer({ url: await url(target), threadId, headers })
}

const typesOf = (events: readonly { type: string }[]) => events.map(({ type }) => type)
const kindsOf = async (threadId = thread) => (await recorded(ground, threadId)).map(({ kind }) => kind)
const endOf = async (threadId = thread) => (await recorded(ground, threadId)).at(-1)?.payload

describe('a front end that talks to an agent through the bridge', () => {
  it('gets its answer, and both are recorded', async () => {
    const agent = await agentOf()
    const { error, events } = await talk(agent, 'hi')
    expect(error).toBeUndefined()
    expect(typesOf(events)).toEqual([
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ])
    expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'Hello!', name: 'root_agent' })
    const kept = await recorded(ground, thread)
    expect(kept.map(({ kind }) => kind)).toEqual(['run_start', 'user_message', 'adk_event', 'run_end'])
    expect(kept[1]?.payload).toMatchObject({ text: 'hi' })
    expect(kept[2]?.payload).toMatchObject({ author: 'root_agent', invocationId: 'e-1' })
    expect(kept[3]?.payload).toEqual({ status: 'finished', code: null, message: null })
  })

  it('of CopilotKit, which has an older client, gets it too', async () => {
    const agent = new Older({ url: await url('demo'), threadId: thread })
    agent.addMessage({ id: 'user-1', role: 'user', content: 'hi' })
    await agent.runAgent()
    expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'Hello!' })
  })

  it('has its words stored before the agent hears them', async () => {
    let before: string[] = []
    adk.answer(async (run) => {
      before = await kindsOf()
      say(spoken('Hello!'))(run)
    })
    await talk(await agentOf(), 'hi')
    expect(before).toEqual(['run_start', 'user_message'])
  })

  it('gets each word when it is said, not when all are', async () => {
    const heardFirst = Promise.withResolvers<void>()
    adk.answer(async ({ response }) => {
      begin(response)
      response.write(frame(spoken('Hel', { id: 'a', partial: true })))
      // The rest is only said to somebody who has the first.
      await heardFirst.promise
      response.end(frame(spoken('lo!', { id: 'a', partial: true })) + frame(spoken('Hello!', { id: 'a' })))
    })
    const agent = await agentOf()
    agent.addMessage({ id: 'u', role: 'user', content: 'hi' })
    await agent.runAgent({}, { onTextMessageContentEvent: () => heardFirst.resolve() })
    expect(agent.messages.at(-1)).toMatchObject({ content: 'Hello!' })
  })

  it('sees the arguments of a call grow while they are written', async () => {
    const called = (more: object) => ({ role: 'model', parts: [{ functionCall: { id: 'c', name: 'write', ...more } }] })
    const grows = (stringValue: string) =>
      frame(
        heard(called({ partialArgs: [{ jsonPath: '$.text', stringValue, willContinue: true }], willContinue: true }), {
          partial: true,
        }),
      )
    const seen: string[] = []
    const heardFirst = Promise.withResolvers<void>()
    adk.answer(async ({ response }) => {
      begin(response)
      response.write(grows('Once'))
      // The rest is only written for somebody who saw how it begins.
      await heardFirst.promise
      response.write(grows(' upon'))
      response.write(frame(heard(called({ args: { text: 'Once upon' } }))))
      response.end(frame(spoken('Written.')))
    })
    const agent = await agentOf()
    agent.addMessage({ id: 'u', role: 'user', content: 'write' })
    const onToolCallArgsEvent = ({ event: { delta } }: { event: { delta: string } }) => {
      seen.push(delta)
      heardFirst.resolve()
    }
    await agent.runAgent({}, { onToolCallArgsEvent })
    expect(seen).toEqual(['{"text":"Once', ' upon', '"}'])
    expect(agent.messages.filter(({ role }) => role === 'assistant')).toMatchObject([
      { toolCalls: [{ id: 'c', function: { name: 'write', arguments: '{"text":"Once upon"}' } }] },
      { content: 'Written.' },
    ])
    const found = await ground.store.read(ground.access.home, 'conversation', { threadId: thread })
    expect(found).toMatchObject({ toolCalls: 1 })
  })

  it('sends the whole thread each time, and the agent hears only what is new, in one session (trap 18)', async () => {
    const agent = await agentOf()
    await talk(agent, 'one')
    await talk(agent, 'two')
    expect(adk.runs.map(({ body }) => body.newMessage.parts)).toEqual([[{ text: 'one' }], [{ text: 'two' }]])
    expect(new Set(adk.runs.map(({ body }) => body.sessionId))).toEqual(new Set([thread]))
    expect(adk.created).toHaveLength(1)
    expect(adk.runs[0]?.body).toMatchObject({ appName: 'demo', userId: 'user', streaming: true })
  })

  it('says again what an agent that was not there did not hear', async () => {
    const answer = say(spoken('Both.'))
    adk.answer(({ response }) => void response.writeHead(503).end())
    const agent = await agentOf()
    await talk(agent, 'one')
    adk.answer(answer)
    await talk(agent, 'two')
    expect(adk.runs.at(-1)?.body.newMessage.parts).toEqual([{ text: 'one' }, { text: 'two' }])
  })

  it('is recorded under the app that the server has, where nobody named it', async () => {
    await talk(await agentOf('unnamed'), 'hi')
    const found = await ground.store.read(ground.access.home, 'conversation', { threadId: thread })
    expect(found).toMatchObject({ target: 'unnamed', appName: 'the-only-app', agents: ['root_agent'] })
  })

  it('wants an answer once more: its last message is said again', async () => {
    const agent = await agentOf()
    await talk(agent, 'one')
    agent.setMessages(agent.messages.slice(0, 1))
    await talk(agent)
    expect(adk.runs.map(({ body }) => body.newMessage.parts)).toEqual([[{ text: 'one' }], [{ text: 'one' }]])
  })

  it('sends the result of a tool that takes long, and with it the name of the tool (trap 13)', async () => {
    const call = { functionCall: { id: 'call-1', name: 'approve', args: { amount: 5 } } }
    adk.answer(say(heard({ role: 'model', parts: [call] }, { longRunningToolIds: ['call-1'] })))
    const agent = await agentOf()
    const { events } = await talk(agent, 'pay')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { pendingToolCallIds: ['call-1'] } })
    expect(await endOf()).toMatchObject({ status: 'waiting' })
    adk.answer(say(spoken('Paid.')))
    agent.addMessage({ id: 'tool-1', role: 'tool', toolCallId: 'call-1', content: '{"approved":true}' })
    await talk(agent)
    expect(adk.runs[1]?.body.newMessage).toEqual({
      role: 'user',
      parts: [{ functionResponse: { id: 'call-1', name: 'approve', response: { approved: true } } }],
    })
    expect((await kindsOf()).filter((kind) => kind === 'tool_result')).toHaveLength(1)
    const found = await ground.store.read(ground.access.home, 'conversation', { threadId: thread })
    expect(found).toMatchObject({ agents: ['root_agent'] })
  })

  it('keeps its state with the agent: what the agent changed comes as a patch, what it changes itself goes', async () => {
    adk.answer(say(spoken('Noted.', { actions: { stateDelta: { 'user:name': 'Ada', count: 1 } } })))
    const agent = await agentOf()
    await talk(agent, 'one')
    expect(agent.state).toEqual({ 'user:name': 'Ada', count: 1 })
    agent.setState({ ...agent.state, count: 2 })
    adk.answer(say(spoken('Fine.')))
    await talk(agent, 'two')
    expect(adk.runs.map(({ body }) => body.stateDelta)).toEqual([undefined, { count: 2 }])
  })

  it('has only those headers sent on that a rule names', async () => {
    const headers = { 'x-agent-authorization': 'Bearer of-the-user', 'x-user': 'ada', 'x-other': 'stays' }
    await talk(await agentOf('demo', thread, headers), 'hi')
    const sent = adk.runs[0]?.headers
    expect(sent).toMatchObject({
      authorization: 'Bearer of-the-user',
      'x-user': 'ada',
      'x-service': 'secret-of-the-service',
    })
    expect(Object.keys(sent ?? {})).not.toContain('x-other')
    expect(Object.keys(sent ?? {})).not.toContain('x-agent-authorization')
  })

  it('is told what the agent can do', async () => {
    const { json } = await ground.send({ path: '/agui/demo/capabilities' })
    expect(json).toMatchObject({ identity: { name: 'demo', type: 'adk' }, transport: { streaming: true } })
  })

  it('is told that tools of its own do not reach an agent of ADK, which gets nothing of them', async () => {
    const { json } = await ground.send({ path: '/agui/demo/capabilities' })
    expect(json).toMatchObject({
      tools: { supported: true, clientProvided: false },
      humanInTheLoop: { supported: true },
    })
    const agent = await agentOf()
    agent.addMessage({ id: 'u', role: 'user', content: 'hi' })
    await agent.runAgent({ tools: [{ name: 'pick_color', description: 'Of the page.', parameters: {} }] })
    expect(agent.messages.at(-1)).toMatchObject({ content: 'Hello!' })
    expect(JSON.stringify(adk.runs[0]?.body)).not.toContain('pick_color')
  })
})

describe('Agent Engine behind the bridge', () => {
  it('makes a session, which is found again after a restart, and speaks in lines of snake case', async () => {
    const snake = {
      id: 'ev-1',
      invocation_id: 'e-9',
      author: 'root_agent',
      timestamp: 1_763_829_465.5,
      content: { role: 'model', parts: [{ text: 'From the engine.' }] },
      usage_metadata: { prompt_token_count: 3, total_token_count: 4 },
    }
    adk.answer(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(snake)}\n`)
    })
    const agent = await agentOf('engine')
    await talk(agent, 'one')
    expect(agent.messages.at(-1)).toMatchObject({ content: 'From the engine.' })
    expect(adk.runs[0]).toMatchObject({
      path: '/v1/projects/p/locations/l/reasoningEngines/1:streamQuery?alt=sse',
      headers: { 'x-goog-api-key': 'key-of-the-engine' },
      body: { class_method: 'async_stream_query', input: { user_id: 'user', session_id: '1' } },
    })
    await ground.close()
    ground = await startBridge(settings(), { shelf, overSocket: true, env: { KEY: 'key-of-the-engine' } })
    const again = await agentOf('engine')
    again.setMessages(agent.messages)
    await talk(again, 'two')
    expect(adk.runs.map(({ body }) => body.input.session_id)).toEqual(['1', '1'])
    expect(adk.runs[1]?.body.input.message.parts).toEqual([{ text: 'two' }])
  })
})

describe('what goes wrong', () => {
  const failing = async (target = 'demo') => {
    const { error, events } = await talk(await agentOf(target), 'hi')
    const last = events.at(-1)
    expect(events.filter(({ type }) => type === 'RUN_ERROR' || type === 'RUN_FINISHED')).toHaveLength(1)
    expect(await endOf()).toMatchObject({ code: last.code, message: last.message })
    return { error, events, last, end: await endOf() }
  }

  it('an answer that ends before its last word is an error, and what came is kept (trap 17)', async () => {
    adk.answer(say(spoken('Hel', { partial: true })))
    const { last, events, end } = await failing()
    expect(last).toMatchObject({ type: 'RUN_ERROR', code: 'UPSTREAM_TRUNCATED' })
    expect(typesOf(events)).toContain('TEXT_MESSAGE_END')
    expect(end).toMatchObject({ status: 'truncated' })
    expect((await recorded(ground, thread))[2]?.payload).toMatchObject({ partial: true })
  })

  it('a connection that breaks in the middle is one', async () => {
    adk.answer(({ response }) => {
      begin(response)
      response.write(frame(spoken('Hel', { partial: true })), () => response.destroy())
    })
    const { last, end } = await failing()
    expect(last).toMatchObject({ type: 'RUN_ERROR', code: 'UPSTREAM_CUT' })
    expect(end).toMatchObject({ status: 'truncated' })
  })

  it('an error under a status of success is one (trap 16)', async () => {
    adk.answer(say(spoken('Hm.'), { error: 'RuntimeError: The model is gone.' }))
    const { last, end } = await failing()
    expect(last).toMatchObject({ code: 'AGENT_ERROR', message: 'RuntimeError: The model is gone.' })
    expect(end).toMatchObject({ status: 'failed' })
    expect(await kindsOf()).toContain('adk_event')
  })

  it('an event that cannot be read is one', async () => {
    adk.answer(({ response }) => {
      begin(response)
      response.end(`${frame(spoken('Hm.'))}data: {"author": \n\n`)
    })
    expect((await failing()).last).toMatchObject({ code: 'UPSTREAM_MALFORMED' })
  })

  it('a status of 500 is one, and what the agent says of it is told without our keys', async () => {
    adk.answer(({ response, headers }) => {
      response.writeHead(500).end(`broken with ${String(headers['x-service'])}`)
    })
    const { last } = await failing()
    expect(last).toMatchObject({ code: 'UPSTREAM_HTTP_STATUS', message: expect.stringContaining('status 500') })
    expect(JSON.stringify(await recorded(ground, thread)) + ground.lines.join()).not.toContain('secret-of-the-service')
    expect(last.message).toContain('broken with •••')
  })

  it('nobody who listens is one', async () => {
    await adk.close()
    expect((await failing()).last).toMatchObject({ code: 'UPSTREAM_REFUSED' })
  })

  it('silence is one, after the time that the target has', async () => {
    adk.answer(({ response }) => begin(response))
    const { last, end } = await failing('quick')
    expect(last).toMatchObject({ code: 'UPSTREAM_TIMEOUT' })
    expect(end).toMatchObject({ status: 'truncated' })
  })

  it('an agent that leads to another host is not followed', async () => {
    adk.answer(({ response }) => {
      response.writeHead(307, { location: 'http://169.254.169.254/' }).end()
    })
    expect((await failing()).last).toMatchObject({ code: 'UPSTREAM_REDIRECT' })
  })

  it('an answer without end is cut off at its bound', async () => {
    await ground.close()
    ground = await startBridge(settings(), { shelf, overSocket: true, answerBytes: 4_000 })
    adk.answer(({ response }) => {
      begin(response)
      for (let at = 0; at < 100; at++) response.write(frame(spoken('word ', { partial: true })))
    })
    expect((await failing()).last).toMatchObject({ code: 'UPSTREAM_TOO_LARGE' })
  })

  it('a server that was started anew has lost its sessions: one is made again', async () => {
    const agent = await agentOf()
    await talk(agent, 'one')
    adk.sessions.clear()
    const { error } = await talk(agent, 'two')
    expect(error).toBeUndefined()
    expect(adk.created).toHaveLength(2)
  })

  it('a front end that goes away ends the request to the agent, and that is recorded', async () => {
    const asked = Promise.withResolvers<Promise<unknown>>()
    adk.answer(({ response, gone }) => {
      begin(response)
      response.write(frame(spoken('Hel', { partial: true })))
      asked.resolve(gone)
    })
    const agent = await agentOf()
    agent.addMessage({ id: 'u', role: 'user', content: 'hi' })
    const run = agent.runAgent({}, { onTextMessageContentEvent: () => agent.abortRun() })
    await asked.promise.then((gone) => gone)
    await run
    await vi.waitFor(async () => expect(await endOf()).toMatchObject({ status: 'cancelled' }), { timeout: 20_000 })
    expect(await kindsOf()).toEqual(['run_start', 'user_message', 'adk_event', 'run_end'])
  })

  it('a second request of a thread is refused while one is under way', async () => {
    const asked = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    adk.answer(async (run) => {
      asked.resolve()
      await go.promise
      say(spoken('Hello!'))(run)
    })
    const first = talk(await agentOf(), 'one')
    await asked.promise
    const { error } = await talk(await agentOf(), 'two', 'other')
    expect(error).toMatchObject({ status: 409 })
    go.resolve()
    expect((await first).error).toBeUndefined()
  })

  it('a front end that comes back at once is answered when its earlier request is over', async () => {
    const asked = Promise.withResolvers<void>()
    adk.answer(({ response }) => {
      begin(response)
      asked.resolve()
    })
    const agent = await agentOf()
    agent.addMessage({ id: 'u', role: 'user', content: 'hi' })
    const first = agent.runAgent()
    await asked.promise
    agent.abortRun()
    await first
    adk.answer(say(spoken('Here.')))
    // The server hears of the end of a connection when it does: until then the thread is held by somebody who is there.
    await vi.waitFor(
      async () => {
        const again = await agentOf()
        const { error } = await talk(again, 'again', 'v')
        expect(error).toBeUndefined()
        expect(again.messages.at(-1)).toMatchObject({ content: 'Here.' })
      },
      { timeout: 40_000 },
    )
  })

  it('a server that shuts down says so, and what came is kept', async () => {
    const asked = Promise.withResolvers<void>()
    adk.answer(({ response }) => {
      begin(response)
      response.write(frame(spoken('Hel', { partial: true })))
      asked.resolve()
    })
    const talked = talk(await agentOf(), 'hi')
    await asked.promise
    ground.closing.abort()
    expect((await talked).events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'SHUTTING_DOWN' })
    expect(await endOf()).toMatchObject({ status: 'truncated', code: 'SHUTTING_DOWN' })
  })

  it.each([
    ['an unknown target', { target: 'nowhere' }, { status: 404, code: 'target_not_found' }],
    ['no message', { messages: [] }, { status: 422, code: 'invalid_request' }],
    ['a message without id', { messages: [{ role: 'user', content: 'x' }] }, { status: 422, code: 'invalid_request' }],
    ['no thread', { threadId: '' }, { status: 422, code: 'invalid_request' }],
  ])(
    'a request with %s is refused before anything is stored',
    async (_what, { target = 'demo', ...more }: object & { target?: string }, { status, code }) => {
      const body = { threadId: thread, runId: 'r', messages: [{ id: '1', role: 'user', content: 'hi' }], ...more }
      const answer = await ground.send({ path: `/agui/${target}`, body })
      expect(answer).toMatchObject({ status, json: { code } })
      expect(await recorded(ground, thread)).toEqual([])
    },
  )

  it('numbers that no double holds are told as text, and whoever exports them hears of it (trap 21)', async () => {
    const call = heard({
      role: 'model',
      parts: [{ functionCall: { id: 'c', name: 'f', args: { n: 'BIG', x: 'NAN' } } }],
    })
    adk.answer(({ response }) => {
      begin(response)
      response.write(frame(call).replace('"BIG"', '12345678901234567890').replace('"NAN"', 'NaN'))
      response.end(frame(spoken('Done.')))
    })
    const { events } = await talk(await agentOf(), 'hi')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    const kept = await recorded(ground, thread)
    expect(kept[2]?.payload.content.parts[0].functionCall.args).toEqual({ n: '12345678901234567890', x: 'NaN' })
    expect(kept.at(-1)).toMatchObject({
      kind: 'run_end',
      payload: { status: 'finished', message: expect.stringContaining('12345678901234567890 has more digits') },
    })
  })

  it('keys of prototypes in what an agent says do no harm (trap 30)', async () => {
    const args = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'
    adk.answer(({ response }) => {
      begin(response)
      const call = `{"functionCall": {"id": "c", "name": "f", "args": ${args}}}`
      const event = `{"id":"e","invocationId":"e-1","author":"root_agent","timestamp":1,"content":{"role":"model","parts":[${call}]},"actions":{"stateDelta":${args}}}`
      response.end(`data: ${event}\n\n${frame(spoken('Done.'))}`)
    })
    const { error } = await talk(await agentOf(), 'hi')
    expect(error).toBeUndefined()
    expect('polluted' in {}).toBe(false)
  })
})
