import { limits } from '@llm-eval/protocol'
import { compare, createRandom } from '@llm-eval/statistics'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numbersOf, quality, runOf } from '../../test/columns.ts'
import { shuffled } from '../../test/runs.ts'
import { compareRuns } from './compare-runs.ts'
import { summarise } from './summary.ts'

const only = (comparison: ReturnType<typeof compareRuns>) => comparison.compared[0]?.metrics[0]
const values = (count: number, of: (index: number) => number | null) => Array.from({ length: count }, (_, i) => of(i))

describe('two runs', () => {
  it('are compared as statistics compares their pairs', () => {
    const random = createRandom(3)
    const before = values(60, () => random.uniform())
    const after = before.map((value) => (value ?? 0) + 0.1 * random.uniform())
    const expected = compare(after, before)
    expect(only(compareRuns([runOf('a', before), runOf('b', after)]))).toEqual({
      name: 'quality',
      direction: 'higher',
      evaluator: 'same',
      before: expected.meanB,
      after: expected.meanA,
      difference: expected.interval,
      test: 'paired_t',
      p: expected.p,
      adjusted_p: expected.p,
      n: 60,
      minimal_detectable_effect: expected.mde,
      verdict: 'better',
      improved: 60,
      regressed: 0,
      unchanged: 0,
      unpaired: 0,
      missing: 0,
      absent: 0,
      unmeasured: 0,
    })
  })

  it('say the same in whatever order their items come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.option(fc.integer({ min: 0, max: 4 })), fc.option(fc.integer({ min: 0, max: 4 }))), {
          maxLength: 30,
        }),
        fc.nat(),
        (pairs, seed) => {
          const random = createRandom(seed)
          const [before, after] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)]
          const items = numbersOf(after)
          const mixed = runOf('b', [])
          for (const item of shuffled(items, random.uniform)) mixed.add(item)
          const [inOrder, outOfOrder] = [runOf('b', after), mixed].map((run) => compareRuns([runOf('a', before), run]))
          expect(outOfOrder).toEqual(inOrder)
        },
      ),
    )
  })

  it('take scores by name or in the order of the metrics', () => {
    const two = [quality, { ...quality, name: 'tone' }]
    const [named, ordered] = [runOf('a', [], ...two), runOf('a', [], ...two)]
    for (const [index, item] of numbersOf([1, null, 0.25, 0.5]).entries()) {
      const tone = index === 2 ? undefined : { outcome: 'scored' as const, value: index, passed: null }
      named.add({ ...item, scores: { ...(tone && { tone }), ...item.scores } })
      ordered.add({ ...item, scores: [item.scores['quality'] ?? null, tone ?? null] })
    }
    expect(compareRuns([named, ordered]).compared[0]?.metrics).toMatchObject([
      { n: 3, unchanged: 3, unpaired: 0 },
      { n: 3, unchanged: 3, unpaired: 0 },
    ])
    expect(summarise(ordered)).toEqual(summarise(named))
  })

  it('are each other turned over, the other way round', () => {
    const random = createRandom(5)
    const before = values(80, () => random.uniform())
    const after = before.map((value) => (value ?? 0) + 0.05 * (random.uniform() - 0.2))
    const [there, back] = [
      only(compareRuns([runOf('a', before), runOf('b', after)])),
      only(compareRuns([runOf('b', after), runOf('a', before)])),
    ]
    expect([there?.improved, there?.regressed]).toEqual([back?.regressed, back?.improved])
    expect(there?.difference?.estimate).toBeCloseTo(-(back?.difference?.estimate ?? 0), 12)
    expect([there?.verdict, back?.verdict]).toEqual(['better', 'worse'])
  })

  it('are paired by case: what only one of them has a score of counts as missing, and never as 0', () => {
    const before = values(40, (i) => (i < 30 ? 0.5 + (i % 3) / 100 : null))
    const after = values(40, (i) => (i >= 10 ? 0.5 + (i % 3) / 100 : null))
    expect(only(compareRuns([runOf('a', before), runOf('b', after)]))).toMatchObject({
      n: 20,
      unpaired: 20,
      missing: 10,
      improved: 0,
      regressed: 0,
      unchanged: 20,
      before: expect.closeTo(0.51, 2),
      difference: { estimate: 0 },
      verdict: 'no_detectable_difference',
    })
  })

  it('with nothing in common have not enough data', () => {
    const other = runOf('b', [])
    for (const item of numbersOf(values(10, () => 1))) other.add({ ...item, case_id: `other-${item.case_id}` })
    const comparison = compareRuns([
      runOf(
        'a',
        values(10, () => 1),
      ),
      other,
    ])
    expect(only(comparison)).toMatchObject({ n: 0, verdict: 'not_enough_data', unpaired: 20, missing: 10, p: null })
    expect([comparison.cases_total, comparison.cases_shared]).toEqual([20, 0])
    expect(only(compareRuns([runOf('a', []), runOf('b', [])]))).toMatchObject({ n: 0, verdict: 'not_enough_data' })
  })

  it('know that less is better where it is', () => {
    const [slow, quick] = [values(40, (i) => 100 + (i % 7)), values(40, (i) => 50 + (i % 5))]
    const lower = { ...quality, direction: 'lower' as const }
    expect(only(compareRuns([runOf('a', slow, lower), runOf('b', quick, lower)]))).toMatchObject({
      verdict: 'better',
      improved: 40,
      regressed: 0,
    })
  })

  it('differ, where neither more nor less is better', () => {
    const neither = { ...quality, direction: null }
    const [few, many] = [values(40, (i) => 10 + (i % 7)), values(40, (i) => 20 + (i % 5))]
    expect(only(compareRuns([runOf('a', few, neither), runOf('b', many, neither)]))).toMatchObject({
      verdict: 'different',
      improved: 0,
      regressed: 0,
      unchanged: 0,
    })
  })

  it('whose evaluators are not the same say so', () => {
    const numbers = values(10, (i) => i / 10)
    const sameness = (before: string | null, after: string | null) =>
      only(
        compareRuns([
          runOf('a', numbers, { ...quality, evaluator_version: before }),
          runOf('b', numbers, { ...quality, evaluator_version: after }),
        ]),
      )?.evaluator
    expect([sameness('v1', 'v1'), sameness('v1', 'v2'), sameness(null, null), sameness('v1', null)]).toEqual([
      'same',
      'changed',
      'unknown',
      'unknown',
    ])
    const other = { ...quality, name: 'other' }
    const { compared } = compareRuns([runOf('a', numbers), runOf('b', numbers, other)])
    expect(compared[0]?.metrics).toMatchObject([
      { name: 'quality', evaluator: 'unknown', n: 0, missing: 10 },
      { name: 'other', evaluator: 'unknown', n: 0, missing: 0, unpaired: 10 },
    ])
  })
})

