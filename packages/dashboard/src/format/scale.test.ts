import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { balancedDomain, domainOf, labelsOf, marksOf, placeOn } from './scale.ts'

test('shares are shown from 0 to 1, whatever they are, and so is nothing at all', () => {
  expect(domainOf([0.4, 0.41])).toEqual([0, 1])
  expect(domainOf([])).toEqual([0, 1])
})

test('larger and negative numbers get round ends', () => {
  expect(domainOf([12, 870])).toEqual([0, 1_000])
  expect(domainOf([-0.3, 0.9])).toEqual([-0.5, 1])
})

test('differences have their zero in the middle', () => {
  expect(balancedDomain([-0.03, 0.11])).toEqual([-0.15, 0.15])
  expect(balancedDomain([])).toEqual([-1, 1])
  expect(balancedDomain([0, 0])).toEqual([-1, 1])
})

test('marks are round and lie within the axis', () => {
  expect(marksOf([0, 1])).toEqual([0, 0.5, 1])
  expect(marksOf([0, 1], 6)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  expect(marksOf([-0.15, 0.15])).toEqual([-0.1, 0, 0.1])
})

test('what is beyond an axis lies on its end', () => {
  expect(placeOn([0, 2], 0.5)).toBe(25)
  expect(placeOn([0, 2], 7)).toBe(100)
  expect(placeOn([0, 2], -7)).toBe(0)
})

test('an axis holds all of its numbers and a few marks, however large or small they are', () => {
  const number = fc
    .double({ min: -1e12, max: 1e12, noNaN: true })
    .filter((value) => value === 0 || Math.abs(value) > 1e-9)
  fc.assert(
    fc.property(fc.array(number, { maxLength: 20 }), (values) => {
      for (const domain of [domainOf(values), balancedDomain(values)]) {
        const [low, high] = domain
        expect(low).toBeLessThan(high)
        for (const value of values) {
          const hair = (high - low) * 1e-6
          expect(value).toBeGreaterThanOrEqual(low - hair)
          expect(value).toBeLessThanOrEqual(high + hair)
        }
        const marks = marksOf(domain)
        expect(marks.length).toBeGreaterThan(0)
        expect(marks.length).toBeLessThan(12)
      }
    }),
  )
})

test('labels that are long stand at every other mark, the 0 in the middle among them', () => {
  const labels = (most: number, format: (value: number) => string) =>
    labelsOf([-most, most], format).map(({ label }) => label)
  expect(labels(1, String)).toEqual(['-1', '-0.5', '0', '0.5', '1'])
  expect(labels(0.001, (value) => `$${value.toFixed(4)}`)).toEqual(['$-0.0010', '$0.0000', '$0.0010'])
})
