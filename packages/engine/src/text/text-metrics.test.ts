import { readFileSync } from 'node:fs'
import { distance } from 'fastest-levenshtein'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { assign } from './assignment.ts'
import { type BleuOptions, bleuOf, bleuStatistics, sumStatistics } from './bleu-score.ts'
import { type BleuTokenizer, bleuTokenizers } from './bleu-words.ts'
import { chrf } from './chrf-score.ts'
import { levenshtein, levenshteinSimilarity } from './edit-distance.ts'
import { lcsLength, markLcs } from './lcs.ts'
import { stem } from './porter.ts'
import { rougeL, rougeLsum, rougeN } from './rouge-score.ts'

const bleuOptions = (tokenizer: BleuTokenizer): BleuOptions => ({
  tokenizer,
  lowercase: false,
  effectiveOrder: false,
  smoothing: 'exp',
  floor: 0.1,
})
const chrfOptions = { characterOrder: 6, wordOrder: 0, beta: 2, lowercase: false, epsSmoothing: false }

// google-research/google-research, rouge/rouge_scorer_test.py (Apache-2.0)
describe('ROUGE on the published examples', () => {
  const plain = { stemmer: false }
  it.each([
    ['ROUGE-1', rougeN({ target: 'testing one two', prediction: 'testing', n: 1 }, plain), 1, 1 / 3, 0.5],
    ['ROUGE-2', rougeN({ target: 'testing one two', prediction: 'testing one', n: 2 }, plain), 1, 0.5, 2 / 3],
    ['ROUGE-L', rougeL({ target: 'testing one two', prediction: 'testing two' }, plain), 1, 2 / 3, 0.8],
    [
      'ROUGE-Lsum',
      rougeLsum({ target: 'w1 w2 w3 w4 w5', prediction: 'w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5' }, plain),
      0.4,
      0.8,
      0.5333,
    ],
  ])('is that of rouge_score: %s', (...[, score, precision, recall, f1]) => {
    expect(score.precision).toBeCloseTo(precision, 10)
    expect(score.recall).toBeCloseTo(recall, 10)
    expect(score.f1).toBeCloseTo(f1, 4)
  })

  it('is 0 where there are no words', () => {
    const nothing = { precision: 0, recall: 0, f1: 0 }
    for (const [target, prediction] of [
      ['', ''],
      ['…', 'one'],
      ['one', '東京'],
    ] as const) {
      expect(rougeN({ target, prediction, n: 1 }, plain)).toEqual(nothing)
      expect(rougeL({ target, prediction }, plain)).toEqual(nothing)
      expect(rougeLsum({ target, prediction }, plain)).toEqual(nothing)
    }
  })
})