describe('cases that are asked several times', () => {
  it('count once, with the mean of the repetitions that have a score', () => {
    const [before, after] = [runOf('a', []), runOf('b', [])]
    for (let index = 0; index < 20; index++)
      for (let repetition = 0; repetition < 3; repetition++) {
        const item = { case_id: `case-${index}`, scores: [index % 2, 1, repetition === 2 ? null : 1] as const }
        before.add(numbersOf([item.scores[0]], () => item.case_id)[0]!)
        after.add(numbersOf([item.scores[repetition] ?? null], () => item.case_id)[0]!)
      }
    const row = only(compareRuns([before, after]))
    // After: the even cases have 0 and 1, the odd ones 1 and 1.
    expect(row).toMatchObject({ n: 20, before: 0.5, after: expect.closeTo(0.75, 12), improved: 10, unchanged: 10 })
    const means = values(20, (i) => (i % 2 === 0 ? 0.5 : 1))
    expect(row?.p).toBe(
      compare(
        means,
        values(20, (i) => i % 2),
      ).p,
    )
  })
})

describe('several metrics and runs', () => {
  const noise = (seed: number, shift = 0) => {
    const random = createRandom(seed)
    return values(40, () => random.uniform() + shift)
  }

  it('make one family: p is adjusted over all of them, and the verdict is that', () => {
    const random = createRandom(11)
    const before = values(40, () => random.uniform())
    const after = before.map((value) => (value ?? 0) + 0.4 * (random.uniform() - 0.36))
    const alone = only(compareRuns([runOf('a', before), runOf('b', after)]))
    expect(alone).toMatchObject({ verdict: 'better' })
    expect(alone?.p).toBeGreaterThan(0.005)
    const many = compareRuns([
      runOf('a', before),
      runOf('b', after),
      ...Array.from({ length: 8 }, (_, index) => runOf(`n${index}`, noise(index + 50))),
    ])
    expect(many.compared).toHaveLength(9)
    const row = many.compared[0]?.metrics[0]
    expect(row?.p).toBe(alone?.p)
    expect(row?.adjusted_p).toBeGreaterThan(0.05)
    expect(row?.verdict).toBe('no_detectable_difference')
  })

  it('hold every run against the first', () => {
    const before = noise(1)
    const { runs, compared } = compareRuns([
      runOf('a', before),
      runOf(
        'b',
        before.map((value) => (value ?? 0) + 1 + (value ?? 0) / 100),
      ),
      runOf(
        'c',
        before.map((value) => (value ?? 0) - 1 - (value ?? 0) / 100),
      ),
    ])
    expect(runs).toEqual(['a', 'b', 'c'])
    expect(compared.map(({ run_id, metrics }) => [run_id, metrics[0]?.verdict])).toEqual([
      ['b', 'better'],
      ['c', 'worse'],
    ])
  })

  it('are two to ten runs, with at most so many cases', () => {
    const run = runOf('a', noise(1))
    const runs = (count: number) => Array.from({ length: count }, () => run)
    expect(() => compareRuns(runs(1))).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    expect(() => compareRuns(runs(limits.comparedRuns + 1))).toThrow('does not fit')
    expect(compareRuns(runs(limits.comparedRuns)).compared).toHaveLength(9)
    expect(() => compareRuns(runs(2), { cases: limits.comparedCases + 1 })).toThrow('does not fit')
    expect(compareRuns(runs(2), { cases: limits.comparedCases }).cases).toHaveLength(40)
    expect(() => compareRuns(runs(2), { sortBy: 'nope' })).toThrow('does not fit')
    expect(() => compareRuns(runs(2), { points: limits.comparedPoints + 1 })).toThrow('does not fit')
    expect(compareRuns(runs(2), { points: limits.comparedPoints }).points).toHaveLength(40)
  })
})

