import type { ScoreOutcome, ScoreSummary, TraceScore } from './evaluation.ts'

/** What a person decided about a trace. `in_review` counts as pending in every counter. */
export const reviewStatuses = ['pending', 'in_review', 'accepted', 'rejected'] as const
export type ReviewStatus = (typeof reviewStatuses)[number]

/** Why a trace was rejected: code on the wire -> words on the screen. Input accepts either. */
export const rejectReasons = {
  inaccurate: 'Inaccurate response',
  irrelevant: 'Irrelevant to query',
  poor_quality: 'Poor quality',
  hallucinated: 'Hallucinated information',
  inappropriate: 'Inappropriate content',
  technical_error: 'Technical error',
  other: 'Other',
} as const
export type RejectReason = keyof typeof rejectReasons

/** A part of a trace that its source was able to observe. What is not captured is unknown, never zero. */
export const capturedParts = [
  'response',
  'system_prompt',
  'tools',
  'tokens',
  'cost',
  'latency',
  'session',
  'user',
] as const
export type CapturedPart = (typeof capturedParts)[number]

export interface FunctionCall {
  name: string
  parameters?: unknown
  result?: unknown
  [key: string]: unknown
}

/** A trace as a client sends it. Every field may be spelled in camelCase too. */
export interface TraceInput {
  trace_id: string
  /** RFC 3339; the server's clock if absent. */
  timestamp?: string
  model_name: string
  user_query: string
  ai_response: string
  system_prompt?: string
  functions_called?: FunctionCall[]
  metadata?: Record<string, unknown>
  tokens_used?: number | null
  /** Milliseconds. */
  response_time_ms?: number | null
  /** US dollars. */
  cost?: number | null
  session_id?: string | null
  user_id?: string | null
  source?: string | null
}

/** A trace as lists and streams carry it: texts cut to a preview, null for unknown. */
export interface TraceSummary {
  trace_id: string
  /** Opaque number of the trace in this store; a `trace_deleted` event names the trace by it. */
  ref: number
  timestamp: string
  model_name: string
  user_query: string
  ai_response: string
  evaluation_status: ReviewStatus
  tokens_used: number | null
  response_time_ms: number | null
  cost: number | null
  session_id: string | null
  user_id: string | null
  source: string | null
  /** Grows with every review; pass it as `expected_version`. */
  version: number
  /** The newest score of each evaluator that looked at it, by slug. */
  scores: ScoreSummary[]
}

/** One entry of a trace's review history, oldest first. */
export interface ReviewEntry {
  version: number
  status: ReviewStatus
  reason: RejectReason | null
  note: string | null
  reviewer: string | null
  at: string
}

/** One step inside a trace. */
export interface Span {
  span_id: string
  parent_span_id: string | null
  kind: 'llm' | 'tool' | 'agent' | 'retrieval' | 'other'
  name: string
  start: string
  end: string | null
  status: 'ok' | 'error' | 'unset'
  attributes: Record<string, unknown>
}

/** A whole trace. */
export interface TraceDetail extends Omit<TraceSummary, 'scores'> {
  /** The newest score of each evaluator, by slug. */
  scores: TraceScore[]
  system_prompt: string
  functions_called: FunctionCall[]
  metadata: Record<string, unknown>
  /** Fields that the schema does not know, as they were sent. */
  extra: Record<string, unknown>
  captured: CapturedPart[]
  state: 'open' | 'closed'
  received_at: string
  batch_id: string | null
  review: { reason: RejectReason | null; note: string | null; reviewer: string | null; at: string | null }
  reviews: ReviewEntry[]
  spans: Span[]
}

/** What became of one trace of a request. */
export type ItemStatus = 'created' | 'duplicate' | 'conflict' | 'invalid'

export interface ItemResult {
  /** Null when the item has no usable trace_id. */
  trace_id: string | null
  status: ItemStatus
  /** Why it was not stored, and what to do. */
  error?: string
  /** What was accepted but looks like a mistake, e.g. unknown fields (which are kept under `extra`). */
  warnings?: string[]
}

