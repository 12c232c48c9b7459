import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createConfidenceSequence } from './confidence-sequence.ts'
import { tQuantile } from './distributions.ts'
import { createRandom, type Random } from './random.ts'

/** How many of the simulated runs ever leave the mean outside, looking after every value. */
function misses(draw: (random: Random) => number, truth: number, runs: { count: number; length: number }): number {
  let missed = 0
  for (let seed = 0; seed < runs.count; seed++) {
    const random = createRandom(seed)
    const sequence = createConfidenceSequence()
    for (let at = 0; at < runs.length; at++) {
      const { low, high } = sequence.add(draw(random))
      if (truth < low || truth > high) {
        missed++
        break
      }
    }
  }
  return missed
}

describe('a confidence sequence', () => {
  it.each([
    ['passes that are even', 0.5, (random: Random) => (random.uniform() < 0.5 ? 1 : 0)],
    ['passes that are rare', 0.03, (random: Random) => (random.uniform() < 0.03 ? 1 : 0)],
    ['passes that are the rule', 0.9, (random: Random) => (random.uniform() < 0.9 ? 1 : 0)],
    ['scores of any size', 0.5, (random: Random) => random.uniform()],
    ['scores close together', 0.7, (random: Random) => 0.65 + 0.1 * random.uniform()],
    ['small scores with seldom a large one', 0.1, (random: Random) => (random.uniform() < 0.05 ? 1 : 1 / 19)],
  ])('holds the mean of %s at every look, in 95 of 100 runs', (_what, given, draw) => {
    const truth = given === 0.1 ? 0.05 + 0.05 : given
    // 50 of 1,000 runs may miss; three standard errors more would be 71.
    expect(misses(draw, truth, { count: 1_000, length: 400 })).toBeLessThanOrEqual(50)
  })

  it('does what a t interval does not, that is looked at again and again', () => {
    let missed = 0
    for (let seed = 0; seed < 300; seed++) {
      const random = createRandom(seed)
      let [n, sum, squares, outside] = [0, 0, 0, false]
      while (n < 400 && !outside) {
        const value = random.uniform()
        n++
        sum += value
        squares += value * value
        const se = n < 10 ? Number.POSITIVE_INFINITY : Math.sqrt((squares - (sum * sum) / n) / (n - 1) / n)
        outside =
          Math.abs(sum / n - 0.5) > 2 * se && Math.abs(sum / n - 0.5) > tQuantile(0.975, Math.max(1, n - 1)) * se
      }
      if (outside) missed++
    }
    expect(missed).toBeGreaterThan(60)
  })

  it('only ever closes, and has its estimate inside', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 }), (values) => {
        const sequence = createConfidenceSequence({ level: 0.9 })
        let [low, high] = [0, 1]
        for (const [at, value] of values.entries()) {
          const seen = sequence.add(value)
          expect(seen.low).toBeGreaterThanOrEqual(low)
          expect(seen.high).toBeLessThanOrEqual(high)
          expect(seen.low).toBeLessThan(seen.high)
          expect(seen.estimate).toBeGreaterThanOrEqual(seen.low)
          expect(seen.estimate).toBeLessThanOrEqual(seen.high)
          expect(seen).toMatchObject({ n: at + 1, level: 0.9 })
          expect(sequence.current()).toEqual(seen)
          ;[low, high] = [seen.low, seen.high]
        }
      }),
    )
  })

  it('turns over with its values', () => {
    const random = createRandom(3)
    const [one, other] = [createConfidenceSequence(), createConfidenceSequence()]
    for (let at = 0; at < 300; at++) {
      const value = random.uniform() ** 2
      const [seen, turned] = [one.add(value), other.add(1 - value)]
      expect(Math.abs(seen.low - (1 - turned.high))).toBeLessThan(1.1e-3)
      expect(Math.abs(seen.high - (1 - turned.low))).toBeLessThan(1.1e-3)
    }
  })

  it('closes in on the mean as values come', () => {
    const random = createRandom(12)
    const sequence = createConfidenceSequence()
    const widths: number[] = []
    for (let at = 1; at <= 10_000; at++) {
      const { low, high } = sequence.add(random.uniform() < 0.8 ? 1 : 0)
      if ([100, 1_000, 10_000].includes(at)) widths.push(high - low)
    }
    expect(widths[0]).toBeLessThan(0.3)
    expect(widths[1]).toBeLessThan(0.11)
    expect(widths[2]).toBeLessThan(0.04)
  })

  it('encloses what the capital says, a thousandth wider at most', () => {
    const random = createRandom(21)
    const values = Array.from({ length: 250 }, () => Math.max(random.uniform(), random.uniform()))
    const sequence = createConfidenceSequence()
    for (const value of values) sequence.add(value)
    const seen = sequence.current()
    const survives = (m: number) => peakCapital(values, m) < 20
    for (let m = 0.0005; m < 1; m += 0.001)
      if (survives(m)) expect(seen !== null && seen.low <= m && m <= seen.high).toBe(true)
    expect(survives((seen?.low ?? 0) + 0.002)).toBe(true)
    expect(survives((seen?.high ?? 1) - 0.002)).toBe(true)
  })

  it('is unknown before the first value, and takes none outside of 0 and 1', () => {
    const sequence = createConfidenceSequence()
    expect(sequence.current()).toBeNull()
    for (const value of [-0.1, 1.1, Number.NaN])
      expect(() => sequence.add(value)).toThrow('it must lie between 0 and 1')
    expect(sequence.current()).toBeNull()
    expect(sequence.add(1)).toMatchObject({ estimate: 1, n: 1, low: 0, high: 1 })
    expect(() => createConfidenceSequence({ level: 1 })).toThrow('level is 1')
  })
})

/** The most that the hedged bettor against m ever owned, written out as in the paper with logarithms. */
function peakCapital(values: number[], m: number): number {
  const mus: number[] = []
  let [up, down, peak] = [0, 0, 0]
  for (const [at, value] of values.entries()) {
    const spread = (0.25 + mus.reduce((sum, mu, i) => sum + ((values[i] ?? 0) - mu) ** 2, 0)) / (at + 1)
    const stake = Math.sqrt((2 * Math.log(2 / 0.05)) / (spread * (at + 1) * Math.log(at + 2)))
    up += Math.log(1 + Math.min(stake, 0.5 / m) * (value - m))
    down += Math.log(1 - Math.min(stake, 0.5 / (1 - m)) * (value - m))
    peak = Math.max(peak, 0.5 * Math.exp(Math.max(up, down)))
    mus.push((0.5 + values.slice(0, at + 1).reduce((sum, x) => sum + x, 0)) / (at + 2))
  }
  return peak
}
