import { gzipSync } from 'node:zlib'
import { limits } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ground, openShelf, type Received, type Shelf, startGround, trace } from './ground.ts'
import { traceSlices } from './trace-slices.ts'

/** One connection through all the faults: it must stay usable. */
let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
  server = await startGround({ shelf, slices: traceSlices, overSocket: true })
})
afterAll(async () => {
  await server.close()
  await shelf.close()
})

let counter = 0
const freshId = () => `after-${counter++}`
const withText = (id: string, fields: string) => `${JSON.stringify(trace({ trace_id: id })).slice(0, -1)},${fields}}`
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

interface Case {
  name: string
  body: Buffer | string
  headers?: Record<string, string>
  /** What a single trace is answered. */
  status: number
  code?: string
  /** What the same item is answered in a batch with a good one; absent where the batch as a whole is refused. */
  item?: 'created' | 'invalid'
}

const cases: Case[] = [
  { name: 'NUL in texts, escaped', body: withText('nul', '"system_prompt":"a\\u0000b"'), status: 200, item: 'created' },
  {
    name: 'NUL in an id',
    body: JSON.stringify(trace({ trace_id: 'a\0b' })),
    status: 422,
    code: 'invalid_request',
    item: 'invalid',
  },
  { name: 'a raw NUL byte', body: `${JSON.stringify(trace()).slice(0, -1)}\0}`, status: 400, code: 'malformed_json' },
  {
    name: 'lone surrogates in texts',
    body: withText('lone', '"metadata":{"\\ud800":"\\udfff"}'),
    status: 200,
    item: 'created',
  },
  {
    name: 'a lone surrogate in an id',
    body: JSON.stringify(trace({ trace_id: 'a\ud800' })),
    status: 422,
    item: 'invalid',
  },
  {
    name: 'bytes that are not UTF-8',
    body: Buffer.from(JSON.stringify(trace({ user_query: 'é' })), 'latin1'),
    status: 400,
    code: 'malformed_json',
  },
  { name: 'NaN', body: withText('nan', '"cost":NaN'), status: 400, code: 'malformed_json' },
  { name: 'Infinity', body: withText('inf', '"cost":Infinity'), status: 400, code: 'malformed_json' },
  {
    name: '1e400 in a field',
    body: withText('huge', '"cost":1e400'),
    status: 422,
    code: 'invalid_request',
    item: 'invalid',
  },
  { name: '1e400 in metadata', body: withText('huge-data', '"metadata":{"n":1e400}'), status: 200, item: 'created' },
  {
    name: '__proto__ keys',
    body: withText('proto', '"__proto__":{"x":1},"metadata":{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}'),
    status: 200,
    item: 'created',
  },
  {
    name: 'JSON 64 levels deep',
    body: withText('deep-64', `"metadata":{"a":${nested(limits.jsonDepth - 2)}}`),
    status: 200,
    item: 'created',
  },
  {
    name: 'JSON 65 levels deep',
    body: withText('deep-65', `"metadata":{"a":${nested(limits.jsonDepth - 1)}}`),
    status: 422,
    code: 'too_deep',
    item: 'invalid',
  },
  {
    name: 'JSON 10,000 levels deep',
    body: withText('deep-10k', `"metadata":{"a":${nested(10_000)}}`),
    status: 422,
    code: 'too_deep',
    item: 'invalid',
  },
  { name: 'JSON that only opens', body: '['.repeat(1_000_000), status: 422, code: 'too_deep' },
  { name: 'JSON that is cut off', body: JSON.stringify(trace()).slice(0, -20), status: 400, code: 'malformed_json' },
  { name: 'nothing', body: '', status: 400, code: 'malformed_json' },
  {
    name: 'unknown fields',
    body: withText('unknown', '"hasOwnProperty":1,"toString":2,"zzz":3'),
    status: 200,
    item: 'created',
  },
  {
    name: 'camelCase',
    body: JSON.stringify({ traceId: 'camel', modelName: 'm', userQuery: 'q', aiResponse: 'r' }),
    status: 200,
    item: 'created',
  },
  {
    name: 'a text one character too long',
    body: JSON.stringify(trace({ trace_id: 'long', user_query: 'x'.repeat(limits.textChars + 1) })),
    status: 422,
    item: 'invalid',
  },
  {
    name: 'a text as long as it may be',
    body: JSON.stringify(trace({ trace_id: 'longest', user_query: 'x'.repeat(limits.textChars) })),
    status: 200,
    item: 'created',
  },
  {
    name: 'the content type of a form',
    body: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'the content type of text',
    body: JSON.stringify(trace()),
    headers: { 'content-type': 'text/plain' },
    status: 415,
  },
  {
    name: 'a content type that is none',
    body: JSON.stringify(trace()),
    headers: { 'content-type': ';;;' },
    status: 415,
  },
  {
    name: 'gzip that is none',
    body: JSON.stringify(trace()),
    headers: { 'content-encoding': 'gzip' },
    status: 400,
    code: 'malformed_json',
  },
  {
    name: 'gzip that is cut off',
    body: gzipSync(JSON.stringify(trace())).subarray(0, 40),
    headers: { 'content-encoding': 'gzip' },
    status: 400,
  },
  {
    name: 'a gzip bomb',
    body: gzipSync(Buffer.alloc(200 * 1024 * 1024, 32)),
    headers: { 'content-encoding': 'gzip' },
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'an encoding that we do not know',
    body: JSON.stringify(trace()),
    headers: { 'content-encoding': 'br' },
    status: 415,
    code: 'unsupported_encoding',
  },
]

