import { Failure, limits, type TraceDetail } from '@llm-eval/protocol'
import type { ParsedFilter } from '@llm-eval/protocol/schemas'
import type { Filter, StoredTrace, TraceBody } from '@llm-eval/store'
import { parseExactly } from '../intake/numbers.ts'

/** Milliseconds that one page may search before it is answered with what was found. */
export const sliceMs = 50

/** The store's filter: an empty search is none, and bounds that no trace can pass stay within what a database can compare. */
export function toFilter({ q, ...query }: ParsedFilter): Filter {
  if (query.evaluator === undefined) refuseScores(query)
  return {
    ...query,
    q: q === '' ? undefined : q,
    min_latency: within(query.min_latency, limits.countMax),
    max_latency: within(query.max_latency, limits.countMax),
    min_cost: within(query.min_cost, limits.costMax),
    max_cost: within(query.max_cost, limits.costMax),
  }
}

/** Bounds of scores say nothing without the evaluator that gave them. */
function refuseScores(query: ParsedFilter): void {
  const given = scoreFilters.filter((name) => query[name] !== undefined)
  if (given.length === 0) return
  const message = 'needs an evaluator: name one in `evaluator`'
  throw new Failure('invalid_query', { errors: given.map((path) => ({ path, message })) })
}

const scoreFilters = ['min_score', 'max_score', 'passed', 'score_outcome'] as const

function within(bound: number | undefined, max: number): number | undefined {
  return bound === undefined ? undefined : Math.min(Math.max(bound, -1), max + 1)
}

/** The failure for a cursor that is not one, or belongs to another list. */
export function invalidCursor(): Failure {
  const message = 'is not a cursor of this list: leave it out to start from the newest trace'
  return new Failure('invalid_query', { errors: [{ path: 'cursor', message }] })
}

/** The trace as it goes out. `JSON.stringify` writes its numbers as they came in, also those that a double cannot hold. */
export function toDetail({ exactBody, ...trace }: StoredTrace): TraceDetail {
  // The store wrote this text itself, from a trace that fitted the schema.
  return exactBody === null
    ? trace
    : { ...trace, ...(parseExactly(exactBody) as TraceBody & Pick<TraceDetail, 'functions_called'>) }
}
