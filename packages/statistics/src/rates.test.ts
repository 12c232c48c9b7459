import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { correctedRate } from './corrected-rate.ts'
import { benjaminiHochberg, bonferroni, holm } from './multiple.ts'
import { passAtK, passHatK, passRate } from './pass-rates.ts'
import { minimalDetectableEffect, requiredCases } from './power.ts'
import { createRandom } from './random.ts'

describe('pass@k and pass^k', () => {
  it('are the shares of all choices of k attempts', () => {
    for (let n = 1; n <= 8; n++)
      for (let c = 0; c <= n; c++)
        for (let k = 1; k <= n; k++) {
          const choices = Array.from({ length: 2 ** n }, (_, mask) =>
            Array.from({ length: n }, (__, at) => at).filter((at) => (mask >> at) & 1),
          ).filter((chosen) => chosen.length === k)
          const share = (fits: (chosen: number[]) => boolean) => choices.filter(fits).length / choices.length
          expectClose(
            passAtK({ n, c }, k),
            share((chosen) => chosen.some((at) => at < c)),
            1e-12,
          )
          expectClose(
            passHatK({ n, c }, k),
            share((chosen) => chosen.every((at) => at < c)),
            1e-12,
          )
        }
  })

  it('rise and fall with k, from c/n', () => {
    const attempts = fc.integer({ min: 1, max: 300 }).chain((n) => fc.record({ n: fc.constant(n), c: fc.nat(n) }))
    fc.assert(
      fc.property(attempts, (tried) => {
        expectClose([passAtK(tried, 1), passHatK(tried, 1)], [tried.c / tried.n, tried.c / tried.n], 1e-12)
        for (let k = 1; k < tried.n; k += 17) {
          expect(passAtK(tried, k + 1)).toBeGreaterThanOrEqual((passAtK(tried, k) ?? 2) - 1e-12)
          expect(passHatK(tried, k + 1)).toBeLessThanOrEqual(passHatK(tried, k) ?? -1)
        }
      }),
    )
  })

  it('are unknown with fewer than k attempts, and such tasks are left out of a mean', () => {
    expect([passAtK({ n: 2, c: 1 }, 3), passHatK({ n: 0, c: 0 }, 1)]).toEqual([null, null])
    const tasks = [
      { n: 4, c: 4 },
      { n: 4, c: 2 },
      { n: 1, c: 1 },
    ]
    expect(passRate(tasks, 2, { of: 'all' })).toMatchObject({
      n: 2,
      leftOut: 1,
      mean: expect.closeTo((1 + 1 / 6) / 2, 14),
    })
    expect(passRate(tasks, 2, { of: 'any' })).toMatchObject({
      n: 2,
      leftOut: 1,
      mean: expect.closeTo((1 + 5 / 6) / 2, 14),
    })
    expect(passRate(tasks, 5, { of: 'any' })).toBeNull()
    expect(passRate([], 1, { of: 'any' })).toBeNull()
  })

  it('refuse what cannot be counted', () => {
    expect(() => passAtK({ n: 3, c: 4 }, 1)).toThrow('4 correct of 3')
    expect(() => passHatK({ n: 3, c: 1 }, 0)).toThrow('k is 0')
    expect(() => passAtK({ n: 3.5, c: 1 }, 1)).toThrow(RangeError)
  })
})

