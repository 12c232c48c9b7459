import type { EvaluationUsage } from '@llm-eval/protocol'
import { NoScore } from '../evaluator.ts'
import { CallFailed } from './retry.ts'
import { summed } from './usage.ts'

/** An answer that is of no use was paid all the same. */
export function withUsage(error: unknown, usages: EvaluationUsage[]): unknown {
  const usage = summed(usages)
  if (!usage) return error
  if (error instanceof NoScore) return new NoScore(error.fault, error.message, usage)
  return error instanceof CallFailed ? new NoScore(error.fault.fault, error.message, usage) : error
}
