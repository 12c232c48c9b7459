import type { Interval, RunMetricSummary } from '@llm-eval/protocol'
import {
  clusteredMean,
  meanEstimate,
  percentiles,
  proportion,
  standardDeviation,
  unitsProportion,
} from '@llm-eval/statistics'
import type { MetricColumn, RunColumns } from './columns.ts'

/** Each metric of a run over all of its items. What is not scored is counted, and in no number. */
export function summarise(run: RunColumns): RunMetricSummary[] {
  return run.metrics.map((column) => summaryOf(run, column))
}

function summaryOf(
  run: RunColumns,
  { metric, column, skipped, errored, passed, failed }: MetricColumn,
): RunMetricSummary {
  const all = column.values
  const values = all.filter((value) => !Number.isNaN(value))
  // Where every case was asked once there are no clusters to know of.
  const once = run.items === run.cases.size
  const cases = once ? null : run.caseOf.filter((_, item) => !Number.isNaN(all[item]))
  const [p5 = null, p25 = null, p50 = null, p75 = null, p95 = null] = percentiles(values, [0.05, 0.25, 0.5, 0.75, 0.95])
  const [min, max] = rangeOf(values)
  const known = p5 !== null && p25 !== null && p50 !== null && p75 !== null && p95 !== null
  return {
    ...metric,
    mean: meanOf(values, cases),
    pass_rate: unitsProportion(passed, passed + failed, { perUnit: perCase(run) }),
    standard_deviation: standardDeviation(values),
    min,
    max,
    percentiles: known ? { p5, p25, p50, p75, p95 } : null,
    distribution: distributionOf(values, min, max),
    scored: values.length,
    skipped,
    errored,
  }
}

/** Items of a case, on average. */
function perCase({ items, cases }: RunColumns): number {
  return cases.size === 0 ? 1 : items / cases.size
}

/**
 * The mean with its interval: Wilson's where values are passes and failures, else Student's. Where cases are repeated their
 * repetitions are no independent values: the error is that of the cases (clustered, C - 1 degrees of freedom).
 */
function meanOf(values: Float64Array, cases: Float64Array | null): Interval | null {
  const binary = values.every((value) => value === 0 || value === 1)
  const units = cases ? new Set(cases).size : values.length
  const successes = () => values.reduce((sum, value) => sum + value, 0)
  if (!cases || units === values.length)
    return binary ? proportion(successes(), values.length) : (meanEstimate(values)?.interval ?? null)
  const clustered = clusteredMean(values, Array.from(cases), { correction: 'small_sample' })
  // Cases that all came out alike have a spread of 0, which is no reason to be sure.
  if (binary && (clustered?.se ?? 0) === 0)
    return unitsProportion(successes(), values.length, { perUnit: values.length / units })
  return clustered?.interval ?? null
}

function rangeOf(values: Float64Array): [min: number | null, max: number | null] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  // 0 is 0, not -0.
  return values.length === 0 ? [null, null] : [min + 0, max + 0]
}

const cells = 20

function distributionOf(
  values: Float64Array,
  min: number | null,
  max: number | null,
): RunMetricSummary['distribution'] {
  if (min === null || max === null) return []
  const width = (max - min) / cells
  if (width === 0) return [{ from: min, to: max, count: values.length }]
  const counts = new Float64Array(cells)
  for (const value of values) {
    const cell = Math.min(cells - 1, Math.floor((value - min) / width))
    counts[cell] = (counts[cell] ?? 0) + 1
  }
  return Array.from(counts, (count, cell) => {
    return { from: min + cell * width, to: cell === cells - 1 ? max : min + (cell + 1) * width, count }
  })
}
