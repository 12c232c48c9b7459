export type {
  Execution,
  ExecutionProgress,
  ExecutionStarted,
  ExecutionStatus,
  FailureCode,
  Fault,
  Score,
  ScoreFault,
  ScoreOutcome,
} from '@llm-eval/protocol'
export type { Clock } from './clock.ts'
export { type ErrorCode, type ErrorDetails, LLMEvalError } from './error.ts'
export {
  Evaluator,
  runEvaluator,
  runEvaluatorAsync,
  type RunAsyncOptions,
  type RunOptions,
} from './experiments/evaluator.ts'
export {
  Experiment,
  type ExperimentEvaluator,
  type ExperimentOptions,
  type ExperimentResult,
  type ExperimentRun,
  type ExperimentRunOptions,
} from './experiments/experiment.ts'
export type { InputSchemaMapping } from './experiments/mapping.ts'
export type { EvaluatorResult, ResultCallback } from './experiments/result.ts'
export { ResultHandler, type ResultHandlers } from './experiments/result-handler.ts'
export type { EvaluationServer } from './experiments/server.ts'
export type { SocketConstructor, SocketLike } from './experiments/socket.ts'
export { type ResultClientOptions, SSEResultClient, type WaitOptions } from './experiments/sse-result-client.ts'
export type { ExecutionEvent, StreamEvent, Telemetry, Transport } from './experiments/telemetry.ts'
