import { limits } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { echo, listen, numbered, odd, planOf, quality, scored } from '../../test/runs.ts'
import type { Answerer, RunAnswer, RunCase, RunPlan } from './plan.ts'
import { run } from './run.ts'

describe('a metric', () => {
  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'may be called %s, and has no score where none was given',
    async (name) => {
      const metrics = [{ name, evaluator: 'quality' }]
      const { items, ended } = await listen(planOf({ cases: numbered(2), metrics }), {
        answer: (ask) => {
          if (ask.case.id === 'case-0') throw new Error('no such model')
          return echo(ask)
        },
      })
      expect(items.map(({ scores }) => Object.keys(scores))).toEqual([[], [name]])
      expect(ended.progress.metrics[name]).toMatchObject({ n: 1, mean: 1, skipped: 0, errored: 0 })
    },
  )

  it('may not be called __proto__, under which nothing can be kept', () => {
    const metrics = [{ name: '__proto__', evaluator: 'quality' }]
    expect(() => run(planOf({ metrics }), { answer: echo, evaluate: odd })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })
})

describe('a limit of time', () => {
  it.each([2 ** 31, 2 ** 40, Infinity])('may be longer than a timer can wait: %d ms', async (durationMs) => {
    const { ended } = await listen(planOf({ cases: numbered(3), settings: { limits: { duration_ms: durationMs } } }), {
      answer: async (ask) => {
        // Longer than a timer takes that was set to more than it can count.
        await new Promise((resolve) => setTimeout(resolve, 20))
        return echo(ask)
      },
    })
    expect(ended).toMatchObject({ stopped_by: null, progress: { completed_items: 3 } })
  })
})

describe('ids of cases', () => {
  const longest = 'x'.repeat(limits.nameChars)

  it('that are made up are no longer than any other', async () => {
    const cases = [longest, longest, longest].map((id) => ({ id, input: 1 }))
    const { items } = await listen(planOf({ cases }))
    const ids = items.map(({ case_id }) => case_id)
    expect(new Set(ids).size).toBe(3)
    expect(ids.filter((id) => id.length > limits.nameChars)).toEqual([])
  })

  it('are what a store keeps of them, and told apart as such', async () => {
    const cases = ['a\0', 'a\ufffd', '\ud800', '\ud801', ' a', 'a\n'].map((id) => ({ id, input: 1 }))
    const { items } = await listen(planOf({ cases, settings: { concurrency: 1 } }))
    expect(items.map(({ case_id, error }) => [case_id, error?.code])).toEqual([
      ['a\ufffd', undefined],
      ['a\ufffd~1', 'invalid_case'],
      ['\ufffd', undefined],
      ['\ufffd~3', 'invalid_case'],
      [' a', undefined],
      ['a\n', undefined],
    ])
  })
})

describe('a time that nobody took', () => {
  it('is unknown, and no evaluator sees one', async () => {
    const seen: Record<string, unknown>[] = []
    const answer = (): RunAnswer => ({ output: 1, cost: 0, responseTimeMs: null })
    const { items } = await listen(planOf({ cases: numbered(1), metrics: [quality] }), {
      answer,
      evaluate: (_metric, input) => {
        seen.push(input)
        return scored(1)
      },
    })
    expect(items[0]?.response_time_ms).toBeNull()
    expect(seen[0]).not.toHaveProperty('latency')
  })
})

describe('what waits otherwise than promises do', () => {
  const laterOnce = <T>(value: T) =>
    // oxlint-disable-next-line unicorn/no-thenable -- this is what is tested
    ({ then: (resolve: (value: T) => unknown) => void setImmediate(() => resolve(value)) }) as unknown as Promise<T>

  it('is waited for, as an answer and as a case', async () => {
    const rows = numbered(2)
    const cases = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const value = rows.shift()
          return laterOnce(value ? { done: false as const, value } : { done: true as const, value: undefined })
        },
      }),
    } as unknown as RunPlan['cases']
    const { items } = await listen(planOf({ cases, total: 2 }), { answer: (ask) => laterOnce(echo(ask) as RunAnswer) })
    expect(items.map(({ status }) => status)).toEqual(['success', 'success'])
  })

  it('and throws when it is asked fails its item alone', async () => {
    const breaking = {
      // oxlint-disable-next-line unicorn/no-thenable -- this is what is tested
      then: () => {
        throw new Error('not now')
      },
    }
    const answer = ((ask: { case: RunCase }) => (ask.case.id === 'case-0' ? breaking : { output: 1 })) as Answerer
    const { items } = await listen(planOf({ cases: numbered(2), settings: { concurrency: 1 } }), { answer })
    expect(items.map(({ error }) => error)).toEqual([{ code: 'execution_failed', message: 'not now' }, null])
  })
})