// mjpost/sacrebleu, test/test_bleu.py and test/test_chrf.py (Apache-2.0); the sentences are those of its README.
describe('BLEU and chrF on the published examples', () => {
  const corpus = [
    ['The dog bit the man.', 'The dog bit the man.', 'The dog had bit the man.'],
    ["It wasn't surprising.", 'It was not unexpected.', 'No one was surprised.'],
    ['The man had just bitten him.', 'The man bit him first.', 'The man had bitten the dog.'],
  ] as const

  it.each([
    ['13a', 48.530827009929865],
    ['none', 49.1919566],
    ['intl', 43.91623493],
  ] as const)('BLEU of a corpus with the tokenizer %s is that of sacrebleu', (tokenizer, expected) => {
    const options = bleuOptions(tokenizer)
    const segments = corpus.map(([text, ...references]) => bleuStatistics(text, references, options))
    expect(bleuOf(sumStatistics(segments), options).score).toBeCloseTo(expected, 7)
  })

  it('BLEU of a corpus tells what it is made of', () => {
    const options = bleuOptions('13a')
    const score = bleuOf(sumStatistics(corpus.map(([text, ...all]) => bleuStatistics(text, all, options))), options)
    expect(score).toMatchObject({ systemLength: 17, referenceLength: 18 })
    expect(score.brevityPenalty).toBeCloseTo(0.9428731438548749, 12)
    score.precisions.forEach((precision, index) =>
      expect(precision).toBeCloseTo([82.3529411764706, 50, 45.45454545454545, 37.5][index] ?? 0, 10),
    )
  })

  it.each([
    ['the cat sat on the mat', 'the cat is on the mat', 37.99178428257963, 64.5779420625287],
    ['Paris', 'Paris', 100, 100],
    ['The capital of France is Paris.', 'Paris is the capital of France.', 29.071536848410968, 74.24971405406188],
  ])('of the sentence %j they are those of sacrebleu', (...[text, reference, bleu, chrF]) => {
    const options = { ...bleuOptions('13a'), effectiveOrder: true }
    expect(bleuOf(bleuStatistics(text, [reference], options), options).score).toBeCloseTo(bleu, 10)
    expect(chrf(text, [reference], chrfOptions)).toBeCloseTo(chrF, 10)
  })

  it.each([
    ['aa', 'ab', 8.3333],
    ['a b c', 'abc', 50],
  ])('chrF with the smoothing of its test, of %j to %j, is %f', (text, reference, expected) => {
    expect(chrf(text, [reference], { ...chrfOptions, epsSmoothing: true })).toBeCloseTo(expected, 4)
  })

  it('BLEU is that of its tests for bare counts and for another smoothing', () => {
    const counts = { matched: [9, 7, 5, 3], total: [10, 8, 6, 4], systemLength: 11, referenceLength: 11 }
    expect(bleuOf(counts, bleuOptions('13a')).score / 100).toBeCloseTo(0.8375922397, 9)
    const options: BleuOptions = { ...bleuOptions('13a'), smoothing: 'floor', floor: 0.01 }
    const score = bleuOf(bleuStatistics('this is a fest', ['this is a test'], options), options)
    expect(score.score / 100).toBeCloseTo(0.223606797749979, 12)
    expect(bleuOf(counts, { ...options, smoothing: 'none' })).toEqual(bleuOf(counts, options))
  })
})

const numbers = z.array(z.number())
const reference = z
  .object({
    texts: z.array(
      z.object({
        prediction: z.string(),
        references: z.array(z.string()),
        rouge: z.record(z.enum(['plain', 'stemmed']), z.record(z.string(), numbers)),
        bleu: z.record(z.string(), numbers),
        chrf: z.record(z.string(), z.number()),
      }),
    ),
    stems: z.array(z.tuple([z.string(), z.string()])),
  })
  .parse(JSON.parse(readFileSync(new URL('../../test/reference-scores.json', import.meta.url), 'utf8')))

// The table is made by test/reference-scores.py.
describe('on texts of all kinds', () => {
  const close = (actual: readonly number[], expected: readonly number[] | undefined) => {
    expect(actual).toHaveLength(expected?.length ?? -1)
    actual.forEach((value, index) => expect(value).toBeCloseTo(expected?.[index] ?? Number.NaN, 9))
  }

  it('ROUGE is that of rouge_score, with and without stems', () => {
    for (const { prediction, references, rouge } of reference.texts) {
      const texts = { target: references[0] ?? '', prediction }
      for (const kind of ['plain', 'stemmed'] as const) {
        const options = { stemmer: kind === 'stemmed' }
        const scores = {
          rouge1: rougeN({ ...texts, n: 1 }, options),
          rouge2: rougeN({ ...texts, n: 2 }, options),
          rougeL: rougeL(texts, options),
          rougeLsum: rougeLsum(texts, options),
        }
        for (const [name, { precision, recall, f1 }] of Object.entries(scores))
          close([precision, recall, f1], rouge[kind][name])
      }
    }
  })

  it('BLEU is that of sacrebleu, with every tokenizer', () => {
    for (const { prediction, references, bleu } of reference.texts)
      for (const tokenizer of bleuTokenizers)
        for (const letters of ['mixed', 'lower']) {
          const options = { ...bleuOptions(tokenizer), lowercase: letters === 'lower', effectiveOrder: true }
          const score = bleuOf(bleuStatistics(prediction, references, options), options)
          const { brevityPenalty, systemLength, referenceLength } = score
          close(
            [score.score, ...score.precisions, brevityPenalty, systemLength, referenceLength],
            bleu[`${tokenizer} ${letters}`],
          )
        }
  })

  it('chrF and chrF++ are those of sacrebleu', () => {
    for (const { prediction, references, chrf: expected } of reference.texts)
      for (const wordOrder of [0, 2])
        for (const letters of ['mixed', 'lower']) {
          const options = { ...chrfOptions, wordOrder, lowercase: letters === 'lower' }
          close([chrf(prediction, references, options)], [expected[`${wordOrder} ${letters}`] ?? Number.NaN])
        }
  })

  it.each(reference.stems)('the stem of %s is %s', (word, expected) => {
    expect(stem(word)).toBe(expected)
  })
})

