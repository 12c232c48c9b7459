import { HttpAgent } from '@ag-ui/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BridgeTap } from '../src/bridge/running.ts'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, openShelf, type Shelf } from './ground.ts'
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
beforeEach(async () => {
  thread = `secrets-${++number}`
  told = []
  agent = await startScriptedAdk()
  const shared = {
    headers: { 'x-service': 'secret-of-the-service' },
    forward_headers: { 'x-agent-authorization': 'x-user-token' },
    token_env: 'TOKEN',
  }
  const targets = {
    adk: { url: agent.url, app_name: 'app', ...shared },
    agui: { kind: 'agui', url: `${agent.url}/agent`, ...shared },
  }
  const config = { redact: { kinds: ['email' as const], patterns: [], paths: [] } }
  ground = await startBridge(targets, { shelf, overSocket: true, env: { TOKEN: 'token-of-the-agent' }, config, tap })
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
