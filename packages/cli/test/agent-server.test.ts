import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { call, good, place, said, startAgent, stocks } from './agents.ts'
import { llmEval, serve } from './stage.ts'

interface Case {
  case_id: string
  name: string
  variants: string[]
  last: { outcome: string; state: string | null; run_id: string | null }
}

/** A suite, its agent, and a server that keeps what is accepted. */
async function stage() {
  const agent = await startAgent(good)
  const server = await serve()
  const cwd = place({
    'agent-tests/stocks.yaml': stocks,
    'llm-eval.agent.yaml': `suite: stocks\nagent: {url: ${JSON.stringify(agent.url)}, retries: 0}\n`,
  })
  const ask = async (path: string, method = 'GET', body?: object) => {
    const init = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await fetch(`${server.url}/api/v1/agent-tests/suites/stocks${path}`, { method, ...init })
    expect(answer.status, await answer.clone().text()).toBe(200)
    return (await answer.json()) as { cases: Case[]; reports: { verdict: string | null }[] }
  }
  return {
    agent,
    cwd,
    ask,
    url: server.url,
    run: (...args: string[]) => llmEval([...args, '--agent', agent.url, '--url', server.url], { cwd }),
  }
}

describe('baselines on a server', () => {
  test('are accepted by snapshot and held against by check, without a file', async () => {
    const { agent, cwd, ask, run } = await stage()
    const accepted = await run('snapshot', '--baselines', 'server', '--note', 'first', '--by', 'ann')
    expect([accepted.code, accepted.err]).toEqual([0, expect.anything()])
    expect(accepted.out).toContain('2 of 2 cases accepted by http')
    expect(accepted.out).toContain('Next: llm-eval check --baselines server')
    expect(existsSync(join(cwd, 'agent-tests/baselines'))).toBe(false)
    const { cases } = await ask('')
    expect(cases.map(({ name, variants }) => [name, variants])).toEqual([
      ['Compare', ['default']],
      ['Price', ['default']],
    ])
    const same = await run('check', '--baselines', 'server', '--send')
    expect([same.code, same.out]).toEqual([0, expect.stringContaining('SAFE_TO_SHIP')])
    agent.becomes(() => [call('quote', { symbol: 'AAPL' }), said('AAPL is at 266.')])
    const worse = await run('check', '--baselines', 'server', '--send')
    expect([worse.code, worse.out]).toEqual([1, expect.stringContaining('BLOCK_RELEASE')])
    const after = await ask('')
    expect(after.reports.map(({ verdict }) => verdict)).toEqual(['BLOCK_RELEASE', 'SAFE_TO_SHIP', null])
    expect(after.cases[0]?.last).toMatchObject({ outcome: 'failed', state: 'REGRESSION', run_id: expect.any(String) })
  })

  test('without any, a check cannot tell', async () => {
    const { run } = await stage()
    const none = await run('check', '--baselines', 'server')
    expect([none.code, none.out]).toEqual([2, expect.stringContaining('Nothing was accepted of this case yet')])
  })

  test('a quarantine of the server takes a case out of the gate, and is told', async () => {
    const { agent, ask, run } = await stage()
    await run('snapshot', '--baselines', 'server')
    agent.becomes(() => [call('quote', { symbol: 'AAPL' }), said('AAPL is at 266.')])
    const { cases } = await ask('')
    const expires_at = new Date(Date.now() + 86_400_000).toISOString()
    const body = { owner: 'ann', reason: 'The exchange is closed.', expires_at }
    await ask(`/cases/${cases[0]?.case_id}/quarantine`, 'PUT', body)
    const { code, out } = await run('check', '--baselines', 'server')
    expect([code, out]).toEqual([0, expect.stringContaining('SHIP_WITH_QUARANTINE')])
    expect(out).toContain('REGRESSION (quarantined)')
  })

  test('a quarantine is kept by the server where that is wished; one in files is passed over then, and told', async () => {
    const { agent, cwd, ask, run, url } = await stage()
    await run('snapshot', '--baselines', 'server')
    agent.becomes(() => [call('quote', { symbol: 'AAPL' }), said('AAPL is at 266.')])
    const quarantine = (...args: string[]) => llmEval(['quarantine', ...args, '--url', url], { cwd })
    const wish = ['add', 'Compare', '--owner', 'ada', '--reason', 'The backend moves.', '--until', '14d']
    expect((await quarantine(...wish)).out).toContain('Commit ')
    const onlyInFiles = await run('check', '--baselines', 'server')
    expect([onlyInFiles.code, onlyInFiles.err]).toEqual([1, expect.stringContaining('1 in quarantine in ')])
    expect((await quarantine('remove', 'Compare')).out).toContain('Next: llm-eval check\n')

    const kept = await quarantine(...wish, '--baselines', 'server')
    expect([kept.code, kept.out]).toEqual([0, expect.stringContaining('keeps it.')])
    expect(kept.out).toContain('Next: llm-eval check --baselines server')
    expect(existsSync(join(cwd, 'agent-tests/baselines/quarantine.json'))).toBe(true)
    expect((await quarantine('list')).out).toContain('No case is in quarantine.')
    expect((await quarantine('list', '--baselines', 'server')).out).toMatch(/Compare .*ada/)
    const checked = await run('check', '--baselines', 'server')
    expect([checked.code, checked.out]).toEqual([0, expect.stringContaining('SHIP_WITH_QUARANTINE')])
    expect(checked.err).not.toContain('in quarantine in')
    expect((await quarantine('remove', 'Compare', '--baselines', 'server')).out).toContain('Compare counts again.')
    const again = await quarantine('remove', 'Compare', '--baselines', 'server')
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('not quarantined')])
    expect((await ask('')).cases).toHaveLength(2)
  })

  test('only what passes is accepted, and a preview accepts nothing', async () => {
    const { agent, ask, run } = await stage()
    const preview = await run('snapshot', '--baselines', 'server', '--preview')
    expect(preview.out).toContain('2 of 2 cases would be accepted')
    agent.becomes(() => [call('quote', { symbol: 'AAPL' }), said('AAPL is at 266.')])
    const { code, out } = await run('snapshot', '--baselines', 'server', '--variant', 'short')
    expect([code, out]).toEqual([1, expect.stringContaining('1 of 2 cases accepted')])
    const { cases } = await ask('')
    expect(cases.map(({ name, variants }) => [name, variants])).toEqual([
      ['Compare', []],
      ['Price', ['short']],
    ])
  })

  test('results that a server cannot keep whole are not accepted, and still sent', async () => {
    const { agent, ask, run } = await stage()
    const large = 'x'.repeat(1024 * 1024)
    agent.becomes(() => [call('quote', { large }), call('compare'), said('AAPL is at 266.')])
    const { code, err } = await run('snapshot', '--baselines', 'server')
    expect(code).not.toBe(0)
    expect(err).toContain('is too much for a server to take whole')
    const sent = await run('test', '--send')
    expect([sent.code, sent.err]).toEqual([0, expect.not.stringContaining('were not sent')])
    expect((await ask('')).cases.map(({ last }) => last.outcome)).toEqual(['passed', 'passed'])
  })

  test('results are kept as deep as agents may answer', async () => {
    const { agent, ask, run } = await stage()
    let deep: unknown = 'bottom'
    for (let i = 0; i < 400; i++) deep = { deeper: deep }
    agent.becomes(() => [call('quote', { deep }), call('compare'), said('AAPL is at 266.')])
    expect((await run('snapshot', '--baselines', 'server')).code).toBe(0)
    const checked = await run('check', '--baselines', 'server', '--send')
    expect([checked.code, checked.err]).toEqual([0, expect.not.stringContaining('were not sent')])
    expect((await ask('')).cases.map(({ last }) => last.state)).toEqual(['PASSED', 'PASSED'])
  })

  test('of a server that was asked too often are waited for', async () => {
    const { agent, cwd } = await stage()
    let refused = 0
    const server = createServer((request, response) => {
      const isBaseline = request.url?.endsWith('/baselines') === true
      if (isBaseline && ++refused <= 3) return response.writeHead(429, { 'retry-after': '0' }).end()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(isBaseline ? { items: [], quarantine: null } : { status: 'ok', version: '1' }))
    })
    const listening = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', listening.resolve)
    await listening.promise
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const args = ['check', '--baselines', 'server', '--agent', agent.url, '--url', url]
    const { code, out } = await llmEval(args, { cwd })
    expect([code, out]).toEqual([2, expect.stringContaining('Nothing was accepted of this case yet')])
    expect(refused).toBe(5)
  })

  test('that cannot be reached are a complaint, and not a verdict', async () => {
    const { cwd, agent } = await stage()
    const args = ['check', '--baselines', 'server', '--agent', agent.url, '--url', 'http://127.0.0.1:9']
    const { code, err } = await llmEval(args, { cwd })
    expect(code).not.toBe(0)
    expect(err).toContain('Cannot reach http://127.0.0.1:9')
  })
})
