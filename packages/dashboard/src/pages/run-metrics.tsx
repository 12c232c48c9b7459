import type { Interval, Run, RunMetricSummary } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { RefreshCw } from 'lucide-react'
import { runQueries } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Distribution } from '../components/distribution.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { formatScore } from '../components/score-badge.tsx'
import { type Estimate, Whisker, WhiskerAxis } from '../components/whisker.tsx'
import { formatCount, unknown } from '../format/numbers.ts'
import { type Domain, domainOf } from '../format/scale.ts'
import { formatShare } from '../format/shares.ts'
import { EvaluatorName } from './run-evaluator.tsx'
import { useFreshAtEnd } from './run-fresh.ts'
import { isOver, meanOf } from './run-numbers.ts'

/** Between two readings while the run goes on, and how much longer for each item: many take the server a moment. Milliseconds. */
const againMs = 5_000
const againMsOfItem = 0.15

/** Each metric of a run, summed up over all of its items. */
export function RunMetrics({ run }: { run: Run }) {
  const { api } = useParts()
  const over = isOver(run.status)
  const options = runQueries(api).metrics(run.run_id)
  const { data, error, refetch, isFetching } = useQuery({
    ...options,
    refetchInterval: over ? false : againMs + run.completed_items * againMsOfItem,
  })
  useFreshAtEnd(run, options.queryKey)
  if (error && !data) return <Trouble what="The metrics cannot be shown" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading what="the metrics" />
  if (data.items.length === 0) return <Notice title="No metrics">This run is scored by nobody.</Notice>
  return (
    <div className="flex flex-col gap-6">
      {!over && (
        <p className="flex flex-wrap items-center gap-3 text-sm text-ink-2">
          Over what is finished so far; read again now and then.
          <Button disabled={isFetching} onClick={() => void refetch()}>
            <RefreshCw aria-hidden size={14} className={isFetching ? 'animate-spin' : ''} />
            Read now
          </Button>
        </p>
      )}
      <Means run={run} metrics={data.items} />
      <ul aria-label="Metrics one by one" className="grid grid-cols-1 gap-4 lg:grid-cols-2 3xl:grid-cols-3">
        {data.items.map((metric) => (
          <MetricPart key={metric.name} run={run} metric={metric} />
        ))}
      </ul>
    </div>
  )
}

const isShare = ({ min, max }: RunMetricSummary): boolean => (min ?? 0) >= 0 && (max ?? 1) <= 1

