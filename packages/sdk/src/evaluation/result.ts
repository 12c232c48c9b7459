import type { Run, RunItem, RunningMetric, RunProgress, RunStop } from '@llm-eval/protocol'
import type { Delivery } from './courier.ts'
import type { ChosenMetrics } from './metrics.ts'
import type { EvaluationResult, MetricResult } from './options.ts'

/** What a result is made of. */
export interface Outcome {
  runId: string
  runUrl: string | null
  ended: {
    status: 'completed' | 'cancelled' | 'failed'
    stopped_by: RunStop | null
    error: { code: string; message: string } | null
    progress: RunProgress
    duration_ms: number
  }
  /** The run as the server has it, where it has all of it. */
  stored: Run | null
  metrics: Pick<ChosenMetrics, 'wishes' | 'here'>
  delivery: Delivery
  warnings: string[]
  items: RunItem[] | null
}

/** The result: of what was seen here, and of the server's scores where the server has all items. */
export function resultOf({ ended, stored, metrics, ...rest }: Outcome): EvaluationResult {
  const { progress } = ended
  const here = new Set(metrics.here.map(({ name }) => name))
  const completed = progress.completed_items
  // The server knows what its judges cost.
  const costs = here.size < metrics.wishes.length && stored ? stored : progress
  return {
    runId: rest.runId,
    runUrl: rest.runUrl,
    status: ended.status,
    stoppedBy: ended.stopped_by,
    error: ended.error,
    totalItems: progress.total_items,
    completedItems: completed,
    successfulItems: progress.successful_items,
    successRate: progress.success_rate,
    cost: costs.cost,
    unknownCosts: costs.unknown_costs,
    metrics: Object.fromEntries(
      metrics.wishes.map(({ name }) => {
        const by = here.has(name) ? 'client' : 'server'
        const running = (by === 'client' ? progress : stored)?.metrics ?? {}
        return [name, metricOf(Object.hasOwn(running, name) ? running[name] : undefined, completed, by)]
      }),
    ),
    durationMs: ended.duration_ms,
    delivery: rest.delivery,
    warnings: rest.warnings,
    items: rest.items,
  }
}

const nothing: RunningMetric = { mean: null, ci: null, n: 0, skipped: 0, errored: 0, passed: 0, failed: 0 }

function metricOf(running: RunningMetric = nothing, completed: number, by: MetricResult['by']): MetricResult {
  return { ...running, coverage: completed === 0 ? null : running.n / completed, by }
}
