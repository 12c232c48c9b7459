import { expect, test } from 'vitest'
import { type Place, readPlace, tellsAfter } from './place.ts'

const at = (cursor: string, project = 'default'): Place => ({ project, cursor })

test('what the server said of the journal is read: the cursor, and whose journal it is', () => {
  expect(readPlace('2ahvdu69cuy2i.16 default')).toEqual(at('2ahvdu69cuy2i.16'))
  expect(readPlace('e.0 Gr%C3%BCn%20%22%3B')).toEqual(at('e.0', 'Grün ";'))
})

test.each([
  '',
  'e.1',
  'e.1 ',
  'e default',
  'e.01 default',
  'E.1 default',
  'e.-1 default',
  ' e.1 default',
  'e.1 %E0%A4%A',
])('nothing is made of %j', (text) => expect(readPlace(text)).toBeNull())

test.each([
  [at('e.5'), at('e.5'), true],
  [at('e.5'), at('e.6'), true],
  [at('e.9'), at('e.10'), true],
  [at('e.6'), at('e.5'), false],
  [at('e.5'), at('f.6'), false],
  [at('e.5'), at('e.6', 'other'), false],
  [null, at('e.5'), false],
  [at('e.5'), null, false],
  [null, null, false],
])('a stream that stands at %j tells whatever comes after %j: %j', (told, place, expected) => {
  expect(tellsAfter(told, place)).toBe(expected)
})
