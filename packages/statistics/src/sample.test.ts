import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import {
  correlation,
  mean,
  percentile,
  percentileInterval,
  percentiles,
  standardDeviation,
  variance,
  weightedMean,
} from './sample.ts'

const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
const some = fc.array(finite, { minLength: 1, maxLength: 60 })

describe('what a sample is described by', () => {
  it('is unknown where there is too little of it', () => {
    expect([mean([]), variance([]), variance([4]), standardDeviation([4]), percentile([], 0.5)]).toEqual(
      Array.from({ length: 5 }, () => null),
    )
    expect([weightedMean([], []), weightedMean([1, 2], [0, 0]), correlation([1], [2])]).toEqual([null, null, null])
    expect(correlation([1, 1, 1], [1, 2, 3])).toBeNull()
    expect([mean([4]), percentile([4], 0.99)]).toEqual([4, 4])
  })

  it('refuses what is no number, and says where it is', () => {
    expect(() => mean([1, Number.NaN])).toThrow(
      new RangeError('values[1] is NaN; what is not known is left out, or null'),
    )
    expect(() => variance([Number.POSITIVE_INFINITY])).toThrow(RangeError)
    expect(() => percentile([1, 2], 1.1)).toThrow(RangeError)
    expect(() => weightedMean([1, 2], [1, -1])).toThrow('weights[1] is -1')
    expect(() => weightedMean([1, 2], [1])).toThrow('2 and 1 entries')
    expect(() => correlation([1, 2], [1])).toThrow(RangeError)
  })

  it('has exactly the mean and no variance where all values are equal', () => {
    fc.assert(
      fc.property(finite, fc.integer({ min: 2, max: 200 }), (value, n) => {
        const values = Array.from({ length: n }, () => value)
        expect(mean(values)).toBe(value + 0)
        expect(variance(values)).toBe(0)
        expect(percentile(values, 0.37)).toBe(value + 0)
      }),
    )
  })

  it('loses nothing to rounding when large values cancel', () => {
    expect(mean([1e16, 1, -1e16, 1])).toBe(0.5)
    expectClose(variance([1e9, 1e9 + 1, 1e9 + 2]), 1, 1e-15)
  })

  it('has percentiles that grow, from the smallest value to the largest', () => {
    fc.assert(
      fc.property(some, (values) => {
        const seen = percentiles(values, [0, 0.1, 0.5, 0.5, 0.95, 1]).map((value) => value ?? Number.NaN)
        expect(seen[0]).toBe(Math.min(...values) + 0)
        expect(seen.at(-1)).toBe(Math.max(...values) + 0)
        expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
      }),
    )
  })

  it('takes values up to 1e150, whose squares are still numbers, and none beyond', () => {
    expect(Number.isFinite(variance([1e150, -1e150]))).toBe(true)
    expect(() => mean([1, 1.01e150])).toThrow('values[1] is 1.01e+150; its size is 1e+150 at most')
    expect(() => variance([-1.01e150])).toThrow(RangeError)
  })

  it('never says -0', () => {
    expect([mean([-0, -0]), percentile([-0], 0.5), percentiles([-0, 0], [0])[0]]).toEqual([0, 0, 0])
  })

  it('has a weighted mean that whole weights could as well have repeated', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(finite, fc.integer({ min: 1, max: 5 })), { minLength: 1 }), (pairs) => {
        const repeated = pairs.flatMap(([value, weight]) => Array.from({ length: weight }, () => value))
        const [values, weights] = [pairs.map(([value]) => value), pairs.map(([, weight]) => weight)]
        expect(Math.abs((weightedMean(values, weights) ?? 0) - (mean(repeated) ?? 1))).toBeLessThan(1e-8)
      }),
    )
  })

  it('has intervals of a percentile between its own values, or none when there are too few', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1)
    // Ranks 40 and 61 of 100: the classical interval of a median.
    expect(percentileInterval(values, 0.5)).toMatchObject({ estimate: 50.5, low: 40, high: 61, n: 100 })
    expect(percentileInterval(values, 0.99)).toBeNull()
    expect(percentileInterval([], 0.5)).toBeNull()
    expect(percentileInterval([1, 2, 3], 0)).toBeNull()
  })

  it('is correlated fully with what is a line of it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3 }), (values) => {
        fc.pre(new Set(values).size > 1)
        expectClose(
          correlation(
            values,
            values.map((value) => 3 * value - 7),
          ),
          1,
          1e-12,
        )
        expectClose(
          correlation(
            values,
            values.map((value) => 1 - 2 * value),
          ),
          -1,
          1e-12,
        )
      }),
    )
  })
})
