import {
  type CaseChange,
  type CaseComparison,
  comparisonVerdicts,
  gateOutcomes,
  type GateVerdict,
  type MetricComparison,
  type RunComparison,
  runRoutes,
  runUsages,
  type RunWarning,
  runWarnings,
} from '@llm-eval/protocol'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { type Check, flag, list, nullable, number, oneOf, shape, text, Unreadable } from './checks.ts'
import type { Api } from './client.ts'
import { each, interval } from './run-answers.ts'

const metricComparison = shape<MetricComparison>({
  name: text,
  direction: nullable(oneOf(['higher', 'lower'])),
  evaluator: oneOf(['same', 'changed', 'unknown']),
  before: nullable(number),
  after: nullable(number),
  difference: nullable(interval),
  test: nullable(text),
  p: nullable(number),
  adjusted_p: nullable(number),
  n: number,
  minimal_detectable_effect: nullable(number),
  verdict: oneOf(comparisonVerdicts),
  improved: number,
  regressed: number,
  unchanged: number,
  unpaired: number,
  missing: number,
  absent: number,
  unmeasured: number,
})

const means = list(nullable(number))
const [responseTime, cost] = runUsages

const caseComparison = shape<CaseComparison>({
  case_id: text,
  regression: nullable(number),
  values: each(means),
  usage: shape<CaseComparison['usage']>({ [responseTime]: means, [cost]: means }),
  items: list(nullable(number)),
})

const exitCode: Check<GateVerdict['exit_code']> = (value, path) => {
  if (value === 0 || value === 1 || value === 3) return value
  throw new Unreadable(path, '0, 1 or 3')
}

const gate = shape<GateVerdict>({
  outcome: oneOf(gateOutcomes),
  passed: flag,
  exit_code: exitCode,
  reasons: list(
    shape<GateVerdict['reasons'][number]>({ outcome: oneOf(gateOutcomes), metric: nullable(text), message: text }),
  ),
})

const runComparison = shape<RunComparison>({
  runs: list(text),
  compared: list(
    shape<RunComparison['compared'][number]>({
      run_id: text,
      metrics: list(metricComparison),
      usage: list(metricComparison),
    }),
  ),
  cases_total: number,
  cases_shared: number,
  cases_matching: number,
  cases: list(caseComparison),
  points: list(caseComparison),
  warnings: list(shape<RunWarning>({ run_id: text, code: oneOf(runWarnings), message: text })),
  gate: nullable(gate),
})

/** What a comparison is asked for. */
export interface ComparisonWish {
  /** Two to ten; the first is what the others are held against. */
  runs: readonly string[]
  /** The metric that says which cases are the worst; all unless said. */
  sortBy?: string | undefined
  /** Those that are listed, and how many at most. */
  change: CaseChange
  cases: number
  /** Cases of the sample that is drawn. */
  points: number
}

/** A metric, and what its mean must reach. */
export type Bound = readonly [metric: string, bound: number]

/** What a gate is asked. */
export interface GateWish {
  runs: readonly string[]
  failOn: 'regression' | undefined
  min: readonly Bound[]
  max: readonly Bound[]
  partial: 'allowed' | undefined
}

/** How comparisons of runs are read. */
export function comparisonQueries(api: Api) {
  const ask = (query: URLSearchParams, signal: AbortSignal) =>
    api({ route: runRoutes.compareRuns, query, answer: runComparison, signal })
  return {
    comparison: ({ runs, sortBy, change, cases, points }: ComparisonWish) =>
      queryOptions({
        queryKey: ['comparison', runs, 'cases', { sortBy, change, cases, points }] as const,
        queryFn: ({ signal }) => {
          const query = new URLSearchParams(runs.map((id) => ['run_ids', id]))
          if (sortBy !== undefined) query.set('sort_by', sortBy)
          query.set('change', change)
          query.set('cases', String(cases))
          query.set('points', String(points))
          return ask(query, signal)
        },
        staleTime: 2_000,
        placeholderData: keepPreviousData,
      }),
    /** What the gate says; the numbers that it says it of are those of the comparison. */
    gate: (wish: GateWish) =>
      queryOptions({
        queryKey: ['comparison', wish.runs, 'gate', wish] as const,
        queryFn: async ({ signal }) => {
          const query = new URLSearchParams(wish.runs.map((id) => ['run_ids', id]))
          query.set('cases', '0')
          if (wish.failOn !== undefined) query.set('fail_on', wish.failOn)
          for (const [metric, bound] of wish.min) query.append('min', `${metric}:${bound}`)
          for (const [metric, bound] of wish.max) query.append('max', `${metric}:${bound}`)
          if (wish.partial === 'allowed') query.set('allow_partial', 'true')
          return (await ask(query, signal)).gate
        },
        staleTime: 2_000,
        placeholderData: keepPreviousData,
      }),
  }
}