describe('what runs used', () => {
  it('knows costs and times for amounts, also where all are 0 or 1', () => {
    const [before, after] = [runOf('a', []), runOf('b', [])]
    for (const run of [before, after])
      for (const item of numbersOf(values(20, () => 1))) run.add({ ...item, cost: 0, response_time_ms: 1 })
    const none = { estimate: 0, low: 0, high: 0 }
    expect(compareRuns([before, after]).compared[0]?.usage).toMatchObject([
      { name: 'response_time_ms', test: 'sign_flip_exact', difference: none },
      { name: 'cost', test: 'sign_flip_exact', difference: none },
    ])
  })

  it('is compared too, less being better: times of what succeeded, and costs where they are known', () => {
    const [before, after] = [runOf('a', []), runOf('b', [])]
    for (const [index, item] of numbersOf(values(40, () => 1)).entries()) {
      before.add({ ...item, response_time_ms: 100 + (index % 7), cost: 0.01 + (index % 3) / 1_000 })
      const failed = index < 10
      after.add({
        ...item,
        status: failed ? 'failed' : 'success',
        response_time_ms: failed ? 1 : 200 + (index % 5),
        cost: failed ? null : 0.001 + (index % 3) / 10_000,
      })
    }
    expect(compareRuns([before, after]).compared[0]?.usage).toMatchObject([
      { name: 'response_time_ms', direction: 'lower', n: 30, missing: 10, verdict: 'worse', evaluator: 'same' },
      { name: 'cost', direction: 'lower', n: 30, missing: 10, verdict: 'better' },
    ])
  })

  it('does not stand in the way of metrics that are called so', () => {
    const cost = { ...quality, name: 'cost' }
    const { compared, cases } = compareRuns([runOf('a', [1, 2], cost), runOf('b', [3, 4], cost)])
    expect(compared[0]?.metrics).toMatchObject([{ name: 'cost', direction: 'higher', n: 2, improved: 2 }])
    expect(cases[0]).toMatchObject({ values: { cost: [1, 3] }, usage: { cost: [null, null] } })
  })
})

