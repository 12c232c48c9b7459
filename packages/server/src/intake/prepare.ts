/** Makes a trace as it was sent into one that can be stored: validated, normalised, hashed, previewed. */
import { type CapturedPart, capturedParts, type Fault, limits } from '@llm-eval/protocol'
import { parseTime } from '@llm-eval/protocol/schemas'
import type { NewTrace } from '@llm-eval/store'
import { hashOf, sorted } from './canonical.ts'
import { type CheckedTrace, checkTrace, quickName } from './check.ts'
import { type Spelled, spell, spellings, type TraceField, traceFields } from './fields.ts'
import { parseExactly, toNano } from './numbers.ts'
import { preview } from './preview.ts'
import type { Outline } from './scan.ts'
import { unknownFieldWarnings } from './warnings.ts'

/** A trace inside a request. */
export interface SentTrace {
  value: unknown
  /** The JSON that `value` was parsed from, and its outline with every child. */
  text: string
  outline: Outline
  /** Where it stands in the request: empty, or `traces[3]`. */
  path: string
}

/** How a trace came here. */
export interface Arrival {
  /** Milliseconds since 1970. */
  at: number
  /** Applies to traces that do not name their own. */
  source: string | null
  batchId: string | null
}

export interface AcceptedTrace {
  trace: NewTrace
  /** What looks like a mistake, in words for the sender. */
  warnings: string[]
}

export interface RefusedTrace {
  /** Null when it has none that is usable. */
  traceId: string | null
  faults: Fault[]
}

const known = spellings(traceFields)

/** The trace, ready for the store, or what is wrong with it. */
export function prepareTrace(sent: SentTrace, arrival: Arrival): AcceptedTrace | RefusedTrace {
  const { value, text, outline, path } = sent
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { traceId: null, faults: [{ path, message: 'must be an object that holds one trace' }] }
  }
  const spelled = spell({ value, text, children: outline.children }, known)
  const faults = faultsBefore(spelled, sent)
  if (faults.length > 0) return { traceId: quickName(spelled.values.trace_id) ?? null, faults }
  const checked = checkTrace(spelled.values, path)
  if (Array.isArray(checked)) return { traceId: quickName(spelled.values.trace_id) ?? null, faults: checked }

  // Redaction and pricing belong here: between what was checked and what is built from it. The hash stays that of what was sent.
  const hash = hashOf(canonicalTrace(sent, spelled))
  const trace = buildTrace({ checked, spelled, hash }, arrival)
  if (!spelled.unknown) return { trace, warnings: [] }
  return { trace, warnings: unknownFieldWarnings([...spelled.unknown.keys()], traceFields, 'kept under extra') }
}

function faultsBefore(spelled: Spelled<TraceField>, { outline, path }: SentTrace): Fault[] {
  if (outline.depth > limits.jsonDepth) {
    return [
      { path, message: `is nested more than ${limits.jsonDepth} levels deep: flatten it, or send parts as strings` },
    ]
  }
  return spelled.faults.map((fault) => ({ ...fault, path: [path, fault.path].filter(Boolean).join('.') }))
}

/** The item as it was sent, before any default, in one spelling. */
function canonicalTrace({ value, text, outline }: SentTrace, spelled: Spelled<TraceField>): string {
  if (!outline.bigNumbers) return canonicalOf(spelled, value as Record<string, unknown>)
  const exact = parseExactly(text) as Record<string, unknown>
  return canonicalOf(spell({ value: exact, text, children: outline.children }, known), exact)
}

function canonicalOf({ values, unknown }: Spelled<TraceField>, item: Record<string, unknown>): string {
  // `fromEntries` makes `__proto__` an ordinary key.
  const extra = unknown && Object.fromEntries([...unknown.keys()].map((key) => [key, item[key]]))
  // In order already, so that the outermost object needs no sorting; what was not sent is undefined and left out.
  return JSON.stringify({
    ai_response: values.ai_response,
    cost: values.cost,
    extra: sorted(extra),
    functions_called: sorted(values.functions_called),
    metadata: sorted(values.metadata),
    model_name: values.model_name,
    response_time_ms: values.response_time_ms,
    session_id: values.session_id,
    source: values.source,
    system_prompt: values.system_prompt,
    timestamp: values.timestamp,
    tokens_used: values.tokens_used,
    trace_id: values.trace_id,
    user_id: values.user_id,
    user_query: values.user_query,
  } satisfies Record<TraceField | 'extra', unknown>)
}

interface Parts {
  checked: CheckedTrace
  spelled: Spelled<TraceField>
  hash: string
}

function buildTrace({ checked, spelled, hash }: Parts, arrival: Arrival): NewTrace {
  const { metadata } = checked
  const sessionId = checked.session_id ?? idFrom(metadata?.session_id ?? metadata?.sessionId)
  const userId = checked.user_id ?? idFrom(metadata?.user_id ?? metadata?.userId)
  return {
    traceId: checked.trace_id,
    timestamp: checked.timestamp === undefined ? arrival.at : parseTime(checked.timestamp),
    receivedAt: arrival.at,
    model: checked.model_name,
    source: checked.source ?? arrival.source,
    sessionId,
    userId,
    batchId: arrival.batchId,
    latencyMs: checked.response_time_ms ?? null,
    costNano: toNano(checked.cost),
    tokens: checked.tokens_used ?? null,
    queryPreview: preview(checked.user_query),
    responsePreview: preview(checked.ai_response),
    captured: capturedMask(checked, { sessionId, userId }),
    hash,
    body: bodyOf(spelled),
  }
}

/** An id inside metadata counts when it could be one; metadata itself stays as it was sent. */
function idFrom(value: unknown): string | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : null
  return quickName(value) ?? null
}

const bits = Object.fromEntries(capturedParts.map((part, index) => [part, 1 << index])) as Record<CapturedPart, number>

/** What the source was able to observe: given, even if empty. */
function capturedMask(trace: CheckedTrace, ids: { sessionId: string | null; userId: string | null }): number {
  let mask = bits.response
  if (isGiven(trace.system_prompt)) mask |= bits.system_prompt
  if (isGiven(trace.functions_called)) mask |= bits.tools
  if (isGiven(trace.tokens_used)) mask |= bits.tokens
  if (isGiven(trace.cost)) mask |= bits.cost
  if (isGiven(trace.response_time_ms)) mask |= bits.latency
  if (ids.sessionId !== null) mask |= bits.session
  if (ids.userId !== null) mask |= bits.user
  return mask
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined
}

/**
 * JSON of a `TraceBody`, put together from the text that was sent, so that numbers of any size, key order and escapes stay as
 * they were.
 */
function bodyOf({ texts, values, unknown }: Spelled<TraceField>): string {
  const part = (field: TraceField, otherwise: string) =>
    isGiven(values[field]) ? (texts[field] ?? otherwise).trim() : otherwise
  const extra = unknown ? [...unknown].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',') : ''
  return (
    `{"user_query":${part('user_query', '""')},"ai_response":${part('ai_response', '""')},` +
    `"system_prompt":${part('system_prompt', '""')},"functions_called":${part('functions_called', '[]')},` +
    `"metadata":${part('metadata', '{}')},"extra":{${extra}}}`
  )
}
