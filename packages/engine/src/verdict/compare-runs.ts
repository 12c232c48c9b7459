import {
  type CaseChange,
  type CaseComparison,
  Failure,
  limits,
  type MetricComparison,
  type RunsCompared,
} from '@llm-eval/protocol'
import { compare, type Comparison, holm } from '@llm-eval/statistics'
import type { ColumnMetric, RunColumns } from './columns.ts'
import { sampleOf } from './sample.ts'
import { joinCases, type Joined, sharedBy, type Table, tablesOf } from './tables.ts'
import { worstCases } from './worst-cases.ts'

export interface CompareRunsOptions {
  /** Of the intervals and verdicts, in (0, 1); 0.95 unless told. */
  level?: number | undefined
  /** Cases that are listed, the worst first; 100 unless told. */
  cases?: number | undefined
  /** The metric by which cases are sorted; all that have a direction unless told. */
  sortBy?: string | undefined
  /** Those that are listed; all unless told. */
  change?: CaseChange | undefined
  /** Cases of the sample, as far as they hold no more than `limits.comparedPointNumbers` numbers; none unless told. */
  points?: number | undefined
}

/**
 * Holds runs against the first, case by case. A case that was asked several times counts once, with the mean of those
 * repetitions that have a score: repetitions are not independent, and the first of one run has nothing to do with the first of
 * another, so there are no closer pairs (E. Miller, arXiv:2411.00640, sections 2.2 and 4.2: question-level means, then paired
 * differences). What has no score in one of two runs is paired with nothing; it is counted, never as 0.
 *
 * Tests are those of statistics' `compare`. All of them together make one family: a verdict of `better`, `worse` or `different` is
 * given where Holm's p, over every metric and usage of every run, is below 1 - level. Intervals are of each metric alone.
 *
 * @throws {Failure} `invalid_request` unless there are 2 to `limits.comparedRuns` runs, at most `limits.comparedCases` cases and
 * `limits.comparedPoints` points
 */
export function compareRuns(runs: readonly RunColumns[], options: CompareRunsOptions = {}): RunsCompared {
  const { level = 0.95, cases = 100, sortBy, change = 'all', points = 0 } = options
  const [before, ...others] = runs
  if (!before || others.length === 0 || runs.length > limits.comparedRuns)
    throw refused('runs', `must be 2 to ${limits.comparedRuns}`)
  if (!Number.isInteger(cases) || cases < 0 || cases > limits.comparedCases)
    throw refused('cases', `must be a whole number of 0 to ${limits.comparedCases}`)
  if (!Number.isInteger(points) || points < 0 || points > limits.comparedPoints)
    throw refused('points', `must be a whole number of 0 to ${limits.comparedPoints}`)
  const joined = joinCases(runs)
  const tables = tablesOf(runs, joined)
  if (sortBy !== undefined && !tables.some(({ metric, usage }) => metric.name === sortBy && !usage))
    throw refused('sort_by', 'must be a metric of the runs')

  const made = others.flatMap((_, other) =>
    tables.map((table) => ({ table, other, ...compareOne({ table, joined, other: other + 1 }, level) })),
  )
  const adjusted = holm(made.map(({ comparison }) => comparison.p))
  const rows = made.map((one, index) => ({ ...one, row: rowOf(one, adjusted[index] ?? null, level) }))
  const rowsOf = (other: number, usage: boolean) =>
    rows.filter((one) => one.other === other && one.table.usage === usage).map(({ row }) => row)
  const worst = worstCases(tables, { sortBy, change, count: cases })
  const drawn = Math.min(points, Math.floor(limits.comparedPointNumbers / (tables.length * runs.length)))
  const told = (one: { at: number; regression: number | null }) => caseOf(one, tables, joined)
  return {
    runs: runs.map(({ runId }) => runId),
    compared: others.map(({ runId }, other) => {
      return { run_id: runId, metrics: rowsOf(other, false), usage: rowsOf(other, true) }
    }),
    cases_total: joined.ids.length,
    cases_shared: sharedBy(runs, joined),
    cases_matching: worst.matching,
    cases: worst.listed.map(told),
    points: sampleOf(joined.ids, drawn).map((at) => told({ at, regression: worst.regressionOf(at) })),
  }
}

function refused(path: string, message: string): Failure {
  return new Failure('invalid_request', { errors: [{ path, message }] })
}

