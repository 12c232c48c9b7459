import { afterAll, describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'

const engine = createEngine()
afterAll(() => engine.close())

async function scoreOf(evaluator: string, input: Record<string, unknown>, config?: Record<string, unknown>) {
  return engine.evaluate({ evaluator, input, config })
}

describe('texts that contain others', () => {
  const response = 'The quick brown fox'

  it.each([
    ['contains', { reference: 'brown' }, {}, 1],
    ['contains', { reference: 'Brown' }, {}, 0],
    ['contains', { reference: 'Brown' }, { ignore_case: true }, 1],
    ['contains', {}, { values: ['quick', 'slow'] }, 0],
    ['contains', {}, { values: ['quick', 'slow'], mode: 'any' }, 1],
    ['not-contains', { reference: 'slow' }, {}, 1],
    ['not-contains', {}, { values: ['quick', 'slow'] }, 0],
    ['not-contains', {}, { values: ['quick', 'slow'], mode: 'any' }, 1],
    ['starts-with', { reference: 'The' }, {}, 1],
    ['starts-with', { reference: 'quick' }, {}, 0],
    ['starts-with', {}, { values: ['A ', 'The '] }, 1],
    ['ends-with', { reference: 'fox' }, {}, 1],
    ['ends-with', {}, { values: ['FOX', 'dog'], ignore_case: true }, 1],
    ['ends-with', { reference: 'The' }, {}, 0],
  ])('%s of %j with %j is %i', async (...[evaluator, input, config, value]) => {
    const score = await scoreOf(evaluator, { response, ...input }, config)
    expect(score).toMatchObject({ value, passed: value === 1 })
  })

  it.each([
    ['contains', 1],
    ['not-contains', 0],
    ['starts-with', 1],
    ['ends-with', 1],
  ])('are found by %s however long they are, and told by their beginning', async (evaluator, value) => {
    const long = 'ab '.repeat(350_000)
    const score = await scoreOf(evaluator, { response: long, reference: long })
    expect(score).toMatchObject({ outcome: 'scored', value, output: { found: [`${long.slice(0, 199)}…`], absent: [] } })
    const values = Array.from({ length: 1_000 }, (_, index) => `${index}${'\0'.repeat(9_000)}`)
    const many = await scoreOf(evaluator, { response: 'x' }, { values })
    expect(many).toMatchObject({ outcome: 'scored', value: 1 - value })
    expect(many.output['absent']).toHaveLength(100)
  })

  it('are skipped where there is nothing to look for', async () => {
    expect(await scoreOf('contains', { response })).toMatchObject({ outcome: 'skipped', fault: 'missing_evidence' })
    expect(await scoreOf('contains', { response, reference: '' })).toMatchObject({ outcome: 'skipped' })
  })
})

describe('an exact match', () => {
  it.each([
    [' Paris\n', 'Paris', {}, 1],
    [' Paris', 'Paris', { ignore_whitespace: false }, 0],
    ['paris', 'Paris', {}, 0],
    ['paris', 'Paris', { ignore_case: true }, 1],
    ['“Paris!”', 'Paris', { ignore_punctuation: true }, 1],
    ['New   York', 'New York', {}, 1],
  ])('of %j and %j with %j is %i', async (...[response, reference, config, value]) => {
    expect((await scoreOf('exact-match', { response, reference }, config)).value).toBe(value)
  })

  it('takes what is no text as its JSON', async () => {
    expect((await scoreOf('exact-match', { response: 42, reference: '42' })).value).toBe(1)
    expect((await scoreOf('exact-match', { response: { a: [1] }, reference: '{"a":[1]}' })).value).toBe(1)
  })
})

// braintrustdata/autoevals, js/value.test.ts (MIT)
describe('lists and numbers', () => {
  it.each([
    [[], [], 1],
    [['0'], [], 0],
    [['a'], ['a', 'b'], 0.5],
    [['a', 'b'], ['a'], 0.5],
  ])('list-contains of %j and %j is that of autoevals', async (response, reference, value) => {
    expect((await scoreOf('list-contains', { response, reference })).value).toBe(value)
  })

  it('list-contains pairs items of any length, and tells them by their beginning', async () => {
    const long = 'ab '.repeat(150_000)
    const score = await scoreOf('list-contains', { response: [long, 'b'], reference: ['b', long] })
    expect(score).toMatchObject({ outcome: 'scored', value: 1 })
    expect(score.output['pairs']).toContainEqual({
      response: `${long.slice(0, 199)}…`,
      reference: `${long.slice(0, 199)}…`,
      score: 1,
    })
  })

  it('list-contains forgives what is beyond, if told to', async () => {
    const input = { response: '["b", "a"]', reference: ['a'] }
    expect(await scoreOf('list-contains', input, { allow_extra_entities: true })).toMatchObject({
      value: 1,
      output: { pairs: [{ response: 'a', reference: 'a', score: 1 }] },
    })
  })

  it.each([
    [0, 0, 1],
    [0, 1, 0],
    [1, 2, 2 / 3],
    [-1, 2, 0],
    ['1,234.5', 1234.5, 1],
    ['$ 7', '7 %', 1],
  ])('numeric-closeness of %j and %j is that of autoevals', async (response, reference, value) => {
    expect((await scoreOf('numeric-closeness', { response, reference })).value).toBeCloseTo(value, 12)
  })

  it('numeric-closeness finds a number in a text, if told to', async () => {
    const response = 'Of 12 apples -3.5e1 are left.'
    const numberOf = async (find: string) =>
      (await scoreOf('numeric', { response, reference: 12 }, { find })).output['number']
    expect(await numberOf('first')).toBe(12)
    expect(await numberOf('last')).toBe(-35)
    expect(await scoreOf('numeric', { response, reference: 12 })).toMatchObject({
      outcome: 'scored',
      value: 0,
      passed: false,
      output: { number: null, difference: null },
    })
  })

  it.each([
    ['−5', 'whole', -5],
    ['-$1,234.50', 'whole', -1234.5],
    ['$-5', 'whole', -5],
    ['It fell by −3.5 degrees.', 'first', -3.5],
    ['The loss is -$5.', 'last', -5],
    ['That is 7−2', 'last', 2],
    ['from $3-$5', 'last', 5],
  ])('numeric-closeness sees the sign of %j (%s)', async (response, find, number) => {
    expect((await scoreOf('numeric', { response, reference: 12 }, { find })).output['number']).toBe(number)
  })

  it('numeric-closeness passes within a tolerance', async () => {
    const passed = async (response: number) =>
      (await scoreOf('numeric', { response, reference: 10 }, { tolerance: 0.5 })).passed
    expect([await passed(10.5), await passed(10.51)]).toEqual([true, false])
  })

  it('numeric-closeness is skipped where the reference is no number', async () => {
    expect(await scoreOf('numeric', { response: 1, reference: 'many' })).toMatchObject({ outcome: 'skipped' })
  })
})

describe('token F1', () => {
  it.each([
    ['the', 'a', 1],
    ['', 'word', 0],
    ['The Eiffel-Tower!', 'eiffeltower', 1],
    ['one two', ['three', 'two'], 2 / 3],
    ['一 二', '二', 2 / 3],
    // As the script of SQuAD has them: articles end at word boundaries, and words at Python's white space.
    ['“the” cat', '“a” cat', 1],
    ['the–cat', '–cat', 1],
    ['ça and théâtre', 'ça and th âtre', 4 / 7],
    ['one\u{85}two', 'one two', 1],
    ['one\u{feff}two', 'one two', 0],
  ])('of %j and %j is that of SQuAD', async (response, reference, value) => {
    expect((await scoreOf('token-f1', { response, reference })).value).toBeCloseTo(value, 12)
  })
})

describe('the measures of ROUGE', () => {
  it('are chosen by the configuration', async () => {
    const input = { response: 'testing', reference: 'testing one two' }
    const value = async (measure: string) => (await scoreOf('rouge-1', input, { measure })).value
    expect(await value('precision')).toBe(1)
    expect(await value('recall')).toBeCloseTo(1 / 3, 12)
    expect(await value('f1')).toBe(0.5)
    const stems = { response: 'running dogs', reference: 'run dog' }
    expect((await scoreOf('rouge-l', stems)).value).toBe(0)
    expect((await scoreOf('rouge-l', stems, { stemmer: true })).value).toBe(1)
  })
})

describe('BLEU and chrF', () => {
  it('take the best of several references', async () => {
    const input = { response: 'good morning to you', reference: ['hello there', 'good morning to you'] }
    expect((await scoreOf('bleu', input)).value).toBe(1)
    expect((await scoreOf('chrf', input)).value).toBe(1)
    expect((await scoreOf('bleu', { ...input, reference: [] })).value).toBe(0)
  })
})

describe('long texts', () => {
  const words = (from: number) => Array.from({ length: 10_000 }, (_, i) => `w${(i * from) % 997}`).join(' ')

  it.each(['rouge-1', 'rouge-2', 'rouge-l', 'rouge-lsum', 'bleu', 'chrf', 'levenshtein', 'token-f1'])(
    'of 10,000 words are scored by %s',
    async (evaluator) => {
      const own = createEngine({ seconds: { code: 60, judge: 60 }, threads: 1 })
      const score = await own.evaluate({ evaluator, input: { response: words(7), reference: words(11) } })
      await own.close()
      expect(score).toMatchObject({ outcome: 'scored' })
    },
  )

  it('of one line are refused by ROUGE-Lsum where its table would fill the memory', async () => {
    const text = 'a '.repeat(50_000)
    const score = await scoreOf('rouge-lsum', { response: text, reference: text })
    expect(score).toMatchObject({ outcome: 'errored', fault: 'too_large', value: null })
  })
})
