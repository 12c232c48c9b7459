import { expect, test } from 'vitest'
import { type Batch, inBatches } from './traces.ts'
import { beginning, splitValues } from './values.ts'

async function batches(text: string, size = { traces: 100, bytes: 1_000_000 }): Promise<Batch[]> {
  const all: Batch[] = []
  async function* whole() {
    yield Buffer.from(text)
  }
  for await (const batch of inBatches(splitValues(whole(), beginning), size)) all.push(batch)
  return all
}

test('numbers go through unchanged, also those that JavaScript cannot hold', async () => {
  const text = '{"trace_id":"a","n":12345678901234567890,"e":1e400,"f":0.1234567890123456789,"m":1E2,"z":-5}'
  const [batch] = await batches(text)
  expect(JSON.stringify(batch?.items[0]?.trace)).toBe(text)
})

test('a trace without an id is refused, in either spelling, and a whole batch is recognised', async () => {
  const [batch] = await batches(
    '{"model_name":"m"}\n{"traceId":"a"}\n{"trace_id":null}\n{"source":"x","traces":[]}\n[1]\n"x"\n',
  )
  expect(batch?.items.map(({ error }) => error)).toEqual([
    expect.stringContaining('trace_id is missing'),
    undefined,
    expect.stringContaining('trace_id is missing'),
    expect.stringContaining('whole batch'),
    'a trace is an object, not an array',
    'a trace is an object, not x',
  ])
})

test('batches keep to number and size, and end where the input goes on', async () => {
  const text = Array.from({ length: 25 }, (_, index) => `{"trace_id":"t${index}","x":"${'y'.repeat(80)}"}\n`).join('')
  const byNumber = await batches(text, { traces: 10, bytes: 1_000_000 })
  expect(byNumber.map(({ items }) => items.length)).toEqual([10, 10, 5])
  expect(byNumber[0]?.end).toMatchObject({ line: 11, layout: 'lines' })
  expect(byNumber.at(-1)?.end.offset).toBe(text.length)
  const bySize = await batches(text, { traces: 100, bytes: 400 })
  expect(Math.max(...bySize.map(({ items }) => items.length))).toBeLessThan(5)
  expect(bySize.flatMap(({ items }) => items)).toHaveLength(25)
})
