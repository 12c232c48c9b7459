import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginning, type Place, type RawValue, splitValues } from './values.ts'

async function* chunked(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function split(text: string | Uint8Array, { size = 1_000_000, start = beginning } = {}): Promise<RawValue[]> {
  const values: RawValue[] = []
  for await (const value of splitValues(chunked(text, size), start)) values.push(value)
  return values
}

const parsed = (values: RawValue[]) =>
  values.map(({ text }) => (text === undefined ? undefined : (JSON.parse(text) as unknown)))

describe('splitValues', () => {
  test('reads one trace, in one line or indented', async () => {
    expect(parsed(await split('{"a":1}'))).toEqual([{ a: 1 }])
    expect(parsed(await split('\ufeff  {\n  "a": {\n "b": "}" }\n}\n'))).toEqual([{ a: { b: '}' } }])
  })

  test('reads JSON Lines: empty lines are passed over, and a broken line is told by its number without spoiling the next', async () => {
    const values = await split('{"a":1}\n\n{"a":\n{"a":3}\r\n')
    expect(values.map(({ line }) => line)).toEqual([1, 3, 4])
    expect(values[2]?.text?.trim()).toBe('{"a":3}')
  })

  test('reads an array over any lines, and the elements after a broken one', async () => {
    const values = await split('[\n {"a":[1,"]"]},\n {"b" 2}, 7,\n {"c":"\\"}"}\n]\n')
    expect(values.map(({ line }) => line)).toEqual([2, 3, 3, 4])
    expect(values.map(({ text }) => text)).toEqual(['{"a":[1,"]"]}', '{"b" 2}', '7', '{"c":"\\"}"}'])
  })

  test('reads indented traces one after the other', async () => {
    expect(parsed(await split('{\n "a": 1\n}\n{\n "a": 2\n}'))).toEqual([{ a: 1 }, { a: 2 }])
  })

  test('tells an input that was cut off, in an array and in a trace', async () => {
    expect((await split('[{"a":1},{"a":')).map(({ error }) => error)).toEqual([
      undefined,
      expect.stringContaining('cut off'),
    ])
    expect((await split('[{"a":1}')).map(({ error }) => error)).toEqual([undefined, expect.stringContaining('cut off')])
    expect((await split('{\n"a":1')).map(({ error }) => error)).toEqual([expect.stringContaining('cut off')])
    expect((await split('[{"a":1}] {"a":2}')).map(({ error }) => error)).toEqual([
      undefined,
      expect.stringContaining('after the end'),
    ])
  })

  test('a line that is no UTF-8 is told; the others are read', async () => {
    const values = await split(
      Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{"a":3}\n')]),
    )
    expect(values.map(({ error }) => error)).toEqual([undefined, expect.stringContaining('UTF-8'), undefined])
  })

  test('a value without end is passed over, and memory does not grow with it', async () => {
    const long = `{"a":"${'x'.repeat(9 * 1024 * 1024)}"}`
    const asLines = await split(`${long}\n{"a":2}\n`, { size: 65_536 })
    expect(asLines.map(({ line, error }) => [line, error])).toEqual([
      [1, expect.stringContaining('longer than')],
      [2, undefined],
    ])
    const asArray = await split(`[${long},{"a":2}]`, { size: 65_536 })
    expect(asArray.map(({ error }) => error)).toEqual([expect.stringContaining('longer than'), undefined])
  })

  test('compressed and UTF-16 input is refused with the command that converts it', async () => {
    await expect(split(Buffer.from([0x1f, 0x8b, 8, 0]))).rejects.toThrow('gunzip -c')
    await expect(split(Buffer.from('\ufeff{}', 'utf16le'))).rejects.toThrow('iconv')
  })

  test('whatever the layout and however the bytes are cut, the same values come, and reading on from any place gives the rest', async () => {
    const layouts: ((values: unknown[]) => string)[] = [
      (values) => values.map((value) => `${JSON.stringify(value)}\n`).join(''),
      (values) => JSON.stringify(values),
      (values) => JSON.stringify(values, null, 2),
      (values) => values.map((value) => JSON.stringify(value, null, 1)).join('\n'),
    ]
    const value = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...layouts),
        fc.integer({ min: 1, max: 40 }),
        async (values, layout, size) => {
          const text = layout(values)
          const found = await split(text, { size })
          expect(parsed(found)).toEqual(parsed(await split(text)))
          expect(JSON.stringify(parsed(found))).toBe(JSON.stringify(values))
          for (const [index, { end }] of found.entries()) {
            const rest = Buffer.from(text).subarray(end.offset)
            const again = await split(rest, { size, start: end satisfies Place })
            expect(again).toEqual(found.slice(index + 1))
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})
