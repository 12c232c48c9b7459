import { describe, expect, it } from 'vitest'
import { Evaluator, type EvaluatorOptions, type MetricInput, type Task } from '../src/evaluation/index.ts'
import { startRunServer } from './run-server.ts'

const cases = [
  { id: 'a', input: 'one', expected: 'ONE' },
  { id: 'b', input: 'two', expected: 'TWO' },
  { id: 'c', input: 'three', expected: 'four' },
]
const upper = (input: unknown) => String(input).toUpperCase()

/** An evaluator that keeps its warnings to itself. */
function evaluatorOf(options: Partial<EvaluatorOptions>): Evaluator {
  return new Evaluator({
    task: upper,
    dataset: cases,
    metrics: ['exact_match'],
    onWarning: () => undefined,
    ...options,
  })
}

describe('an evaluation', () => {
  it('scores a task over cases, and the server has each item once', async () => {
    await using server = await startRunServer()
    const result = await evaluatorOf({ baseUrl: server.url, runId: 'first', metrics: ['accuracy', 'latency'] }).arun()
    expect(result).toMatchObject({
      runId: 'first',
      runUrl: `${server.url}/runs/first`,
      status: 'completed',
      totalItems: 3,
      completedItems: 3,
      successfulItems: 3,
      successRate: 1,
      warnings: [],
      delivery: { delivered: 4, undelivered: 0, refused: 0 },
      items: null,
    })
    expect(result.metrics['accuracy']).toMatchObject({ n: 3, coverage: 1, passed: 2, failed: 1, by: 'client' })
    expect(result.metrics['accuracy']?.mean).toBeCloseTo(2 / 3, 12)
    expect(result.metrics['accuracy']?.ci).toHaveLength(2)
    expect(result.metrics['latency']).toMatchObject({ n: 3, by: 'client' })
    const kept = server.runs.get('first')
    expect(kept?.run.status).toBe('completed')
    expect([...(kept?.items.values() ?? [])].map((item) => [item.case_id, item.output])).toEqual([
      ['a', 'ONE'],
      ['b', 'TWO'],
      ['c', 'THREE'],
    ])
  })

  it('asks each case as often as it should, and hands items and progress out', async () => {
    await using server = await startRunServer()
    const items: string[] = []
    const seen: number[] = []
    const result = await evaluatorOf({
      baseUrl: server.url,
      repetitions: 2,
      concurrency: 1,
      items: 'kept',
      onItem: ({ item_id: id }) => items.push(id),
      onProgress: ({ completed_items: done }) => seen.push(done),
    }).run()
    expect(items).toEqual(['a#1', 'a#2', 'b#1', 'b#2', 'c#1', 'c#2'])
    expect(result.items?.map(({ item_id: id }) => id)).toEqual(items)
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(result).toMatchObject({ totalItems: 6, runId: expect.stringMatching(/^run-/) })
  })

  it('is not ended by what listeners throw', async () => {
    await using server = await startRunServer()
    const thrower = (): never => {
      throw new Error('listener')
    }
    const listeners = { onItem: thrower, onProgress: thrower, onWarning: thrower }
    const result = await evaluatorOf({ baseUrl: server.url, ...listeners }).run()
    expect(result).toMatchObject({ status: 'completed', completedItems: 3, delivery: { delivered: 4 } })
    expect(result.warnings).toContain('onItem: listener')
  })

  it('reads a dataset of the server page by page, in the version that the run was made with', async () => {
    await using server = await startRunServer()
    for (let index = 0; index < 450; index++)
      server.rows.push({ id: `row-${index}`, values: { question: `q${index}`, answer: `Q${index}` } })
    const result = await evaluatorOf({ baseUrl: server.url, dataset: 'questions', runId: 'r', concurrency: 50 }).run()
    expect(result).toMatchObject({
      status: 'completed',
      totalItems: 450,
      metrics: { exact_match: { n: 450, mean: 1 } },
    })
    expect(server.runs.get('r')?.run).toMatchObject({ dataset_id: 'questions', dataset_version: 'v1' })
    const last = server.runs.get('r')?.items.get(449)
    expect(last).toMatchObject({ case_id: 'row-449', input: 'q449', expected: 'Q449', output: 'Q449' })
  })

  it('knows a row by its own id where the one in its column is longer than ids may be, as the server does', async () => {
    await using server = await startRunServer()
    for (const id of ['x'.repeat(201), 'x'.repeat(200)]) server.rows.push({ id: `row-${id.length}`, values: { id } })
    const result = await evaluatorOf({ baseUrl: server.url, dataset: 'questions', runId: 'r' }).run()
    expect(result).toMatchObject({ status: 'completed', successfulItems: 2, delivery: { delivered: 3, refused: 0 } })
    const ids = [...(server.runs.get('r')?.items.values() ?? [])].map(({ case_id }) => case_id)
    expect(ids.toSorted()).toEqual(['row-201', 'x'.repeat(200)])
  })

  it('that is called off before there is a run asks nothing, and says why', async () => {
    await using server = await startRunServer()
    const asked: unknown[] = []
    const task = (input: unknown) => void asked.push(input)
    const signal = AbortSignal.abort(new Error('not today'))
    const evaluating = evaluatorOf({ baseUrl: server.url, runId: 'r', task, signal }).run()
    await expect(evaluating).rejects.toThrow('not today')
    expect([asked, server.runs.size]).toEqual([[], 0])
  })

  it('of a dataset that only an absent server has is an error', async () => {
    const server = await startRunServer()
    await server.goAway()
    const evaluating = evaluatorOf({ baseUrl: server.url, dataset: 'questions' }).run()
    await expect(evaluating).rejects.toMatchObject({ name: 'LLMEvalError', code: 'unreachable' })
  })

  it('takes cases as they come, and gives those without an id one of what they say', async () => {
    await using server = await startRunServer()
    const seen: unknown[] = []
    const task: Task = (input, context) => {
      seen.push([input, context.case.values?.['topic'] ?? null, context.attempt])
      return input
    }
    async function* come() {
      await Promise.resolve()
      yield 'plain'
      yield { question: 'named', topic: 't' }
      yield 'plain'
    }
    const result = await evaluatorOf({
      baseUrl: server.url,
      dataset: come(),
      task,
      items: 'kept',
      concurrency: 1,
    }).run()
    expect(seen).toEqual([
      ['plain', null, 1],
      ['named', 't', 1],
      ['plain', null, 1],
    ])
    const ids = result.items?.map(({ case_id: id }) => id) ?? []
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe(`${ids[0]}-2`)
    expect(result.totalItems).toBe(3)
  })

  it('of no cases is a run of no items, and of equal ids one of items that failed', async () => {
    await using server = await startRunServer()
    const empty = await evaluatorOf({ baseUrl: server.url, dataset: [] }).run()
    expect(empty).toMatchObject({ status: 'completed', totalItems: 0, completedItems: 0, successRate: null })
    expect(empty.metrics['exact_match']).toMatchObject({ mean: null, n: 0, coverage: null })
    const dataset = [
      { id: 'a', input: 1 },
      { id: 'a', input: 2 },
    ]
    const twice = await evaluatorOf({ baseUrl: server.url, dataset, items: 'kept', concurrency: 1 }).run()
    expect(twice).toMatchObject({ completedItems: 2, successfulItems: 1 })
    expect(twice.items?.map(({ error }) => error?.code)).toEqual([undefined, 'invalid_case'])
  })
})

