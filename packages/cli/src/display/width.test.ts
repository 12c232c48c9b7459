import { describe, expect, test } from 'vitest'
import { displayWidth, oneLine, pad, safeJson, truncate, wrap } from './width.ts'

describe('widths', () => {
  test.each([
    ['hello', 5],
    ['你好，世界', 10],
    ['ｆｕｌｌ', 8],
    ['ﾊﾝｶｸ', 4],
    ['한국어', 6],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['➜', 1],
    ['\u200b', 0],
    ['', 0],
  ])('%j takes %i cells', (text, cells) => {
    expect(displayWidth(text)).toBe(cells)
  })

  test('a cut never halves a character and never exceeds the width', () => {
    expect(truncate('你好，世界', 6)).toBe('你好…')
    expect(truncate('你好', 4)).toBe('你好')
    expect(truncate('abcdef', 4)).toBe('abc…')
    for (let cells = 1; cells < 12; cells++)
      expect(displayWidth(truncate('a你👩‍👩‍👧b好é', cells))).toBeLessThanOrEqual(cells)
  })

  test('padding counts cells, not characters', () => {
    expect(pad('世界', 6)).toBe('世界  ')
    expect(pad('世界', 6, 'right')).toBe('  世界')
  })

  test('lines are broken between words, and a word that is too long stands alone', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('你好 世界 abc', 5)).toEqual(['你好', '世界', 'abc'])
    expect(wrap('a verylongword b', 4)).toEqual(['a', 'verylongword', 'b'])
    expect(wrap('', 4)).toEqual([''])
  })

  test('foreign text cannot steer the terminal', () => {
    expect(oneLine('a\nb\u001b[2Jc\u009bd\u202ee')).toBe('a b\\u001b[2Jc\\u009bd\\u202ee')
    expect(safeJson(JSON.stringify({ a: '\u001b\u009b\u202e' }))).toBe('{"a":"\\u001b\\u009b\\u202e"}')
  })
})
