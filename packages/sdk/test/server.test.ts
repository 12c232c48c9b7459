import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LLMEvalClient, LLMEvalStreamClient, type StreamFrame, TraceLogger } from '../src/index.ts'
import { type RealServer, startRealServer } from './real-server.ts'

let prefix = 0
/** Traces that no other test has: ids and model are their own. */
function someTraces(count: number) {
  const model = `model-${++prefix}`
  const trace = (index: number) => ({
    traceId: `${model}/${index}`,
    modelName: model,
    userQuery: `question ${index}`,
    aiResponse: `answer ${index} 語🙂`,
    responseTimeMs: index,
    cost: 0.001 * index,
    sessionId: `s${index % 3}`,
  })
  return { model, trace, traces: Array.from({ length: count }, (_, index) => trace(index)) }
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

describe('with the real server, the client', () => {
  let server: RealServer
  let client: LLMEvalClient

  beforeAll(async () => {
    server = await startRealServer()
    client = new LLMEvalClient(server.url)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it('finds a trace at once after it was sent, with everything in it', async () => {
    const { trace } = someTraces(1)
    const metadata = { temperature: 0.7, userTier: 'pro', nested: { maxTokens: [1, { topP: 1 }] }, __odd__: null }
    const functionsCalled = [{ name: 'search', parameters: { maxRows: 5 }, result: { rowCount: 2 } }]
    const sent = {
      ...trace(0),
      tokensUsed: 25,
      responseTimeMs: 850,
      cost: 0.002,
      metadata,
      functionsCalled,
      timestamp: new Date('2025-01-27T12:00:00Z'),
    }
    expect(await client.sendTrace(sent)).toMatchObject({ success: true, trace_ids: [sent.traceId] })
    expect(await client.getTrace(sent.traceId)).toMatchObject({
      trace_id: sent.traceId,
      timestamp: '2025-01-27T12:00:00.000Z',
      ai_response: 'answer 0 語🙂',
      tokens_used: 25,
      response_time_ms: 850,
      cost: 0.002,
      session_id: 's0',
      metadata,
      functions_called: functionsCalled,
      extra: {},
      evaluation_status: 'pending',
    })
  })

  it('may send the same trace twice, and hears of a conflict when it is not the same', async () => {
    const { trace } = someTraces(1)
    await client.sendTrace(trace(0))
    expect((await client.sendTrace(trace(0))).results).toMatchObject([{ status: 'duplicate' }])
    const other = client.sendTrace({ ...trace(0), aiResponse: 'something else' })
    await expect(other).rejects.toMatchObject({ code: 'failed', status: 409, failure: 'trace_conflict' })
  })

  it('hears what is wrong with a trace', async () => {
    const { trace } = someTraces(1)
    const sending = client.sendTrace({ ...trace(0), cost: -1, tokensUsed: 1.5 })
    await expect(sending).rejects.toMatchObject({ status: 422, failure: 'invalid_request' })
    const error = (await sending.catch((thrown: unknown) => thrown)) as { message: string }
    expect(error.message).toMatch(/cost.*must not be negative/)
    expect(error.message).toMatch(/tokens_used.*whole number/)
  })

  it('sends any number of traces, and reads them all again page by page, newest first, none twice', async () => {
    const { model, traces } = someTraces(450)
    const answer = await client.sendTracesBatch(traces, 'my_app', `batch-${model}`)
    expect(answer).toMatchObject({ success: true, message: 'Processed 450 of 450 traces', errors: null })
    expect(answer.batch_ids).toHaveLength(5)
    const listed = await collect(client.allTraces({ modelName: model, limit: 77 }))
    expect(listed.map((one) => one.trace_id).sort()).toEqual(traces.map((one) => one.traceId).sort())
    expect(listed[0]?.source).toBe('my_app')
    const times = listed.map((one) => one.timestamp)
    expect(times).toEqual([...times].sort().reverse())
  })

  it('stores the good ones of a batch and says what became of the others, by their place among all', async () => {
    const { traces } = someTraces(150)
    const [first] = traces
    if (!first) throw new Error('unreachable')
    await client.sendTrace(first)
    const spoiled = traces.map((one, index) => (index === 120 ? { ...one, cost: -1 } : one))
    const answer = await client.sendTracesBatch(spoiled)
    expect(answer).toMatchObject({ success: true, processed_count: 149 })
    expect(answer.results?.[0]?.status).toBe('duplicate')
    expect(answer.results?.[120]?.status).toBe('invalid')
    expect(answer.errors).toEqual([expect.stringMatching(/^traces\[120\].*cost.*negative/)])
  })

  it('lists with every filter it knows', async () => {
    const { model, traces } = someTraces(10)
    await client.sendTracesBatch(traces, model)
    const idsOf = async (query: Parameters<LLMEvalClient['getTraces']>[0]) =>
      (await client.getTraces(query)).items.map((one) => Number(one.trace_id.split('/')[1])).sort((a, b) => a - b)
    expect(await idsOf({ modelName: model, minLatency: 3, maxLatency: 5 })).toEqual([3, 4, 5])
    expect(await idsOf({ modelName: model, minCost: 0.008 })).toEqual([8, 9])
    expect(await idsOf({ source: model, sessionId: 's1' })).toEqual([1, 4, 7])
    expect(await idsOf({ modelName: model, from: new Date(Date.now() + 60_000) })).toEqual([])
    expect(
      await idsOf({ modelName: model, to: new Date(Date.now() + 60_000), evaluationStatus: 'pending' }),
    ).toHaveLength(10)
    expect((await client.getTraces(3, 'pending')).items).toHaveLength(3)
  })

  it('reviews, and two reviewers cannot overwrite each other', async () => {
    const { trace } = someTraces(1)
    await client.sendTrace(trace(0))
    const { version } = await client.getTrace(trace(0).traceId)
    const reviewed = await client.evaluateTrace(trace(0).traceId, 'rejected', 'Hallucinated information', 'made up')
    expect(reviewed).toMatchObject({
      evaluation_status: 'rejected',
      review: { reason: 'hallucinated', note: 'made up' },
    })
    const late = client.evaluateTrace(trace(0).traceId, 'accepted', { expectedVersion: version })
    await expect(late).rejects.toMatchObject({
      status: 409,
      failure: 'version_conflict',
      body: { version: reviewed.version },
    })
    const decided = await client.evaluateTrace(trace(0).traceId, 'accepted', {
      reviewer: 'ada',
      expectedVersion: reviewed.version,
    })
    expect(decided).toMatchObject({ evaluation_status: 'accepted', review: { reviewer: 'ada' } })
    await expect(client.evaluateTrace(trace(0).traceId, 'rejected')).rejects.toMatchObject({
      failure: 'invalid_request',
    })
  })

  it('deletes for good', async () => {
    const { trace } = someTraces(1)
    await client.sendTrace(trace(0))
    expect(await client.deleteTrace(trace(0).traceId)).toBeUndefined()
    await expect(client.getTrace(trace(0).traceId)).rejects.toMatchObject({
      code: 'not_found',
      failure: 'trace_not_found',
    })
    await expect(client.sendTrace(trace(0))).rejects.toMatchObject({ status: 410, failure: 'trace_deleted' })
  })

  it('asks for stats, metrics and health', async () => {
    const { trace } = someTraces(1)
    await client.sendTrace(trace(0))
    const before = await client.metrics()
    await client.evaluateTrace(trace(0).traceId, 'accepted')
    const after = await client.metrics()
    expect(after.accepted_traces).toBe(before.accepted_traces + 1)
    expect(await client.getStats()).toMatchObject({
      total_traces: after.total_traces,
      pending_evaluation: after.pending_traces,
    })
    expect(await client.healthCheck()).toMatchObject({ status: 'healthy' })
  })

  it('says that the base URL is wrong when something else answers there', async () => {
    const lost = new LLMEvalClient(`${server.url}/elsewhere`)
    await expect(lost.getStats()).rejects.toMatchObject({ code: 'not_found', failure: 'route_not_found' })
  })

  it('logs measured calls, and those that threw', async () => {
    const { model } = someTraces(0)
    const logger = new TraceLogger(client, model)
    await logger.run('good', () => Promise.resolve('fine'))
    await logger.run('bad', () => Promise.reject(new Error('model is down'))).catch(() => undefined)
    await logger.flush()
    const [bad, good] = await Promise.all(
      ['bad', 'good'].map(async (query) => {
        const one = (await client.getTraces({ modelName: model })).items.find((item) => item.user_query === query)
        return client.getTrace(one?.trace_id ?? '')
      }),
    )
    expect(good).toMatchObject({ ai_response: 'fine', response_time_ms: expect.any(Number) as number })
    expect(bad).toMatchObject({ ai_response: '', metadata: { error: { name: 'Error', message: 'model is down' } } })
  })

  it('buffers thousands of traces and accounts for each', async () => {
    const { model, traces } = someTraces(3_000)
    const sender = client.buffered({ source: 'buffered' })
    for (const one of traces) sender.send(one)
    sender.send({ ...traces[5], aiResponse: 'another' } as never)
    sender.send(traces[6] as never)
    sender.send({ modelName: model, userQuery: 'q', aiResponse: 'a', cost: -1 })
    expect(await sender.close()).toEqual({
      sent: 3_000,
      duplicates: 1,
      conflicts: 1,
      invalid: 1,
      dropped: 0,
      pending: 0,
    })
    expect(await collect(client.allTraces({ modelName: model, limit: 200 }))).toHaveLength(3_000)
  })
})

describe('with a server that wants keys, the client', () => {
  const adminKey = 'an-admin-key-made-elsewhere'
  let server: RealServer

  beforeAll(async () => {
    server = await startRealServer({ admin_key: adminKey })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  async function makeKey(scopes: string[]): Promise<string> {
    const response = await fetch(`${server.url}/api/v1/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
      body: JSON.stringify({ name: `key ${scopes.join()}`, scopes }),
    })
    return ((await response.json()) as { key: string }).key
  }

  it('is let in with its key only, and only to what the key may do', async () => {
    const { trace } = someTraces(1)
    await expect(new LLMEvalClient(server.url).sendTrace(trace(0))).rejects.toMatchObject({ code: 'auth', status: 401 })
    await expect(new LLMEvalClient(server.url, 'wrong').getStats()).rejects.toMatchObject({
      code: 'auth',
      failure: 'invalid_key',
    })
    const ingest = new LLMEvalClient(server.url, await makeKey(['ingest']))
    await ingest.sendTrace(trace(0))
    await expect(ingest.getTraces()).rejects.toMatchObject({ code: 'auth', status: 403, failure: 'forbidden' })
    const reader = new LLMEvalClient(server.url, await makeKey(['read']))
    expect((await reader.getTrace(trace(0).traceId)).trace_id).toBe(trace(0).traceId)
  })

  it('streams with its key; without one the stream ends with an error', async () => {
    const frame = await new Promise<StreamFrame>((resolve) => {
      const streams = new LLMEvalStreamClient(server.url, adminKey)
      const stop = streams.streamMetrics((one) => {
        if (one.event !== 'metrics_update') return
        stop()
        resolve(one)
      }, 1)
    })
    expect(frame).toMatchObject({ data: { total_traces: expect.any(Number) as number } })
    const error = await new Promise((onError) =>
      new LLMEvalStreamClient(server.url, { onError }).streamEvents(() => {}),
    )
    expect(error).toMatchObject({ code: 'auth', status: 401 })
  })
})

describe('with a server that wants signatures, the client', () => {
  it.each(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'any old secret é'])(
    'is let in when it signs with %s, and not otherwise',
    async (secret) => {
      await using server = await startRealServer({ webhook_secrets: [{ secret, expires_at: null }] })
      const { trace, traces } = someTraces(120)
      const unsigned = new LLMEvalClient(server.url).sendTrace(trace(0))
      await expect(unsigned).rejects.toMatchObject({ code: 'auth', failure: 'bad_signature' })
      const wrong = new LLMEvalClient(server.url, { webhookSecret: 'another secret' }).sendTrace(trace(0))
      await expect(wrong).rejects.toMatchObject({ code: 'auth', failure: 'bad_signature' })

      const client = new LLMEvalClient(server.url, { webhookSecret: secret })
      await client.sendTrace(trace(0))
      expect((await client.sendTracesBatch(traces)).results?.[0]?.status).toBe('duplicate')
      const sender = client.buffered()
      for (const one of traces) sender.send(one)
      expect(await sender.close()).toMatchObject({ duplicates: 120, pending: 0 })
    },
  )
})
