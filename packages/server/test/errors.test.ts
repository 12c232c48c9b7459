import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Failure, failureTable, limits, routes } from '@llm-eval/protocol'
import { listQuery } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mount } from '../src/http/mount.ts'
import { allSlices, type Ground, startGround, trace } from './ground.ts'

const secretMessage = 'the password of the database is hunter2'

/** Routes that fail as they are told. */
const failing: Parameters<typeof startGround>[0] = {
  slices: [
    ...allSlices,
    (app) => {
      mount(app, routes.listTraces, { schema: { querystring: listQuery }, handler: (request) => request.query })
      mount(app, routes.metrics, {
        handler: () => {
          throw new Error(secretMessage)
        },
      })
      mount(app, routes.getTrace, {
        schema: { params: z.strictObject({ trace_id: z.string().max(200) }) },
        handler: (request) => {
          throw new Failure('version_conflict', {
            values: { version: 3, status: 'accepted' },
            retryAfter: 0.2,
            members: { version: 3, evaluation_status: 'accepted' },
            cause: request.params.trace_id,
          })
        },
      })
      mount(app, routes.streamEvents, { handler: () => ({ opened: true }) })
    },
  ],
}

let ground: Ground
beforeAll(async () => {
  ground = await startGround({ ...failing, overSocket: true })
})
afterAll(() => ground.close())

