import { HttpAgent } from '@ag-ui/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BridgeTap } from '../src/bridge/running.ts'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { allSlices, firstKey, type Ground, openShelf, type Shelf } from './ground.ts'
import { begin, frame, heard, type ScriptedAdk, say, spoken, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let agent: ScriptedAdk
let ground: Ground
let thread = ''
let number = 0
let told: unknown[] = []

const tap: BridgeTap = {
  request: (messages) => void told.push(messages),
  agui: (event) => void told.push(event),
  raw: (event) => void told.push(event),
}

beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())

const settings = () => {
  const shared = {
    headers: { 'x-service': 'secret-of-the-service' },
    forward_headers: { 'x-agent-authorization': 'x-user-token' },
    token_env: 'TOKEN',
  }
  return {
    adk: { url: agent.url, app_name: 'app', ...shared },
    agui: { kind: 'agui', url: `${agent.url}/agent`, ...shared },
  }
}
const options = () => {
  const config = { redact: { kinds: ['email' as const], patterns: [], paths: [] } }
  return { shelf, overSocket: true, env: { TOKEN: 'token-of-the-agent' }, config, tap }
}

beforeEach(async () => {
  await shelf.clear()
  thread = `secrets-${++number}`
  told = []
  agent = await startScriptedAdk()
  ground = await startBridge(settings(), options())
})
afterEach(async () => {
  await ground.close()
  await agent.close()
})

async function ask(target: 'adk' | 'agui') {
  const url = `${await ground.origin()}/agui/${target}`
  const headers = { 'x-agent-authorization': 'Bearer token-of-a-person' }
  return talk(new HttpAgent({ url, threadId: thread, headers }), 'hi')
}

const kept = async () => JSON.stringify([await recorded(ground, thread), told, ground.lines])
const started = { type: 'RUN_STARTED', threadId: 't', runId: 'r' }
const keys = 'secret-of-the-service, token-of-the-agent, Bearer token-of-a-person'

describe('keys that an agent says back in its errors', () => {
  it.each([
    ['adk', { error: `no entry for ${keys}` }],
    ['adk', heard({ parts: [] }, { errorCode: 'DENIED', errorMessage: `no entry for ${keys}` })],
    ['adk', { error: { code: keys, message: `no entry for ${keys}` } }],
    ['agui', { type: 'RUN_ERROR', message: `no entry for ${keys}` }],
  ] as const)('under a status of success are told to nobody, and on no disk: %s %j', async (target, failure) => {
    agent.answer(say(...(target === 'agui' ? [started] : []), failure))
    const { events } = await ask(target)
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR' })
    expect(agent.runs[0]?.headers).toMatchObject({ 'x-user-token': 'Bearer token-of-a-person' })
    const all = JSON.stringify(events) + (await kept())
    for (const key of ['secret-of-the-service', 'token-of-the-agent', 'token-of-a-person'])
      expect(all).not.toContain(key)
  })
})

describe('what must not be kept', () => {
  const words = ['Write to bob@exa', 'mple.com now']

  it('is not in what is kept of an agent of AG-UI, however it comes in pieces', async () => {
    agent.answer(async ({ response }) => {
      begin(response)
      for (const event of [
        started,
        { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' },
        ...words.map((delta) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta })),
        { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'mail' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: '{"to":"ann@exa' },
        // Between two pieces of one text there is one of another.
        { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: ' please' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: 'mple.com"}' },
        { type: 'TOOL_CALL_END', toolCallId: 'c' },
        { type: 'TEXT_MESSAGE_END', messageId: 'm' },
        { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
      ])
        response.write(frame(event))
      response.end()
    })
    const { events } = await ask('agui')
    // Its front end hears each piece as it is.
    expect(JSON.stringify(events)).toContain('bob@exa')
    const all = await kept()
    expect(all).toContain('Write to [redacted:email] now please')
    expect(all).toContain('[redacted:email]')
    for (const piece of ['bob@exa', 'ann@exa', 'mple.com']) expect(all).not.toContain(piece)
  })

  it('is not in what is kept of an answer that breaks off', async () => {
    agent.answer(({ response }) => {
      begin(response)
      for (const event of [started, { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' }])
        response.write(frame(event))
      for (const delta of words) response.write(frame({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta }))
      response.end()
    })
    expect((await ask('agui')).events.at(-1)).toMatchObject({ type: 'RUN_ERROR' })
    const all = await kept()
    expect(all).toContain('Write to [redacted:email] now')
    expect(all).not.toContain('mple.com')
  })

  it('is not in pieces of texts and arguments of an agent of ADK, nor in the logs', async () => {
    const pieces = words.map((text) => spoken(text, { partial: true }))
    const call = (stringValue: string) => ({ id: 'c', name: 'mail', partialArgs: [{ jsonPath: '$.to', stringValue }] })
    const calls = ['ann@exa', 'mple.com'].map((value) =>
      heard({ role: 'model', parts: [{ functionCall: call(value) }] }, { partial: true }),
    )
    agent.answer(say(...pieces, ...calls, spoken(words.join(''))))
    await ask('adk')
    const all = await kept()
    expect(all).toContain('Write to [redacted:email] now')
    for (const piece of ['bob@exa', 'ann@exa', 'mple.com']) expect(all).not.toContain(piece)
  })
})

describe('who may ask an agent', () => {
  it('needs a key that may tell of conversations, and asks in its own project', async () => {
    await ground.close()
    ground = await startBridge(settings(), { ...options(), slices: allSlices })
    const admin = await firstKey(ground)
    const keyOf = async (scopes: string[], project: object = {}) => {
      const made = await ground.send({ path: '/api/v1/keys', body: { name: 'k', scopes, ...project }, key: admin })
      return String(made.json.key)
    }
    const body = { threadId: thread, runId: 'r', messages: [{ id: 'm', role: 'user', content: 'hi' }] }
    const asked = async (key?: string) => {
      const answer = await fetch(`${await ground.origin()}/agui/adk`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
      })
      await answer.text()
      return answer.status
    }
    expect([await asked(), await asked('le_wrong'), await asked(await keyOf(['read']))]).toEqual([401, 401, 403])
    expect(agent.runs).toHaveLength(0)
    expect(await asked(await keyOf(['ingest'], { project: 'elsewhere' }))).toBe(200)
    // The key is for this server, and not for the agent.
    expect(agent.runs[0]?.headers.authorization).toBe('Bearer token-of-the-agent')
    expect(await recorded(ground, thread)).toEqual([])
    expect(await asked(await keyOf(['ingest']))).toBe(200)
    expect((await recorded(ground, thread)).length).toBeGreaterThan(2)
    // Whoever knows the name of a thread in another project does not get into what was said there.
    const [theirs, ours] = agent.runs.map(({ body: { sessionId } }) => String(sessionId))
    expect(ours).toBe(thread)
    expect(theirs).not.toBe(thread)
  })
})
