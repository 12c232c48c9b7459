import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeJsonLines, type JsonLine } from './jsonl.ts'

async function decode(chunks: string[], maxChars?: number): Promise<JsonLine[]> {
  async function* feed() {
    yield* chunks
  }
  return await collect(decodeJsonLines(feed(), maxChars))
}

async function collect(lines: AsyncIterable<JsonLine>): Promise<JsonLine[]> {
  const all: JsonLine[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe('the JSON Lines decoder', () => {
  it('reads back any values, however the text is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 40 }),
        async (values, end, size) => {
          const text = values.map((value) => JSON.stringify(value) + end).join('')
          const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
          const expected = values.map((value, index) => ({
            line: index + 1,
            value: JSON.parse(JSON.stringify(value)) as unknown,
          }))
          expect(await decode(chunks)).toEqual(expected)
        },
      ),
    )
  })

  it('reads a last line that has no line end', async () => {
    expect(await decode(['{"a":1}\n{"a":', '2}'])).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 2, value: { a: 2 } },
    ])
  })

  it('passes over empty lines and still counts them', async () => {
    expect(await decode(['\n  \n1\n\n2\n'])).toEqual([
      { line: 3, value: 1 },
      { line: 5, value: 2 },
    ])
  })

  it('reports a line that is not JSON, and goes on with the next', async () => {
    const lines = await decode(['{"a":1}\n{oops\n{"a":3}\n'])
    expect(lines.map((line) => line.line)).toEqual([1, 2, 3])
    expect(lines[1]?.error).toMatch(/JSON/)
    expect(lines[2]?.value).toEqual({ a: 3 })
  })

  it('accepts a line at the limit, reports one past it, and goes on after its end', async () => {
    const atLimit = JSON.stringify('x'.repeat(8))
    const past = JSON.stringify('x'.repeat(9))
    expect(await decode([`${atLimit}\n`], 10)).toEqual([{ line: 1, value: 'x'.repeat(8) }])
    const lines = await decode([past.slice(0, 4), past.slice(4), '\n1\n'], 10)
    expect(lines).toEqual([
      { line: 1, error: 'the line is longer than 10 characters' },
      { line: 2, value: 1 },
    ])
  })

  it('keeps nothing of a line that is too long', async () => {
    async function* endless() {
      for (let i = 0; i < 1_000; i++) yield 'x'.repeat(1_000)
      yield '\n"after"\n'
    }
    const lines = await collect(decodeJsonLines(endless(), 100))
    expect(lines).toEqual([
      { line: 1, error: 'the line is longer than 100 characters' },
      { line: 2, value: 'after' },
    ])
  })

  it('an empty text has no lines', async () => {
    expect(await decode([])).toEqual([])
    expect(await decode(['', '\n'])).toEqual([])
  })
})