describe('an error', () => {
  it('of the API is problem details that say what happened, what to do, and under which id the log has it', async () => {
    const answer = await ground.send({ path: '/api/v1/traces/t' })
    expect(answer.status).toBe(409)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.json).toEqual({
      type: 'urn:llm-eval:error:version_conflict',
      title: 'version conflict',
      status: 409,
      code: 'version_conflict',
      detail: 'The review changed since you read it: it is at version 3 now (accepted).',
      next: failureTable.version_conflict.next,
      request_id: answer.headers['x-request-id'],
      version: 3,
      evaluation_status: 'accepted',
    })
  })

  it.each([
    ['QUERY /api/v1/keys', 415],
    ['GET /docs/static/../../package.json', 404],
    ['GET /docs/static/%2e%2e%2f%2e%2e%2fpackage.json', 404],
    ['TRACE /api/v1/keys', 405],
    ['PROPFIND /nowhere', 404],
  ])("of %s is the caller's, not ours", async (start, status) => {
    const socket = connect(Number(new URL(await ground.origin()).port), '127.0.0.1')
    socket.write(`${start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  it('of a webhook is the body that webhook clients read', async () => {
    const answer = await ground.send({ path: '/api/v1/webhook/batch', body: '[' })
    expect(answer.status).toBe(400)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.json).toMatchObject({
      success: false,
      message: expect.stringContaining('not valid JSON'),
      processed_count: 0,
      errors: [expect.stringContaining('not valid JSON')],
      trace_ids: [],
      code: 'malformed_json',
      request_id: answer.headers['x-request-id'],
    })
    const single = await ground.send({ path: '/webhook/trace', body: { ...trace(), cost: -1 } })
    expect(single.json).toMatchObject({ processed_count: null, errors: [expect.stringMatching(/^cost/)] })
  })

  it('that nobody foresaw tells the caller nothing but its id, and the log everything', async () => {
    const answer = await ground.send({ path: '/api/v1/metrics' })
    expect(answer.status).toBe(500)
    expect(answer.json.code).toBe('internal')
    expect(answer.json.next).toContain(String(answer.headers['x-request-id']))
    expect(answer.text).not.toContain('hunter2')
    const line = ground.lines.find((text) => text.includes('hunter2'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      level: 50,
      request_id: answer.headers['x-request-id'],
      method: 'GET',
      path: '/api/v1/metrics',
      err: { message: secretMessage },
    })
  })

  it('is counted by its code', async () => {
    const metrics = await ground.send({ path: '/metrics' })
    expect(metrics.text).toMatch(/llm_eval_failures_total\{code="internal"\} [1-9]/)
  })
})

describe('a query', () => {
  it('that fits becomes typed values with their defaults', async () => {
    const answer = await ground.send({ path: '/api/v1/traces?limit=7&min_cost=0.5&from=2025-01-27T12:00:00Z' })
    expect(answer.json).toEqual({ limit: 7, min_cost: 0.5, from: Date.parse('2025-01-27T12:00:00Z') })
    expect((await ground.send({ path: '/api/v1/traces' })).json).toEqual({ limit: 50 })
  })

  it.each([
    ['limit=0', [{ path: 'limit', message: 'must lie between 1 and 200' }]],
    ['limit=x', [{ path: 'limit', message: 'must be a whole number' }]],
    ['modle_name=a', [{ path: 'modle_name', message: 'is not known; did you mean model_name?' }]],
    ['limit=1&limit=2', [{ path: 'limit', message: 'is given more than once' }]],
    ['limit=500&nonsense=1', [{ path: 'limit' }, { path: 'nonsense', message: 'is not known' }]],
    ['evaluation_status=fine', [{ path: 'evaluation_status' }]],
    ['from=yesterday', [{ path: 'from', message: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z' }]],
  ])('of %s is refused with its faults', async (query, errors) => {
    const answer = await ground.send({ path: `/api/v1/traces?${query}` })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 'invalid_query', errors })
  })

  it('is refused where none is expected, but for health checks and webhooks', async () => {
    expect((await ground.send({ path: '/api/v1/settings?x=1' })).json).toMatchObject({
      code: 'invalid_query',
      errors: [{ path: 'x' }],
    })
    expect((await ground.send({ path: '/health?now=1' })).status).toBe(200)
    expect((await ground.send({ path: '/webhook/trace?from=github', body: trace() })).status).toBe(200)
  })
})

describe('a path', () => {
  it.each([
    ['GET', '/api/v1/nothing', 404],
    ['GET', '/webhook', 404],
    ['POST', '/api/v1/settings/x', 404],
    ['GET', '/%', 400],
    ['GET', '/api/v1/traces/%E0%A4%A', 400],
    ['GET', `/api/v1/traces/${'x'.repeat(201)}`, 400],
    ['GET', `/api/v1/traces/${'x'.repeat(5_000)}`, 400],
  ] as const)('%s %s is answered %i', async (method, path, status) => {
    const answer = await ground.send({ method, path })
    expect(answer.status).toBe(status)
    expect(answer.headers['x-request-id']).toBeDefined()
    expect(answer.json.code).toBe(status === 404 ? 'route_not_found' : 'invalid_query')
  })

  it('may hold an encoded slash, 200 characters of any script, and end in a slash', async () => {
    for (const id of ['a/b', '日'.repeat(limits.nameChars), 'x'.repeat(limits.nameChars)]) {
      expect((await ground.send({ path: `/api/v1/traces/${encodeURIComponent(id)}` })).status).toBe(409)
    }
    expect((await ground.send({ path: '/api/v1/settings/' })).status).toBe(200)
  })

  it('answers other methods with those that it has', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/api/v1/keys', 'GET, HEAD, POST'],
      ['GET', '/webhook/trace', 'POST'],
      ['DELETE', '/api/v1/traces/some', 'GET, HEAD'],
      ['PATCH', '/api/v1/stream/events', 'GET, HEAD'],
      ['OPTIONS', '/api/v1/keys', 'GET, HEAD, POST'],
    ] as const) {
      const answer = await ground.send({ method, path })
      expect(answer.status, path).toBe(405)
      expect(answer.headers['allow']).toBe(allow)
      expect(answer.json.code).toBe('method_not_allowed')
    }
  })

  it('of the seeds answers under /api/v1 too', async () => {
    const [one, two] = await Promise.all(
      ['/webhook/stats', '/api/v1/webhook/stats'].map((path) => ground.send({ path })),
    )
    expect(one?.status).toBe(200)
    expect(two?.json).toEqual(one?.json)
  })
})

describe('HEAD', () => {
  it('answers as GET does, without the body', async () => {
    for (const path of ['/health', '/api/v1/keys', '/openapi.json', '/api/v1/nothing']) {
      const [get, head] = await Promise.all([ground.send({ path }), ground.send({ method: 'HEAD', path })])
      expect(head.status).toBe(get.status)
      expect(head.headers['content-type']).toBe(get.headers['content-type'])
      expect(head.text).toBe('')
    }
  })

  it('of a stream tells that it is one, and opens none', async () => {
    const answer = await ground.send({ method: 'HEAD', path: '/stream/events' })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect((await ground.send({ path: '/stream/events' })).json).toEqual({ opened: true })
  })
})

describe('a request id', () => {
  it('is on every answer, and new each time', async () => {
    const paths = ['/health', '/api/v1/keys', '/nothing', '/docs/', '/webhook/trace']
    const ids = await Promise.all(
      paths.map(async (path) => String((await ground.send({ path })).headers['x-request-id'])),
    )
    expect(new Set(ids).size).toBe(paths.length)
    for (const id of ids) expect(id).toMatch(/^[\w-]{36}$/)
  })

  it("is the caller's own when that is a sane one", async () => {
    const ask = async (id: string) =>
      (await ground.send({ path: '/health', headers: { 'x-request-id': id } })).headers['x-request-id']
    expect(await ask('trace-1.2_3:4')).toBe('trace-1.2_3:4')
    for (const id of ['', 'a b', '<script>', 'x'.repeat(65)]) expect(await ask(id)).not.toBe(id)
  })
})
