import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { expectClose } from '../test/close.ts'
import { binomialPmf } from './distributions.ts'
import { clusteredMean, clusteredStandardError, meanEstimate } from './mean.ts'
import { newcombePaired, pairedShares } from './paired.ts'
import { proportion } from './proportion.ts'
import { newcombe, welch } from './unpaired.ts'

const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
const methods = ['wilson', 'clopper_pearson', 'jeffreys', 'agresti_coull'] as const
const counts = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([trials, share]) => ({ trials, successes: Math.round(trials * share) }))

describe('a mean', () => {
  it('of nothing is unknown, of one value it has no interval', () => {
    expect(meanEstimate([])).toBeNull()
    expect(meanEstimate([3])).toEqual({ n: 1, mean: 3, sd: null, se: null, df: null, interval: null })
    expect(meanEstimate([2, 2])).toMatchObject({ mean: 2, se: 0, interval: { estimate: 2, low: 2, high: 2 } })
  })

  it('refuses NaN, and levels that are none', () => {
    expect(() => meanEstimate([1, Number.NaN])).toThrow(RangeError)
    for (const level of [0, 1, 95, Number.NaN]) expect(() => meanEstimate([1, 2], { level })).toThrow('level is')
  })

  it('lies in the middle of its interval, which is wider the surer it is to be', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 2, maxLength: 50 }), (values) => {
        const sure = meanEstimate(values, { level: 0.99 })
        const less = meanEstimate(values, { level: 0.8 })
        expectClose(((sure?.interval?.low ?? 0) + (sure?.interval?.high ?? 0)) / 2, sure?.mean ?? 0, 1e-9)
        expect(sure?.interval?.low).toBeLessThanOrEqual(less?.interval?.low ?? 0)
        expect(sure?.interval?.high).toBeGreaterThanOrEqual(less?.interval?.high ?? 0)
      }),
    )
  })
})

describe('a mean of clusters', () => {
  it('has the ordinary error when every value is a cluster of its own', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 2, maxLength: 50 }), (values) => {
        const ordinary = meanEstimate(values)
        const clustered = clusteredMean(values, [...values.keys()], { correction: 'small_sample' })
        expectClose(clustered?.se, ordinary?.se ?? 0, 1e-9)
        expect([clustered?.df, clustered?.clusters]).toEqual([ordinary?.df, values.length])
      }),
    )
  })

  it('learns nothing from the same values again', () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 2, maxLength: 30 }),
        fc.integer({ min: 2, max: 5 }),
        (values, times) => {
          const repeated = values.flatMap((value) => Array.from({ length: times }, () => value))
          const clusters = values.flatMap((_, at) => Array.from({ length: times }, () => `case ${at}`))
          const once = clusteredStandardError(values, [...values.keys()])
          expectClose(clusteredStandardError(repeated, clusters), once ?? -1, 1e-9)
        },
      ),
    )
  })

  it('has no error that could be known from one cluster', () => {
    expect(clusteredMean([1, 2, 4], ['a', 'a', 'a'])).toMatchObject({ clusters: 1, se: null, df: null, interval: null })
    expect(clusteredMean([], [])).toBeNull()
    expect(clusteredStandardError([], [])).toBeNull()
    expect(() => clusteredMean([1, 2], ['a'])).toThrow(RangeError)
  })

  it('takes the number 1 and the text "1" for two clusters', () => {
    expect(clusteredMean([1, 2, 3], [1, '1', 1])?.clusters).toBe(2)
  })
})

