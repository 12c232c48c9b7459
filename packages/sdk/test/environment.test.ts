import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type ExecutionEvent,
  runEvaluator,
  ResultHandler,
  SSEResultClient,
  type StreamEvent,
} from '../src/experiments/index.ts'
import { readEnvironment } from '../src/evaluation-server.ts'
import { broken, ended, execution, started, withServer } from './execution-scene.ts'
import { json } from './fake-server.ts'
import { backoff, cut, stream } from './stream-scene.ts'

const what = { evaluatorSlug: 'e', inputSchemaMapping: { text: 't' } }

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('the environment', () => {
  it('says where the server is, which key it wants and how long to wait, unless the options do', () =>
    withServer(async (server, { clock, random }) => {
      vi.stubEnv('TRACELOOP_BASE_URL', `${server.url}/`)
      vi.stubEnv('TRACELOOP_API_KEY', ' from-the-environment ')
      server.next(started('x1'), started('x2'))
      await runEvaluator({ ...what, clock, random })
      await runEvaluator({ ...what, clock, random, apiKey: 'from-the-options' })
      expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
        'Bearer from-the-environment',
        'Bearer from-the-options',
      ])
      await expect(runEvaluator({ ...what, baseUrl: 'http://127.0.0.1:1', retries: 0 })).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(
          /^Cannot reach http:\/\/127\.0\.0\.1:1\/v2\/evaluators\/slug\/e\/execute: /,
        ) as string,
      })
    }))

  it('that says nothing means the server of this machine, without a key, for 300 seconds', () => {
    for (const name of ['TRACELOOP_BASE_URL', 'TRACELOOP_API_KEY', 'TRACELOOP_STREAM_TIMEOUT']) vi.stubEnv(name, '')
    const nothing = { apiKey: undefined, baseUrl: 'http://localhost:8000', streamTimeoutMs: 300_000 }
    expect(readEnvironment()).toEqual(nothing)
    vi.stubGlobal('process', undefined)
    expect(readEnvironment()).toEqual(nothing)
    const env = new Proxy(
      {},
      {
        get: () => {
          throw new Error('not allowed')
        },
      },
    )
    vi.stubGlobal('process', { env })
    expect(readEnvironment()).toEqual(nothing)
  })

  it('counts the time in seconds', () => {
    vi.stubEnv('TRACELOOP_STREAM_TIMEOUT', '0.25')
    expect(readEnvironment().streamTimeoutMs).toBe(250)
    for (const wrong of ['0', '-1', 'soon', 'NaN', '5s']) {
      vi.stubEnv('TRACELOOP_STREAM_TIMEOUT', wrong)
      expect(() => readEnvironment(), wrong).toThrow(TypeError)
    }
  })

  it('with an address that is none is told at once', async () => {
    vi.stubEnv('TRACELOOP_BASE_URL', 'localhost:4000')
    await expect(runEvaluator(what)).rejects.toThrow('baseUrl must begin with http:// or https://: localhost:4000')
    expect(() => new SSEResultClient()).toThrow(TypeError)
  })
})

describe('a result handler', () => {
  it('passes on what completed and what did not, and never throws', async () => {
    const seen: unknown[] = []
    const callback = ResultHandler.createCallback({
      onComplete: (result) => seen.push(['complete', result.execution_id]),
      onFailed: (result) => {
        seen.push(['failed', result.error])
        throw new Error('mine')
      },
      onError: (error) => seen.push(['error', error.message]),
    })
    await withServer(async (server, reach) => {
      server.next(stream([ended(1, execution('x1'))]), stream([ended(1, broken('x2'))]))
      const client = new SSEResultClient(reach)
      await client.waitForResult('x1', '/x1', { callback })
      await client.waitForResult('x2', '/x2', { callback }).catch(() => undefined)
    })
    expect(seen).toEqual([
      ['complete', 'x1'],
      ['failed', 'it took too long'],
      ['error', 'mine'],
    ])
  })

  it('without handlers does nothing, and without onError tells the console', () =>
    withServer(async (server, reach) => {
      const told = vi.spyOn(console, 'error').mockReturnValue()
      server.usually(stream([ended(1, execution('x1'))]))
      const client = new SSEResultClient(reach)
      await client.waitForResult('x1', '/x1', { callback: ResultHandler.createCallback({}) })
      expect(told).not.toHaveBeenCalled()
      const onComplete = () => {
        throw new Error('mine')
      }
      await client.waitForResult('x1', '/x1', { callback: ResultHandler.createCallback({ onComplete }) })
      expect(told).toHaveBeenCalledWith('llm-eval-sdk: a callback threw:', 'mine')
    }))
})

describe('telemetry', () => {
  const recorder = () => {
    const executions: ExecutionEvent[] = []
    const streams: StreamEvent[] = []
    const telemetry = {
      onExecution: (event: ExecutionEvent) => void executions.push(event),
      onStream: (event: StreamEvent) => void streams.push(event),
    }
    return { executions, streams, telemetry }
  }

  it('tells of each execution and stream with its times and reconnects', () =>
    withServer(async (server, reach) => {
      const { executions, streams, telemetry } = recorder()
      server.next(
        (response, received) => {
          reach.clock.advance(5)
          return started('x1')(response, received)
        },
        stream([], cut),
        stream([ended(1, execution('x1'))]),
      )
      const running = runEvaluator({ ...what, ...reach, telemetry, waitForResult: true })
      reach.clock.advance(await reach.clock.timer(backoff))
      await running
      expect(executions).toEqual([
        { evaluator: 'e', executionId: 'x1', status: 'completed', error: null, startMs: 5, durationMs: 255 },
      ])
      expect(streams).toEqual([
        { executionIds: ['x1'], transport: 'sse', durationMs: 250, reconnects: 1, frames: 1, error: null },
      ])
    }))

  it('tells of what failed, could not be started, and was not waited for', () =>
    withServer(async (server, reach) => {
      const { executions, streams, telemetry } = recorder()
      server.next(started('x1'), stream([ended(1, broken('x1'))]), json(401, { error: 'no' }), started('x3'))
      const options = { ...what, ...reach, telemetry }
      await runEvaluator({ ...options, waitForResult: true }).catch(() => undefined)
      await runEvaluator(options).catch(() => undefined)
      await runEvaluator(options)
      expect(executions.map(({ executionId, status, error }) => [executionId, status, error])).toEqual([
        ['x1', 'failed', null],
        [null, null, 'auth'],
        ['x3', null, null],
      ])
      expect(streams).toHaveLength(1)
    }))

  it('that throws breaks nothing', () =>
    withServer(async (server, reach) => {
      const fail = () => {
        throw new Error('mine')
      }
      server.next(started('x1'), stream([ended(1, execution('x1'))]))
      const telemetry = { onExecution: fail, onStream: fail }
      const result = await runEvaluator({ ...what, ...reach, telemetry, waitForResult: true })
      expect(result.status).toBe('completed')
    }))
})
