/**
 * What the server answers, as zod schemas: the API description is made of them, and tests hold real answers to them. They
 * describe the types of the package root and are held to them by the compiler; no answer is written through them.
 */
import * as z from 'zod'
import { releaseVerdicts } from './agent-result.ts'
import { type ApiKey, type CreatedKey, type SessionInfo, type SettingsInfo, scopes } from './access.ts'
import { scoreSummary, traceScore } from './evaluation-schemas.ts'
import {
  agentTestChanges,
  type AgentTestUpdate,
  type ConversationUpdate,
  type EvaluationUpdate,
  type ScoreUpdate,
  type StreamFrame,
  type SystemUpdate,
  type TraceUpdate,
} from './events.ts'
import { conversationStates } from './conversations.ts'
import { limits } from './limits.ts'
import {
  type BatchReceipt,
  capturedParts,
  type Facets,
  type FunctionCall,
  type ItemResult,
  type Metrics,
  type RejectReason,
  type ReviewEntry,
  rejectReasons,
  reviewStatuses,
  type Series,
  type SeriesPoint,
  type Span,
  type TraceDetail,
  type TracePage,
  type TraceSummary,
  type WebhookAnswer,
  type WebhookStats,
} from './trace.ts'

const time = z.string().describe('RFC 3339, UTC')
const count = z.int().nonnegative()
const status = z.enum(reviewStatuses)
const reason = z.enum(Object.keys(rejectReasons) as RejectReason[])
const anyObject = z.record(z.string(), z.unknown())

const itemResult = z.object({
  trace_id: z.string().nullable().describe('Null when the item has no usable trace_id.'),
  status: z.enum(['created', 'duplicate', 'conflict', 'invalid']),
  error: z.string().describe('Why it was not stored, and what to do.').exactOptional(),
  warnings: z.array(z.string()).exactOptional(),
}) satisfies z.ZodType<ItemResult>

/** Answer of `POST /webhook/trace` and `POST /webhook/batch`. */
export const webhookAnswer = z.object({
  success: z.boolean(),
  message: z.string(),
  processed_count: count.nullable(),
  errors: z.array(z.string()).nullable(),
  trace_ids: z.array(z.string()),
  results: z.array(itemResult).exactOptional(),
  batch_id: z.string().exactOptional(),
  warnings: z.array(z.string()).exactOptional(),
  code: z.string().exactOptional(),
}) satisfies z.ZodType<WebhookAnswer>

/** Answer of `GET /webhook/stats`. */
export const webhookStats = z.object({
  total_traces: count,
  today_traces: count,
  pending_evaluation: count,
  timestamp: time,
}) satisfies z.ZodType<WebhookStats>

/** Answer of `GET /webhook/health`. */
export const webhookHealth = z.object({
  status: z.literal('healthy'),
  timestamp: time,
  endpoints: z.array(z.string()),
})

/** Answer of `GET /webhook/batches/:batch_id`. */
export const batchReceipt = z.object({
  batch_id: z.string(),
  source: z.string().nullable(),
  received_at: time,
  processed_count: count,
  results: z.array(itemResult),
}) satisfies z.ZodType<BatchReceipt>

const summary = z.object({
  trace_id: z.string(),
  ref: z.int(),
  timestamp: time,
  model_name: z.string(),
  user_query: z.string().describe('Cut to a preview in lists and streams.'),
  ai_response: z.string().describe('Cut to a preview in lists and streams.'),
  evaluation_status: status,
  tokens_used: count.nullable(),
  response_time_ms: z.number().nullable(),
  cost: z.number().nullable().describe('US dollars'),
  session_id: z.string().nullable(),
  user_id: z.string().nullable(),
  source: z.string().nullable(),
  version: count.describe('Pass it as `expected_version` of a review.'),
  scores: z.array(scoreSummary).describe('The newest of each evaluator.'),
}) satisfies z.ZodType<TraceSummary>

const reviewEntry = z.object({
  version: count,
  status,
  reason: reason.nullable(),
  note: z.string().nullable(),
  reviewer: z.string().nullable(),
  at: time,
}) satisfies z.ZodType<ReviewEntry>

