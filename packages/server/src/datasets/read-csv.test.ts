import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Entry } from './entries.ts'
import { readCsv } from './read-csv.ts'

async function entries(text: string, size: number): Promise<Entry[]> {
  const bytes = Buffer.from(text)
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const read: Entry[] = []
  for await (const entry of readCsv(chunks())) read.push(entry)
  return read
}

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '日', '"', ',', ';', '\t', '\n', '\r', ' ', "'", '='),
  maxLength: 5,
})
const width = 3
const line = fc.array(cell, { minLength: width, maxLength: width })

it('reads the same table with the same lines, whatever parts its cells and ends its lines, and however its bytes are cut', async () => {
  const file = fc.record({
    table: fc.array(line, { maxLength: 5 }),
    separator: fc.constantFrom(',', ';', '\t'),
    end: fc.constantFrom('\n', '\r\n'),
    before: fc.constantFrom('', '\ufeff', '\n', '\r\n\n'),
    size: fc.integer({ min: 1, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(file, async ({ table, separator, end, before, size }) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
      const text = `${before}a${separator}"b,;\t"${separator}c${end}${table.map((cells) => cells.map(quoted).join(separator) + end).join('')}`
      const read = await entries(text, size)
      expect(read[0]).toMatchObject({ header: ['a', 'b,;', 'c'] })
      const rows = read.slice(1).map((entry) => ('row' in entry ? Object.values(entry.row) : entry))
      expect(rows).toEqual(table.map((cells) => cells.map((text) => text.replace(/^'('*[=+\-@\t\r])/, '$1'))))
      expect(read).toEqual(await entries(text, text.length * 4))
    }),
    { numRuns: 150 },
  )
})
