import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { Failure, limits } from '@llm-eval/protocol'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Ground, type GroundOptions, noon, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { removeTraces, traceSlices } from './trace-slices.ts'

const seedTrace = {
  trace_id: 'unique_trace_id',
  timestamp: '2025-01-27T12:00:00Z',
  model_name: 'gpt-4',
  user_query: 'What is machine learning?',
  system_prompt: 'You are a helpful AI assistant',
  ai_response: 'Machine learning is a subset of artificial intelligence...',
  functions_called: [
    { name: 'search_knowledge_base', parameters: { query: 'machine learning' }, result: 'Found 15 relevant articles' },
  ],
  metadata: { temperature: 0.7, max_tokens: 1000, user_id: 'user_123' },
  tokens_used: 245,
  response_time_ms: 850,
  cost: 0.0012,
}

describe.each([
  ['in memory', false],
  ['over a socket', true],
])('ingest, %s', (_way, overSocket) => {
  let shelf: Shelf
  let server: Ground
  const start = async (options: GroundOptions = {}) => {
    server = await startGround({ shelf, slices: traceSlices, overSocket, ...options })
  }
  beforeAll(async () => {
    shelf = await openShelf()
    return async () => shelf.close()
  })
  afterEach(async () => {
    await server.close()
    await removeTraces(shelf.store)
  })
  const sendTrace = (body: unknown, headers: Record<string, string> = {}) =>
    server.send({ path: '/webhook/trace', body, headers })
  const sendBatch = (body: unknown, headers: Record<string, string> = {}) =>
    server.send({ path: '/webhook/batch', body, headers })
  const stored = async (id: string) => {
    const answer = await server.send({ path: `/api/v1/traces/${id}` })
    return answer.status === 200 ? answer.json : answer.status
  }
  const total = async () => (await server.send({ path: '/webhook/stats' })).json.total_traces as number

  it('stores the trace of the source document and answers in its words', async () => {
    await start()
    const answer = await sendTrace(seedTrace)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      success: true,
      message: 'Trace received and processed successfully',
      processed_count: null,
      errors: null,
      trace_ids: ['unique_trace_id'],
      results: [{ trace_id: 'unique_trace_id', status: 'created' }],
    })
    expect(await stored('unique_trace_id')).toMatchObject({
      ...seedTrace,
      timestamp: '2025-01-27T12:00:00.000Z',
      evaluation_status: 'pending',
      user_id: 'user_123',
      session_id: null,
      source: null,
      batch_id: null,
      extra: {},
    })
  })

  it('stores the batch of the source document and answers in its words', async () => {
    await start()
    const answer = await sendBatch({
      traces: [
        { trace_id: 'trace_1', model_name: 'gpt-4', user_query: 'First query', ai_response: 'First response' },
        {
          trace_id: 'trace_2',
          model_name: 'gpt-3.5-turbo',
          user_query: 'Second query',
          ai_response: 'Second response',
        },
      ],
      source: 'production_app',
      batch_id: 'batch_123',
    })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      success: true,
      message: 'Processed 2 of 2 traces',
      processed_count: 2,
      errors: null,
      trace_ids: ['trace_1', 'trace_2'],
      results: [
        { trace_id: 'trace_1', status: 'created' },
        { trace_id: 'trace_2', status: 'created' },
      ],
      batch_id: 'batch_123',
    })
    expect(await stored('trace_2')).toMatchObject({ source: 'production_app', batch_id: 'batch_123' })
  })

  it('serves the same under /api/v1', async () => {
    await start()
    expect((await server.send({ path: '/api/v1/webhook/trace', body: seedTrace })).status).toBe(200)
    const batch = { traces: [trace()], source: 's', batch_id: 'b' }
    expect((await server.send({ path: '/api/v1/webhook/batch', body: batch })).status).toBe(200)
    expect((await server.send({ path: '/api/v1/webhook/batches/b' })).json).toMatchObject({ processed_count: 1 })
    expect((await server.send({ path: '/api/v1/webhook/stats' })).json.total_traces).toBe(2)
    expect((await server.send({ path: '/api/v1/webhook/health' })).json.status).toBe('healthy')
  })

  it('counts what was stored, today by UTC date', async () => {
    await start()
    await sendTrace(seedTrace)
    await sendTrace(trace({ trace_id: 'old', timestamp: '2025-01-26T23:59:59.999Z' }))
    expect((await server.send({ path: '/webhook/stats' })).json).toEqual({
      total_traces: 2,
      today_traces: 1,
      pending_evaluation: 2,
      timestamp: '2025-01-27T12:00:00.000Z',
    })
  })

  it('says that it is healthy, and when the store is not', async () => {
    await start()
    expect((await server.send({ path: '/webhook/health' })).json).toEqual({
      status: 'healthy',
      timestamp: '2025-01-27T12:00:00.000Z',
      endpoints: [
        '/webhook/trace',
        '/webhook/batch',
        '/webhook/stats',
        '/webhook/health',
        '/webhook/batches/:batch_id',
      ],
    })
    const ping = server.store.ping.bind(server.store)
    server.store.ping = () => Promise.reject(new Error('gone'))
    expect(await server.send({ path: '/webhook/health' })).toMatchObject({
      status: 503,
      json: { success: false, code: 'storage_unavailable' },
    })
    server.store.ping = ping
  })

  it('answers a trace that was sent before with success, and counts it once', async () => {
    await start()
    await sendTrace(seedTrace)
    const shuffled = JSON.stringify(Object.fromEntries(Object.entries(seedTrace).reverse()), undefined, 2)
    const again = await sendTrace(shuffled)
    expect(again.status).toBe(200)
    expect(again.json).toMatchObject({
      success: true,
      trace_ids: ['unique_trace_id'],
      results: [{ trace_id: 'unique_trace_id', status: 'duplicate' }],
    })
    expect(again.json.message).toContain('duplicate')
    expect(await total()).toBe(1)
  })

  it('stores a trace once however many send it at the same moment', async () => {
    await start()
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => sendTrace(trace({ cost: n % 3 }))))
    const created = answers.filter((answer) => answer.json.results?.[0].status === 'created')
    expect(created).toHaveLength(1)
    const statuses = answers.map((answer) => answer.status).sort((a, b) => a - b)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), ...Array.from({ length: 20 }, () => 409)])
    expect(await total()).toBe(1)
  })

  it('answers other content under the same id with 409 and keeps the first', async () => {
    await start()
    await sendTrace(seedTrace)
    const answer = await sendTrace({ ...seedTrace, ai_response: 'other' })
    expect(answer).toMatchObject({ status: 409, json: { success: false, code: 'trace_conflict', trace_ids: [] } })
    expect(await stored('unique_trace_id')).toMatchObject({ ai_response: seedTrace.ai_response })
    expect(await total()).toBe(1)
  })

  it('answers a deleted id with 410, and in a batch with a conflict that says so', async () => {
    await start()
    await sendTrace(trace({ trace_id: 'gone' }))
    expect((await server.send({ method: 'DELETE', path: '/api/v1/traces/gone' })).json).toEqual({ deleted: 1 })
    expect(await sendTrace(trace({ trace_id: 'gone' }))).toMatchObject({
      status: 410,
      json: { success: false, code: 'trace_deleted' },
    })
    const batch = await sendBatch({ traces: [trace({ trace_id: 'gone' }), trace({ trace_id: 't-2' })], source: 's' })
    expect(batch.status).toBe(207)
    expect(batch.json.results).toMatchObject([{ trace_id: 'gone', status: 'conflict' }, { status: 'created' }])
    expect(batch.json.results[0].error).toContain('deleted')
    expect(await sendBatch({ traces: [trace({ trace_id: 'gone' })], source: 's' })).toMatchObject({
      status: 409,
      json: { success: false },
    })
    expect(await total()).toBe(1)
  })

  it('answers a trace that does not fit with 422 and every fault', async () => {
    await start()
    const answer = await sendTrace({ trace_id: '', user_query: 'q', ai_response: 'r', cost: -1 })
    expect(answer.status).toBe(422)
    expect(answer.json).toMatchObject({
      success: false,
      message: 'The request does not fit the schema.',
      processed_count: null,
      errors: ['trace_id: must not be empty', 'model_name: is required', 'cost: must not be negative'],
      trace_ids: [],
      code: 'invalid_request',
    })
    expect(await total()).toBe(0)
  })

  it('answers malformed JSON with 400 and the place of the fault', async () => {
    await start()
    const answer = await sendTrace('{"trace_id": "a",}')
    expect(answer).toMatchObject({ status: 400, json: { success: false, code: 'malformed_json' } })
    expect(answer.json.message).toContain('position 17')
  })

  it('warns of unknown fields and keeps them', async () => {
    await start()
    const answer = await sendTrace(trace({ respone_time_ms: 5 }))
    expect(answer.json.results[0].warnings).toEqual([
      'unknown field "respone_time_ms" is kept under extra; did you mean response_time_ms?',
    ])
    expect(await stored('t-1')).toMatchObject({ extra: { respone_time_ms: 5 }, response_time_ms: null })
    const batch = await sendBatch({ traces: [trace({ trace_id: 't-2', foo: 1 })], source: 's', sources: 1 })
    expect(batch.json.results[0].warnings).toEqual(['unknown field "foo" is kept under extra'])
    expect(batch.json.warnings).toEqual(['unknown field "sources" is ignored; did you mean source?'])
  })

  it('stores what is good of a batch and tells what is not, item by item', async () => {
    await start()
    await sendTrace(trace({ trace_id: 'same' }))
    await sendTrace(trace({ trace_id: 'other' }))
    const answer = await sendBatch({
      traces: [
        trace({ trace_id: 'new' }),
        trace({ trace_id: 'same' }),
        trace({ trace_id: 'other', ai_response: 'changed' }),
        trace({ trace_id: 'bad', cost: 'free' }),
        'no trace at all',
        trace({ trace_id: 'new' }),
        trace({ trace_id: 'new', ai_response: 'changed' }),
      ],
      source: 's',
    })
    expect(answer.status).toBe(207)
    expect(answer.json).toMatchObject({
      success: true,
      message: 'Processed 3 of 7 traces (2 of them stored before)',
      processed_count: 3,
      trace_ids: ['new', 'same', 'new'],
      results: [
        { trace_id: 'new', status: 'created' },
        { trace_id: 'same', status: 'duplicate' },
        { trace_id: 'other', status: 'conflict' },
        { trace_id: 'bad', status: 'invalid', error: 'traces[3].cost: must be of type number, not string' },
        { trace_id: null, status: 'invalid' },
        { trace_id: 'new', status: 'duplicate' },
        { trace_id: 'new', status: 'conflict' },
      ],
    })
    expect(answer.json.errors).toHaveLength(4)
    expect(answer.json.errors[0]).toMatch(/^traces\[2\]: .*exists already/)
    expect(answer.json.errors[1]).toBe('traces[3].cost: must be of type number, not string')
    expect(answer.json.code).toBeUndefined()
    expect(await total()).toBe(3)
  })

  it('answers a batch of duplicates with 200, of bad items with 422, of conflicts with 409, of both with 422', async () => {
    await start()
    const good = { traces: [trace(), trace({ trace_id: 't-2' })], source: 's' }
    await sendBatch(good)
    expect(await sendBatch(good)).toMatchObject({ status: 200, json: { success: true, processed_count: 2 } })
    const bad = trace({ trace_id: 't-3', model_name: '' })
    const changed = trace({ ai_response: 'changed' })
    const nothing = { success: false, processed_count: 0, trace_ids: [] }
    expect(await sendBatch({ traces: [bad, bad], source: 's' })).toMatchObject({
      status: 422,
      json: { ...nothing, code: 'invalid_request' },
    })
    expect(await sendBatch({ traces: [changed, changed], source: 's' })).toMatchObject({
      status: 409,
      json: { ...nothing, code: 'trace_conflict' },
    })
    expect(await sendBatch({ traces: [changed, bad], source: 's' })).toMatchObject({ status: 422, json: nothing })
    expect(await total()).toBe(2)
  })

  it('accepts as many traces as a batch may hold and stores none of one more', async () => {
    await start()
    const traces = (count: number, prefix: string) =>
      Array.from({ length: count }, (_, index) => trace({ trace_id: `${prefix}-${index}` }))
    const past = await sendBatch({ traces: traces(limits.batchTraces + 1, 'past'), source: 's' })
    expect(past).toMatchObject({ status: 413, json: { success: false, code: 'batch_too_large', processed_count: 0 } })
    expect(await total()).toBe(0)
    const edge = await sendBatch({ traces: traces(limits.batchTraces, 'edge'), source: 's' })
    expect(edge).toMatchObject({ status: 200, json: { processed_count: limits.batchTraces } })
    expect(await total()).toBe(limits.batchTraces)
  })

  it('says what a batch lacks', async () => {
    await start()
    expect((await sendBatch({ traces: [trace()] })).json).toMatchObject({ errors: ['source: is required'] })
    expect((await sendBatch({ source: 's', traces: 'x' })).json.errors[0]).toMatch(/^traces: must be/)
    const array = await sendBatch([trace()])
    expect(array.status).toBe(422)
    expect(array.json.errors[0]).toContain('put the array under `traces`')
  })

  it('keeps a receipt for each batch, also under an id it made up', async () => {
    await start()
    const answer = await sendBatch({ traces: [trace(), trace({ trace_id: 'bad', cost: -1 })], source: 's' })
    expect(answer.json.batch_id).toMatch(/^batch_[0-9a-f]{24}$/)
    const receipt = await server.send({ path: `/webhook/batches/${answer.json.batch_id}` })
    expect(receipt.json).toEqual({
      batch_id: answer.json.batch_id,
      source: 's',
      received_at: '2025-01-27T12:00:00.000Z',
      processed_count: 1,
      results: [
        { trace_id: 't-1', status: 'created' },
        { trace_id: null, status: 'invalid', error: 'traces[1].cost: must not be negative' },
      ],
    })
    expect(await server.send({ path: '/webhook/batches/never' })).toMatchObject({
      status: 404,
      json: { code: 'batch_not_found' },
    })
    expect((await sendBatch({ traces: [trace({ cost: -1 })], source: 's', batch_id: 'nothing' })).status).toBe(422)
    expect((await server.send({ path: '/webhook/batches/nothing' })).status).toBe(404)
  })

  it('inflates gzip', async () => {
    await start()
    const answer = await sendTrace(gzipSync(JSON.stringify(seedTrace)), { 'content-encoding': 'gzip' })
    expect(answer.status).toBe(200)
  })

  it('passes on that the store is overloaded, with Retry-After and nothing stored', async () => {
    await start()
    const ingest = server.store.ingest.bind(server.store)
    server.store.ingest = () => Promise.reject(new Failure('overloaded', { retryAfter: 2 }))
    for (const answer of [await sendTrace(trace()), await sendBatch({ traces: [trace()], source: 's' })]) {
      expect(answer).toMatchObject({
        status: 503,
        headers: { 'retry-after': '2' },
        json: { success: false, code: 'overloaded' },
      })
    }
    server.store.ingest = ingest
    expect(await total()).toBe(0)
    expect((await sendTrace(trace())).status).toBe(200)
  })

  describe('with a webhook secret', () => {
    const secret = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0'
    const key = Buffer.from('c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0', 'base64')
    const startSigned = () => start({ config: { webhook_secrets: [{ secret, expires_at: null }] } })
    const signed = (body: string, id: string) => {
      const at = String(noon / 1000)
      const mac = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')
      return { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': `v1,${mac}` }
    }

    it('refuses what is not signed, or signed for another body', async () => {
      await startSigned()
      const body = JSON.stringify(trace())
      expect(await sendTrace(body)).toMatchObject({ status: 401, json: { success: false, code: 'bad_signature' } })
      expect((await sendTrace(`${body} `, signed(body, 'm-1'))).status).toBe(401)
      expect(await total()).toBe(0)
    })

    it('takes the same message again as a duplicate, and refuses its id with another body', async () => {
      await startSigned()
      const body = JSON.stringify(trace())
      const other = JSON.stringify(trace({ trace_id: 't-2' }))
      expect((await sendTrace(body, signed(body, 'm-1'))).json.results[0].status).toBe('created')
      const again = await sendTrace(body, signed(body, 'm-1'))
      expect(again).toMatchObject({ status: 200, json: { results: [{ status: 'duplicate' }] } })
      expect(await sendTrace(other, signed(other, 'm-1'))).toMatchObject({ status: 409, json: { code: 'replayed_id' } })
      const batch = JSON.stringify({ traces: [trace({ trace_id: 't-3' })], source: 's' })
      expect(await sendBatch(batch, signed(batch, 'm-1'))).toMatchObject({ status: 409, json: { code: 'replayed_id' } })
      expect(await total()).toBe(1)
    })
  })

  it('charges the rate limit one for each trace, and one for a request that cannot be read', async () => {
    await start()
    const rate_limits = { traces_per_minute: 100, reads_per_minute: 0, streams_per_minute: 0 }
    await start({
      config: {
        rate_limits,
        host: '0.0.0.0',
        allowed_hosts: ['127.0.0.1'],
        webhook_secrets: [{ secret: 'a-shared-secret', expires_at: null }],
      },
    })
    const sign = (body: string) => ({
      signature: `sha256=${createHmac('sha256', 'a-shared-secret').update(body).digest('hex')}`,
    })
    const send = (path: string, value: unknown) => {
      const body = typeof value === 'string' ? value : JSON.stringify(value)
      return server.send({ path, body, headers: sign(body) })
    }
    // Without a key it is a tenth: ten traces.
    const left = async (path: string, value: unknown) => (await send(path, value)).headers['x-rate-limit-remaining']
    expect(String(await left('/webhook/trace', trace()))).toBe('9')
    const batch = { traces: [1, 2, 3].map((n) => trace({ trace_id: `b-${n}` })), source: 's' }
    expect(String(await left('/webhook/batch', batch))).toBe('6')
    expect(String(await left('/webhook/batch', '{'))).toBe('5')
    expect(String(await left('/webhook/trace', '{'))).toBe('4')
    const tooMany = { traces: [1, 2, 3, 4, 5].map((n) => trace({ trace_id: `c-${n}` })), source: 's' }
    const refused = await send('/webhook/batch', tooMany)
    expect(refused).toMatchObject({ status: 429, json: { success: false, code: 'rate_limited' } })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  })

  it('counts traces by what became of them, requests by why they were refused, and bytes', async () => {
    await start()
    const body = JSON.stringify(trace())
    await sendTrace(body)
    await sendTrace(body)
    await sendTrace(trace({ ai_response: 'changed' }))
    await sendTrace('{')
    await sendBatch({ traces: [trace({ trace_id: 't-2' }), trace({ trace_id: 't-3', cost: -1 })], source: 's' })
    const { values } = await server.deps.meters.ingested.get()
    const counts = Object.fromEntries(
      values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.outcome, value]),
    )
    expect(counts).toEqual({ created: 2, duplicate: 1, conflict: 1, malformed_json: 1, invalid: 1 })
    const bytes = await server.deps.meters.ingestedBytes.get()
    expect(bytes.values[0]?.value).toBeGreaterThan(body.length * 2)
  })
})
