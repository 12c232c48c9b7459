export {
  type Change,
  type ChangeKind,
  type ChangeOutcome,
  type Changes,
  type Consumer,
  type Effect,
  type EventPage,
  type Filter,
  type FollowOptions,
  type Ingest,
  type IngestResult,
  type Job,
  type NewSpan,
  type NewTrace,
  type Queries,
  type QueryName,
  type RefusedItem,
  type RollupDelta,
  type Store,
  type StoredEvent,
  type StoredKey,
  type StoredTrace,
  type StoreStats,
  type TokenKind,
  type TraceBody,
  type TraceNumbers,
  type TraceOutcome,
} from './store.ts'
export { type Head, resyncReason } from './head.ts'
export { backupDirectory, type BackupOptions } from './sqlite/backup.ts'
export { announceOwner, claimDataDirectory, DataDirectoryBusy, type Owner, ownerOf } from './sqlite/ownership.ts'
export { openStore, type StoreOptions } from './open.ts'
export type { ColumnEdit, NewRow, RowFate, StoredRow } from './datasets.ts'
export type {
  ExecutionEnd,
  ExecutionFilter,
  ExecutionNumbers,
  JudgedTrace,
  RuleTrace,
  NewExecution,
  NewRule,
  RuleDay,
  StoredEvaluator,
  StoredExecution,
  StoredRule,
} from './evaluation.ts'
export {
  type ItemBody,
  type ItemFate,
  type ItemScore,
  type NewRun,
  type NewRunItem,
  type RunNumbers,
  type StoredRun,
  type StoredRunItem,
} from './runs.ts'
export {
  beginningChars,
  type RunColumns,
  type RunEvent,
  type RunFilter,
  type RunItemFilter,
  type RunOrder,
} from './run-queries.ts'
export type {
  AgentBaselineHead,
  AgentReportHead,
  AgentResultRow,
  NewAgentReport,
  StoredAgentReport,
  StoredAgentResult,
  StoredQuarantine,
} from './agent-tests.ts'
export type {
  ConversationFilter,
  ConversationNumbers,
  ConversationHold,
  ConversationOrigin,
  ConversationTurning,
  NewConversationEvent,
  StoredConversation,
  StoredConversationEvent,
  TokenNumbers,
} from './conversations.ts'
export type { StoredExperiment, StoredExperimentRun, StoredTask } from './experiments.ts'
