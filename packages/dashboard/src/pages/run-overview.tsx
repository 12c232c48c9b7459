import { type Run, type RunMetric, type RunningMetric, type RunProgress } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { runItemQueries } from '../api/run-items.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRun } from '../app/watching.ts'
import { Notice } from '../components/notice.tsx'
import { formatScore } from '../components/score-badge.tsx'
import { Whisker, WhiskerAxis } from '../components/whisker.tsx'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'
import { domainOf } from '../format/scale.ts'
import { formatShare } from '../format/shares.ts'
import type { RunNews } from '../stream/run-frames.ts'
import { ErrorGroups } from './run-errors.tsx'
import { errorCount, isOver, numbersOf, stopWords } from './run-numbers.ts'

/** A run at a glance: its numbers, each metric, what comes in, and why it ended. */
export function RunOverview({ run }: { run: Run }) {
  const { progress, recent } = useWatchedRun(run.run_id, 'items')
  const numbers = numbersOf(run, progress)
  return (
    <div className="flex flex-col gap-6">
      <Ending run={run} />
      {numbers.completed_items === 0 && isOver(run.status) ? (
        <Notice title={run.status === 'completed' ? 'There was nothing to do' : 'No item was finished'}>
          {run.status === 'completed' ? 'The dataset has no cases in this version.' : 'So there is nothing to show.'}
        </Notice>
      ) : (
        <>
          <Numbers numbers={numbers} />
          <section aria-label="Metrics">
            <h2 className="mb-3 text-lg font-semibold">Metrics</h2>
            <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-3 3xl:grid-cols-4">
              {run.metrics_used.map((metric) => (
                <MetricCard key={metric.name} metric={metric} numbers={numbers} />
              ))}
            </ul>
          </section>
          {!isOver(run.status) && <Tail run={run} recent={recent} />}
          {isOver(run.status) && errorCount(numbers) > 0 && <TopErrors run={run} />}
        </>
      )}
    </div>
  )
}

/** Why a run ended otherwise than by its last item. */
function Ending({ run }: { run: Run }) {
  const { status, stopped_by: stop, error } = run
  if (status === 'failed')
    return (
      <p role="alert" className="rounded-lg bg-bad-soft px-3.5 py-2.5 text-bad">
        <span className="font-medium">The run failed.</span>{' '}
        <span className="foreign">{error === null ? 'Nobody knows why.' : error.message}</span>
        {error !== null && <code className="foreign ml-2 font-mono text-xs">{error.code}</code>}
      </p>
    )
  if (status === 'abandoned')
    return (
      <p role="status" className="rounded-lg bg-wait-soft px-3.5 py-2.5 text-wait">
        <span className="font-medium">Its worker was not heard of again.</span> What it finished is here; the run goes
        on when the worker comes back, or is resumed.
      </p>
    )
  const why = stop === null ? (status === 'cancelled' ? stopWords.cancelled : null) : stopWords[stop]
  if (why === null) return null
  return (
    <p role="status" className="rounded-lg bg-wait-soft px-3.5 py-2.5 text-wait">
      <span className="font-medium">It ended before every item was finished.</span> {why} What is here is a valid
      partial result.
    </p>
  )
}

function Numbers({ numbers }: { numbers: RunProgress }) {
  const { total_items: total, completed_items: done, successful_items: good, cost, unknown_costs: unpriced } = numbers
  const errored = errorCount(numbers) - (done - good)
  const priced = done - unpriced
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure name="Finished" says={`of ${total === null ? 'an unknown number of' : formatCount(total)} items`}>
        {formatCount(done)}
      </Figure>
      <Figure
        name="Failed tasks"
        says={done === 0 ? 'of none so far' : `${formatShare((done - good) / done)} of the finished`}
      >
        {formatCount(done - good)}
      </Figure>
      <Figure name="Failed evaluations" says="no score, and never counted as 0">
        {formatCount(errored)}
      </Figure>
      <Figure
        name="Cost of an item"
        says={
          unpriced === 0 ? 'its task and its judges' : `known of ${formatCount(priced)} of ${formatCount(done)} items`
        }
      >
        {/* What a part of an item cost may be known where the whole is not: then there is no mean. */}
        {priced > 0 && unpriced === 0 ? formatCost(cost / priced) : unknown}
      </Figure>
    </dl>
  )
}

function Figure({ name, says, children }: { name: string; says: string; children: ReactNode }) {
  return (
    <div className="card px-4 py-3">
      <dt className="text-sm text-ink-2">{name}</dt>
      <dd className="mt-0.5 text-2xl font-semibold">{children}</dd>
      <dd className="text-xs text-ink-3">{says}</dd>
    </div>
  )
}

