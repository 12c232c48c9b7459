import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adkCall, adkText, startAdk } from './adk-agent.ts'
import { place } from './agents.ts'
import { llmEval } from './stage.ts'

const good = () => [...adkCall('find', { city: 'Rome' }), ...adkText('There is one at the Tiber.')]

describe('llm-eval doctor of an agent of ADK', () => {
  test('says that the api server answers, its apps, that a session is made and an answer streams', async () => {
    const { url } = await startAdk(good)
    const { code, out } = await llmEval(['doctor', `adk:${url}/trips`])
    expect(out).toMatch(/✓ server +An api_server of ADK answers at http/)
    expect(out).toMatch(/✓ apps +It lists the app trips\./)
    expect(out).toMatch(/✓ session +A session of trips was made\./)
    expect(out).toMatch(/✓ answer +Its answer streams: 5 events/)
    expect(out).toContain('It called find')
    expect(out).toContain('What can be tested now: everything')
    expect(out).toContain(`Next: llm-eval test FILE.evalset.json --agent adk:${url}/trips`)
    expect(code).toBe(0)
  })

  test('finds the one app of a server, and tells all it found as JSON', async () => {
    const { url } = await startAdk(good)
    const { code, out } = await llmEval(['doctor', `adk:${url}`, '--json'])
    const told = JSON.parse(out) as { findings: { severity: string; topic: string }[]; trace: { output: string } }
    expect([code, told.trace.output]).toEqual([0, 'There is one at the Tiber.'])
    expect(told.findings.slice(0, 4).map(({ severity, topic }) => `${topic} ${severity}`)).toEqual([
      'server well',
      'apps well',
      'session well',
      'answer well',
    ])
  })

  test.each<[string, string, string[]]>([
    ['an app that it has not', '/other', ['It has no app other, but trips and hotels.']],
    ['no app of several', '', ['It has several apps, trips and hotels: name one.']],
  ])('asks nothing of %s, and names those that there are', async (_name, path, messages) => {
    const { url, asked } = await startAdk(good, { apps: ['trips', 'hotels'] })
    const { code, out } = await llmEval(['doctor', `adk:${url}${path}`])
    for (const message of messages) expect(out).toContain(message)
    expect(out).toContain(`llm-eval doctor adk:${url}/trips`)
    expect([code, asked]).toEqual([1, []])
  })

  test('says what to do where a server has no apps', async () => {
    const { url } = await startAdk(good, { apps: [] })
    const { code, out } = await llmEval(['doctor', `adk:${url}/trips`])
    expect(out).toContain('It lists no apps')
    expect(out).toContain('adk api_server')
    expect(code).toBe(1)
  })

  test('says what to do where nobody listens, and where something else answers', async () => {
    const server = createServer((_request, response) => void response.end('<h1>Hello</h1>')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    // The port is taken, though not at this address: nobody else gets it meanwhile.
    const nobody = await llmEval(['doctor', `adk:http://127.0.0.2:${port}/trips`])
    expect(nobody.out).toContain(`Nothing listens at 127.0.0.2:${port}.`)
    expect(nobody.out).toContain(`adk api_server --port ${port}`)
    expect(nobody.code).toBe(2)
    const other = await llmEval(['doctor', `adk:http://127.0.0.1:${port}/trips`])
    expect(other.out).toContain('It is no api_server of ADK: its /list-apps is no list of apps.')
    expect(other.code).toBe(1)
  })

  test('tells a session that cannot be made from an answer that does not come', async () => {
    const refusing = await startAdk(good, { sessionStatus: 500 })
    const session = await llmEval(['doctor', `adk:${refusing.url}/trips`])
    expect(session.out).toMatch(/✗ session +No session can be made: .*status 500/)
    expect([session.code, refusing.asked]).toEqual([1, []])
    const failing = await startAdk(() => [{ error: 'no API key' }])
    const answer = await llmEval(['doctor', `adk:${failing.url}/trips`])
    expect(answer.out).toMatch(/✓ session/)
    expect(answer.out).toMatch(/✗ answer +The agent reported a failure: no API key/)
    expect(answer.code).toBe(1)
  })

  test('says that a key is missing, and where it is written', async () => {
    const { url } = await startAdk(good, { sessionStatus: 401 })
    const { out } = await llmEval(['doctor', `adk:${url}/trips`])
    expect(out).toContain('headers: {Authorization: "Bearer {{env.AGENT_TOKEN}}"}')
  })

  test('of the settings shows none of their keys', async () => {
    const { url } = await startAdk(() => [{ error: 'secret-token is no key' }])
    const cwd = place({
      'llm-eval.agent.yaml': `agent: {url: "adk:${url}/trips", headers: {Authorization: "Bearer secret-token"}}\n`,
    })
    const { code, out } = await llmEval(['doctor'], { cwd })
    expect(code).toBe(1)
    expect(out).not.toContain('secret-token')
  })

  test('of a plain address of an api server says how it is named', async () => {
    const { url } = await startAdk(good)
    const { code, out } = await llmEval(['doctor', url])
    expect(out).toContain('It is an api_server of')
    expect(out).toContain(`llm-eval doctor adk:${url}/trips`)
    expect(code).toBe(1)
  })

  test('of an agent of Agent Engine makes a session and hears an answer', async () => {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const { class_method: method } = JSON.parse(body) as { class_method: string }
        if (method === 'async_create_session') return response.end('{"output":{"id":"s1"}}')
        for (const event of good())
          response.write(`${JSON.stringify({ id: 'a', author: 'root', invocationId: 'e-1', ...event })}\n`)
        return response.end()
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `agent-engine:http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/reasoningEngines/1`
    const { code, out } = await llmEval(['doctor', url])
    expect(out).toMatch(/✓ session +A session was made\./)
    expect(out).toMatch(/✓ answer/)
    expect(code).toBe(0)
  })

  test('refuses an address that is none', async () => {
    const { code, err } = await llmEval(['doctor', 'adk:nowhere'])
    expect([code, err]).toEqual([2, expect.stringContaining('adk:http://localhost:8000/app_name')])
  })
})

test('llm-eval init of an agent of ADK says how that is tested', async () => {
  const { url } = await startAdk(good)
  const { code, out } = await llmEval(['init', '--agent', `adk:${url}/trips`], { cwd: place({}) })
  expect([code, out]).toEqual([0, expect.stringContaining('Next: llm-eval test')])
})
