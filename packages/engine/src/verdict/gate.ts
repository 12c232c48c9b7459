import {
  gateExitCodes,
  type GateOutcome,
  type GateVerdict,
  type MetricComparison,
  type RunMetricSummary,
  type RunsCompared,
} from '@llm-eval/protocol'
import { type RunState, shortOf } from './run-states.ts'

/** A run that a gate looks at. */
export interface GateRun {
  state: RunState
  metrics: readonly RunMetricSummary[]
}

/** What a gate looks at: the runs, and for regressions how they compare. */
export interface GateSubject {
  /** Those of the comparison; bounds hold for all but its first. Without a comparison they hold for all. */
  runs: readonly GateRun[]
  comparison?: RunsCompared | null | undefined
}

/** What a gate asks. */
export interface GateOptions {
  /** `regression`: no metric of any run may be worse than that of the first. What the runs used does not count. */
  failOn?: 'regression' | undefined
  /** Metric -> the least that its mean may be. */
  min?: Readonly<Record<string, number>> | undefined
  /** Metric -> the most that its mean may be, as of one where less is better. */
  max?: Readonly<Record<string, number>> | undefined
  /** `allowed`: runs that are not complete are held to what is there of them. They keep it from passing unless said. */
  partial?: 'allowed' | undefined
}

type Reason = GateVerdict['reasons'][number]

/**
 * Whether a run may go on. `fail` where anything that was asked is not so; else `cannot_tell` where anything cannot be told;
 * else `pass`. It fails closed: a score that is missing, a run that is not complete (the first one too), an evaluator that is under
 * no version or under another one than before, too few cases, and being asked nothing, all keep it from passing. A mean below its
 * bound fails whatever is missing.
 *
 * A bound is held against the mean itself; the interval is in the reason. To be sure of a bound ask for more than it.
 */
export function gate(subject: GateSubject, { failOn, min = {}, max = {}, partial }: GateOptions): GateVerdict {
  const reasons: Reason[] = []
  if (failOn === 'regression') reasons.push(...regressions(subject, partial))
  const bounds = [
    ...Object.entries(min).map(([metric, bound]) => ({ metric, bound, side: 'at least' as const })),
    ...Object.entries(max).map(([metric, bound]) => ({ metric, bound, side: 'at most' as const })),
  ]
  reasons.push(...boundReasons(subject, bounds, partial))
  if (reasons.length === 0) reasons.push(untold('Nothing was asked.'))
  if (partial !== 'allowed') reasons.unshift(...shortRuns(subject.runs))
  const has = (outcome: GateOutcome) => reasons.some((reason) => reason.outcome === outcome)
  const outcome = has('fail') ? 'fail' : has('cannot_tell') ? 'cannot_tell' : 'pass'
  return { outcome, passed: outcome === 'pass', exit_code: gateExitCodes[outcome], reasons }
}

type Leniency = GateOptions['partial']

function untold(message: string): Reason {
  return { outcome: 'cannot_tell', metric: null, message }
}

/** Runs that are not all of what they were to be. One that was decided is whole as far as it went. */
function shortRuns(runs: readonly GateRun[]): Reason[] {
  return runs.flatMap(({ state }) => {
    const short = shortOf(state)
    return short === null || isDecided(state) ? [] : [untold(`${state.run_id}: ${short.message}`)]
  })
}

function isDecided({ status, stopped_by: stoppedBy }: RunState): boolean {
  return status === 'completed' && stoppedBy === 'decided'
}

function regressions({ comparison, runs }: GateSubject, partial: Leniency): Reason[] {
  const rows =
    comparison?.compared.flatMap(({ run_id: runId, metrics }) => metrics.map((row) => ({ runId, row }))) ?? []
  if (!comparison || rows.length === 0) return [untold('There is no metric to compare with another run.')]
  const states = new Map(runs.map(({ state }) => [state.run_id, state]))
  const unknown = comparison.runs.filter((id) => !states.has(id))
  const reasons = unknown.map((id) => untold(`${id}: it is not known how the run ended.`))
  for (const { run_id: id, metrics } of comparison.compared)
    if (metrics.every(({ direction }) => direction === null))
      reasons.push(untold(`${id}: in no metric is more or less better, so that none could be worse.`))
  return rows.reduce((told, { runId, row }) => {
    const state = states.get(runId)
    const excused = partial === 'allowed' && state !== undefined && shortOf(state) !== null ? row.absent : 0
    const { outcome, why } = regression(row, excused)
    told.push({ outcome, metric: row.name, message: `${row.name} of ${runId}: ${why}` })
    return told
  }, reasons)
}

/** @param excused cases that a run which is not complete did not come to */
function regression(row: MetricComparison, excused: number): { outcome: GateOutcome; why: string } {
  const change = changeOf(row)
  if (row.verdict === 'worse') return { outcome: 'fail', why: `worse, ${change}.` }
  const doubt = doubtAbout({ ...row, missing: row.missing - excused })
  if (doubt !== null) return { outcome: 'cannot_tell', why: doubt }
  if (row.direction === null) return { outcome: 'pass', why: `neither more nor less is better, ${change}.` }
  const found = row.verdict === 'better' ? 'better' : 'no detectable difference'
  return { outcome: 'pass', why: `${found}, ${change}.` }
}

/** Why a metric that is not worse may be so nevertheless. */
function doubtAbout({ verdict, direction, missing, unmeasured, evaluator, n }: MetricComparison): string | null {
  if (missing > 0) return `${counted(missing, 'case')} that had a score before ${missing === 1 ? 'has' : 'have'} none.`
  if (unmeasured > 0) return `${counted(unmeasured, 'case')} could not be scored, before or now.`
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

function boundReasons({ comparison, runs }: GateSubject, bounds: readonly Bound[], partial: Leniency): Reason[] {
  if (bounds.length === 0) return []
  const [first] = comparison && comparison.runs.length > 1 ? comparison.runs : []
  const judged = runs.filter(({ state }) => state.run_id !== first)
  if (judged.length === 0) return [untold('There is no run to hold against a bound.')]
  return judged.flatMap((run) =>
    bounds.map((bound) => {
      const reason = boundReason(run, bound, partial)
      return judged.length === 1 ? reason : { ...reason, message: `${run.state.run_id}: ${reason.message}` }
    }),
  )
}

function boundReason({ metrics, state }: GateRun, { metric, bound, side }: Bound, partial: Leniency): Reason {
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
  const doubt = doubtOf(summary, state, partial)
  if (doubt !== null) return told('cannot_tell', `${mean}, but ${doubt}`)
  return told('pass', `${mean}, which is ${side} ${shown(bound)}.`)
}

function doubtOf(
  { scored, evaluator_version: version }: RunMetricSummary,
  state: RunState,
  partial: Leniency,
): string | null {
  const { completed_items: completed, total_items: total } = state
  const asFarAsItWent = isDecided(state) || partial === 'allowed'
  const expected = asFarAsItWent ? completed : Math.max(completed, total ?? 0)
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
