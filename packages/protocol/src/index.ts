export { type ApiKey, type CreatedKey, type Scope, type SessionInfo, type SettingsInfo, scopes } from './access.ts'
export {
  type Column,
  type ColumnType,
  columnTypes,
  type Dataset,
  type DatasetRow,
  type DatasetVersion,
  type ImportReport,
} from './datasets.ts'
export { datasetRoutes } from './dataset-routes.ts'
export {
  type Calibration,
  type EvaluationUsage,
  type EvaluatorCategory,
  type EvaluatorInfo,
  type EvaluatorKind,
  type Evidence,
  evaluatorCategories,
  evaluatorKinds,
  evidences,
  type Execution,
  type ExecutionFrame,
  type ExecutionProgress,
  type ExecutionStarted,
  type ExecutionStatus,
  executionStatuses,
  type Field,
  type Interval,
  type Rule,
  type RuleFilter,
  type Score,
  type ScoreFault,
  type ScoreOutcome,
  type ScoreSummary,
  scoreFaults,
  scoreOutcomes,
  type TraceScore,
} from './evaluation.ts'
export { evaluationRoutes } from './evaluation-routes.ts'
export { type Cursor, formatCursor, parseCursor } from './cursor.ts'
export type { EvaluationUpdate, ResyncReason, ScoreUpdate, StreamFrame, SystemUpdate, TraceUpdate } from './events.ts'
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
export { traceloopRoutes } from './traceloop-routes.ts'
export { runRoutes } from './run-routes.ts'
export {
  type RunFrameFilter,
  type RunProgressData,
  type RunSocketMessage,
  runSocketRoutes,
  type RunStatistics,
  type RunStatusUpdate,
  runStatusUpdates,
} from './run-sockets.ts'
export type { RunErrorGroup, RunErrors, RunItemPreview } from './run-views.ts'
export {
  type CaseComparison,
  type ComparisonVerdict,
  comparisonVerdicts,
  type GateOutcome,
  gateOutcomes,
  type GateVerdict,
  type MetricComparison,
  type Run,
  type RunApproval,
  type RunComparison,
  type RunDecision,
  type RunFrame,
  type RunFrameType,
  runFrameTypes,
  type RunItem,
  type RunItemStatus,
  runItemStatuses,
  type RunLimits,
  type RunMetric,
  type RunMetricSummary,
  type RunningMetric,
  type RunProgress,
  type RunSettings,
  type RunStatus,
  runStatuses,
  type RunStop,
  runStops,
  type RunTask,
  type RunUsage,
  runUsages,
  type TaskFault,
  taskFaults,
} from './runs.ts'
