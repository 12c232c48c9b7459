/** What each answer of the server has to look like. The shapes themselves are declared in protocol. */
import {
  agentTestChanges,
  type AgentTestUpdate,
  type ApiKey,
  type ConversationUpdate,
  conversationStates,
  type CreatedKey,
  capturedParts,
  type EvaluationUpdate,
  type FunctionCall,
  type Metrics,
  type RejectReason,
  type ReviewEntry,
  rejectReasons,
  releaseVerdicts,
  reviewStatuses,
  type Score,
  scoreFaults,
  scoreOutcomes,
  type ScoreSummary,
  type ScoreUpdate,
  scopes,
  type Series,
  type SeriesPoint,
  type SessionInfo,
  type SettingsInfo,
  type Span,
  type StreamFrame,
  type TraceDetail,
  type TracePage,
  type TraceScore,
  type TraceSummary,
  type TraceUpdate,
} from '@llm-eval/protocol'
import { absent, type Check, flag, list, nullable, number, oneOf, record, shape, text, Unreadable } from './checks.ts'

const status = oneOf(reviewStatuses)
const reason = oneOf(Object.keys(rejectReasons) as RejectReason[])

const scoreSummaryFields = {
  evaluator: text,
  outcome: oneOf(scoreOutcomes),
  value: nullable(number),
  label: nullable(text),
  passed: nullable(flag),
}
const scoreSummary: Check<ScoreSummary> = shape<ScoreSummary>(scoreSummaryFields)

const usage = shape<NonNullable<Score['usage']>>({
  model: nullable(text),
  input_tokens: nullable(number),
  output_tokens: nullable(number),
  cost: nullable(number),
  cached: flag,
})

const { evaluator: _, ...verdictFields } = scoreSummaryFields
const scoreFields = {
  ...verdictFields,
  explanation: nullable(text),
  fault: nullable(oneOf(scoreFaults)),
  output: absent(record, {}),
  usage: nullable(usage),
  duration_ms: number,
}

/** What an evaluator thinks of one input. */
export const score: Check<Score> = shape<Score>(scoreFields)

const traceScore: Check<TraceScore> = shape<TraceScore>({
  ...scoreFields,
  evaluator: text,
  evaluator_version: text,
  execution_id: text,
  rule: nullable(text),
  at: text,
})

const summaryFields = {
  trace_id: text,
  ref: number,
  timestamp: text,
  model_name: text,
  user_query: text,
  ai_response: text,
  evaluation_status: status,
  tokens_used: nullable(number),
  response_time_ms: nullable(number),
  cost: nullable(number),
  session_id: nullable(text),
  user_id: nullable(text),
  source: nullable(text),
  version: number,
  scores: list(scoreSummary),
}

const traceSummary: Check<TraceSummary> = shape<TraceSummary>(summaryFields)

const pageFields = {
  items: list(traceSummary),
  next_cursor: nullable(text),
  searched_to: nullable(text),
  search_lag: absent(number, 0),
}
export const tracePage: Check<TracePage> = shape<Required<TracePage>>(pageFields)

const span: Check<Span> = shape<Span>({
  span_id: text,
  parent_span_id: nullable(text),
  kind: oneOf(['llm', 'tool', 'agent', 'retrieval', 'other']),
  name: text,
  start: text,
  end: nullable(text),
  status: oneOf(['ok', 'error', 'unset']),
  attributes: absent(record, {}),
})

const functionCall: Check<FunctionCall> = (value, path) => {
  const call = record(value, path)
  return { ...call, name: text(call.name, `${path}.name`) }
}

const reviewEntry: Check<ReviewEntry> = shape<ReviewEntry>({
  version: number,
  status,
  reason: nullable(reason),
  note: nullable(text),
  reviewer: nullable(text),
  at: text,
})

export const traceDetail: Check<TraceDetail> = shape<TraceDetail>({
  ...summaryFields,
  scores: list(traceScore),
  system_prompt: absent(text, ''),
  functions_called: absent(list(functionCall), []),
  metadata: absent(record, {}),
  extra: absent(record, {}),
  captured: list(oneOf(capturedParts)),
  state: oneOf(['open', 'closed']),
  received_at: text,
  batch_id: nullable(text),
  review: shape<TraceDetail['review']>({
    reason: nullable(reason),
    note: nullable(text),
    reviewer: nullable(text),
    at: nullable(text),
  }),
  reviews: list(reviewEntry),
  spans: absent(list(span), []),
})

export const metrics: Check<Metrics> = shape<Metrics>({
  total_traces: number,
  accepted_traces: number,
  rejected_traces: number,
  pending_traces: number,
  in_review_traces: number,
  decided_traces: number,
  avg_response_time: nullable(number),
  response_time_count: number,
  total_cost: number,
  cost_count: number,
  total_tokens: number,
  tokens_count: number,
  today_traces: number,
  acceptance_rate: number,
})

const seriesPoint: Check<SeriesPoint> = shape<SeriesPoint>({
  at: text,
  traces: number,
  accepted: number,
  rejected: number,
  cost: number,
  cost_count: number,
  tokens: number,
  tokens_count: number,
  latency_p50: nullable(number),
  latency_p95: nullable(number),
  latency_p99: nullable(number),
  latency_count: number,
})

