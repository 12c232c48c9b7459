import { limits } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { TestClock } from '../../test/clock.ts'
import { echo, listen, numbered, odd, planOf, quality, scored } from '../../test/runs.ts'
import { type Answerer, type RunCase, type Scorer, TaskFailed } from './plan.ts'

/** What becomes of a case that is answered so, between two that are answered well. */
async function amid(answer: Answerer, settings: Parameters<typeof planOf>[0]['settings'] = {}) {
  const ran = await listen(planOf({ cases: numbered(3), metrics: [quality], settings }), {
    answer: (ask) => (ask.case.id === 'case-1' ? answer(ask) : echo(ask)),
    clock: new TestClock(),
  })
  const [item] = ran.items.filter(({ case_id }) => case_id === 'case-1')
  expect(ran.ended).toMatchObject({ status: 'completed', progress: { completed_items: 3 } })
  expect(ran.items.filter(({ status }) => status === 'success').length).toBeGreaterThanOrEqual(2)
  return { item, ...ran }
}

describe('a task', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('no such model')), 'no such model'],
    [
      'throws at once',
      () => {
        throw new Error('no such model')
      },
      'no such model',
    ],
    ['throws a text', () => Promise.reject('a text'), 'a text'],
    ['throws an object', () => Promise.reject({ code: 7 }), 'something that is no error: {"code":7}'],
    ['throws a circle', () => Promise.reject(circle()), 'something that is no error'],
    ['throws nothing', () => Promise.reject(), 'something that is no error: undefined'],
    ['throws an error without words', () => Promise.reject(new TypeError()), 'TypeError'],
  ])('that %s fails its item alone', async (_what, answer: Answerer, message) => {
    const { item, ended } = await amid(answer)
    expect(item).toMatchObject({
      status: 'failed',
      output: null,
      scores: {},
      error: { code: 'execution_failed', message },
      attempts: 1,
      cost: null,
      response_time_ms: expect.any(Number),
    })
    expect(ended.progress).toMatchObject({ successful_items: 2, success_rate: 2 / 3, unknown_costs: 1 })
  })

  it.each([
    ['undefined', undefined, "The task's output is undefined."],
    ['a function', () => 1, "The task's output is a function."],
    ['a BigInt', { n: 1n }, "The task's output cannot be written as JSON: Do not know how to serialize a BigInt"],
    ['a circle', circle(), "The task's output cannot be written as JSON: Converting circular structure to JSON"],
    ['what is nested too deep', nested(limits.jsonDepth + 1), "The task's output is nested more than 64 levels deep."],
    [
      'what throws when it is read',
      {
        toJSON: () => {
          throw new Error('not now')
        },
      },
      "The task's output cannot be written as JSON: not now",
    ],
  ])('that gives %s fails its item, and is not asked again', async (_what, output, message) => {
    const { item } = await amid(() => ({ output, cost: 0.5 }), { retries: 3 })
    expect(item).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'invalid_output', message }, cost: 0.5 })
  })

  it('that gives no answer at all fails its item', async () => {
    const { item } = await amid((() => undefined) as unknown as Answerer)
    expect(item?.error).toEqual({ code: 'invalid_output', message: 'The task gave no answer.' })
  })

  it('may give as much as is kept, and not a byte more', async () => {
    const most = 'ü'.repeat(limits.runOutputBytes / 2)
    expect((await amid(() => ({ output: most }))).item).toMatchObject({ status: 'success', output: most })
    expect((await amid(() => ({ output: `${most}.` }))).item?.error).toEqual({
      code: 'too_large',
      message: "The task's output is larger than 1,048,576 bytes.",
    })
    const { item } = await amid(() => ({ output: { text: 'x'.repeat(10_000_000) } }))
    expect(item).toMatchObject({ status: 'failed', output: null, error: { code: 'too_large' } })
    expect((await amid(() => ({ output: nested(limits.jsonDepth) }))).item).toMatchObject({ status: 'success' })
  })

  it('has its output kept as JSON says it, apart from its own', async () => {
    const own = { at: new Date(0), nothing: undefined, never: Number.NaN, list: [1] }
    const { item } = await amid(() => ({ output: own }))
    own.list.push(2)
    expect(item?.output).toEqual({ at: '1970-01-01T00:00:00.000Z', never: null, list: [1] })
    expect((await amid(() => ({ output: null }))).item).toMatchObject({ status: 'success', output: null })
  })

  it('that tells nonsense of its costs tells nothing', async () => {
    for (const cost of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const { item } = await amid(() => ({ output: 1, cost, tokens: cost, traceId: '' }))
      expect(item).toMatchObject({ status: 'success', cost: null, tokens: null, trace_id: null })
    }
  })

  it('has an error of bounded length', async () => {
    const words = async (length: number) =>
      (await amid(() => Promise.reject(new Error('x'.repeat(length))))).item?.error
    expect((await words(limits.runErrorChars))?.message).toHaveLength(limits.runErrorChars)
    const cut = await words(limits.runErrorChars + 1)
    expect(cut?.message).toHaveLength(limits.runErrorChars)
    expect(cut?.message.endsWith('…')).toBe(true)
  })
})

