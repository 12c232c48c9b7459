import type { FunctionCall, TraceFilter, TraceInput } from '@llm-eval/protocol'
import { LLMEvalError } from './error.ts'
import { newIdentifier } from './identifier.ts'

/** A trace as it is handed to `sendTrace`. What you leave out counts as unknown, never as zero. */
export interface TraceData {
  /** Your identifier, unique in the project. A random one if absent. Sending the same trace again under it does no harm. */
  traceId?: string | undefined
  /** When it happened; the server's clock if absent. */
  timestamp?: string | Date | undefined
  modelName: string
  userQuery: string
  aiResponse: string
  systemPrompt?: string | undefined
  functionsCalled?: FunctionCall[] | undefined
  /** Anything you like; its keys are kept as they are. */
  metadata?: Record<string, unknown> | undefined
  tokensUsed?: number | null | undefined
  /** Milliseconds. */
  responseTimeMs?: number | null | undefined
  /** US dollars. */
  cost?: number | null | undefined
  sessionId?: string | null | undefined
  userId?: string | null | undefined
  source?: string | null | undefined
}

/** The same, spelled as on the wire. */
export type TraceDataSnake = Undefinable<Omit<TraceInput, 'trace_id' | 'timestamp'>> & {
  trace_id?: string | undefined
  timestamp?: string | Date | undefined
}

/** A trace in either spelling. */
export type AnyTrace = TraceData | TraceDataSnake

type Undefinable<T> = { [K in keyof T]: undefined extends T[K] ? T[K] | undefined : T[K] }

/** Filters of a trace list, in either spelling; all combine with AND. */
export interface TraceQuery {
  modelName?: string | undefined
  evaluationStatus?: TraceFilter['evaluation_status'] | undefined
  source?: string | undefined
  sessionId?: string | undefined
  userId?: string | undefined
  /** Inclusive. */
  from?: string | Date | undefined
  /** Exclusive. */
  to?: string | Date | undefined
  /** Milliseconds, inclusive. */
  minLatency?: number | undefined
  maxLatency?: number | undefined
  /** US dollars, inclusive. */
  minCost?: number | undefined
  maxCost?: number | undefined
  /** Full text over query and response. */
  q?: string | undefined
  /** Rows of one page, 1 to 200. */
  limit?: number | undefined
  /** `next_cursor` of the page before. */
  cursor?: string | undefined
}

const fields = {
  trace_id: true,
  timestamp: true,
  model_name: true,
  user_query: true,
  ai_response: true,
  system_prompt: true,
  functions_called: true,
  metadata: true,
  tokens_used: true,
  response_time_ms: true,
  cost: true,
  session_id: true,
  user_id: true,
  source: true,
} satisfies Record<keyof TraceInput, true>

const wireNames = new Map(Object.keys(fields).map((name) => [toCamel(name), name]))

/**
 * Spells the documented fields of a trace as the wire does. Values, and fields nobody knows, are left as they are;
 * a field that is undefined counts as absent. Given both ways, both are sent and the server decides.
 */
export function toWire(trace: object): Record<string, unknown> {
  const given = trace as Record<string, unknown>
  const entries: [string, unknown][] = []
  for (const key of Object.keys(given)) {
    const value = given[key]
    // As JSON does; and a function named toJSON must not take over.
    if (value === undefined || typeof value === 'function') continue
    const name = wireNames.get(key)
    entries.push([name === undefined || (name !== key && given[name] !== undefined) ? key : name, value])
  }
  // Not by assignment: that would lose a key named __proto__.
  return Object.fromEntries(entries)
}

/** A trace ready to be sent. */
export interface Parcel {
  json: string
  /** UTF-8 bytes of `json`. */
  bytes: number
}

const encoder = new TextEncoder()

/**
 * Writes a trace as JSON. Throws an `LLMEvalError` when it cannot be written (circular, BigInt, not an object).
 *
 * @param path where the trace stands in what the caller handed in, for the error
 */
export function toParcel(trace: unknown, path = ''): Parcel {
  try {
    if (typeof trace !== 'object' || trace === null || Array.isArray(trace)) {
      throw new TypeError(`a trace is an object, not ${Array.isArray(trace) ? 'an array' : String(trace)}`)
    }
    const wire = toWire(trace)
    if (wire['trace_id'] === undefined && wire['traceId'] === undefined) wire['trace_id'] = newIdentifier()
    const json = JSON.stringify(wire)
    return { json, bytes: encoder.encode(json).length }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new LLMEvalError('failed', `${path || 'The trace'} cannot be written as JSON: ${message}`, {
      failure: 'invalid_request',
      errors: [{ path, message }],
      cause,
    })
  }
}

/** Query parameters of a list: names in snake_case, dates in RFC 3339, absent ones left out. */
export function toQuery(options: object): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [key, value] of Object.entries(
    options as Record<string, string | number | boolean | Date | null | undefined>,
  )) {
    if (value === undefined || value === null) continue
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    query[name] = value instanceof Date ? value.toISOString() : `${value}`
  }
  return query
}

function toCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
