import type {
  ApiKey,
  BatchReceipt,
  Facets,
  ItemStatus,
  Metrics,
  RejectReason,
  ReleaseVerdict,
  ReviewStatus,
  Scope,
  ScoreOutcome,
  ScoreSummary,
  Series,
  Span,
  TraceDetail,
  TraceSummary,
} from '@llm-eval/protocol'
import type { AgentTestChanges, AgentTestQueries } from './agent-tests.ts'
import type { AgentSubject } from './agent-test-rows.ts'
import type { ConversationChanges, ConversationNumbers, ConversationQueries } from './conversations.ts'
import type { DatasetChanges, DatasetQueries } from './datasets.ts'
import type { EvaluationChanges, EvaluationQueries, ExecutionNumbers, NewExecution } from './evaluation.ts'
import type { ExperimentChanges, ExperimentQueries } from './experiments.ts'
import type { Head } from './head.ts'
import type { RunChanges, RunNumbers } from './runs.ts'
import type { RunQueries } from './run-queries.ts'

/** A trace ready to be stored: validated, redacted and priced. Null is unknown. */
export interface NewTrace {
  traceId: string
  /** Milliseconds since 1970. */
  timestamp: number
  receivedAt: number
  model: string
  source: string | null
  sessionId: string | null
  userId: string | null
  batchId: string | null
  latencyMs: number | null
  /** Nano-dollars, a whole number. */
  costNano: number | null
  tokens: number | null
  /** First characters of query and response, for lists. */
  queryPreview: string
  responsePreview: string
  /** Bit i stands for `capturedParts[i]`. */
  captured: number
  /** Hash of the item as it was sent; decides between duplicate and conflict. */
  hash: string
  /** JSON text of {@link TraceBody}; stored as it is, read lazily. */
  body: string
}

/** The part of a trace that only its own page needs. */
export interface TraceBody {
  user_query: string
  ai_response: string
  system_prompt: string
  functions_called: unknown[]
  metadata: Record<string, unknown>
  extra: Record<string, unknown>
}

/** A whole trace as it is read. */
export interface StoredTrace extends TraceDetail {
  /**
   * JSON of the {@link TraceBody}, as it was stored, where it may hold numbers that a double cannot; the fields of the trace
   * hold the nearest doubles then. Null elsewhere.
   */
  exactBody: string | null
}

/** What one request wants stored, in one piece. */
export interface Ingest {
  traces: NewTrace[]
  /** Written with the traces. `results` has an entry per item of the request; null where a trace of `traces` goes, in order. */
  receipt?: { batchId: string; source: string | null; receivedAt: number; refused: (RefusedItem | null)[] }
  /** The `webhook-id` of a signed message and the hash of its body. */
  message?: { id: string; bodyHash: string }
}

/** An item of a batch that never reached the store. */
export interface RefusedItem {
  status: 'invalid'
  error: string
}

/** `deleted`: the id has a tombstone. `invalid`: the database refused the row. */
export interface TraceOutcome {
  status: ItemStatus | 'deleted'
  error?: string
}

export interface IngestResult {
  /** In the order of `traces`. */
  outcomes: TraceOutcome[]
  /** The message id was seen before, with another body: nothing was stored. */
  replay: boolean
  /** The journal's last sequence number after this commit. */
  seq: number
}

/** A span ready to be stored. */
export interface NewSpan extends Span {
  traceId: string
  hash: string
}

/**
 * State changes other than ingest. Each is applied in the group commit, together with its events and counters; each has
 * one implementation for both drivers.
 */