interface Compared {
  comparison: Comparison
  unpaired: number
  missing: number
  absent: number
  unmeasured: number
}

interface Pairing {
  table: Table
  joined: Joined
  /** Which run is held against the first. */
  other: number
}

function compareOne({ table, joined, other }: Pairing, level: number): Compared {
  const { metric, usage, means } = table
  const [before, after] = [means[0] ?? new Float64Array(), means[other] ?? new Float64Array()]
  const items = joined.items[other]
  const pairs: { a: number[]; b: number[] } = { a: [], b: [] }
  let [unpaired, missing, absent] = [0, 0, 0]
  for (let at = 0; at < before.length; at++) {
    const [x, y] = [after[at] ?? Number.NaN, before[at] ?? Number.NaN]
    const [hasAfter, hasBefore] = [!Number.isNaN(x), !Number.isNaN(y)]
    if (hasAfter && hasBefore) {
      pairs.a.push(x)
      pairs.b.push(y)
    } else if (hasAfter || hasBefore) {
      unpaired++
      if (hasBefore) missing++
      if (hasBefore && items?.[at] === -1) absent++
    }
  }
  const direction = metric.direction ?? undefined
  return {
    comparison: compare(pairs.a, pairs.b, { level, direction, kind: usage ? 'continuous' : undefined }),
    unpaired,
    missing,
    absent,
    unmeasured: sizeOfBoth(table.unmeasured[0], table.unmeasured[other]),
  }
}

const none: ReadonlySet<number> = new Set()

function sizeOfBoth(one: ReadonlySet<number> = none, other: ReadonlySet<number> = none): number {
  let size = one.size
  for (const at of other) if (!one.has(at)) size++
  return size
}

function rowOf(
  { table, other, comparison, ...counts }: Compared & { table: Table; other: number },
  adjusted: number | null,
  level: number,
): MetricComparison {
  const { metric } = table
  const directed = metric.direction !== null
  return {
    ...metric,
    evaluator: table.usage ? 'same' : sameness(table.metrics[0], table.metrics[other + 1]),
    before: comparison.meanB,
    after: comparison.meanA,
    difference: comparison.interval,
    test: comparison.test,
    p: comparison.p,
    adjusted_p: adjusted,
    n: comparison.n,
    minimal_detectable_effect: comparison.mde,
    verdict: verdictOf(comparison, { adjusted, level, directed }),
    improved: directed ? comparison.wins : 0,
    regressed: directed ? comparison.losses : 0,
    unchanged: comparison.ties,
    ...counts,
  }
}

/** Whether both scored alike: the same evaluator, in the same version, with the same notion of what is better. */
function sameness(before: ColumnMetric | undefined, after: ColumnMetric | undefined): MetricComparison['evaluator'] {
  if (!before || !after || before.evaluator_version === null || after.evaluator_version === null) return 'unknown'
  const alike =
    before.evaluator === after.evaluator &&
    before.evaluator_version === after.evaluator_version &&
    before.direction === after.direction
  return alike ? 'same' : 'changed'
}

function verdictOf(
  { verdict }: Comparison,
  { adjusted, level, directed }: { adjusted: number | null; level: number; directed: boolean },
): MetricComparison['verdict'] {
  if (verdict !== 'better' && verdict !== 'worse') return verdict
  if (adjusted === null || adjusted >= 1 - level) return 'no_detectable_difference'
  return directed ? verdict : 'different'
}

function caseOf(
  { at, regression }: { at: number; regression: number | null },
  tables: readonly Table[],
  { ids, items }: Joined,
): CaseComparison {
  const valuesOf = ({ means }: Table) =>
    means.map((byCase) => {
      const value = byCase[at] ?? Number.NaN
      return Number.isNaN(value) ? null : value
    })
  const named = (name: string) => tables.find(({ metric, usage }) => usage && metric.name === name)
  const usageOf = (name: string) => {
    const table = named(name)
    return table ? valuesOf(table) : []
  }
  return {
    case_id: ids[at] ?? '',
    regression,
    values: Object.fromEntries(
      tables.filter(({ usage }) => !usage).map((table) => [table.metric.name, valuesOf(table)]),
    ),
    usage: { response_time_ms: usageOf('response_time_ms'), cost: usageOf('cost') },
    items: items.map((first) => ((first[at] ?? -1) < 0 ? null : (first[at] ?? null))),
  }
}
