export type {
  BatchReceipt,
  CapturedPart,
  Column,
  Dataset,
  DatasetRow,
  EvaluationUpdate,
  EvaluatorInfo,
  Execution,
  FailureCode,
  Fault,
  FunctionCall,
  ItemResult,
  ItemStatus,
  Metrics,
  RejectReason,
  ResyncReason,
  ReviewEntry,
  ReviewStatus,
  Score,
  Span,
  StreamFrame,
  SystemUpdate,
  TraceDetail,
  TracePage,
  TraceSummary,
  TraceUpdate,
  WebhookAnswer,
  WebhookStats,
} from '@llm-eval/protocol'
export type { BatchAnswer } from './batch.ts'
export { type BufferedSender, type BufferOptions, type Drop, type FlushOptions } from './buffered-sender.ts'
export {
  type BatchOptions,
  type ClientOptions,
  type Health,
  LLMEvalClient,
  type ReviewOptions,
} from './client.ts'
export type { Clock } from './clock.ts'
export type { CallOptions, ConnectionOptions, RequestOptions } from './connection.ts'
export type { DatasetClient, NewColumn, NewDataset, RowQuery, RowPage } from './dataset-client.ts'
export { type ErrorCode, type ErrorDetails, LLMEvalError } from './error.ts'
export type { EvaluatorChoice, ExecuteOptions, WaitChoice } from './evaluation-calls.ts'
export type { EventFollower } from './follower.ts'
export type { Receipt } from './ledger.ts'
export {
  type EventStreamOptions,
  type FollowOptions,
  type FrameCallback,
  LLMEvalStreamClient,
  type MetricsStreamOptions,
  type StreamClientOptions,
  type StreamOptions,
  type TraceStreamOptions,
} from './stream-client.ts'
export type { StreamPhase, StreamState } from './stream-state.ts'
export type { AnyTrace, TraceData, TraceDataSnake, TraceQuery } from './trace-data.ts'
export {
  type CallOutcome,
  type TraceDetails,
  TraceLogger,
  type TraceLoggerOptions,
  type TraceSink,
} from './trace-logger.ts'
