import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { clusteredMean, meanEstimate } from './mean.ts'
import { joinMoments, type Moments, momentsEstimate, noMoments, unitsProportion, withValue } from './moments.ts'
import { proportion } from './proportion.ts'

const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
const some = fc.array(finite, { minLength: 1, maxLength: 60 })
const momentsOf = (values: readonly number[]) => values.reduce<Moments>(withValue, noMoments)

describe('moments', () => {
  it('give the estimate that the values give', () => {
    fc.assert(
      fc.property(some, (values) => {
        const [seen, expected] = [momentsEstimate(momentsOf(values)), meanEstimate(values)]
        expect(seen?.n).toBe(expected?.n)
        const scale = Math.max(...values.map(Math.abs), 1)
        const numbers = (estimate: typeof seen) =>
          [estimate?.mean, estimate?.sd, estimate?.interval?.low, estimate?.interval?.high].map((value) =>
            value === undefined || value === null ? null : value / scale,
          )
        expectClose(numbers(seen), numbers(expected), 1e-7)
      }),
    )
  })

  it('of parts joined are those of the whole, wherever it is cut', () => {
    fc.assert(
      fc.property(some, some, (first, second) => {
        const [n, mean, squares] = joinMoments(momentsOf(first), momentsOf(second))
        const whole = momentsOf([...first, ...second])
        const scale = Math.max(...first.map(Math.abs), ...second.map(Math.abs), 1)
        expect(n).toBe(whole[0])
        expectClose([mean / scale, squares / scale ** 2], [whole[1] / scale, whole[2] / scale ** 2], 1e-9)
      }),
    )
    expect(joinMoments(noMoments, [2, 1, 3])).toEqual([2, 1, 3])
    expect(joinMoments([2, 1, 3], noMoments)).toEqual([2, 1, 3])
  })

  it('keep their digits far from 0, where the sum of squares has lost them', () => {
    const values = [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]
    expectClose(momentsEstimate(momentsOf(values))?.sd, Math.sqrt(30))
  })

  it('say nothing that they cannot know', () => {
    expect(momentsEstimate(noMoments)).toBeNull()
    expect(momentsEstimate(momentsOf([3]))).toMatchObject({ mean: 3, sd: null, interval: null })
    expect(momentsEstimate(momentsOf([3, 4, 5]), { perUnit: 2 })).toMatchObject({ n: 3, mean: 4, interval: null })
    expect(unitsProportion(0, 0)).toBeNull()
    expect(() => withValue(noMoments, Number.NaN)).toThrow(RangeError)
    expect(() => momentsEstimate(noMoments, { perUnit: 0.5 })).toThrow('perUnit is 0.5')
    expect(() => unitsProportion(2, 1)).toThrow('2 successes of 1 trials')
  })
})

describe('values that stand together', () => {
  it('have the interval of their clusters where all in one are the same, and else no narrower one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(finite, finite, finite), { minLength: 2, maxLength: 20 }),
        fc.boolean(),
        (groups, same) => {
          const values = groups.flatMap(([x, y, z]) => (same ? [x, x, x] : [x, y, z]))
          const clusters = values.map((_, at) => Math.floor(at / 3))
          const safe = momentsEstimate(momentsOf(values), { perUnit: 3 })?.se ?? Number.NaN
          const exact = clusteredMean(values, clusters, { correction: 'small_sample' })?.se ?? Number.NaN
          const scale = Math.max(...values.map(Math.abs), 1)
          if (same) expectClose(safe / scale, exact / scale, 1e-6)
          else expect(safe / scale).toBeGreaterThanOrEqual(exact / scale - 1e-7)
        },
      ),
    )
  })

  it('make shares less sure', () => {
    expect(unitsProportion(7, 10)).toEqual(proportion(7, 10))
    const [alone, together] = [unitsProportion(30, 60), unitsProportion(30, 60, { perUnit: 3 })]
    expect(together).toMatchObject({ estimate: 0.5, n: 60, low: proportion(10, 20)?.low })
    expect(together?.high).toBeGreaterThan(alone?.high ?? 1)
  })
})
