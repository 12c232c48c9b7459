import { expect, test } from 'vitest'
import { ExactNumber, parseJson, writeJson } from './exact-json.ts'

test('numbers that JavaScript would round keep their digits, and are written as they came', () => {
  const text = '{"id":12345678901234567890,"deep":[-98765432109876543210],"huge":1e400,"small":0.1,"count":42}'
  const value = parseJson(text) as { id: unknown; huge: unknown; count: unknown }
  expect(value.id).toEqual(new ExactNumber('12345678901234567890'))
  expect(value.huge).toEqual(new ExactNumber('1e400'))
  expect(value.count).toBe(42)
  expect(writeJson(value, 0)).toBe(text)
})

test('a key named __proto__ is a key like any other', () => {
  const value = parseJson('{"__proto__":{"x":1},"n":12345678901234567890}') as object
  expect(Object.keys(value)).toEqual(['__proto__', 'n'])
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

test('text that is not JSON is refused', () => {
  expect(() => parseJson('{"a":')).toThrow(SyntaxError)
})
