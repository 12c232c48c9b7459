import type { Metrics } from '@llm-eval/protocol'
import { formatCompact, formatCost, formatCount, formatLatency, formatPercent, unknown } from '../format/numbers.ts'

/** One counter as it is shown. */
export interface Counter {
  name: string
  value: string
  /** What the value goes over. */
  beside: string
  tone?: string
}

/** In the order in which they are shown. */
export const counterNames = [
  'Traces',
  'Pending',
  'Accepted',
  'Rejected',
  'Acceptance rate',
  'Mean latency',
  'Total cost',
]

/** What the counters show. */
export function readCounters(metrics: Metrics): Counter[] {
  const { total_traces: total, decided_traces: decided } = metrics
  const over = (count: number): string =>
    count === 0
      ? 'none known'
      : `over ${count === total ? 'all' : `${formatCompact(count)} of ${formatCompact(total)}`} traces`
  return [
    { name: 'Traces', value: formatCount(total), beside: `${formatCount(metrics.today_traces)} today (UTC)` },
    {
      name: 'Pending',
      value: formatCount(metrics.pending_traces),
      beside:
        metrics.in_review_traces > 0 ? `${formatCount(metrics.in_review_traces)} in review` : 'wait for a verdict',
    },
    {
      name: 'Accepted',
      value: formatCount(metrics.accepted_traces),
      beside: 'by people',
      ...(metrics.accepted_traces > 0 ? { tone: 'text-good' } : {}),
    },
    {
      name: 'Rejected',
      value: formatCount(metrics.rejected_traces),
      beside: 'by people',
      ...(metrics.rejected_traces > 0 ? { tone: 'text-bad' } : {}),
    },
    {
      name: 'Acceptance rate',
      value: decided === 0 ? unknown : formatPercent(metrics.acceptance_rate),
      beside: decided === 0 ? 'none decided yet' : `of ${formatCount(decided)} decided`,
    },
    {
      name: 'Mean latency',
      value: formatLatency(metrics.avg_response_time),
      beside: over(metrics.response_time_count),
    },
    {
      name: 'Total cost',
      value: metrics.cost_count === 0 ? unknown : formatCost(metrics.total_cost),
      beside: over(metrics.cost_count),
    },
  ]
}
