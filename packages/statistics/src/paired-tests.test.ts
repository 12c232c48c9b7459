import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { mcNemar, signTest } from './mcnemar.ts'
import { differencesOf, pairedDifference } from './paired.ts'
import { exactSignFlips, signFlipTest } from './permutation.ts'
import { createRandom } from './random.ts'
import { exactRanks, hodgesLehmann, wilcoxonSignedRank } from './wilcoxon.ts'

const whole = fc.integer({ min: -6, max: 6 })
const few = fc.array(whole, { minLength: 1, maxLength: 9 })

/** Every way to put signs before the numbers. */
function signPatterns(n: number): number[][] {
  let all: number[][] = [[]]
  for (let at = 0; at < n; at++)
    all = all.flatMap((signs) => [
      [...signs, 1],
      [...signs, -1],
    ])
  return all
}

function normals(n: number, seed: number): number[] {
  const random = createRandom(seed)
  return Array.from({ length: n }, () => random.uniform() + random.uniform() + random.uniform() - 1.5)
}

describe('the paired t test', () => {
  it('turns its sign with its sides and keeps its p', () => {
    const pairs = fc.array(fc.tuple(whole, whole), { minLength: 3, maxLength: 40 })
    fc.assert(
      fc.property(pairs, (both) => {
        const [a, b] = [both.map(([x]) => x), both.map(([, y]) => y)]
        const [seen, turned] = [pairedDifference(a, b), pairedDifference(b, a)]
        expectClose([seen?.p], [turned?.p], 1e-12)
        expectClose(seen?.difference, -(turned?.difference ?? 0), 1e-12)
      }),
    )
  })

  it('has nothing to hold a difference against that is the same in every pair', () => {
    expect(pairedDifference([2, 3, 4], [1, 2, 3])).toMatchObject({ difference: 1, sd: 0, t: null, p: null })
    expect(pairedDifference([0.3, 0.4, 0.5, 0.7], [0.2, 0.3, 0.4, 0.6])).toMatchObject({ sd: 0, t: null, p: null })
    expect(pairedDifference([1], [2])).toMatchObject({ n: 1, difference: -1, sd: null, p: null, interval: null })
    expect(pairedDifference([], [])).toBeNull()
  })

  it('refuses pairs that are none', () => {
    expect(() => pairedDifference([1, 2], [1])).toThrow('2 and 1 entries')
    expect(() => pairedDifference([1], [Number.NaN])).toThrow('b[0] is NaN')
  })

  it('takes what rounding leaves between equal decimals for nothing', () => {
    expect([...differencesOf([0.1 + 0.2, 5], [0.3, 1])]).toEqual([0, 4])
  })
})

