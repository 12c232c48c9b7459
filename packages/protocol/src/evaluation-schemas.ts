/**
 * Evaluators, executions and rules as zod schemas: what their routes accept, and, for the API description and the tests, what
 * they answer.
 */
import * as z from 'zod'
import {
  type Calibration,
  type EvaluationUsage,
  type EvaluatorInfo,
  evaluatorCategories,
  evaluatorKinds,
  evidences,
  type Execution,
  type ExecutionFrame,
  type ExecutionProgress,
  executionStatuses,
  type Field,
  type Interval,
  type Rule,
  type Score,
  type ScoreSummary,
  scoreFaults,
  scoreOutcomes,
  type TraceScore,
} from './evaluation.ts'
import { limits } from './limits.ts'
import { name, wholeText } from './schemas.ts'

// What is accepted.

const object = z.record(z.string(), z.unknown())
const wait = z
  .number()
  .min(0)
  .max(limits.waitSeconds, `must be at most ${limits.waitSeconds}`)
  .optional()
  .describe(`Seconds to wait for the end before answering, at most ${limits.waitSeconds}; 0 if absent.`)

/** Lower case, with dashes; underscores are taken as dashes. */
const slug = z
  .string()
  .trim()
  .transform((text) => text.replaceAll('_', '-'))
  .refine((text) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text), 'must be of lower-case letters, digits and single dashes')
  .refine((text) => text.length <= limits.nameChars, `may hold at most ${limits.nameChars} characters`)
  .describe('Its name in addresses: lower-case letters, digits and dashes; underscores are taken as dashes.')

const described = {
  name: name.describe('For people.'),
  description: z.string().max(limits.noteChars).describe('What it looks for.'),
}
const definition = z.looseObject({ kind: z.enum(['preset', 'judge', 'remote']) }).describe('How it scores, by kind.')

/** `POST /api/v1/evaluators`. The engine checks the definition. */
export const evaluatorInput = z.strictObject({
  slug,
  name: described.name.optional(),
  description: described.description.default(''),
  definition,
})

/** `PATCH /api/v1/evaluators/:slug`. */
export const evaluatorChange = z.strictObject({
  name: described.name.optional(),
  description: described.description.optional(),
  definition: definition.optional(),
})

/** `GET /api/v1/evaluators`. */
export const evaluatorsQuery = z.strictObject({
  kind: z.enum(evaluatorKinds).optional().describe('How it scores.'),
  category: z.enum(evaluatorCategories).optional().describe('What it looks at.'),
  source: z.enum(['builtin', 'custom']).optional().describe('Whose it is.'),
  q: z.string().trim().max(limits.searchChars).optional().describe('Words of the slug, name or description.'),
})

const asked = {
  input: object
    .nullish()
    .describe("The evaluator's input by field; laid over what the trace gives, where there is one."),
  config: object.nullish().describe("Laid over the evaluator's own configuration."),
  version: z.string().max(limits.nameChars).nullish().describe('A version of the evaluator; the newest unless said.'),
  trace_id: name.nullish().describe('The trace that gives the input and gets the score.'),
}
const hasInput = (ask: { input?: unknown; trace_id?: unknown }) =>
  (ask.input ?? null) !== null || (ask.trace_id ?? null) !== null
const inputMissing = { path: ['input'], message: 'is required where there is no trace_id' }

/** `POST /api/v1/evaluators/:slug/execute`. */
export const executeInput = z.strictObject({ ...asked, wait }).refine(hasInput, inputMissing)

/** `POST /api/v1/executions`. */
export const executionsInput = z.strictObject({
  executions: z
    .array(z.strictObject({ evaluator: name, ...asked }).refine(hasInput, inputMissing))
    .min(1, 'must hold at least one execution')
    .max(limits.batchExecutions, `may hold at most ${limits.batchExecutions} executions`)
    .describe('Each is `evaluator`, a slug, and what the execution of a single one takes.'),
  wait,
})

const chosen = z
  .array(z.strictObject({ slug: name, config: object.exactOptional() }))
  .min(1, 'must name at least one evaluator')
  .max(limits.ruleEvaluators, `may hold at most ${limits.ruleEvaluators} evaluators`)
  .describe('Each is a `slug`, with a `config` if you like.')

/** `POST /api/v1/traces/:trace_id/evaluate`. */
export const evaluateTraceInput = z.strictObject({ evaluators: chosen, wait })

/** `GET /api/v1/executions`. */
export const executionsQuery = z.strictObject({
  evaluator: name.optional().describe('A slug.'),
  status: z.enum(executionStatuses).optional(),
  batch_id: name.optional().describe('Only those that were started together.'),
  trace_id: name.optional().describe('Only those that scored this trace.'),
  limit: wholeText(1, limits.pageRows).default(50).describe(`How many, 1 to ${limits.pageRows}; 50 if absent.`),
  cursor: z.string().max(400).optional().describe('`next_cursor` of the page before, with the same filters.'),
})

