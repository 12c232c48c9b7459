import { createRandom } from '@llm-eval/statistics'
import { describe, expect, it } from 'vitest'
import { TestClock } from '../../test/clock.ts'
import { echo, itemsOf, listen, numbered, planOf, quality, scored } from '../../test/runs.ts'
import type { RunEvent } from './events.ts'
import type { Answerer, RunCase } from './plan.ts'
import { run } from './run.ts'

const never: Answerer = () => new Promise(() => undefined)

describe('a run that is cancelled', () => {
  it('keeps what is finished, and gives up what it is working on', async () => {
    const cancelling = new AbortController()
    const signals: AbortSignal[] = []
    const heard: RunEvent[] = []
    const running = run(planOf({ cases: numbered(20), metrics: [quality], settings: { concurrency: 3 } }), {
      answer: (ask) => {
        signals.push(ask.signal)
        return Number(ask.case.input) < 5 ? echo(ask) : never(ask)
      },
      evaluate: () => scored(1),
      signal: cancelling.signal,
    })
    for await (const event of running) {
      heard.push(event)
      if (event.type === 'item_started' && event.item_index === 7) cancelling.abort(new Error('enough'))
    }
    expect(itemsOf(heard)).toHaveLength(5)
    expect(signals.slice(5).map(({ aborted }) => aborted)).toEqual([true, true, true])
    expect(heard.at(-1)).toMatchObject({
      type: 'ended',
      status: 'cancelled',
      stopped_by: 'cancelled',
      progress: { completed_items: 5, total_items: 20 },
    })
  })

  it('ends while it waits for a case, for a judge, and for its next attempt', async () => {
    async function* stuck(): AsyncGenerator<RunCase> {
      await new Promise(() => undefined)
      yield* numbered(1)
    }
    const judging = { cases: numbered(1), metrics: [quality] }
    const retrying = { cases: numbered(1), settings: { retries: 3 } }
    const throwing: Answerer = () => {
      throw new Error('busy')
    }
    const clock = new TestClock({ short: 0 })
    for (const [plan, answer] of [
      [planOf({ cases: stuck() }), echo],
      [planOf(judging), echo],
      [planOf(retrying), throwing],
    ] as const) {
      const cancelling = new AbortController()
      const heard: RunEvent[] = []
      setImmediate(() => setImmediate(() => cancelling.abort()))
      for await (const event of run(plan, {
        answer,
        evaluate: () => new Promise(() => undefined),
        signal: cancelling.signal,
        clock,
      }))
        heard.push(event)
      expect(itemsOf(heard)).toEqual([])
      expect(heard.at(-1)).toMatchObject({ status: 'cancelled', progress: { completed_items: 0 } })
    }
    expect(clock.pending).toBe(0)
  })

  it('before it begins asks nothing', async () => {
    const { events, ended } = await listen(planOf({ cases: numbered(3) }), { signal: AbortSignal.abort() })
    expect(events.map(({ type }) => type)).toEqual(['started', 'ended'])
    expect(ended).toMatchObject({ status: 'cancelled' })
  })

  it('after its last item is completed', async () => {
    const cancelling = new AbortController()
    const heard: RunEvent[] = []
    for await (const event of run(planOf({ cases: numbered(2) }), {
      answer: echo,
      evaluate: () => scored(1),
      signal: cancelling.signal,
    })) {
      heard.push(event)
      if (event.type === 'item' && event.progress.completed_items === 2) cancelling.abort()
    }
    expect(heard.at(-1)).toMatchObject({ status: 'completed', stopped_by: null })
  })
})

describe('a limit of cost', () => {
  const costing =
    (cost: number | null): Answerer =>
    ({ case: { input } }) => ({ output: input, cost })

  it('ends the run when it is reached, with what was begun finished', async () => {
    const { items, ended } = await listen(
      planOf({ cases: numbered(100), settings: { concurrency: 3, limits: { cost: 1 } } }),
      {
        answer: async (ask) => {
          await new Promise(setImmediate)
          return costing(0.1)(ask)
        },
      },
    )
    expect(items.length).toBeGreaterThanOrEqual(10)
    expect(items.length).toBeLessThanOrEqual(12)
    expect(ended).toMatchObject({ status: 'completed', stopped_by: 'cost_limit', error: null })
    expect(ended.progress.cost).toBeCloseTo(items.length * 0.1, 12)
  })

  it('counts what judges cost', async () => {
    const usage = { model: 'judge', input_tokens: 1, output_tokens: 1, cost: 0.4, cached: false }
    const plan = planOf({ cases: numbered(100), metrics: [quality], settings: { concurrency: 1, limits: { cost: 1 } } })
    const { items, ended } = await listen(plan, { evaluate: () => scored(1, { usage }) })
    expect([items.length, ended.progress.cost]).toEqual([3, expect.closeTo(1.2, 12)])
    const cached = await listen(plan, { evaluate: () => scored(1, { usage: { ...usage, cached: true } }) })
    expect(cached.ended).toMatchObject({ stopped_by: null, progress: { cost: 0, unknown_costs: 0 } })
  })

  it('ends the run at the first cost that is unknown, of a task or of a judge', async () => {
    const usage = { model: null, input_tokens: null, output_tokens: null, cost: null, cached: false }
    const plan = planOf({ cases: numbered(9), metrics: [quality], settings: { concurrency: 1, limits: { cost: 1 } } })
    for (const parts of [{ answer: costing(null) }, { evaluate: () => scored(1, { usage }) }]) {
      const { items, ended } = await listen(plan, parts)
      expect(items).toHaveLength(1)
      expect(ended).toMatchObject({ stopped_by: 'cost_limit', progress: { cost: 0, unknown_costs: 1 } })
    }
  })

  it('that is reached with the last item stops nothing, and one that was reached earlier asks nothing more', async () => {
    const settings = { concurrency: 1, limits: { cost: 1 } }
    const whole = await listen(planOf({ cases: numbered(2), settings }), { answer: costing(0.5) })
    expect(whole.ended).toMatchObject({ status: 'completed', stopped_by: null })
    const { totals } = whole.ended
    const again = await listen(
      planOf({ cases: numbered(3), settings, earlier: { finished: (_, index) => index < 2, totals, durationMs: 0 } }),
    )
    expect(again.items).toEqual([])
    expect(again.ended).toMatchObject({ stopped_by: 'cost_limit', progress: { completed_items: 2, total_items: 3 } })
  })

  it('leaves unknown costs alone where there is none', async () => {
    const { ended } = await listen(planOf({ cases: numbered(3) }), { answer: costing(null) })
    expect(ended).toMatchObject({ stopped_by: null, progress: { cost: 0, unknown_costs: 3 } })
  })
})

