import type { ReleaseVerdict } from './agent-result.ts'
import type { ConversationState } from './conversations.ts'
import type { ScoreSummary } from './evaluation.ts'
import type { Metrics, ReviewStatus, TraceSummary } from './trace.ts'

/**
 * The frames of `/stream/*`. Each is one unnamed SSE message (clients listen with `onmessage`), whose JSON says what it is.
 * An `id:` (a cursor) stands on frames that come from the journal, and on the last of the first ones (`connected`,
 * `resync_required`, `initial_traces`), so that whoever is cut off between those gets them again.
 */
export type StreamFrame =
  | { event: 'connected'; client_id: string; project: string; timestamp: string }
  | { event: 'initial_traces'; data: (TraceSummary & { id: string })[]; timestamp: string }
  | { event: 'trace_updates'; data: TraceUpdate; timestamp: string }
  | { event: 'evaluation_updates'; data: EvaluationUpdate; timestamp: string }
  | { event: 'score_updates'; data: ScoreUpdate; timestamp: string }
  | { event: 'system_updates'; data: SystemUpdate; timestamp: string }
  | { event: 'agent_test_updates'; data: AgentTestUpdate; timestamp: string }
  | { event: 'conversation_updates'; data: ConversationUpdate; timestamp: string }
  | { event: 'metrics_update'; data: Metrics; timestamp: string }
  | { event: 'resync_required'; data: { reason: ResyncReason; message: string }; timestamp: string }
  | { event: 'error'; data: { code: string; message: string }; timestamp: string }

export interface TraceUpdate {
  action: 'new_trace' | 'trace_updated' | 'trace_deleted'
  /** Null when the trace was deleted since. */
  trace_id: string | null
  ref: number
  model_name: string
  evaluation_status: ReviewStatus
  /** On `/stream/traces`, and on `/stream/events?summaries=true`; absent when the trace was deleted since. */
  trace?: TraceSummary
}

export interface EvaluationUpdate {
  trace_id: string | null
  ref: number
  status: ReviewStatus
  previous_status: ReviewStatus
  model_name: string
  reason: string | null
  reviewer: string | null
  version: number
}

/** An automatic score; people's verdicts are `evaluation_updates`. */
export interface ScoreUpdate extends ScoreSummary {
  trace_id: string | null
  ref: number
  model_name: string
  execution_id: string
}

export interface SystemUpdate {
  event_type: 'traces_expired' | 'user_erased'
  count: number
}

/** What changed of a project's agent tests, beside new reports. */
export const agentTestChanges = [
  'report_deleted',
  'suite_deleted',
  'baseline_accepted',
  'baseline_deleted',
  'quarantine_set',
  'quarantine_ended',
] as const
export type AgentTestChange = (typeof agentTestChanges)[number]

/** On `/stream/events` without a filter of traces. What a change is about is read where it is kept. */
export type AgentTestUpdate =
  | {
      action: 'report_added'
      /** Both null when the report was deleted since. */
      suite: string | null
      report_id: string | null
      verdict: ReleaseVerdict | null
      exit_code: 0 | 1 | 2
      passed: number
      cases: number
    }
  | { action: AgentTestChange }

/** On `/stream/events` without a filter of traces. What was told is read where it is kept, after the last place that is known. */
export interface ConversationUpdate {
  action: 'events_added' | 'conversation_deleted'
  /** Null when the conversation was deleted since. */
  thread_id: string | null
  /** The number of the conversation in this store. */
  ref: number
  /** Place of its last event, and how many came; 0 came when it was deleted. */
  last_seq: number
  count: number
  /** After these. */
  state: ConversationState
}

/** Why a cursor cannot be resumed: the journal was replaced, trimmed past it, or never reached it. */
export type ResyncReason = 'other_epoch' | 'expired' | 'ahead'
