import {
  type ExecutionStatus,
  executionStatuses,
  type RejectReason,
  type ReviewStatus,
  rejectReasons,
  scoreOutcomes,
  type ScoreOutcome,
  type TraceSummary,
} from '@llm-eval/protocol'
import { decodeAgentChange, decodeAgentReport } from './agent-test-rows.ts'
import { decodeConversation } from './conversation-rows.ts'
import { decodeRun, isRunKind } from './run-events.ts'
import type { RunEvent } from './run-queries.ts'
import type { StoredEvent, StoredScore, TraceNumbers } from './store.ts'
import { type EventKind, eventKinds, statusNumbers } from './transaction.ts'

// Event data is a JSON array of numbers: compact, and there is no place in it where text could hide.

const kindNames = new Map(Object.entries(eventKinds).map(([name, number]) => [number as number, name as EventKind]))
const reasonCodes = Object.keys(rejectReasons) as RejectReason[]
const statusNames = new Map(
  Object.entries(statusNumbers).map(([name, number]) => [number as number, name as ReviewStatus]),
)

/** The status a stored number stands for. */
export function statusName(number: number): ReviewStatus {
  const name = statusNames.get(number)
  if (!name) throw new RangeError(`the database holds an unknown review status: ${number}`)
  return name
}

/** Numbers by which statuses of executions and outcomes of scores are stored are their places in these lists; never change one. */
export function executionStatus(number: number): ExecutionStatus {
  const name = executionStatuses[number]
  if (!name) throw new RangeError(`the database holds an unknown status of an execution: ${number}`)
  return name
}

export function executionNumber(status: ExecutionStatus): number {
  return executionStatuses.indexOf(status)
}

/** The outcome a stored number stands for. */
export function outcomeName(number: number): ScoreOutcome {
  const name = scoreOutcomes[number]
  if (!name) throw new RangeError(`the database holds an unknown outcome of a score: ${number}`)
  return name
}

export function outcomeNumber(outcome: ScoreOutcome): number {
  return scoreOutcomes.indexOf(outcome)
}

export function minuteOf(timestamp: number): number {
  return Math.floor(timestamp / 60_000)
}

const numbers = (n: TraceNumbers) => [n.modelId, n.minute, n.latencyMs, n.costNano, n.tokens]

export function encodeTrace(n: TraceNumbers): string {
  return `[${n.modelId},${n.minute},${n.latencyMs},${n.costNano},${n.tokens}]`
}

export function encodeUpdate(now: TraceNumbers, was: TraceNumbers, status: number): string {
  return JSON.stringify([...numbers(now), ...numbers(was), status])
}

export function encodeDeletion(n: TraceNumbers, status: number): string {
  return JSON.stringify([...numbers(n), status])
}

export function encodeReview(review: {
  modelId: number
  minute: number
  from: number
  to: number
  version: number
  reason: RejectReason | null
}): string {
  const reason = review.reason === null ? null : reasonCodes.indexOf(review.reason)
  return JSON.stringify([review.modelId, review.minute, review.from, review.to, review.version, reason])
}

/** The execution stands in the data: the ref of an event is always that of a trace. */
export function encodeExecution(ref: number, status: ExecutionStatus, steps?: { done: number; total: number }): string {
  return `[${ref},${executionNumber(status)},${steps?.done ?? null},${steps?.total ?? null}]`
}

export function encodeScored(modelId: number, execution: number): string {
  return `[${modelId},${execution}]`
}

/** An event row with what was joined to it: the trace (null when it was deleted since), its model, the reviewer. */
export interface EventRow {
  seq: number
  at: number
  kind: number
  ref: number | null
  run: number | null
  data: string
}

export interface Joined {
  trace: TraceSummary | null
  model: (id: number) => string
  reviewer: (ref: number, version: number) => string | null
  /** By the ref of its execution; null when that is gone. */
  score: (execution: number) => StoredScore | null
  /** By the ref of a report of agent tests; null when that is gone. */
  report: (ref: number) => { id: string; suite: string } | null
  /** By the number of a conversation; null when it is gone. */
  thread: (conversation: number) => string | null
}

/** Reads an event as {@link StoredEvent}. */
export function decodeEvent(row: EventRow, joined: Joined): StoredEvent {
  const kind = kindNames.get(row.kind)
  if (!kind) throw new RangeError(`the journal holds an unknown kind of event: ${row.kind}`)
  const d = JSON.parse(row.data) as (number | null)[]
  const base = { seq: row.seq, at: row.at }
  if (kind === 'traces_expired' || kind === 'user_erased')
    return { ...base, kind, ref: null, data: { count: d[0] ?? 0 } }
  if (kind === 'execution_started' || kind === 'execution_progress' || kind === 'execution_ended') {
    const data = { status: executionStatus(d[1] ?? 0), done: d[2] ?? null, total: d[3] ?? null }
    return { ...base, kind, ref: d[0] ?? 0, data }
  }
  if (kind === 'agent_tested') {
    const data = decodeAgentReport(d)
    return { ...base, kind, ref: null, data, report: joined.report(data.report) }
  }
  if (kind === 'agent_tests_changed') return { ...base, kind, ref: null, data: decodeAgentChange(d) }
  if (kind === 'conversation_changed') {
    const data = decodeConversation(d)
    return { ...base, kind, ref: null, data, thread: joined.thread(data.conversation) }
  }
  if (kind === 'conversation_deleted') return { ...base, kind, ref: null, data: decodeConversation(d) }
  if (isRunKind(kind)) return runEvent(kind, row.run ?? 0, { base, d })
  const ref = row.ref ?? 0
  const model = joined.model(d[0] ?? 0)
  if (kind === 'scored') {
    const data = { modelId: d[0] ?? 0, execution: d[1] ?? 0 }
    return { ...base, kind, ref, data, model, trace: joined.trace, score: joined.score(data.execution) }
  }
  if (kind === 'reviewed') {
    const [modelId, minute, from, to, version, reason] = d
    const data = {
      modelId: modelId ?? 0,
      minute: minute ?? 0,
      from: statusName(from ?? 0),
      to: statusName(to ?? 0),
      version: version ?? 0,
      reason: reason === null || reason === undefined ? null : (reasonCodes[reason] ?? null),
    }
    return { ...base, kind, ref, data, model, trace: joined.trace, reviewer: joined.reviewer(ref, data.version) }
  }
  const data = numbersAt(d, 0)
  if (kind === 'trace_deleted')
    return { ...base, kind, ref, data: { ...data, status: statusName(d[5] ?? 0) }, model, trace: null }
  if (kind === 'trace_updated') {
    const was = numbersAt(d, 5)
    return { ...base, kind, ref, data: { ...data, was, status: statusName(d[10] ?? 0) }, model, trace: joined.trace }
  }
  return { ...base, kind, ref, data, model, trace: joined.trace }
}

function runEvent(
  kind: RunEvent['kind'],
  run: number,
  { base, d }: { base: { seq: number; at: number }; d: (number | null)[] },
): StoredEvent {
  const { data, item } = decodeRun(d)
  if (kind !== 'run_item') return { ...base, kind, ref: null, run, data }
  const { itemIndex, status: itemStatus } = item ?? { itemIndex: 0, status: 'failed' }
  return { ...base, kind, ref: null, run, data: { ...data, itemIndex, itemStatus } }
}

function numbersAt(d: (number | null)[], at: number): TraceNumbers {
  return {
    modelId: d[at] ?? 0,
    minute: d[at + 1] ?? 0,
    latencyMs: d[at + 2] ?? null,
    costNano: d[at + 3] ?? null,
    tokens: d[at + 4] ?? null,
  }
}