describe('a task that hangs', () => {
  it('is given up after its time, told so, and not heard any more', async () => {
    const late = Promise.withResolvers<never>()
    const signals: AbortSignal[] = []
    const { item } = await amid(
      ({ signal }) => {
        signals.push(signal)
        return late.promise
      },
      { timeout_ms: 5_000 },
    )
    expect(item?.error).toEqual({ code: 'timeout', message: 'The task took longer than 5 seconds.' })
    expect(signals.map(({ aborted, reason }) => [aborted, reason.name])).toEqual([[true, 'TimeoutError']])
    // Nobody waits for it, and still it is no unhandled rejection.
    late.reject(new Error('too late'))
    await new Promise(setImmediate)
  })

  it('has a signal that is aborted, also when it is looked at only afterwards', async () => {
    const asks: { readonly signal: AbortSignal }[] = []
    await amid(
      (ask) => {
        asks.push(ask)
        return new Promise(() => undefined)
      },
      { timeout_ms: 5_000 },
    )
    expect(asks.map(({ signal }) => signal.aborted)).toEqual([true])
  })

  it('does not change what was told when it answers after all', async () => {
    const late = Promise.withResolvers<{ output: unknown }>()
    const { items, ended } = await amid(() => late.promise, { timeout_ms: 5_000 })
    late.resolve({ output: 'late' })
    await new Promise(setImmediate)
    expect(items).toHaveLength(3)
    expect(ended.progress.successful_items).toBe(2)
  })
})

describe('a task that failed', () => {
  it('is asked again, after waiting twice as long each time, less a random part', async () => {
    const clock = new TestClock()
    const asked: number[] = []
    const { items } = await listen(planOf({ cases: numbered(1), settings: { retries: 5 } }), {
      answer: ({ attempt }) => {
        asked.push(attempt)
        if (attempt <= 5) throw new TaskFailed('busy', { cost: 0.25 })
        return { output: 'there', cost: 0.5 }
      },
      clock,
      random: () => 0.5,
    })
    expect(asked).toEqual([1, 2, 3, 4, 5, 6])
    expect(clock.waits).toEqual([375, 750, 1_500, 3_000, 6_000])
    expect(items[0]).toMatchObject({ status: 'success', output: 'there', attempts: 6, cost: 1.75, error: null })
  })

  it('is asked again no sooner than it asks for itself, but within a minute', async () => {
    const clock = new TestClock({ short: 60_000 })
    const asks = [7_000, 100, 3_600_000, null]
    await listen(planOf({ cases: numbered(1), settings: { retries: 4, timeout_ms: 600_000 } }), {
      answer: ({ attempt }) => {
        if (attempt <= 4) throw new TaskFailed('busy', { afterMs: asks[attempt - 1] ?? null })
        return { output: 'there' }
      },
      clock,
      random: () => 0,
    })
    expect(clock.waits).toEqual([7_000, 1_000, 60_000, 4_000])
  })

  it('has the error of its last attempt, and an unknown cost when that of any attempt is', async () => {
    const { item } = await amid(
      ({ attempt }) => {
        throw attempt === 1 ? new Error('first') : new TaskFailed(`no. ${attempt}`, { cost: 1 })
      },
      { retries: 2 },
    )
    expect(item).toMatchObject({ attempts: 3, cost: null, error: { message: 'no. 3' } })
  })

  it('is not asked again when it says that this is no use', async () => {
    const { item } = await amid(
      () => {
        throw new TaskFailed('No such agent.', { retry: false })
      },
      { retries: 5 },
    )
    expect(item).toMatchObject({ attempts: 1, error: { code: 'execution_failed', message: 'No such agent.' } })
  })
})

