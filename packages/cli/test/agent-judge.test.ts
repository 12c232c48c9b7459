import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Asked, fails, type Reply, says, startProvider } from '../../engine/test/provider.ts'
import { place, startAgent } from './agents.ts'
import { llmEval } from './stage.ts'

const rubric = 'name: A\nquery: How are you?\nrubric: Is kind.\nexpected: {output: {contains: [fine]}}\n'

/** Tests an agent whose answers a model judges, over HTTP; null: nobody has a key. */
async function judged(answer: ((asked: Asked) => Reply) | null, ...args: string[]) {
  const agent = await startAgent(() => ({ response: 'I am fine.' }))
  const cwd = place({ 'agent-tests/a.yaml': rubric, 'llm-eval.agent.yaml': 'judge: {model: openai/judge}' })
  const env: NodeJS.ProcessEnv = {}
  if (answer) {
    const provider = await startProvider({ answer })
    onTestFinished(() => provider.close())
    Object.assign(env, { OPENAI_BASE_URL: provider.base('openai'), OPENAI_API_KEY: 'sk-test-0123456789abcdef' })
  }
  const files = ['--junit', 'a.xml', '--markdown', 'a.md', '--html', 'a.html']
  const ended = await llmEval(['test', '--agent', agent.url, ...files, ...args], { cwd, env })
  return { ...ended, report: (name: string) => readFileSync(join(cwd, name), 'utf8') }
}

const grade = (choice: string) => () => says({ reason: `It is ${choice}.`, choice })

test('a grade of a judge passes or fails a case, and is told', async () => {
  const good = await judged(grade('good'))
  expect([good.code, good.out]).toEqual([0, expect.stringMatching(/A\s+passed\s+80/)])
  expect(good.report('a.html')).toContain('It is good.')
  const poor = await judged(grade('poor'))
  expect([poor.code, poor.out]).toEqual([1, expect.stringContaining('It is poor.')])
  expect(poor.report('a.xml')).toContain('failures="2"')
})

test('a judge that fails leaves the case untold, and every report says why', async () => {
  const { code, out, report } = await judged(() => fails(401, 'no such key'))
  expect([code, out]).toEqual([2, expect.stringMatching(/A\s+unevaluated/)])
  for (const told of [out, report('a.xml'), report('a.md'), report('a.html')])
    expect(told).toMatch(/401|no such key|key/)
  expect(out + report('a.html') + report('a.xml')).not.toContain('sk-test-0123456789abcdef')
})

test('without a key what a judge would say is skipped, the rest is scored, and every report says so', async () => {
  const { code, out, report } = await judged(null)
  expect([code, out]).toEqual([2, expect.stringMatching(/A\s+unevaluated\s+100/)])
  for (const told of [out, report('a.xml'), report('a.md').replaceAll('\\', ''), report('a.html')])
    expect(told).toContain('rubric needs a judge')
  const waived = await judged(null, '--no-judge')
  expect([waived.code, waived.out]).toEqual([0, expect.stringMatching(/A\s+passed\s+100/)])
  // Green, but not as if somebody had judged it.
  expect(waived.report('a.html')).toContain('Waived. rubric needs a judge')
  for (const told of [waived.out, waived.report('a.xml'), waived.report('a.md'), waived.report('a.html')])
    expect(told).toContain('In 1 case demands were waived.')
})

test('a provider of an own address has no usual model to judge, and that is told', async () => {
  const { url } = await startAgent(() => ({ response: 'I am fine.' }))
  const env = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }
  const cwd = place({ 'agent-tests/a.yaml': rubric })
  const { code, err } = await llmEval(['test', '--agent', url], { cwd, env })
  expect(code).toBe(2)
  expect(err).toContain('Nobody says which model judges')
})