const span = z.object({
  span_id: z.string(),
  parent_span_id: z.string().nullable(),
  kind: z.enum(['llm', 'tool', 'agent', 'retrieval', 'other']),
  name: z.string(),
  start: time,
  end: time.nullable(),
  status: z.enum(['ok', 'error', 'unset']),
  attributes: anyObject,
}) satisfies z.ZodType<Span>

const functionCall = z.looseObject({
  name: z.string(),
  parameters: z.unknown().optional(),
  result: z.unknown().optional(),
}) satisfies z.ZodType<FunctionCall>

/** Answer of `GET /api/v1/traces/:trace_id` and of a review. */
export const traceDetail = summary.extend({
  user_query: z.string(),
  ai_response: z.string(),
  scores: z.array(traceScore).describe('The newest of each evaluator.'),
  system_prompt: z.string(),
  functions_called: z.array(functionCall),
  metadata: anyObject,
  extra: anyObject.describe('Fields that the schema does not know, as they were sent.'),
  captured: z.array(z.enum(capturedParts)),
  state: z.enum(['open', 'closed']),
  received_at: time,
  batch_id: z.string().nullable(),
  review: reviewEntry.pick({ reason: true, note: true, reviewer: true }).extend({ at: time.nullable() }),
  reviews: z.array(reviewEntry).describe('Oldest first.'),
  spans: z.array(span),
}) satisfies z.ZodType<TraceDetail>

/** Answer of `GET /api/v1/traces`. */
export const tracePage = z.object({
  items: z.array(summary),
  next_cursor: z.string().nullable(),
  searched_to: time.nullable(),
  search_lag: count.exactOptional(),
}) satisfies z.ZodType<TracePage>

/** Answer of `DELETE /api/v1/traces/:trace_id` and of the erasure of a user. */
export const deletion = z.object({ deleted: count })

/** Answer of `GET /api/v1/metrics`. */
export const metrics = z.object({
  total_traces: count,
  accepted_traces: count,
  rejected_traces: count,
  pending_traces: count.describe('Includes traces in review.'),
  in_review_traces: count,
  decided_traces: count,
  avg_response_time: z.number().nullable().describe('Milliseconds, over `response_time_count` traces.'),
  response_time_count: count,
  total_cost: z.number().describe('US dollars, over `cost_count` traces.'),
  cost_count: count,
  total_tokens: count,
  tokens_count: count,
  today_traces: count.describe("Of today's UTC date."),
  acceptance_rate: z.number().min(0).max(100).describe('100 x accepted / (accepted + rejected), 1 decimal.'),
}) satisfies z.ZodType<Metrics>

const seriesPoint = z.object({
  at: time,
  traces: count,
  accepted: count,
  rejected: count,
  cost: z.number(),
  cost_count: count,
  tokens: count,
  tokens_count: count,
  latency_p50: z.number().nullable(),
  latency_p95: z.number().nullable(),
  latency_p99: z.number().nullable(),
  latency_count: count,
}) satisfies z.ZodType<SeriesPoint>

/** Answer of `GET /api/v1/metrics/series`. */
export const series = z.object({
  from: time,
  to: time,
  step_seconds: count,
  model_name: z.string().nullable(),
  points: z.array(seriesPoint).max(limits.seriesPoints),
  lag_events: count,
}) satisfies z.ZodType<Series>

/** Answer of `GET /api/v1/facets`. */
export const facets = z.object({
  models: z.array(z.object({ name: z.string(), traces: count })),
  sources: z.array(z.string()),
}) satisfies z.ZodType<Facets>

/** An API key as `GET /api/v1/keys` lists it. */
export const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string(),
  scopes: z.array(z.enum(scopes)),
  prefix: z.string(),
  created_at: time,
  expires_at: time.nullable(),
  revoked_at: time.nullable(),
  last_used_at: time.nullable(),
}) satisfies z.ZodType<ApiKey>

/** Answer of `GET /api/v1/keys`. */
export const keyList = z.object({ items: z.array(apiKey) })

/** Answer of `POST /api/v1/keys`. */
export const createdKey = apiKey.extend({
  key: z.string().describe('Shown this once.'),
}) satisfies z.ZodType<CreatedKey>

