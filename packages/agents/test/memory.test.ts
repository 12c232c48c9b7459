import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limits } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { ask } from '../src/index.ts'
import { options } from './scripted-agent.ts'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** Bytes that are alive in the heap. */
function live(): number {
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}

const filling = 'x'.repeat(300)

/** Events of all kinds that say nothing which belongs to the answer: what happens beside it. */
function passing(index: number): object {
  const said = `${index} ${filling}`
  const kinds = [
    { type: 'step_narration', data: { text: said } },
    { type: 'usage', data: { input_tokens: index, output_tokens: 1 } },
    { type: 'what_nobody_knows', data: { index, of: [said] } },
    { type: 'status', data: { message: said } },
    { type: 'tool_result', data: { id: `orphan ${index % 1_000}`, result: said } },
  ]
  return kinds[index % kinds.length] ?? {}
}

/**
 * Asks an agent of so many events, which are made as they are read: nobody but the reader can keep them.
 *
 * @returns what was seen, and for every `each` events the bytes that were alive once they were read
 */
async function read(events: number, each = events) {
  const alive: number[] = []
  let next = 0
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (next > 0 && next % each === 0) alive.push(live())
        const isLast = next >= events
        const lines = isLast
          ? [{ type: 'message_complete', data: { content: 'Done.' } }]
          : Array.from({ length: 1_000 }, () => passing(next++))
        controller.enqueue(encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
        if (isLast) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const answer = new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
  const given = options({ fetch: () => Promise.resolve(answer) })
  const trace = await ask({ url: 'http://localhost/', timeoutMs: 600_000 }, [{ query: 'x' }], given)
  return { trace, alive }
}

test('a trace of a hundred thousand events is as large as one of ten thousand', async () => {
  const short = (await read(10_000)).trace
  const long = (await read(100_000)).trace
  expect([short.fault, long.fault]).toEqual([null, null])
  expect(long.notes).toHaveLength(limits.agentNotes)
  const size = (trace: object) => JSON.stringify(trace).length
  // Some numbers have a digit more.
  expect(size(long) - size(short)).toBeLessThan(5_000)
})

test('what was read of a stream is forgotten while it goes on', async () => {
  const { trace, alive } = await read(100_000, 20_000)
  expect(trace.fault).toBeNull()
  const [first = 0, ...later] = alive
  expect(later).toHaveLength(4)
  // From the first look to the last there are 80,000 events, of more than 300 bytes each.
  expect(Math.max(...later) - first).toBeLessThan(8_000_000)
})
