import { describe, expect, test } from 'vitest'
import { figure, percent } from './amounts.ts'

describe('numbers of scores', () => {
  test.each([
    [null, '-'],
    [0, '0'],
    [1, '1'],
    [0.123456, '0.1235'],
    [-12345.6, '-12350'],
    [0.00001234567, '0.00001235'],
  ])('%j is shown as %s', (value, text) => {
    expect(figure(value)).toBe(text)
  })

  test.each([
    [null, '-'],
    [0, '0 %'],
    [0.5, '50 %'],
    [0.1234, '12.3 %'],
    [0.99999, '99.9 %'],
    [0.00001, '0.1 %'],
    [1, '100 %'],
  ])('a share of %j is %s: only all is 100 %%, and only none is 0', (share, text) => {
    expect(percent(share)).toBe(text)
  })
})
