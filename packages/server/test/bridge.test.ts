import { HttpAgent } from '@ag-ui/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recorded, startBridge, talk } from './bridge-ground.ts'
import type { Ground } from './ground.ts'
import { type ScriptedAdk, startScriptedAdk } from './scripted-adk.ts'

let adk: ScriptedAdk
let ground: Ground

beforeEach(async () => {
  adk = await startScriptedAdk()
  ground = await startBridge({ demo: { url: adk.url, app_name: 'demo' } }, { overSocket: true })
})
afterEach(async () => {
  await ground.close()
  await adk.close()
})

async function agentOf(target = 'demo', threadId = 'thread-1'): Promise<HttpAgent> {
  return new HttpAgent({ url: `${await ground.origin()}/agui/${target}`, threadId })
}

describe('a front end that talks to an agent through the bridge', () => {
  it('gets its answer, and both are recorded', async () => {
    const agent = await agentOf()
    const { error, events } = await talk(agent, 'hi')
    expect(error).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual([
      'RUN_STARTED',
      'TEXT_MESSAGE_START',
      'TEXT_MESSAGE_CONTENT',
      'TEXT_MESSAGE_END',
      'RUN_FINISHED',
    ])
    expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'Hello!', name: 'root_agent' })
    const kept = await recorded(ground, 'thread-1')
    expect(kept.map(({ kind }) => kind)).toEqual(['run_start', 'user_message', 'adk_event', 'run_end'])
    expect(kept[1]?.payload).toMatchObject({ text: 'hi' })
    expect(kept[2]?.payload).toMatchObject({ author: 'root_agent', invocationId: 'e-1' })
    expect(kept[3]?.payload).toEqual({ status: 'finished', code: null, message: null })
  })
})
