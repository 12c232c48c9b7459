import type { Series, SeriesPoint } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import { type Range, ranges } from '../api/filters.ts'
import { useParts } from '../app/parts.ts'
import { Trouble } from '../components/notice.tsx'
import { Plot, type PlotProps, type PlotSeries } from '../components/plot.tsx'
import {
  formatCost,
  formatCount,
  formatLatency,
  formatPercent,
  formatRate,
  formatShort,
  formatTraces,
} from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'
import { acceptanceOf, costOf, type Grid, lastMeasured, steps, toGrid, type Totals, totals } from './windows.ts'

/** Throughput, latency, cost and acceptance over a window. */
export function LivePlots({ window, model }: { window: Range; model: string | undefined }) {
  const { queries } = useParts()
  const request = { seconds: ranges[window], stepSeconds: steps[window], model }
  const { data, error, refetch } = useQuery(queries.series(request))
  if (error && !data) return <Trouble what="The plots cannot be shown" error={error} onRetry={() => void refetch()} />
  return <Cards series={data} window={window} />
}

function Cards({ series, window }: { series: Series | undefined; window: Range }) {
  const stepSeconds = series?.step_seconds ?? 60
  const grid = useMemo<Grid>(() => (series ? toGrid(series) : { times: [], points: [] }), [series])
  const plots = useMemo(() => makePlots(grid, stepSeconds), [grid, stepSeconds])
  const [index, setIndex] = useState<number | null>(null)
  const shared = { times: grid.times, stepSeconds, group: 'live', onPoint: setIndex }
  const sums = totals(grid, window)
  const at = index === null ? undefined : grid.times[index]
  const read = at === undefined ? readTotals(sums, grid) : readPoint(grid.points[index ?? 0] ?? null)

  return (
    <div className="grid flex-1 gap-3 sm:grid-cols-2 xl:grid-cols-4 3xl:grid-cols-2 3xl:grid-rows-2">
      <Card title="Throughput" at={at} value={read.throughput} beside={formatTraces(sums.traces)}>
        <Plot {...shared} {...plots.throughput} />
      </Card>
      <Card title="Latency" at={at} value={read.latency} beside={over(sums.latencyCount, sums.traces)}>
        <Plot {...shared} {...plots.latency} />
      </Card>
      <Card title="Cost" at={at} value={read.cost} beside={over(sums.costCount, sums.traces)}>
        <Plot {...shared} {...plots.cost} />
      </Card>
      <Card
        title="Acceptance rate"
        at={at}
        value={read.acceptance}
        beside={sums.decided === 0 ? 'none decided' : `of ${formatCount(sums.decided)} decided`}
      >
        <Plot {...shared} {...plots.acceptance} />
      </Card>
    </div>
  )
}

type Name = 'throughput' | 'latency' | 'cost' | 'acceptance'

/** The whole window in numbers; of the percentiles, which do not add up, the last step that has any. */
function readTotals(sums: Totals, { points }: Grid): Record<Name, ReactNode> {
  return {
    throughput: formatRate(sums.perSecond),
    latency: <Percentiles of={lastMeasured(points)} />,
    cost: formatCost(sums.cost),
    acceptance: formatPercent(sums.acceptance),
  }
}

/** One step in numbers. */
function readPoint(point: SeriesPoint | null): Record<Name, ReactNode> {
  return {
    throughput: formatTraces(point?.traces ?? 0),
    latency: <Percentiles of={point} />,
    cost: formatCost(costOf(point)),
    acceptance: formatPercent(acceptanceOf(point)),
  }
}

/** Over how many traces a number goes. */
function over(count: number, traces: number): string {
  if (count === 0) return 'nothing known'
  return count === traces ? `over ${formatTraces(count)}` : `over ${formatCount(count)} of ${formatTraces(traces)}`
}

function makePlots({ points }: Grid, stepSeconds: number): Record<Name, Pick<PlotProps, 'series' | 'format' | 'top'>> {
  const make =
    (kind: PlotSeries['kind']) =>
    (label: string, color: string, value: (point: SeriesPoint | null) => number | null): PlotSeries => ({
      label,
      color,
      kind,
      values: points.map(value),
    })
  const line = make('line')
  const bars = make('bars')
  return {
    throughput: {
      series: [bars('traces per minute', 'plot-1', (point) => ((point?.traces ?? 0) * 60) / stepSeconds)],
      format: (value) => `${formatShort(value)}/min`,
    },
    latency: {
      series: [
        line('p99', 'plot-3', (point) => point?.latency_p99 ?? null),
        line('p95', 'plot-2', (point) => point?.latency_p95 ?? null),
        line('p50', 'plot-1', (point) => point?.latency_p50 ?? null),
      ],
      format: formatLatency,
    },
    cost: { series: [bars('cost', 'plot-1', costOf)], format: formatCost },
    acceptance: {
      series: [line('accepted', 'plot-good', acceptanceOf)],
      format: (value) => `${value} %`,
      top: 100,
    },
  }
}

interface CardProps {
  title: string
  value: ReactNode
  /** What the value goes over; while a step is pointed at, its time stands there. */
  beside: string
  at: number | undefined
  children: ReactNode
}

function Card({ title, value, beside, at, children }: CardProps) {
  return (
    <section aria-label={title} className="card flex min-w-0 flex-col p-4 pb-2">
      <div className="flex items-baseline gap-2">
        <h3 className="text-sm font-medium whitespace-nowrap text-ink-2">{title}</h3>
        <span className="ml-auto clip text-xs text-ink-3">{at === undefined ? beside : formatTime(at * 1000)}</span>
      </div>
      <p className="h-7 overflow-hidden text-xl leading-7 font-semibold">{value}</p>
      {children}
    </section>
  )
}

const percentiles = [
  { name: 'p50', color: 'bg-plot-1', field: 'latency_p50' },
  { name: 'p95', color: 'bg-plot-2', field: 'latency_p95' },
  { name: 'p99', color: 'bg-plot-3', field: 'latency_p99' },
] as const

function Percentiles({ of: point }: { of: SeriesPoint | null }) {
  return (
    <span className="flex items-baseline gap-x-2">
      {percentiles.map(({ name, color, field }) => (
        <span key={name} className="inline-flex items-baseline gap-1 text-sm leading-7 whitespace-nowrap">
          <span aria-hidden className={`size-2 self-center rounded-full ${color}`} />
          <span className="text-xs font-normal text-ink-3">{name}</span>
          {formatLatency(point?.[field] ?? null)}
        </span>
      ))}
    </span>
  )
}