export const series: Check<Series> = shape<Series>({
  from: text,
  to: text,
  step_seconds: number,
  model_name: nullable(text),
  points: list(seriesPoint),
  lag_events: number,
})

/** A name that occurs in this store, for the filters. */
interface Facet {
  name: string
  traces: number
}
export interface Facets {
  models: Facet[]
  sources: string[]
}
const facet: Check<Facet> = shape<Facet>({ name: text, traces: number })
export const facets: Check<Facets> = shape<Facets>({ models: list(facet), sources: list(text) })

const keyFields = {
  id: text,
  name: text,
  project: text,
  scopes: list(oneOf(scopes)),
  prefix: text,
  created_at: text,
  expires_at: nullable(text),
  revoked_at: nullable(text),
  last_used_at: nullable(text),
}
export const keyList: Check<{ items: ApiKey[] }> = shape<{ items: ApiKey[] }>({
  items: list(shape<ApiKey>(keyFields)),
})
export const createdKey: Check<CreatedKey> = shape<CreatedKey>({ ...keyFields, key: text })

export const session: Check<SessionInfo> = shape<SessionInfo>({
  authenticated: flag,
  auth_required: flag,
  name: nullable(text),
  project: text,
  scopes: list(oneOf(scopes)),
})

export const settings: Check<SettingsInfo> = shape<SettingsInfo>({
  version: text,
  node: text,
  storage: oneOf(['sqlite', 'postgres']),
  auth_required: flag,
  webhook_secrets: number,
  retention_days: nullable(number),
  event_retention_days: number,
  rate_limits: shape<SettingsInfo['rate_limits']>({
    traces_per_minute: number,
    reads_per_minute: number,
    streams_per_minute: number,
  }),
  search_lag: number,
  rollup_lag: number,
})

const traceUpdate: Check<TraceUpdate> = (value, path) => {
  const given = record(value, path)
  const update = shape<Omit<TraceUpdate, 'trace'>>({
    action: oneOf(['new_trace', 'trace_updated', 'trace_deleted']),
    trace_id: nullable(text),
    ref: number,
    model_name: text,
    evaluation_status: status,
  })(value, path)
  return given.trace === undefined || given.trace === null
    ? update
    : { ...update, trace: traceSummary(given.trace, `${path}.trace`) }
}

const evaluationUpdate: Check<EvaluationUpdate> = shape<EvaluationUpdate>({
  trace_id: nullable(text),
  ref: number,
  status,
  previous_status: status,
  model_name: text,
  reason: nullable(text),
  reviewer: nullable(text),
  version: number,
})

const scoreUpdate: Check<ScoreUpdate> = shape<ScoreUpdate>({
  ...scoreSummaryFields,
  trace_id: nullable(text),
  ref: number,
  model_name: text,
  execution_id: text,
})

/** Of a command that tested an agent. */
export const exitCode: Check<0 | 1 | 2> = (value, path) => {
  if (value === 0 || value === 1 || value === 2) return value
  throw new Unreadable(path, '0, 1 or 2')
}

const agentTestUpdate: Check<AgentTestUpdate> = (value, path) => {
  const { action } = record(value, path)
  if (action !== 'report_added') return { action: oneOf(agentTestChanges)(action, `${path}.action`) }
  return shape<Extract<AgentTestUpdate, { action: 'report_added' }>>({
    action: oneOf(['report_added']),
    suite: nullable(text),
    report_id: nullable(text),
    verdict: nullable(oneOf(releaseVerdicts)),
    exit_code: exitCode,
    passed: number,
    cases: number,
  })(value, path)
}

const conversationUpdate = shape<ConversationUpdate>({
  action: oneOf(['events_added', 'conversation_deleted']),
  thread_id: nullable(text),
  ref: number,
  last_seq: number,
  count: number,
  state: oneOf(conversationStates),
})

const textOrNone = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A frame of the stream; null for kinds this page does not know, which later servers may send. */
export const streamFrame: Check<StreamFrame | null> = (value, path) => {
  const { event, data, timestamp: at, client_id, project } = record(value, path)
  const timestamp = typeof at === 'string' ? at : ''
  switch (event) {
    case 'connected':
      return { event, client_id: textOrNone(client_id), project: textOrNone(project), timestamp }
    case 'trace_updates':
      return { event, data: traceUpdate(data, 'data'), timestamp }
    case 'evaluation_updates':
      return { event, data: evaluationUpdate(data, 'data'), timestamp }
    case 'score_updates':
      return { event, data: scoreUpdate(data, 'data'), timestamp }
    case 'metrics_update':
      return { event, data: metrics(data, 'data'), timestamp }
    case 'conversation_updates':
      return { event, data: conversationUpdate(data, 'data'), timestamp }
    case 'agent_test_updates':
      return { event, data: agentTestUpdate(data, 'data'), timestamp }
    case 'system_updates':
      return {
        event,
        data: {
          event_type: oneOf(['traces_expired', 'user_erased'])(record(data, 'data').event_type, 'event_type'),
          count: number(record(data, 'data').count, 'count'),
        },
        timestamp,
      }
    case 'resync_required':
      return { event, data: { reason: 'expired', message: String(record(data, 'data').message) }, timestamp }
    default:
      return null
  }
}
