import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { cohenKappa, fleissKappa, tabulate } from './agreement.ts'
import { type AlphaMetric, krippendorffAlpha } from './krippendorff.ts'

const table = fc
  .integer({ min: 2, max: 5 })
  .chain((size) =>
    fc.array(fc.array(fc.nat(30), { minLength: size, maxLength: size }), { minLength: size, maxLength: size }),
  )

describe("Cohen's kappa", () => {
  it('does not mind which rater comes first', () => {
    fc.assert(
      fc.property(table, fc.constantFrom('none' as const, 'linear' as const, 'quadratic' as const), (rows, weights) => {
        const turned = rows.map((_, column) => rows.map((row) => row[column] ?? 0))
        const [seen, other] = [cohenKappa(rows, { weights }), cohenKappa(turned, { weights })]
        expectClose([seen?.kappa, seen?.se], [other?.kappa, other?.se], 1e-9)
      }),
    )
  })

  it('has an interval about itself, within -1 and 1', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const interval = cohenKappa(rows)?.interval
        fc.pre(interval !== undefined && interval !== null)
        expect(interval.low).toBeLessThanOrEqual(interval.estimate)
        expect(interval.high).toBeGreaterThanOrEqual(interval.estimate)
        expect(Math.max(Math.abs(interval.low), Math.abs(interval.high))).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('does not mind the order of labels unless it is weighted', () => {
    const rows = [
      [9, 2, 1],
      [0, 5, 3],
      [2, 2, 7],
    ]
    const mixed = [2, 0, 1].map((row) => [2, 0, 1].map((column) => rows[row]?.[column] ?? 0))
    expectClose(cohenKappa(mixed)?.kappa, cohenKappa(rows)?.kappa ?? -2, 1e-14)
    expect(cohenKappa(mixed, { weights: 'linear' })?.kappa).not.toBeCloseTo(
      cohenKappa(rows, { weights: 'linear' })?.kappa ?? 0,
      3,
    )
  })

  it('is 1 for perfect agreement, and not certain of it after ten cases', () => {
    const seen = cohenKappa([
      [5, 0],
      [0, 5],
    ])
    expect(seen).toMatchObject({ n: 10, kappa: 1, se: 0, interval: { high: 1 } })
    // Wilson's lower bound of 10 in 10 is 0.722, chance 0.5.
    expect(seen?.interval?.low).toBeCloseTo((0.7225 - 0.5) / 0.5, 3)
  })

  it('cannot be told when everything got one label, or nothing was labelled', () => {
    expect(
      cohenKappa([
        [7, 0],
        [0, 0],
      ]),
    ).toMatchObject({ n: 7, observed: 1, expected: 1, kappa: null, interval: null })
    expect(
      cohenKappa([
        [0, 0],
        [0, 0],
      ]),
    ).toBeNull()
    expect(cohenKappa([])).toBeNull()
    expect(cohenKappa([[4]])).toMatchObject({ kappa: null })
  })

  it('refuses tables that are not square or hold no counts', () => {
    expect(() => cohenKappa([[1, 2]])).toThrow('row 0 has 2 columns; it needs 1')
    expect(() =>
      cohenKappa([
        [1, 2],
        [3, -1],
      ]),
    ).toThrow('table[1][1] is -1')
    expect(() =>
      cohenKappa([
        [1, 2],
        [3, Number.NaN],
      ]),
    ).toThrow(RangeError)
  })
})

describe('a table of labels', () => {
  it('counts pairs of known labels, in order', () => {
    const seen = tabulate([true, false, true, null, true], [true, false, false, true, undefined])
    expect(seen).toEqual({
      labels: [false, true],
      table: [
        [1, 0],
        [1, 1],
      ],
      leftOut: 2,
    })
    expect(tabulate([10, 9, 2], [2, 2, 10]).labels).toEqual([2, 9, 10])
  })

  it('keeps to the order that is given, and refuses what is not in it', () => {
    expect(tabulate(['low'], ['high'], ['low', 'mid', 'high']).table).toEqual([
      [0, 0, 1],
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(() => tabulate(['low'], ['huge'], ['low', 'high'])).toThrow('"huge" is not among the labels')
    expect(() => tabulate([1], [])).toThrow(RangeError)
    expect(tabulate([], [])).toEqual({ labels: [], table: [], leftOut: 0 })
  })
})

describe("Fleiss' kappa", () => {
  it('is 1 for perfect agreement, and unknown where one label is all there is', () => {
    expect(
      fleissKappa([
        [3, 0],
        [0, 3],
        [3, 0],
      ]),
    ).toMatchObject({ n: 3, kappa: 1, se: 0, interval: null })
    expect(
      fleissKappa([
        [3, 0],
        [3, 0],
      ]),
    ).toMatchObject({ kappa: null, interval: null })
    expect(fleissKappa([])).toBeNull()
    expect(fleissKappa([[1, 2]])).toMatchObject({ n: 1, se: null, interval: null })
  })

  it('refuses things with unequally many ratings, or with one', () => {
    expect(() =>
      fleissKappa([
        [3, 0],
        [1, 1],
      ]),
    ).toThrow('every row needs the same number')
    expect(() =>
      fleissKappa([
        [1, 0],
        [0, 1],
      ]),
    ).toThrow('at least 2')
    expect(() => fleissKappa([[1, 1], [2]])).toThrow('row 1 has 1 columns')
  })
})

/** Alpha as the book defines it: every pair of ratings, and the distance written out. */
function alphaByPairs(units: number[][], metric: AlphaMetric): number | null {
  const all = units.filter((unit) => unit.length > 1).flat()
  const between = (low: number, high: number) => {
    const count = (value: number) => all.filter((other) => other === value).length
    return all.filter((value) => value >= low && value <= high).length - (count(low) + count(high)) / 2
  }
  const distance = (x: number, y: number) => {
    if (x === y) return 0
    if (metric === 'nominal') return 1
    return (metric === 'interval' ? x - y : between(Math.min(x, y), Math.max(x, y))) ** 2
  }
  const sum = (values: number[]) => values.flatMap((x) => values.map((y) => distance(x, y))).reduce((a, b) => a + b, 0)
  const seen = units.filter((unit) => unit.length > 1).reduce((total, unit) => total + sum(unit) / (unit.length - 1), 0)
  return sum(all) === 0 ? null : 1 - ((all.length - 1) * seen) / sum(all)
}

describe("Krippendorff's alpha", () => {
  it.each(['nominal', 'ordinal', 'interval'] as const)('is what every pair of %s ratings adds up to', (metric) => {
    const units = fc.array(fc.array(fc.integer({ min: -2, max: 4 }), { maxLength: 5 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(units, (ratings) => {
        fc.pre(ratings.some((unit) => unit.length > 1))
        expectClose([krippendorffAlpha(ratings, { metric })?.alpha], [alphaByPairs(ratings, metric)], 1e-10)
      }),
    )
  })

  it('takes strings for nominal ratings, and leaves out what is unknown', () => {
    const units = [['a', 'a', null], ['b', undefined, 'b'], ['a', 'b'], ['b']]
    const seen = krippendorffAlpha(units, { metric: 'nominal' })
    expect(seen).toMatchObject({ n: 3, ratings: 6 })
    expectClose(seen?.alpha, 1 - (5 * 2) / 18, 1e-14)
    expect(() => krippendorffAlpha(units, { metric: 'ordinal' })).toThrow('"a" is no number')
    expect(() => krippendorffAlpha([[1, Number.NaN]], { metric: 'interval' })).toThrow(RangeError)
  })

  it('has an interval about itself that few units make wide', () => {
    const units = Array.from({ length: 40 }, (_, at) => [at % 4, at % 4, at % 7 === 0 ? (at + 1) % 4 : at % 4])
    const many = krippendorffAlpha(units, { metric: 'nominal' })
    const few = krippendorffAlpha(units.slice(0, 10), { metric: 'nominal' })
    const width = (seen: typeof many) => (seen?.interval?.high ?? 0) - (seen?.interval?.low ?? 0)
    expect(many?.interval?.low).toBeLessThan(many?.alpha ?? -1)
    expect(width(few)).toBeGreaterThan(1.5 * width(many))
  })

  it('is unknown when all ratings are equal or no thing was rated twice', () => {
    expect(
      krippendorffAlpha(
        [
          [2, 2],
          [2, 2],
        ],
        { metric: 'interval' },
      ),
    ).toEqual({ n: 2, ratings: 4, alpha: null, interval: null })
    expect(krippendorffAlpha([[1], [2], []], { metric: 'nominal' })).toBeNull()
    expect(
      krippendorffAlpha(
        [
          [1, 1],
          [2, 2],
          [3, 3],
        ],
        { metric: 'nominal' },
      ),
    ).toMatchObject({ alpha: 1, interval: null })
  })
})
