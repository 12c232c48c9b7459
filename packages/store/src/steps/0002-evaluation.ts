import type { Dialect } from '../migrations.ts'

/** Tables of evaluators, executions, scores, rules and calibrations. */
export function evaluationStep(_dialect: Dialect): string[] {
  return []
}
