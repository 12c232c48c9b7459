import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { Tables } from './tables.ts'

/** Numbers by which events are stored; never change one. */
export const eventKinds = {
  trace_created: 1,
  trace_updated: 2,
  trace_deleted: 3,
  reviewed: 4,
  traces_expired: 5,
  user_erased: 6,
  scored: 7,
  execution_started: 8,
  execution_progress: 9,
  execution_ended: 10,
  run_created: 11,
  run_updated: 12,
  run_ended: 13,
  run_deleted: 14,
  run_item: 15,
  agent_tested: 16,
  agent_tests_changed: 17,
  conversation_changed: 18,
  conversation_deleted: 19,
} as const
export type EventKind = keyof typeof eventKinds

/** Numbers by which review statuses are stored; never change one. */
export const statusNumbers = { pending: 0, in_review: 1, accepted: 2, rejected: 3 } as const

/** What a commit adds to the counters of a project. */
export type CounterName =
  | 'total'
  | 'accepted'
  | 'rejected'
  | 'in_review'
  | 'latency_sum'
  | 'latency_count'
  | 'cost_sum'
  | 'cost_count'
  | 'tokens_sum'
  | 'tokens_count'

export const counterNames: readonly CounterName[] = [
  'total',
  'accepted',
  'rejected',
  'in_review',
  'latency_sum',
  'latency_count',
  'cost_sum',
  'cost_count',
  'tokens_sum',
  'tokens_count',
]

export interface PendingEvent {
  at: number
  kind: number
  ref: number | null
  /** Of a run and its items. */
  run: number | null
  data: string
}

/** What one project gets in one transaction: its events and what they add to the counters. Written by the transaction's last statement. */
export class Ledger {
  readonly events: PendingEvent[] = []
  readonly counters = new Map<CounterName, number>()
  readonly days = new Map<number, number>()

  /** Notes an event. `data` holds ids, enums and numbers only. */
  emit(kind: EventKind, event: { at: number; ref: number | null; run?: number; data: string }): void {
    const { at, ref, run = null, data } = event
    this.events.push({ at, kind: eventKinds[kind], ref, run, data })
  }

  add(counter: CounterName, amount: number): void {
    if (amount !== 0) this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount)
  }

  /** Counts a trace in (+1) or out (-1), with everything the counters keep of it. */
  countTrace(trace: CountedTrace, sign: 1 | -1): void {
    this.add('total', sign)
    if (trace.latencyMs !== null) {
      this.add('latency_sum', sign * trace.latencyMs)
      this.add('latency_count', sign)
    }
    if (trace.costNano !== null) {
      this.add('cost_sum', sign * trace.costNano)
      this.add('cost_count', sign)
    }
    if (trace.tokens !== null) {
      this.add('tokens_sum', sign * trace.tokens)
      this.add('tokens_count', sign)
    }
    this.countStatus(trace.status, sign)
    const day = Math.floor(trace.timestamp / 86_400_000)
    this.days.set(day, (this.days.get(day) ?? 0) + sign)
  }

  /** Counts a status in or out; pending is what is left over. */
  countStatus(status: number, sign: 1 | -1): void {
    if (status === statusNumbers.accepted) this.add('accepted', sign)
    else if (status === statusNumbers.rejected) this.add('rejected', sign)
    else if (status === statusNumbers.in_review) this.add('in_review', sign)
  }

  get isEmpty(): boolean {
    return this.events.length === 0 && this.counters.size === 0 && this.days.size === 0
  }
}

export interface CountedTrace {
  timestamp: number
  latencyMs: number | null
  costNano: number | null
  tokens: number | null
  status: number
}

/** An open transaction as changes see it. */
export interface Transaction {
  readonly db: Kysely<Tables>
  readonly dialect: Dialect
  readonly projectId: number
  readonly ledger: Ledger
  /** Makes tombstones unlinkable to ids without the database. */
  readonly salt: string
  /** The id of a model name, made when it is new. */
  modelId(name: string): Promise<number>
  /** Refs for `count` new traces, the first of a row of them; null where the database hands them out itself. */
  takeRefs(count: number): number | null
  /** Tells the ingest path that this project has tombstones now. */
  noteTombstones(): void
}

/** What remains of the id of a deleted trace. */
export function tombstone(salt: string, traceId: string): string {
  return createHash('sha256').update(`${salt}\u0000${traceId}`).digest('hex').slice(0, 32)
}