describe('a task', () => {
  it('may do anything: what it does wrong stands with its item, here and on the server', async () => {
    await using server = await startRunServer()
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    const does: Record<string, Task> = {
      throws: () => {
        throw new Error('no answer')
      },
      rejects: () => Promise.reject(new Error('later')),
      hangs: () => new Promise(() => undefined),
      undefined: () => undefined,
      circular: () => circle,
      large: () => 'x'.repeat(10 * 1024 * 1024),
      fine: () => 'fine',
    }
    const task: Task = (input, context) => does[String(input)]?.(input, context)
    const dataset = Object.keys(does).map((input) => ({ id: input, input }))
    const options = { baseUrl: server.url, runId: 'r', task, dataset, timeoutMs: 2_000 }
    const result = await evaluatorOf(options).run()
    expect(result).toMatchObject({ completedItems: 7, successfulItems: 1, successRate: 1 / 7, warnings: [] })
    const items = [...(server.runs.get('r')?.items.values() ?? [])]
    expect(Object.fromEntries(items.map(({ case_id: id, error }) => [id, error?.code ?? null]))).toEqual({
      throws: 'execution_failed',
      rejects: 'execution_failed',
      hangs: 'timeout',
      undefined: 'invalid_output',
      circular: 'invalid_output',
      large: 'too_large',
      fine: null,
    })
  })

  it('is asked again as often as it may fail', async () => {
    await using server = await startRunServer()
    const attempts: number[] = []
    const task: Task = (input, { attempt }) => {
      attempts.push(attempt)
      if (attempt === 1) throw new Error('not yet')
      return input
    }
    const dataset = ['a']
    const result = await evaluatorOf({ baseUrl: server.url, task, dataset, retries: 2, random: () => 0 }).run()
    expect(attempts).toEqual([1, 2])
    expect(result).toMatchObject({ successfulItems: 1 })
  })

  it('says what its output cost and how it came about; an object with other members is the output', async () => {
    await using server = await startRunServer()
    const told = { output: 'x', tokens: 7, cost: 0.25, tool_calls: [{ name: 'search' }], trace_id: 't1' }
    const outputs: Record<string, unknown> = { told, other: { output: 'x', more: 1 } }
    const seen: unknown[] = []
    const metric = ({ tool_calls: calls, tokens }: MetricInput) => {
      seen.push([calls, tokens])
      return true
    }
    const result = await evaluatorOf({
      baseUrl: server.url,
      task: (input) => outputs[String(input)],
      dataset: Object.keys(outputs),
      metrics: [metric],
      items: 'kept',
      concurrency: 1,
    }).run()
    expect(result.items).toMatchObject([
      { output: 'x', tokens: 7, cost: 0.25, trace_id: 't1' },
      { output: { output: 'x', more: 1 }, tokens: null, cost: null, trace_id: null },
    ])
    expect(seen).toEqual([
      [[{ name: 'search' }], 7],
      [null, null],
    ])
    expect(result).toMatchObject({ cost: 0.25, unknownCosts: 1 })
  })
})

