import type { EvaluatorInfo, Score } from '@llm-eval/protocol'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Measurements of executions. */
export interface JudgeMeters {
  /** Executions that wait or run in this process. */
  inFlight: Gauge
  /** Counts one that ended. `kept` is false when its end was not stored, because it was cancelled or taken by another process. */
  told(info: Ended['info'], ended: Omit<Ended, 'info'>): void
}

interface Ended {
  info: Pick<EvaluatorInfo, 'slug' | 'kind' | 'source'>
  end: { status: string; score: Score | null }
  kept: boolean
}

/** Makes the measurements of executions. Evaluators of users' own share one label: there may be any number of them. */
export function createJudgeMeters(registry: Registry): JudgeMeters {
  const registers = [registry]
  const executions = new Counter({
    name: 'llm_eval_executions_total',
    help: 'Executions that ended, by evaluator and outcome.',
    labelNames: ['evaluator', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'llm_eval_execution_seconds',
    help: 'How long evaluators took for a score, by kind.',
    labelNames: ['kind'],
    buckets: [0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers,
  })
  const tokens = new Counter({
    name: 'llm_eval_judge_tokens_total',
    help: 'Tokens that judges used.',
    labelNames: ['direction'],
    registers,
  })
  const cost = new Counter({
    name: 'llm_eval_judge_cost_dollars_total',
    help: 'What judges cost, as far as it is known.',
    registers,
  })
  const unknown = new Counter({
    name: 'llm_eval_judge_unknown_costs_total',
    help: 'Answers of judges whose cost nobody knows.',
    registers,
  })
  return {
    inFlight: new Gauge({
      name: 'llm_eval_executions_in_flight',
      help: 'Executions that wait or run in this process.',
      registers,
    }),
    told({ slug, kind, source }, { end, kept }) {
      const outcome = kept ? (end.score?.outcome ?? end.status) : 'lost'
      executions.inc({ evaluator: source === 'builtin' ? slug : 'custom', outcome })
      if (end.score === null) return
      seconds.observe({ kind }, end.score.duration_ms / 1_000)
      const { usage } = end.score
      if (usage === null || usage.cached) return
      tokens.inc({ direction: 'input' }, usage.input_tokens ?? 0)
      tokens.inc({ direction: 'output' }, usage.output_tokens ?? 0)
      if (usage.cost === null) unknown.inc()
      else cost.inc(usage.cost)
    },
  }
}
