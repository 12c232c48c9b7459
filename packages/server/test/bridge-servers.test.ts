import { HttpAgent } from '@ag-ui/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import { type Ground, openShelf, type Shelf } from './ground.ts'
import { heard, type ScriptedAdk, say, spoken, startScriptedAdk } from './scripted-adk.ts'

let shelf: Shelf
let adk: ScriptedAdk
let one: Ground
let other: Ground
let thread = ''
let number = 0

const start = () => {
  const engine = `${adk.url}/v1/projects/p/locations/l/reasoningEngines/1`
  const targets = { demo: { url: adk.url, app_name: 'demo' }, engine: { kind: 'agent_engine', url: engine } }
  return startBridge(targets, { shelf, overSocket: true })
}

beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  thread = `servers-${++number}`
  adk = await startScriptedAdk()
  one = await start()
  other = await start()
})
afterEach(async () => {
  await one.close()
  await other.close()
  await adk.close()
})

/** A front end that asks another server each time, as a balancer has it. */
async function frontEnd(target = 'demo'): Promise<{ agent: HttpAgent; by: (ground: Ground) => Promise<void> }> {
  const agent = new HttpAgent({ url: 'http://nobody.invalid', threadId: thread })
  return { agent, by: async (ground) => void (agent.url = `${await ground.origin()}/agui/${target}`) }
}

describe('servers that share a database', () => {
  it('know what of a thread went over another one: its state goes to the agent, and no message twice', async () => {
    const { agent, by } = await frontEnd()
    adk.answer(say(spoken('Noted.', { actions: { stateDelta: { count: 1 } } })))
    await by(one)
    await talk(agent, 'one')
    adk.answer(say(spoken('Counted.', { actions: { stateDelta: { count: 2 } } })))
    await by(other)
    await talk(agent, 'two')
    expect(agent.state).toEqual({ count: 2 })
    agent.setState({ count: 1 })
    await by(one)
    await talk(agent, 'three')
    expect(adk.runs.map(({ body }) => body.newMessage.parts)).toEqual([
      [{ text: 'one' }],
      [{ text: 'two' }],
      [{ text: 'three' }],
    ])
    expect(adk.runs[2]?.body.stateDelta).toEqual({ count: 1 })
    const kept = await recorded(one, thread)
    expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, at) => at + 1))
  })

  it('know which message an agent heard that names its sessions itself', async () => {
    const { agent, by } = await frontEnd('engine')
    // It heard the message, changed its state, and was gone before it said a word.
    adk.answer(
      say(heard({ role: 'model', parts: [] }, { actions: { stateDelta: { seen: true } } }), { error: 'out of order' }),
    )
    await by(one)
    expect((await talk(agent, 'one')).events.at(-1)).toMatchObject({ type: 'RUN_ERROR' })
    adk.answer(say(spoken('Yes?')))
    await by(other)
    await talk(agent, 'two')
    expect(adk.runs.map(({ body }) => body.input.message.parts)).toEqual([[{ text: 'one' }], [{ text: 'two' }]])
    expect(adk.runs[1]?.body.input.session_id).toBe(adk.runs[0]?.body.input.session_id)
  })
})

describe('an event of ADK that comes in two frames of one id', () => {
  it('is recorded twice, as the second tells of its artifact (trap 3)', async () => {
    const words = spoken('See the file.', { id: 'same' })
    const artifact = heard({ role: 'model' }, { id: 'same', actions: { artifactDelta: { 'note.txt': 0 } } })
    adk.answer(say(words, artifact))
    const { agent, by } = await frontEnd()
    await by(one)
    expect((await talk(agent, 'hi')).events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
    const events = (await recorded(one, thread)).filter(({ kind }) => kind === 'adk_event')
    expect(events.map(({ payload }) => [payload.id, payload.actions?.artifactDelta])).toEqual([
      ['same', undefined],
      ['same', { 'note.txt': 0 }],
    ])
  })

  it('is recorded in each turn, also by agents that count their events anew', async () => {
    const { agent, by } = await frontEnd()
    await by(one)
    for (const text of ['one', 'two']) {
      adk.answer(say(spoken(`You said ${text}.`, { id: 'e1', invocationId: `e-${text}` })))
      await talk(agent, text)
    }
    const said = (await recorded(one, thread)).flatMap(({ kind, payload }) =>
      kind === 'adk_event' ? payload.content.parts[0].text : [],
    )
    expect(said).toEqual(['You said one.', 'You said two.'])
  })
})
