import { describe, expect, it } from 'vitest'
import {
  Evaluator,
  type EvaluatorResult,
  LLMEvalError,
  runEvaluator,
  runEvaluatorAsync,
} from '../src/experiments/index.ts'
import { ended, execution, progress, score, started, withServer } from './execution-scene.ts'
import { type Behaviour, hang, html, json, reset } from './fake-server.ts'
import { stream } from './stream-scene.ts'

const mapping = { question: 'What is 2+2?', answer: '4' }
const what = { evaluatorSlug: 'accuracy-evaluator', inputSchemaMapping: mapping }
const wait = { ...what, waitForResult: true } as const
const result: EvaluatorResult = {
  execution_id: 'x1',
  status: 'completed',
  result: { is_correct: true, pass: true },
  error: null,
  error_code: null,
  completed_at: '2025-01-27T12:00:00Z',
  score,
}

describe('an evaluator that is run', () => {
  it('and waited for gives its result as it was streamed', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), stream([progress(1, 'x1'), ended(2, execution('x1'))]))
      expect(await Evaluator.run({ ...wait, ...reach, apiKey: 'k' })).toEqual(result)
      expect(server.received).toMatchObject([
        { method: 'POST', path: '/v2/evaluators/slug/accuracy-evaluator/execute' },
        { method: 'GET', path: '/api/v1/executions/x1/events' },
      ])
      expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
        input_schema_mapping: { question: { source: 'What is 2+2?' }, answer: { source: '4' } },
      })
      expect(server.received[1]?.headers).toMatchObject({
        authorization: 'Bearer k',
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
      })
    }))

  it('without waiting resolves at once with what was started, and opens no stream', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'))
      expect(await Evaluator.run({ ...what, ...reach })).toEqual({
        execution_id: 'x1',
        stream_url: '/executions/events/x1',
      })
      expect(server.received).toHaveLength(1)
    }))

  it('with a callback resolves at once, and calls back when the result is there', () =>
    withServer(async (server, reach) => {
      const release = Promise.withResolvers<void>()
      server.next(
        started('x1'),
        stream([progress(1, 'x1')], async (response) => {
          await release.promise
          response.write(ended(2, execution('x1')))
        }),
      )
      const called = Promise.withResolvers<EvaluatorResult>()
      const answer = await Evaluator.run({ ...what, ...reach, callback: called.resolve })
      expect(answer).toEqual({ execution_id: 'x1', stream_url: '/executions/events/x1' })
      release.resolve()
      expect(await called.promise).toEqual(result)
    }))

  it('calls back and returns, when both are asked for', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), stream([ended(1, execution('x1'))]))
      const seen: EvaluatorResult[] = []
      expect(await runEvaluator({ ...wait, ...reach, callback: (one) => seen.push(one) })).toEqual(result)
      expect(seen).toEqual([result])
    }))

  it.each([
    ['Evaluator.runAsync', Evaluator.runAsync],
    ['runEvaluatorAsync', runEvaluatorAsync],
  ])('by %s never waits', (_, run) =>
    withServer(async (server, reach) => {
      server.next(started('x1'), hang, started('x2'))
      const one = await run({ ...what, ...reach, callback: () => undefined, signal: AbortSignal.timeout(60_000) })
      const two = await run({ ...what, ...reach })
      expect([one.execution_id, two.execution_id]).toEqual(['x1', 'x2'])
    }),
  )

  it('tells how far it is', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), stream([progress(1, 'x1'), progress(2, 'x1'), ended(3, execution('x1'))]))
      const steps: (number | null)[] = []
      await Evaluator.run({ ...wait, ...reach, onProgress: ({ done }) => steps.push(done) })
      expect(steps).toEqual([1, 2])
    }))

  it('takes configuration and version along', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'))
      await Evaluator.run({ ...what, ...reach, config: { ignore_case: true }, version: 'abc' })
      expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
        evaluator_config: { ignore_case: true },
        evaluator_version: 'abc',
      })
    }))
})

