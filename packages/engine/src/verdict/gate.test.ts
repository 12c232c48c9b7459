import { type GateOutcome, gateExitCodes } from '@llm-eval/protocol'
import { createRandom } from '@llm-eval/statistics'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numbersOf, quality, runOf } from '../../test/columns.ts'
import { shuffled } from '../../test/runs.ts'
import type { RunColumns } from './columns.ts'
import { compareRuns } from './compare-runs.ts'
import { gate, type GateOptions, type GateSubject } from './gate.ts'
import type { RunState } from './run-states.ts'
import { summarise } from './summary.ts'

const values = (count: number, of: (index: number) => number | null) => Array.from({ length: count }, (_, i) => of(i))
const before = Array.from({ length: 40 }, (_, i) => 0.5 + (i % 7) / 20)
const shifted = (by: number) => before.map((value, i) => value + by + (i % 3) / 1_000)

const without = (at: number, all: readonly (number | null)[]) => all.with(at, null)

/** A run that ended well, of so many items. */
const stateOf = (run: RunColumns, state: Partial<RunState> = {}): RunState => ({
  run_id: run.runId,
  status: 'completed',
  stopped_by: null,
  total_items: run.items,
  completed_items: run.items,
  dataset_id: null,
  dataset_version: null,
  ...state,
})
type States = Record<string, Partial<RunState>>
const subjectOf = (runs: readonly RunColumns[], states: States = {}): GateSubject => ({
  comparison: runs.length > 1 ? compareRuns(runs) : null,
  runs: runs.map((run) => ({ state: stateOf(run, states[run.runId]), metrics: summarise(run) })),
})
const regression: GateOptions = { failOn: 'regression' }

const judged = (after: readonly (number | null)[], metrics = [quality, quality]) =>
  gate(subjectOf([runOf('a', before, metrics[0]!), runOf('b', after, metrics[1]!)]), regression)

