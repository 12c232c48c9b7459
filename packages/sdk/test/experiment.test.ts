import { encodeSse } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { Experiment, type ExperimentResult } from '../src/experiments/index.ts'
import { broken, ended, execution, progress, running, withServer } from './execution-scene.ts'
import { type Behaviour, hang, json } from './fake-server.ts'
import { backoff, cut, stream } from './stream-scene.ts'

/** Answers that as many executions were started as were asked for. */
const startAll: Behaviour = (response, received) => {
  const { executions } = JSON.parse(received.body) as { executions: unknown[] }
  return json(202, {
    batch_id: 'b',
    events_url: '/api/v1/executions/batches/b/events',
    executions: executions.map((_, index) => running(`x${index}`)),
  })(response, received)
}
const over = (count: number) =>
  stream([Array.from({ length: count }, (_, index) => ended(index + 1, execution(`x${index}`))).join('')])
const cases = [
  { response: 'a', reference: 'a' },
  { response: 'b', reference: 'c' },
]

describe('an experiment', () => {
  it('applies each evaluator to each case, with one request and one stream, and answers in their order', () =>
    withServer(async (server, reach) => {
      const mapped = { slug: 'contains', inputSchemaMapping: { text: 'response' }, config: { any: true }, version: 'v' }
      const ends = [3, 0, 2, 1].map((index, seq) => ended(seq + 2, execution(`x${index}`)))
      server.next(startAll, stream([progress(1, 'x2'), ...ends]))
      const seen: ExperimentResult[] = []
      const experiment = new Experiment({ ...reach, evaluators: ['exact-match', mapped] })
      const results = await experiment.run(cases, { onResult: (result) => seen.push(result) })
      expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
        executions: [
          { evaluator: 'exact-match', input: cases[0] },
          { evaluator: 'contains', input: { text: 'a' }, config: { any: true }, version: 'v' },
          { evaluator: 'exact-match', input: cases[1] },
          { evaluator: 'contains', input: { text: 'b' }, config: { any: true }, version: 'v' },
        ],
      })
      expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'POST /api/v1/executions',
        'GET /api/v1/executions/batches/b/events',
      ])
      expect(results.map((one) => [one.case_index, one.evaluator, one.execution_id, one.status])).toEqual([
        [0, 'exact-match', 'x0', 'completed'],
        [0, 'contains', 'x1', 'completed'],
        [1, 'exact-match', 'x2', 'completed'],
        [1, 'contains', 'x3', 'completed'],
      ])
      expect(seen.map((one) => one.execution_id)).toEqual(['x3', 'x0', 'x2', 'x1'])
    }))

  it('takes a failed execution for a result', () =>
    withServer(async (server, reach) => {
      server.next(startAll, stream([ended(1, broken('x0')), ended(2, execution('x1'))]))
      const results = await new Experiment({ ...reach, evaluators: ['e'] }).run(cases)
      expect(results).toMatchObject([
        { case_index: 0, status: 'failed', error: 'it took too long', result: null },
        { case_index: 1, status: 'completed' },
      ])
    }))

  it('hands each result out once, also when the stream begins again before its first place', () =>
    withServer(async (server, reach) => {
      const withoutPlace = encodeSse(JSON.stringify({ event_type: 'result', data: execution('x0'), timestamp: 't' }))
      server.next(startAll, stream([withoutPlace], cut), over(2))
      const seen: string[] = []
      const running = new Experiment({ ...reach, evaluators: ['e'] }).run(cases, {
        onResult: (one) => seen.push(one.execution_id),
      })
      reach.clock.advance(await reach.clock.timer(backoff))
      expect(await running).toHaveLength(2)
      expect(seen).toEqual(['x0', 'x1'])
    }))

  it('of nothing is done at once', () =>
    withServer(async (server, reach) => {
      expect(await new Experiment({ ...reach, evaluators: ['e'] }).run([])).toEqual([])
      expect(server.received).toEqual([])
      expect(() => new Experiment({ ...reach, evaluators: [] })).toThrow(TypeError)
    }))

  it.each([
    ['number', 1_001, (index: number) => ({ n: index }), [1_000, 1]],
    ['size', 3, () => ({ text: 'x'.repeat(1_900_000) }), [2, 1]],
  ] as const)(
    'of more than a request may hold by %s is done in several, one after the other',
    (...[, count, make, sizes]) =>
      withServer(async (server, reach) => {
        for (const size of sizes) server.next(startAll, over(size))
        const many = Array.from({ length: count }, (_, index) => make(index))
        const results = await new Experiment({ ...reach, evaluators: ['e'] }).run(many)
        expect(results.map((one) => one.case_index)).toEqual(many.map((_, index) => index))
        expect(server.received).toHaveLength(2 * sizes.length)
      }),
  )

  it('that is cancelled ends what is not over, and starts nothing more', () =>
    withServer(async (server, reach) => {
      const open = Promise.withResolvers<(text: string) => void>()
      const many = Array.from({ length: 1_001 }, (_, n) => ({ n }))
      const cancels: string[] = []
      server.usually(async (response, received) => {
        if (received.path === '/api/v1/executions') return startAll(response, received)
        if (received.path.endsWith('/events'))
          return stream([], (opened) => open.resolve((text) => opened.write(text)))(response, received)
        const id = received.path.split('/').at(-2) ?? ''
        cancels.push(id)
        // One was quicker.
        if (id === 'x7') await json(409, { code: 'execution_over', detail: 'over' })(response, received)
        else await json(200, execution(id, { status: 'cancelled', score: null }))(response, received)
      })
      const run = new Experiment({ ...reach, evaluators: ['e'] }).start(many)
      const send = await open.promise
      await run.cancel()
      const one = (index: number) =>
        index === 7 ? execution('x7') : execution(`x${index}`, { status: 'cancelled', score: null })
      for (let index = 0; index < 1_000; index++) send(ended(index + 1, one(index)))
      const results = await run.results
      expect(new Set(cancels).size).toBe(1_000)
      expect(results).toHaveLength(1_000)
      expect(results.filter(({ status }) => status === 'cancelled')).toHaveLength(999)
      expect(server.received.filter(({ path }) => path === '/api/v1/executions')).toHaveLength(1)
    }))

  it('gives up when there was no news for its time, however long it takes with news', () =>
    withServer(async (server, reach) => {
      const open = Promise.withResolvers<(text: string) => void>()
      server.next(
        startAll,
        stream([], (response) => open.resolve((text) => response.write(text))),
      )
      const steps: (number | null)[] = []
      const failure = new Experiment({ ...reach, evaluators: ['e'] })
        .run(cases, { timeoutMs: 40_000, onProgress: ({ done }) => steps.push(done) })
        .catch((error: unknown) => error)
      const send = await open.promise
      for (let seq = 1; seq < 4; seq++) {
        await reach.clock.timer((ms) => ms === 45_000)
        reach.clock.advance(39_999)
        send(progress(seq, 'x0'))
        await reach.clock.timer((ms) => ms === 40_000)
      }
      expect(steps).toEqual([1, 2, 3])
      reach.clock.advance(40_000)
      expect(await failure).toMatchObject({ code: 'timeout' })
    }))

  it.each([
    ['not_found', json(404, { code: 'evaluator_not_found', detail: 'There is no evaluator e.' })],
    ['protocol', json(200, { batch_id: 'b', executions: [] })],
    ['protocol', json(200, { executions: [running('x0'), running('x1')] })],
    [
      'failed',
      json(422, { code: 'invalid_request', detail: 'no', errors: [{ path: 'executions[1].input', message: 'm' }] }),
    ],
  ] as const)('that cannot be started is an error with the code %s', (code, behaviour) =>
    withServer(async (server, reach) => {
      server.next(behaviour)
      await expect(new Experiment({ ...reach, evaluators: ['e'] }).run(cases)).rejects.toMatchObject({ code })
    }),
  )

  it('refuses a mapping that leads nowhere before anything is sent, and says where', () =>
    withServer(async (server, reach) => {
      const evaluators = [{ slug: 'e', inputSchemaMapping: { text: 'answer' } }]
      const running = new Experiment({ ...reach, evaluators }).run([{ answer: 1 }, { other: 1 }])
      await expect(running).rejects.toThrow('cases[1].input_schema_mapping.text names answer, which is not in the data')
      expect(server.received).toEqual([])
    }))

  it('ends with the reason of its signal', () =>
    withServer(async (server, reach) => {
      server.next(startAll, hang)
      const controller = new AbortController()
      const running = new Experiment({ ...reach, evaluators: ['e'] }).run(cases, { signal: controller.signal })
      await server.arrived(2)
      controller.abort(new Error('enough'))
      await expect(running).rejects.toThrow('enough')
    }))
})
