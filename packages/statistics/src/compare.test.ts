import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { pairedExample } from '../test/vectors.ts'
import { compare, type Outcome } from './compare.ts'
import { mcNemar } from './mcnemar.ts'
import { clusteredMean } from './mean.ts'
import { newcombePaired, pairedDifference } from './paired.ts'
import { signFlipTest } from './permutation.ts'
import { minimalDetectableEffect } from './power.ts'
import { createRandom } from './random.ts'

const repeat = <T>(value: T, times: number): T[] => Array.from({ length: times }, () => value)

/** Passes and failures with these counts of pairs. */
function passes({ both, onlyA, onlyB, neither }: Record<'both' | 'onlyA' | 'onlyB' | 'neither', number>) {
  return {
    a: [...repeat(true, both + onlyA), ...repeat(false, onlyB + neither)],
    b: [...repeat(true, both), ...repeat(false, onlyA), ...repeat(true, onlyB), ...repeat(false, neither)],
  }
}

/** Pairs of scores whose differences are about `shift` with a spread of about `sd`. */
function scores(n: number, { shift, sd, seed }: { shift: number; sd: number; seed: number }) {
  const random = createRandom(seed)
  const b = Array.from({ length: n }, () => random.uniform())
  return { b, a: b.map((value) => value + shift + sd * Math.sqrt(12) * (random.uniform() - 0.5)) }
}

describe('a comparison of passes and failures', () => {
  it("is McNemar's exact test with Newcombe's paired interval", () => {
    const counts = { both: 50, onlyA: 20, onlyB: 5, neither: 25 }
    const { a, b } = passes(counts)
    const seen = compare(a, b)
    const interval = newcombePaired(counts)
    expect(seen).toEqual({
      kind: 'binary',
      n: 100,
      leftOut: 0,
      units: 100,
      meanA: 0.7,
      meanB: 0.55,
      difference: 0.15,
      interval,
      wins: 20,
      losses: 5,
      ties: 75,
      test: 'mcnemar_exact',
      p: mcNemar(20, 5).p,
      also: [{ test: 'mcnemar_mid_p', p: mcNemar(20, 5).midP }],
      mde: expect.closeTo(2.8 * 0.0479, 3),
      verdict: 'better',
    })
  })

  it('takes 0 and 1 for failures and passes, and any other number for a score', () => {
    const { a, b } = passes({ both: 5, onlyA: 9, onlyB: 1, neither: 5 })
    expect(compare(a.map(Number), b)).toEqual(compare(a, b))
    expect(compare([...a, 0.5], [...b, 0]).kind).toBe('continuous')
  })

  it('of two that never differ finds no difference, and does not know what it could have found', () => {
    const { a } = passes({ both: 30, onlyA: 0, onlyB: 0, neither: 10 })
    const seen = compare(a, a)
    expect(seen).toMatchObject({ difference: 0, p: 1, ties: 40, mde: null, verdict: 'no_detectable_difference' })
    expect(seen.interval?.low).toBeLessThan(-0.03)
  })
})

