/** Runs as zod schemas: what their routes accept; what they answer stands in `run-answers.ts`. */
import * as z from 'zod'
import { description } from './dataset-schemas.ts'
import { score } from './evaluation-schemas.ts'
import { limits } from './limits.ts'
import { caseChanges, runStatuses, runStops, taskFaults } from './runs.ts'
import { name, parseTime } from './schemas.ts'

export {
  type EventFate,
  eventFates,
  run,
  runComparison,
  runEventsReceipt,
  runItem,
  runItemPage,
  runMetrics,
  runPage,
} from './run-answers.ts'
export { runErrors, runItemPreviewPage } from './run-view-answers.ts'

// What is accepted.

const object = z.record(z.string(), z.unknown())
const note = z.string().max(limits.noteChars, `may hold at most ${limits.noteChars} characters`)
const atMost = (most: number) => z.int().min(0).max(most, `must be at most ${most}`)
const text = z.string().max(limits.textChars, `may hold at most ${limits.textChars} characters`)

/** Those that say how a request travels are the server's own. */
const ownHeaders = /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer)$/i
const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header')
  .refine((given) => !ownHeaders.test(given), 'is set by the server')

function holdsPassword(url: string): boolean {
  const { username, password } = URL.parse(url) ?? { username: '', password: '' }
  return username !== '' || password !== ''
}

const httpTask = z.strictObject({
  kind: z.literal('http'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .max(2_000)
    .refine((url) => !holdsPassword(url), 'must hold no user and password, which belong into headers'),
  headers: z
    .record(
      headerName,
      z
        .string()
        .max(4_000)
        .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be printable'),
    )
    .refine((headers) => Object.keys(headers).length <= limits.runHeaders, `may hold at most ${limits.runHeaders}`)
    .exactOptional()
    .describe('Sent with each request. Answers show their values masked.'),
  output: z
    .string()
    .max(limits.nameChars)
    .exactOptional()
    .describe('Where in the JSON of the answer the output stands, such as `choices.0.text`; all of it unless said.'),
})
const task = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('client') }),
    z.strictObject({
      kind: z.literal('outputs'),
      column: name.describe('The column of the dataset with the answers.'),
    }),
    httpTask,
    z.strictObject({
      kind: z.literal('prompt'),
      template: text.min(1).describe('With `{{column}}` where values of the case belong; `{{input}}` is its input.'),
      system: text.exactOptional(),
      model: name.exactOptional().describe('`provider/model`; the default model unless said.'),
    }),
  ])
  .describe(
    'What answers the cases: `client` (user code, which sends its events), `outputs` (a column of the dataset), `http` (an endpoint that gets `{input, case_id, repetition}` and may answer `{output, tokens, cost, trace_id}`) or `prompt` (a language model).',
  )

/** Of a metric; scores are members of an object, which cannot be called like what objects inherit from. */
const metricName = name.refine((given) => given !== '__proto__', 'must be another name')
const metric = z
  .union([
    metricName.transform((evaluator) => ({ evaluator })),
    z.strictObject({
      name: metricName.exactOptional().describe('Its name in the run; that of the evaluator unless said.'),
      evaluator: metricName,
      config: object.exactOptional(),
      evaluator_version: name.exactOptional().describe('Of an evaluator that only the client has.'),
      direction: z.enum(['higher', 'lower']).exactOptional().describe('Of an evaluator that only the client has.'),
    }),
  ])
  .describe('A slug, or an object with the name that its scores shall have.')

const settings = z.strictObject({
  concurrency: z.int().min(1).max(limits.runConcurrency).default(10),
  timeout_ms: z.int().min(1).max(limits.runTimeoutMs).default(120_000).describe('Of one attempt at one item.'),
  retries: atMost(limits.runRetries).default(0).describe('Attempts after the first.'),
  repetitions: z.int().min(1).max(limits.runRepetitions).default(1).describe('Times that every case is asked.'),
  limits: z
    .strictObject({
      cost: z.number().gt(0).max(limits.costMax).exactOptional().describe('US dollars; unknown costs end it too.'),
      duration_ms: z.int().min(1).max(limits.countMax).exactOptional(),
    })
    .prefault({}),
  decision: z
    .strictObject({
      metric: name,
      threshold: z.number().min(0).max(1),
      level: z.number().gt(0).lt(1).exactOptional(),
    })
    .nullable()
    .default(null)
    .describe('Ends the run once it is certain on which side of the threshold the mean of the metric is.'),
})

