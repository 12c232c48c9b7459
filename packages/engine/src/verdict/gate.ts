import type {
  GateOutcome,
  GateVerdict,
  MetricComparison,
  Run,
  RunComparison,
  RunMetricSummary,
} from '@llm-eval/protocol'

/** What a gate looks at: a comparison for regressions, a run with its metrics for bounds. */
export interface GateSubject {
  comparison?: RunComparison | undefined
  run?: Pick<Run, 'status' | 'stopped_by' | 'total_items' | 'completed_items'> | undefined
  metrics?: readonly RunMetricSummary[] | undefined
}

/** What a gate asks. */
export interface GateOptions {
  /** `regression`: no metric of any run may be worse than that of the first. What the runs used does not count. */
  failOn?: 'regression' | undefined
  /** Metric -> the least that its mean may be. */
  min?: Readonly<Record<string, number>> | undefined
  /** Metric -> the most that its mean may be, as of one where less is better. */
  max?: Readonly<Record<string, number>> | undefined
}

type Reason = GateVerdict['reasons'][number]

/**
 * Whether a run may go on. `fail` where anything that was asked is not so; else `cannot_tell` where anything cannot be told;
 * else `pass`. It fails closed: a score that is missing, a run that did not end well, an evaluator that is under no version or
 * under another one than before, too few cases, and being asked nothing, all keep it from passing. A mean below its bound fails
 * whatever is missing.
 *
 * A bound is held against the mean itself; the interval is in the reason. To be sure of a bound ask for more than it.
 */
export function gate(subject: GateSubject, { failOn, min = {}, max = {} }: GateOptions): GateVerdict {
  const reasons: Reason[] = []
  if (failOn === 'regression') reasons.push(...regressions(subject.comparison))
  const bounds = [
    ...Object.entries(min).map(([metric, bound]) => ({ metric, bound, side: 'at least' as const })),
    ...Object.entries(max).map(([metric, bound]) => ({ metric, bound, side: 'at most' as const })),
  ]
  for (const bound of bounds) reasons.push(boundReason(subject, bound))
  if (reasons.length === 0) reasons.push({ outcome: 'cannot_tell', metric: null, message: 'Nothing was asked.' })
  const has = (outcome: GateOutcome) => reasons.some((reason) => reason.outcome === outcome)
  return { outcome: has('fail') ? 'fail' : has('cannot_tell') ? 'cannot_tell' : 'pass', reasons }
}

function regressions(comparison: RunComparison | undefined): Reason[] {
  const rows =
    comparison?.compared.flatMap(({ run_id: runId, metrics }) => metrics.map((row) => ({ runId, row }))) ?? []
  if (rows.length === 0)
    return [{ outcome: 'cannot_tell', metric: null, message: 'There is no metric to compare with another run.' }]
  return rows.map(({ runId, row }) => {
    const { outcome, why } = regression(row)
    return { outcome, metric: row.name, message: `${row.name} of ${runId}: ${why}` }
  })
}

function regression(row: MetricComparison): { outcome: GateOutcome; why: string } {
  const change = changeOf(row)
  if (row.verdict === 'worse') return { outcome: 'fail', why: `worse, ${change}.` }
  const doubt = doubtAbout(row)
  if (doubt !== null) return { outcome: 'cannot_tell', why: doubt }
  if (row.direction === null) return { outcome: 'pass', why: `neither more nor less is better, ${change}.` }
  const found = row.verdict === 'better' ? 'better' : 'no detectable difference'
  return { outcome: 'pass', why: `${found}, ${change}.` }
}

/** Why a metric that is not worse may be so nevertheless. */
function doubtAbout({ verdict, direction, missing, evaluator, n }: MetricComparison): string | null {
  if (missing > 0) return `${counted(missing, 'case')} that had a score before ${missing === 1 ? 'has' : 'have'} none.`
  if (evaluator === 'changed') return 'the evaluator is not the one of before.'
  if (evaluator === 'unknown')
    return 'it is not known whether the evaluator is the one of before: it is under no version, or not in both runs.'
  if (verdict === 'not_enough_data' && direction !== null)
    return `${counted(n, 'pair')} of cases ${n === 1 ? 'is' : 'are'} not enough to tell.`
  return null
}

function changeOf({ before, after, difference, adjusted_p: p }: MetricComparison): string {
  const interval = difference
    ? ` (${percent(difference.level)} ${shown(difference.low)} to ${shown(difference.high)})`
    : ''
  const change = before === null || after === null ? 'unknown' : `${shown(before)} to ${shown(after)}`
  return `from ${change}, a change of ${shown(difference?.estimate ?? null)}${interval}${chance(p)}`
}

interface Bound {
  metric: string
  bound: number
  side: 'at least' | 'at most'
}

function boundReason({ metrics = [], run }: GateSubject, { metric, bound, side }: Bound): Reason {
  const told = (outcome: GateOutcome, message: string): Reason => ({
    outcome,
    metric,
    message: `${metric}: ${message}`,
  })
  const summary = metrics.find(({ name }) => name === metric)
  if (!Number.isFinite(bound)) return told('cannot_tell', `${bound} is no bound.`)
  if (!summary) return told('cannot_tell', 'the run has no such metric.')
  if (!summary.mean) return told('cannot_tell', 'too little is scored for a mean.')
  const { estimate, low, high, level } = summary.mean
  const mean = `its mean is ${shown(estimate)} (${percent(level)} ${shown(low)} to ${shown(high)})`
  if (side === 'at least' ? estimate < bound : estimate > bound)
    return told('fail', `${mean}, and not ${side} ${shown(bound)}.`)
  const doubt = doubtOf(summary, run)
  if (doubt !== null) return told('cannot_tell', `${mean}, but ${doubt}`)
  return told('pass', `${mean}, which is ${side} ${shown(bound)}.`)
}

function doubtOf({ scored, evaluator_version: version }: RunMetricSummary, run: GateSubject['run']): string | null {
  if (!run) return 'it is not known how many items the run has.'
  const { status, stopped_by: stoppedBy, completed_items: completed, total_items: total } = run
  if (status !== 'completed') return `the run is ${status}.`
  if (stoppedBy !== null && stoppedBy !== 'decided') return 'the run ended before all of its items were done.'
  // A run that was decided is whole as far as it went.
  const expected = stoppedBy === 'decided' ? completed : Math.max(completed, total ?? 0)
  const missing = expected - scored
  if (missing > 0) return `${counted(missing, 'item')} of ${expected} ${missing === 1 ? 'has' : 'have'} no score.`
  if (version === null) return 'the evaluator is under no version.'
  return null
}

function chance(p: number | null): string {
  if (p === null) return ''
  return p < 0.0001 ? ', p < 0.0001' : `, p ${shown(p)}`
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
}

function percent(level: number): string {
  return `${shown(level * 100)} %`
}

function shown(value: number | null): string {
  return value === null ? 'unknown' : String(Number(value.toPrecision(4)))
}
