import { limits } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { LLMEvalClient, LLMEvalError } from '../src/index.ts'
import { type FakeServer, json, startFakeServer, store } from './fake-server.ts'

const trace = { traceId: 't1', modelName: 'gpt-4', userQuery: 'What is AI?', aiResponse: 'AI is…' }

async function withServer<T>(test: (server: FakeServer, client: LLMEvalClient) => Promise<T>): Promise<T> {
  await using server = await startFakeServer(store)
  return await test(server, new LLMEvalClient(server.url, { retries: 0 }))
}

function sent(server: FakeServer, index = 0): Record<string, unknown> {
  return JSON.parse(server.received[index]?.body ?? 'null') as Record<string, unknown>
}

describe('sendTrace', () => {
  it('sends the fields in snake_case and hands out the answer as it came', () =>
    withServer(async (server, client) => {
      const answer = await client.sendTrace({
        ...trace,
        tokensUsed: 25,
        responseTimeMs: 850,
        cost: 0.002,
        functionsCalled: [{ name: 'search', parameters: { maxRows: 1 }, result: { rowCount: 1 } }],
        metadata: { maxTokens: 100, nested: { topP: 1 } },
        timestamp: new Date('2025-01-27T12:00:00Z'),
      })
      expect(answer).toMatchObject({ success: true, trace_ids: ['t1'] })
      expect(server.received[0]).toMatchObject({ method: 'POST', path: '/webhook/trace' })
      expect(server.received[0]?.headers['content-type']).toBe('application/json')
      expect(sent(server)).toEqual({
        trace_id: 't1',
        model_name: 'gpt-4',
        user_query: 'What is AI?',
        ai_response: 'AI is…',
        tokens_used: 25,
        response_time_ms: 850,
        cost: 0.002,
        functions_called: [{ name: 'search', parameters: { maxRows: 1 }, result: { rowCount: 1 } }],
        metadata: { maxTokens: 100, nested: { topP: 1 } },
        timestamp: '2025-01-27T12:00:00.000Z',
      })
    }))

  it('takes snake_case as well', () =>
    withServer(async (server, client) => {
      await client.sendTrace({ trace_id: 't2', model_name: 'm', user_query: 'q', ai_response: 'a', session_id: 's' })
      expect(sent(server)).toEqual({
        trace_id: 't2',
        model_name: 'm',
        user_query: 'q',
        ai_response: 'a',
        session_id: 's',
      })
    }))

  it('makes up an id when there is none, another one each time', () =>
    withServer(async (server, client) => {
      const { traceId: _, ...anonymous } = trace
      await client.sendTrace(anonymous)
      await client.sendTrace(anonymous)
      const ids = [sent(server, 0)['trace_id'], sent(server, 1)['trace_id']]
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(ids[0]).not.toBe(ids[1])
    }))

  it('refuses a trace that cannot be written as JSON, without asking the server', () =>
    withServer(async (server, client) => {
      const circular: Record<string, unknown> = {}
      circular['self'] = circular
      for (const metadata of [circular, { big: 10n }]) {
        const sending = client.sendTrace({ ...trace, metadata })
        await expect(sending).rejects.toMatchObject({
          name: 'LLMEvalError',
          code: 'failed',
          failure: 'invalid_request',
        })
      }
      expect(server.received).toHaveLength(0)
    }))

  it('gives up when the caller does, with the reason of the caller', () =>
    withServer(async (server, client) => {
      const controller = new AbortController()
      server.next(() => controller.abort(new Error('user left')))
      await expect(client.sendTrace(trace, { signal: controller.signal })).rejects.toThrow('user left')
      await expect(client.sendTrace(trace, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
        'too late',
      )
      expect(server.received).toHaveLength(1)
    }))
})

describe('sendTracesBatch', () => {
  const traces = (count: number, text = 'a') =>
    Array.from({ length: count }, (_, index) => ({ ...trace, traceId: `t${index}`, aiResponse: text }))

  it('sends source and batch id with the traces', () =>
    withServer(async (server, client) => {
      const answer = await client.sendTracesBatch(traces(2), 'my_app', 'batch_123')
      expect(sent(server)).toMatchObject({
        source: 'my_app',
        batch_id: 'batch_123',
        traces: [{ trace_id: 't0' }, { trace_id: 't1' }],
      })
      expect(answer).toMatchObject({
        success: true,
        message: 'Processed 2 of 2 traces',
        processed_count: 2,
        batch_id: 'batch_123',
      })
    }))

  it('names a source of its own when none is given, and no batch', () =>
    withServer(async (server, client) => {
      await client.sendTracesBatch(traces(1))
      expect(sent(server)).toEqual({ traces: [expect.anything()], source: 'javascript_sdk' })
    }))

  it('sends as many as one request may hold in one, and one more in two, merged into one answer', () =>
    withServer(async (server, client) => {
      await client.sendTracesBatch(traces(limits.batchTraces))
      expect(server.received).toHaveLength(1)
      const answer = await client.sendTracesBatch(traces(limits.batchTraces + 1), { source: 's', batchId: 'b' })
      expect(server.received).toHaveLength(3)
      expect(answer).toMatchObject({
        success: true,
        message: 'Processed 101 of 101 traces',
        processed_count: 101,
        errors: null,
      })
      expect(answer.batch_ids).toEqual(['b.1', 'b.2'])
      expect(answer.trace_ids).toEqual(traces(101).map((one) => one.traceId))
      expect(answer.results).toHaveLength(101)
    }))

  it('splits by bytes too, counting them as UTF-8', () =>
    withServer(async (server, client) => {
      await client.sendTracesBatch(traces(10, '語'.repeat(100_000)))
      expect(server.received).toHaveLength(4)
      for (const { body } of server.received) expect(Buffer.byteLength(body)).toBeLessThan(1_010_000)
    }))

  it('a trace larger than a batch may be travels alone', () =>
    withServer(async (server, client) => {
      const [first, big, last] = traces(3)
      if (!first || !big || !last) throw new Error('unreachable')
      await client.sendTracesBatch([first, { ...big, aiResponse: 'x'.repeat(1_500_000) }, last])
      expect(server.received.map((one) => (JSON.parse(one.body) as { traces: unknown[] }).traces.length)).toEqual([
        1, 1, 1,
      ])
    }))

  it('takes partial success and duplicates for success, and hands out what became of each', () =>
    withServer(async (server, client) => {
      const results = [
        { trace_id: 't0', status: 'duplicate' },
        { trace_id: 't1', status: 'invalid', error: 'cost' },
      ]
      server.next(
        json(207, {
          success: true,
          message: 'Processed 1 of 2 traces',
          processed_count: 1,
          errors: ['cost'],
          trace_ids: ['t0'],
          results,
        }),
      )
      expect(await client.sendTracesBatch(traces(2))).toMatchObject({ success: true, results })
    }))

  it('rejects when nothing was stored, with the fate of each trace in the error', () =>
    withServer(async (server, client) => {
      const results = [{ trace_id: 't0', status: 'conflict' }]
      const body = {
        success: false,
        message: 'Processed 0 of 1 traces',
        processed_count: 0,
        errors: ['t0: other content'],
        trace_ids: [],
        results,
        code: 'trace_conflict',
      }
      server.next(json(409, body))
      await expect(client.sendTracesBatch(traces(1))).rejects.toMatchObject({
        code: 'failed',
        status: 409,
        failure: 'trace_conflict',
        errors: [{ path: '', message: 't0: other content' }],
        answer: { results },
      })
    }))

  it('goes on after a request of several in which nothing could be stored, and counts traces over all of them', () =>
    withServer(async (server, client) => {
      const results = traces(100).map((one) => ({ trace_id: one.traceId, status: 'invalid', error: 'no' }))
      const refusal = {
        success: false,
        message: 'Processed 0 of 100 traces',
        processed_count: 0,
        trace_ids: [],
        results,
      }
      server.next(
        json(422, { ...refusal, errors: ['traces[99].cost: no'], warnings: ['traces[0]: odd'] }),
        json(207, { ...refusal, success: true, processed_count: 99, errors: ['traces[7]: no', 'something else'] }),
      )
      const answer = await client.sendTracesBatch(traces(250))
      expect(answer).toMatchObject({ success: true, processed_count: 149, warnings: ['traces[0]: odd'] })
      expect(answer.errors).toEqual(['traces[99].cost: no', 'traces[107]: no', 'something else'])
      expect(answer.results?.map((result) => result.status)).toEqual([
        ...Array<string>(200).fill('invalid'),
        ...Array<string>(50).fill('created'),
      ])
    }))

  it('a request of several that fails says in its error what the ones before it stored', () =>
    withServer(async (server, client) => {
      server.next(
        store,
        json(500, {
          success: false,
          message: 'Something went wrong on the server.',
          errors: null,
          trace_ids: [],
          code: 'internal',
        }),
      )
      const error = await client.sendTracesBatch(traces(150)).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(LLMEvalError)
      expect(error).toMatchObject({
        code: 'failed',
        status: 500,
        failure: 'internal',
        answer: { processed_count: 100 },
      })
    }))

  it('says which trace cannot be written', () =>
    withServer(async (_, client) => {
      const sending = client.sendTracesBatch([trace, { ...trace, metadata: { big: 1n } }])
      await expect(sending).rejects.toMatchObject({
        errors: [{ path: 'traces[1]', message: expect.stringMatching(/BigInt/) as string }],
      })
    }))
})

describe('reading and reviewing', () => {
  it('asks for a page with filters in either spelling, and dates as RFC 3339', () =>
    withServer(async (server, client) => {
      server.usually(json(200, { items: [], next_cursor: null, searched_to: null }))
      await client.getTraces({
        modelName: 'gpt-4',
        minLatency: 10,
        from: new Date(0),
        q: 'a b',
        limit: 5,
        cursor: 'c/1',
        userId: undefined,
      })
      expect(server.received[0]?.path).toBe('/api/v1/traces')
      expect(Object.fromEntries(server.received[0]?.query ?? [])).toEqual({
        model_name: 'gpt-4',
        min_latency: '10',
        from: '1970-01-01T00:00:00.000Z',
        q: 'a b',
        limit: '5',
        cursor: 'c/1',
      })
    }))

  it('takes a limit and a status by position too', () =>
    withServer(async (server, client) => {
      server.usually(json(200, { items: [], next_cursor: null, searched_to: null }))
      await client.getTraces(20, 'pending')
      await client.getTraces(7)
      expect(server.received.map((one) => one.query.toString())).toEqual([
        'limit=20&evaluation_status=pending',
        'limit=7',
      ])
    }))

  it('reads every trace page by page, over empty pages too, and no page that nobody asked for', () =>
    withServer(async (server, client) => {
      server.next(
        json(200, { items: [{ trace_id: 'a' }, { trace_id: 'b' }], next_cursor: 'p2', searched_to: null }),
        json(200, { items: [], next_cursor: 'p3', searched_to: '2025-01-01T00:00:00Z' }),
        json(200, { items: [{ trace_id: 'c' }], next_cursor: null, searched_to: null }),
      )
      const ids: string[] = []
      for await (const one of client.allTraces({ modelName: 'm' })) {
        ids.push(one.trace_id)
        if (one.trace_id === 'b') expect(server.received).toHaveLength(1)
      }
      expect(ids).toEqual(['a', 'b', 'c'])
      expect(server.received.map((one) => one.query.toString())).toEqual([
        'model_name=m',
        'model_name=m&cursor=p2',
        'model_name=m&cursor=p3',
      ])
    }))

  it('encodes an id in a path', () =>
    withServer(async (server, client) => {
      server.usually(json(200, { trace_id: 'a/b?c#d é' }))
      expect(await client.getTrace('a/b?c#d é')).toEqual({ trace_id: 'a/b?c#d é' })
      expect(server.received[0]?.path).toBe('/api/v1/traces/a%2Fb%3Fc%23d%20%C3%A9')
    }))

  it('records a verdict with reason and notes by position, or with options', () =>
    withServer(async (server, client) => {
      server.usually(json(200, { trace_id: 't' }))
      await client.evaluateTrace('t', 'rejected', 'hallucinated', 'made up a source')
      await client.evaluateTrace('t', 'accepted')
      await client.evaluateTrace('t', 'accepted', null, 'fine')
      await client.evaluateTrace('t', 'accepted', { note: 'n', reviewer: 'ada', expectedVersion: 3 })
      expect(server.received[0]).toMatchObject({ method: 'PATCH', path: '/api/v1/traces/t/review' })
      expect(server.received.map((one) => JSON.parse(one.body) as unknown)).toEqual([
        { status: 'rejected', reason: 'hallucinated', note: 'made up a source' },
        { status: 'accepted' },
        { status: 'accepted', note: 'fine' },
        { status: 'accepted', note: 'n', reviewer: 'ada', expected_version: 3 },
      ])
    }))

  it('deletes, and asks for stats, metrics and health', () =>
    withServer(async (server, client) => {
      server.next((response) => response.writeHead(204).end())
      server.usually(json(200, { status: 'healthy', total_traces: 1 }))
      expect(await client.deleteTrace('t')).toBeUndefined()
      expect(await client.getStats()).toMatchObject({ total_traces: 1 })
      expect(await client.metrics()).toMatchObject({ total_traces: 1 })
      expect(await client.healthCheck()).toMatchObject({ status: 'healthy' })
      expect(server.received.map((one) => `${one.method} ${one.path}`)).toEqual([
        'DELETE /api/v1/traces/t',
        'GET /webhook/stats',
        'GET /api/v1/metrics',
        'GET /webhook/health',
      ])
    }))
})

describe('the constructor', () => {
  it('takes a key and a timeout by position, as well as options', async () => {
    await using server = await startFakeServer(store)
    await new LLMEvalClient(server.url, 'key-1', 5_000).sendTrace(trace)
    await new LLMEvalClient(server.url, { apiKey: ' key-2\n' }).sendTrace(trace)
    await new LLMEvalClient(server.url, null).sendTrace(trace)
    expect(server.received.map((one) => one.headers.authorization)).toEqual(['Bearer key-1', 'Bearer key-2', undefined])
  })

  it('takes a base URL with a path and slashes at its end', async () => {
    await using server = await startFakeServer(store)
    await new LLMEvalClient(`${server.url}/behind/proxy//`).sendTrace(trace)
    expect(server.received[0]?.path).toBe('/behind/proxy/webhook/trace')
  })

  it('uses the fetch it is given', async () => {
    const urls: string[] = []
    const client = new LLMEvalClient(undefined, {
      fetch: (url) => {
        urls.push(url)
        return Promise.resolve(Response.json({ status: 'healthy' }))
      },
    })
    await client.healthCheck()
    expect(urls).toEqual(['http://localhost:8000/webhook/health'])
  })

  it.each([
    ['localhost:8000', /http:\/\//],
    ['not a url', /did you mean/],
    ['ftp://host', /http/],
    ['http://user:pass@host', /apiKey/],
    ['http://host/?a=1', /path/],
    ['http://host/#a', /path/],
  ])('refuses the base URL %s and says what is wrong', (url, says) => {
    expect(() => new LLMEvalClient(url)).toThrow(TypeError)
    expect(() => new LLMEvalClient(url)).toThrow(says)
  })

  it('refuses a key that no header can carry', () => {
    expect(() => new LLMEvalClient('http://host', 'schlüssel')).toThrow(/apiKey/)
    expect(() => new LLMEvalClient('http://host', 'a\r\nb: c')).toThrow(/apiKey/)
  })
})