const tags = z.array(name).max(limits.runTags, `may hold at most ${limits.runTags} tags`)
const notes = object.refine(
  (given) => JSON.stringify(given).length <= limits.runMetadataChars,
  `may hold at most ${limits.runMetadataChars} characters of JSON`,
)
const titles = {
  name,
  description: description.nullable(),
  tags,
  metadata: notes,
  model_name: name.nullable(),
  model_version: name.nullable(),
  task_type: name.nullable(),
  environment: name.nullable(),
}

/** `POST /api/v1/runs`. */
export const runInput = z.strictObject({
  run_id: name.optional().describe('Yours; made unless given.'),
  name,
  description: titles.description.default(null),
  dataset: name.nullable().default(null).describe('Slug or id of a dataset; only user code can do without.'),
  dataset_name: name.optional().describe('Where user code brings its own cases.'),
  dataset_version: name
    .nullable()
    .default(null)
    .describe('The newest version unless said; where there is none, the draft as it stands.'),
  task: task.prefault({ kind: 'client' }),
  metrics_used: z
    .array(metric)
    .min(1, 'must name at least one evaluator')
    .max(limits.runEvaluators, `may hold at most ${limits.runEvaluators}`),
  metric_configs: z
    .record(name, object)
    .default({})
    .describe('Configurations by metric, beside those in `metrics_used`.'),
  settings: settings.prefault({}),
  total_items: atMost(limits.runItems).nullable().default(null).describe('Of user code that knows it.'),
  tags: tags.default([]),
  metadata: titles.metadata.default({}),
  config: notes
    .default({})
    .describe(
      'What is evaluated, in your words, such as the temperature of a model: shown with the run, and kept as it is.',
    ),
  model_name: titles.model_name.default(null),
  model_version: titles.model_version.default(null),
  task_type: titles.task_type.default(null),
  environment: titles.environment.default(null),
  created_by: name.nullable().default(null).describe('Who you are; the name of the key unless said.'),
})
export type ParsedRun = z.infer<typeof runInput>

/** `PATCH` and `PUT /api/v1/runs/:run_id`. */
export const runChange = z.strictObject(titles).partial()

/** `POST /api/v1/runs/:run_id/approve` and `/reject`. */
export const approvalInput = z.strictObject({ note: note.nullable().default(null), by: name.nullable().default(null) })

/** `POST /api/v1/runs/:run_id/resume`. */
export const resumeInput = z.strictObject({
  worker: name.optional().describe('Of user code that goes on at once; without it the run waits for its worker.'),
})