const post = (path: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Received> =>
  server.send({ path, body, headers })

async function staysUsable(): Promise<void> {
  const id = freshId()
  expect((await post('/webhook/trace', JSON.stringify(trace({ trace_id: id })))).status).toBe(200)
  expect((await server.send({ path: `/api/v1/traces/${id}` })).json.trace_id).toBe(id)
  expect(server.connections()).toBe(1)
}

describe('the connection survives', () => {
  it.each(cases)('$name, alone', async ({ body, headers, status, code }) => {
    const answer = await post('/webhook/trace', body, headers)
    expect(answer.status).toBe(status)
    expect(answer.json.success).toBe(status === 200)
    if (code) expect(answer.json.code).toBe(code)
    await staysUsable()
  })

  it.each(cases.filter((each) => each.item))(
    '$name, in a batch, and its neighbours are stored',
    async ({ body, item }) => {
      const id = freshId()
      const good = JSON.stringify(trace({ trace_id: id }))
      const other = body.toString().replace(/"trace_?[iI]d":"/, (key) => `${key}b-`)
      const answer = await post('/webhook/batch', `{"traces":[${other},${good}],"source":"s"}`)
      expect(answer.json.results.map((result: { status: string }) => result.status)).toEqual([item, 'created'])
      expect(answer.status).toBe(item === 'created' ? 200 : 207)
      expect((await server.send({ path: `/api/v1/traces/${id}` })).status).toBe(200)
      await staysUsable()
    },
  )

  it('bodies of 10 MB: too many for one trace, not for a batch', async () => {
    const texts = Array.from({ length: 10 }, (_, n) =>
      trace({ trace_id: `mb-${n}`, ai_response: 'x'.repeat(1_000_000) }),
    )
    const batch = JSON.stringify({ traces: texts, source: 's' })
    expect(await post('/webhook/trace', batch)).toMatchObject({ status: 413, json: { code: 'body_too_large' } })
    await staysUsable()
    expect((await post('/webhook/batch', batch)).json.processed_count).toBe(10)
    await staysUsable()
  })

  it.each([
    ['/webhook/trace', limits.traceBytes],
    ['/webhook/batch', limits.batchBytes],
  ])('bodies at the limit of %s and one byte past it', async (path, max) => {
    const id = freshId()
    const one = trace({ trace_id: id })
    const text = path.endsWith('trace') ? JSON.stringify(one) : JSON.stringify({ traces: [one], source: 's' })
    expect((await post(path, text.padEnd(max))).status).toBe(200)
    expect(await post(path, text.padEnd(max + 1))).toMatchObject({ status: 413, json: { code: 'body_too_large' } })
    await staysUsable()
  })

  it('a batch of 100 with one NUL and one duplicate, with every item accounted for', async () => {
    const traces = Array.from({ length: 100 }, (_, n) => trace({ trace_id: `h-${n}` }))
    traces[40] = trace({ trace_id: 'h-\0' })
    traces[70] = trace({ trace_id: 'h-7' })
    const answer = await post('/webhook/batch', JSON.stringify({ traces, source: 's' }))
    expect(answer.status).toBe(207)
    const statuses = answer.json.results.map((result: { status: string }) => result.status) as string[]
    expect(statuses.filter((status) => status === 'created')).toHaveLength(98)
    expect([statuses[40], statuses[70]]).toEqual(['invalid', 'duplicate'])
    expect(answer.json).toMatchObject({ processed_count: 99, batch_id: expect.any(String) as string })
  })
})