export interface Changes
  extends EvaluationChanges,
    DatasetChanges,
    ExperimentChanges,
    RunChanges,
    AgentTestChanges,
    ConversationChanges {
  review: {
    in: {
      traceId: string
      status: ReviewStatus
      reason: RejectReason | null
      note: string | null
      reviewer: string | null
      at: number
      expectedVersion: number | null
    }
    out:
      | { result: 'ok'; version: number; previous: ReviewStatus }
      | { result: 'not_found' }
      | { result: 'version_conflict'; version: number; status: ReviewStatus; reviewer: string | null }
      | { result: 'already_claimed'; reviewer: string }
  }
  /** Removes the trace with all that hangs on it, and keeps a hashed tombstone. */
  deleteTrace: { in: { traceId: string; at: number }; out: { found: boolean } }
  /** Deletes up to `limit` traces of a user as `deleteTrace` does, then his conversations; `deleted` counts both. Call again until `more` is false. */
  eraseUser: { in: { userId: string; at: number; limit: number }; out: { deleted: number; more: boolean } }
  /** Deletes up to `limit` traces with a timestamp before `before`, without tombstones. */
  expireTraces: { in: { before: number; at: number; limit: number }; out: { deleted: number; more: boolean } }
  /** Drops events before `before`, but none that a consumer still has to read. */
  trimEvents: { in: { before: number }; out: { firstSeq: number } }
  /** Spans of traces that may not exist yet (they open one). */
  putSpans: {
    in: { spans: NewSpan[]; at: number; model: string; source: string | null }
    out: { statuses: ('created' | 'duplicate' | 'conflict' | 'deleted')[] }
  }
  createKey: {
    in: {
      id: string
      name: string
      project: string
      hash: string
      prefix: string
      scopes: Scope[]
      at: number
      expiresAt: number | null
    }
    out: { created: boolean }
  }
  revokeKey: { in: { id: string; at: number }; out: { found: boolean } }
  /** Called at most once a minute per key. */
  touchKey: { in: { id: string; at: number }; out: { found: boolean } }
  /** `keyId` null: the token acts as an unrestricted local caller. */
  createToken: {
    in: { hash: string; tokenKind: TokenKind; keyId: string | null; expiresAt: number }
    out: { created: true }
  }
  /** Takes a single-use token away; null when it is unknown, used or expired. */
  redeemToken: { in: { hash: string; tokenKind: TokenKind; at: number }; out: { keyId: string | null } | null }
  deleteToken: { in: { hash: string }; out: { found: boolean } }
  /** Drops expired tokens and old message ids. */
  sweep: { in: { at: number; messagesBefore: number }; out: { dropped: number } }
  enqueueJob: { in: { queue: string; payload: unknown; runAt: number; maxAttempts: number }; out: { id: number } }
  /** Takes due jobs (or jobs whose lease ran out) for `leaseMs`; nobody else gets them meanwhile. */
  leaseJobs: { in: { queue: string; owner: string; at: number; leaseMs: number; limit: number }; out: { jobs: Job[] } }
  extendJob: { in: { id: number; owner: string; at: number; leaseMs: number }; out: { held: boolean } }
  completeJob: { in: { id: number; owner: string }; out: { held: boolean } }
  /** Gives the job back for `runAt`; after its last attempt it stays as `failed`, to be looked at. */
  failJob: { in: { id: number; owner: string; error: string; runAt: number }; out: { held: boolean; final: boolean } }
  /** Takes or keeps the right to consume; null when another owner holds it. A new consumer begins where `begin` says: `start` unless given. */
  claimConsumer: {
    in: { name: string; owner: string; at: number; leaseMs: number; begin?: 'start' | 'end' | undefined }
    out: { seq: number } | null
  }
  /** Moves a consumer forward together with what it made of the events. Refused (false) when the lease was lost or `from` is not where it stands. */
  advanceConsumer: {
    in: { name: string; owner: string; from: number; to: number; effects: Effect[] }
    out: { advanced: boolean }
  }
}

/** What a consumer writes together with its new offset. */
export type Effect =
  | { kind: 'rollups'; rows: RollupDelta[] }
  | { kind: 'index'; documents: { ref: number; tokens: string[] }[]; removed: number[] }
  /** What rules ask for. Nobody holds these yet: `takeExecutions` finds them. `limited` counts traces passed over by rule. */
  | {
      kind: 'executions'
      executions: NewExecution[]
      limited: { ruleId: string; day: number; count: number }[]
      at: number
    }

/** What one page of events adds to one minute of one model. Counts may be negative. */
export interface RollupDelta {
  minute: number
  modelId: number
  traces: number
  accepted: number
  rejected: number
  costNano: number
  costCount: number
  tokens: number
  tokensCount: number
  latencyCount: number
  /** Bucket -> count. */
  latency: Record<number, number>
}

export type TokenKind = 'session' | 'ticket' | 'signin'

export interface Job {
  id: number
  queue: string
  payload: unknown
  /** Counted from 1. */
  attempt: number
}

export type ChangeKind = keyof Changes
export type Change<K extends ChangeKind = ChangeKind> = { [P in K]: { kind: P } & Changes[P]['in'] }[K]
export type ChangeOutcome<K extends ChangeKind> = Changes[K]['out']

