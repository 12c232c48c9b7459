import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { call, good, place, said, startAgent, stocks } from './agents.ts'
import { llmEval } from './stage.ts'

// Ways in which a gate could be green though it should not be.

/** A folder whose two cases were accepted, and the agent that passes them. */
async function accepted() {
  const agent = await startAgent(good)
  const cwd = place({ 'agent-tests/stocks.yaml': stocks })
  expect((await llmEval(['snapshot', '--agent', agent.url], { cwd })).code).toBe(0)
  const check = (...args: string[]) => llmEval(['check', '--agent', agent.url, ...args], { cwd })
  return { ...agent, cwd, check, quarantine: join(cwd, 'agent-tests/baselines/quarantine.json') }
}

describe('a gate', () => {
  test('fails for a case that fails, whatever else it is told to fail for', async () => {
    const { check, becomes } = await accepted()
    becomes((message, nth) => (message.startsWith('Compare') ? [said('no')] : good(message, nth)))
    expect((await check('--fail-on', 'MODEL_CHANGED')).code).toBe(1)
    expect((await check()).code).toBe(1)
    const { code, err } = await check('--fail-on', 'PASSED')
    expect(code).toBe(2)
    expect(err).toContain('PASSED is no state that can fail')
  })

  test('of the settings fails for a case that fails too, and cannot be PASSED', async () => {
    const { check, becomes, cwd } = await accepted()
    becomes((message, nth) => (message.startsWith('Compare') ? [said('no')] : good(message, nth)))
    writeFileSync(join(cwd, 'llm-eval.agent.yaml'), 'gate: {fail_on: [MODEL_CHANGED]}')
    expect((await check()).code).toBe(1)
    writeFileSync(join(cwd, 'llm-eval.agent.yaml'), 'gate: {fail_on: [PASSED]}')
    expect((await check()).code).toBe(2)
  })

  test('takes no state of EvalView that is misspelt for none', async () => {
    const { url } = await startAgent(good)
    const config = (states: string) => `adapter: http\nendpoint: ${url}\nci: {fail_on: [${states}]}\n`
    const run = (states: string) =>
      llmEval(['test', 'tests'], {
        cwd: place({ '.evalview/config.yaml': config(states), 'tests/stocks.yaml': stocks }),
      })
    const { code, err } = await run('REGRESSION, TOOLS_CHANGD')
    expect(code).toBe(2)
    expect(err).toContain('TOOLS_CHANGD is no state; did you mean TOOLS_CHANGED?')
    const drift = await run('REGRESSION, CONTRACT_DRIFT')
    expect(drift.code).toBe(0)
    expect(drift.err).toContain('warning:')
    expect(drift.err).toContain('CONTRACT_DRIFT is not looked at here')
  })

  test('holds every attempt against what was accepted, and shows the one that is not so', async () => {
    const { check, becomes, cwd } = await accepted()
    becomes((message, nth) => [
      call('quote', { symbol: 'AAPL' }),
      ...(nth % 2 === 0 ? [call('extra')] : []),
      said(message),
    ])
    const page = join(cwd, 'a.html')
    const args = ['--test', 'Price', '--repeat', '4', '--concurrency', '1', '--strict', '--html', page]
    const { code, out } = await check(...args)
    expect(code).toBe(1)
    expect(out).toContain('added extra')
    expect(readFileSync(page, 'utf8')).toContain('<ins>extra</ins>')
  })

  test('tells of a forbidden tool though the agent broke off after it', async () => {
    const cwd = place({ 'agent-tests/stocks.yaml': stocks })
    const { url } = await startAgent(() => [call('delete_all')])
    const { code, out } = await llmEval(['test', '--agent', url, '--tag', 'smoke'], { cwd })
    expect(code).toBe(1)
    expect(out).toContain('Called though forbidden: delete_all.')
    expect(out).toContain('cut_off')
  })
})

