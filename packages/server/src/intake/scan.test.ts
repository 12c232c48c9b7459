import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf, outline, prune } from './scan.ts'

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce((deepest: number, child) => Math.max(deepest, depthOf(child)), 0)
}

const json = fc.jsonValue({ maxDepth: 6 })
const spaces = fc.constantFrom(undefined, 1, '\t', '\n  ')

describe('outline', () => {
  it('tells the depth and the children of any JSON as parsing it would', () => {
    fc.assert(
      fc.property(json, spaces, (value, space) => {
        const text = JSON.stringify(value, undefined, space)
        const seen = outline(text, Infinity)
        expect(seen.depth).toBe(depthOf(value))
        const children = seen.children.map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown)
        const parsed: unknown = JSON.parse(text)
        if (Array.isArray(parsed)) expect(children).toEqual(parsed)
        else if (typeof parsed === 'object' && parsed !== null) {
          const keys = seen.children.map((child) => keyOf(text, child))
          expect(keys.toSorted()).toEqual(Object.keys(parsed).toSorted())
          expect(Object.fromEntries(keys.map((key, index) => [key, children[index]]))).toEqual(parsed)
        } else expect(children).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('reads keys that are written with escapes', () => {
    const text = '{"tr\\u0061ce_id": 1, "a\\"b\\\\": 2}'
    expect(outline(text, 9).children.map((child) => keyOf(text, child))).toEqual(['trace_id', 'a"b\\'])
  })

  it('counts every child but keeps no more than it was asked for', () => {
    const seen = outline('[1,"2",[3],{"a":4},null]', 2)
    expect(seen.childCount).toBe(5)
    expect(seen.children).toHaveLength(2)
  })

  it.each([
    ['{"a":123456789012345}', false],
    ['{"a":12345678901234567890}', true],
    ['{"a":[{"b":1e400}]}', true],
    ['{"a":1e3,"b":0.5e-2,"c":-1.50}', false],
    ['{"a":0.1000000000000000000001}', true],
    ['{"a":1234567890123456.0}', false],
    ['{"a":"12345678901234567890 1e400"}', false],
  ])('says of %s that it holds numbers beyond a double: %s', (text, big) => {
    expect(outline(text, 9).bigNumbers).toBe(big)
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'e', ' ', 'x') }),
        (text) => {
          outline(text, 3)
          prune(text, 2)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('prune', () => {
  it('leaves JSON that is not too deep as it is', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value)
        expect(prune(text, depthOf(value))).toBe(text)
      }),
    )
  })

  it('leaves exactly one level too many of JSON that is too deep, and all that is beside it', () => {
    const text = `{"deep":${'['.repeat(10_000)}"]"${']'.repeat(10_000)},"beside":[["]["]]}`
    const pruned = prune(text, 5)
    expect(depthOf(JSON.parse(pruned))).toBe(6)
    expect(JSON.parse(pruned)).toMatchObject({ beside: [['][']] })
  })

  it('keeps text that is cut off malformed', () => {
    expect(() => JSON.parse(prune('[[[[[[[[', 3)) as unknown).toThrow(SyntaxError)
  })
})
