import type { GateOutcome, Run } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { numbersOf, quality, runOf } from '../../test/columns.ts'
import { compareRuns } from './compare-runs.ts'
import { gate } from './gate.ts'
import { summarise } from './summary.ts'

const values = (count: number, of: (index: number) => number | null) => Array.from({ length: count }, (_, i) => of(i))
const before = Array.from({ length: 40 }, (_, i) => 0.5 + (i % 7) / 20)
const shifted = (by: number) => before.map((value, i) => value + by + (i % 3) / 1_000)

const without = (at: number, all: readonly (number | null)[]) => all.with(at, null)

const judged = (after: readonly (number | null)[], metrics = [quality, quality]) =>
  gate(
    { comparison: compareRuns([runOf('a', before, metrics[0]!), runOf('b', after, metrics[1]!)]) },
    { failOn: 'regression' },
  )

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
    const few = compareRuns([runOf('a', [0.1, 0.2]), runOf('b', [0.3, 0.4])])
    expect(gate({ comparison: few }, { failOn: 'regression' })).toEqual({
      outcome: 'cannot_tell',
      reasons: [
        {
          outcome: 'cannot_tell',
          metric: 'quality',
          message: 'quality of b: 2 pairs of cases are not enough to tell.',
        },
      ],
    })
    expect(gate({}, { failOn: 'regression' }).outcome).toBe('cannot_tell')
  })

  it('cannot tell where the evaluator is another one, or under no version', () => {
    const other = { ...quality, evaluator_version: 'v2' }
    expect(judged([...before], [quality, other]).reasons[0]?.message).toContain('not the one of before')
    const loose = { ...quality, evaluator_version: null }
    expect(judged([...before], [loose, loose]).outcome).toBe('cannot_tell')
  })

  it('lets cases pass that are new, and metrics that cannot be worse', () => {
    expect(judged([...before, 0.1, 0.2]).outcome).toBe('pass')
    const neither = { ...quality, direction: null }
    expect(judged(shifted(-0.2), [neither, neither])).toMatchObject({
      outcome: 'pass',
      reasons: [{ message: expect.stringContaining('neither more nor less is better') }],
    })
  })

  it('does not look at times and costs', () => {
    const [a, b] = [runOf('a', []), runOf('b', [])]
    for (const item of numbersOf(before)) {
      a.add({ ...item, response_time_ms: 10 + (item.scores['quality']?.value ?? 0) })
      b.add({ ...item, response_time_ms: 900 })
    }
    const comparison = compareRuns([a, b])
    expect(comparison.compared[0]?.usage[0]?.verdict).toBe('worse')
    expect(gate({ comparison }, { failOn: 'regression' }).outcome).toBe('pass')
  })

  it('looks at every run', () => {
    const comparison = compareRuns([runOf('a', before), runOf('b', shifted(0.2)), runOf('c', shifted(-0.2))])
    expect(gate({ comparison }, { failOn: 'regression' }).reasons.map(({ outcome }) => outcome)).toEqual([
      'pass',
      'fail',
    ])
  })
})

describe('a gate with a bound', () => {
  const whole = (items: number): GateRun => ({
    status: 'completed',
    stopped_by: null,
    total_items: items,
    completed_items: items,
  })
  type GateRun = Pick<Run, 'status' | 'stopped_by' | 'total_items' | 'completed_items'>
  const bounded = (scores: readonly (number | null)[], run: Partial<GateRun> = {}, metric = quality) =>
    gate(
      { metrics: summarise(runOf('a', scores, metric)), run: { ...whole(scores.length), ...run } },
      { min: { quality: 0.9 } },
    )

  it('passes at the bound, fails below it, and says how sure the mean is', () => {
    expect(bounded(values(10, (i) => (i < 9 ? 1 : 0)))).toEqual({
      outcome: 'pass',
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
    const metrics = summarise(runOf('a', [1, 1]))
    const run = whole(2)
    expect(gate({ metrics, run }, { min: { nope: 1 } }).reasons[0]?.message).toBe('nope: the run has no such metric.')
    expect(gate({ metrics, run }, { min: { quality: Number.NaN } }).outcome).toBe('cannot_tell')
    expect(gate({ metrics }, { min: { quality: 0 } }).outcome).toBe('cannot_tell')
    expect(gate({ metrics, run }, {})).toMatchObject({
      outcome: 'cannot_tell',
      reasons: [{ message: 'Nothing was asked.' }],
    })
  })

  it('may be one from above', () => {
    const metrics = summarise(runOf('a', [0.5, 0.7]))
    const outcome = (max: number) => gate({ metrics, run: whole(2) }, { max: { quality: max } }).outcome
    expect([outcome(0.7), outcome(0.5)]).toEqual(['pass', 'fail'])
  })

  it('fails when anything fails, and cannot tell when anything cannot', () => {
    const subject = {
      metrics: summarise(runOf('a', [1, 1])),
      run: whole(2),
      comparison: compareRuns([runOf('a', before), runOf('b', shifted(-0.2))]),
    }
    expect(gate(subject, { failOn: 'regression', min: { quality: 0.5, nope: 1 } })).toMatchObject({
      outcome: 'fail',
      reasons: [{ outcome: 'fail' }, { outcome: 'pass' }, { outcome: 'cannot_tell' }],
    })
  })
})