describe('Levenshtein distance', () => {
  // braintrustdata/autoevals, js/value.test.ts (MIT)
  it.each([
    ['', '', 1],
    ['', 'a', 0],
    ['a', 'a', 1],
    ['a', 'b', 0],
    ['ab', 'ac', 0.5],
    ['ac', 'bc', 0.5],
    ['abc', 'axc', 2 / 3],
    ['xabxcdxxefxgx', '1ab2cd34ef5g6', 0.5384615384615384],
  ])('of %j and %j gives the similarity of autoevals', (a, b, expected) => {
    expect(levenshteinSimilarity(a, b)).toBeCloseTo(expected, 12)
  })

  it('is that of fastest-levenshtein, whatever the lengths', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '😀'), maxLength: 200 })
    fc.assert(
      fc.property(few, few, (a, b) => {
        expect(levenshtein(a, b)).toBe(distance(a, b))
      }),
      { numRuns: 500 },
    )
  })

  it('is that of fastest-levenshtein at the edges of 32 units', () => {
    for (const length of [1, 31, 32, 33, 63, 64, 65, 96]) {
      const [a, b] = ['a'.repeat(length), `b${'ab'.repeat(length)}`]
      expect(levenshtein(a, b)).toBe(distance(a, b))
    }
  })
})

describe('the longest common subsequence', () => {
  const sequence = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 90 })

  it('is as long as the table says, and has elements of both', () => {
    fc.assert(
      fc.property(sequence, sequence, (first, second) => {
        const [a, b] = [Int32Array.from(first), Int32Array.from(second)]
        const length = lcsLength(a, b, 5)
        expect(length).toBe(lengthByTable(first, second))
        expect(lcsLength(b, a, 5)).toBe(length)
        const taken = new Uint8Array(a.length)
        markLcs({ reference: a, candidate: b, vocabulary: 5 }, taken)
        const marked = first.filter((_, place) => taken[place] === 1)
        expect(marked).toHaveLength(length)
        expect(lengthByTable(marked, second)).toBe(length)
      }),
      { numRuns: 300 },
    )
  })
})

describe('the best assignment', () => {
  it('gains as much as any', () => {
    const gain = fc.integer({ min: 0, max: 9 })
    const table = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(gain, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
      )
    fc.assert(
      fc.property(table, (gains) => {
        const chosen = assign(gains)
        const columns = chosen.filter((column) => column >= 0)
        expect(new Set(columns).size).toBe(columns.length)
        expect(columns).toHaveLength(Math.min(gains.length, gains[0]?.length ?? 0))
        expect(chosen.reduce((sum, column, row) => sum + (gains[row]?.[column] ?? 0), 0)).toBe(bestGain(gains, 0, []))
      }),
      { numRuns: 300 },
    )
  })
})

function lengthByTable(a: readonly number[], b: readonly number[]): number {
  let last = Array.from({ length: b.length + 1 }, () => 0)
  for (const x of a) {
    const row = [0]
    for (const [j, y] of b.entries()) row.push(x === y ? (last[j] ?? 0) + 1 : Math.max(last[j + 1] ?? 0, row[j] ?? 0))
    last = row
  }
  return last[b.length] ?? 0
}

/** Tries everything: each row takes a free column, or none. */
function bestGain(gains: readonly (readonly number[])[], row: number, used: readonly number[]): number {
  const own = gains[row]
  if (!own) return 0
  const taking = own.flatMap((gain, column) =>
    used.includes(column) ? [] : [gain + bestGain(gains, row + 1, [...used, column])],
  )
  return Math.max(bestGain(gains, row + 1, used), ...taking)
}