describe('a comparison of scores', () => {
  it('is the paired t test from 30 pairs on, and the exact sign-flip test below', () => {
    const { a, b } = scores(30, { shift: 0.1, sd: 0.2, seed: 1 })
    const many = compare(a, b)
    expect(many).toMatchObject({ kind: 'continuous', test: 'paired_t', p: pairedDifference(a, b)?.p })
    expect(many.interval).toEqual(pairedDifference(a, b)?.interval)
    expect(many.also.map(({ test }) => test)).toEqual(['wilcoxon'])
    const few = compare(a.slice(1), b.slice(1))
    const differences = a.slice(1).map((value, at) => value - (b[at + 1] ?? 0))
    expect(few).toMatchObject({ test: 'sign_flip_exact', p: signFlipTest(differences)?.p })
    expect(few.also.map(({ test }) => test)).toEqual(['paired_t', 'wilcoxon'])
  })

  it('sees in pairs what is lost between groups', () => {
    const { a, b, signFlip, ci95 } = pairedExample
    const seen = compare(a, b)
    expect(seen).toMatchObject({ n: 10, wins: 8, losses: 2, p: signFlip, verdict: 'better' })
    expectClose([seen.interval?.low, seen.interval?.high], ci95, 1e-12)
    expect(compare(b, a)).toMatchObject({ wins: 2, losses: 8, p: signFlip, verdict: 'worse' })
  })

  it('names the smallest difference that it would have seen', () => {
    const { a, b } = scores(200, { shift: 0, sd: 0.1, seed: 4 })
    const seen = compare(a, b, { power: 0.9 })
    const sd = pairedDifference(a, b)?.sd ?? 0
    expectClose(seen.mde, minimalDetectableEffect({ n: 200, sd, power: 0.9 }) ?? -1, 1e-12)
    expect(seen.verdict).toBe('no_detectable_difference')
  })

  it('takes amounts for amounts, also where all are 0 or 1', () => {
    const [zeros, ones] = [Array(40).fill(0), Array(40).fill(1)] as number[][]
    expect(compare(ones ?? [], zeros ?? [])).toMatchObject({ kind: 'binary', test: 'mcnemar_exact' })
    const amounts = compare(ones ?? [], zeros ?? [], { kind: 'continuous' })
    expect(amounts).toMatchObject({ kind: 'continuous', test: 'sign_flip_exact', difference: 1, verdict: 'better' })
  })

  it('is not certain of a difference only because it is the same in every pair', () => {
    const b = Array.from({ length: 40 }, (_, at) => at / 10)
    const seen = compare(
      b.map((value) => value + 0.1),
      b,
    )
    expect(seen).toMatchObject({ test: 'sign_flip_exact', p: 2 ** -39, mde: null, verdict: 'better' })
    expect(compare(b, b)).toMatchObject({ test: 'sign_flip_exact', p: 1, verdict: 'no_detectable_difference' })
  })

  it('calls less better where less is better', () => {
    const { a, b } = scores(60, { shift: 0.2, sd: 0.1, seed: 6 })
    const [higher, lower] = [compare(a, b), compare(a, b, { direction: 'lower' })]
    expect([higher.verdict, lower.verdict]).toEqual(['better', 'worse'])
    expect([lower.wins, lower.losses]).toEqual([higher.losses, higher.wins])
    expect(lower.difference).toBe(higher.difference)
  })
})

