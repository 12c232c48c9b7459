import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ground, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { traceSlices } from './trace-slices.ts'

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

const id = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.uuid(), fc.string({ unit: 'binary' }))
const field = fc.constantFrom(
  'trace_id',
  'traceId',
  'timestamp',
  'model_name',
  'modelName',
  'user_query',
  'ai_response',
  'system_prompt',
  'functions_called',
  'metadata',
  'tokens_used',
  'response_time_ms',
  'cost',
  'session_id',
  'user_id',
  'source',
  'extra',
  '__proto__',
  'constructor',
)
const value = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.bigInt().map(String),
  fc.constantFrom(null, '2025-01-27T12:00:00Z', [], {}),
)
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }))
/** Fields that mostly fit, so that many traces come through to the store. */
const fittingFields = fc.record(
  {
    timestamp: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map((date) => date.toISOString()),
    user_query: text,
    aiResponse: text,
    ai_response: fc.constant(undefined),
    system_prompt: fc.option(text),
    functions_called: fc.array(
      fc.record({ name: fc.string({ minLength: 1 }), parameters: fc.jsonValue(), result: fc.jsonValue() }),
    ),
    metadata: fc.option(fc.dictionary(text, fc.jsonValue())),
    tokens_used: fc.option(fc.nat()),
    response_time_ms: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    cost: fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
    session_id: fc.option(fc.uuid()),
    userId: fc.option(fc.uuid()),
    unknown: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const junkFields = fc.dictionary(field, value, { maxKeys: 3 })
const anyTrace = fc
  .tuple(id, fittingFields, fc.option(junkFields, { freq: 3 }))
  .map(([trace_id, fields, junk]) => ({ ...trace({ trace_id }), ...fields, ...junk }))
const anyBatch = fc.oneof(
  fc.record({
    traces: fc.array(fc.oneof({ weight: 5, arbitrary: anyTrace }, fc.jsonValue()), { minLength: 1, maxLength: 8 }),
    source: fc.constant('s'),
  }),
  fc.record(
    { traces: fc.oneof(fc.array(anyTrace), fc.jsonValue()), source: value, batch_id: value, batchId: value },
    { requiredKeys: [] },
  ),
)

/** JSON text with exotic numbers put in, cut, doubled or with bytes changed. */
const mutation = fc.oneof(
  { weight: 6, arbitrary: fc.constant((sent: string) => sent) },
  fc
    .constantFrom('1e400', '-1e-400', '12345678901234567890', 'NaN', '01', '-', '{', '[[[[', '"', '\\u0000', '\0')
    .map((piece) => (text: string) => text.replace(/(?<=:)[^,{}[\]]*/, () => piece)),
  fc.tuple(fc.nat(), fc.nat()).map(([from, length]) => (text: string) => {
    const start = from % (text.length + 1)
    return text.slice(0, start) + text.slice(start + (length % 20))
  }),
  fc.tuple(fc.nat(), fc.string({ unit: 'binary', maxLength: 6 })).map(([at, piece]) => (text: string) => {
    const start = at % (text.length + 1)
    return text.slice(0, start) + piece + text.slice(start)
  }),
)
const jsonBody = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: anyTrace }, { weight: 3, arbitrary: anyBatch }, fc.jsonValue(), fc.object()),
    mutation,
  )
  .map(([sent, mutate]) => Buffer.from(mutate(JSON.stringify(sent) ?? '')))
const body = fc.oneof(
  { weight: 8, arbitrary: jsonBody },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: jsonBody.map((bytes) => gzipSync(bytes)) },
  { weight: 1, arbitrary: fc.tuple(jsonBody, fc.nat(60)).map(([bytes, kept]) => gzipSync(bytes).subarray(0, kept)) },
)
const headers = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('gzip', 'GZIP', 'x-gzip', 'identity', 'br', 'gzip, gzip', '')
      .map((encoding) => ({ 'content-encoding': encoding })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        'application/json; charset=latin1',
        'text/plain',
        'application/xml',
        'multipart/form-data; boundary=x',
        'application/jsonp',
        '/',
        'json',
        '',
      )
      .map((type) => ({ 'content-type': type })),
  },
)
const path = fc.constantFrom('/webhook/trace', '/webhook/batch', '/api/v1/webhook/trace', '/api/v1/webhook/batch')

describe('whatever is sent to the ingest routes', () => {
  it('is answered as documented, harms neither the connection nor later traces, and every trace said to be created exists', async () => {
    let sent = 0
    const created = new Set<string>()
    await fc.assert(
      fc.asyncProperty(path, body, headers, async (to, bytes, given) => {
        const answer = await server.send({ path: to, body: bytes, headers: given })
        expect([200, 207, 400, 409, 413, 415, 422]).toContain(answer.status)
        expect(answer.json.success).toBe(answer.status < 300)
        expect(answer.json.trace_ids).toBeInstanceOf(Array)
        expect(answer.headers['x-request-id']).toBeDefined()
        for (const result of answer.json.results ?? []) if (result.status === 'created') created.add(result.trace_id)
        if (++sent % 10 === 0) {
          const good = await server.send({ path: '/webhook/trace', body: trace({ trace_id: `good-${sent}` }) })
          expect(good.status).toBe(200)
          created.add(`good-${sent}`)
        }
        expect(server.connections()).toBe(1)
      }),
      { numRuns: 600 },
    )
    expect((await server.send({ path: '/webhook/stats' })).json.total_traces).toBe(created.size)
    for (const traceId of created) {
      const found = await server.send({ path: `/api/v1/traces/${encodeURIComponent(traceId)}` })
      expect(found.json.trace_id).toBe(traceId)
    }
  })
})
