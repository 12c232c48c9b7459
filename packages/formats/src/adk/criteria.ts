import type { AdkCriterion } from '@llm-eval/protocol'
import { readEvalConfig } from './eval-config.ts'

/** What ADK measures without any configuration. */
export const defaultCriteria: readonly AdkCriterion[] = [
  { metric: 'tool_trajectory_avg_score', threshold: 1, match: 'EXACT', ignore_args: false, judged: false, fault: null },
  { metric: 'response_match_score', threshold: 0.8, match: 'EXACT', ignore_args: false, judged: false, fault: null },
]

/** What can be measured without a model. */
const measured = new Set(['tool_trajectory_avg_score', 'response_match_score', 'tool_parameter_match'])
/** What ADK reports of each evaluation, and lets nothing depend on. */
const informational = new Set([
  'tool_call_count_v1',
  'inference_call_count_v1',
  'token_usage_v1',
  'invocation_duration_v1',
])
/** What ADK asks a model, or Vertex AI, for. */
const judged = new Set([
  'response_evaluation_score',
  'final_response_match_v2',
  'rubric_based_final_response_quality_v1',
  'rubric_based_tool_use_quality_v1',
  'rubric_based_multi_turn_trajectory_quality_v1',
  'hallucinations_v1',
  'safety_v1',
  'per_turn_user_simulator_quality_v1',
  'multi_turn_task_success_v1',
  'multi_turn_trajectory_quality_v1',
  'multi_turn_tool_use_quality_v1',
])

/**
 * The criteria of a `test_config.json`, in either casing: a threshold, or an object with one. Those that cannot be measured here
 * are there with their reason.
 *
 * @param json any JSON; nothing throws
 */
export function readCriteria(json: unknown): { criteria: AdkCriterion[] } | { fault: string } {
  const read = readEvalConfig(json)
  if ('fault' in read) return read
  return {
    criteria: Object.entries(read.config.criteria).map(([metric, { threshold, matchType, ignoreArgs }]) => ({
      metric,
      threshold,
      match: matchType ?? 'EXACT',
      ignore_args: ignoreArgs ?? false,
      judged: judged.has(metric),
      fault: whyNot(metric),
    })),
  }
}

function whyNot(metric: string): string | null {
  if (measured.has(metric)) return null
  if (informational.has(metric)) return 'ADK reports it and takes no threshold for it'
  if (judged.has(metric)) return 'ADK asks a model for it, and that is not done here'
  return 'only the Python that defines it can measure it'
}
