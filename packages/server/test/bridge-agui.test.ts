import { HttpAgent } from '@ag-ui/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, openShelf, type Shelf } from './ground.ts'
import { begin, frame, type ScriptedAdk, say, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let agent: ScriptedAdk
let ground: Ground
let thread = ''
let number = 0

beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  thread = `agui-${++number}`
  agent = await startScriptedAdk()
  // Whatever is asked at this path is answered by the script.
  const targets = { other: { kind: 'agui', url: `${agent.url}/agent`, token_env: 'TOKEN' } }
  ground = await startBridge(targets, { shelf, overSocket: true, env: { TOKEN: 'token-of-the-agent' } })
})
afterEach(async () => {
  await ground.close()
  await agent.close()
})

const frontEnd = async () => new HttpAgent({ url: `${await ground.origin()}/agui/other`, threadId: thread })
const started = { type: 'RUN_STARTED', threadId: 't', runId: 'r' }
const finished = { type: 'RUN_FINISHED', threadId: 't', runId: 'r' }
const text = (words: string) => [
  { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' },
  ...words.split(' ').map((delta) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: `${delta} ` })),
  { type: 'TEXT_MESSAGE_END', messageId: 'm' },
]

describe('an agent of AG-UI behind the bridge', () => {
  it('is asked the same, and what it says is passed on and recorded as it is; pieces of a text as one', async () => {
    agent.answer(say(started, ...text('one two three'), finished))
    const front = await frontEnd()
    const { error, events } = await talk(front, 'hi')
    expect(error).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual([
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ])
    expect(agent.runs[0]).toMatchObject({
      path: '/agent',
      headers: { authorization: 'Bearer token-of-the-agent' },
      body: { threadId: thread, messages: [{ role: 'user', content: 'hi' }], tools: [], context: [] },
    })
    const kept = await recorded(ground, thread)
    expect(kept.map(({ kind, payload }) => (kind === 'agui_event' ? payload.type : kind))).toEqual([
      'run_start',
      'user_message',
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
      'run_end',
    ])
    expect(kept[4]?.payload).toMatchObject({ delta: 'one two three ' })
  })

  it('that breaks off is told as one that failed', async () => {
    agent.answer(say(started, ...text('one').slice(0, 2)))
    const { events } = await talk(await frontEnd(), 'hi')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'UPSTREAM_TRUNCATED' })
    expect((await recorded(ground, thread)).at(-1)?.payload).toMatchObject({ status: 'truncated' })
  })

  it('that fails says so itself', async () => {
    agent.answer(say(started, { type: 'RUN_ERROR', message: 'Gone.', code: 'MINE' }))
    const { events } = await talk(await frontEnd(), 'hi')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'MINE', message: 'Gone.' })
    expect((await recorded(ground, thread)).at(-1)?.payload).toEqual({
      status: 'failed',
      code: 'MINE',
      message: 'Gone.',
    })
  })

  it.each([
    ['no JSON', 'data: {"type":\n\n', 'UPSTREAM_INVALID_JSON'],
    ['what is no event', 'data: {"type":"TEXT_MESSAGE_START"}\n\n', 'UPSTREAM_UNREADABLE'],
    ['an event of 5 MB', frame({ type: 'RAW', event: 'x'.repeat(5_000_000) }), 'UPSTREAM_TOO_LARGE'],
  ])('that says %s is not listened to any longer', async (_what, said, code) => {
    agent.answer(({ response }) => {
      begin(response)
      response.end(frame(started) + said)
    })
    const { events } = await talk(await frontEnd(), 'hi')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code })
  })

  it('may say what is not known here: older front ends would break on it, so it ends here', async () => {
    agent.answer(say(started, { type: 'FROM_THE_FUTURE' }, ...text('one'), finished))
    const { error, events } = await talk(await frontEnd(), 'hi')
    expect(error).toBeUndefined()
    expect(events.map(({ type }) => type)).not.toContain('FROM_THE_FUTURE')
  })
})
