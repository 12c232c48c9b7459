import type { AttemptResult, TestCase } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { caseWith, traceOf } from '../../test/agent-cases.ts'
import { TestClock } from '../../test/clock.ts'
import { type Asked, fails, prose, type Provider, type Reply, says, startProvider } from '../../test/provider.ts'
import { createEngine } from '../create-engine.ts'
import type { Engine } from '../engine.ts'
import { createJudges } from '../judges/judges.ts'
import { createModels } from '../models/create.ts'
import { providersSchema } from '../models/providers.ts'
import { type AttemptScoring, scoreAttempt } from './score-attempt.ts'

let provider: Provider
let engine: Engine
let reply: (asked: Asked) => Reply

beforeAll(async () => {
  provider = await startProvider({ answer: (asked) => reply(asked) })
  const models = createModels({
    providers: providersSchema.parse({ test: { api: 'openai', base_url: provider.base('openai') } }),
    defaultModel: 'test/judge',
    clock: new TestClock(),
    random: () => 0,
    cache: { entries: 0 },
  })
  engine = createEngine({ models, evaluators: createJudges({ models, secret: 'test' }) })
})
afterAll(async () => {
  await engine.close()
  await provider.close()
})

/** A judge that gives this grade, finds this harm and supports what is claimed or not; what is null it cannot tell. */
function judging({
  choice = 'excellent',
  harm = 0,
  supported = true,
}: {
  choice?: string | null
  harm?: number | null
  supported?: boolean | null
}): void {
  const cannot = fails(400, 'this model is out of order')
  reply = ({ prompt }) => {
    if (prompt.includes('how likely the response is to do harm'))
      return harm === null ? cannot : says({ reason: 'Looked at.', category: 'none', probability: harm })
    if (prompt.includes('whether the answer is faithful to the context')) {
      const claim = { claim: 'It is up.', evidence: '', supported: supported === true }
      return supported === null ? cannot : says({ claims: [claim], reason: 'Looked at.' })
    }
    return choice === null ? cannot : says({ reason: `It is ${choice}.`, choice })
  }
}

const wish = (checks: Partial<TestCase['checks']>) => ({
  checks: { hallucination: 'off', safety: 'off', pii: 'off', ...checks } as const,
})
/** Half of the tools were called: what a judge says decides. */
const one = (other: Partial<TestCase> = {}) => caseWith({ tools: ['a'] }, other)
const trace = traceOf('It is up.', ['a'])

function scored(testCase: TestCase, more: Partial<AttemptScoring> = {}): Promise<AttemptResult> {
  const { signal } = new AbortController()
  const waived = { judge: false, tools: false }
  return scoreAttempt(testCase, trace, { engine, signal, judge: { model: null }, waived, ...more })
}

const told = ({ assertions }: AttemptResult) =>
  assertions.filter(({ outcome }) => outcome !== 'passed').map(({ kind, outcome }) => [kind, outcome])

describe('an attempt that a model judges', () => {
  test('is scored by its grade, beside what is known without one', async () => {
    judging({ choice: 'good' })
    const good = await scored(one({ rubric: 'Is kind.' }))
    // (0.3 × 1 + 0.5 × 0.8) / 0.8
    expect(good).toMatchObject({ outcome: 'passed', score: 87.5, complete: true })
    expect(good.judged).toMatchObject([{ evaluator: 'rubric', value: 0.8, explanation: 'It is good.' }])
    judging({ choice: 'poor' })
    const poor = await scored(one({ rubric: 'Is kind.' }))
    expect(poor).toMatchObject({ outcome: 'failed', score: 50 })
  })

  test('is told what the case asks for, or in general, and what tools gave', async () => {
    judging({})
    const before = provider.asked.length
    await scored(one({ rubric: 'Is kind to animals.' }))
    await scored(one())
    const [own, general] = provider.asked.slice(before).map(({ prompt }) => prompt)
    expect(own).toContain('Is kind to animals.')
    expect(general).toContain('The response does what was asked')
    expect(general).not.toContain('Is kind to animals.')
  })

  test('fails for harm and for what nothing shows, whatever its grade', async () => {
    const both = one(wish({ hallucination: 'demanded', safety: 'demanded' }))
    judging({})
    expect(await scored(both)).toMatchObject({ outcome: 'passed', score: 100 })
    judging({ harm: 0.9, supported: false })
    const bad = await scored(both)
    expect(bad).toMatchObject({ outcome: 'failed', score: 100 })
    expect(told(bad)).toEqual([
      ['checks.hallucination', 'failed'],
      ['checks.safety', 'failed'],
    ])
  })

  test.each<[string, Partial<TestCase>, Parameters<typeof judging>[0]]>([
    ['whose grade could not be given', { rubric: 'Is kind.' }, { choice: null }],
    ['whose grade could not be given, without a rubric of its own', {}, { choice: null }],
    ['whose harm could not be looked at where that is demanded', wish({ safety: 'demanded' }), { harm: null }],
  ])('%s is not green, and the rest is scored', async (...[, other, says]) => {
    judging(says)
    const result = await scored(one(other))
    expect(result).toMatchObject({ outcome: 'unevaluated', score: 100 })
    expect(result.assertions.filter(({ outcome }) => outcome === 'unknown')).toHaveLength(1)
    expect(result.judged.some(({ value }) => value === null)).toBe(true)
  })

  test('is not held up by what nobody demands and the judge cannot tell, which is no demand that holds', async () => {
    judging({ harm: null })
    const result = await scored(one(wish({ safety: 'when_judged' })))
    expect(result.outcome).toBe('passed')
    expect(result.assertions.map(({ kind }) => kind)).not.toContain('checks.safety')
    expect(result.judged).toMatchObject([{ value: 1 }, { evaluator: 'safety', value: null }])
  })

  test('has no grade where a judge answers with something else', async () => {
    reply = () => prose('I would rather not.')
    const result = await scored(one({ rubric: 'Is kind.' }))
    expect(result).toMatchObject({ outcome: 'unevaluated', complete: false })
    expect(result.parts.output_quality.outcome).toBe('errored')
  })

  test('is scored on what is known without a judge, and says what nobody could tell', async () => {
    const alone = await scored(one({ rubric: 'Is kind.' }), { judge: null })
    expect(alone).toMatchObject({ outcome: 'unevaluated', score: 100, complete: false, judged: [] })
    expect(alone.parts.output_quality).toMatchObject({ outcome: 'skipped', reason: 'no_judge' })
    expect(told(alone)).toEqual([['rubric', 'unknown']])
    const waived = await scored(one({ rubric: 'Is kind.' }), { judge: null, waived: { judge: true, tools: false } })
    expect(waived.outcome).toBe('passed')
    expect(waived.assertions.find(({ kind }) => kind === 'rubric')?.message).toMatch(/^Waived\. /)
  })
})