describe('the sign-flip test', () => {
  it('counts what counting by hand counts', () => {
    fc.assert(
      fc.property(few, (differences) => {
        const seen = Math.abs(differences.reduce((sum, value) => sum + value, 0))
        const patterns = signPatterns(differences.length)
        const extreme = patterns.filter(
          (signs) => Math.abs(signs.reduce((sum, sign, at) => sum + sign * (differences[at] ?? 0), 0)) >= seen,
        )
        expectClose(signFlipTest(differences)?.p, extreme.length / patterns.length, 1e-14)
      }),
    )
  })

  it('takes decimals that add up to the same for equal', () => {
    // As whole numbers: 1, 2, 3, whose sums ±6 are the only ones as far from 0.
    expect(signFlipTest([0.1, 0.2, 0.3])?.p).toBe(0.25)
    expect(signFlipTest([0.3, -0.1, -0.2])?.p).toBe(1)
  })

  it('is exact up to its limit, and drawn from one past it', () => {
    const at = signFlipTest(normals(exactSignFlips, 3).map((value) => value + 0.2))
    const past = signFlipTest(normals(exactSignFlips + 1, 3).map((value) => value + 0.2))
    expect([at?.method, at?.resamples]).toEqual(['exact', null])
    expect([past?.method, past?.resamples]).toEqual(['monte_carlo', 10_000])
  })

  it('is exact for any number of differences that all have one sign', () => {
    const positive = Array.from({ length: 100 }, (_, at) => 1 + at)
    expect(signFlipTest([...positive, 0])).toMatchObject({
      method: 'exact',
      nonzero: 100,
      p: 2 ** -99,
      resamples: null,
    })
    expect(signFlipTest(positive.slice(0, 5))?.p).toBe(2 ** -4)
  })

  it('draws near to what the exact count would be, the same each time, and never 0', () => {
    const differences = normals(40, 8).map((value) => value + 0.15)
    const t = pairedDifference(
      differences,
      differences.map(() => 0),
    )
    const drawn = signFlipTest(differences, { resamples: 40_000, seed: 5 })
    expect(Math.abs((drawn?.p ?? 0) - (t?.p ?? 1))).toBeLessThan(0.02)
    expect(signFlipTest(differences, { resamples: 40_000, seed: 5 })).toEqual(drawn)
    expect(signFlipTest(differences, { resamples: 40_000, seed: 6 })?.p).not.toBe(drawn?.p)
    const nearlyAll = [...Array.from({ length: 60 }, (_, at) => 1 + at / 100), -0.001]
    expect(signFlipTest(nearlyAll, { resamples: 99 })?.p).toBe(0.01)
  })

  it('has nothing to tell from zeros, from nothing it is unknown, and NaN it refuses', () => {
    expect(signFlipTest([0, 0, 0])).toMatchObject({ n: 3, nonzero: 0, p: 1 })
    expect(signFlipTest([])).toBeNull()
    expect(() => signFlipTest([Number.NaN])).toThrow(RangeError)
    expect(() => signFlipTest([1], { resamples: 0 })).toThrow(RangeError)
    expect(() => signFlipTest([1], { resamples: 1_000_001 })).toThrow('1000000 is the most')
    expect(signFlipTest([1], { resamples: 1_000_000 })?.p).toBe(1)
  })
})

describe("Wilcoxon's test", () => {
  it('counts what counting by hand counts, with ties and zeros', () => {
    fc.assert(
      fc.property(few, (differences) => {
        const nonzero = differences.filter((value) => value !== 0)
        const sizes = nonzero.map(Math.abs)
        const ranks = sizes.map(
          (size) =>
            sizes.filter((other) => other < size).length + (sizes.filter((other) => other === size).length + 1) / 2,
        )
        const total = ranks.reduce((sum, rank) => sum + rank, 0)
        const wPlus = ranks.reduce((sum, rank, at) => sum + ((nonzero[at] ?? 0) > 0 ? rank : 0), 0)
        const least = Math.min(wPlus, total - wPlus)
        const patterns = signPatterns(ranks.length)
        const extreme = patterns.filter(
          (signs) => ranks.reduce((sum, rank, at) => sum + (signs[at] === 1 ? rank : 0), 0) <= least,
        )
        const seen = wilcoxonSignedRank(differences)
        expect(seen).toMatchObject({ n: nonzero.length, zeros: differences.length - nonzero.length, wPlus })
        expectClose(seen.p, Math.min(1, (2 * extreme.length) / patterns.length), 1e-14)
      }),
    )
  })

  it('is exact up to its limit, and normal from one past it, where the two agree', () => {
    const many = normals(exactRanks + 1, 4).map((value) => value + 0.2)
    expect(wilcoxonSignedRank(many.slice(1)).method).toBe('exact')
    const normal = wilcoxonSignedRank(many)
    expect(normal.method).toBe('normal')
    expect(Math.abs(normal.p - wilcoxonSignedRank(many, { method: 'exact' }).p)).toBeLessThan(0.002)
  })

  it('gives sizes the same rank that only rounding tells apart', () => {
    expect(wilcoxonSignedRank([0.7 - 0.6, -(0.2 - 0.1), 5])).toMatchObject({ wPlus: 4.5, wMinus: 1.5 })
    // A tenth of a millionth of the largest, and as noisy as numbers of its size are.
    expect(wilcoxonSignedRank([1.000_000_1 - 1, -(2.000_000_1 - 2), 1])).toMatchObject({ wPlus: 4.5, wMinus: 1.5 })
  })

  it('keeps the order of sizes that are small beside the largest', () => {
    // scipy 1.17.1: wilcoxon(d, method='exact') has statistic 7 and p 0.1484375.
    const seen = wilcoxonSignedRank([1e-13, -2e-13, 3e-13, 5e-13, -7e-13, 9e-13, 2, 3])
    expect(seen).toMatchObject({ wPlus: 29, wMinus: 7, p: 0.1484375 })
  })

  it('has nothing to tell from nothing', () => {
    expect(wilcoxonSignedRank([])).toMatchObject({ n: 0, p: 1 })
    expect(wilcoxonSignedRank([0, 0])).toMatchObject({ n: 0, zeros: 2, p: 1 })
    expect(() => wilcoxonSignedRank([Number.NaN])).toThrow(RangeError)
    expect(() =>
      wilcoxonSignedRank(
        Array.from({ length: 1_001 }, () => 1),
        { method: 'exact' },
      ),
    ).toThrow('1000')
  })
})

