import { describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'

const engine = createEngine()

describe('what an answer took', () => {
  it.each([
    ['latency', { latency: 100 }, { max: 100 }, 100, true],
    ['response_time', { response_time_ms: 100.5 }, { max: 100 }, 100.5, false],
    ['cost', { cost: 0 }, {}, 0, null],
    ['tokens', { tokens_used: '15' }, { max: 20 }, 15, true],
  ])('%s of %j with %j is %d', async (...[evaluator, input, config, value, passed]) => {
    expect(await engine.evaluate({ evaluator, input, config })).toMatchObject({ value, passed })
  })

  it('is skipped where it is unknown, and refused below nothing', async () => {
    const cost = (given: unknown) =>
      engine.evaluate({ evaluator: 'cost', input: { cost: given } }, { evidence: 'trace' })
    expect(await cost(null)).toMatchObject({ outcome: 'skipped', value: null })
    expect(await cost(-1)).toMatchObject({ outcome: 'errored', fault: 'refused_value' })
    expect(await cost('cheap')).toMatchObject({ outcome: 'skipped', value: null })
  })
})

describe('lengths', () => {
  it.each([
    ['char-count', 'Grüße 👋🏽', 8],
    ['char-count', '\ud83d', 1],
    ['char-count', '', 0],
    ['word-count', '  two\n words ', 2],
    ['word-count', '', 0],
  ])('%s of %j is %i', async (evaluator, text, value) => {
    expect((await engine.evaluate({ evaluator, input: { text } })).value).toBe(value)
  })

  it.each([
    [{}, null],
    [{ min: 5 }, true],
    [{ min: 6 }, false],
    [{ max: 5 }, true],
    [{ max: 4 }, false],
  ])('pass within %j: %j', async (config, passed) => {
    expect((await engine.evaluate({ evaluator: 'length', input: { text: 'abcde' }, config })).passed).toBe(passed)
  })

  it('have no ratio to nothing', async () => {
    const input = { numerator_text: 'a', denominator_text: ' ' }
    const ratio = (evaluator: string) => engine.evaluate({ evaluator, input })
    expect(await ratio('word-count-ratio')).toMatchObject({ outcome: 'skipped', value: null })
    expect(await ratio('char-count-ratio')).toMatchObject({ value: 1, output: { char_ratio: 1 } })
  })
})

describe('perplexity', () => {
  it.each([
    [[Math.log(0.5), Math.log(0.5)], 2],
    [[{ token: 'a', logprob: Math.log(0.25) }, Math.log(0.25)], 4],
    [`[${Math.log(0.1)}]`, 10],
    // What single precision makes of certainty.
    [[1.19e-7, 0], 1],
  ])('of %j is %d', async (logprobs, value) => {
    expect((await engine.evaluate({ evaluator: 'perplexity', input: { logprobs } })).value).toBeCloseTo(value, 9)
  })

  // The last are probabilities, and not their logarithms: a perplexity below 1 would be surer than certain.
  it.each([[[]], [['a']], [[null]], [[0.9, 0.8]], [[{ logprob: 1 }]]])('of %j is skipped', async (logprobs) => {
    expect(await engine.evaluate({ evaluator: 'perplexity', input: { logprobs } })).toMatchObject({
      outcome: 'skipped',
    })
  })

  it('that is infinite is refused', async () => {
    const score = await engine.evaluate({ evaluator: 'perplexity', input: { logprobs: [-1e6] } })
    expect(score).toMatchObject({ outcome: 'errored', fault: 'refused_value', value: null })
  })
})
