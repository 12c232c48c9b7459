import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HttpAgent } from '@ag-ui/client'
import { readEvalSet } from '@llm-eval/formats/adk'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { begin, frame, heard, say, spoken, startScriptedAdk } from '../../server/test/scripted-adk.ts'
import { folder, llmEval, start } from './stage.ts'

describe('llm-eval bridge', () => {
  test('shows where a front end connects, records what is said, and its logs are read again', async () => {
    const adk = await startScriptedAdk()
    onTestFinished(() => adk.close())
    const call = { functionCall: { id: 'adk-1', name: 'find', args: { city: 'Rome' } }, thoughtSignature: '-_-_' }
    const result = { functionResponse: { id: 'adk-1', name: 'find', response: { result: 'ok' } } }
    adk.answer(
      say(
        heard({ role: 'model', parts: [call] }),
        heard({ role: 'user', parts: [result] }),
        spoken('Roma', { id: 'last', partial: true }),
        spoken('Roma!', { id: 'last' }),
      ),
    )
    const cwd = folder()
    const server = start(['bridge', '--target', adk.url, '--port', '0', '--log-dir', 'logs'], { cwd })
    await server.says('Watch')
    const url = /HttpAgent\(\{ url: '([^']+)' \}\)/.exec(server.out())?.[1] ?? ''
    expect(new URL(url).pathname).toBe('/agui/agent')
    const agent = new HttpAgent({ url, threadId: 'trip' })
    agent.addMessage({ id: 'm-1', role: 'user', content: 'Where to?' })
    await agent.runAgent()
    expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'Roma!' })
    const exported = await (await fetch(`${new URL(url).origin}/export/trip`)).json()
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)

    expect(readdirSync(join(cwd, 'logs')).toSorted()).toEqual([
      expect.stringMatching(/^agent_engine_raw_\d{8}_\d{6}\.log$/),
      expect.stringMatching(/^events_\d{8}_\d{6}\.log$/),
    ])
    const logs = ['--bridge', 'logs/events_*.log', '--engine', 'logs/agent_engine_raw_*.log']
    const imported = await llmEval(['import-logs', ...logs, '--out', 'trip.json'], { cwd })
    expect([imported.code, imported.err]).toEqual([0, expect.stringContaining('Wrote 1 conversation')])
    const [fromServer, fromLogs] = [exported, JSON.parse(readFileSync(join(cwd, 'trip.json'), 'utf8'))].map((json) => {
      const read = readEvalSet(json)
      return 'set' in read ? read.set.evalCases[0]?.conversation : read
    })
    expect(fromServer).toMatchObject([
      {
        invocationId: 'e-1',
        userContent: { parts: [{ text: 'Where to?' }] },
        finalResponse: { parts: [{ text: 'Roma!' }] },
        intermediateData: { invocationEvents: [{ content: { parts: [{ thoughtSignature: '-_-_' }] } }, {}] },
      },
    ])
    // When the front end asked is told to the millisecond by one, and to what its line was written by the other.
    const timeless = (turns: unknown): unknown =>
      JSON.parse(JSON.stringify(turns, (key, value: unknown) => (key === 'creationTimestamp' ? undefined : value)))
    expect(timeless(fromLogs)).toEqual(timeless(fromServer))
  })

  test('killed in the middle of an answer, what was received is there when a server starts again', async () => {
    const adk = await startScriptedAdk()
    onTestFinished(() => adk.close())
    adk.answer(({ response }) => {
      begin(response)
      response.write(frame(spoken('Half an ans', { id: 'half', partial: true })))
    })
    const cwd = folder()
    const server = start(['bridge', '--target', adk.url, '--port', '0', '--data', 'kept'], { cwd })
    await server.says('Watch')
    const url = /HttpAgent\(\{ url: '([^']+)' \}\)/.exec(server.out())?.[1] ?? ''
    const kinds = async (origin: string) => {
      const answer = await fetch(`${origin}/api/v1/conversations/cut/events`)
      const { items = [] } = (await answer.json()) as { items?: { kind: string }[] }
      return items.map(({ kind }) => kind)
    }
    const asked = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ threadId: 'cut', runId: 'r', messages: [{ id: '1', role: 'user', content: 'Well?' }] }),
    }).then((answer) => answer.text())
    asked.catch(() => undefined)
    const origin = new URL(url).origin
    await vi.waitFor(async () => expect(await kinds(origin)).toContain('adk_event'), { timeout: 40_000, interval: 100 })
    server.child.kill('SIGKILL')
    await server.ended
    await expect(asked).rejects.toThrow()

    const again = start(['serve', '--port', '0', '--data', 'kept'], { cwd })
    await again.says('Dashboard')
    const base = /Dashboard  (\S+)/.exec(again.out())?.[1] ?? ''
    expect(await kinds(base)).toEqual(['run_start', 'user_message', 'adk_event'])
    const read = readEvalSet(await (await fetch(`${base}/export/cut`)).json())
    expect('set' in read && read.set.evalCases[0]?.conversation).toMatchObject([
      { userContent: { parts: [{ text: 'Well?' }] }, finalResponse: { parts: [{ text: 'Half an ans' }] } },
    ])
  })

  test('does not start without a target, or for two kinds of agents at once', async () => {
    expect(await llmEval(['bridge'])).toMatchObject({ code: 2, err: expect.stringContaining('--target') })
    const both = ['bridge', '--target', 'http://localhost:1', '--agui', '--agent-engine']
    expect(await llmEval(both)).toMatchObject({ code: 2, err: expect.stringContaining('do not go together') })
  })
})
