import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Evaluator,
  type EvaluatorResult,
  Experiment,
  runEvaluator,
  SSEResultClient,
  type StreamEvent,
} from '../src/experiments/index.ts'
import { LLMEvalClient } from '../src/index.ts'
import { type RealServer, startRealServer } from './real-server.ts'

const accuracy = { evaluatorSlug: 'accuracy-evaluator', inputSchemaMapping: { answer: '4', expected: '4' } }
const wait = { ...accuracy, waitForResult: true } as const
/** Takes as long as it is let: the pattern backtracks for ever. */
const endless = {
  evaluatorSlug: 'regex',
  inputSchemaMapping: { text: `${'a'.repeat(60)}!` },
  config: { regex: '^(a+)+$' },
}

let server: RealServer
let baseUrl: string
let client: LLMEvalClient

beforeAll(async () => {
  server = await startRealServer()
  baseUrl = server.url
  client = new LLMEvalClient(baseUrl)
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

describe('with the real server, an evaluator', () => {
  it('is run, and its result streamed', async () => {
    expect(await Evaluator.run({ ...wait, baseUrl })).toMatchObject({
      execution_id: expect.any(String) as string,
      status: 'completed',
      result: { match: true, pass: true },
      error: null,
      completed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      score: { outcome: 'scored', value: 1, passed: true },
    })
  })

  it('is run with a callback, while the caller goes on', async () => {
    const called = Promise.withResolvers<EvaluatorResult>()
    const started = await runEvaluator({ ...accuracy, baseUrl, callback: called.resolve })
    expect(started.stream_url).toBe(`/executions/events/${started.execution_id}`)
    expect(await called.promise).toMatchObject({ execution_id: started.execution_id, result: { pass: true } })
  })

  it('is finished without a listener, and its result handed out as often as it is asked for', async () => {
    const { execution_id: id, stream_url: url } = await runEvaluator({ ...accuracy, baseUrl })
    const waiting = new SSEResultClient({ baseUrl })
    const first = await waiting.waitForResult(id, url)
    expect(await waiting.waitForResult(id, url)).toEqual(first)
    expect(await client.getExecution(id)).toMatchObject({ status: 'completed', score: first.score })
  })

  it('has the same result over an event stream, a WebSocket and in the document', async () => {
    const { execution_id: id, stream_url: url } = await runEvaluator({ ...accuracy, baseUrl })
    const transports: string[] = []
    const telemetry = { onStream: (event: StreamEvent) => transports.push(event.transport) }
    const documentsOnly = (address: string, init: RequestInit) =>
      address.includes('/api/v1/') ? Promise.resolve(new Response('', { status: 404 })) : fetch(address, init)
    const results = await Promise.all(
      [{}, { transport: 'websocket' as const }, { fetch: documentsOnly }].map((options) =>
        new SSEResultClient({ baseUrl, telemetry, ...options }).waitForResult(id, url),
      ),
    )
    expect(transports.sort()).toEqual(['document', 'sse', 'websocket'])
    const [stream, socket, document] = results
    expect(socket).toEqual(stream)
    expect({ ...document, score: stream?.score }).toEqual(stream)
  })

  it('takes its input out of data, by any name of a field', async () => {
    const data = { user_query: 'What is 2+2?', model_response: '4', ground_truth: '5' }
    const inputSchemaMapping = { question: 'user_query', answer: 'model_response', expected: 'ground_truth' }
    const { result } = await Evaluator.run({ ...wait, baseUrl, data, inputSchemaMapping })
    expect(result).toEqual({ match: false, pass: false })
  })

  it('takes its input out of a stored trace, which gets the score', async () => {
    await client.sendTrace({ traceId: 'judged', modelName: 'm', userQuery: 'Paris', aiResponse: 'Paris' })
    const options = { ...wait, baseUrl, traceId: 'judged', inputSchemaMapping: { expected: 'user_query' } }
    const { execution_id: id } = await Evaluator.run(options)
    const { scores } = await client.getTrace('judged')
    expect(scores).toMatchObject([{ evaluator: 'exact-match', execution_id: id, value: 1, passed: true }])
  })

  it('that is not there, and input that is missing, are errors that say so', async () => {
    await expect(Evaluator.run({ ...wait, baseUrl, evaluatorSlug: 'nobody' })).rejects.toMatchObject({
      code: 'not_found',
      failure: 'evaluator_not_found',
    })
    // As the source document writes it: without what is expected there is no accuracy.
    const asWritten = { question: 'user_query', answer: 'model_response' }
    await expect(Evaluator.run({ ...wait, baseUrl, inputSchemaMapping: asWritten })).rejects.toMatchObject({
      code: 'failed',
      failure: 'invalid_request',
      message: expect.stringContaining('input.reference: is required') as string,
    })
    const nothing = new SSEResultClient({ baseUrl }).waitForResult('nothing', '/executions/events/nothing')
    await expect(nothing).rejects.toMatchObject({ code: 'not_found', failure: 'execution_not_found' })
    const socket = new SSEResultClient({ baseUrl, transport: 'websocket' }).waitForResult('nothing', '/x')
    await expect(socket).rejects.toMatchObject({ code: 'not_found', failure: 'execution_not_found' })
  })

  it('can be cancelled, and whoever waits hears of it', async () => {
    const { execution_id: id, stream_url: url } = await runEvaluator({ ...endless, baseUrl })
    const waiting = new SSEResultClient({ baseUrl }).waitForResult(id, url).catch((error: unknown) => error)
    await Evaluator.cancel(id, { baseUrl })
    expect(await waiting).toMatchObject({ code: 'failed', body: { status: 'cancelled', result: null } })
    await expect(Evaluator.cancel(id, { baseUrl })).rejects.toMatchObject({ failure: 'execution_over' })
  })
})

describe('with the real server, an experiment', () => {
  const cases = Array.from({ length: 60 }, (_, n) => ({ response: `${n % 3}`, reference: '0', query: 'q' }))

  it('gets the results of all its executions over one stream', async () => {
    const streams: StreamEvent[] = []
    const telemetry = { onStream: (event: StreamEvent) => streams.push(event) }
    const evaluators = [
      'exact-match',
      { slug: 'contains', inputSchemaMapping: { text: 'response', reference: 'reference' } },
    ]
    const seen = new Set<string>()
    const results = await new Experiment({ baseUrl, evaluators, telemetry }).run(cases, {
      onResult: (result) => seen.add(result.execution_id),
    })
    expect(results).toHaveLength(120)
    expect(seen.size).toBe(120)
    for (const { case_index: index, score } of results) expect(score?.passed, `case ${index}`).toBe(index % 3 === 0)
    expect(streams).toMatchObject([{ reconnects: 0, error: null }])
  })

  it('can be cancelled while it runs', async () => {
    const experiment = new Experiment({ baseUrl, evaluators: [{ slug: 'regex', config: endless.config }] })
    const started = Promise.withResolvers<void>()
    const told = new Set<string>()
    const run = experiment.start(
      Array.from({ length: 3 }, () => ({ response: endless.inputSchemaMapping.text })),
      { onProgress: ({ execution_id: id }) => told.add(id).size === 3 && started.resolve() },
    )
    await Promise.race([started.promise, run.results])
    await run.cancel()
    expect((await run.results).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled'])
  })
})

describe('with the real server, the client', () => {
  it('lists evaluators, executes one, and looks at executions', async () => {
    const evaluators = await client.evaluators()
    expect(evaluators.find(({ slug }) => slug === 'exact-match')).toMatchObject({ kind: 'code', source: 'builtin' })
    const input = { response: 'Paris', reference: 'PARIS' }
    const execution = await client.execute('exact_match', input, { config: { ignore_case: true } })
    expect(execution).toMatchObject({ status: 'completed', score: { value: 1 } })
    expect(await client.getExecution(execution.execution_id)).toMatchObject({ score: execution.score })
  })

  it('waits for what takes longer than one request, and may leave it', async () => {
    const started = await client.execute(
      'regex',
      { response: 'a'.repeat(60) + '!' },
      { config: endless.config, wait: false },
    )
    expect(['queued', 'running']).toContain(started.status)
    expect(await client.cancelExecution(started.execution_id)).toMatchObject({ status: 'cancelled' })
  })

  it('runs evaluators on a stored trace, in their order', async () => {
    await client.sendTrace({ traceId: 'traced', modelName: 'm', userQuery: 'q', aiResponse: 'a', responseTimeMs: 5 })
    const executions = await client.runEvaluators('traced', [
      'latency',
      { slug: 'contains', config: { values: ['a'] } },
    ])
    expect(executions).toMatchObject([
      { evaluator: 'latency', trace_id: 'traced', score: { value: 5 } },
      { evaluator: 'contains', trace_id: 'traced', score: { passed: true } },
    ])
    expect((await client.getTrace('traced')).scores).toHaveLength(2)
    await expect(client.runEvaluators('nowhere', ['latency'])).rejects.toMatchObject({ failure: 'trace_not_found' })
  })

  it('makes a dataset, fills, publishes and reads it', async () => {
    const columns = [{ name: 'Question' }, { name: 'Points', type: 'number' as const }]
    const made = await client.datasets.create({ name: 'My questions', columns })
    expect(made).toMatchObject({ slug: 'my-questions', columns: [{ slug: 'question' }, { slug: 'points' }] })
    const rows = await client.datasets.addRows('my-questions', [{ question: 'q1', points: 1 }, { question: 'q2' }])
    expect(rows.map(({ values }) => values)).toEqual([
      { question: 'q1', points: 1 },
      { question: 'q2', points: null },
    ])
    expect(await client.datasets.publish('my-questions')).toMatchObject({ version: 'v1', created: true })
    await client.datasets.addRows('my-questions', [{ question: 'q3' }])
    const page = await client.datasets.rows('my-questions', { limit: 2 })
    expect(page).toMatchObject({ total: 3, items: [{ row_index: 0 }, { row_index: 1 }] })
    const rest = await client.datasets.rows('my-questions', { limit: 2, cursor: page.next_cursor ?? '' })
    expect(rest).toMatchObject({ items: [{ values: { question: 'q3' } }], next_cursor: null })
    expect(await client.datasets.rows('my-questions', { version: 'v1' })).toMatchObject({ total: 2 })
    expect(await client.datasets.list()).toMatchObject([{ slug: 'my-questions', last_version: 'v1', changed: true }])
    await expect(client.datasets.rows('nothing')).rejects.toMatchObject({ failure: 'dataset_not_found' })
  })
})

describe('over a restart of the server', () => {
  it.each(['sse', 'websocket'] as const)(
    'who waits over %s goes on waiting, and hears how it ended',
    async (transport) => {
      await using other = await startRealServer()
      const { execution_id: id, stream_url: url } = await runEvaluator({ ...endless, baseUrl: other.url })
      const waiting = new SSEResultClient({ baseUrl: other.url, transport })
      const told = Promise.withResolvers<void>()
      const lost: Error[] = []
      const failure = waiting
        .waitForResult(id, url, { onProgress: () => told.resolve(), onError: (error) => lost.push(error) })
        .catch((error: unknown) => error)
      await told.promise
      await other.restart()
      // On a slow machine its time may be up before.
      await Evaluator.cancel(id, { baseUrl: other.url }).catch(() => undefined)
      const failures = expect.stringMatching(/^(cancelled|timeout)$/) as string
      expect(await failure).toMatchObject({ code: 'failed', failure: failures, body: { execution_id: id } })
      expect(lost.length).toBeGreaterThan(0)
    },
  )

  it('results are there as before', async () => {
    await using other = await startRealServer()
    const started = await runEvaluator({ ...accuracy, baseUrl: other.url })
    const waiting = new SSEResultClient({ baseUrl: other.url })
    const before = await waiting.waitForResult(started.execution_id, started.stream_url)
    await other.restart()
    expect(await waiting.waitForResult(started.execution_id, started.stream_url)).toEqual(before)
  })
})

describe('with a server that wants keys', () => {
  it.each(['sse', 'websocket'] as const)(
    'results come over %s with the key, and without it an error',
    async (transport) => {
      await using guarded = await startRealServer({ admin_key: 'an-admin-key-made-elsewhere' })
      const options = { ...wait, baseUrl: guarded.url, transport }
      const withKey = { ...options, apiKey: 'an-admin-key-made-elsewhere' }
      const { execution_id: id, result } = await Evaluator.run(withKey)
      expect(result).toMatchObject({ pass: true })
      await expect(Evaluator.run(options)).rejects.toMatchObject({ code: 'auth', status: 401 })
      const stranger = new SSEResultClient({ baseUrl: guarded.url, transport, apiKey: 'wrong' })
      await expect(stranger.waitForResult(id, '/x')).rejects.toMatchObject({ code: 'auth', failure: 'invalid_key' })
      const nobody = new SSEResultClient({ baseUrl: guarded.url, transport })
      await expect(nobody.waitForResult(id, '/x')).rejects.toMatchObject({ code: 'auth', failure: 'unauthenticated' })
    },
  )
})
