// What agents are scored with, without judges and runs: a command that asks one is not to wait for those.
export {
  type AdkMeasure,
  adkMeasures,
  type AdkScores,
  compareInvocations,
  type InvocationComparison,
  type InvocationDone,
} from './adk/compare-invocations.ts'
export { meanTokenUsage, tokenUsage, type TokenUsageDetails } from './adk/token-usage.ts'
export { baselineOf } from './agent/baseline.ts'
export { caseResult } from './agent/case-result.ts'
export { checkCase, checkDefaults, type CheckThresholds } from './agent/check.ts'
export { failOnAlways, release } from './agent/release.ts'
export { isWaived, scoreAttempt } from './agent/score-attempt.ts'
export { createEngine } from './create-engine.ts'
export type { Engine } from './engine.ts'
export { providersFromEnvironment } from './models/providers.ts'