/** Filters of lists and exports; times in milliseconds, latency in milliseconds, cost in US dollars. */
export interface Filter {
  model_name?: string | undefined
  evaluation_status?: ReviewStatus | undefined
  source?: string | undefined
  session_id?: string | undefined
  user_id?: string | undefined
  from?: number | undefined
  to?: number | undefined
  min_latency?: number | undefined
  max_latency?: number | undefined
  min_cost?: number | undefined
  max_cost?: number | undefined
  q?: string | undefined
  /** Slug; the next four are about its newest score. */
  evaluator?: string | undefined
  min_score?: number | undefined
  max_score?: number | undefined
  passed?: boolean | undefined
  score_outcome?: ScoreOutcome | undefined
}

/** A key as `access` needs it. */
export interface StoredKey extends ApiKey {
  projectId: number
}

/** Everything that can be asked. Each query has one implementation for both drivers. */
export interface Queries
  extends EvaluationQueries,
    DatasetQueries,
    ExperimentQueries,
    RunQueries,
    AgentTestQueries,
    ConversationQueries {
  /** Newest first. Stops at `limit` rows or after about `sliceMs` of searching. The cursor is opaque. */
  listTraces: {
    in: { filter: Filter; limit: number; cursor: string | null; sliceMs: number }
    out: { items: TraceSummary[]; nextCursor: string | null; searchedTo: number | null } | { invalidCursor: true }
  }
  /** As `listTraces`, with the whole traces; for exports. */
  pageTraces: {
    in: { filter: Filter; limit: number; cursor: string | null; sliceMs: number }
    out: { items: StoredTrace[]; nextCursor: string | null } | { invalidCursor: true }
  }
  trace: { in: { traceId: string }; out: StoredTrace | null }
  /** The newest traces by arrival, with the place in the journal they are a snapshot of. */
  snapshot: { in: { limit: number }; out: { items: TraceSummary[]; seq: number } }
  /** `day` is the number of days since 1970 that counts as today. */
  metrics: { in: { day: number }; out: Metrics }
  series: { in: { from: number; to: number; stepSeconds: number; model: string | null }; out: Series }
  facets: { in: object; out: Facets }
  receipt: { in: { batchId: string }; out: BatchReceipt | null }
  head: { in: object; out: Head }
  /** Events after `after`, oldest first, at most `limit` rows and about `bytes` of them. */
  events: { in: { after: number; limit: number; bytes: number }; out: EventPage }
  keys: { in: object; out: ApiKey[] }
  keyByHash: { in: { hash: string }; out: StoredKey | null }
  keyById: { in: { id: string }; out: StoredKey | null }
  /** A token that may be used more than once (a session). */
  token: { in: { hash: string; kind: TokenKind; at: number }; out: { keyId: string | null } | null }
  project: { in: { name: string }; out: { id: number } | null }
  projects: { in: object; out: { id: number; name: string }[] }
  /** How many events each consumer still has to read. */
  lags: { in: object; out: { search: number; rollups: number } }
  /** Projects in which this consumer has events to read and its right is free, or the owner's. The same whatever project asks. */
  behind: { in: { consumer: string; owner: string; at: number }; out: number[] }
  /** Events as they stand in the journal, without what can be joined to them: models are empty, traces null. */
  facts: { in: { after: number; limit: number }; out: StoredEvent[] }
  /** Texts for the search index, and the refs that did not fit into `bytes` (the first one always does). Traces that are gone are in neither. */
  searchTexts: {
    in: { refs: number[]; bytes: number }
    out: { texts: { ref: number; text: string }[]; left: number[] }
  }
}
export type QueryName = keyof Queries

