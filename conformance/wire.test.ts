import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Provider, says, startProvider } from '../packages/engine/test/provider.ts'
import { type Subject, startSubject } from './server.ts'

// What clients rely on without a word, each as it was seen on the wire of one of them.

let stack: AsyncDisposableStack
let subject: Subject
let provider: Provider
/** Holds the model back. */
let held: Promise<void> = Promise.resolve()
beforeAll(async () => {
  stack = new AsyncDisposableStack()
  provider = stack.use(await startProvider({ answer: () => held.then(() => says({ pass: true, reason: 'fine' })) }))
  subject = stack.use(await startSubject({ provider: provider.base('openai') }))
})
afterAll(() => stack.disposeAsync())

interface Answer {
  status: number
  type: string
  text: string
  json: Record<string, unknown>
}

async function send(request: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ')
  const answer = await fetch(`${subject.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${subject.key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const type = answer.headers.get('content-type') ?? ''
  const text = await answer.text()
  return {
    status: answer.status,
    type,
    text,
    json: type.startsWith('application/json') && text ? JSON.parse(text) : {},
  }
}

const mapped = (input: Record<string, unknown>) => ({
  input_schema_mapping: Object.fromEntries(Object.entries(input).map(([field, source]) => [field, { source }])),
})
const same = { response: 'a', reference: 'a' }

/** A run with one task, as an experiment makes them. */
async function startTask(): Promise<string> {
  const { json } = await send('PUT /v2/experiments/initialize', {
    slug: 'wire',
    dataset_slug: null,
    dataset_version: null,
    evaluator_slugs: null,
    experiment_metadata: null,
    experiment_run_metadata: null,
  })
  const run = `/v2/experiments/wire/runs/${String((json['run'] as Record<string, unknown>)['id'])}`
  const task = await send(`POST ${run}/tasks`, { input: { q: 1 }, output: { text: 'a' } })
  return `${run}/tasks/${String(task.json['id'])}`
}

describe('an execution', () => {
  it.each([
    ['/v2/evaluators/exact-match/executions', mapped(same)],
    ['/v2/evaluators/slug/exact-match/execute', mapped(same)],
    ['/api/v1/v2/evaluators/exact_match/executions', mapped(same)],
    ['TASK', { ...mapped(same), evaluator_slug: 'exact-match', evaluator_version: null, evaluator_config: null }],
  ])('started at %s is answered 200, with a relative stream_url and its result behind that', async (path, body) => {
    const started = await send(`POST ${path === 'TASK' ? await startTask() : path}`, body)
    expect(started.status).toBe(200)
    const { execution_id: id, stream_url: url } = started.json
    expect(url).toMatch(/^\/(?!v2)[^/]/)
    const result = await send(`GET /v2${String(url)}`, undefined, { accept: 'text/event-stream' })
    expect(result).toMatchObject({ status: 200, type: expect.stringMatching(/^application\/json/) })
    expect(result.json).toMatchObject({ execution_id: id, result: { evaluator_result: { pass: true } } })
  })

  it('gives the same document as often as it is asked for, also late and to fifty at once', async () => {
    const { json } = await send('POST /v2/evaluators/exact-match/executions', mapped(same))
    const path = `/v2${String(json['stream_url'])}`
    const first = await send(`GET ${path}`)
    const others = await Promise.all(Array.from({ length: 50 }, () => send(`GET ${path}`)))
    expect(new Set([first, ...others].map(({ text }) => text)).size).toBe(1)
  })

  it('of fifty at once gives its result to who waits for it', async () => {
    const starts = Array.from({ length: 50 }, (_, n) =>
      send('POST /v2/evaluators/levenshtein/executions', mapped({ response: `a${n}`, reference: 'a' })),
    )
    const polls = (await Promise.all(starts)).map(({ json }) => send(`GET /v2${String(json['stream_url'])}`))
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual(polls.map(() => 200))
  })

  it('of a judge that takes its time is waited for by fifty of one client at once', async () => {
    const judge = {
      name: 'Slow judge',
      provider: 'openai',
      model: 'gpt-4.1-mini',
      messages: [{ role: 'user', content: 'Is {{text}} fine?' }],
      input_schema: [{ name: 'text', type: 'string' }],
      output_schema: [
        { name: 'pass', type: 'boolean' },
        { name: 'reason', type: 'string' },
      ],
    }
    // The path that earlier clients make evaluators at.
    const made = await send('POST /v2/evaluators/custom-evaluator', judge)
    expect(made).toMatchObject({ status: 200, json: { slug: 'slow-judge' } })
    const { promise, resolve: release } = Promise.withResolvers<void>()
    held = promise
    try {
      const texts = Array.from({ length: 50 }, (_, n) => ({ text: `text ${n}` }))
      const starts = await Promise.all(
        texts.map((input) => send('POST /v2/evaluators/slow-judge/executions', mapped(input))),
      )
      let answered = 0
      const polls = starts.map(({ json }) => send(`GET /v2${String(json['stream_url'])}`).finally(() => answered++))
      await provider.came(1)
      // Others are served meanwhile.
      expect((await send('GET /v2/datasets')).status).toBe(200)
      expect(answered).toBe(0)
      release()
      const results = await Promise.all(polls)
      expect(results.map(({ status }) => status)).toEqual(texts.map(() => 200))
      expect(results.map(({ json }) => json['execution_id'])).toEqual(starts.map(({ json }) => json['execution_id']))
    } finally {
      release()
    }
  })

  it('takes values of any JSON type, passes over fields that it does not know, and takes null for absent', async () => {
    const input = { ...same, number: 3, list: [1, { deep: null }], flag: false, nothing: null }
    const body = { ...mapped(input), evaluator_config: { case_sensitive: null, ignore: null } }
    expect((await send('POST /v2/evaluators/exact-match/executions', body)).status).toBe(200)
    const guard = { input: { text: 'abc' }, config: { regex: 'B', case_sensitive: false, multi_line: null } }
    expect((await send('POST /v2/guardrails/regex-validator/execute', guard)).json).toMatchObject({
      pass: true,
      result: { is_valid_regex: true },
    })
  })

  it('takes paths where the body brings data for them', async () => {
    const body = {
      ...mapped({ response: 'turns[1].text', reference: 'expected' }),
      data: { expected: 'yes', turns: [{ text: 'no' }, { text: 'yes' }] },
    }
    const { json } = await send('POST /v2/evaluators/slug/exact-match/execute', body)
    const result = await send(`GET /v2${String(json['stream_url'])}`)
    expect(result.json).toMatchObject({ result: { evaluator_result: { pass: true } } })
    const wrong = { ...body, data: { expected: 'yes' } }
    expect(await send('POST /v2/evaluators/slug/exact-match/execute', wrong)).toMatchObject({
      status: 422,
      json: { error: expect.stringContaining('nothing is at turns[1].text') },
    })
  })

  it.each([
    ['POST /v2/evaluators/none/executions', mapped(same), 404],
    ['POST /v2/evaluators/none/execute', { input: same }, 404],
    ['POST /v2/guardrails/none/execute', { input: same }, 404],
    ['POST /v2/guardrails/exact-match/execute', { input: {} }, 422],
    ['POST /v2/evaluators/exact-match/executions', {}, 422],
    ['GET /v2/executions/events/none', undefined, 404],
    ['GET /v2/nowhere', undefined, 404],
    ['PUT /v2/datasets', {}, 405],
    ['POST /v1/traces', {}, 501],
  ])('%s that fails says so by its status and by an error in words', async (request, body, status) => {
    const answer = await send(request, body)
    expect(answer.status).toBe(status)
    expect(typeof answer.json['error']).toBe('string')
  })
})

describe('an address', () => {
  it('may have slashes too many, as clients make them of a base URL that ends in one', async () => {
    for (const path of ['//v2/evaluators', '/api/v1//v2/evaluators', '/v2//evaluators']) {
      expect((await send(`GET ${path}`)).status).toBe(200)
    }
  })

  it('takes the key of clients that say Bearer twice', async () => {
    const answer = await send('GET /v2/evaluators', undefined, { authorization: `Bearer Bearer ${subject.key}` })
    expect(answer.status).toBe(200)
  })

  it.each([
    ['/v2/guardrails/execute/word-count', { input: { text: 'a b' } }, { pass: true, result: { word_count: 2 } }],
    ['/v2/evaluators/execute/word-count', { input: { text: 'a b' } }, { word_count: 2 }],
    ['/v2/evaluators/word-count/execute', { input: { text: 'a b' } }, { word_count: 2 }],
    ['/v2/evaluators/word-count/executions', { input: { text: 'a b' } }, { word_count: 2 }],
  ])('of earlier clients, %s, is answered as they expect', async (path, body, expected) => {
    expect(await send(`POST ${path}`, body)).toMatchObject({ status: 200, json: expected })
  })

  it('of a task without its s is one too', async () => {
    const tasks = (await startTask()).replace(/\/tasks\/.*/, '/task')
    expect(await send(`POST ${tasks}`, { input: {}, output: {} })).toMatchObject({ status: 200 })
  })
})

describe('a dataset', () => {
  it('of the Python client comes with its columns and rows in one request, and nulls mean nothing', async () => {
    const made = await send('POST /v2/datasets', {
      slug: 'py-set',
      name: 'Py set',
      description: null,
      columns: [
        { slug: 'question', name: 'Question', type: 'string' },
        { slug: 'when', name: 'When', type: 'date' },
      ],
      rows: [{ question: 'a', when: '2026-01-31' }, { question: 'b' }],
    })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      columns: { question: { slug: 'question', name: 'Question', type: 'string' }, when: { type: 'string' } },
      rows: [{ row_index: 0, values: { question: 'a', when: '2026-01-31' } }, { values: { question: 'b' } }],
    })
    const override = { name: null, description: null, columns: null, rows: [{ question: 'only' }] }
    expect((await send('POST /v2/datasets/py-set/override', override)).json).toMatchObject({
      name: 'Py set',
      columns: { question: {}, when: {} },
      rows: [{ values: { question: 'only' } }],
      total_rows: 1,
    })
  })

  it('always has columns, and takes Rows and Values in any case', async () => {
    const made = await send('POST /v2/datasets', { name: 'Empty' })
    expect(made.json['columns']).toEqual({})
    await send('POST /v2/datasets/empty/columns', { name: 'snake_col', type: 'string' })
    for (const body of [
      { Rows: [{ snakeCol: 'a' }] },
      { rows: [{ 'snake-col': 'b' }] },
      { ROWS: [{ snake_col: 'c' }] },
    ]) {
      expect((await send('POST /v2/datasets/empty/rows', body)).status).toBe(201)
    }
    const { json } = await send('GET /v2/datasets/empty/rows?limit=2&offset=1')
    expect(json).toMatchObject({ total: 3, rows: [{ values: { 'snake-col': 'b' } }, { values: { 'snake-col': 'c' } }] })
    const [row] = json['rows'] as { id: string }[]
    for (const body of [{ Values: { snakeCol: 'x' } }, { values: { snake_col: 'y' } }]) {
      expect(await send(`PUT /v2/datasets/empty/rows/${row?.id}`, body)).toMatchObject({ status: 200, text: '' })
    }
    const refused = await send('POST /v2/datasets/empty/rows', { rows: [{ other: 1 }] })
    expect(refused).toMatchObject({ status: 422, json: { error: expect.stringContaining('rows[0].other') } })
  })

  it('is published with an answer that is the whole dataset, and read as lines of which the first is about columns', async () => {
    const published = await send('POST /v2/datasets/empty/publish', {})
    expect(published.json).toMatchObject({
      slug: 'empty',
      version: 'v1',
      dataset_id: published.json['id'],
      columns: {},
    })
    const lines = await send('GET /v2/datasets/empty/versions/v1/jsonl')
    expect(lines.type).toBe('application/x-ndjson')
    expect(lines.text.split('\n')[0]).toBe(
      '{"columns":{"snake-col":{"slug":"snake-col","name":"snake_col","type":"string"}}}',
    )
    const table = await send('GET /v2/datasets/empty/versions/v1', undefined, { 'user-agent': 'python-requests/2' })
    expect(table).toMatchObject({ type: 'text/csv; charset=utf-8', text: expect.stringMatching(/^snake_col\r\na\r\n/) })
  })

  it('is deleted with an empty answer', async () => {
    expect(await send('DELETE /v2/datasets/empty')).toMatchObject({ status: 204, text: '' })
    expect((await send('GET /v2/datasets/empty')).status).toBe(404)
  })
})

describe('the catalogue', () => {
  it('gives every evaluator a provider and a model, without which a client cannot read it', async () => {
    const { json } = await send('GET /v2/evaluators')
    const evaluators = json['evaluators'] as { slug: string }[]
    expect(evaluators.length).toBeGreaterThan(20)
    for (const { slug } of evaluators) {
      expect((await send(`GET /v2/evaluators/${slug}`)).json, slug).toMatchObject({
        slug,
        config: { provider: expect.any(String), llm_config: { model: expect.any(String) } },
      })
    }
  })

  it('has empty registries of prompts and of what may be traced', async () => {
    expect((await send('GET /v1/traceloop/prompts')).json).toMatchObject({ prompts: [] })
    expect((await send('GET /v1/traceloop/pii/tracing-allow-list')).json).toEqual({
      associationPropertyAllowList: [],
    })
  })
})