describe('a limit of time', () => {
  it('ends the run at once, with what is finished', async () => {
    const clock = new TestClock({ short: 0 })
    const heard: RunEvent[] = []
    for await (const event of run(
      planOf({ cases: numbered(9), settings: { concurrency: 2, limits: { duration_ms: 10_000 } } }),
      {
        answer: (ask) => (ask.case.input === 0 ? echo(ask) : never(ask)),
        evaluate: () => scored(1),
        clock,
      },
    )) {
      heard.push(event)
      if (event.type === 'item') {
        clock.advance(9_999)
        setImmediate(() => clock.advance(1))
      }
    }
    expect(itemsOf(heard)).toHaveLength(1)
    expect(heard.at(-1)).toMatchObject({ status: 'completed', stopped_by: 'time_limit', duration_ms: 10_000 })
    expect(clock.pending).toBe(0)
  })

  it('counts the time that was worked earlier', async () => {
    const earlier = { finished: () => false, totals: [0, 0, 0, 0, 0], durationMs: 10_000 }
    const { items, ended } = await listen(
      planOf({ cases: numbered(9), settings: { limits: { duration_ms: 10_000 } }, earlier }),
    )
    expect([items.length, ended.stopped_by]).toEqual([0, 'time_limit'])
  })
})

describe('a decision', () => {
  const decision = { metric: 'quality', threshold: 0.5 }
  const answering = (values: readonly number[]) =>
    planOf({
      cases: values.map((input, index) => ({ id: String(index), input })),
      metrics: [quality],
      settings: { decision, concurrency: 2 },
    })
  const value = (_metric: unknown, { response }: Record<string, unknown>) => scored(Number(response))

  it('ends the run once the threshold is ruled out, long before its end', async () => {
    const random = createRandom(1)
    const good = await listen(answering(Array.from({ length: 1_000 }, () => Number(random.uniform() < 0.9))), {
      evaluate: value,
    })
    expect(good.ended).toMatchObject({ status: 'completed', stopped_by: 'decided' })
    expect(good.items.length).toBeLessThan(100)
    const bad = await listen(answering(Array.from({ length: 1_000 }, () => Number(random.uniform() < 0.1))), {
      evaluate: value,
    })
    expect(bad.ended.stopped_by).toBe('decided')
  })

  it('is wrong no more often than its level says, though it is looked for after every item', async () => {
    const runs = 150
    let wrong = 0
    for (let seed = 1; seed <= runs; seed++) {
      const random = createRandom(seed)
      const plan = answering(Array.from({ length: 200 }, () => Number(random.uniform() < 0.5)))
      if ((await listen(plan, { evaluate: value })).ended.stopped_by === 'decided') wrong++
    }
    expect(wrong / runs).toBeLessThanOrEqual(0.05)
    expect(wrong).toBeGreaterThan(0)
  })

  it('is not made where the mean is at the threshold', async () => {
    const { items, ended } = await listen(answering(Array.from({ length: 500 }, (_, index) => index % 2)), {
      evaluate: value,
    })
    expect([items.length, ended.stopped_by]).toEqual([500, null])
  })

  it('counts cases in the order of the dataset: quick answers are not heard first', async () => {
    const slow = Promise.withResolvers<void>()
    const heard: RunEvent[] = []
    // One slow case, then a thousand quick ones that are all good: nothing is decided while the slow one is out.
    for await (const event of run(answering(Array.from({ length: 300 }, () => 1)), {
      answer: async (ask) => {
        if (ask.case.id === '0') await slow.promise
        return echo(ask)
      },
      evaluate: value,
    })) {
      heard.push(event)
      if (event.type === 'item' && event.progress.completed_items === 200) slow.resolve()
    }
    expect(itemsOf(heard).length).toBeGreaterThan(200)
    expect(heard.at(-1)).toMatchObject({ stopped_by: 'decided' })
  })

  it('counts a case once, however often it is asked', async () => {
    const ones = answering(Array.from({ length: 20 }, () => 1))
    const alone = await listen(ones, { evaluate: value })
    const repeated = await listen(
      { ...ones, settings: { ...ones.settings, repetitions: 10, concurrency: 1 } },
      { evaluate: value },
    )
    expect(alone.ended.stopped_by).toBe('decided')
    expect(repeated.ended.stopped_by).toBe('decided')
    expect(repeated.items.length).toBeGreaterThanOrEqual((alone.items.length - 2) * 10)
  })

  it('cannot be made by values outside of 0 to 1', async () => {
    const { ended } = await listen(answering([1, 7, 1]), { evaluate: value })
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'undecidable' } })
  })
})
