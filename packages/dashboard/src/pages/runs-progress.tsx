import type { Run, RunMetric, RunningMetric } from '@llm-eval/protocol'
import { useWatchedRun } from '../app/watching.ts'
import { formatScore } from '../components/score-badge.tsx'
import { useNow } from '../components/time.tsx'
import { formatCount, unknown } from '../format/numbers.ts'
import { formatUntil } from '../format/times.ts'
import { perSecond, remainingMs } from '../stream/pace.ts'
import { isOver } from './run-numbers.ts'

/** A run as it stands at this moment. */
export interface RunNow {
  run: Run
  /** How long it was worked on by now; null while nobody has. */
  workedMs: number | null
  /** Until it is through; null: nobody knows. */
  leftMs: number | null
}

/** The run with the numbers that come by the socket while it goes on. `readAt` is when it was read. */
export function useRunNow(run: Run, readAt: number): RunNow {
  const { progress, pace } = useWatchedRun(isOver(run.status) ? null : run.run_id, 'numbers')
  const now = useNow()
  if (isOver(run.status)) return { run, workedMs: run.duration_ms, leftMs: null }
  const { status: _, ...numbers } = progress ?? { status: null }
  const latest = { ...run, ...numbers }
  const workedMs =
    run.status === 'running' && run.duration_ms !== null ? run.duration_ms + Math.max(0, now - readAt) : run.duration_ms
  const leftMs =
    run.status === 'running' ? remainingMs({ ...latest, duration_ms: workedMs }, perSecond(pace, now)) : null
  return { run: latest, workedMs, leftMs }
}

const stops = {
  cost_limit: 'stopped at its limit of cost',
  time_limit: 'stopped at its limit of time',
  decided: 'ended early: decided',
  cancelled: 'cancelled',
} as const

/** What is to be said beside the count of items. */
function sideWords({ run, leftMs }: RunNow, now: number): string {
  if (run.status === 'queued') return run.task.kind === 'client' ? 'waits for its events' : 'waits for its turn'
  if (run.status === 'running') return leftMs === null ? 'time left unknown' : `${formatUntil(now + leftMs, now)} left`
  if (run.error !== null) return run.error.message
  return run.stopped_by === null || run.status === 'cancelled' ? '' : stops[run.stopped_by]
}

/** How far a run is: a bar, the count of its items, and when it will be through. */
export function RunBar({ of }: { of: RunNow }) {
  const now = useNow()
  const { run } = of
  const { completed_items: done, successful_items: good, total_items: total } = run
  const side = sideWords(of, now)
  const share = (count: number): string => `${total === null || total === 0 ? 0 : (100 * count) / total}%`
  const isWrong = isOver(run.status) && run.error !== null
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <div
        role="progressbar"
        aria-label={`Progress of ${run.name}`}
        aria-valuemin={0}
        {...(total === null ? {} : { 'aria-valuemax': total, 'aria-valuenow': done })}
        aria-valuetext={`${formatCount(done)} of ${total === null ? 'an unknown number of' : formatCount(total)} items`}
        className="flex h-1.5 overflow-hidden rounded-full bg-line"
      >
        <span
          className={`transition-[width] duration-200 ${isOver(run.status) ? 'bg-good-solid/70' : 'bg-accent-solid'}`}
          style={{ width: share(good) }}
        />
        <span className="bg-bad-solid transition-[width] duration-200" style={{ width: share(done - good) }} />
      </div>
      <p className="flex gap-2 text-xs text-ink-2">
        <span className="shrink-0">
          {formatCount(done)}
          {done !== total && <span className="text-ink-3"> of {formatCount(total)}</span>}
        </span>
        {side !== '' && (
          <span title={side} className={`foreign clip min-w-0 ${isWrong ? 'text-bad' : 'text-ink-3'}`}>
            {side}
          </span>
        )}
      </p>
    </div>
  )
}

/** How many metrics have a line in a list. */
const shownMetrics = 2

/** The first metrics of a run: mean with its interval. */
export function FirstMetrics({ run }: { run: Run }) {
  const { metrics, metrics_used: used } = run
  const more = used.length - shownMetrics
  return (
    <ul aria-label={`Metrics of ${run.name}`} className="flex min-w-0 flex-col gap-0.5 text-xs">
      {used.slice(0, shownMetrics).map(({ name }, at) => (
        <li key={name} className="flex min-w-0 items-baseline gap-1.5">
          <span className="foreign clip min-w-0 text-ink-3" title={name}>
            {name}
          </span>
          <MeanText metric={Object.hasOwn(metrics, name) ? metrics[name] : undefined} />
          {more > 0 && at === shownMetrics - 1 && (
            <span className="shrink-0 text-ink-3" title={namesOf(used.slice(shownMetrics))}>
              +{more}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

const namesOf = (metrics: readonly RunMetric[]): string => metrics.map(({ name }) => name).join(', ')

/** A mean and its interval; what is not known is a dash. */
function MeanText({ metric }: { metric: RunningMetric | undefined }) {
  if (!metric || metric.mean === null) return <span className="text-ink-3">{unknown}</span>
  const { mean, ci, n } = metric
  return (
    <span className="shrink-0 whitespace-nowrap" title={`over ${formatCount(n)} scored items; interval at 95 %`}>
      <span className="font-medium text-ink">{formatScore(mean)}</span>{' '}
      {ci && (
        <span className="text-ink-3">
          {formatScore(ci[0])}–{formatScore(ci[1])}
        </span>
      )}
    </span>
  )
}
