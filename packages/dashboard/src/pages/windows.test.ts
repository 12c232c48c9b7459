import type { Series, SeriesPoint } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { metrics } from '../../test/sample-traces.ts'
import { readCounters } from './counter-values.ts'
import { chipsOf } from './filter-chips.ts'
import { acceptanceOf, costOf, lastMeasured, steps, toGrid, totals } from './windows.ts'
import { ranges } from '../api/filters.ts'

function point(at: string, parts: Partial<SeriesPoint> = {}): SeriesPoint {
  const none = { latency_p50: null, latency_p95: null, latency_p99: null, latency_count: 0 }
  return {
    at,
    traces: 1,
    accepted: 0,
    rejected: 0,
    cost: 0,
    cost_count: 0,
    tokens: 0,
    tokens_count: 0,
    ...none,
    ...parts,
  }
}

const series = (points: SeriesPoint[]): Series => ({
  from: '2025-01-27T12:00:00.000Z',
  to: '2025-01-27T12:05:00.000Z',
  step_seconds: 60,
  model_name: null,
  points,
  lag_events: 0,
})

test('a window has a point for every step, also where nothing happened', () => {
  const grid = toGrid(series([point('2025-01-27T12:01:00.000Z'), point('2025-01-27T12:04:00.000Z')]))
  expect(grid.times).toHaveLength(5)
  expect(grid.points.map((found) => found?.traces ?? null)).toEqual([null, 1, null, null, 1])
})

test('every window has as many steps as a plot can show, and no more than the server answers', () => {
  for (const [range, seconds] of Object.entries(ranges)) {
    const count = seconds / steps[range as keyof typeof steps]
    expect(count).toBeGreaterThanOrEqual(15)
    expect(count).toBeLessThanOrEqual(200)
    expect(Number.isInteger(count)).toBe(true)
  }
})

test('sums say over how many traces they go, and unknown stays unknown', () => {
  const none = totals(toGrid(series([point('2025-01-27T12:01:00.000Z')])), '15m')
  expect(none).toMatchObject({ traces: 1, cost: null, costCount: 0, acceptance: null, decided: 0, latencyCount: 0 })
  const some = totals(
    toGrid(
      series([
        point('2025-01-27T12:01:00.000Z', { traces: 10, accepted: 3, rejected: 1, cost: 0.5, cost_count: 8 }),
        point('2025-01-27T12:02:00.000Z', { traces: 5, accepted: 0, rejected: 4, cost: 0.25, cost_count: 1 }),
      ]),
    ),
    '15m',
  )
  expect(some).toMatchObject({ traces: 15, cost: 0.75, costCount: 9, decided: 8, acceptance: 37.5 })
})

test('a step without verdicts has no acceptance rate, one without costs no cost', () => {
  expect(acceptanceOf(point('x'))).toBeNull()
  expect(acceptanceOf(point('x', { accepted: 850, rejected: 150 }))).toBe(85)
  expect(costOf(point('x'))).toBeNull()
  expect(costOf(null)).toBeNull()
  expect(costOf(point('x', { cost: 0, cost_count: 2 }))).toBe(0)
})

test('percentiles are read off the last step that has any', () => {
  expect(lastMeasured([point('a', { latency_p50: 9 }), point('b'), null])?.at).toBe('a')
  expect(lastMeasured([null, point('b')])).toBeNull()
})

test('counters show unknown as a dash and say what a mean goes over', () => {
  const shown = Object.fromEntries(
    readCounters(metrics()).map(({ name, value, beside }) => [name, `${value} ${beside}`]),
  )
  expect(shown).toMatchObject({
    'Acceptance rate': '85.0 % of 1,000 decided',
    'Mean latency': '1.25 s over 1,180 of 1,500 traces',
    'Total cost': '$15.67 over all traces',
  })
  const nothing = metrics({
    decided_traces: 0,
    acceptance_rate: 0,
    avg_response_time: null,
    response_time_count: 0,
    total_cost: 0,
    cost_count: 0,
  })
  const unknown = Object.fromEntries(readCounters(nothing).map(({ name, value }) => [name, value]))
  expect(unknown).toMatchObject({ 'Acceptance rate': '–', 'Mean latency': '–', 'Total cost': '–' })
})

test('filters without a control in sight are told in words, and each can be taken away', () => {
  const chips = chipsOf({ q: 'x', model: 'm', user: 'u1', min_latency: '100', max_latency: '900', min_cost: '0.5' })
  expect(chips).toEqual([
    { label: 'user: u1', clears: ['user'] },
    { label: 'latency 100 ms to 900 ms', clears: ['min_latency', 'max_latency'] },
    { label: 'cost from $0.5', clears: ['min_cost', 'max_cost'] },
  ])
})