describe('cases', () => {
  it('are listed by how much worse they became, then by how much better, those of which nothing is known last', () => {
    const { cases, cases_total, cases_shared } = compareRuns(
      [runOf('a', [0.5, 0.9, 0.5, 0.5, null, 0.2]), runOf('b', [0.5, 0.1, 0.7, 0.1, 1, 0.2])],
      { cases: 6 },
    )
    expect(cases.map(({ case_id, regression }) => [case_id, regression])).toEqual([
      ['case-1', 1],
      ['case-3', expect.closeTo(0.5, 12)],
      ['case-2', expect.closeTo(-0.25, 12)],
      ['case-0', 0],
      ['case-5', 0],
      ['case-4', null],
    ])
    expect(cases[0]).toEqual({
      case_id: 'case-1',
      items: [1, 1],
      regression: 1,
      values: { quality: [0.9, 0.1] },
      usage: { response_time_ms: [null, null], cost: [null, null] },
    })
    expect([cases_total, cases_shared]).toEqual([6, 6])
  })

  it('are as many as were asked for: the worst, however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), fc.nat(12), (after, count) => {
        const before = after.map(() => 3)
        const list = (cases: number) => compareRuns([runOf('a', before), runOf('b', after)], { cases }).cases
        const all = list(100)
        const regressions = all.map(({ regression }) => regression ?? 0)
        const [worse, better] = [regressions.filter((one) => one > 0), regressions.filter((one) => one < 0)]
        const same = regressions.filter((one) => one === 0)
        expect(regressions).toEqual([...worse.sort((x, y) => y - x), ...better.sort((x, y) => x - y), ...same])
        expect(list(count)).toEqual(all.slice(0, count))
      }),
    )
  })

  it('are sorted by one metric where that is asked for', () => {
    const two = [quality, { ...quality, name: 'tone' }]
    const [before, after] = [runOf('a', [], ...two), runOf('b', [], ...two)]
    const add = (run: typeof before, id: string, [first, second]: [number, number]) => {
      const [item] = numbersOf([first], () => id)
      const [other] = numbersOf([second], () => id, 'tone')
      run.add({ ...item!, scores: { ...item?.scores, ...other?.scores } })
    }
    for (const id of ['x', 'y']) add(before, id, [1, 1])
    add(after, 'x', [0, 1])
    add(after, 'y', [1, 0.9])
    const order = (sortBy?: string) => compareRuns([before, after], { sortBy }).cases.map(({ case_id }) => case_id)
    expect([order('quality'), order('tone')]).toEqual([
      ['x', 'y'],
      ['y', 'x'],
    ])
  })
})