describe('a quarantine', () => {
  const held = (cwd: string, days: number) => {
    const [name = ''] = readdirSync(join(cwd, 'agent-tests/baselines')).filter((file) => file.startsWith('compare'))
    const { case_id } = JSON.parse(readFileSync(join(cwd, 'agent-tests/baselines', name), 'utf8')) as {
      case_id: string
    }
    const expires_at = new Date(Date.now() + days * 86_400_000).toISOString()
    return { case_id, owner: 'Ada', reason: 'The backend is moved.', expires_at }
  }

  test('that somebody wrote by hand for longer than one may last is none', async () => {
    const { check, cwd, quarantine } = await accepted()
    writeFileSync(quarantine, JSON.stringify([held(cwd, 89)]))
    expect((await check()).code).toBe(0)
    writeFileSync(quarantine, JSON.stringify([held(cwd, 400)]))
    const { code, err } = await check()
    expect(code).toBe(2)
    expect(err).toContain('at most 90 days')
  })

  test('stands once for each case', async () => {
    const { check, cwd, quarantine } = await accepted()
    writeFileSync(quarantine, JSON.stringify([held(cwd, -1), held(cwd, 30)]))
    const { code, err } = await check()
    expect(code).toBe(2)
    expect(err).toContain('twice')
  })

  test('needs an owner and a reason that say something', async () => {
    const { check, cwd, quarantine } = await accepted()
    writeFileSync(quarantine, JSON.stringify([{ ...held(cwd, 30), owner: ' ' }]))
    expect((await check()).code).toBe(2)
  })

  test('that is over is told with the case that counts again', async () => {
    const { check, becomes, cwd, quarantine } = await accepted()
    becomes((message, nth) => (message.startsWith('Compare') ? [said('no')] : good(message, nth)))
    writeFileSync(quarantine, JSON.stringify([held(cwd, -1)]))
    const { code, out } = await check()
    expect(code).toBe(1)
    expect(out).toContain('Its quarantine by Ada is over')
  })
})

describe('files of cases', () => {
  const passing = 'name: A\nquery: x\nexpected: {output: {contains: [AAPL]}}\n'
  const failing = 'name: B\nquery: x\nexpected: {output: {contains: [never]}}\n'

  test('are read through links, and one that leads nowhere is told', async () => {
    const { url } = await startAgent(good)
    const cwd = place({
      'agent-tests/a.yaml': passing,
      'elsewhere/b.yaml': failing,
      'elsewhere/more/c.yaml': passing.replace('A', 'C'),
    })
    symlinkSync('../elsewhere/b.yaml', join(cwd, 'agent-tests/b.yaml'))
    const through = await llmEval(['test', '--agent', url], { cwd })
    expect(through.code).toBe(1)
    expect(through.out).toContain('1 of 2 cases passed')
    symlinkSync('../elsewhere/gone.yaml', join(cwd, 'agent-tests/gone.yaml'))
    const { err } = await llmEval(['test', '--agent', url], { cwd })
    expect(err).toContain('error: agent-tests/gone.yaml: It cannot be read: it is not there')
  })

  test('may be called anything, but for those of EvalView that are none', async () => {
    const { url } = await startAgent(good)
    for (const name of ['config.yaml', 'quarantine.flow.yaml']) {
      const own = place({ 'agent-tests/a.yaml': passing, [`agent-tests/${name}`]: failing })
      expect((await llmEval(['test', '--agent', url], { cwd: own })).code, name).toBe(1)
    }
    const evalview = `adapter: http\nendpoint: ${url}\n`
    const cwd = place({
      '.evalview/config.yaml': evalview,
      'tests/a.yaml': passing,
      'tests/config.yaml': evalview,
    })
    expect((await llmEval(['test'], { cwd })).code).toBe(0)
  })

  test('that cannot be read do not stop the others', async () => {
    const { url, asked } = await startAgent(good)
    const cwd = place({
      'agent-tests/a.yaml': passing,
      'agent-tests/deep.yaml': `name: D\nquery: x\nmeta: {a: ${'['.repeat(3_000)}${']'.repeat(3_000)}}\n`,
    })
    mkdirSync(join(cwd, 'agent-tests/loop'))
    symlinkSync('x.yaml', join(cwd, 'agent-tests/loop/x.yaml'))
    const { code, err } = await llmEval(['test', '--agent', url], { cwd })
    expect([code, asked()]).toEqual([2, 1])
    expect(err).toContain('error: agent-tests/deep.yaml')
    expect(err).toContain('error: agent-tests/loop/x.yaml')
  })

  test('that hold no environment variable of that name say so, whatever every object has', async () => {
    const { url } = await startAgent(good)
    const cwd = place({ 'agent-tests/a.yaml': 'name: A\nquery: "${toString}"\n' })
    const { code, err } = await llmEval(['test', '--agent', url, '--no-judge'], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('toString is not set')
  })

  test('with a mistake are part of the verdict', async () => {
    const { url } = await startAgent(good)
    const cwd = place({ 'agent-tests/a.yaml': passing, 'agent-tests/b.yaml': 'name: B\nqery: x\n' })
    const { code, out } = await llmEval(['test', '--agent', url], { cwd })
    expect(code).toBe(2)
    expect(out).toContain('NOT EVALUATED  1 of 1 cases passed, mean score 100.0 of 1 scored, and 1 mistake in files')
  })
})
