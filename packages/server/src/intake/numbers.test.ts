import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isExactNumber, normalNumber, parseExactly, toNano } from './numbers.ts'

const digits = fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: 1, maxLength: 25 })
const decimal = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: digits.map((text) => text.replace(/^0+(?=.)/, '')),
    fraction: fc.option(digits),
    exponent: fc.option(fc.integer({ min: -400, max: 400 })),
  })
  .map(
    ({ sign, whole, fraction, exponent }) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  )

describe('normalNumber', () => {
  it.each([
    ['1.0', '1'],
    ['1E2', '1e2'],
    ['100', '1e2'],
    ['-0', '0'],
    ['0.000e9', '0'],
    ['-12.50', '-125e-1'],
    ['1e400', '1e400'],
    ['0.1e401', '1e400'],
  ])('writes %s as %s', (source, normal) => {
    expect(normalNumber(source)).toBe(normal)
  })

  it('does not change the value, and writes equal values alike', () => {
    fc.assert(
      fc.property(decimal, (source) => {
        const normal = normalNumber(source)
        expect(Number(normal)).toBeCloseTo(Number(source), 10)
        expect(normalNumber(normal)).toBe(normal)
        if (!/e/.test(source)) expect(normalNumber(`${source}e0`)).toBe(normal)
      }),
    )
  })

  it('stays cheap for numbers of a million digits and for absurd exponents', () => {
    expect(normalNumber('9'.repeat(1_000_000))).toHaveLength(1_000_000)
    expect(isExactNumber(`1e${'9'.repeat(1_000_000)}`)).toBe(false)
    expect(isExactNumber(`${'1'.repeat(400)}.${'0'.repeat(1_000_000)}1`)).toBe(false)
  })
})

describe('isExactNumber', () => {
  it('accepts every double as JavaScript writes it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(isExactNumber(String(value))).toBe(true)
        expect(isExactNumber(value.toExponential())).toBe(true)
      }),
    )
  })
})

describe('parseExactly', () => {
  it('writes back every number that a double cannot hold as it was written, and the value of all others', () => {
    const text = '[12345678901234567890,1e400,-0.10000000000000000000100]'
    expect(JSON.stringify(parseExactly(text))).toBe(text)
    fc.assert(
      fc.property(fc.array(decimal), (sources) => {
        const written = JSON.stringify(parseExactly(`[${sources.join(',')}]`))
        const back = written.slice(1, -1).split(',').filter(Boolean)
        expect(back.map(normalNumber)).toEqual(sources.map(normalNumber))
      }),
    )
  })

  it('keeps __proto__ an ordinary key', () => {
    const parsed = parseExactly('{"__proto__":{"a":1e400}}') as object
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
    expect(JSON.stringify(parsed)).toBe('{"__proto__":{"a":1e400}}')
  })
})

describe('toNano', () => {
  it.each([
    [0.0012, 1_200_000],
    [0, 0],
    [-0, 0],
    [1_000_000, 1e15],
    [0.0000000005, 1],
    [0.00000000049999, 0],
    [0.0000000015, 2],
    [0.1234567895, 123_456_790],
    [999_999.9999999995, 1e15],
    [5e-324, 0],
  ])('makes $%d into %d nano-dollars', (dollars, nano) => {
    expect(Object.is(toNano(dollars), nano)).toBe(true)
  })

  it('leaves unknown unknown', () => {
    expect(toNano(null)).toBeNull()
    expect(toNano(undefined)).toBeNull()
  })

  it('rounds the decimal number half away from zero', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 99_999_999_999 }), (whole, ten) => {
        const text = `${whole}.${String(ten).padStart(11, '0')}`
        // Only where the double stands for this decimal number.
        fc.pre(normalNumber(String(Number(text))) === normalNumber(text))
        const exact = (BigInt(text.replace('.', '')) + 50n) / 100n
        expect(toNano(Number(text))).toBe(Number(exact))
      }),
      { numRuns: 1_000 },
    )
  })
})
