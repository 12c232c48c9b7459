/** Runs as zod schemas: what their routes accept and answer. What is asked, told and answered stands in files of its own. */
import * as z from 'zod'
import { description } from './dataset-schemas.ts'
import { limits } from './limits.ts'
import { runTags } from './run-query-schemas.ts'
import { name } from './schemas.ts'

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
export { runEventsBody, runEventsInput, type RunHappening, runHappening } from './run-event-schemas.ts'
export { comparisonQuery, runExportQuery, runItemsQuery, runsQuery } from './run-query-schemas.ts'
export { runErrors, runItemPreviewPage } from './run-view-answers.ts'

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

const notes = object.refine(
  (given) => JSON.stringify(given).length <= limits.runMetadataChars,
  `may hold at most ${limits.runMetadataChars} characters of JSON`,
)
const titles = {
  name,
  description: description.nullable(),
  tags: runTags,
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
  tags: runTags.default([]),
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
