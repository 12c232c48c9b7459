import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { preview } from './preview.ts'

describe('preview', () => {
  it.each([
    ['a short text', 'a short text'],
    ['', ''],
    ['  two  lines\r\n\tof text\u00a0 ', 'two lines of text'],
    ['x'.repeat(100), 'x'.repeat(100)],
    ['x'.repeat(101), `${'x'.repeat(100)}...`],
    [`${'x'.repeat(100)}   \n`, 'x'.repeat(100)],
    [`${'x'.repeat(99)}  yz`, `${'x'.repeat(99)} ...`],
    ['😀'.repeat(100), '😀'.repeat(100)],
    ['😀'.repeat(101), `${'😀'.repeat(100)}...`],
    [`${'x'.repeat(99)}😀y`, `${'x'.repeat(99)}😀...`],
    ['a\0b\ud800c\udc00d\u001b[31me', 'a\ufffdb\ufffdc\ufffdd\ufffd[31me'],
    [`${' '.repeat(5_000)}late`, 'late'],
  ])('makes %j into %j', (text, expected) => {
    expect(preview(text)).toBe(expected)
  })

  it('is one well-formed line without NUL of at most 100 characters, and starts as the text does', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', ' ', '\n', '\0', '\ud83d', '\ude00', 'é', '漢'),
        fc.string({ unit: 'binary', maxLength: 1 }),
      ),
      maxLength: 250,
    })
    fc.assert(
      fc.property(text, (sent) => {
        const seen = preview(sent)
        const cut = seen.endsWith('...') && !sent.includes('...')
        const line = cut ? seen.slice(0, -3) : seen
        expect(seen.isWellFormed()).toBe(true)
        expect(seen).not.toMatch(/\p{Cc}/u)
        expect(Array.from(line).length).toBeLessThanOrEqual(100)
        const whole = sent
          .replace(/\s+/g, ' ')
          .trim()
          .toWellFormed()
          .replace(/\p{Cc}/gu, '\ufffd')
        expect(whole.startsWith(line)).toBe(true)
        if (!cut) expect(line).toBe(whole)
      }),
      { numRuns: 2_000 },
    )
  })
})
