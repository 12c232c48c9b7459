import * as fc from 'fast-check'
import { limits } from '@llm-eval/protocol'
import { beginningChars } from '@llm-eval/store'
import { expect, test } from 'vitest'
import { beginningOf } from './previews.ts'

test('a text is shown as it is and anything else as JSON, in as much as was read of it', () => {
  expect(beginningOf('"Zürich\\n\\u0000"')).toBe('Zürich\n\0')
  expect(beginningOf('{"a":[1,2')).toBe('{"a":[1,2')
  expect(beginningOf('12.50')).toBe('12.50')
  expect(beginningOf('""')).toBe('')
  expect(beginningOf('null')).toBe(null)
  expect(beginningOf(null)).toBe(null)
})

test('the beginning of any text is shown wherever it is cut, also within an escape', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(80), (text, kept) => {
      const json = JSON.stringify(text)
      const shown = beginningOf(json.slice(0, Math.max(1, kept)))
      expect(shown).not.toBe(null)
      expect(text.toWellFormed().startsWith((shown ?? '').replace(/\uFFFD$/, ''))).toBe(true)
      if (kept >= json.length) expect(shown).toBe(text.toWellFormed())
    }),
  )
})

test('what is read is enough for what is shown unless there is little else than escapes', () => {
  const json = JSON.stringify('é"'.repeat(1_000)).slice(0, beginningChars)
  expect(beginningOf(json)).toHaveLength(limits.itemPreviewChars)
})
