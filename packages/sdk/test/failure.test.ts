import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { LLMEvalClient, LLMEvalError, type RequestOptions } from '../src/index.ts'
import { cutOff, type FakeServer, hang, html, json, reset, startFakeServer, store } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

const trace = { traceId: 't1', modelName: 'gpt-4', userQuery: 'q', aiResponse: 'a' }
const webhookError = (code: string) => ({
  success: false,
  message: `says ${code}`,
  errors: ['one', 'two'],
  trace_ids: [],
  code,
})
const overloaded = json(503, webhookError('overloaded'), { 'retry-after': '2' })

interface Scene {
  server: FakeServer
  clock: ManualClock
  client: LLMEvalClient
}

async function scene(options: RequestOptions, test: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await startFakeServer(store)
  const clock = new ManualClock()
  await test({ server, clock, client: new LLMEvalClient(server.url, { clock, random: () => 0.5, ...options }) })
}

async function errorOf(promise: Promise<unknown>): Promise<LLMEvalError> {
  const thrown: unknown = await promise.catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(LLMEvalError)
  return thrown as LLMEvalError
}

/** Every timer but the deadline of a request under way. */
const aWait = (ms: number) => ms < 30_000

describe('an error', () => {
  it('of the webhook interface carries code, message and faults', () =>
    scene({ retries: 0 }, async ({ server, client }) => {
      server.next(json(422, webhookError('invalid_request'), { 'x-request-id': 'r1' }))
      const error = await errorOf(client.sendTrace(trace))
      expect(error).toMatchObject({
        name: 'LLMEvalError',
        code: 'failed',
        failure: 'invalid_request',
        status: 422,
        requestId: 'r1',
      })
      expect(error.errors).toEqual([
        { path: '', message: 'one' },
        { path: '', message: 'two' },
      ])
      expect(error.message).toBe('says invalid_request one; two')
      expect(error.answer).toMatchObject({ success: false })
    }))

  it('in problem details carries code, what to do next, faults and the request id', () =>
    scene({ retries: 0 }, async ({ server, client }) => {
      const errors = [{ path: 'status', message: 'is not a status' }]
      const problem = {
        type: 'about:blank',
        title: 'x',
        status: 422,
        code: 'invalid_request',
        detail: 'It does not fit.',
        next: 'Mend it.',
        request_id: 'r2',
        errors,
      }
      server.next(json(422, problem))
      const error = await errorOf(client.evaluateTrace('t', 'accepted'))
      expect(error).toMatchObject({
        code: 'failed',
        failure: 'invalid_request',
        requestId: 'r2',
        errors,
        answer: undefined,
      })
      expect(error.message).toBe('It does not fit. Mend it. status: is not a status')
    }))

  it.each([
    [401, 'auth'],
    [403, 'auth'],
    [404, 'not_found'],
    [409, 'failed'],
    [410, 'failed'],
    [500, 'failed'],
  ] as const)('for status %d is of the kind %s', (status, code) =>
    scene({ retries: 0 }, async ({ server, client }) => {
      server.next(json(status, { code: 'x', detail: 'd', status }))
      expect(await errorOf(client.getTrace('t'))).toMatchObject({ code, status, failure: 'x' })
    }),
  )

  it('for a page that a proxy wrote names the URL and shows the beginning of it', () =>
    scene({ retries: 0 }, async ({ server, client }) => {
      server.next(html(500))
      const error = await errorOf(client.getTrace('t'))
      expect(error).toMatchObject({ code: 'failed', status: 500, failure: undefined })
      expect(error.message).toBe(`${server.url}/api/v1/traces/t answered 500: <html> <h1>Bad gateway</h1> </html>`)
    }))

  it('for a success that is not JSON, or not of llm-eval, says that the base URL may be wrong', () =>
    scene({ retries: 0 }, async ({ server, client }) => {
      server.next(html(200), json(200, ['something', 'else']), json(200, { ok: true }))
      expect(await errorOf(client.getStats())).toMatchObject({ code: 'protocol', status: 200 })
      expect((await errorOf(client.getStats())).message).toMatch(/base URL/)
      expect((await errorOf(client.sendTrace(trace))).code).toBe('protocol')
    }))

  it('for a server that is not there names the URL and the reason', async () => {
    const unused = createServer().listen(0, '127.0.0.1')
    await once(unused, 'listening')
    const { port } = unused.address() as AddressInfo
    unused.close()
    await once(unused, 'close')
    const error = await errorOf(new LLMEvalClient(`http://127.0.0.1:${port}`, { retries: 0 }).healthCheck())
    expect(error.code).toBe('unreachable')
    expect(error.message).toContain(`http://127.0.0.1:${port}/webhook/health`)
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('for a connection that is reset, or cut in the middle of the answer, is unreachable too', () =>
    scene({ retries: 0 }, async ({ server, client }) => {
      server.next(reset, cutOff)
      expect((await errorOf(client.healthCheck())).code).toBe('unreachable')
      expect((await errorOf(client.healthCheck())).code).toBe('unreachable')
    }))

  it('for a server that does not answer in time says how long was waited', () =>
    scene({ timeoutMs: 1_500 }, async ({ server, clock, client }) => {
      server.next(hang)
      const asking = errorOf(client.healthCheck())
      await server.arrived(1)
      clock.advance(1_499)
      expect(clock.timers()).toEqual([1])
      clock.advance(1)
      const error = await asking
      expect(error.code).toBe('timeout')
      expect(error.message).toContain('1500 ms')
      expect(server.received).toHaveLength(1)
    }))

  it('for an answer that begins and never ends is a timeout as well', () =>
    scene({ timeoutMs: 1_000 }, async ({ server, clock, client }) => {
      const begun = Promise.withResolvers<void>()
      server.next((response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => begun.resolve()),
      )
      const asking = errorOf(client.healthCheck())
      await begun.promise
      clock.advance(1_000)
      expect((await asking).code).toBe('timeout')
    }))

  it('leaves no timer behind, and neither does success', () =>
    scene({ retries: 0 }, async ({ server, clock, client }) => {
      server.next(json(500, {}))
      await errorOf(client.healthCheck())
      await client.sendTrace(trace)
      expect(clock.timers()).toEqual([])
    }))
})

describe('a request that failed', () => {
  it('is sent again after as long as Retry-After says, and a bit', () =>
    scene({}, async ({ server, clock, client }) => {
      server.next(overloaded)
      const sending = client.sendTrace(trace)
      const wait = await clock.timer(aWait)
      expect(wait).toBe(2_000 + 0.5 * 500)
      clock.advance(wait)
      expect(await sending).toMatchObject({ success: true })
      expect(server.received.map((one) => one.body)).toEqual([server.received[0]?.body, server.received[0]?.body])
    }))

  it('reads a Retry-After that is a date', () =>
    scene({}, async ({ server, clock, client }) => {
      const inFive = new Date(clock.now() + 5_000).toUTCString()
      server.next(json(429, webhookError('rate_limited'), { 'retry-after': inFive }))
      const sending = client.sendTrace(trace)
      const wait = await clock.timer(aWait)
      expect(wait).toBe(5_250)
      clock.advance(wait)
      await sending
    }))

  it('waits twice as long from try to try, at random up to that', () =>
    scene({ retries: 6 }, async ({ server, clock, client }) => {
      server.usually(reset)
      const sending = errorOf(client.sendTrace(trace))
      const waits: number[] = []
      for (let tries = 1; tries <= 6; tries++) {
        const wait = await clock.timer(aWait)
        waits.push(wait)
        clock.advance(wait)
        await server.arrived(tries + 1)
      }
      expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000])
      expect((await sending).code).toBe('unreachable')
      expect(server.received).toHaveLength(7)
    }))

  it('is not sent again when Retry-After is longer than it may wait', () =>
    scene({ maxWaitMs: 10_000 }, async ({ server, client }) => {
      server.next(json(429, webhookError('rate_limited'), { 'retry-after': '60' }))
      expect(await errorOf(client.sendTrace(trace))).toMatchObject({
        status: 429,
        failure: 'rate_limited',
        retryAfter: 60,
      })
      expect(server.received).toHaveLength(1)
    }))

  it('is not sent again when trying again would not help', () =>
    scene({}, async ({ server, client }) => {
      for (const status of [400, 401, 403, 404, 409, 410, 413, 415, 422, 500, 501]) {
        server.next(json(status, webhookError('x')))
        expect((await errorOf(client.sendTrace(trace))).status).toBe(status)
      }
      expect(server.received).toHaveLength(11)
    }))

  it('stops waiting when the caller gives up', () =>
    scene({}, async ({ server, clock, client }) => {
      const controller = new AbortController()
      server.next(overloaded)
      const sending = client.sendTrace(trace, { signal: controller.signal })
      await clock.timer(aWait)
      controller.abort(new Error('never mind'))
      await expect(sending).rejects.toThrow('never mind')
      expect(clock.timers()).toEqual([])
    }))

  it('and changes something is sent again only when the server said that nothing happened', () =>
    scene({}, async ({ server, clock, client }) => {
      server.next(reset)
      expect((await errorOf(client.evaluateTrace('t', 'accepted'))).code).toBe('unreachable')
      server.next(html(502))
      expect((await errorOf(client.deleteTrace('t'))).status).toBe(502)
      server.next(overloaded, json(200, { trace_id: 't' }))
      const reviewing = client.evaluateTrace('t', 'accepted')
      clock.advance(await clock.timer(aWait))
      expect(await reviewing).toEqual({ trace_id: 't' })
      expect(server.received).toHaveLength(4)
    }))

  it('and only reads is sent again after a lost connection', () =>
    scene({}, async ({ server, clock, client }) => {
      server.next(reset, cutOff, html(504), json(200, { items: [], next_cursor: null, searched_to: null }))
      const asking = client.getTraces()
      for (let tries = 1; tries <= 3; tries++) {
        clock.advance(await clock.timer(aWait))
        await server.arrived(tries + 1)
      }
      expect(await asking).toMatchObject({ items: [] })
    }))
})