describe('a comparison with clusters', () => {
  it('counts clusters, not pairs', () => {
    const { a, b } = scores(32, { shift: 0.05, sd: 0.2, seed: 3 })
    const again = <T>(values: T[]) => values.flatMap((value) => [value, value, value])
    const clusters = again(a.map((_, at) => `case ${at}`))
    const once = compare(a, b)
    const thrice = compare(again(a), again(b), { clusters })
    expect(thrice).toMatchObject({ n: 96, units: 32, test: 'clustered_t', verdict: once.verdict })
    expectClose(
      [thrice.p, thrice.difference, thrice.interval?.low, thrice.mde],
      [once.p, once.difference, once.interval?.low, once.mde],
      1e-9,
    )
    expect(compare(again(a), again(b)).p).toBeLessThan((once.p ?? 0) / 2)
  })

  it('flips whole clusters where there are few', () => {
    const { a, b } = scores(24, { shift: 0.1, sd: 0.2, seed: 9 })
    const clusters = a.map((_, at) => at % 8)
    const seen = compare(a, b, { clusters })
    const differences = a.map((value, at) => value - (b[at] ?? 0))
    const sums = Array.from(
      { length: 8 },
      (_, cluster) => (differences[cluster] ?? 0) + (differences[cluster + 8] ?? 0) + (differences[cluster + 16] ?? 0),
    )
    expect(seen).toMatchObject({ units: 8, test: 'clustered_sign_flip_exact', p: signFlipTest(sums)?.p })
    expect(seen.interval).toEqual(clusteredMean(differences, clusters, { correction: 'small_sample' })?.interval)
    expect(seen.also.map(({ test }) => test)).toEqual(['clustered_t'])
  })

  it('is the plain one where every pair is a cluster of its own', () => {
    const { a, b } = scores(40, { shift: 0.1, sd: 0.2, seed: 9 })
    expect(compare(a, b, { clusters: [...a.keys()] })).toEqual(compare(a, b))
  })

  it('does not take passes for independent that belong together', () => {
    const a = Array.from({ length: 50 }, (_, at) => at < 40)
    const b = Array.from({ length: 50 }, (_, at) => at < 25)
    const clusters = a.map((_, at) => Math.floor(at / 10))
    expect(compare(a, b).verdict).toBe('better')
    expect(compare(a, b, { clusters })).toMatchObject({ kind: 'binary', units: 5, verdict: 'not_enough_data' })
  })

  it('is as sure as the number of clusters allows where every pair differs by the same', () => {
    const b = Array.from({ length: 120 }, (_, at) => at)
    const clusters = b.map((at) => Math.floor(Math.sqrt(at * 16)))
    const seen = compare(
      b.map((value) => value + 1),
      b,
      { clusters },
    )
    expect(seen).toMatchObject({ test: 'clustered_sign_flip_exact', p: 2 ** (1 - seen.units), verdict: 'better' })
    expect(seen.units).toBeGreaterThan(33)
  })

  it('of one cluster knows the difference and nothing about it', () => {
    const seen = compare([0.5, 0.7], [0.1, 0.2], { clusters: ['x', 'x'] })
    expect(seen).toMatchObject({ units: 1, interval: null, mde: null, p: 1, verdict: 'not_enough_data' })
    expectClose(seen.difference, 0.45, 1e-15)
  })
})

describe('what is not known', () => {
  it('is left out and counted, and never a 0', () => {
    const a: Outcome[] = [1, null, 1, 1, undefined, 0, 1, null]
    const b: Outcome[] = [0, 1, null, 0, 1, 0, 1, null]
    expect(compare(a, b)).toMatchObject({ n: 4, leftOut: 4, meanA: 0.75, meanB: 0.25, wins: 2, ties: 2 })
    const clusters = ['p', 'q', 'r', 'p', 'q', 's', 's', 't']
    expect(compare(a, b, { clusters })).toMatchObject({ n: 4, units: 2 })
  })

  it('makes no comparison where nothing is left', () => {
    const empty = { n: 0, difference: null, interval: null, test: null, p: null, mde: null, verdict: 'not_enough_data' }
    expect(compare([], [])).toMatchObject({ ...empty, leftOut: 0 })
    expect(compare([null, 1], [1, null])).toMatchObject({ ...empty, leftOut: 2, meanA: null })
  })

  it('is not the same as NaN, which somebody computed wrongly', () => {
    expect(() => compare([1, Number.NaN], [1, 1])).toThrow('a[1] is NaN; what is not known is left out, or null')
    expect(() => compare([1], [Number.NEGATIVE_INFINITY])).toThrow('b[0] is -Infinity')
    expect(compare([1e140], [-1e140]).difference).toBe(2e140)
    expect(() => compare([1.01e140], [1])).toThrow('a[0] is 1.01e+140; its size is 1e+140 at most')
    expect(() => compare([1], [])).toThrow('1 and 0 entries')
    expect(() => compare([1], [1], { clusters: [] })).toThrow(RangeError)
    expect(() => compare([1], [1], { smallestEffect: 0 })).toThrow('smallestEffect is 0')
    expect(() => compare([1], [1], { level: 2 })).toThrow('level is 2')
    expect(() => compare([1], [1], { power: 0 })).toThrow('power is 0')
  })
})

