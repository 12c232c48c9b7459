/** Whether the fields of a trace fit the schema: a quick check for those that do, zod's own words for those that do not. */
import { type Fault, isObject, limits } from '@llm-eval/protocol'
import { name, traceInput } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { TraceField } from './fields.ts'

/** A trace that fits the schema: names are trimmed, what was not given is undefined or null. */
export interface CheckedTrace {
  trace_id: string
  timestamp?: string | undefined
  model_name: string
  user_query: string
  ai_response: string
  system_prompt?: string | null | undefined
  functions_called?: unknown[] | null | undefined
  metadata?: Record<string, unknown> | null | undefined
  tokens_used?: number | null | undefined
  response_time_ms?: number | null | undefined
  cost?: number | null | undefined
  session_id?: string | null | undefined
  user_id?: string | null | undefined
  source?: string | null | undefined
}

type Values = { [K in TraceField]?: unknown }

/** The trace, or what is wrong with it. `path` names the trace in the request, e.g. `traces[3]`. */
export function checkTrace(values: Values, path: string): CheckedTrace | Fault[] {
  const quick = quickCheck(values)
  if (quick) return quick
  const parsed = traceInput.safeParse(values)
  return parsed.success ? parsed.data : faultsUnder(path, parsed.error.issues)
}

/** Accepts nothing that the schema refuses; a test holds the two against each other. */
export function quickCheck(values: Values): CheckedTrace | undefined {
  const { user_query, ai_response, system_prompt, timestamp, functions_called, metadata } = values
  const { tokens_used, response_time_ms, cost } = values
  if (!isText(user_query) || !isText(ai_response)) return undefined
  if (!isNone(system_prompt) && !isText(system_prompt)) return undefined
  if (timestamp !== undefined && !isTime(timestamp)) return undefined
  if (!isNone(functions_called) && !areCalls(functions_called)) return undefined
  if (!isNone(metadata) && !isObject(metadata)) return undefined
  if (!isNone(tokens_used) && !(isAmount(tokens_used, limits.countMax) && Number.isSafeInteger(tokens_used)))
    return undefined
  if (!isNone(response_time_ms) && !isAmount(response_time_ms, limits.countMax)) return undefined
  if (!isNone(cost) && !isAmount(cost, limits.costMax)) return undefined
  const trace_id = quickName(values.trace_id)
  const model_name = quickName(values.model_name)
  if (trace_id === undefined || model_name === undefined) return undefined
  const session_id = quickOptionalName(values.session_id)
  const user_id = quickOptionalName(values.user_id)
  const source = quickOptionalName(values.source)
  if (session_id === undefined || user_id === undefined || source === undefined) return undefined
  return {
    trace_id,
    timestamp,
    model_name,
    user_query,
    ai_response,
    system_prompt,
    functions_called,
    metadata,
    tokens_used,
    response_time_ms,
    cost,
    session_id,
    user_id,
    source,
  }
}

// Up to 170 characters fit into 512 bytes whatever they are; these take one each.
const plainName = /^(?!\.\.?$)[!-~](?:[ -~]{0,198}[!-~])?$/

/** The trimmed name, or undefined when it is none. */
export function quickName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (plainName.test(value)) return value
  const parsed = name.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

/** The trimmed name, null when there is none, undefined when it is not one. */
function quickOptionalName(value: unknown): string | null | undefined {
  return isNone(value) ? null : quickName(value)
}

function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= limits.textChars
}

const timePattern = z.regexes.datetime({ offset: true, local: true })

function isTime(value: unknown): value is string {
  return typeof value === 'string' && timePattern.test(value)
}

function isAmount(value: unknown, max: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= max
}

function areCalls(value: unknown): value is unknown[] {
  if (!Array.isArray(value) || value.length > limits.functionCalls) return false
  for (const call of value as unknown[]) {
    if (!isObject(call) || typeof call.name !== 'string') return false
    if (call.name.length === 0 || call.name.length > limits.nameChars) return false
  }
  return true
}

/** At most this many faults of one object are told. */
const maxFaults = 20

/** What zod found, under the path of the object in its request. */
export function faultsUnder(path: string, issues: readonly z.core.$ZodIssue[]): Fault[] {
  return faultsOf(issues.slice(0, maxFaults)).map((fault) => ({
    path: [path, fault.path].filter(Boolean).join('.'),
    message: fault.message.replace('of type record', 'of type object'),
  }))
}
