import { run as runShape, runItemPage, runMetrics } from '@llm-eval/protocol/run-schemas'
import { describe, expect, it } from 'vitest'
import { Evaluator, type EvaluatorOptions } from '../src/evaluation/index.ts'
import { LLMEvalClient } from '../src/index.ts'
import { startRealServer } from './real-server.ts'

const cases = [
  { id: 'a', input: 'one', expected: 'ONE' },
  { id: 'b', input: 'two', expected: 'TWO' },
  { id: 'c', input: 'three', expected: 'four' },
]
const upper = (input: unknown) => String(input).toUpperCase()

function evaluatorOf(baseUrl: string, options: Partial<EvaluatorOptions>): Evaluator {
  const quiet = { onWarning: () => undefined, random: () => 0.01 }
  return new Evaluator({ task: upper, dataset: cases, metrics: ['accuracy', 'latency'], baseUrl, ...quiet, ...options })
}

async function read(url: string): Promise<unknown> {
  return await (await fetch(url)).json()
}

describe('an evaluation on the real server', () => {
  it('is a run there: items, metrics and numbers are those that were seen here', async () => {
    await using server = await startRealServer()
    const result = await evaluatorOf(server.url, { runId: 'r', tags: ['nightly'], modelName: 'm' }).run()
    expect(result).toMatchObject({ status: 'completed', completedItems: 3, warnings: [], delivery: { delivered: 4 } })
    const stored = runShape.parse(await read(`${server.url}/api/v1/runs/r`))
    expect(stored).toMatchObject({
      status: 'completed',
      total_items: 3,
      success_rate: 1,
      tags: ['nightly'],
      model_name: 'm',
    })
    expect(stored.metrics['accuracy']?.mean).toBeCloseTo(result.metrics['accuracy']?.mean ?? -1, 9)
    const { items } = runItemPage.parse(await read(`${server.url}/api/v1/runs/r/items`))
    expect(items.map(({ case_id: id, output }) => [id, output])).toEqual([
      ['a', 'ONE'],
      ['b', 'TWO'],
      ['c', 'THREE'],
    ])
    const metrics = runMetrics.parse(await read(`${server.url}/api/v1/runs/r/metrics`))
    expect(metrics.items.map(({ name, scored }) => [name, scored])).toEqual([
      ['accuracy', 3],
      ['latency', 3],
    ])
  })

  it('reads a stored dataset, and leaves to the server what only the server can score', async () => {
    await using server = await startRealServer()
    const { datasets } = new LLMEvalClient(server.url)
    const columns = [{ name: 'input' }, { name: 'expected' }]
    const { slug } = await datasets.create({ name: 'words', columns })
    const rows = Array.from({ length: 30 }, (_, index) => ({ input: `word ${index}`, expected: `WORD ${index}` }))
    await datasets.addRows(slug, rows)
    await datasets.publish(slug)
    await datasets.addRows(slug, [{ input: 'draft', expected: 'DRAFT' }])
    const own = ({ output }: { output: unknown }) => String(output).startsWith('WORD')
    const metrics = [
      'exact_match',
      { name: 'tongue', evaluator: 'language', config: { expected: ['en', 'de', 'fr'] } },
      own,
    ]
    const result = await evaluatorOf(server.url, { dataset: slug, metrics }).run()
    expect(result).toMatchObject({
      completedItems: 30,
      warnings: [],
      metrics: {
        exact_match: { n: 30, mean: 1, by: 'client' },
        tongue: { n: 30, by: 'server', coverage: 1 },
        own: { n: 30, passed: 30, by: 'client' },
      },
    })
  })

  it('is refused in a metric that neither knows', async () => {
    await using server = await startRealServer()
    const refused = evaluatorOf(server.url, { metrics: ['acuracy'] }).run()
    await expect(refused).rejects.toMatchObject({ code: 'not_found', failure: 'evaluator_not_found' })
  })

  it('goes on while the server is restarted, and misses nothing', async () => {
    await using server = await startRealServer()
    let restarted: Promise<void> | undefined
    const task = async (input: unknown) => {
      if (input === '20') await (restarted = server.restart())
      return input
    }
    const dataset = Array.from({ length: 200 }, (_, index) => ({ id: `${index}`, input: `${index}` }))
    const result = await evaluatorOf(server.url, { task, dataset, runId: 'r' }).run()
    expect(restarted).toBeDefined()
    expect(result).toMatchObject({ completedItems: 200, delivery: { delivered: 201, undelivered: 0, refused: 0 } })
    const stored = runShape.parse(await read(`${server.url}/api/v1/runs/r`))
    expect(stored).toMatchObject({ status: 'completed', completed_items: 200, total_items: 200 })
  })

  it('that two processes do at a time has every item once, and is that of the later', async () => {
    await using server = await startRealServer()
    const taken = Promise.withResolvers<void>()
    const task = (name: string) => async (input: unknown) => {
      if (name === 'first' && input === 'two') await taken.promise
      return `${String(input)} of the ${name}`
    }
    const told = async () => runShape.parse(await read(`${server.url}/api/v1/runs/r`))
    const options = { runId: 'r', concurrency: 1, config: { temperature: 0.1 } }
    const first = evaluatorOf(server.url, { ...options, task: task('first') }).run()
    for (let done = 0; done < 1; ) {
      const { items } = runItemPage.parse({ searched_to: null, next_cursor: null, items: [], ...(await listed()) })
      done = items.length
    }
    const second = await evaluatorOf(server.url, { ...options, task: task('second') }).run()
    expect(second).toMatchObject({ status: 'completed', completedItems: 3, delivery: { refused: 0 } })
    taken.resolve()
    const late = await first
    expect(late.delivery.refused).toBeGreaterThan(0)
    expect(late.warnings[0]).toContain('The server does not take an event')
    const { items } = runItemPage.parse(await listed())
    expect(items.map(({ output }) => output)).toEqual(['one of the first', 'two of the second', 'three of the second'])
    expect(await told()).toMatchObject({ status: 'completed', completed_items: 3, config: { temperature: 0.1 } })

    async function listed(): Promise<object> {
      return (await read(`${server.url}/api/v1/runs/r/items`)) as object
    }
  })

  it('is cancelled there, and resumed by the same run id with what is missing', async () => {
    await using server = await startRealServer()
    const asked: unknown[] = []
    const task = async (input: unknown, { signal }: { signal: AbortSignal }) => {
      asked.push(input)
      if (input !== 'three') return upper(input)
      if (asked.length > 3) return 'later'
      for (let done = 0; done < 2; ) {
        const { items } = runItemPage.parse(await read(`${server.url}/api/v1/runs/r/items`))
        done = items.length
      }
      await fetch(`${server.url}/api/v1/runs/r/cancel`, { method: 'POST' })
      return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('over'))))
    }
    const options = { task, runId: 'r', heartbeatMs: 20 }
    const first = await evaluatorOf(server.url, options).run()
    expect(first).toMatchObject({ status: 'cancelled', completedItems: 2 })
    const second = await evaluatorOf(server.url, options).run()
    expect(asked).toEqual(['one', 'two', 'three', 'three'])
    expect(second).toMatchObject({ status: 'completed', completedItems: 3, metrics: { accuracy: { n: 3, passed: 2 } } })
    expect(runShape.parse(await read(`${server.url}/api/v1/runs/r`))).toMatchObject({ status: 'completed' })
  })
})
