import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Behave, call, event, good, place, said, startAgent, stocks } from './agents.ts'
import { llmEval } from './stage.ts'

interface Tests {
  exit_code: number
  cases: { name: string; outcome: string; attempts: { score: number | null }[] }[]
}
interface Checks {
  verdict: string
  exit_code: number
  reasons: string[]
  checks: { name: string; state: string; variant: string | null }[]
}

describe('llm-eval test', () => {
  test('asks every case, and passes when all do', async () => {
    const { url, asked } = await startAgent(good)
    const { code, out, err } = await llmEval(['test', '--agent', url], {
      cwd: place({ 'agent-tests/stocks.yaml': stocks }),
    })
    expect([code, err, asked()]).toEqual([0, '', 2])
    expect(out).toContain('PASSED  2 of 2 cases passed')
    expect(out).toMatch(/Price\s+passed\s+100\s+1\/1\s+1/)
    expect(out).toContain('Next: llm-eval snapshot')
  })

  test('fails when one does, and says what was expected', async () => {
    const { url } = await startAgent(() => [call('quote'), said('AAPL is at 266.')])
    const { code, out } = await llmEval(['test', '--agent', url], { cwd: place({ 'agent-tests/stocks.yaml': stocks }) })
    expect(code).toBe(1)
    expect(out).toContain('Not called: compare.')
    expect(out).toContain('Next: llm-eval test --test "Compare"')
  })

  test.each<[string, Record<string, string>, string[]]>([
    ['no cases', {}, []],
    ['no such file', {}, ['nowhere.yaml']],
    ['no agent', { 'agent-tests/a.yaml': 'name: A\nquery: x\n' }, []],
    [
      'no such case',
      { 'agent-tests/a.yaml': 'name: A\nquery: x\n' },
      ['--agent', 'http://127.0.0.1:1/', '--test', 'B'],
    ],
    ['no such tag', { 'agent-tests/a.yaml': 'name: A\nquery: x\n' }, ['--agent', 'http://127.0.0.1:1/', '--tag', 'b']],
    [
      'an agent that is down',
      { 'agent-tests/a.yaml': 'name: A\nquery: x\nexpected: {tools: [b]}\n' },
      ['--agent', 'http://127.0.0.1:1/'],
    ],
    ['a typo in a flag', { 'agent-tests/a.yaml': 'name: A\nquery: x\n' }, ['--agnet', 'http://127.0.0.1:1/']],
    ['a typo in the settings', { 'llm-eval.agent.yaml': 'agnet: {}', 'agent-tests/a.yaml': 'name: A\nquery: x\n' }, []],
    ['settings that are not there', { 'agent-tests/a.yaml': 'name: A\nquery: x\n' }, ['--agent-config', 'no.yaml']],
  ])('is never green with %s', async (...[, files, args]) => {
    const { code, out, err } = await llmEval(['test', ...args], { cwd: place(files) })
    expect(code).toBe(2)
    expect(out + err).not.toBe('')
  })

  test('goes on past a file that cannot be read, and is not green', async () => {
    const { url, asked } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks, 'agent-tests/bad.yaml': 'name: B\nqery: x\n' })
    const { code, err } = await llmEval(['test', '--agent', url], { cwd })
    expect([code, asked()]).toEqual([2, 2])
    expect(err).toContain('error: agent-tests/bad.yaml:2: qery is not known; did you mean query?')
  })

  test('is not green where a case can only be judged, and nobody can, unless that is said', async () => {
    const { url } = await startAgent(() => ({ response: 'Well.' }))
    const cwd = place({
      'agent-tests/a.yaml': 'name: A\nquery: x\nrubric: Is kind.\nexpected: {output: {contains: [well]}}\n',
    })
    const without = await llmEval(['test', '--agent', url], { cwd })
    expect(without.code).toBe(2)
    expect(without.out).toContain('rubric needs a judge')
    expect((await llmEval(['test', '--agent', url, '--no-judge'], { cwd })).code).toBe(0)
  })

  test('is not green where an agent does not show the tools that are expected, unless that is said', async () => {
    const { url } = await startAgent(() => ({ response: 'AAPL' }))
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    expect((await llmEval(['test', '--agent', url], { cwd })).code).toBe(2)
    expect((await llmEval(['test', '--agent', url, '--no-tools', '--tag', 'smoke'], { cwd })).code).toBe(0)
    // Of the other case nothing is left then.
    const all = await llmEval(['test', '--agent', url, '--no-tools'], { cwd })
    expect(all.code).toBe(2)
    expect(all.out).toContain('Nothing of it was tested')
  })

  test('asks as often as is wished, and tells how sure that makes it', async () => {
    const { url, asked } = await startAgent((_message, nth) => [
      call('quote'),
      call(nth % 2 === 0 ? 'compare' : 'other'),
      said('AAPL'),
    ])
    const args = ['test', '--agent', url, '--repeat', '6', '--concurrency', '1', '--test', 'Compare']
    const { code, out } = await llmEval(args, { cwd: place({ 'agent-tests/stocks.yaml': stocks }) })
    expect([code, asked()]).toEqual([1, 6])
    expect(out).toMatch(/Compare\s+failed\s+75\s+3\/6 \(18\.8 % to 81\.2 %\) flaky/)
  })

  test('tells all of it as JSON', async () => {
    const { url } = await startAgent(good)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const { out } = await llmEval(['test', '--agent', url, '--tag', 'smoke', '--json'], { cwd })
    expect(JSON.parse(out) as Tests).toMatchObject({
      exit_code: 0,
      cases: [{ name: 'Price', outcome: 'passed', attempts: [{ score: 100 }] }],
    })
  })

  test('takes settings, prices and all, and cases from EvalView as they are', async () => {
    const { url } = await startAgent(() => [
      call('quote'),
      event('usage', { input_tokens: 1000, output_tokens: 1000 }),
      said('AAPL'),
    ])
    const cwd = place({
      '.evalview/config.yaml': `adapter: streaming\nendpoint: ${url}\nmodel: {name: ours, pricing: {input_per_1m: 1, output_per_1m: 2}}\n`,
      'tests/price.yaml':
        'name: Price\ninput: {query: x}\nexpected: {tools: [quote]}\nthresholds: {min_score: 80, max_cost: 0.003}\nunheard: 1\n',
    })
    const { code, err } = await llmEval(['test'], { cwd })
    expect(code).toBe(0)
    expect(err).toContain('warning: tests/price.yaml:5: unheard')
  })

  test('shows nothing that a terminal would obey', async () => {
    const { url } = await startAgent(() => ({ error: '\u001b[2Jgone' }))
    const { out } = await llmEval(['test', '--agent', url], { cwd: place({ 'agent-tests/stocks.yaml': stocks }) })
    expect(out).not.toContain('\u001b')
    expect(out).toContain('gone')
  })
})

