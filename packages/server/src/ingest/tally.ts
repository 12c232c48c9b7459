import { Failure } from '@llm-eval/protocol'
import type { TraceOutcome } from '@llm-eval/store'
import type { Meters } from '../meters/meters.ts'

/** Counts what becomes of what is sent. */
export interface Tally {
  bytes(count: number): void
  outcome(status: TraceOutcome['status']): void
  /** Counts a request that fails by the code of its failure, and passes it on. */
  refusals<T>(work: Promise<T>): Promise<T>
}

/** A tally on the meters; looks each counter up once, for that costs more than to count. */
export function createTally(meters: Meters): Tally {
  const counters: Record<TraceOutcome['status'], { inc(): void }> = {
    created: meters.ingested.labels('created'),
    duplicate: meters.ingested.labels('duplicate'),
    conflict: meters.ingested.labels('conflict'),
    invalid: meters.ingested.labels('invalid'),
    deleted: meters.ingested.labels('deleted'),
  }
  return {
    bytes: (count) => meters.ingestedBytes.inc(count),
    outcome: (status) => counters[status].inc(),
    refusals: (work) =>
      work.catch((error: unknown) => {
        const code = error instanceof Failure ? error.code : 'internal'
        meters.ingested.inc({ outcome: outcomes[code] ?? code })
        throw error
      }),
  }
}

// Of a single trace, an outcome that is no success is thrown; it counts as in a batch.
const outcomes: Record<string, TraceOutcome['status']> = { trace_conflict: 'conflict', trace_deleted: 'deleted' }