describe('metrics', () => {
  it('may be functions: of a number, a yes or no, or more; what they do wrong is no score', async () => {
    await using server = await startRunServer()
    const exact = ({ output, expected, input, case: one }: MetricInput) =>
      output === expected && input === one.input ? 1 : 0
    const result = await evaluatorOf({
      baseUrl: server.url,
      runId: 'r',
      metrics: [
        exact,
        { name: 'Long', evaluator: async ({ output }) => String(output).length > 3, version: '2' },
        { name: 'long', evaluator: () => ({ score: 0.25, explanation: 'so' }) },
        { name: 'throws', evaluator: () => Promise.reject(new Error('no')) },
        { name: 'nonsense', evaluator: () => 'good' },
      ],
    }).run()
    expect(result.metrics).toMatchObject({
      exact: { n: 3, passed: 2, failed: 1, by: 'client' },
      Long: { n: 3, passed: 1, failed: 2 },
      long: { n: 3, mean: 0.25 },
      throws: { n: 0, mean: null, errored: 3, coverage: 0 },
      nonsense: { n: 0, errored: 3 },
    })
    expect(server.runs.get('r')?.run.metrics_used).toMatchObject([
      { name: 'exact', evaluator: 'client:exact' },
      { name: 'Long', evaluator: 'client:Long', evaluator_version: '2' },
      { name: 'long' },
      { name: 'throws' },
      { name: 'nonsense' },
    ])
    expect(server.runs.get('r')?.items.get(0)?.scores['long']).toMatchObject({ value: 0.25, explanation: 'so' })
  })

  it('that need a model or a table of the server are left to it, with what it needs to see', async () => {
    await using server = await startRunServer()
    const result = await evaluatorOf({
      baseUrl: server.url,
      runId: 'r',
      task: (input) => ({ output: input, context: 'from here' }),
      dataset: [{ id: 'a', input: 'q', topic: 't' }],
      metrics: ['exact_match', 'faithfulness', 'language', 'sql_validator', 'one-of-ours'],
    }).run()
    const by = Object.fromEntries(Object.entries(result.metrics).map(([name, metric]) => [name, metric.by]))
    expect(by).toEqual({
      exact_match: 'client',
      faithfulness: 'server',
      language: 'server',
      sql_validator: 'server',
      'one-of-ours': 'server',
    })
    const item = server.runs.get('r')?.items.get(0)
    expect(Object.keys(item?.scores ?? {})).toEqual(['exact_match'])
    expect(item?.evidence).toEqual({ id: 'a', input: 'q', topic: 't', context: 'from here' })
  })

  it('end a run that is decided, and one that costs too much', async () => {
    await using server = await startRunServer()
    const dataset = Array.from({ length: 500 }, (_, index) => ({ id: `${index}`, input: 'a', expected: 'A' }))
    const decision = { metric: 'exact_match', threshold: 0.5 }
    const decided = await evaluatorOf({ baseUrl: server.url, dataset, decision }).run()
    expect(decided).toMatchObject({ status: 'completed', stoppedBy: 'decided', totalItems: 500 })
    const task = () => ({ output: 'A', cost: 1 })
    const dear = await evaluatorOf({ baseUrl: server.url, dataset, task, limits: { cost: 10 }, concurrency: 1 }).run()
    expect(dear).toMatchObject({ stoppedBy: 'cost_limit', cost: 10, completedItems: 10 })
  })
})