/** Facts as the journal keeps them: ids, enums and numbers; text is joined when they are read. */
export type StoredEvent = {
  seq: number
  at: number
} & (
  | { kind: 'trace_created'; ref: number; data: TraceNumbers; model: string; trace: TraceSummary | null }
  | {
      kind: 'trace_updated'
      ref: number
      data: TraceNumbers & { was: TraceNumbers; status: ReviewStatus }
      model: string
      trace: TraceSummary | null
    }
  | { kind: 'trace_deleted'; ref: number; data: TraceNumbers & { status: ReviewStatus }; model: string; trace: null }
  | {
      kind: 'reviewed'
      ref: number
      data: {
        modelId: number
        minute: number
        from: ReviewStatus
        to: ReviewStatus
        version: number
        reason: RejectReason | null
      }
      model: string
      trace: TraceSummary | null
      reviewer: string | null
    }
  /** An automatic score; the text of it is joined from its execution, which is gone with its trace. */
  | {
      kind: 'scored'
      ref: number
      data: { execution: number; modelId: number }
      model: string
      trace: TraceSummary | null
      score: StoredScore | null
    }
  /** `ref` names the execution, not a trace. */
  | { kind: 'execution_started' | 'execution_progress' | 'execution_ended'; ref: number; data: ExecutionNumbers }
  /** `runEvents` tells these with what they are about. */
  | { kind: 'run_created' | 'run_updated' | 'run_ended' | 'run_deleted'; ref: null; run: number; data: RunNumbers }
  | {
      kind: 'run_item'
      ref: null
      run: number
      data: RunNumbers & { itemIndex: number; itemStatus: 'success' | 'failed' }
    }
  | {
      kind: 'agent_tested'
      ref: null
      data: { report: number; verdict: ReleaseVerdict | null; exitCode: 0 | 1 | 2; passed: number; cases: number }
      /** Null when it was deleted since. */
      report: { id: string; suite: string } | null
    }
  | { kind: 'agent_tests_changed'; ref: null; data: { subject: AgentSubject; removed: boolean } }
  /** `thread` is the id; null when it was deleted since. */
  | { kind: 'conversation_changed'; ref: null; data: ConversationNumbers; thread: string | null }
  | { kind: 'conversation_deleted'; ref: null; data: ConversationNumbers }
  | { kind: 'traces_expired'; ref: null; data: { count: number } }
  | { kind: 'user_erased'; ref: null; data: { count: number } }
)

/** A score as a `scored` event tells it. */
export type StoredScore = ScoreSummary & { execution_id: string }

/** The numbers of a trace that roll-ups are made of. */
export interface TraceNumbers {
  modelId: number
  /** Minutes since 1970. */
  minute: number
  latencyMs: number | null
  costNano: number | null
  tokens: number | null
}

export interface EventPage {
  events: StoredEvent[]
  head: Head
}

export interface FollowOptions {
  signal: AbortSignal
  /** Rows and bytes of one page. */
  limit?: number
  bytes?: number
}

/** What a consumer makes of events. */
export interface Consumer {
  name: string
  signal: AbortSignal
  /** What a page of one project's events means; written in the transaction that moves the consumer on to `to`. */
  digest: (events: readonly StoredEvent[], projectId: number) => Promise<{ effects: Effect[]; to: number }>
}

/** Gauges of the store, for `/metrics` and health. */
export interface StoreStats {
  queuedTraces: number
  queuedBytes: number
  /** Milliseconds that the last group commits took, newest last; at most 1,000, cleared by reading. */
  commitMs: number[]
  committedTraces: number
  commits: number
  /** Postgres connections: in use, and the most there may be; null on SQLite. */
  pool: { used: number; size: number } | null
}

/**
 * The one place that remembers. State and the events that tell of it are written in the same transaction; concurrent
 * callers share a group commit; a promise that resolved means: durable, and visible to every later read.
 *
 * Failures: `overloaded` when the queue is full, `storage_unavailable` when the database takes no writes, `shutting_down`
 * after `close`. In each case nothing of the call was stored.
 */
export interface Store {
  readonly driver: 'sqlite' | 'postgres'
  /** Stores traces; each item's fate is told, one bad item never spoils another. */
  ingest(projectId: number, ingest: Ingest): Promise<IngestResult>
  /** Applies one change. */
  apply<K extends ChangeKind>(projectId: number, change: Change<K>): Promise<ChangeOutcome<K>>
  read<Q extends QueryName>(projectId: number, query: Q, args: Queries[Q]['in']): Promise<Queries[Q]['out']>
  /**
   * Pages of events after `after`, oldest first, for ever: no gap, no repeat, in order. Wakes are hints; it looks by itself
   * at least once a second. Ends when the signal aborts.
   */
  follow(projectId: number, after: number, options: FollowOptions): AsyncIterable<EventPage>
  /**
   * Runs a consumer until the signal aborts: a follower of every project whose place is durable, so that each event takes
   * effect exactly once. One process at a time has the right to it.
   */
  consume(consumer: Consumer): Promise<void>
  /** Calls back after each commit of this process that wrote events. Returns the way to stop. */
  onCommit(listener: (projectId: number, seq: number) => void): () => void
  /** Whether a cursor can be resumed from this head. */
  stats(): StoreStats
  /** Throws when the database does not answer. */
  ping(): Promise<void>
  /** Writes a consistent copy (SQLite: one file; Postgres: refused, use pg_dump). The copy has an epoch of its own. */
  backup(path: string): Promise<void>
  /** Commits what is queued, then lets go. */
  close(): Promise<void>
}