/** Answer of `GET` and `POST /api/v1/session`. */
export const session = z.object({
  authenticated: z.boolean(),
  auth_required: z.boolean(),
  name: z.string().nullable(),
  project: z.string(),
  scopes: z.array(z.enum(scopes)),
}) satisfies z.ZodType<SessionInfo>

/** Answer of `POST /stream/ticket`. */
export const ticket = z.object({ ticket: z.string(), expires_at: time })

const perMinute = z.number().describe('0 is no limit')

/** Answer of `GET /api/v1/settings`. */
export const settings = z.object({
  version: z.string(),
  node: z.string(),
  storage: z.enum(['sqlite', 'postgres']),
  auth_required: z.boolean(),
  webhook_secrets: count,
  retention_days: z.number().nullable(),
  event_retention_days: z.number(),
  rate_limits: z.object({ traces_per_minute: perMinute, reads_per_minute: perMinute, streams_per_minute: perMinute }),
  search_lag: count,
  rollup_lag: count,
}) satisfies z.ZodType<SettingsInfo>

/** Answer of `GET /health`. */
export const health = z.object({ status: z.literal('healthy'), version: z.string() })

/** Answer of `GET /ready`. */
export const ready = z.object({ status: z.literal('ready') })

const traceUpdate = z.object({
  action: z.enum(['new_trace', 'trace_updated', 'trace_deleted']),
  trace_id: z.string().nullable(),
  ref: z.int(),
  model_name: z.string(),
  evaluation_status: status,
  trace: summary.exactOptional(),
}) satisfies z.ZodType<TraceUpdate>

const evaluationUpdate = z.object({
  trace_id: z.string().nullable(),
  ref: z.int(),
  status,
  previous_status: status,
  model_name: z.string(),
  reason: z.string().nullable(),
  reviewer: z.string().nullable(),
  version: count,
}) satisfies z.ZodType<EvaluationUpdate>

const scoreUpdate = scoreSummary.extend({
  trace_id: z.string().nullable(),
  ref: z.int(),
  model_name: z.string(),
  execution_id: z.string(),
}) satisfies z.ZodType<ScoreUpdate>

const systemUpdate = z.object({
  event_type: z.enum(['traces_expired', 'user_erased']),
  count,
}) satisfies z.ZodType<SystemUpdate>

const agentTestUpdate = z.union([
  z.object({
    action: z.literal('report_added'),
    suite: z.string().nullable(),
    report_id: z.string().nullable(),
    verdict: z.enum(releaseVerdicts).nullable(),
    exit_code: z.literal([0, 1, 2]),
    passed: count,
    cases: count,
  }),
  z.object({ action: z.enum(agentTestChanges) }),
]) satisfies z.ZodType<AgentTestUpdate>

const conversationUpdate = z.object({
  action: z.enum(['events_added', 'conversation_deleted']),
  thread_id: z.string().nullable().describe('Null when the conversation was deleted since.'),
  ref: count,
  last_seq: count,
  count,
  state: z.enum(conversationStates),
}) satisfies z.ZodType<ConversationUpdate>

const frame = <const E extends StreamFrame['event'], D extends z.ZodType>(event: E, data: D) =>
  z.object({ event: z.literal(event), data, timestamp: time })

/** The JSON of one message of `/stream/*`. */
export const streamFrame = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('connected'),
    client_id: z.string(),
    project: z.string().describe('Whose events these are.'),
    timestamp: time,
  }),
  frame('initial_traces', z.array(summary.extend({ id: z.string().describe('The same as `trace_id`.') }))),
  frame('trace_updates', traceUpdate),
  frame('evaluation_updates', evaluationUpdate),
  frame('score_updates', scoreUpdate),
  frame('system_updates', systemUpdate),
  frame('agent_test_updates', agentTestUpdate),
  frame('conversation_updates', conversationUpdate),
  frame('metrics_update', metrics),
  frame('resync_required', z.object({ reason: z.enum(['other_epoch', 'expired', 'ahead']), message: z.string() })),
  frame('error', z.object({ code: z.string(), message: z.string() })),
]) satisfies z.ZodType<StreamFrame>
