import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectSameDigits } from '../test/close.ts'
import {
  betaCdf,
  betaQuantile,
  binomialCdf,
  binomialPmf,
  binomialQuantile,
  chiSquaredCdf,
  chiSquaredQuantile,
  chiSquaredUpperTail,
  normalCdf,
  normalQuantile,
  normalUpperTail,
  tCdf,
  tQuantile,
  tTwoSided,
} from './distributions.ts'

const share = fc.double({ noNaN: true, min: 1e-9, max: 0.999 })
const shape = fc.double({ noNaN: true, min: 0.2, max: 5_000 })

describe('quantiles undo distribution functions', () => {
  test('of the normal, t, chi-squared and beta distributions', () => {
    fc.assert(
      fc.property(share, shape, shape, (p, a, b) => {
        expectSameDigits(normalCdf(normalQuantile(p)), p)
        expectSameDigits(tCdf(tQuantile(p, a), a), p)
        expectSameDigits(chiSquaredCdf(chiSquaredQuantile(p, a), a), p)
        const x = betaQuantile(p, { a, b })
        // Next to 1 a double cannot say where it is as closely as the probability asks.
        if (x < 0.999) expectSameDigits(betaCdf(x, { a, b }), p, 1e-9)
      }),
      { numRuns: 300 },
    )
  })

  test('of the binomial distribution, to the smallest number that reaches it', () => {
    fc.assert(
      fc.property(share, fc.integer({ min: 0, max: 400 }), share, (q, n, p) => {
        const k = binomialQuantile(q, { n, p })
        expect(binomialCdf(k, { n, p })).toBeGreaterThanOrEqual(q * (1 - 1e-12))
        if (k > 0) expect(binomialCdf(k - 1, { n, p })).toBeLessThan(q)
      }),
    )
  })
})

test('tails add up to 1, and t is symmetric', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -40, max: 40 }), shape, (x, df) => {
      expectSameDigits(normalCdf(x) + normalUpperTail(x), 1)
      expectSameDigits(normalCdf(x), normalUpperTail(-x))
      expectSameDigits(tCdf(x, df) + tCdf(-x, df), 1)
      expectSameDigits(chiSquaredCdf(Math.abs(x), df) + chiSquaredUpperTail(Math.abs(x), df), 1)
    }),
  )
})

test('a binomial distribution is the sum of its parts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), share, (n, p) => {
      let sum = 0
      for (let k = 0; k <= n; k++) {
        sum += binomialPmf(k, { n, p })
        expect(Math.abs(binomialCdf(k, { n, p }) - sum)).toBeLessThan(1e-12)
      }
      expect(binomialPmf(0.5, { n, p }) + binomialPmf(-1, { n, p }) + binomialPmf(n + 1, { n, p })).toBe(0)
    }),
  )
})

test('with more and more degrees of freedom t becomes the normal distribution', () => {
  expect(tQuantile(0.975, Number.POSITIVE_INFINITY)).toBe(normalQuantile(0.975))
  expect(Math.abs(tQuantile(0.975, 1e12) - normalQuantile(0.975))).toBeLessThan(1e-10)
  expect(tTwoSided(1.5, Number.POSITIVE_INFINITY)).toBe(2 * normalUpperTail(1.5))
})

test('the ends are where they belong', () => {
  const { NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number
  expect([normalQuantile(0), normalQuantile(1), tQuantile(0, 3), tQuantile(1, 3)]).toEqual([low, high, low, high])
  expect([chiSquaredQuantile(0, 3), chiSquaredQuantile(1, 3)]).toEqual([0, high])
  expect([betaQuantile(0, { a: 2, b: 3 }), betaQuantile(1, { a: 2, b: 3 })]).toEqual([0, 1])
  expect([normalCdf(low), normalCdf(high), tCdf(low, 2), tCdf(high, 2)]).toEqual([0, 1, 0, 1])
  expect([tQuantile(0.5, 4), normalQuantile(0.5)]).toEqual([0, 0])
  expect([binomialQuantile(0, { n: 9, p: 0.3 }), binomialQuantile(1, { n: 9, p: 1 })]).toEqual([0, 9])
  expect([betaCdf(-1, { a: 1, b: 1 }), betaCdf(2, { a: 1, b: 1 })]).toEqual([0, 1])
})

test('far tails keep their digits', () => {
  // Γ(1/2, 450) / Γ(1/2), by mpmath 1.3 with 40 digits.
  expectSameDigits(normalUpperTail(30), 4.906713927148187e-198, 1e-12)
  // Cauchy: ½ - atan(t)/π.
  expectSameDigits(tTwoSided(1e9, 1), (2 * Math.atan(1e-9)) / Math.PI, 1e-14)
  expectSameDigits(tQuantile(1e-12, 1), -1 / Math.tan(Math.PI * 1e-12), 1e-12)
  // x² / (a B(a, b)) near 0, where scipy loses itself.
  expectSameDigits(betaQuantile(1e-9, { a: 0.5, b: 3 }), (1e-9 * 0.5 * (16 / 15)) ** 2, 1e-9)
})

test.each([
  () => normalQuantile(1.1),
  () => normalQuantile(Number.NaN),
  () => normalCdf(Number.NaN),
  () => tQuantile(0.5, 0),
  () => tCdf(1, -1),
  () => chiSquaredQuantile(-0.1, 2),
  () => chiSquaredCdf(1, Number.NaN),
  () => betaQuantile(0.5, { a: 0, b: 1 }),
  () => betaCdf(Number.NaN, { a: 1, b: 1 }),
  () => binomialCdf(1, { n: 1.5, p: 0.5 }),
  () => binomialPmf(1, { n: 3, p: 2 }),
])('%s is out of range', (call) => {
  expect(call).toThrow(RangeError)
})