/** Answer of `/webhook/trace` and `/webhook/batch`. */
export interface WebhookAnswer {
  success: boolean
  message: string
  processed_count: number | null
  errors: string[] | null
  trace_ids: string[]
  results?: ItemResult[]
  batch_id?: string
  /** What looks like a mistake in the request around its traces. */
  warnings?: string[]
  code?: string
}

/** Answer of `GET /webhook/batches/:batch_id`. `trace_id` is null for a trace that was deleted since. */
export interface BatchReceipt {
  batch_id: string
  source: string | null
  received_at: string
  processed_count: number
  results: ItemResult[]
}

export interface WebhookStats {
  total_traces: number
  today_traces: number
  pending_evaluation: number
  timestamp: string
}

/** The project's counters. Means are null when nothing was measured, and `*_count` says over how many traces they go. */
export interface Metrics {
  total_traces: number
  accepted_traces: number
  rejected_traces: number
  /** Includes traces in review. */
  pending_traces: number
  in_review_traces: number
  decided_traces: number
  /** Mean over traces with known latency, milliseconds, 2 decimals; null when none has one. */
  avg_response_time: number | null
  response_time_count: number
  /** Sum over traces with known cost, US dollars, 4 decimals. */
  total_cost: number
  cost_count: number
  total_tokens: number
  tokens_count: number
  /** Traces whose timestamp lies on today's UTC date. */
  today_traces: number
  /** 100 x accepted / (accepted + rejected), 1 decimal; 0 when nothing is decided (see decided_traces). */
  acceptance_rate: number
}

/** One step of `GET /api/v1/metrics/series`. */
export interface SeriesPoint {
  /** Start of the step. */
  at: string
  traces: number
  accepted: number
  rejected: number
  /** Sum of known costs, US dollars, and over how many traces. */
  cost: number
  cost_count: number
  tokens: number
  tokens_count: number
  /** Milliseconds, from log buckets at most 5 % wide; null when no trace of the step has a latency. */
  latency_p50: number | null
  latency_p95: number | null
  latency_p99: number | null
  latency_count: number
}

export interface Series {
  from: string
  to: string
  step_seconds: number
  model_name: string | null
  points: SeriesPoint[]
  /** How many events the roll-ups lag behind the newest trace. */
  lag_events: number
}

/** Answer of `GET /api/v1/facets`: what filters can be set to. `traces` comes from the roll-ups and may lag a moment behind. */
export interface Facets {
  models: { name: string; traces: number }[]
  /** At most 100. */
  sources: string[]
}

/** A page of a list. `next_cursor` is null at the end. */
export interface TracePage {
  items: TraceSummary[]
  next_cursor: string | null
  /** Set when the page ended because the time for one slice was used up: the list was searched back to here. */
  searched_to: string | null
  /** With a full-text query: how many of the newest traces the index does not know yet. */
  search_lag?: number
}

/** Orders and filters of `GET /api/v1/traces` and of the export. All combine with AND. */
export interface TraceFilter {
  model_name?: string
  evaluation_status?: ReviewStatus
  source?: string
  session_id?: string
  user_id?: string
  /** RFC 3339, inclusive. */
  from?: string
  /** RFC 3339, exclusive. */
  to?: string
  /** Milliseconds, inclusive. A trace of unknown latency matches no latency filter. */
  min_latency?: number
  max_latency?: number
  /** US dollars, inclusive. */
  min_cost?: number
  max_cost?: number
  /** Full text over query and response: every word must occur; `word*` matches beginnings. */
  q?: string
  /** Slug: only traces that this evaluator has looked at; the next four are about its newest score. */
  evaluator?: string
  min_score?: number
  max_score?: number
  passed?: boolean
  score_outcome?: ScoreOutcome
}