const wholeText = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,12}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must lie between ${min} and ${max}`)
const numberText = z
  .string()
  .regex(/^-?[0-9]{1,15}(\.[0-9]{1,15})?$/, 'must be a number')
  .transform(Number)
const timeText = z.iso
  .datetime({ offset: true, local: true, error: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z' })
  .transform((given) => parseTime(given))
const paged = {
  limit: wholeText(1, limits.pageRows).default(50).describe(`How many, 1 to ${limits.pageRows}; 50 if absent.`),
  cursor: z.string().max(1_000).optional().describe('`next_cursor` of the page before, with the same filters.'),
}
/** One value, or the same parameter several times. */
const several = z.union([z.string(), z.array(z.string())])

/** `GET /api/v1/runs`. */
export const runsQuery = z.strictObject({
  dataset_name: name.optional(),
  model_name: name.optional(),
  status: z.enum(runStatuses).optional(),
  created_by: name.optional(),
  tags: several
    .transform((given) => (typeof given === 'string' ? given.split(',') : given))
    .pipe(tags)
    .optional()
    .describe('Tags that a run has, all of them; with commas between, or the parameter several times.'),
  min_success_rate: numberText
    .refine((rate) => rate >= 0 && rate <= 1, 'must lie between 0 and 1')
    .optional()
    .describe('Successful of completed items, 0 to 1.'),
  max_duration: numberText
    .refine((seconds) => seconds >= 0, 'must not be negative')
    .optional()
    .describe('Seconds.'),
  created_after: timeText.optional(),
  created_before: timeText.optional(),
  search: z.string().trim().max(limits.searchChars).optional().describe('Somewhere in name or description.'),
  order_by: z.enum(['created_at', 'name', 'status', 'success_rate', 'duration_seconds']).default('created_at'),
  descending: z.enum(['true', 'false']).default('true'),
  ...paged,
})

/** `GET /api/v1/runs/:run_id/items` and `/item-previews`. */
export const runItemsQuery = z
  .strictObject({
    status: z
      .enum(['success', 'failed', 'pending'])
      .optional()
      .describe('An item is kept once it is finished, so `pending` finds none: the run says how many there will be.'),
    metric: name.optional().describe('With `below` or `above`: the name of a metric of the run.'),
    below: numberText.optional().describe('Only items that are scored below this in `metric`.'),
    above: numberText.optional().describe('Only items that are scored above this in `metric`.'),
    errored: name.optional().describe('Only items on which the evaluator of this metric failed.'),
    error: z.enum(taskFaults).optional().describe('Only items whose task failed so.'),
    case_id: z.string().min(1).max(limits.nameChars).optional().describe('Somewhere in the id of the case.'),
    search: z
      .string()
      .min(1)
      .max(limits.searchChars)
      .optional()
      .describe(
        'Somewhere in the id of the case, its input, what was expected, the output or the error. `A` to `Z` count as `a` to `z`.',
      ),
    from: wholeText(0, limits.runItems)
      .optional()
      .describe('The `item_index` to begin at; a `cursor` goes on from its own.'),
    ...paged,
  })
  .refine(({ metric: one, below, above }) => (one === undefined) === (below === undefined && above === undefined), {
    path: ['below'],
    message: 'and metric must be given together',
  })

/** `metric:number`, once or several times. The name may hold colons. */
const bounds = several
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .pipe(
    z
      .array(
        z
          .string()
          .regex(
            /^[\s\S]{1,200}:-?[0-9]{1,15}(\.[0-9]{1,20})?(e[-+]?[0-9]{1,2})?$/,
            'must be a metric and a number, such as rouge-l:0.9',
          )
          .transform((given) => {
            const at = given.lastIndexOf(':')
            return [given.slice(0, at), Number(given.slice(at + 1))] as const
          }),
      )
      .max(limits.gateBounds, `may be given at most ${limits.gateBounds} times`)
      .refine((given) => new Set(given.map(([metric]) => metric)).size === given.length, 'must name each metric once')
      .transform((given) => Object.fromEntries(given)),
  )
  .optional()

const comparedIds = several
  .transform((given) => (typeof given === 'string' ? given.split(',') : given))
  .pipe(z.array(name).max(limits.comparedRuns, `must be at most ${limits.comparedRuns}`))
  .refine((ids) => new Set(ids).size === ids.length, 'must differ')

/** `GET /api/v1/runs/:run_id/export`. */
export const runExportQuery = z.strictObject({ format: z.enum(['csv', 'jsonl']).default('jsonl') })

/** `GET /api/v1/comparisons`. */
export const comparisonQuery = z
  .strictObject({
    run_ids: comparedIds
      .optional()
      .describe(
        'Two to ten, with commas between, or the parameter several times; the first is held against. One is enough where `min` or `max` is given.',
      ),
    run1: name.optional().describe('The first of two runs, with `run2`; in place of `run_ids`.'),
    run2: name.optional().describe('The other.'),
    cases: wholeText(0, limits.comparedCases).default(100).describe('Cases that are listed, the worst first.'),
    change: z
      .enum(caseChanges)
      .default('all')
      .describe('Those that are listed: `regressed`, `improved` (and worse in no metric), or `unchanged`.'),
    points: wholeText(0, limits.comparedPoints)
      .default(0)
      .describe('Cases of a sample to draw; fewer where runs and metrics are many.'),
    sort_by: name.optional().describe('The metric that says which cases are the worst; all unless said.'),
    level: numberText
      .refine((level) => level > 0 && level < 1, 'must lie between 0 and 1')
      .default(0.95)
      .describe('Of intervals and verdicts.'),
    fail_on: z.enum(['regression']).optional().describe('The gate: no metric may be worse than that of the first run.'),
    min: bounds.describe('The gate: `metric:number`, as often as you like; the mean must be at least this.'),
    max: bounds.describe('The gate: `metric:number`, as often as you like; the mean must be at most this.'),
    allow_partial: z
      .enum(['true', 'false'])
      .default('false')
      .describe('Whether runs that are not complete are held to what is there of them; else the gate does not pass.'),
  })
  .superRefine(({ run_ids: ids, run1, run2, fail_on: failOn, min, max }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const two = [run1, run2].filter((id) => id !== undefined)
    if (ids !== undefined && two.length > 0) refuse('run1', 'and run2 stand in place of run_ids')
    else if (two.length === 2 && run1 === run2) refuse('run2', 'must differ from run1')
    const least = failOn === undefined && min === undefined && max === undefined ? 2 : 1
    if ((ids ?? two).length < least) refuse('run_ids', 'must be at least 2, or one that is held against min and max')
  })

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
    total_items: atMost(limits.runItems).nullish(),
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
