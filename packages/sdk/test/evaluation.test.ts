import { describe, expect, it } from 'vitest'
import { Evaluator, type EvaluatorOptions } from '../src/evaluation/index.ts'
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
})
