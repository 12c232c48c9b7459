/**
 * What the server accepts, as zod schemas: the one source of validation, of OpenAPI and of the messages users see.
 * Only the server and the CLI import this module; the SDK and the browser use the plain types of the package root.
 */
import * as z from 'zod'
import { scopes } from './access.ts'
import { scoreOutcomes } from './evaluation.ts'
import { limits } from './limits.ts'
import { type RejectReason, rejectReasons, reviewStatuses } from './trace.ts'

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/

/**
 * An identifier or label that is indexed: 1 to 200 characters, at most 512 bytes, no control characters or lone
 * surrogates, and neither of the two that URLs resolve away: what has such a name could never be read or deleted by it.
 */
export const name = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(limits.nameChars, `may hold at most ${limits.nameChars} characters`)
  .refine((text) => !controlCharacter.test(text), 'must not hold control characters')
  .refine((text) => text !== '.' && text !== '..', 'must not be . or .., which no URL can name')
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .refine(
    (text) => text.length * 3 <= limits.nameBytes || new TextEncoder().encode(text).length <= limits.nameBytes,
    `may hold at most ${limits.nameBytes} bytes`,
  )

const text = z.string().max(limits.textChars, `may hold at most ${limits.textChars} characters`)
const timestamp = z.iso.datetime({
  offset: true,
  local: true,
  error: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z',
})
const count = z.number().nonnegative('must not be negative').max(limits.countMax, `must be at most ${limits.countMax}`)

const functionCall = z.looseObject({
  name: z.string().min(1).max(limits.nameChars),
  parameters: z.unknown().optional(),
  result: z.unknown().optional(),
})

/** One trace, after its keys were brought to snake_case. Unknown keys are kept apart before this schema sees the trace. */
export const traceInput = z.object({
  trace_id: name,
  timestamp: timestamp.optional(),
  model_name: name,
  user_query: text,
  ai_response: text,
  system_prompt: text.nullish(),
  functions_called: z
    .array(functionCall)
    .max(limits.functionCalls, `may hold at most ${limits.functionCalls} calls`)
    .nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  tokens_used: count.int('must be a whole number').nullish(),
  response_time_ms: count.nullish(),
  cost: z
    .number()
    .nonnegative('must not be negative')
    .max(limits.costMax, `must be at most ${limits.costMax}`)
    .nullish(),
  session_id: name.nullish(),
  user_id: name.nullish(),
  source: name.nullish(),
})
export type ParsedTrace = z.infer<typeof traceInput>

/** A batch around its traces; each trace is checked on its own, so that one bad trace does not refuse the others. */
export const batchInput = z.object({
  traces: z.array(z.unknown()).min(1, 'must hold at least one trace'),
  source: name,
  batch_id: name.nullish(),
})

const reasonByLabel = new Map<string, RejectReason>()
for (const [code, label] of Object.entries(rejectReasons)) {
  reasonByLabel.set(code, code as RejectReason)
  reasonByLabel.set(label.toLowerCase(), code as RejectReason)
}

/** A person's verdict. A rejection needs one of the seven reasons, as a code or in the words of the screen. */
export const reviewInput = z
  .strictObject({
    status: z.enum(reviewStatuses),
    reason: z
      .string()
      .transform((given, ctx): RejectReason => {
        const code = reasonByLabel.get(given.trim().toLowerCase())
        if (code) return code
        ctx.addIssue({ code: 'custom', message: `must be one of ${Object.keys(rejectReasons).join(', ')}` })
        return z.NEVER
      })
      .nullish(),
    note: z.string().max(limits.noteChars, `may hold at most ${limits.noteChars} characters`).nullish(),
    reviewer: name.nullish(),
    expected_version: z.int().nonnegative().optional(),
  })
  .refine((review) => review.status !== 'rejected' || review.reason, {
    path: ['reason'],
    message: `a rejection needs a reason: one of ${Object.keys(rejectReasons).join(', ')}`,
  })
export type ParsedReview = z.infer<typeof reviewInput>

// Query parameters arrive as text.
const numberText = z
  .string()
  .regex(/^-?[0-9]+(\.[0-9]+)?$/, 'must be a number')
  .transform(Number)
