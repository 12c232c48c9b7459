import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCursor, parseCursor } from './cursor.ts'

/** Any UTF-16 at all, lone surrogates too. */
const anyText = fc.array(fc.nat({ max: 0xffff })).map((codes) => String.fromCharCode(...codes))

describe('a cursor', () => {
  it('reads back as it was written', () => {
    const epoch = fc.stringMatching(/^[0-9a-z]{1,32}$/)
    fc.assert(
      fc.property(epoch, fc.maxSafeNat(), (text, seq) => {
        expect(parseCursor(formatCursor({ epoch: text, seq }))).toEqual({ epoch: text, seq })
      }),
    )
  })

  it('is nothing but epoch, dot and number', () => {
    const notCursors = [
      '',
      '.',
      '5',
      'e.',
      '.5',
      'e.-1',
      'e.+1',
      'e.1.2',
      'e.01',
      'e.1e3',
      'e. 1',
      ' e.1',
      'e.1\n',
      'E.1',
      'e_.1',
      'é.1',
      'e.0x1',
    ]
    for (const text of [...notCursors, `${'e'.repeat(33)}.1`]) expect(parseCursor(text), text).toBeUndefined()
  })

  it('does not take a number that JavaScript cannot hold exactly', () => {
    expect(parseCursor('e.9007199254740991')).toEqual({ epoch: 'e', seq: Number.MAX_SAFE_INTEGER })
    expect(parseCursor('e.9007199254740992')).toBeUndefined()
    expect(parseCursor('e.99999999999999999999')).toBeUndefined()
  })

  it('never throws, whatever text it is given', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const cursor = parseCursor(text)
        if (cursor) expect(formatCursor(cursor)).toBe(text)
      }),
    )
  })
})