function MetricCard({ metric: { name, evaluator }, numbers }: { metric: RunMetric; numbers: RunProgress }) {
  // Metrics may be called like members of every object.
  const metric = Object.hasOwn(numbers.metrics, name) ? numbers.metrics[name] : undefined
  const { mean = null, ci = null } = metric ?? {}
  const interval = ci && { low: ci[0], high: ci[1] }
  const domain = domainOf(interval ? [interval.low, interval.high] : mean === null ? [] : [mean])
  return (
    <li className="card flex min-w-0 flex-col gap-1 px-4 py-3">
      <div className="flex items-baseline gap-2">
        <h3 className="foreign min-w-0 clip font-medium" title={name}>
          {name}
        </h3>
        {evaluator !== name && <span className="foreign min-w-0 clip text-xs text-ink-3">{evaluator}</span>}
      </div>
      <p className="flex items-baseline gap-2.5">
        <span className="text-2xl font-semibold">{mean === null ? unknown : formatScore(mean)}</span>
        <span className="text-sm text-ink-3">
          {mean === null
            ? 'nothing is scored yet'
            : interval
              ? `${formatScore(interval.low)} to ${formatScore(interval.high)} (95 %)`
              : 'too few for an interval'}
        </span>
      </p>
      <div className="mt-1">
        <Whisker of={mean === null ? null : { estimate: mean, interval }} domain={domain} />
        <WhiskerAxis domain={domain} format={formatScore} />
      </div>
      <Coverage metric={metric} done={numbers.completed_items} />
    </li>
  )
}

/** Of how many items a mean is, and what is left out of it. */
function Coverage({ metric, done }: { metric: RunningMetric | undefined; done: number }) {
  const { n = 0, skipped = 0, errored = 0, passed = 0, failed = 0 } = metric ?? {}
  const missing = Math.max(0, done - n - skipped - errored)
  const verdicts = passed + failed
  const parts = [
    `${formatCount(n)} scored`,
    skipped > 0 ? `${formatCount(skipped)} skipped` : '',
    errored > 0 ? `${formatCount(errored)} errored` : '',
    missing > 0 ? `${formatCount(missing)} without a score` : '',
  ].filter((part) => part !== '')
  return (
    <p className="flex flex-wrap gap-x-3 text-xs text-ink-3">
      <span className={errored > 0 ? 'text-wait' : ''}>{parts.join(', ')}</span>
      {verdicts > 0 && <span>{formatShare(passed / verdicts)} passed</span>}
    </p>
  )
}

const tailRows = 12

/** The last results as they come. */
function Tail({ run, recent }: { run: Run; recent: readonly RunNews[] }) {
  const shown = recent.slice(-tailRows).reverse()
  return (
    <section aria-label="Newest results">
      <h2 className="mb-3 text-lg font-semibold">Newest results</h2>
      {shown.length === 0 ? (
        <p className="card px-4 py-8 text-center text-ink-2">
          {run.status === 'queued' ? 'It has not begun yet.' : 'They appear here as they come.'}
        </p>
      ) : (
        <ul className="card divide-y divide-line/70 overflow-hidden">
          {shown.map((news) => (
            <TailRow key={news.item_index} runId={run.run_id} news={news} />
          ))}
        </ul>
      )}
    </section>
  )
}

function TailRow({ runId, news }: { runId: string; news: RunNews }) {
  const { item_index: index, case_id: id, status, scores, output, error, message, execution_time: seconds } = news
  const says = status === 'failed' ? `${error ?? 'failed'}: ${message ?? ''}` : output
  return (
    <li className="relative flex h-10 items-center gap-3 px-4 hover:bg-hover">
      <Link
        to="/runs/$runId"
        params={{ runId }}
        search={{ tab: 'items', item: String(index) }}
        className="foreign cover w-28 shrink-0 clip font-medium outline-none focus-visible:underline"
        title={id}
      >
        {id}
      </Link>
      <span className={`foreign min-w-0 flex-1 clip text-sm ${status === 'failed' ? 'text-bad' : 'text-ink-2'}`}>
        {typeof says === 'string' ? says : says === null ? unknown : JSON.stringify(says)}
      </span>
      <span className="hidden shrink-0 gap-3 text-sm text-ink-2 md:flex">
        {Object.entries(scores)
          .slice(0, 4)
          .map(([name, value]) => (
            <span key={name} className="foreign">
              <span className="text-ink-3">{name}</span> {value === null ? unknown : formatScore(value)}
            </span>
          ))}
      </span>
      <span className="w-16 shrink-0 text-right text-xs text-ink-3">
        {formatLatency(seconds === null ? null : seconds * 1_000)}
      </span>
    </li>
  )
}

const groupsShown = 3

/** The most frequent errors; the others are on their own tab. */
function TopErrors({ run }: { run: Run }) {
  const { api } = useParts()
  const { data } = useQuery(runItemQueries(api).errors(run.run_id))
  if (!data || data.items.length === 0) return null
  return (
    <section aria-label="Most frequent errors">
      <div className="mb-3 flex items-baseline gap-3">
        <h2 className="text-lg font-semibold">Most frequent errors</h2>
        {data.items.length > groupsShown && (
          <Link
            to="/runs/$runId"
            params={{ runId: run.run_id }}
            search={{ tab: 'errors' }}
            className="text-accent hover:underline"
          >
            all {formatCount(data.items.length)} kinds
          </Link>
        )}
      </div>
      <ErrorGroups run={run} groups={data.items.slice(0, groupsShown)} />
    </section>
  )
}
