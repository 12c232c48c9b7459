import * as fc from 'fast-check'
import { limits } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { patternOf } from './errors.ts'

test('messages that differ in numbers, ids and quotations have the same pattern', () => {
  for (const message of [
    'Request 12 of "alice" took 3.5 s: 0x1f, trace 0f8fad5b-d9cb-469f-a165-70867728950e',
    'Request 7 of "Bob" took 120 s: 0xabc, trace 7c9e6679-7425-40de-944b-e07fc1f90ae7',
  ])
    expect(patternOf(message)).toBe('Request … of … took … s: …, trace …')
})

test('an apostrophe is no quotation, and words stay what they are', () => {
  expect(patternOf("Can't reach it, and it wasn't there")).toBe("Can't reach it, and it wasn't there")
  expect(patternOf('bad, faded, deadbeef')).toBe('bad, faded, deadbeef')
  expect(patternOf('commit deadbeef42')).toBe('commit …')
})

test('a pattern is never longer than it may be, well-formed, and quickly found, whatever the message', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (message) => {
      const pattern = patternOf(message)
      expect(pattern.length).toBeLessThanOrEqual(limits.runErrorPatternChars)
      expect(pattern.isWellFormed()).toBe(true)
    }),
  )
  for (const part of ['"', "'", '0', 'a1', '`“', '0x', '1.'])
    expect(patternOf(part.repeat(1_000_000)).length).toBeLessThanOrEqual(limits.runErrorPatternChars)
})