describe('the mapping', () => {
  const sent = async (options: { inputSchemaMapping: Record<string, unknown>; data?: object }) => {
    let body: unknown
    await withServer(async (server, reach) => {
      server.next(started('x1'))
      await Evaluator.run({ evaluatorSlug: 'e', ...reach, ...options })
      body = JSON.parse(server.received[0]?.body ?? '')
    })
    return (body as { input_schema_mapping: unknown }).input_schema_mapping
  }

  it('takes values of any kind, also in the form of the wire', async () => {
    const inputSchemaMapping = { a: 5, b: { deep: [1] }, c: { source: 'text' }, d: null, e: { source: { source: 1 } } }
    expect(await sent({ inputSchemaMapping })).toEqual({
      a: { source: 5 },
      b: { source: { deep: [1] } },
      c: { source: 'text' },
      d: { source: null },
      e: { source: { source: 1 } },
    })
  })

  it('leads into data, where there is some', async () => {
    const data = { user_query: 'q', model: { replies: [{ text: 'a' }] }, 'ground.truth': 't' }
    const inputSchemaMapping = {
      question: 'user_query',
      answer: 'model.replies[0].text',
      limit: 5,
      expected: { source: 'ground.truth' },
    }
    expect(await sent({ inputSchemaMapping, data })).toEqual({
      question: { source: 'q' },
      answer: { source: 'a' },
      limit: { source: 5 },
      expected: { source: 't' },
    })
  })

  it.each([
    [{ a: 'missing' }, 'input_schema_mapping.a names missing, which is not in the data'],
    [{ a: 'constructor' }, 'input_schema_mapping.a names constructor, which is not in the data'],
    [{ a: { source: undefined } }, 'input_schema_mapping.a has no value'],
  ])('that leads nowhere (%j) is refused before anything is sent', (inputSchemaMapping, message) =>
    withServer(async (server, reach) => {
      const run = Evaluator.run({ ...what, ...reach, inputSchemaMapping, data: { there: 1 } })
      await expect(run).rejects.toMatchObject({ code: 'failed', failure: 'invalid_request', message })
      expect(server.received).toEqual([])
    }),
  )

  it('leads into a stored trace, which gets the score', () =>
    withServer(async (server, reach) => {
      server.next(started('x1'), started('x2'))
      const options = { ...reach, evaluatorSlug: 'e', traceId: 't1' }
      await Evaluator.run({ ...options, inputSchemaMapping: { question: 'user_query' }, data: { expected: 'a' } })
      await Evaluator.run(options)
      expect(server.received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
        { input_schema_mapping: { question: { source: 'user_query' } }, trace_id: 't1', data: { expected: 'a' } },
        { input_schema_mapping: {}, trace_id: 't1' },
      ])
    }))
})

describe('what cannot be started', () => {
  it.each([
    ['auth', json(401, { error: 'Unauthorized' }), { status: 401, message: 'Unauthorized' }],
    [
      'not_found',
      json(404, { error: 'There is no evaluator x.', code: 'evaluator_not_found' }),
      { failure: 'evaluator_not_found' },
    ],
    ['failed', json(500, { error: 'Something went wrong.', code: 'internal' }), { status: 500 }],
    ['failed', html(502), { status: 502 }],
    ['protocol', (response) => response.end('<html>'), { status: 200 }],
    ['protocol', json(200, { success: true }), { message: expect.stringContaining('which execution') as string }],
    ['unreachable', reset, { message: expect.stringContaining('Cannot reach http://127.0.0.1:') as string }],
  ] satisfies [string, Behaviour, object][])('is an error with the code %s', (code, behaviour, details) =>
    withServer(async (server, reach) => {
      server.next(behaviour)
      const failure = await Evaluator.run({ ...wait, ...reach, retries: 0 }).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(LLMEvalError)
      expect(failure).toMatchObject({ code, ...details })
      expect(server.received).toHaveLength(1)
    }),
  )

  it('is not started twice after a lost connection, but is after an overload', () =>
    withServer(async (server, reach) => {
      server.next(json(503, { error: 'busy', code: 'overloaded' }, { 'retry-after': '1' }), reset)
      const failure = Evaluator.run({ ...wait, ...reach }).catch((error: unknown) => error)
      reach.clock.advance(await reach.clock.timer((ms) => ms === 1_000))
      expect(await failure).toMatchObject({ code: 'unreachable' })
      expect(server.received).toHaveLength(2)
    }))

  it('for want of an answer is a timeout', () =>
    withServer(async (server, reach) => {
      server.next(hang)
      const failure = Evaluator.run({ ...wait, ...reach, requestTimeoutMs: 7_000 }).catch((error: unknown) => error)
      reach.clock.advance(await reach.clock.timer((ms) => ms === 7_000))
      expect(await failure).toMatchObject({ code: 'timeout' })
    }))
})
