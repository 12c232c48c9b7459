import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Experiment, LLMEvalError, runEvaluator, SSEResultClient } from '../src/experiments/index.ts'
import { LLMEvalClient, LLMEvalStreamClient, TraceLogger } from '../src/index.ts'
import { ended, execution, started, withServer } from './execution-scene.ts'
import { json, reset } from './fake-server.ts'
import { stream } from './stream-scene.ts'

// What the application's own functions throw, at once or later, must neither be lost nor end its process.

const unhandled = vi.fn()
beforeEach(() => void process.on('unhandledRejection', unhandled))
afterEach(async () => {
  // Node tells of rejections when the microtasks are done.
  await new Promise((done) => setImmediate(done))
  process.off('unhandledRejection', unhandled)
  expect(unhandled.mock.calls).toEqual([])
  unhandled.mockReset()
  vi.restoreAllMocks()
})

const rejects = () => Promise.reject(new Error('mine'))
const done = stream([ended(1, execution('x1'))])
const what = { evaluatorSlug: 'e', inputSchemaMapping: { a: 1 } }
/** What is thrown need not be an error, nor have a text. */
const odd: unknown = Object.create(null)

describe('a callback', () => {
  it.each([
    ['rejects', rejects, 'mine'],
    [
      'is a thenable that rejects',
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is looked at
      () => ({ then: (_: unknown, no: (e: Error) => void) => no(new Error('late')) }),
      'late',
    ],
    [
      'throws what has no text',
      () => {
        throw odd
      },
      'something that is no error was thrown',
    ],
  ])('that %s is told to onError, and the result arrives', (_, callback, says) =>
    withServer(async (server, reach) => {
      server.next(started('x1'), done)
      const told: string[] = []
      const onError = (error: Error) => {
        told.push(error.message)
        return rejects()
      }
      const result = await runEvaluator({ ...what, ...reach, callback, onError, waitForResult: true })
      expect(result.status).toBe('completed')
      await expect.poll(() => told, { timeout: 20_000 }).toEqual([says])
    }),
  )

  it('without onError is told to the console', () =>
    withServer(async (server, reach) => {
      const told = vi.spyOn(console, 'error').mockReturnValue()
      server.next(done)
      await new SSEResultClient(reach).waitForResult('x1', '/x1', { callback: rejects })
      await expect
        .poll(() => told.mock.calls, { timeout: 20_000 })
        .toEqual([['llm-eval-sdk: a callback threw:', 'mine']])
    }))

  it('of telemetry that rejects breaks nothing', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), done)
      const telemetry = { onExecution: rejects, onStream: rejects }
      expect((await runEvaluator({ ...what, ...reach, telemetry, waitForResult: true })).status).toBe('completed')
    }))

  it('for what ends a wait in the background may reject', () =>
    withServer(async (server, reach) => {
      server.next(json(401, { detail: 'no' }))
      const onError = vi.fn(rejects)
      new SSEResultClient(reach).startAsyncStream('x1', '/x1', { onError })
      await expect.poll(() => onError.mock.calls.length, { timeout: 20_000 }).toBe(1)
    }))

  it('of streams, senders and loggers that rejects breaks nothing', () =>
    withServer(async (server, { baseUrl }) => {
      server.usually(json(401, { detail: 'no' }))
      const onError = vi.fn(rejects)
      const streams = new LLMEvalStreamClient(baseUrl, { onError })
      streams.streamEvents(() => undefined)
      await expect.poll(() => onError.mock.calls.length, { timeout: 20_000 }).toBe(1)
      const client = new LLMEvalClient(baseUrl)
      const buffered = client.buffered({ onError })
      buffered.send({ modelName: 'm', userQuery: 'q', aiResponse: 'a' })
      await buffered.flush()
      const logger = new TraceLogger(client, 'm', { onError })
      await logger.logTrace('q', 'a').catch(() => undefined)
      await expect.poll(() => onError.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(2)
    }))
})

describe('a run that is started and not awaited', () => {
  it('may fail without ending the process, and says why to who asks later', () =>
    withServer(async (server, reach) => {
      server.usually(reset)
      const run = new Experiment({ evaluators: ['e'], ...reach, retries: 0 }).start([{ a: 1 }])
      await server.arrived(1)
      await new Promise((later) => setImmediate(later))
      await run.cancel()
      await expect(run.results).rejects.toThrow(LLMEvalError)
    }))
})
