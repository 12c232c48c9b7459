import { afterAll, describe, expect, it } from 'vitest'
import { listen, planOf } from '../../test/runs.ts'
import { createEngine } from '../create-engine.ts'
import { functionEvaluator } from '../custom/custom.ts'
import type { Evaluation } from '../engine.ts'
import type { RunAnswer, RunCase } from './plan.ts'
import { createScorer } from './scorer.ts'

/** What the evaluator `look` was given last. */
let given: Record<string, unknown> = {}
const look = functionEvaluator(
  (input) => {
    given = { ...input }
    return 1
  },
  { slug: 'look' },
)
const engine = createEngine({ evaluators: [look] })
afterAll(() => engine.close())

async function seenOf(one: Partial<RunCase>, answer: Partial<RunAnswer> = {}) {
  const metrics = [{ name: 'look', evaluator: 'look' }]
  const { evaluate } = createScorer(engine, metrics)
  await listen(planOf({ cases: [{ id: 'a', input: 'What?', ...one }], metrics }), {
    evaluate,
    answer: () => ({ output: 'That.', responseTimeMs: 12, ...answer }),
  })
  return given
}

describe('the evaluators of a run', () => {
  it('score with the engine, each with its own configuration', async () => {
    const metrics = [
      { name: 'exact', evaluator: 'exact_match' },
      { name: 'has a number', evaluator: 'regex', config: { regex: '\\d' } },
      { name: 'has a word', evaluator: 'regex', config: { regex: '[a-z]{3}' } },
      { name: 'close', evaluator: 'levenshtein' },
      { name: 'overlap', evaluator: 'rouge-l' },
    ]
    const { evaluate, infos } = createScorer(engine, metrics)
    const cases = [
      { id: 'a', input: 'seven times one?', expected: '7' },
      { id: 'b', input: 'seven times two?', expected: null },
    ]
    const { items, ended } = await listen(planOf({ cases, metrics, settings: { concurrency: 1 } }), {
      evaluate,
      answer: () => ({ output: '7' }),
    })
    const values = items.map(({ scores }) => Object.values(scores).map(({ outcome, value }) => value ?? outcome))
    expect(items.map(({ case_id }) => case_id)).toEqual(['a', 'b'])
    expect(values).toEqual([
      [1, 1, 0, 1, 1],
      ['skipped', 1, 0, 'skipped', 'skipped'],
    ])
    expect(ended.progress.metrics['exact']).toMatchObject({ mean: 1, n: 1, skipped: 1, passed: 1 })
    expect([...infos.keys()]).toEqual(metrics.map(({ name }) => name))
    expect(infos.get('exact')?.version).toBe(engine.info('exact-match')?.version)
    expect(infos.get('has a number')?.version).not.toBe(infos.get('has a word')?.version)
  })

  it('that are unknown or wrongly configured are refused before anything is asked', () => {
    const metrics = [
      { name: 'a', evaluator: 'nope' },
      { name: 'b', evaluator: 'regex', config: {} },
    ]
    expect(() => createScorer(engine, metrics)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        errors: [
          { path: 'metrics[0].evaluator', message: 'is not known' },
          { path: 'metrics[1].config.regex', message: expect.any(String) },
        ],
      }),
    )
  })

  it('may go by names that only their owner knows', () => {
    const preset: Evaluation['evaluator'] = {
      slug: 'mine',
      definition: { kind: 'preset', base: 'contains', config: { ignore_case: true } },
    }
    const { infos } = createScorer(engine, [{ name: 'mine', evaluator: 'mine' }], () => preset)
    expect(infos.get('mine')).toMatchObject({ slug: 'mine', source: 'custom' })
  })
})

describe('what evaluators see of an item', () => {
  it('is the question, the answer, what should have been, and what it took', async () => {
    const answer = { tokens: 9, cost: 0.5, evidence: { tool_calls: [{ name: 'search' }], system_prompt: 'Be brief.' } }
    expect(await seenOf({ expected: 'This.', values: { context: ['All of it.'] } }, answer)).toEqual({
      query: 'What?',
      response: 'That.',
      system_prompt: 'Be brief.',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What?' },
        { role: 'assistant', content: 'That.' },
      ],
      reference: 'This.',
      expected: 'This.',
      context: ['All of it.'],
      tool_calls: [{ name: 'search' }],
      latency: 12,
      tokens: 9,
      cost: 0.5,
    })
  })

  it('holds nothing that is not known', async () => {
    expect(Object.keys(await seenOf({})).toSorted()).toEqual(['latency', 'messages', 'query', 'response'])
  })

  it('finds the question in an input of several fields, and hands the others on', async () => {
    expect(await seenOf({ input: { question: 'Who?', context: 'Here.', tone: 'kind' } })).toMatchObject({
      query: 'Who?',
      context: 'Here.',
      tone: 'kind',
    })
    expect(await seenOf({ input: { a: 1 } })).toMatchObject({ query: { a: 1 } })
  })

  it('finds the last question of a conversation', async () => {
    const input = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: 'Who are you?' },
    ]
    expect(await seenOf({ input })).toMatchObject({
      query: 'Who are you?',
      messages: [...input, { role: 'assistant', content: 'That.' }],
    })
    expect(await seenOf({ input: ['a', 'b'] })).toMatchObject({ query: ['a', 'b'] })
  })

  it('takes no column of a dataset for what the application said', async () => {
    const values = {
      answer: 'gold',
      output: 'gold',
      ground_truth: 'gold',
      latency_ms: 1,
      expected_tool_calls: [],
      topic: 'x',
    }
    const seen = await seenOf({ values })
    expect(seen).toMatchObject({ response: 'That.', expected_tool_calls: [], topic: 'x', latency: 12 })
    expect(Object.values(seen)).not.toContain('gold')
  })
})