describe('a gate that fails on regressions', () => {
  it.each<{ run: string; outcome: GateOutcome; after: (number | null)[]; message: string }>([
    {
      run: 'worse',
      outcome: 'fail',
      after: shifted(-0.2),
      message: 'quality of b: worse, from 0.6438 to 0.4447, a change of -0.199 (95 % -0.1993 to -0.1988), p < 0.0001.',
    },
    { run: 'better', outcome: 'pass', after: shifted(0.2), message: 'quality of b: better, from' },
    { run: 'the same', outcome: 'pass', after: [...before], message: 'quality of b: no detectable difference, from' },
    {
      run: 'lacking a score',
      outcome: 'cannot_tell',
      after: without(3, shifted(0.2)),
      message: 'quality of b: 1 case that had a score before has none.',
    },
    {
      run: 'lacking scores',
      outcome: 'cannot_tell',
      after: values(40, (i) => (i < 30 ? 1 : null)),
      message: '10 cases that had a score before have none.',
    },
    { run: 'lacking scores, and worse', outcome: 'fail', after: without(3, shifted(-0.2)), message: 'worse' },
    { run: 'too short', outcome: 'cannot_tell', after: [], message: '40 cases that had a score before have none.' },
  ])('says of a run that is $run: $outcome', ({ outcome, after, message }) => {
    const verdict = judged(after)
    expect(verdict.outcome).toBe(outcome)
    expect(verdict.reasons).toEqual([{ outcome, metric: 'quality', message: expect.stringContaining(message) }])
  })

  it('cannot tell with too few cases, and without a comparison', () => {
    expect(gate(subjectOf([runOf('a', [0.1, 0.2]), runOf('b', [0.3, 0.4])]), regression)).toEqual({
      outcome: 'cannot_tell',
      passed: false,
      exit_code: 3,
      reasons: [
        {
          outcome: 'cannot_tell',
          metric: 'quality',
          message: 'quality of b: 2 pairs of cases are not enough to tell.',
        },
      ],
    })
    expect(gate({ runs: [] }, regression).outcome).toBe('cannot_tell')
    expect(gate(subjectOf([runOf('a', before)]), regression).outcome).toBe('cannot_tell')
  })

  it('cannot tell where the evaluator is another one, or under no version', () => {
    const other = { ...quality, evaluator_version: 'v2' }
    expect(judged([...before], [quality, other]).reasons[0]?.message).toContain('not the one of before')
    const loose = { ...quality, evaluator_version: null }
    expect(judged([...before], [loose, loose]).outcome).toBe('cannot_tell')
    // Versions are of one evaluator: the first of another is another.
    expect(judged([...before], [quality, { ...quality, evaluator: 'tone' }]).outcome).toBe('cannot_tell')
    expect(judged([...before], [quality, { ...quality, direction: null }]).outcome).toBe('cannot_tell')
  })

  it('lets cases pass that are new, and metrics that cannot be worse', () => {
    expect(judged([...before, 0.1, 0.2]).outcome).toBe('pass')
    const tone = { ...quality, name: 'tone', direction: null }
    const [a, b] = [runOf('a', [], quality, tone), runOf('b', [], quality, tone)]
    for (const [index, item] of numbersOf(before).entries()) {
      a.add({ ...item, scores: [item.scores['quality'] ?? null, { outcome: 'scored', value: 1, passed: null }] })
      b.add({ ...item, scores: [item.scores['quality'] ?? null, { outcome: 'scored', value: index, passed: null }] })
    }
    expect(gate(subjectOf([a, b]), regression)).toMatchObject({
      outcome: 'pass',
      reasons: [{}, { message: expect.stringContaining('neither more nor less is better') }],
    })
  })

  it('cannot tell where no metric could be worse', () => {
    const neither = { ...quality, direction: null }
    expect(judged(shifted(-0.2), [neither, neither])).toMatchObject({
      outcome: 'cannot_tell',
      reasons: [{ message: expect.stringContaining('in no metric is more or less better') }, { outcome: 'pass' }],
    })
  })

  it('cannot tell where a case was scored in neither run, or the first could not score it', () => {
    const message = 'quality of b: 1 case could not be scored, before or now.'
    const reasons = (a: readonly (number | null)[], b: readonly (number | null)[]) =>
      gate(subjectOf([runOf('a', a), runOf('b', b)]), regression).reasons
    expect(reasons(without(3, before), without(3, before))).toMatchObject([{ outcome: 'cannot_tell', message }])
    expect(reasons(without(3, before), before)).toMatchObject([{ outcome: 'cannot_tell', message }])
    expect(reasons(before, [...before, null])).toMatchObject([{ outcome: 'cannot_tell', message }])
  })

  it('lets cases pass that the evaluator skips in both runs', () => {
    const [a, b] = [runOf('a', before), runOf('b', before)]
    for (const run of [a, b])
      run.add({
        ...numbersOf([0], () => 'skipped')[0]!,
        scores: { quality: { outcome: 'skipped', value: null, passed: null } },
      })
    expect(gate(subjectOf([a, b]), regression).outcome).toBe('pass')
  })

  it.each<[string, Partial<RunState>]>([
    ['is queued', { status: 'queued' }],
    ['goes on', { status: 'running' }],
    ['failed', { status: 'failed' }],
    ['was cancelled', { status: 'cancelled' }],
    ['was abandoned', { status: 'abandoned' }],
    ['ended at a limit', { stopped_by: 'cost_limit' }],
    ['lacks items', { total_items: 41 }],
  ])('cannot tell of a run that %s, the first or another, unless it is asked to', (_, state) => {
    for (const id of ['a', 'b']) {
      const subject = subjectOf([runOf('a', before), runOf('b', before)], { [id]: state })
      expect(gate(subject, regression)).toMatchObject({
        outcome: 'cannot_tell',
        reasons: [{ outcome: 'cannot_tell', metric: null, message: expect.stringMatching(`^${id}: the run `) }, {}],
      })
      expect(gate(subject, { ...regression, partial: 'allowed' }).outcome).toBe('pass')
      expect(gate(subject, { min: { quality: 0.1 } }).outcome).toBe('cannot_tell')
      expect(gate(subject, { min: { quality: 0.1 }, partial: 'allowed' }).outcome).toBe('pass')
    }
  })

  it('asked to, excuses what a run did not come to, and nothing else', () => {
    const outcome = (after: readonly (number | null)[], state: Partial<RunState>, a = before) =>
      gate(subjectOf([runOf('a', a), runOf('b', after)], { b: state }), { ...regression, partial: 'allowed' }).outcome
    const running: Partial<RunState> = { status: 'running', total_items: 40 }
    expect(outcome(before.slice(0, 30), running)).toBe('pass')
    expect(outcome(before.slice(0, 30), {})).toBe('cannot_tell')
    expect(outcome(without(3, before.slice(0, 30)), running)).toBe('cannot_tell')
    expect(outcome(shifted(-0.2).slice(0, 30), running)).toBe('fail')
  })

  it('cannot tell of runs whose end nobody knows', () => {
    const comparison = compareRuns([runOf('a', before), runOf('b', before)])
    expect(gate({ comparison, runs: [] }, regression)).toMatchObject({ outcome: 'cannot_tell', exit_code: 3 })
  })

  it('does not look at times and costs', () => {
    const [a, b] = [runOf('a', []), runOf('b', [])]
    for (const item of numbersOf(before)) {
      a.add({ ...item, response_time_ms: 10 + (item.scores['quality']?.value ?? 0) })
      b.add({ ...item, response_time_ms: 900 })
    }
    const subject = subjectOf([a, b])
    expect(subject.comparison?.compared[0]?.usage[0]?.verdict).toBe('worse')
    expect(gate(subject, regression).outcome).toBe('pass')
  })

  it('looks at every run', () => {
    const subject = subjectOf([runOf('a', before), runOf('b', shifted(0.2)), runOf('c', shifted(-0.2))])
    expect(gate(subject, regression).reasons.map(({ outcome }) => outcome)).toEqual(['pass', 'fail'])
  })
})