describe('a corrected rate', () => {
  it('is the true rate, when the judge errs as it did in calibration', () => {
    const hundredths = fc.integer({ min: 0, max: 100 })
    fc.assert(
      fc.property(hundredths, hundredths, hundredths, (truth, sensitivity, specificity) => {
        fc.pre(sensitivity + specificity > 100)
        const passed = truth * sensitivity + (100 - truth) * (100 - specificity)
        const calibration = { truePositives: sensitivity, accepted: 100, trueNegatives: specificity, rejected: 100 }
        const seen = correctedRate({ passed, judged: 10_000, ...calibration })
        expectClose(seen?.corrected?.estimate, truth / 100, 1e-10)
        expect(seen?.corrected?.low).toBeLessThanOrEqual(truth / 100 + 1e-10)
        expect(seen?.corrected?.high).toBeGreaterThanOrEqual(truth / 100 - 1e-10)
      }),
    )
  })

  it('is not given for a judge that is no better than a coin, or never was calibrated', () => {
    const counts = { passed: 40, judged: 100, truePositives: 6, accepted: 10, trueNegatives: 4, rejected: 10 }
    expect(correctedRate(counts)).toMatchObject({ corrected: null, se: null, reason: 'judge_no_better_than_chance' })
    expect(correctedRate({ ...counts, trueNegatives: 0 })?.reason).toBe('judge_no_better_than_chance')
    expect(correctedRate({ ...counts, trueNegatives: 5 })?.reason).toBeNull()
    expect(correctedRate({ ...counts, truePositives: 0, accepted: 0 })).toMatchObject({
      n: 100,
      raw: { estimate: 0.4 },
      sensitivity: null,
      corrected: null,
      reason: 'not_calibrated',
    })
    expect(correctedRate({ ...counts, passed: 0, judged: 0 })).toBeNull()
  })

  it('is cut to 0 and 1, and says what it was before', () => {
    const counts = { passed: 5, judged: 100, truePositives: 45, accepted: 50, trueNegatives: 40, rejected: 50 }
    const seen = correctedRate(counts)
    expect(seen?.corrected).toMatchObject({ estimate: 0, low: 0 })
    expect(seen?.unclamped).toBeCloseTo((0.05 + 0.8 - 1) / 0.7, 12)
  })

  it('is not certain of a judge without an error in ten cases, by Lang and Reiczigel', () => {
    const counts = { passed: 50, judged: 100, truePositives: 5, accepted: 5, trueNegatives: 5, rejected: 5 }
    const delta = correctedRate(counts)?.corrected
    const careful = correctedRate(counts, { interval: 'lang_reiczigel' })?.corrected
    const width = (seen: typeof delta) => (seen?.high ?? 0) - (seen?.low ?? 0)
    expect(width(careful)).toBeGreaterThan(1.5 * width(delta))
  })

  it.each([
    // asht 1.0.3 (prevSeSp) and the script of the authors: sensitivity and specificity as of two more cases each.
    [
      { passed: 400, judged: 500, truePositives: 54, accepted: 60, trueNegatives: 28, rejected: 40 },
      0.95,
      0.7141030828585779,
      0.9852611304305154,
    ],
    [
      { passed: 30, judged: 100, truePositives: 10, accepted: 10, trueNegatives: 9, rejected: 10 },
      0.95,
      0,
      0.3847647415660059,
    ],
    [
      { passed: 30, judged: 100, truePositives: 17, accepted: 20, trueNegatives: 18, rejected: 20 },
      0.9,
      0.055937342929248485,
      0.4140642197980302,
    ],
  ])('of %j at %d has the bounds of Lang and Reiczigel', (...[counts, level, low, high]) => {
    const seen = correctedRate(counts, { interval: 'lang_reiczigel', level })?.corrected
    expectClose([seen?.low, seen?.high], [low, high], 1e-12)
  })

  it('lies in its interval about as often as that says', () => {
    const random = createRandom(99)
    const draw = (n: number, p: number) => Array.from({ length: n }, random.uniform).filter((value) => value < p).length
    const covered = { delta: 0, lang_reiczigel: 0 }
    const [truth, sensitivity, specificity] = [0.7, 0.9, 0.8]
    for (let run = 0; run < 1_000; run++) {
      const passed = draw(300, truth * sensitivity + (1 - truth) * (1 - specificity))
      const calibration = {
        truePositives: draw(70, sensitivity),
        accepted: 70,
        trueNegatives: draw(30, specificity),
        rejected: 30,
      }
      for (const interval of ['delta', 'lang_reiczigel'] as const) {
        const seen = correctedRate({ passed, judged: 300, ...calibration }, { interval })?.corrected
        if (seen && seen.low <= truth && truth <= seen.high) covered[interval]++
      }
    }
    expect(covered.delta).toBeGreaterThan(915)
    expect(covered.lang_reiczigel).toBeGreaterThan(930)
  })

  it('refuses counts that are none', () => {
    const counts = { passed: 4, judged: 3, truePositives: 1, accepted: 1, trueNegatives: 1, rejected: 1 }
    expect(() => correctedRate(counts)).toThrow(RangeError)
    expect(() => correctedRate({ ...counts, passed: 1.5 })).toThrow('passed is 1.5')
  })
})

