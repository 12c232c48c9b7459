import { type Run, type RunMetricSummary, type RunProgress, type RunStatus, type RunStop } from '@llm-eval/protocol'
import type { Estimate } from '../components/whisker.tsx'

/** Whether a run is over; it may be resumed. */
export function isOver(status: RunStatus): boolean {
  return status !== 'queued' && status !== 'running'
}

/** Whether it can be called off: also one whose worker was not heard of again, which goes on when it is. */
export function isCancellable(status: RunStatus): boolean {
  return !isOver(status) || status === 'abandoned'
}

/** Whether it is over and anything of it is missing. */
export function isResumable({ status, stopped_by: stop, completed_items: done, total_items: total }: Run): boolean {
  return isOver(status) && (status !== 'completed' || stop !== null || (total !== null && done < total))
}

/** The numbers to show: what the socket tells of a run that goes on, and what was read of one that is over. */
export function numbersOf(run: Run, told: RunProgress | null): RunProgress {
  return told === null || isOver(run.status) || told.completed_items < run.completed_items ? run : told
}

/** Why a run ended before every item was finished. */
export const stopWords: Record<RunStop, string> = {
  cost_limit: 'It reached its limit in cost.',
  time_limit: 'It reached its limit in time.',
  decided: 'It was certain on which side of the threshold the mean is.',
  cancelled: 'Somebody cancelled it.',
}

/** Errors of tasks and of evaluators, as far as they are counted. */
export function errorCount({ completed_items, successful_items, metrics }: RunProgress): number {
  const failed = completed_items - successful_items
  return Object.values(metrics).reduce((sum, { errored }) => sum + errored, failed)
}

/** The mean of a metric that is summed up: of a single value, or of a single case, it is known and its interval is not. */
export function meanOf({ metrics }: Pick<Run, 'metrics'>, { name, mean }: RunMetricSummary): Estimate | null {
  if (mean !== null) return { estimate: mean.estimate, interval: mean.n < 2 ? null : mean }
  // Metrics may be called like members of every object.
  const running = Object.hasOwn(metrics, name) ? metrics[name] : undefined
  return running?.mean == null ? null : { estimate: running.mean, interval: null }
}
