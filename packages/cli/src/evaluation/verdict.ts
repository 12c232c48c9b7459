import {
  gateExitCodes,
  type GateVerdict,
  type RunComparison,
  type RunMetricSummary,
  runRoutes,
} from '@llm-eval/protocol'
import { runComparison } from '@llm-eval/protocol/run-schemas'
import type { EvaluationDefinition, EvaluationResult } from 'llm-eval-sdk/evaluation'
import type { ToldRun } from '../commands/runs.ts'
import { Complaint, exitCodes } from '../complaint.ts'
import { count, figure, percent } from '../display/amounts.ts'
import { oneLine } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'
import type { Bound, RunOptions } from './options.ts'

/** What is asked of a run. */
export interface Demands {
  min: Record<string, number>
  max: Record<string, number>
  failOn: 'regression' | undefined
  /** Id of a run. */
  baseline: string | undefined
}

/**
 * What the file asks, with the flags over it.
 *
 * @throws {Complaint} for a bound of a metric that the evaluation does not have
 */
export function demandsOf({ name, gate = {}, metrics }: EvaluationDefinition, options: RunOptions): Demands {
  const { failOn = gate.failOn, baseline = gate.baseline } = options
  const [min, max] = [
    { ...gate.min, ...bounds(options.min) },
    { ...gate.max, ...bounds(options.max) },
  ]
  const known = metrics.map(nameOf)
  for (const bound of [...Object.keys(min), ...Object.keys(max)])
    if (!known.includes(bound))
      throw new Complaint(
        `${oneLine(name)} has no metric ${oneLine(bound)}: its metrics are ${oneLine(known.join(', '))}.`,
      )
  return { min, max, failOn, baseline }
}

function nameOf(metric: EvaluationDefinition['metrics'][number]): string {
  if (typeof metric === 'string') return metric
  if (typeof metric === 'function') return metric.name
  return metric.name ?? (typeof metric.evaluator === 'string' ? metric.evaluator : metric.evaluator.name)
}

function bounds(given: readonly Bound[] = []): Record<string, number> {
  return Object.fromEntries(given.map(({ name, value }) => [name, value]))
}

/** A run that is over, with what it was asked. */
export interface Judged {
  run: ToldRun
  metrics: RunMetricSummary[]
  /** Null where nothing was compared. */
  comparison: RunComparison | null
  /** Null where nothing was asked. */
  gate: GateVerdict | null
}

/** Holds a run against a baseline and against bounds, as `llm-eval compare` does. */
export async function compared(
  target: Target,
  { runId, demands, baseline }: { runId: string; demands: Demands; baseline: string | null },
): Promise<Pick<Judged, 'comparison' | 'gate'>> {
  const { min, max, failOn } = demands
  const named = (which: string, all: Record<string, number>) =>
    Object.entries(all).map(([name, value]): [string, string] => [which, `${name}:${value}`])
  const asked = [...named('min', min), ...named('max', max)]
  if (failOn !== undefined && baseline !== null) asked.push(['fail_on', failOn])
  if (asked.length === 0 && baseline === null) return { comparison: null, gate: nothingBefore(demands) }
  const ids = baseline === null ? [runId] : [baseline, runId]
  const query: [string, string][] = [...ids.map((id): [string, string] => ['run_ids', id]), ['cases', '20'], ...asked]
  const told = await readAnswer(await ask(target, { route: runRoutes.compareRuns, query }), runComparison)
  return {
    comparison: baseline === null ? null : told,
    gate: merged(told.gate, baseline === null ? nothingBefore(demands) : null),
  }
}

/** The first run of an evaluation cannot be worse than one before, and it was not shown either that it is not. */
function nothingBefore({ failOn }: Demands): GateVerdict | null {
  if (failOn === undefined) return null
  const message = 'There is no earlier whole run of this name to compare with; the next run is held against this one.'
  return {
    outcome: 'cannot_tell',
    passed: false,
    exit_code: gateExitCodes.cannot_tell,
    reasons: [{ outcome: 'cannot_tell', metric: null, message }],
  }
}

function merged(one: GateVerdict | null, other: GateVerdict | null): GateVerdict | null {
  if (one === null || other === null) return one ?? other
  const worse = one.outcome === 'fail' ? one : other
  return { ...worse, reasons: [...one.reasons, ...other.reasons] }
}

/** How an evaluation ends the command, and why. */
export interface Ending {
  exitCode: number
  /** One line for people. */
  verdict: string
}

interface Over {
  judged: Judged
  result: EvaluationResult
  /** Whether Ctrl-C ended it. */
  interrupted: boolean
  allowFailed: number
}

/**
 * The verdict. Nothing that was not tested is green: 2 where it could not be evaluated or is not stored, 1 where the gate or more
 * items than may have failed, 3 where scores or items are missing, and only else 0.
 */
export function endingOf({ judged: { run, gate }, result, interrupted, allowFailed }: Over): Ending {
  const { completed_items: done, successful_items: successful, total_items: total } = run
  const failed = done - successful
  const items =
    total === null || total === done
      ? `${count(done)} ${done === 1 ? 'item' : 'items'}`
      : `${count(done)} of ${count(total)} items`
  const ended = (exitCode: number, words: string): Ending => ({
    exitCode,
    verdict: `${words} ${items}, ${percent(run.success_rate)} without an error${meansOf(run)}.`,
  })
  const { refused } = result.delivery
  if (interrupted) return ended(exitCodes.interrupted, 'Interrupted:')
  if (refused > 0)
    return ended(exitCodes.impossible, `Not stored: the server refused ${count(refused)} of what it was told;`)
  if (run.status === 'failed')
    return ended(
      exitCodes.impossible,
      `Could not be evaluated (${oneLine(run.error?.message ?? 'no reason was given')}):`,
    )
  if (done === 0) return { exitCode: exitCodes.impossible, verdict: 'Could not be evaluated: there was no case.' }
  if (gate?.outcome === 'fail') return ended(exitCodes.failed, 'Failed the gate:')
  if (failed > allowFailed)
    return ended(exitCodes.failed, `Failed: ${count(failed)} ${failed === 1 ? 'item' : 'items'} without an answer;`)
  const missing = missingOf(run)
  if (missing !== null) return ended(exitCodes.untold, `Cannot be told, ${missing}:`)
  if (gate?.outcome === 'cannot_tell') return ended(exitCodes.untold, 'The gate cannot tell:')
  return ended(exitCodes.ok, gate === null ? 'Completed:' : 'Passed the gate:')
}

function missingOf(run: ToldRun): string | null {
  if (run.status !== 'completed') return `the run is ${run.status}`
  if (run.stopped_by !== null && run.stopped_by !== 'decided')
    return `the run ended early (${run.stopped_by.replaceAll('_', ' ')})`
  for (const [name, { n, passed, failed, errored }] of Object.entries(run.metrics)) {
    if (errored > 0) return `${oneLine(name)} could not score ${count(errored)} ${errored === 1 ? 'item' : 'items'}`
    if (n + passed + failed === 0) return `${oneLine(name)} scored nothing`
  }
  return null
}

const toldMeans = 3

function meansOf({ metrics }: ToldRun): string {
  const means = Object.entries(metrics).flatMap(([name, { mean }]) =>
    mean === null ? [] : [`${oneLine(name)} ${figure(mean)}`],
  )
  const more = means.length > toldMeans ? `, and ${means.length - toldMeans} more` : ''
  return means.length === 0 ? '' : `; ${means.slice(0, toldMeans).join(', ')}${more}`
}