describe('an evaluator', () => {
  const judged = async (evaluate: Scorer, timeout = 60_000) => {
    const metrics = [quality, { name: 'other', evaluator: 'other' }]
    const { items, ended } = await listen(planOf({ cases: numbered(2), metrics, settings: { timeout_ms: timeout } }), {
      evaluate: (metric, input, options) =>
        metric.name === 'other' ? evaluate(metric, input, options) : odd(metric, input, options),
      clock: new TestClock(),
    })
    expect(items.map(({ status, scores }) => [status, scores['quality']?.outcome])).toEqual([
      ['success', 'scored'],
      ['success', 'scored'],
    ])
    expect(Object.keys(items[0]?.scores ?? {})).toEqual(['quality', 'other'])
    return { score: items[0]?.scores['other'], metric: ended.progress.metrics['other'] }
  }

  it('that throws or rejects makes its score errored, and spoils no other', async () => {
    const throwing = () => {
      throw new Error('no judge')
    }
    for (const evaluate of [throwing, () => Promise.reject(new Error('no judge'))]) {
      const { score, metric } = await judged(evaluate)
      expect(score).toMatchObject({ outcome: 'errored', fault: 'threw', explanation: 'The evaluator threw: no judge' })
      expect(metric).toMatchObject({ mean: null, n: 0, errored: 2, skipped: 0 })
    }
  })

  it('that hangs makes its score errored after its time, and is told', async () => {
    const signals: AbortSignal[] = []
    const hang: Scorer = (_metric, _input, { signal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    }
    const { score } = await judged(hang, 5_000)
    expect(score).toMatchObject({ outcome: 'errored', fault: 'timeout' })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  it('that skips counts beside the mean, not in it', async () => {
    const skipped = scored(null, { outcome: 'skipped', fault: 'missing_evidence' })
    expect((await judged(() => Promise.resolve(skipped))).metric).toMatchObject({ mean: null, n: 0, skipped: 2 })
  })

  it('that only passes and fails has the share of passes as its mean', async () => {
    expect((await judged(() => scored(null, { passed: true }))).metric).toMatchObject({ mean: 1, n: 2, passed: 2 })
  })

  it('that gives neither value nor verdict counts nowhere', async () => {
    expect((await judged(() => scored(null, { label: 'blue' }))).metric).toMatchObject({ n: 0, passed: 0, failed: 0 })
  })
})

describe('cases', () => {
  it('under an id that is taken are refused, each as an item of its own', async () => {
    const asked: string[] = []
    const cases = [
      ...numbered(2),
      { id: 'case-0', input: 'other' },
      { id: 'case-0', input: 'third' },
      ...numbered(3).slice(2),
    ]
    const { items, ended } = await listen(planOf({ cases, settings: { repetitions: 2 } }), {
      answer: ({ case: { id } }) => {
        asked.push(id)
        return { output: 1, cost: 0 }
      },
    })
    const refused = items.filter(({ status }) => status === 'failed')
    expect(asked.sort()).toEqual(['case-0', 'case-0', 'case-1', 'case-1', 'case-2', 'case-2'])
    expect(refused.map(({ item_id, case_id, attempts, cost }) => [item_id, case_id, attempts, cost])).toEqual([
      ['case-0~2#1', 'case-0~2', 0, 0],
      ['case-0~2#2', 'case-0~2', 0, 0],
      ['case-0~3#1', 'case-0~3', 0, 0],
      ['case-0~3#2', 'case-0~3', 0, 0],
    ])
    expect(refused[0]).toMatchObject({ input: 'other', error: { code: 'invalid_case' } })
    expect(refused[0]?.error?.message).toBe(
      'An earlier case has the id case-0. Cases are found again in other runs by their ids, so each needs its own.',
    )
    expect(ended).toMatchObject({ status: 'completed', progress: { total_items: 10, completed_items: 10 } })
  })

  it('that are refused take no id from others', async () => {
    const cases = [
      { id: 'a', input: 1 },
      { id: 'a', input: 2 },
      { id: 'a~1', input: 3 },
    ]
    const { items } = await listen(planOf({ cases, settings: { concurrency: 1 } }))
    expect(items.map(({ case_id, status }) => [case_id, status])).toEqual([
      ['a', 'success'],
      ['a~1', 'failed'],
      ['a~1~2', 'failed'],
    ])
  })

  it.each<[string, unknown]>([
    ['without an id', { input: 1 }],
    ['with an empty id', { id: '', input: 1 }],
    ['with an id that is too long', { id: 'x'.repeat(limits.nameChars + 1), input: 1 }],
    ['with an input that is a circle', { id: 'a', input: circle() }],
    ['with an input that is too large', { id: 'a', input: 'x'.repeat(limits.runOutputBytes + 1) }],
    ['with an expectation that is no JSON', { id: 'a', input: 1, expected: 7n }],
    ['that are none', null],
  ])('%s are refused', async (_what, one) => {
    const { items } = await listen(
      planOf({ cases: [...numbered(1), one as RunCase, ...numbered(2).slice(1)], settings: { concurrency: 1 } }),
    )
    expect(items.map(({ status, error }) => error?.code ?? status)).toEqual(['success', 'invalid_case', 'success'])
  })

  it('may have as long an id as there can be', async () => {
    const { items } = await listen(planOf({ cases: [{ id: 'x'.repeat(limits.nameChars), input: 1 }] }))
    expect(items[0]).toMatchObject({ status: 'success' })
  })

  it('that break off make the run failed, with what was begun finished', async () => {
    function* breaking() {
      yield* numbered(3)
      throw new Error('line 4 is no JSON')
    }
    async function* later() {
      await Promise.resolve()
      yield* breaking()
    }
    for (const cases of [breaking(), later()]) {
      const { items, ended } = await listen(planOf({ cases, metrics: [quality] }), {
        answer: async (ask) => {
          await new Promise(setImmediate)
          return echo(ask)
        },
      })
      expect(items.map(({ status }) => status)).toEqual(['success', 'success', 'success'])
      expect(ended).toMatchObject({
        status: 'failed',
        stopped_by: null,
        error: {
          code: 'dataset_unreadable',
          message: 'The dataset could not be read to its end: line 4 is no JSON',
        },
        progress: { completed_items: 3, total_items: null },
      })
    }
  })

  it('that throw when they are looked at closely spoil their own scores alone', async () => {
    const values = {
      get context(): string {
        throw new Error('gone')
      },
    }
    const { items } = await listen(
      planOf({ cases: [{ id: 'a', input: 1, values }, ...numbered(1)], metrics: [quality] }),
    )
    expect(items.map(({ status, scores }) => [status, scores['quality']?.outcome])).toEqual([
      ['success', 'errored'],
      ['success', 'scored'],
    ])
  })
})

function circle(): object {
  const one: Record<string, unknown> = {}
  one['self'] = one
  return one
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = [value]
  return value
}