/** `GET /api/v1/executions/:execution_id`. */
export const executionQuery = z.strictObject({
  wait: wholeText(0, limits.waitSeconds)
    .optional()
    .describe(`Seconds to wait for the end, at most ${limits.waitSeconds}.`),
})

/** The streams of executions. */
export const executionStreamQuery = z.strictObject({
  after: z.string().max(64).optional().describe('The id of the last frame that was seen.'),
  ticket: z.string().max(200).optional().describe('A ticket instead of a key.'),
})

const ruleFilter = z.strictObject({
  model_name: name.optional(),
  source: name.optional(),
  session_id: name.optional(),
  user_id: name.optional(),
})
const ruleShape = {
  name,
  enabled: z.boolean().describe('Whether it is at work.'),
  filter: ruleFilter.describe('Only traces that all given members fit.'),
  sampling_rate: z
    .number()
    .gt(0, 'must be above 0')
    .max(1, 'must be at most 1')
    .describe('Share of the matching traces that are evaluated.'),
  evaluators: chosen,
  daily_cost_limit: z.number().min(0).max(limits.costMax).nullable().describe('US dollars; null is no limit.'),
}

/** `POST /api/v1/rules`. */
export const ruleInput = z.strictObject({
  ...ruleShape,
  enabled: ruleShape.enabled.default(true),
  filter: ruleShape.filter.prefault({}),
  sampling_rate: ruleShape.sampling_rate.default(1),
  daily_cost_limit: ruleShape.daily_cost_limit.default(null),
})

/** `PATCH /api/v1/rules/:rule_id`. What is given replaces what was. */
export const ruleChange = z.strictObject(ruleShape).partial()

// What is answered.

const time = z.string().describe('RFC 3339, UTC')
const count = z.int().nonnegative()

const field = z.object({
  name: z.string(),
  type: z.enum(['string', 'number', 'integer', 'boolean', 'enum', 'array', 'object', 'any']),
  description: z.string(),
  required: z.boolean(),
  enum_values: z.array(z.string()).exactOptional(),
}) satisfies z.ZodType<Field>

/** An evaluator as `GET /api/v1/evaluators` lists it. */
export const evaluatorInfo = z.object({
  slug: z.string(),
  name: z.string(),
  description: z.string(),
  kind: z.enum(evaluatorKinds),
  category: z.enum(evaluatorCategories),
  source: z.enum(['builtin', 'custom']),
  version: z.string(),
  pinned: z.boolean().describe('Whether its scores are under a version: code without a declared one is not.'),
  aliases: z.array(z.string()),
  needs: z.array(z.enum(evidences)).describe('What a trace has to have.'),
  provider: z.enum(['none', 'chat', 'embedding']).describe('The kind of model that it asks.'),
  input_schema: z.array(field),
  output_schema: z.array(field),
  config_schema: object.describe('JSON Schema.'),
  range: z.object({ min: z.number().nullable(), max: z.number().nullable() }),
  direction: z.enum(['higher', 'lower']).nullable().describe('Whether more is better; null where neither is.'),
  example: z
    .object({
      input: object,
      config: object.exactOptional(),
      value: z.number().nullable(),
      passed: z.boolean().nullable(),
    })
    .nullable(),
  created_at: time.nullable(),
  updated_at: time.nullable(),
}) satisfies z.ZodType<EvaluatorInfo>

/** Answer of `GET /api/v1/evaluators`. */
export const evaluatorList = z.object({ items: z.array(evaluatorInfo) })

/** One evaluator, with how it is defined. */
export const evaluatorDetail = evaluatorInfo.extend({
  id: z.string(),
  definition: object.nullable().describe('Of an evaluator of your own; secrets are masked.'),
  calibrated_at: time.nullable().describe('When it was last measured against people; null: never.'),
})

/** Answer of `GET /api/v1/evaluators/:slug/versions`. */
export const evaluatorVersions = z.object({
  items: z.array(z.object({ version: z.string(), created_at: time.nullable(), definition: object.nullable() })),
})

const usage = z.object({
  model: z.string().nullable(),
  input_tokens: count.nullable(),
  output_tokens: count.nullable(),
  cost: z.number().nullable().describe('US dollars; null is unknown.'),
  cached: z.boolean(),
}) satisfies z.ZodType<EvaluationUsage>

/** What an evaluator thinks of one input. */
export const score = z.object({
  outcome: z.enum(scoreOutcomes).describe('`skipped` where evidence is missing, `errored` where the evaluator failed.'),
  value: z
    .number()
    .nullable()
    .describe("Within the evaluator's range; null when it gives none, or nothing was scored."),
  label: z.string().nullable(),
  passed: z.boolean().nullable().describe('Null when the evaluator gives no verdict.'),
  explanation: z.string().nullable(),
  fault: z.enum(scoreFaults).nullable().describe('Why there is no value; null when there is.'),
  output: object.describe("The evaluator's own result fields, as its `output_schema` names them."),
  usage: usage.nullable().describe('What the evaluation itself consumed; null where it asks no model.'),
  duration_ms: z.number(),
}) satisfies z.ZodType<Score>

