import { describe, expect, it } from 'vitest'
import { runEvaluator, SSEResultClient } from '../src/experiments/index.ts'
import { started, withServer } from './execution-scene.ts'
import { type Behaviour, cutOff, hang, html, json, reset } from './fake-server.ts'

const url = '/executions/events/x1'
const noRoute: Behaviour = (response) =>
  response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found')
const document: Behaviour = json(200, {
  execution_id: 'x1',
  result: { evaluator_result: { pass: true, reason: 'ok' } },
})
const result = {
  execution_id: 'x1',
  status: 'completed',
  result: { pass: true, reason: 'ok' },
  error: null,
  error_code: null,
  completed_at: null,
  score: null,
}

describe('of a server without event streams', () => {
  it('the document is read, below /v2, and from then on at once', () =>
    withServer(async (server, reach) => {
      server.next(noRoute, document, document)
      const client = new SSEResultClient({ ...reach, apiKey: 'k' })
      expect(await client.waitForResult('x1', url)).toEqual(result)
      expect(await client.waitForResult('x1', url)).toEqual(result)
      expect(server.received.map(({ path }) => path)).toEqual([
        '/api/v1/executions/x1/events',
        '/v2/executions/events/x1',
        '/v2/executions/events/x1',
      ])
      expect(server.received[1]?.headers).toMatchObject({
        authorization: 'Bearer k',
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
      })
    }))

  it('an evaluator is run as of any other', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), json(405, { error: 'method not allowed' }), document)
      const options = { evaluatorSlug: 'e', inputSchemaMapping: { text: 't' }, waitForResult: true } as const
      expect(await runEvaluator({ ...options, ...reach })).toEqual(result)
    }))

  it('the document may begin with white space that keeps the connection awake', () =>
    withServer(async (server, reach) => {
      server.next(noRoute, async (response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        for (const part of [' \n', ' \n', '{"execution_id":"x1",', '"result":{"score":0.5}}'])
          await new Promise((sent) => response.write(part, sent))
        response.end()
      })
      const answer = await new SSEResultClient(reach).waitForResult('x1', url)
      expect(answer.result).toEqual({ score: 0.5 })
    }))

  it.each([
    ['/executions/events/x1', '/v2/executions/events/x1'],
    ['/v2/executions/events/x1', '/v2/executions/events/x1'],
    ['/elsewhere?of=x1', '/v2/elsewhere'],
    ['URL/v2/executions/events/x1', '/v2/executions/events/x1'],
  ])('the stream_url %s leads to %s', (streamUrl, path) =>
    withServer(async (server, reach) => {
      server.next(noRoute, document)
      await new SSEResultClient(reach).waitForResult('x1', streamUrl.replace('URL', server.url))
      expect(server.received[1]?.path).toBe(path)
    }),
  )

  it.each(['https://elsewhere.example/v2/x1', '//elsewhere.example/x1', 'executions/x1', 'file:///etc/passwd'])(
    'the stream_url %s is not followed: the key would go elsewhere',
    (streamUrl) =>
      withServer(async (server, reach) => {
        server.next(noRoute)
        const waiting = new SSEResultClient({ ...reach, apiKey: 'k' }).waitForResult('x1', streamUrl)
        await expect(waiting).rejects.toMatchObject({
          code: 'protocol',
          message: expect.stringContaining(streamUrl) as string,
        })
        expect(server.received).toHaveLength(1)
      }),
  )
})

describe('a document', () => {
  it('that breaks off, or is not to be had at the moment, is asked for again', () =>
    withServer(async (server, reach) => {
      server.next(noRoute, reset, cutOff, html(502), json(503, { error: 'busy' }, { 'retry-after': '2' }), document)
      const lost: unknown[] = []
      const waiting = new SSEResultClient(reach).waitForResult('x1', url, { onError: (error) => lost.push(error) })
      for (let tries = 0; tries < 3; tries++) {
        await reach.clock.timer((ms) => ms === 0)
        reach.clock.advance(0)
      }
      reach.clock.advance(await reach.clock.timer((ms) => ms === 2_000))
      expect(await waiting).toEqual(result)
      expect(lost).toMatchObject([
        { code: 'unreachable' },
        { code: 'interrupted' },
        { code: 'failed', status: 502 },
        { code: 'failed', status: 503 },
      ])
    }))

  it.each([
    ['failed', json(500, { error: 'it broke' }), { status: undefined, message: 'The execution x1 failed: it broke' }],
    ['failed', json(422, { error: 'no input', code: 'missing_evidence' }), { failure: 'missing_evidence' }],
    ['failed', json(200, { execution_id: 'x1', error: 'late' }), { message: 'The execution x1 failed: late' }],
    ['failed', json(409, { error: 'gone', code: 'cancelled' }), { message: 'The execution x1 was cancelled: gone' }],
    ['auth', json(401, { error: 'Unauthorized' }), { status: 401 }],
    ['not_found', json(404, { error: 'Execution not found' }), { status: 404 }],
    ['protocol', json(200, { execution_id: 'x2', result: {} }), { message: expect.stringContaining('x2') as string }],
    ['protocol', json(200, { execution_id: 'x1', result: 5 }), {}],
    ['protocol', json(200, ['x1']), {}],
    ['protocol', (response) => response.end('{"execution_id":"x1","resu'), {}],
    ['protocol', (response) => response.end(), {}],
  ] satisfies [string, Behaviour, object][])(
    'without a result is an error with the code %s (%#)',
    (code, behaviour, details) =>
      withServer(async (server, reach) => {
        server.next(noRoute, behaviour)
        await expect(new SSEResultClient(reach).waitForResult('x1', url)).rejects.toMatchObject({ code, ...details })
        expect(server.received).toHaveLength(2)
      }),
  )

  it('that never comes is waited for until the time is up', () =>
    withServer(async (server, reach) => {
      server.next(noRoute, hang)
      const failure = new SSEResultClient(reach)
        .waitForResult('x1', url, { timeoutMs: 9_000 })
        .catch((error: unknown) => error)
      await server.arrived(2)
      reach.clock.advance(9_000)
      expect(await failure).toMatchObject({ code: 'timeout' })
    }))
})
