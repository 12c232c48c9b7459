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
export type { Clock } from '../clock.ts'
export { type ErrorCode, type ErrorDetails, LLMEvalError } from '../error.ts'
export {
  Evaluator,
  runEvaluator,
  runEvaluatorAsync,
  type RunAsyncOptions,
  type RunOptions,
} from './evaluator.ts'
export {
  Experiment,
  type ExperimentEvaluator,
  type ExperimentOptions,
  type ExperimentResult,
  type ExperimentRun,
  type ExperimentRunOptions,
} from './experiment.ts'
export type { InputSchemaMapping } from './mapping.ts'
export type { EvaluatorResult, ResultCallback } from './result.ts'
export { ResultHandler, type ResultHandlers } from './result-handler.ts'
export type { EvaluationServer } from '../evaluation-server.ts'
export type { SocketConstructor, SocketLike } from './socket.ts'
export { type ResultClientOptions, SSEResultClient, type WaitOptions } from './sse-result-client.ts'
export type { ExecutionEvent, StreamEvent, Telemetry, Transport } from './telemetry.ts'
