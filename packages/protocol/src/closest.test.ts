import { describe, expect, it } from 'vitest'
import { closest, editDistance } from './closest.ts'

describe('edit distance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['limit', 'limti', 1],
    ['ca', 'abc', 3],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })

  it('finds nothing close to a word that is far from all', () => {
    expect(closest('zebra', ['host', 'port'])).toBeUndefined()
    expect(closest('prot', ['host', 'port'])).toBe('port')
  })
})