describe('a gate with a bound', () => {
  const bounded = (scores: readonly (number | null)[], state: Partial<RunState> = {}, metric = quality) =>
    gate(subjectOf([runOf('a', scores, metric)], { a: state }), { min: { quality: 0.9 } })

  it('passes at the bound, fails below it, and says how sure the mean is', () => {
    expect(bounded(values(10, (i) => (i < 9 ? 1 : 0)))).toEqual({
      outcome: 'pass',
      passed: true,
      exit_code: 0,
      reasons: [
        {
          outcome: 'pass',
          metric: 'quality',
          message: 'quality: its mean is 0.9 (95 % 0.5958 to 0.9821), which is at least 0.9.',
        },
      ],
    })
    expect(bounded(values(10, (i) => (i < 8 ? 1 : 0))).reasons[0]?.message).toBe(
      'quality: its mean is 0.8 (95 % 0.4902 to 0.9433), and not at least 0.9.',
    )
  })

  it.each<[string, ReturnType<typeof bounded>, GateOutcome]>([
    ['scores are missing', bounded([1, 1, null]), 'cannot_tell'],
    ['scores are missing and the mean is too low', bounded([0, 1, null]), 'fail'],
    ['nothing is scored', bounded([null, null]), 'cannot_tell'],
    ['there are no items', bounded([]), 'cannot_tell'],
    ['items were not done', bounded([1, 1], { total_items: 3 }), 'cannot_tell'],
    ['the run ended at a limit', bounded([1, 1], { stopped_by: 'cost_limit' }), 'cannot_tell'],
    ['the run was decided', bounded([1, 1], { stopped_by: 'decided', total_items: 100 }), 'pass'],
    ['the run failed', bounded([1, 1], { status: 'failed' }), 'cannot_tell'],
    ['the run is still going on', bounded([1, 1], { status: 'running' }), 'cannot_tell'],
    ['the evaluator is under no version', bounded([1, 1], {}, { ...quality, evaluator_version: null }), 'cannot_tell'],
  ])('where %s: %s', (_when, verdict, outcome) => {
    expect(verdict.outcome).toBe(outcome)
  })

  it('cannot tell of a metric that there is not, of a bound that is none, and without a run', () => {
    const subject = subjectOf([runOf('a', [1, 1])])
    expect(gate(subject, { min: { nope: 1 } }).reasons[0]?.message).toBe('nope: the run has no such metric.')
    expect(gate(subject, { min: { quality: Number.NaN } }).outcome).toBe('cannot_tell')
    expect(gate({ runs: [] }, { min: { quality: 0 } }).outcome).toBe('cannot_tell')
    expect(gate(subject, {})).toMatchObject({
      outcome: 'cannot_tell',
      reasons: [{ message: 'Nothing was asked.' }],
    })
  })

  it('may be one from above', () => {
    const subject = subjectOf([runOf('a', [0.5, 0.7])])
    const outcome = (max: number) => gate(subject, { max: { quality: max } }).outcome
    expect([outcome(0.7), outcome(0.5)]).toEqual(['pass', 'fail'])
  })

  it('fails when anything fails, and cannot tell when anything cannot', () => {
    const subject = subjectOf([runOf('a', before), runOf('b', shifted(-0.2))])
    expect(gate(subject, { ...regression, min: { quality: 0.4, nope: 1 } })).toMatchObject({
      outcome: 'fail',
      exit_code: 1,
      reasons: [{ outcome: 'fail' }, { outcome: 'pass' }, { outcome: 'cannot_tell' }],
    })
  })

  it('holds for every run but the first, and says of which', () => {
    const runs = [runOf('a', [0, 0]), runOf('b', [1, 1]), runOf('c', [0, 1])]
    expect(gate(subjectOf(runs), { min: { quality: 0.9 } }).reasons).toMatchObject([
      { outcome: 'pass', message: expect.stringMatching(/^b: quality: /) },
      { outcome: 'fail', message: expect.stringMatching(/^c: quality: /) },
    ])
  })
})