describe('options that make no sense', () => {
  const server = { baseUrl: 'http://127.0.0.1:9' }

  it.each<[string, Partial<EvaluatorOptions>]>([
    ['dataset must be', { dataset: ' ' }],
    ['runId must be', { runId: 'x'.repeat(201) }],
    ['runId must be', { runId: '' }],
  ])('are refused at once: %s', (message, options) => {
    expect(() => evaluatorOf({ ...server, ...options })).toThrow(message)
  })

  it.each<[string, Partial<EvaluatorOptions>]>([
    ['at least one metric', { metrics: [] }],
    ['two metrics have the name', { metrics: ['exact_match', 'exact_match'] }],
    ['needs a name', { metrics: [() => 1] }],
    ['decision.metric', { metrics: ['faithfulness'], decision: { metric: 'faithfulness', threshold: 0.5 } }],
  ])('are refused before anything is asked: %s', async (message, options) => {
    await expect(evaluatorOf({ ...server, ...options }).run()).rejects.toThrow(message)
  })

  it.each([
    ['concurency', 'concurrency'],
    ['run_id', 'runId'],
    ['timeout', 'timeoutMs'],
    ['zzz', null],
  ])('that are none (%s) are an error that names what may have been meant', (name, meant) => {
    const options = { task: () => 1, dataset: [], metrics: ['word-count'], [name]: 7 }
    const words = `${name} is no option of an evaluation${meant === null ? '.' : `: did you mean ${meant}?`}`
    expect(() => new Evaluator(options)).toThrow(new TypeError(words))
    expect(() => new Evaluator({ ...options, [name]: undefined })).not.toThrow()
  })

  it('such as settings that cannot be are told with their paths', async () => {
    const refused = evaluatorOf({ ...server, concurrency: 0, metrics: [{ evaluator: 'contains', config: { x: 1 } }] })
    await expect(refused.run()).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(evaluatorOf({ ...server, concurrency: 0 }).run()).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'settings.concurrency', message: expect.stringContaining('whole number') }],
    })
  })
})
