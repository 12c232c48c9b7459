import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { blocksOf, bootstrap, bootstrapMean } from './bootstrap.ts'
import { clusteredMean } from './mean.ts'
import { createRandom } from './random.ts'
import { mean, percentile } from './sample.ts'

const finite = fc.double({ noNaN: true, min: -1e3, max: 1e3 })
const average = (sample: Float64Array) => mean(sample) ?? Number.NaN

describe('random numbers', () => {
  it('are those of sfc32, for the seed 1', () => {
    // Written a second time with whole numbers of any size.
    let [a, b, c, counter] = [1n, 0n, 0x9e3779b9n, 1n]
    const next = () => {
      const out = (a + b + counter) & 0xffffffffn
      counter = (counter + 1n) & 0xffffffffn
      a = b ^ (b >> 9n)
      b = (c + (c << 3n)) & 0xffffffffn
      c = ((((c << 21n) | (c >> 11n)) & 0xffffffffn) + out) & 0xffffffffn
      return Number(out)
    }
    for (let round = 0; round < 15; round++) next()
    const random = createRandom(1)
    for (let draw = 0; draw < 1_000; draw++) expect(random.uint32()).toBe(next())
  })

  it('are the same for the same seed, and others for another, also one past 32 bits', () => {
    const drawn = (seed: number) => Array.from({ length: 8 }, createRandom(seed).uint32)
    expect(drawn(7)).toEqual(drawn(7))
    expect(new Set([0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) => drawn(seed).join())).size).toBe(
      5,
    )
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => createRandom(seed)).toThrow('seed')
  })

  it('fall evenly, below whatever number', () => {
    for (const n of [1, 2, 3, 7, 1_000, 2 ** 21, 2 ** 21 + 1, 3 * 2 ** 30, 2 ** 32]) {
      const random = createRandom(11)
      let sum = 0
      for (let draw = 0; draw < 20_000; draw++) {
        const drawn = random.below(n)
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn < n).toBe(true)
        sum += drawn
      }
      // Four standard errors.
      expect(Math.abs(sum / 20_000 - (n - 1) / 2)).toBeLessThanOrEqual((4 * n) / Math.sqrt(12 * 20_000))
    }
    const random = createRandom(2)
    const uniform = Array.from({ length: 20_000 }, random.uniform)
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...uniform)).toBeLessThan(1)
    expect(Math.abs((mean(uniform) ?? 0) - 0.5)).toBeLessThan(0.01)
  })
})

describe('the bootstrap', () => {
  it('gives the same interval for the same seed, and another one for another', () => {
    const values = Array.from({ length: 30 }, (_, at) => Math.sin(at * at))
    expect(bootstrapMean(values, { seed: 4 })).toEqual(bootstrapMean(values, { seed: 4 }))
    expect(bootstrapMean(values, { seed: 4 })).not.toEqual(bootstrapMean(values, { seed: 5 }))
  })

  it('stays between the smallest and the largest value', () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 2, maxLength: 30 }),
        fc.constantFrom('bca' as const, 'percentile' as const),
        (values, method) => {
          const seen = bootstrapMean(values, { method, resamples: 200 })
          expect(seen?.low).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9)
          expect(seen?.high).toBeLessThanOrEqual(Math.max(...values) + 1e-9)
          expect(seen?.low).toBeLessThanOrEqual(seen?.high ?? Number.NaN)
        },
      ),
    )
  })

  it('gives the mean as any statistic the interval of the mean', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 2, maxLength: 20 }), fc.nat(1_000), (values, seed) => {
        const [one, other] = [
          bootstrapMean(values, { seed, resamples: 300 }),
          bootstrap(values, average, { seed, resamples: 300 }),
        ]
        // Ties counted half may fall to one side by rounding, and move the bounds by a place.
        const method = 'percentile' as const
        const plain = [
          bootstrapMean(values, { seed, resamples: 300, method }),
          bootstrap(values, average, { seed, resamples: 300, method }),
        ]
        expectClose([plain[0]?.low, plain[0]?.high], [plain[1]?.low, plain[1]?.high], 1e-9)
        expectClose(one?.estimate, other?.estimate ?? Number.NaN, 1e-12)
      }),
      { numRuns: 30 },
    )
  })

  it('draws whole clusters, so that repeated values count once', () => {
    const values = Array.from({ length: 25 }, (_, at) => Math.cos(at * 7))
    const repeated = values.flatMap((value) => [value, value, value, value])
    const clusters = values.flatMap((_, at) => [at, at, at, at])
    const width = (seen: { low: number; high: number } | null) => (seen?.high ?? 0) - (seen?.low ?? 0)
    const once = width(bootstrapMean(values))
    expect(width(bootstrapMean(repeated, { clusters })) / once).toBeCloseTo(1, 1)
    expect(width(bootstrapMean(repeated)) / once).toBeCloseTo(0.5, 1)
    expect(width(bootstrap(repeated, average, { clusters, resamples: 2_000 })) / once).toBeCloseTo(1, 1)
    expect(width(clusteredMean(repeated, clusters)?.interval ?? null) / once).toBeCloseTo(1, 0)
  })

  it('measures other things than means, of clusters too', () => {
    const values = Array.from({ length: 101 }, (_, at) => at)
    const seen = bootstrap(values, (sample) => percentile(sample, 0.5) ?? 0, { resamples: 2_000 })
    expect(seen?.estimate).toBe(50)
    expect(seen?.low).toBeGreaterThan(35)
    expect(seen?.high).toBeLessThan(65)
  })

  it('is a point where no resample differs', () => {
    expect(bootstrapMean([3, 3, 3])).toMatchObject({ estimate: 3, low: 3, high: 3 })
    expect(bootstrap([3, 3, 3], average, { resamples: 10 })).toMatchObject({ estimate: 3, low: 3, high: 3 })
  })

  it('is unknown of fewer than two values or clusters', () => {
    expect([bootstrapMean([]), bootstrapMean([1]), bootstrap([1], average)]).toEqual([null, null, null])
    expect(bootstrapMean([1, 2], { clusters: ['a', 'a'] })).toBeNull()
  })

  it('refuses NaN, a statistic that gives it, and more resamples than there may be', () => {
    expect(() => bootstrapMean([1, Number.NaN])).toThrow(RangeError)
    expect(() => bootstrap([1, 2], () => Number.NaN)).toThrow('the statistic of a resample is NaN')
    expect(() => bootstrapMean([1, 2], { resamples: 1_000_001 })).toThrow('1000000 is the most')
    expect(bootstrapMean([1, 2], { resamples: 1_000_000 })).toMatchObject({ low: 1, high: 2 })
    expect(() => bootstrapMean([1, 2], { clusters: ['a'] })).toThrow(RangeError)
  })

  it('leaves out blocks where leaving out one at a time would take too long', () => {
    expect(blocksOf(3)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    const blocks = blocksOf(1_001)
    expect(blocks).toHaveLength(1_000)
    expect(blocks.reduce((sum, [from, to]) => sum + to - from, 0)).toBe(1_001)
    expect(blocksOf(1_000).every(([from, to]) => to === from + 1)).toBe(true)
  })
})
