import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { membersOf, objectOf } from './members.ts'

test('an object is taken apart into its members and put together again, however it is written', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
  fc.assert(
    fc.property(object, fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const members = membersOf(text)
      const own = JSON.parse(text) as Record<string, unknown>
      expect([...members.keys()]).toEqual(Object.keys(own))
      expect([...members.values()].map((member) => JSON.parse(member) as unknown)).toEqual(Object.values(own))
      if (indent === 0) expect(objectOf(members)).toBe(text)
    }),
  )
})

test('numbers keep their digits, and quotes, brackets and backslashes in strings part nothing', () => {
  const text = '{"a":12345678901234567890.10,"b\\\\":"}\\"],\\\\","c":[{"d":"]"}],"":{}}'
  expect([...membersOf(text)]).toEqual([
    ['a', '12345678901234567890.10'],
    ['b\\', '"}\\"],\\\\"'],
    ['c', '[{"d":"]"}]'],
    ['', '{}'],
  ])
  expect(objectOf(membersOf(text))).toBe(text)
})
