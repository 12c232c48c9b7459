export type { RunItem, RunningMetric, RunProgress, RunStop, Score } from '@llm-eval/protocol'
export { LLMEvalError } from '../inside.ts'
export { defineEvaluation, type EvaluationDefinition, type EvaluationGate } from './define.ts'
export { Evaluator } from './evaluator.ts'
export type {
  Cases,
  EvaluationCase,
  EvaluationResult,
  EvaluatorOptions,
  Metric,
  MetricFunction,
  MetricInput,
  MetricOptions,
  MetricResult,
  Task,
  TaskContext,
  TaskOutput,
} from './options.ts'
