/** What user code tells of its run, as zod schemas. */
import * as z from 'zod'
import { score } from './evaluation-schemas.ts'
import { limits } from './limits.ts'
import { runStops, taskFaults } from './runs.ts'
import { name } from './schemas.ts'

const object = z.record(z.string(), z.unknown())
const count = z.int().nonnegative().max(limits.countMax)
const money = z.number().nonnegative().max(limits.costMax)
const moment = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z' })
const fault = z.object({
  code: z.enum(taskFaults),
  message: z.string().max(limits.runErrorChars, `may hold at most ${limits.runErrorChars} characters`),
})
const place = {
  item_index: z
    .int()
    .min(0)
    .max(limits.runItems - 1),
  case_id: z
    .string()
    .min(1, 'must not be empty')
    .max(limits.nameChars, `may hold at most ${limits.nameChars} characters`)
    .describe('As the case is called, to the letter: spaces at its ends are part of it.'),
  repetition: z.int().min(1).max(limits.runRepetitions).default(1),
}

/** A score that user code made. */
const ownScore = z.strictObject({
  outcome: score.shape.outcome.default('scored'),
  value: z.number().nullable().default(null),
  label: z.string().max(limits.nameChars).nullable().default(null),
  passed: z.boolean().nullable().default(null),
  explanation: z.string().max(limits.explanationChars).nullable().default(null),
  fault: score.shape.fault.default(null),
  output: object.default({}),
  usage: score.shape.usage.default(null),
  duration_ms: z.number().nonnegative().max(limits.countMax).default(0),
})

const numbered = {
  event_id: name.describe('Comes back with what became of it.'),
  sequence: z.int().min(0).max(limits.countMax),
}

const itemFinished = z.strictObject({
  ...numbered,
  type: z.literal('item_finished'),
  ...place,
  item_id: z
    .string()
    .max(2 * limits.nameChars)
    .optional()
    .describe('Taken and not looked at.'),
  status: z.enum(['success', 'failed']),
  input: z.unknown(),
  expected: z.unknown().optional(),
  output: z.unknown().optional(),
  scores: z
    .record(name, ownScore)
    .default({})
    .describe('By metric. Metrics that are not among them are scored by the server, where it has the evaluator.'),
  evidence: object.optional().describe('What evaluators of the server see beside, such as `context`; it is not kept.'),
  error: fault.nullable().default(null),
  attempts: z
    .int()
    .min(0)
    .max(limits.runRetries + 1)
    .default(1),
  response_time_ms: count.or(z.number().nonnegative().max(limits.countMax)).nullable().default(null),
  tokens: count.nullable().default(null),
  cost: money.nullable().default(null),
  trace_id: name.nullable().default(null),
  started_at: moment.nullable().default(null),
  completed_at: moment.nullable().default(null),
})

/** One event. */
export const runHappening = z.discriminatedUnion('type', [
  itemFinished,
  z.strictObject({
    type: z.literal('item_started'),
    ...numbered,
    ...place,
    item_id: z.string().optional(),
    at: moment.optional(),
  }),
  z.strictObject({
    type: z.literal('run_ended'),
    ...numbered,
    status: z.enum(['completed', 'failed', 'cancelled']).default('completed'),
    stopped_by: z.enum(runStops).nullable().default(null),
    error: z
      .strictObject({ code: name, message: z.string().max(limits.runErrorChars) })
      .nullable()
      .default(null),
    total_items: z.int().min(0).max(limits.runItems, `must be at most ${limits.runItems}`).nullish(),
    at: moment.optional(),
  }),
  z.strictObject({ type: z.literal('heartbeat'), ...numbered, at: moment.optional() }),
])
export type RunHappening = z.infer<typeof runHappening>

const envelope = {
  schema_version: z.literal(1),
  worker: name.default('client').describe('Who works on the run; of two, the run is that of the first.'),
}
const events = <T extends z.ZodType>(event: T) =>
  z
    .array(event)
    .min(1, 'must hold at least one event')
    .max(limits.runEvents, `may hold at most ${limits.runEvents} events`)

/** `POST /api/v1/runs/:run_id/events`. What each event says is looked at one by one. */
export const runEventsInput = z.strictObject({ ...envelope, events: events(z.looseObject(numbered)) })

/** The same as it has to be: an event that is not so is refused alone. */
export const runEventsBody = z.strictObject({ ...envelope, events: events(runHappening) })