/** A whole number of a query, at least `min` and at most `max`. */
export const wholeText = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,12}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must lie between ${min} and ${max}`)
/** Yes or no of a query. */
export const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1')
const timeText = timestamp.transform((text) => parseTime(text))

/** Milliseconds since 1970 of an RFC 3339 time; one without an offset is taken as UTC. */
export function parseTime(text: string): number {
  return Date.parse(/(?:[zZ]|[+-][0-9]{2}:?[0-9]{2})$/.test(text) ? text : `${text}Z`)
}

const filterShape = {
  model_name: name.optional(),
  evaluation_status: z.enum(reviewStatuses).optional(),
  source: name.optional(),
  session_id: name.optional(),
  user_id: name.optional(),
  from: timeText.optional(),
  to: timeText.optional(),
  min_latency: numberText.optional(),
  max_latency: numberText.optional(),
  min_cost: numberText.optional(),
  max_cost: numberText.optional(),
  q: z.string().trim().max(limits.searchChars, `may hold at most ${limits.searchChars} characters`).optional(),
  evaluator: name.transform((slug) => slug.replaceAll('_', '-')).optional(),
  min_score: numberText.optional(),
  max_score: numberText.optional(),
  passed: flag.optional(),
  score_outcome: z.enum(scoreOutcomes).optional(),
}

/** The filters of lists and exports; times become milliseconds. */
export const filterQuery = z.strictObject(filterShape)
export type ParsedFilter = z.infer<typeof filterQuery>

/** `GET /api/v1/traces`. */
export const listQuery = z.strictObject({
  ...filterShape,
  limit: wholeText(1, limits.pageRows).default(50),
  cursor: z.string().max(400).optional(),
})

/** `GET /api/v1/exports/traces`. */
export const exportQuery = z.strictObject({ ...filterShape, format: z.enum(['csv', 'jsonl']).default('jsonl') })

/** `GET /api/v1/metrics/series`. */
export const seriesQuery = z
  .strictObject({
    from: timeText,
    to: timeText,
    step_seconds: wholeText(60, 86_400 * 7)
      .refine((seconds) => seconds % 60 === 0, 'must be a multiple of 60')
      .default(60),
    model_name: name.optional(),
  })
  .refine((query) => query.to > query.from, { path: ['to'], message: 'must lie after from' })
  .refine((query) => (query.to - query.from) / (query.step_seconds * 1000) <= limits.seriesPoints, {
    path: ['step_seconds'],
    message: `is too small for this range: an answer holds at most ${limits.seriesPoints} points`,
  })

const streamShape = {
  client_id: name.optional(),
  after: z.string().max(64).optional(),
  ticket: z.string().max(200).optional(),
}
const interval = wholeText(limits.metricsIntervalMin, limits.metricsIntervalMax)

/** `GET /stream/events`. */
export const streamEventsQuery = z.strictObject({
  ...streamShape,
  model_name: name.optional(),
  evaluation_status: z.enum(reviewStatuses).optional(),
  summaries: flag.default(false),
  metrics_interval: interval.optional(),
})

/** `GET /stream/traces`. */
export const streamTracesQuery = z.strictObject({
  ...streamShape,
  limit: wholeText(0, limits.initialTraces).default(10),
  model_name: name.optional(),
  evaluation_status: z.enum(reviewStatuses).optional(),
})

/** `GET /stream/metrics`. */
export const streamMetricsQuery = z.strictObject({ ...streamShape, interval: interval.default(5) })

/** `POST /api/v1/keys`. */
export const keyInput = z.strictObject({
  name,
  scopes: z.array(z.enum(scopes)).min(1, 'name at least one scope').default(['ingest']),
  expires_at: timeText.nullish(),
  /** Only an admin of the default project may name another one; it is made when it does not exist. */
  project: name.optional(),
})

/** `POST /api/v1/session`: a key, or the token of a sign-in link. */
export const signInInput = z.union([
  z.strictObject({ key: z.string().max(200) }),
  z.strictObject({ token: z.string().max(200) }),
])
