import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { routes } from '@llm-eval/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { metrics } from '../../test/sample-traces.ts'
import * as answers from './answers.ts'
import { type Api, ApiError, createApi } from './client.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})

interface Talk {
  api: Api
  /** How often the server wanted a sign-in. */
  signedOut: () => number
}

/** A client whose paths lead to a real server with this behaviour. */
async function talkTo(answer: RequestListener, timeoutMs = 10_000): Promise<Talk> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let count = 0
  const api = createApi({
    fetch: (path, init) => fetch(new URL(path instanceof Request ? path.url : path, origin), init),
    onSignedOut: () => count++,
    timeoutMs,
  })
  return { api, signedOut: () => count }
}

const call = { route: routes.metrics, answer: answers.metrics }

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

test('a call goes to the path of its route, with its query and its body', async () => {
  const heard: string[] = []
  const { api } = await talkTo((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      heard.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? '-'} ${body}`)
      response.end(JSON.stringify(metrics()))
    })
  })
  await api({ ...call, query: new URLSearchParams({ q: 'a b' }) })
  await api({ ...call, route: routes.reviewTrace, path: { trace_id: 'a/b' }, body: { status: 'accepted' } })
  expect(heard).toEqual([
    'GET /api/v1/metrics?q=a+b - ',
    'PATCH /api/v1/traces/a%2Fb/review application/json {"status":"accepted"}',
  ])
})

describe('a refusal', () => {
  const problem = {
    title: 'invalid request',
    status: 422,
    code: 'invalid_request',
    detail: 'The request does not fit the schema.',
    next: 'Mend the fields listed in `errors`.',
    request_id: 'r-7',
    errors: [{ path: 'name', message: 'must not be empty' }, 'strange'],
  }

  test('says what the server says: what, where, and what to do', async () => {
    const { api, signedOut } = await talkTo((_request, response) =>
      response.writeHead(422).end(JSON.stringify(problem)),
    )
    expect(await failureOf(api(call))).toMatchObject({
      status: 422,
      code: 'invalid_request',
      message: problem.detail,
      next: problem.next,
      requestId: 'r-7',
      faults: ['name must not be empty'],
    })
    expect(signedOut()).toBe(0)
  })

  test('of somebody who is not signed in is told to the application', async () => {
    const { api, signedOut } = await talkTo((_request, response) =>
      response.writeHead(401).end(JSON.stringify({ ...problem, status: 401, code: 'unauthenticated' })),
    )
    expect((await failureOf(api(call))).code).toBe('unauthenticated')
    expect(signedOut()).toBe(1)
  })

  test('by something that is not llm-eval is told by its status', async () => {
    const { api } = await talkTo((_request, response) =>
      response.writeHead(502, { 'x-request-id': 'proxy-1' }).end('<h1>Bad gateway</h1>'),
    )
    expect(await failureOf(api(call))).toMatchObject({
      status: 502,
      message: 'The server answered 502.',
      requestId: 'proxy-1',
    })
  })
})

describe('no usable answer', () => {
  test('when the connection breaks counts as unreachable', async () => {
    const { api } = await talkTo((request) => request.socket.destroy())
    expect((await failureOf(api(call))).code).toBe('unreachable')
  })

  test('when the server is silent for too long counts as unreachable', async () => {
    const { api } = await talkTo(() => {}, 50)
    expect((await failureOf(api(call))).code).toBe('unreachable')
  })

  test('when it is not JSON, or not what it should be, is told apart from a refusal', async () => {
    const { api } = await talkTo((request, response) =>
      response.end(request.url?.includes('x') ? '<html>' : '{"total_traces":"7"}'),
    )
    expect((await failureOf(api({ ...call, query: new URLSearchParams('x=1') }))).code).toBe('unreadable')
    expect((await failureOf(api(call))).message).toContain('total_traces should be a number')
  })

  test('when the caller gave up is the caller’s own abort', async () => {
    const { api } = await talkTo(() => {})
    const controller = new AbortController()
    const waiting = api({ ...call, signal: controller.signal })
    controller.abort(new Error('changed my mind'))
    await expect(waiting).rejects.toThrow('changed my mind')
  })
})