/** A score on a trace. */
export const traceScore = score.extend({
  evaluator: z.string(),
  evaluator_version: z.string(),
  execution_id: z.string(),
  rule: z.string().nullable().describe('The rule that asked for it; null when somebody did.'),
  at: time,
}) satisfies z.ZodType<TraceScore>

/** A score as lists and streams carry it. */
export const scoreSummary = z.object({
  evaluator: z.string(),
  outcome: z.enum(scoreOutcomes),
  value: z.number().nullable(),
  label: z.string().nullable(),
  passed: z.boolean().nullable(),
}) satisfies z.ZodType<ScoreSummary>

/** An execution and its score. */
export const execution = z.object({
  execution_id: z.string(),
  evaluator: z.string(),
  evaluator_version: z.string(),
  status: z.enum(executionStatuses),
  trace_id: z.string().nullable().describe('The trace that has the score.'),
  batch_id: z.string().nullable().describe('Of executions that were started together.'),
  score: score.nullable().describe('Null as long as there is none.'),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  created_at: time,
  completed_at: time.nullable(),
}) satisfies z.ZodType<Execution>

/** Answer of `POST /api/v1/evaluators/:slug/execute`: 200 when it is over, 202 before. */
export const startedExecution = execution.extend({
  stream_url: z.string().describe('Where Traceloop clients wait for the result, after `/v2`.'),
  events_url: z.string().describe('Where to follow it (SSE).'),
})

/** Answer of the routes that start several executions: 200 when all are over, 202 before. */
export const startedExecutions = z.object({
  batch_id: z.string(),
  events_url: z.string().describe('Where to follow all of them (SSE).'),
  executions: z.array(execution),
})

/** Answer of `GET /api/v1/executions`. */
export const executionPage = z.object({ items: z.array(execution), next_cursor: z.string().nullable() })

const progress = z.object({
  execution_id: z.string(),
  status: z.enum(executionStatuses),
  done: count.nullable().describe('Steps, such as samples of a judge; null when it has none.'),
  total: count.nullable(),
}) satisfies z.ZodType<ExecutionProgress>

/**
 * The JSON of one message of `/api/v1/executions/…/events` and `/ws/executions/:id` (which adds `seq`, the cursor). `result`
 * and `error` are the last of an execution: `error` for one that failed or was cancelled.
 */
export const executionFrame = z.object({
  event_type: z.enum(['progress', 'result', 'error']),
  data: z.union([execution, progress]),
  timestamp: time,
}) satisfies z.ZodType<ExecutionFrame>

/** One rule. */
export const rule = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  filter: ruleFilter,
  sampling_rate: z.number(),
  evaluators: z.array(z.object({ slug: z.string(), config: object.exactOptional() })),
  daily_cost_limit: z.number().nullable(),
  created_at: time,
  updated_at: time,
  today: z
    .object({ executions: count, cost: z.number(), unknown_costs: count, limited: count })
    .describe('Of the present UTC day; `limited` are traces that the limit left out.'),
}) satisfies z.ZodType<Rule>

/** Answer of `GET /api/v1/rules`. */
export const ruleList = z.object({ items: z.array(rule) })

/** An estimate with its interval. */
export const interval = z.object({
  estimate: z.number(),
  low: z.number(),
  high: z.number(),
  level: z.number(),
  n: count,
}) satisfies z.ZodType<Interval>

/** Answer of the calibration routes. */
export const calibration = z.object({
  evaluator: z.string(),
  evaluator_version: z.string(),
  state: z
    .enum(['current', 'expired', 'drifted', 'not_pinned'])
    .describe('`expired`: the evaluator changed since; `drifted`: another model answers now.'),
  made_at: time,
  n: count.describe('Traces with both verdicts.'),
  judge_only: count,
  human_only: count,
  confusion: z
    .object({ true_positive: count, false_positive: count, true_negative: count, false_negative: count })
    .describe('Positive is what the evaluator passed; true is where people agreed.'),
  agreement: interval.nullable(),
  kappa: interval.nullable(),
  raw_rate: interval.nullable().describe('Share that the evaluator passes.'),
  corrected_rate: interval.nullable().describe('The same, corrected for its errors.'),
  false_positives: z
    .array(z.string())
    .max(limits.calibrationExamples)
    .describe('Traces that it passed and people rejected.'),
  false_negatives: z
    .array(z.string())
    .max(limits.calibrationExamples)
    .describe('Traces that it failed and people accepted.'),
}) satisfies z.ZodType<Calibration>
