export { type ApiKey, type CreatedKey, type Scope, type SessionInfo, type SettingsInfo, scopes } from './access.ts'
export { type Cursor, formatCursor, parseCursor } from './cursor.ts'
export type { EvaluationUpdate, ResyncReason, StreamFrame, SystemUpdate, TraceUpdate } from './events.ts'
export { Failure, type FailureCode, type FailureDetails, type Fault, failureTable, type Problem } from './failures.ts'
export { decodeJsonLines, type JsonLine } from './jsonl.ts'
export { limits } from './limits.ts'
export { pathsOf, pathTo, type Route, type RouteName, routes } from './routes.ts'
export { createSseDecoder, encodeSse, type SseDecoder, type SseHandlers, type SseMessage } from './sse.ts'
export {
  type BatchReceipt,
  type CapturedPart,
  capturedParts,
  type Facets,
  type FunctionCall,
  type ItemResult,
  type ItemStatus,
  type Metrics,
  type RejectReason,
  type ReviewEntry,
  type ReviewStatus,
  rejectReasons,
  reviewStatuses,
  type Series,
  type SeriesPoint,
  type Span,
  type TraceDetail,
  type TraceFilter,
  type TraceInput,
  type TracePage,
  type TraceSummary,
  type WebhookAnswer,
  type WebhookStats,
} from './trace.ts'
