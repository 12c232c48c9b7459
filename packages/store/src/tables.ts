import type { Generated } from 'kysely'
import type { AgentTestTables } from './steps/agent-test-tables.ts'
import type { ConversationTables } from './steps/conversation-tables.ts'
import type { DatasetTables } from './steps/dataset-tables.ts'
import type { EvaluationTables } from './steps/evaluation-tables.ts'
import type { ExperimentTables } from './steps/experiment-tables.ts'
import type { RunTables } from './steps/run-tables.ts'

/** The tables of both drivers. Times are milliseconds since 1970, money whole nano-dollars. */
export interface Tables
  extends EvaluationTables,
    DatasetTables,
    ExperimentTables,
    RunTables,
    AgentTestTables,
    ConversationTables {
  meta: { name: string; value: string }
  projects: { id: number; name: string; created_at: number }
  /** One row a project: the end of its journal and its counters, changed in the last statement of every commit. */
  heads: {
    project_id: number
    seq: number
    first_seq: number
    total: number
    accepted: number
    rejected: number
    in_review: number
    latency_sum: number
    latency_count: number
    cost_sum: number
    cost_count: number
    tokens_sum: number
    tokens_count: number
  }
  /** Traces by UTC day of their timestamp. */
  days: { project_id: number; day: number; traces: number }
  models: { id: Generated<number>; project_id: number; name: string }
  traces: {
    ref: Generated<number>
    project_id: number
    trace_id: string
    ts: number
    received_at: number
    model_id: number
    status: number
    source: string | null
    session_id: string | null
    user_id: string | null
    batch_id: string | null
    latency_ms: number | null
    cost_nano: number | null
    tokens: number | null
    query_preview: string
    response_preview: string
    captured: number
    hash: string
    open: number
    version: number
  }
  bodies: { ref: number; body: string }
  spans: { ref: number; span_id: string; start: number; hash: string; body: string }
  reviews: {
    ref: number
    version: number
    status: number
    reason: string | null
    note: string | null
    reviewer: string | null
    at: number
  }
  events: {
    project_id: number
    seq: number
    at: number
    kind: number
    /** Of a trace. */
    ref: number | null
    data: string
    /** Of a run. */
    run: number | null
  }
  tombstones: { project_id: number; id_hash: string; at: number }
  receipts: { project_id: number; batch_id: string; source: string | null; received_at: number; results: string }
  messages: { project_id: number; id: string; body_hash: string; at: number }
  keys: {
    id: string
    project_id: number
    name: string
    hash: string
    prefix: string
    scopes: string
    created_at: number
    expires_at: number | null
    revoked_at: number | null
    last_used_at: number | null
  }
  tokens: { hash: string; project_id: number; kind: string; key_id: string | null; expires_at: number }
  jobs: {
    id: Generated<number>
    project_id: number
    queue: string
    payload: string
    run_at: number
    attempts: number
    max_attempts: number
    owner: string | null
    lease_until: number
    error: string | null
    failed: number
  }
  consumers: { project_id: number; name: string; seq: number; owner: string | null; lease_until: number }
  /** `model_id` 0 is all models; `span` is the length of the bucket in seconds. */
  rollups: {
    project_id: number
    span: number
    start: number
    model_id: number
    traces: number
    accepted: number
    rejected: number
    cost_sum: number
    cost_count: number
    tokens_sum: number
    tokens_count: number
    latency_count: number
    latency: string
  }
  /** Postgres only: the full-text index. On SQLite it is a file of its own. */
  search_documents: { project_id: number; ref: number; tokens: unknown }
}