describe('the Hodges-Lehmann estimate', () => {
  const double = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 })

  it('is the median of all means of two, however large or small they are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(double, whole), { minLength: 6, maxLength: 25 }), (values) => {
        const means = values.flatMap((x, at) => values.slice(at).map((y) => (x + y) / 2)).sort((a, b) => a - b)
        const [low = 0, high = 0] = [means[Math.floor((means.length - 1) / 2)], means[Math.floor(means.length / 2)]]
        expect(hodgesLehmann(values)?.estimate).toBe((low === high ? low : (low + high) / 2) + 0)
      }),
    )
  })

  it('turns its sign with the differences, and is moved as they are', () => {
    const differences = normals(70, 2)
    const [seen, turned] = [hodgesLehmann(differences), hodgesLehmann(differences.map((value) => -value))]
    expectClose([seen?.low, seen?.high], [-(turned?.high ?? 0), -(turned?.low ?? 0)], 1e-14)
    expectClose(hodgesLehmann(differences.map((value) => value + 8))?.estimate, 8 + (seen?.estimate ?? 0), 1e-12)
  })

  it('is unknown where no interval of that level exists', () => {
    expect(hodgesLehmann([])).toBeNull()
    expect(hodgesLehmann([1, 2, 3, 4, 5])).toBeNull()
    expect(hodgesLehmann([1, 2, 3, 4, 5, 6])).toMatchObject({ estimate: 3.5, low: 1, high: 6 })
    expect(() => hodgesLehmann([Number.NaN])).toThrow(RangeError)
  })
})

describe("McNemar's test", () => {
  it('does not mind which side is which, and its mid-p is never the larger one', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (b, c) => {
        const seen = mcNemar(b, c)
        expect(seen).toEqual(mcNemar(c, b))
        expect(seen.p).toBeGreaterThan(0)
        expect(seen.p).toBeLessThanOrEqual(1)
        expect(seen.midP).toBeLessThanOrEqual(seen.p)
      }),
    )
  })

  it('has nothing to tell from pairs that are all equal, and refuses what cannot be counted', () => {
    expect(mcNemar(0, 0)).toEqual({ n: 0, p: 1, midP: 1, chiSquared: null, corrected: null })
    expect(signTest(0, 6).p).toBeCloseTo(0.03125, 12)
    expect(() => mcNemar(-1, 2)).toThrow(RangeError)
    expect(() => signTest(0.5, 2)).toThrow(RangeError)
  })
})
