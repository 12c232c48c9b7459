import { describe, expect, it } from 'vitest'
import { defineEvaluation, Evaluator, type EvaluatorOptions } from '../src/evaluation/index.ts'
import { startRunServer } from './run-server.ts'

const options = (given: Partial<EvaluatorOptions>): EvaluatorOptions => ({
  task: (input) => input,
  dataset: ['a', 'b', 'c'],
  metrics: ['char-count'],
  onWarning: () => undefined,
  ...given,
})

describe('the first cases of a dataset', () => {
  it('are all that is asked, of a list, of a generator that would throw behind them, and of the server', async () => {
    await using server = await startRunServer()
    for (let at = 0; at < 5; at++) server.rows.push({ id: `row-${at}`, values: { input: at } })
    async function* generated() {
      yield* ['a', 'b']
      throw new Error('read too far')
    }
    for (const [index, dataset] of [['a', 'b', 'c'], generated(), 'questions'].entries()) {
      const given = options({ baseUrl: server.url, runId: `r${index}`, dataset, maxCases: 2, repetitions: 2 })
      const result = await new Evaluator(given).run()
      expect(result).toMatchObject({ status: 'completed', stoppedBy: null, totalItems: 4, completedItems: 4 })
    }
    // So that whoever watches knows how long it will be, of a dataset of the server too.
    expect([0, 2].map((index) => server.runs.get(`r${index}`)?.run.total_items)).toEqual([4, 4])
  })

  it('may be more than there are', async () => {
    await using server = await startRunServer()
    const result = await new Evaluator(options({ baseUrl: server.url, maxCases: 10 })).run()
    expect(result).toMatchObject({ status: 'completed', totalItems: 3, completedItems: 3 })
  })

  it.each([0, -1, 1.5, Number.NaN])('are not %d', (maxCases) => {
    expect(() => new Evaluator(options({ maxCases }))).toThrow('maxCases must be a whole number of 1 or more')
  })
})

describe('a definition', () => {
  it('is what an evaluator takes, with the input that its task names', async () => {
    await using server = await startRunServer()
    const { gate, ...definition } = defineEvaluation({
      name: 'typed',
      dataset: [{ id: 'a', input: 'one', expected: 'ONE' }],
      task: (input: string, { case: { id } }) => `${id}: ${input.toUpperCase()}`,
      metrics: ['char-count', { name: 'long', version: '1', evaluator: ({ output }) => String(output).length > 3 }],
      gate: { min: { long: 1 }, failOn: 'regression' },
    })
    expect(gate).toEqual({ min: { long: 1 }, failOn: 'regression' })
    const result = await new Evaluator({ ...definition, baseUrl: server.url, runId: 'r' }).run()
    expect(result.metrics['long']).toMatchObject({ mean: 1, n: 1 })
    expect(server.runs.get('r')?.items.values().next().value).toMatchObject({ output: 'a: ONE' })
    // @ts-expect-error: it names no metrics
    defineEvaluation({ name: 'untyped', dataset: [], task: () => null })
    // @ts-expect-error: a misspelt member
    defineEvaluation({ name: 'untyped', dataset: [], task: () => null, metrics: ['bleu'], repetition: 2 })
  })
})
