import { Failure, limits } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'
import { locateJsonFault } from '../faults/json-fault.ts'

function failureOf(text: string | Buffer): Failure {
  try {
    parseJson(Buffer.from(text))
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it was accepted')
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('a JSON body', () => {
  it('is read as JSON.parse reads it, a byte order mark aside', () => {
    expect(parseJson(Buffer.from('\ufeff{"a":[1,"ü",null]}'))).toEqual({ a: [1, 'ü', null] })
  })

  it('may hold a __proto__ key, which changes no prototype', () => {
    const value = parseJson(Buffer.from('{"__proto__":{"admin":true}}'))
    expect(Object.keys(value as object)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  it.each([
    ['', 'it is empty'],
    ['  ', 'it ends too early at position 2 (line 1, column 3)'],
    ['{"a":x}', 'a value is missing at position 5 (line 1, column 6)'],
    ['{"a":1,\n "b" 2}', 'a colon is missing at position 13 (line 2, column 6)'],
    ['{"a":1 "b":2}', 'a comma or } is missing at position 7 (line 1, column 8)'],
    ['[1 2]', 'a comma or ] is missing at position 3 (line 1, column 4)'],
    ['{a:1}', 'a key in double quotes is missing at position 1 (line 1, column 2)'],
    ['{"a":1,}', 'a key in double quotes is missing at position 7 (line 1, column 8)'],
    ['[1,]', 'a value is missing at position 3 (line 1, column 4)'],
    ['{"a":"tru', 'a string is not closed at position 9 (line 1, column 10)'],
    ['{"a":"\\u12', 'a string is not closed at position 10 (line 1, column 11)'],
    ['{"a":"\\x"}', 'a string holds an unknown escape at position 6 (line 1, column 7)'],
    ['"a\u0000b"', 'a control character stands unescaped in a string at position 2 (line 1, column 3)'],
    ['{"a":[1,{"b":', 'it ends too early at position 13 (line 1, column 14)'],
    ['NaN', 'a value is missing at position 0 (line 1, column 1)'],
    ['{} {}', 'there is more after the document at position 3 (line 1, column 4)'],
  ])('that reads %j is told where it stops being JSON', (text, detail) => {
    const failure = failureOf(text)
    expect(failure.code).toBe('malformed_json')
    expect(failure.message).toBe(`The body is not valid JSON: ${detail}`)
  })

  it('that is not UTF-8 is refused instead of being mended', () => {
    expect(failureOf(Buffer.from([0x22, 0xff, 0x22])).message).toContain('not UTF-8')
  })

  it('may be nested as deep as the limit says, and no level deeper', () => {
    expect(() => parseJson(Buffer.from(nested(limits.jsonDepth)))).not.toThrow()
    expect(failureOf(nested(limits.jsonDepth + 1)).code).toBe('too_deep')
    expect(failureOf('{"a":'.repeat(limits.jsonDepth + 1) + '1' + '}'.repeat(limits.jsonDepth + 1)).code).toBe(
      'too_deep',
    )
  })

  it('that is nested 100,000 deep is refused like any other', () => {
    expect(failureOf(nested(100_000)).code).toBe('too_deep')
    expect(failureOf('['.repeat(100_000)).code).toBe('malformed_json')
  })
})

describe('the place of a fault', () => {
  it('is found exactly in those texts that JSON.parse refuses', () => {
    const texts = fc.oneof(
      fc
        .json()
        .chain((json) =>
          fc
            .record({ at: fc.nat({ max: json.length }), cut: fc.nat({ max: 3 }), put: fc.string({ maxLength: 3 }) })
            .map(({ at, cut, put }) => json.slice(0, at) + put + json.slice(at + cut)),
        ),
      fc
        .array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', 'a', '1', '-', '.', 'e', 'true', 'null', '\\', ' '))
        .map((p) => p.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        expect(locateJsonFault(text) === 'no fault was found').toBe(valid)
      }),
      { numRuns: 3_000 },
    )
  })
})