describe('llm-eval snapshot and check', () => {
  /** A place where the agent of that moment was accepted. */
  async function accepted(behave: Behave = good) {
    const agent = await startAgent(behave)
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    expect((await llmEval(['snapshot', '--agent', agent.url, '--by', 'Ada'], { cwd })).code).toBe(0)
    const check = async (...args: string[]) => {
      const { code, out } = await llmEval(['check', '--agent', agent.url, '--json', ...args], { cwd })
      return { code, report: JSON.parse(out) as Checks }
    }
    return { ...agent, cwd, check }
  }

  test('an agent that is as it was is safe to ship', async () => {
    const { check, cwd, url } = await accepted()
    expect(await check()).toMatchObject({ code: 0, report: { verdict: 'SAFE_TO_SHIP' } })
    const { out } = await llmEval(['check', '--agent', url], { cwd })
    expect(out).toContain('SAFE_TO_SHIP  All 2 cases as accepted.')
    expect(
      readdirSync(join(cwd, 'agent-tests/baselines')).filter((name) => name.endsWith('.baseline.json')),
    ).toHaveLength(2)
  })

  test('a tool that is forbidden blocks, and a change that is allowed is shown', async () => {
    const { check, becomes } = await accepted()
    becomes((message) => [call('delete_all'), ...(good(message, 0) as object[])])
    expect(await check()).toMatchObject({ code: 1, report: { verdict: 'BLOCK_RELEASE' } })
    becomes((message) => [call('look'), ...(good(message, 0) as object[])])
    expect(await check()).toMatchObject({
      code: 0,
      report: { verdict: 'INVESTIGATE', checks: [{ state: 'TOOLS_CHANGED' }, {}] },
    })
    expect(await check('--strict')).toMatchObject({ code: 1 })
    expect(await check('--fail-on', 'tools_changed')).toMatchObject({ code: 1 })
  })

  test('an agent that is down, breaks off or was never accepted cannot be told', async () => {
    const { check, becomes, stop, cwd, url } = await accepted()
    becomes(() => null)
    expect(await check()).toMatchObject({ code: 2, report: { verdict: 'INVESTIGATE' } })
    becomes(good)
    const other = { cwd: place({ 'agent-tests/stocks.yaml': stocks }) }
    const fresh = await llmEval(['check', '--agent', url], other)
    expect(fresh.code).toBe(2)
    expect(fresh.out).toContain('Next: llm-eval snapshot')
    await stop()
    expect((await llmEval(['check', '--agent', url], { cwd })).code).toBe(2)
  })

  test('a state that does not exist is a typo, not a gate', async () => {
    const { cwd, url } = await accepted()
    const { code, err } = await llmEval(['check', '--agent', url, '--fail-on', 'REGRESION'], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('REGRESION is no state')
  })

  test('a baseline that cannot be read is not taken as accepted', async () => {
    const { cwd, url } = await accepted()
    const dir = join(cwd, 'agent-tests/baselines')
    const [name = ''] = readdirSync(dir)
    writeFileSync(join(dir, name), '{"version": 1}')
    const { code, err } = await llmEval(['check', '--agent', url], { cwd })
    expect(code).toBe(2)
    expect(err).toContain(name)
  })

  test('another way that is right too is accepted beside the first', async () => {
    const { check, becomes, cwd, url } = await accepted()
    const short: Behave = (message) => [
      ...(good(message, 0) as object[]).slice(0, -1),
      said('At 266, AAPL; that is all there is.'),
    ]
    becomes(short)
    expect(await check('--strict')).toMatchObject({ code: 1 })
    expect(
      (await llmEval(['snapshot', '--agent', url, '--variant', 'short', '--note', 'Fine too.'], { cwd })).code,
    ).toBe(0)
    expect(await check('--strict')).toMatchObject({
      code: 0,
      report: { checks: [{ variant: 'short' }, { variant: 'short' }] },
    })
    becomes(good)
    expect(await check('--strict')).toMatchObject({
      code: 0,
      report: { checks: [{ variant: 'default' }, { variant: 'default' }] },
    })
  })

  test('a case in quarantine does not count until its day, and is always told', async () => {
    const { check, becomes, cwd } = await accepted()
    becomes((message) => (message.startsWith('Compare') ? [said('no')] : good(message, 0)))
    expect((await check()).code).toBe(1)
    const [name = ''] = readdirSync(join(cwd, 'agent-tests/baselines')).filter((file) => file.startsWith('compare'))
    const { case_id: id } = JSON.parse(readFileSync(join(cwd, 'agent-tests/baselines', name), 'utf8')) as {
      case_id: string
    }
    const quarantine = (expires_at: string) =>
      writeFileSync(
        join(cwd, 'agent-tests/baselines/quarantine.json'),
        JSON.stringify([{ case_id: id, owner: 'Ada', reason: 'backend is moved', expires_at }]),
      )
    quarantine(new Date(Date.now() + 30 * 86_400_000).toISOString())
    const held = await check()
    expect(held).toMatchObject({ code: 0, report: { verdict: 'SHIP_WITH_QUARANTINE' } })
    expect(held.report.reasons.join()).toContain('Quarantined by Ada')
    quarantine('2020-01-01T00:00:00Z')
    expect((await check()).code).toBe(1)
  })

  test('what does not pass is not accepted', async () => {
    const { url } = await startAgent(() => [call('quote'), said('AAPL is at 266.')])
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const { code, out } = await llmEval(['snapshot', '--agent', url], { cwd })
    expect(code).toBe(1)
    expect(out).toContain('1 of 2 cases accepted')
    const preview = await llmEval(['snapshot', '--agent', url, '--preview'], {
      cwd: place({ 'agent-tests/stocks.yaml': stocks }),
    })
    expect(preview.out).toContain('1 of 2 cases would be accepted')
  })
})

describe('llm-eval doctor and init', () => {
  test('an agent is examined, and told what to add', async () => {
    const { url } = await startAgent(() => ({ response: 'Hello.' }))
    const { code, out } = await llmEval(['doctor', url])
    expect(code).toBe(0)
    expect(out).toContain('level 1 of 3')
    expect(out).toContain('"metadata": {"tokens": {"input": 100, "output": 500}}')
    expect(out).toContain(`Next: llm-eval init --agent ${url}`)
  })

  test('an agent that must be mended first, one that is not there, and nonsense are told apart', async () => {
    const broken = await startAgent(() => [event('token', { token: 'x' }), event('token', { token: 'y' })])
    const { code, out } = await llmEval(['doctor', broken.url])
    expect(code).toBe(1)
    expect(out).toContain('{"type": "message_complete"')
    expect((await llmEval(['doctor', 'http://127.0.0.1:1/'])).code).toBe(2)
    expect((await llmEval(['doctor', 'nowhere'])).code).toBe(2)
    expect((await llmEval(['doctor'])).code).toBe(2)
  })

  test('what init writes is a suite that passes, and it overwrites nothing unless told', async () => {
    const { url } = await startAgent(good)
    const cwd = place({})
    expect((await llmEval(['init', '--agent', url], { cwd })).code).toBe(0)
    const { code, err } = await llmEval(['test'], { cwd })
    expect([code, err]).toEqual([0, ''])
    expect((await llmEval(['init', '--agent', url], { cwd })).code).toBe(2)
    expect((await llmEval(['init', '--agent', url, '--force'], { cwd })).code).toBe(0)
  })
})