/** All means under each other. Those between 0 and 1 share an axis; each of the others has its own. */
function Means({ run, metrics }: { run: Run; metrics: readonly RunMetricSummary[] }) {
  const shares = metrics.filter(isShare)
  const others = metrics.filter((metric) => !isShare(metric))
  const head = 'px-4 py-2 text-left text-xs font-medium text-ink-3'
  return (
    // What is read aloud only must stay within what scrolls.
    <div className="card relative overflow-x-auto">
      <table aria-label="Means with their intervals" className="w-full min-w-180 border-collapse">
        <thead>
          <tr className="border-b">
            <th scope="col" className={`${head} w-52`}>
              Metric
            </th>
            <th scope="col" className={`${head} w-24 text-right`}>
              Mean
            </th>
            <th scope="col" className={`${head} w-40`}>
              Interval (95 %)
            </th>
            <th scope="col" className={head}>
              <span className="sr-only">Drawn</span>
              {shares.length > 0 && <WhiskerAxis domain={[0, 1]} format={formatScore} />}
            </th>
            <th scope="col" className={`${head} w-28 text-right`}>
              Pass rate
            </th>
            <th scope="col" className={`${head} w-48`}>
              Coverage
            </th>
          </tr>
        </thead>
        <tbody>
          {shares.map((metric) => (
            <MeanRow key={metric.name} metric={metric} mean={meanOf(run, metric)} domain={[0, 1]} />
          ))}
          {others.map((metric) => (
            <MeanRow
              key={metric.name}
              metric={metric}
              mean={meanOf(run, metric)}
              domain={domainOfMetric(metric)}
              hasAxis
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function domainOfMetric({ mean, min, max }: RunMetricSummary): Domain {
  // Around what the mean may be, and not around all values: one that lies far off would make a dot of the whiskers.
  return domainOf(mean ? [mean.low, mean.high] : [min ?? 0, max ?? 1])
}

interface MeanRowProps {
  metric: RunMetricSummary
  mean: Estimate | null
  domain: Domain
  hasAxis?: true
}

function MeanRow({ metric, mean, domain, hasAxis }: MeanRowProps) {
  const { name, pass_rate: passRate } = metric
  const cell = 'px-4 py-1.5'
  return (
    <tr className="border-b border-line/60 last:border-0 hover:bg-hover">
      <th scope="row" className={`${cell} text-left font-medium`}>
        <span className="foreign line-clamp-2" title={name}>
          {name}
        </span>
      </th>
      <td className={`${cell} text-right font-semibold`}>{mean === null ? unknown : formatScore(mean.estimate)}</td>
      <td className={`${cell} text-sm whitespace-nowrap text-ink-2`}>{rangeOf(mean)}</td>
      <td className={cell}>
        <Whisker of={mean} domain={domain} />
        {hasAxis && <WhiskerAxis domain={domain} format={formatScore} />}
      </td>
      <td className={`${cell} text-right`}>{passRate === null ? unknown : formatShare(passRate.estimate)}</td>
      <td className={`${cell} text-sm`}>
        <CoverageBar metric={metric} />
      </td>
    </tr>
  )
}

function rangeOf(mean: Estimate | null): string {
  if (mean === null) return unknown
  const { interval } = mean
  return interval === null ? 'too few for one' : `${formatScore(interval.low)} to ${formatScore(interval.high)}`
}

function sharesOf(interval: Interval | null): string {
  if (interval === null) return unknown
  return interval.n < 2 ? 'too few for one' : `${formatShare(interval.low)} to ${formatShare(interval.high)}`
}

/** Of how many items the numbers are: scored, skipped, errored. */
function CoverageBar({ metric: { scored, skipped, errored } }: { metric: RunMetricSummary }) {
  const all = scored + skipped + errored
  const width = (count: number): string => `${all === 0 ? 0 : (100 * count) / all}%`
  return (
    <>
      <span aria-hidden className="flex h-1.5 overflow-hidden rounded-full bg-sunken inset-ring inset-ring-line">
        <span className="bg-plot-good" style={{ width: width(scored) }} />
        <span className="bg-ink-3/50" style={{ width: width(skipped) }} />
        <span className="bg-plot-2" style={{ width: width(errored) }} />
      </span>
      <span className="mt-0.5 block text-xs text-ink-3">
        {formatCount(scored)} scored
        {skipped > 0 && `, ${formatCount(skipped)} skipped`}
        {errored > 0 && <span className="text-wait">, {formatCount(errored)} errored</span>}
      </span>
    </>
  )
}

const percentileNames = { p5: '5 %', p25: '25 %', p50: 'Median', p75: '75 %', p95: '95 %' } as const

/** One metric: how its values are spread. */
function MetricPart({ run, metric }: { run: Run; metric: RunMetricSummary }) {
  const { name, evaluator, evaluator_version: version, direction, pass_rate: passRate, percentiles } = metric
  const mean = meanOf(run, metric)
  const search = { tab: 'items', metric: name } as const
  const low = lowBound(metric)
  return (
    <li className="card flex min-w-0 flex-col gap-3 p-4">
      <div className="flex flex-wrap items-baseline gap-x-3">
        <h3 className="foreign min-w-0 clip text-lg font-semibold" title={name}>
          {name}
        </h3>
        <p className="foreign min-w-0 clip text-xs text-ink-3">
          <EvaluatorName slug={evaluator} />
          {version === null ? ', under no version' : `, version ${version.slice(0, 8)}`}
          {direction !== null && `, ${direction} is better`}
        </p>
      </div>
      {metric.scored === 0 ? (
        <p className="py-6 text-center text-ink-2">
          {metric.skipped + metric.errored === 0 ? 'Nothing is scored yet.' : 'No item could be scored.'}
        </p>
      ) : (
        <>
          <Distribution
            cells={metric.distribution}
            name={name}
            format={formatScore}
            height={84}
            mark={mean?.estimate ?? undefined}
          />
          <dl className="grid grid-cols-3 gap-x-4 gap-y-1.5 text-sm sm:grid-cols-5">
            {Object.entries(percentileNames).map(([key, label]) => (
              <Value key={key} name={label}>
                {percentiles === null ? null : percentiles[key as keyof typeof percentileNames]}
              </Value>
            ))}
            <Value name="Mean">{mean?.estimate ?? null}</Value>
            <Value name="SD">{metric.standard_deviation}</Value>
            <Value name="Min">{metric.min}</Value>
            <Value name="Max">{metric.max}</Value>
            <div className="min-w-0">
              <dt className="text-xs text-ink-3">Passed</dt>
              <dd className="font-medium" title={sharesOf(passRate)}>
                {passRate === null ? unknown : formatShare(passRate.estimate)}
              </dd>
            </div>
          </dl>
        </>
      )}
      <p className="mt-auto flex flex-wrap gap-x-4 gap-y-1 text-sm">
        {low !== null && (
          <Link
            to="/runs/$runId"
            params={{ runId: run.run_id }}
            search={{ ...search, below: plain(low) }}
            className="font-medium text-accent hover:underline"
          >
            Lowest scores
          </Link>
        )}
        {metric.errored > 0 && (
          <Link
            to="/runs/$runId"
            params={{ runId: run.run_id }}
            search={{ tab: 'items', errored: name }}
            className="font-medium text-accent hover:underline"
          >
            {formatCount(metric.errored)} errored
          </Link>
        )}
      </p>
    </li>
  )
}

/** Below it are about the lowest quarter of the values, or more where many are the same; null where all are. */
function lowBound({ min, max, mean, percentiles }: RunMetricSummary): number | null {
  if (min === null || min === max) return null
  return [percentiles?.p25, percentiles?.p50, mean?.estimate, max].find((value) => value != null && value > min) ?? null
}

/** A number as filters of items take it. */
function plain(value: number): string {
  return value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 12 })
}

function Value({ name, children }: { name: string; children: number | null }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{name}</dt>
      <dd className="font-medium">{children === null ? unknown : formatScore(children)}</dd>
    </div>
  )
}