describe('a verdict', () => {
  it('needs six pairs at 95 %, and more the surer it is to be', () => {
    const verdict = (n: number, level: number) => compare(repeat(1, n), repeat(0, n), { level }).verdict
    expect([verdict(1, 0.95), verdict(5, 0.95), verdict(6, 0.95)]).toEqual([
      'not_enough_data',
      'not_enough_data',
      'better',
    ])
    expect([verdict(7, 0.99), verdict(8, 0.99)]).toEqual(['not_enough_data', 'better'])
    expect(compare(repeat(1.5, 5), repeat(0.5, 5)).verdict).toBe('not_enough_data')
  })

  it('is not "no difference" when one that matters could have been missed', () => {
    const { a, b } = scores(40, { shift: 0, sd: 0.2, seed: 8 })
    const { mde } = compare(a, b)
    expect(compare(a, b).verdict).toBe('no_detectable_difference')
    expect(compare(a, b, { smallestEffect: (mde ?? 0) * 0.9 }).verdict).toBe('not_enough_data')
    expect(compare(a, b, { smallestEffect: (mde ?? 0) * 1.1 }).verdict).toBe('no_detectable_difference')
  })

  it('turns over with its sides', () => {
    const outcome = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(null))
    const turned = { better: 'worse', worse: 'better' } as Record<string, string>
    fc.assert(
      fc.property(fc.array(fc.tuple(outcome, outcome), { maxLength: 50 }), (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]
        const [seen, other] = [compare(a, b), compare(b, a)]
        expect(other).toMatchObject({ n: seen.n, wins: seen.losses, losses: seen.wins, test: seen.test })
        expectClose([other.p, other.mde], [seen.p, seen.mde], 1e-9)
        expect(other.verdict).toBe(turned[seen.verdict] ?? seen.verdict)
        expect(seen.wins + seen.losses + seen.ties).toBe(seen.n)
        expect(seen.n + seen.leftOut).toBe(pairs.length)
      }),
    )
  })

  it('and every number of a comparison is a number or null, whatever is compared', () => {
    const value = fc.option(fc.oneof(fc.double({ noNaN: true, min: -1e140, max: 1e140 }), fc.boolean(), fc.integer()))
    const pair = fc.tuple(value, value, fc.integer({ min: 0, max: 9 }))
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 45 }), fc.boolean(), (pairs, clustered) => {
        const clusters = clustered ? pairs.map(([, , key]) => key) : undefined
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]
        const seen = compare(a, b, { clusters })
        expect(JSON.parse(JSON.stringify(seen))).toEqual(seen)
        expect(seen.p === null || (seen.p >= 0 && seen.p <= 1)).toBe(true)
      }),
    )
  })

  it('is wrong in no more than one of twenty comparisons of what does not differ', () => {
    const wrong = { binary: 0, few: 0, many: 0, clustered: 0 }
    const random = createRandom(77)
    const flags = (n: number) => Array.from({ length: n }, () => random.uniform() < 0.6)
    const draws = (n: number) => Array.from({ length: n }, () => random.uniform() ** 2)
    const together = (each: number) =>
      Array.from({ length: 15 }, () => random.uniform()).flatMap((value) => repeat(value, each))
    const judged = ({ verdict }: { verdict: string }) => (verdict === 'better' || verdict === 'worse' ? 1 : 0)
    for (let run = 0; run < 1_000; run++) {
      wrong.binary += judged(compare(flags(80), flags(80)))
      wrong.few += judged(compare(draws(12), draws(12)))
      wrong.many += judged(compare(draws(60), draws(60)))
      const clusters = Array.from({ length: 45 }, (_, at) => Math.floor(at / 3))
      wrong.clustered += judged(compare(together(3), together(3), { clusters }))
    }
    // Three standard errors above 50 of 1,000.
    for (const count of Object.values(wrong)) expect(count).toBeLessThanOrEqual(71)
    expect(wrong.many).toBeGreaterThan(25)
  })
})
