export {
  type AdkMeasure,
  adkMeasures,
  type AdkScores,
  compareInvocations,
  type InvocationComparison,
  type InvocationDone,
} from './adk/compare-invocations.ts'
export { meanTokenUsage, tokenUsage, type TokenUsageDetails } from './adk/token-usage.ts'
export { alignCalls } from './agent/align.ts'
export { baselineOf } from './agent/baseline.ts'
export { caseResult } from './agent/case-result.ts'
export { checkCase, checkDefaults, type CheckOptions, type CheckThresholds } from './agent/check.ts'
export { flakinessOf } from './agent/flakiness.ts'
export { failOnAlways, release, type ReleaseOptions } from './agent/release.ts'
export { type AttemptScoring, scoreAttempt } from './agent/score-attempt.ts'
export { createEngine, type EngineOptions, type FromDefinition } from './create-engine.ts'
export { type LoadedEvaluators, loadEvaluators } from './custom/module.ts'
export { type CustomFunction, customEvaluator, type CustomOptions } from './custom/custom.ts'
export { type Definition, definitionSchema, type JudgeDefinition, type RemoteDefinition } from './definition.ts'
export type { Engine, EvaluateOptions, Evaluation, Prepared } from './engine.ts'
export { evidenceOf, type Seen } from './evidence.ts'
export { type Evaluator, evaluator, type Input, NoScore, type Scoring, type Verdict } from './evaluator.ts'
export { createFromDefinition } from './from-definition.ts'
export { createJudges } from './judges/judges.ts'
export { type Clock, systemClock } from './models/clock.ts'
export { createModels, type ModelsOptions } from './models/create.ts'
export type { Answer, Completion, Models, Prompt, Question } from './models/models.ts'
export {
  pricesSchema,
  type ProvidersConfig,
  providersFromEnvironment,
  providersSchema,
} from './models/providers.ts'
export { type AddressCheck, createAddressCheck } from './remote/addresses.ts'
export { addressFault, guardedFetch } from './remote/guarded-fetch.ts'
export { folded } from './names.ts'
export { type CaseRow, caseOf, createCaseReader, createContentIds } from './run/case-of.ts'
export type { ItemFinished, ItemStarted, RunEnded, RunEvent, RunStarted } from './run/events.ts'
export {
  type Answerer,
  type Ask,
  type Earlier,
  type RunAnswer,
  type RunCase,
  type RunParts,
  type RunPlan,
  type Scorer,
  TaskFailed,
} from './run/plan.ts'
export { run } from './run/run.ts'
export { createScorer, type RunScorer } from './run/scorer.ts'
export { itemIdOf } from './run/source.ts'
export {
  costOf,
  emptyTotals,
  joinTotals,
  numberOf,
  progressOf,
  scoreOf,
  type RunTotals,
  type Shape,
  totalsFrom,
  withItem,
} from './run/totals.ts'
export { type ColumnMetric, columnMetric, type ItemNumbers, RunColumns } from './verdict/columns.ts'
export { compareRuns, type CompareRunsOptions } from './verdict/compare-runs.ts'
export { gate, type GateOptions, type GateRun, type GateSubject } from './verdict/gate.ts'
export { type RunState, warningsAbout } from './verdict/run-states.ts'
export { summarise } from './verdict/summary.ts'
