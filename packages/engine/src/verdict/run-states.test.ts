import { describe, expect, it } from 'vitest'
import { quality, runOf } from '../../test/columns.ts'
import { compareRuns } from './compare-runs.ts'
import { type RunState, shortOf, warningsAbout } from './run-states.ts'

const state = (runId: string, rest: Partial<RunState> = {}): RunState => ({
  run_id: runId,
  status: 'completed',
  stopped_by: null,
  total_items: 10,
  completed_items: 10,
  dataset_id: 'd',
  dataset_version: 'v1',
  ...rest,
})
const codes = (...runs: RunState[]) =>
  warningsAbout(runs, null).map(({ run_id: id, code }) => [id, code] satisfies [string, string])

describe('a run', () => {
  it.each<[Partial<RunState>, string | null]>([
    [{}, null],
    [{ total_items: null }, null],
    [{ total_items: 0, completed_items: 0 }, null],
    [{ status: 'queued' }, 'the run is queued, with 10 of 10 items done.'],
    [{ status: 'running', total_items: null }, 'the run is running, with 10 of an unknown number of items done.'],
    [{ status: 'abandoned', total_items: 1_200 }, 'the run is abandoned, with 10 of 1,200 items done.'],
    [{ stopped_by: 'cost_limit', total_items: 11 }, 'the run ended early (cost limit), with 10 of 11 items done.'],
    [{ total_items: 11 }, 'the run is completed, but with 10 of 11 items done.'],
  ])('that is %j falls short so: %s', (rest, message) => {
    expect(shortOf(state('a', rest))?.message ?? null).toBe(message)
  })
})

describe('warnings', () => {
  it('are told of the first run as of the others', () => {
    expect(codes(state('a', { status: 'failed' }), state('b', { status: 'cancelled' }), state('c'))).toEqual([
      ['a', 'failed'],
      ['b', 'cancelled'],
    ])
    expect(codes()).toEqual([])
  })

  it('tell of other data than that of the first', () => {
    const others = [state('b', { dataset_id: 'e' }), state('c', { dataset_version: null }), state('d')]
    expect(codes(state('a'), ...others)).toEqual([
      ['b', 'other_dataset'],
      ['c', 'other_version'],
    ])
  })

  it('tell of other evaluators, and of runs without a case in common', () => {
    const changed = { ...quality, evaluator_version: 'v2' }
    const same = compareRuns([runOf('a', [1, 2]), runOf('b', [1, 2], changed)])
    expect(warningsAbout([state('a'), state('b')], same)).toEqual([
      {
        run_id: 'b',
        code: 'other_evaluator',
        message: 'the evaluator is not that of the first run in quality: differences may be its own.',
      },
    ])
    const nothing = compareRuns([runOf('a', [1]), runOf('b', [])])
    expect(warningsAbout([state('a'), state('b')], nothing)).toMatchObject([{ code: 'no_shared_cases' }])
    const empty = compareRuns([runOf('a', []), runOf('b', [])])
    expect(warningsAbout([state('a'), state('b')], empty)).toEqual([])
  })
})