describe('a proportion', () => {
  it('has bounds within 0 and 1 about itself, and turned over they are those of the failures', () => {
    fc.assert(
      fc.property(counts, fc.constantFrom(...methods), ({ successes, trials }, method) => {
        const seen = proportion(successes, trials, { method })
        const turned = proportion(trials - successes, trials, { method })
        expect(seen?.low).toBeGreaterThanOrEqual(0)
        expect(seen?.high).toBeLessThanOrEqual(1)
        if (method !== 'jeffreys') {
          expect(seen?.low).toBeLessThanOrEqual(seen?.estimate ?? -1)
          expect(seen?.high).toBeGreaterThanOrEqual(seen?.estimate ?? 2)
        }
        expectClose([turned?.low, turned?.high], [1 - (seen?.high ?? 0), 1 - (seen?.low ?? 0)])
      }),
    )
  })

  it.each(methods)('has bounds by %s that grow with every success', (method) => {
    const seen = Array.from({ length: 31 }, (_, k) => proportion(k, 30, { method }))
    const lows = seen.map((interval) => interval?.low ?? -1)
    expect(lows).toEqual(lows.toSorted((a, b) => a - b))
  })

  it('is inside of its Clopper-Pearson interval at least as often as that says', () => {
    const intervals = Array.from({ length: 21 }, (_, k) => proportion(k, 20, { method: 'clopper_pearson' }))
    for (let truth = 0.02; truth < 1; truth += 0.02) {
      const covered = intervals.reduce((sum, interval, k) => {
        const inside = interval !== null && interval.low <= truth && truth <= interval.high
        return inside ? sum + binomialPmf(k, { n: 20, p: truth }) : sum
      }, 0)
      expect(covered).toBeGreaterThan(0.95)
    }
  })

  it('is unknown without trials, and refuses counts that are none', () => {
    expect(proportion(0, 0)).toBeNull()
    for (const [k, n] of [
      [2, 1],
      [-1, 3],
      [0.5, 3],
      [1, Number.NaN],
    ] as const)
      expect(() => proportion(k, n)).toThrow(RangeError)
  })
})

describe('a difference of shares', () => {
  it('turns its sign with its sides, and stays within -1 and 1', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const seen = newcombe(a, b)
        const turned = newcombe(b, a)
        expectClose([seen?.low, seen?.high], [-(turned?.high ?? 0), -(turned?.low ?? 0)], 1e-12)
        expect(seen?.low).toBeGreaterThanOrEqual(-1)
        expect(seen?.low).toBeLessThanOrEqual(seen?.estimate ?? -2)
        expect(seen?.high).toBeGreaterThanOrEqual(seen?.estimate ?? 2)
      }),
    )
  })

  it('of pairs turns its sign with its sides too, and is narrower the more they go together', () => {
    const cell = fc.integer({ min: 0, max: 80 })
    fc.assert(
      fc.property(fc.tuple(cell, cell, cell, cell), ([both, onlyA, onlyB, neither]) => {
        const seen = newcombePaired({ both, onlyA, onlyB, neither })
        const turned = newcombePaired({ both, onlyA: onlyB, onlyB: onlyA, neither })
        fc.pre(seen !== null && turned !== null)
        expectClose([seen?.low, seen?.high], [-(turned?.high ?? 0), -(turned?.low ?? 0)], 1e-12)
      }),
    )
    const together = pairedShares({ both: 45, onlyA: 10, onlyB: 0, neither: 45 })
    const apart = newcombe({ successes: 55, trials: 100 }, { successes: 45, trials: 100 })
    expect(together?.difference.low).toBeGreaterThan(0)
    expect(apart?.low).toBeLessThan(0)
    expect(together).toMatchObject({ n: 100, shareA: 0.55, shareB: 0.45, test: { n: 10 } })
  })

  it('is unknown without trials, and refuses what cannot be counted', () => {
    expect(newcombe({ successes: 0, trials: 0 }, { successes: 1, trials: 2 })).toBeNull()
    expect(newcombePaired({ both: 0, onlyA: 0, onlyB: 0, neither: 0 })).toBeNull()
    expect(pairedShares({ both: 0, onlyA: 0, onlyB: 0, neither: 0 })).toBeNull()
    expect(() => newcombe({ successes: 3, trials: 2 }, { successes: 1, trials: 2 })).toThrow('a: 3 successes')
    expect(() => newcombePaired({ both: 1.5, onlyA: 0, onlyB: 0, neither: 0 })).toThrow('both is 1.5')
  })
})

test('Welch says what he cannot know', () => {
  expect(welch([], [1, 2])).toBeNull()
  expect(welch([1], [1, 2])).toMatchObject({ difference: -0.5, se: null, p: null, interval: null })
  expect(welch([2, 2], [1, 1])).toMatchObject({ difference: 1, se: 0, t: null, p: null, interval: null })
  expect(() => welch([1, Number.NaN], [1, 2])).toThrow('a[1] is NaN')
  // More standard errors than there are numbers for.
  expect(welch([1e150, 1e150], [0, 1e-160])).toMatchObject({ t: Number.MAX_VALUE, p: 0 })
})
