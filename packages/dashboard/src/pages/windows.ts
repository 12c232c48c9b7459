import type { Series, SeriesPoint } from '@llm-eval/protocol'
import { type Range, ranges } from '../api/filters.ts'

/** Length of a step for each window, in seconds: a plot gets 15 to 168 of them. */
export const steps: Record<Range, number> = { '15m': 60, '1h': 60, '6h': 300, '24h': 900, '7d': 3_600 }

/** A series with a point for every step, so that silence is drawn as silence. */
export interface Grid {
  /** Seconds since 1970. */
  times: number[]
  points: (SeriesPoint | null)[]
}

/** Lays the points of an answer on the steps of its window. */
export function toGrid({ from, to, step_seconds: step, points }: Series): Grid {
  const byTime = new Map(points.map((point) => [Math.floor(Date.parse(point.at) / 1000 / step) * step, point]))
  const times: number[] = []
  const end = Math.floor(Date.parse(to) / 1000)
  for (let at = Math.ceil(Math.floor(Date.parse(from) / 1000) / step) * step; at < end; at += step) times.push(at)
  return { times, points: times.map((at) => byTime.get(at) ?? null) }
}

/** Sums over a window. Null is unknown: nothing was measured, or nothing decided. */
export interface Totals {
  traces: number
  perSecond: number
  cost: number | null
  costCount: number
  decided: number
  /** Percent. */
  acceptance: number | null
  latencyCount: number
}

export function totals(grid: Grid, window: Range): Totals {
  const sum = (pick: (point: SeriesPoint) => number): number =>
    grid.points.reduce((total, point) => total + (point ? pick(point) : 0), 0)
  const traces = sum((point) => point.traces)
  const accepted = sum((point) => point.accepted)
  const decided = accepted + sum((point) => point.rejected)
  const costCount = sum((point) => point.cost_count)
  return {
    traces,
    perSecond: traces / ranges[window],
    cost: costCount > 0 ? sum((point) => point.cost) : null,
    costCount,
    decided,
    acceptance: decided > 0 ? (100 * accepted) / decided : null,
    latencyCount: sum((point) => point.latency_count),
  }
}

/** The last step in which something was measured. */
export function lastMeasured(points: readonly (SeriesPoint | null)[]): SeriesPoint | null {
  return points.findLast((point) => point !== null && point.latency_p50 !== null) ?? null
}

/** The known cost of a step. */
export function costOf(point: SeriesPoint | null): number | null {
  return point && point.cost_count > 0 ? point.cost : null
}

/** Percent accepted of what was decided among the traces of a step. */
export function acceptanceOf(point: SeriesPoint | null): number | null {
  const decided = point ? point.accepted + point.rejected : 0
  return point && decided > 0 ? (100 * point.accepted) / decided : null
}