describe('the cases that are listed', () => {
  const before = values(50, () => 4)
  const after = values(50, (i) => (i < 10 ? 4 - (i + 1) / 8 : i < 30 ? 4 + i / 8 : 4))
  const pair = () => [runOf('a', before), runOf('b', after)]
  const listed = (change: 'all' | 'regressed' | 'improved' | 'unchanged', cases = 5) => {
    const told = compareRuns(pair(), { change, cases })
    return [told.cases_matching, ...told.cases.map(({ case_id: id }) => id)]
  }

  it('are those that became worse, only better, or neither, and how many there are', () => {
    expect(listed('all', 2)).toEqual([50, 'case-9', 'case-8'])
    expect(listed('regressed', 2)).toEqual([10, 'case-9', 'case-8'])
    expect(listed('improved', 2)).toEqual([20, 'case-29', 'case-28'])
    expect(listed('unchanged', 2)).toEqual([20, 'case-30', 'case-31'])
  })

  it('are better where they are so in one metric and worse in none, and worse where they are so in any', () => {
    const two = [quality, { ...quality, name: 'tone' }]
    const [a, b] = [runOf('a', [], ...two), runOf('b', [], ...two)]
    const score = (value: number) => ({ outcome: 'scored' as const, value, passed: null })
    for (const [index, [first, second]] of [
      [1, 2],
      [0, 2],
      [1, 1],
    ].entries()) {
      const item = numbersOf([0], () => `case-${index}`)[0]!
      a.add({ ...item, scores: [score(1), score(1)] })
      b.add({ ...item, scores: [score(first ?? 0), score(second ?? 0)] })
    }
    expect(compareRuns([a, b]).cases.map(({ case_id: id, regression }) => [id, regression])).toEqual([
      ['case-1', 1],
      ['case-0', -1],
      ['case-2', 0],
    ])
    expect(compareRuns([a, b], { change: 'improved' }).cases_matching).toBe(1)
    expect(compareRuns([a, b], { change: 'unchanged' }).cases_matching).toBe(1)
  })

  it('say where their items are in each run', () => {
    const [a, b] = [runOf('a', [1, 1, 1]), runOf('b', [])]
    const third = numbersOf([0.5], () => 'case-2')[0]!
    for (const index of [8, 4, 6]) b.add({ ...third, item_index: index })
    const told = compareRuns([a, b], { cases: 3 }).cases
    expect(told.map(({ case_id: id, items }) => [id, items])).toEqual([
      ['case-2', [2, 4]],
      ['case-0', [0, null]],
      ['case-1', [1, null]],
    ])
  })

  it('are drawn from a sample that stays the same in any order, and grows with what is asked', () => {
    const many = values(500, (i) => i / 8)
    const reversed = runOf('a', [])
    for (const item of numbersOf(many).toReversed()) reversed.add(item)
    const idsOf = (run: ReturnType<typeof runOf>, points: number) =>
      compareRuns([run, run], { points }).points.map(({ case_id: id }) => id)
    const [few, more] = [idsOf(runOf('a', many), 40), idsOf(runOf('a', many), 90)]
    expect([few.length, more.length]).toEqual([40, 90])
    expect(new Set(idsOf(reversed, 40))).toEqual(new Set(few))
    expect(more).toEqual(expect.arrayContaining(few))
    // Spread over all of them.
    expect(few.some((id) => Number(id.slice(5)) < 100) && few.some((id) => Number(id.slice(5)) >= 400)).toBe(true)
  })

  it('are drawn fewer where each holds many numbers', () => {
    const names = Array.from({ length: 48 }, (_, n) => ({ ...quality, name: `m${n}` }))
    const runs = Array.from({ length: 10 }, () =>
      runOf(
        'a',
        values(1_000, () => 1),
        ...names,
      ),
    )
    const { points } = compareRuns(runs, { points: limits.comparedPoints })
    expect(points).toHaveLength(limits.comparedPointNumbers / (50 * 10))
  })
})

describe('runs that do not differ', () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...quality, name }))

  /** Twelve cases, each asked three times in three runs; what is hard of a case is so in all of them. */
  const three = (seed: number) => {
    const random = createRandom(seed)
    const hard = values(12, () => random.uniform())
    return ['x', 'y', 'z'].map((id) => {
      const run = runOf(id, [], ...names)
      for (let at = 0; at < 36; at++) {
        const score = () => ({
          outcome: 'scored' as const,
          value: (hard[at % 12] ?? 0) + random.uniform(),
          passed: null,
        })
        run.add({ ...numbersOf([0], () => `case-${at % 12}`)[0]!, item_index: at, scores: names.map(score) })
      }
      return run
    })
  }

  it('are found to differ in any metric of any of them at most once in twenty times, repeated cases or not', () => {
    const times = 400
    let wrong = 0
    for (let seed = 1; seed <= times; seed++) {
      const { compared } = compareRuns(three(seed), { cases: 0 })
      if (compared.some(({ metrics }) => metrics.some(({ verdict }) => verdict !== 'no_detectable_difference'))) wrong++
    }
    // Holm's bound, and what 400 times may be off by chance.
    expect(wrong / times).toBeLessThanOrEqual(0.05 + 0.02)
  })
})