describe('whatever the runs hold', () => {
  // Halves, quarters and eighths add up to the same in any order.
  const scoreOf = fc.option(fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8))
  const itemsOf = fc.array(fc.tuple(fc.integer({ min: 0, max: 11 }), scoreOf), { maxLength: 60 })
  const statuses = fc.constantFrom('queued', 'running', 'completed', 'failed', 'cancelled', 'abandoned')
  const asked = fc.constantFrom<GateOptions>(
    regression,
    { min: { quality: 0 } },
    { ...regression, max: { quality: 1 } },
  )
  const runOfItems = (id: string, items: readonly (readonly [number, number | null])[]) => {
    const run = runOf(id, [])
    for (const [index, [place, value]] of items.entries())
      run.add({ ...numbersOf([value], () => `case-${place}`)[0]!, item_index: index })
    return run
  }

  it('no gate is green where something was not measured, or a run is not complete', () => {
    fc.assert(
      fc.property(
        fc.tuple(itemsOf, itemsOf),
        fc.tuple(statuses, statuses),
        asked,
        ([a, b], [statusA, statusB], options) => {
          const states: States = { a: { status: statusA }, b: { status: statusB } }
          const verdict = gate(subjectOf([runOfItems('a', a), runOfItems('b', b)], states), options)
          expect(verdict.passed).toBe(verdict.outcome === 'pass')
          expect(verdict.exit_code).toBe(gateExitCodes[verdict.outcome])
          if (!verdict.passed) return
          const cases = (items: typeof a) => new Set(items.map(([place]) => place))
          expect([statusA, statusB]).toEqual(['completed', 'completed'])
          expect(b.every(([, value]) => value !== null)).toBe(true)
          if (options.failOn === undefined) return
          expect(a.every(([, value]) => value !== null)).toBe(true)
          expect([...cases(b)]).toEqual(expect.arrayContaining([...cases(a)]))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('passes where everything was measured and nothing is worse', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 6, maxLength: 40 }), (scores) => {
        const items = scores.map((score, place) => [place, score / 8] as const)
        expect(gate(subjectOf([runOfItems('a', items), runOfItems('b', items)]), regression).outcome).toBe('pass')
      }),
    )
  })

  it('the order in which items come, and that of the runs after the first, changes nothing', () => {
    fc.assert(
      fc.property(fc.tuple(itemsOf, itemsOf, itemsOf), fc.nat(), ([a, b, c], seed) => {
        const random = createRandom(seed)
        const mixed = (items: typeof a) => shuffled(items, random.uniform)
        const one = gate(subjectOf([runOfItems('a', a), runOfItems('b', b), runOfItems('c', c)]), regression)
        const other = gate(
          subjectOf([runOfItems('a', mixed(a)), runOfItems('c', mixed(c)), runOfItems('b', mixed(b))]),
          regression,
        )
        const told = ({ reasons }: typeof one) => reasons.map(({ message }) => message).toSorted()
        expect(other.outcome).toBe(one.outcome)
        expect(told(other)).toEqual(told(one))
      }),
    )
  })

  it('to ask every case again with the same result makes no difference surer', () => {
    fc.assert(
      fc.property(itemsOf, itemsOf, fc.integer({ min: 2, max: 4 }), (a, b, times) => {
        const again = (items: typeof a) => Array.from({ length: times }, () => items).flat()
        const once = compareRuns([runOfItems('a', a), runOfItems('b', b)])
        const often = compareRuns([runOfItems('a', again(a)), runOfItems('b', again(b))])
        const sure = (comparison: typeof once) =>
          comparison.compared[0]?.metrics.map(({ n, verdict, improved, regressed }) => [
            n,
            verdict,
            improved,
            regressed,
          ])
        expect(sure(often)).toEqual(sure(once))
        expect(often.compared[0]?.metrics[0]?.p ?? 1).toBeCloseTo(once.compared[0]?.metrics[0]?.p ?? 1, 9)
      }),
    )
  })
})