describe('many tests', () => {
  const ps = fc.array(fc.double({ noNaN: true, min: 0, max: 1 }), { minLength: 1, maxLength: 20 })

  it('are adjusted upwards, Benjamini-Hochberg least and Bonferroni most, without changing their order', () => {
    fc.assert(
      fc.property(ps, (values) => {
        const seen = [values, benjaminiHochberg(values), holm(values), bonferroni(values)]
        for (const [at] of values.entries()) {
          const column = seen.map((list) => list[at] ?? Number.NaN)
          expect(column[1]).toBeGreaterThanOrEqual((column[0] ?? 0) - 1e-15)
          expect(column[2]).toBeGreaterThanOrEqual((column[1] ?? 0) - 1e-12)
          expect(column[3]).toBeGreaterThanOrEqual((column[2] ?? 0) - 1e-15)
        }
        for (const adjusted of seen.slice(1))
          for (const [i, x] of values.entries())
            for (const [j, y] of values.entries()) if (x < y) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0)
      }),
    )
  })

  it('are counted without those that could not be made', () => {
    expect(holm([0.01, null, 0.04])).toEqual([0.02, null, 0.04])
    expect(benjaminiHochberg([null, 0.5])).toEqual([null, 0.5])
    expect([bonferroni([]), holm([]), benjaminiHochberg([null])]).toEqual([[], [], [null]])
    for (const adjust of [bonferroni, holm, benjaminiHochberg]) {
      expect(() => adjust([0.5, Number.NaN])).toThrow('ps[1] is NaN')
      expect(() => adjust([1.5])).toThrow(RangeError)
    }
  })
})

describe('planning', () => {
  it('needs exactly the cases whose minimal detectable effect is asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.constantFrom('paired' as const, 'independent' as const),
        (n, sd, design) => {
          const effect = minimalDetectableEffect({ n, sd, design }) ?? Number.NaN
          expect(requiredCases({ effect, sd, design })).toBe(n)
        },
      ),
    )
  })

  it('knows nothing without spread, and refuses what is no plan', () => {
    expect(minimalDetectableEffect({ n: 10, sd: 0 })).toBeNull()
    expect(requiredCases({ effect: 0.1, sd: 0 })).toBeNull()
    expect(() => requiredCases({ effect: 0, sd: 1 })).toThrow('effect is 0')
    expect(() => requiredCases({ effect: 1e-200, sd: 1e200 })).toThrow('effect is 1e-200')
    expect(() => minimalDetectableEffect({ n: 0, sd: 1 })).toThrow('n is 0')
    expect(() => minimalDetectableEffect({ n: 5, sd: 1, power: 1 })).toThrow('power is 1')
    expect(() => minimalDetectableEffect({ n: 5, sd: Number.NaN })).toThrow('sd is NaN')
  })

  it('refuses a power that there is without any difference', () => {
    // statsmodels 0.15: NormalIndPower().power(0, 10, 0.05, ratio=0) is 0.05, two-sided, and no effect has less.
    for (const power of [0.001, 0.01, 0.05]) {
      expect(() => minimalDetectableEffect({ n: 10, sd: 1, power })).toThrow(`power is ${power}`)
      expect(() => requiredCases({ effect: 0.1, sd: 1, power })).toThrow(`power is ${power}`)
    }
    expect(minimalDetectableEffect({ n: 10, sd: 1, power: 0.06 })).toBeGreaterThan(0)
  })
})
