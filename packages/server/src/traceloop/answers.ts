/** What the façade answers, for the API description and the tests that hold it to that. */
import { executionStatuses } from '@llm-eval/protocol'
import * as z from 'zod'
import { described } from '../http/mount.ts'

const object = z.record(z.string(), z.unknown())
const time = z.string().describe('RFC 3339, UTC')

export const startedExecution = z.object({
  execution_id: z.string(),
  stream_url: z.string().describe('Taken after `/v2`; begins with a slash.'),
})

export const flatResult = z
  .looseObject({ execution_id: z.string() })
  .describe("The evaluator's own result fields, beside the id of the execution.")

export const guardResult = z.object({ result: object, pass: z.boolean(), execution_id: z.string() })

export const executionDocument = z.object({
  execution_id: z.string(),
  status: z.literal('completed'),
  result: z.object({ evaluator_result: object }),
  error: z.null(),
  completed_at: time.nullable(),
})

const property = z.object({
  name: z.string(),
  type: z.string(),
  description: z.string(),
  enum_values: z.array(z.string()).exactOptional(),
})

export const evaluatorItem = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  type: z.string(),
  description: z.string(),
  version: z.string(),
  source: z.enum(['custom', 'prebuilt']),
  input_schema: z.array(property),
  output_schema: z.array(property),
  config: z.object({
    provider: z.string(),
    messages: z.array(object),
    llm_config: z.looseObject({ model: z.string() }),
  }),
  created_at: time.exactOptional(),
  updated_at: time.exactOptional(),
})
export const evaluatorList = z.object({ evaluators: z.array(evaluatorItem) })
export const createdEvaluator = z.object({
  evaluator_id: z.string(),
  slug: z.string(),
  type: z.string(),
  version_id: z.string(),
  bindings: z.array(z.unknown()),
})
export const changedEvaluator = z.object({ evaluator: evaluatorItem })

const run = z.object({
  id: z.string(),
  metadata: object,
  dataset_id: z.string().nullable(),
  dataset_version: z.string().nullable(),
  evaluator_ids: z.array(z.string()),
  created_at: time,
  updated_at: time,
})
export const startedRun = z.object({
  experiment: z.object({ id: z.string(), slug: z.string(), metadata: object, created_at: time, updated_at: time }),
  run,
})
const evaluation = z.object({
  execution_id: z.string(),
  evaluator: z.string(),
  status: z.enum(executionStatuses),
  result: object.nullable().describe('Null as long as there is none.'),
  error: z.string().nullable(),
})
const task = z.object({
  id: z.string(),
  input: z.unknown(),
  output: z.unknown(),
  error: z.string().nullable(),
  evaluations: z.array(evaluation),
})
const runResults = z.object({ experiment_slug: z.string(), run, tasks: z.array(task) })
export const runAsJson = described('The run, and each task with its results.', { 'application/json': runResults })
export const runAsCsv = described('A header, then a line for each task: its input, its output, its results.', {
  'text/csv': z.string(),
})
export const createdTask = z.object({ id: z.string() })
export const githubRun = z.object({
  experiment_id: z.string(),
  experiment_slug: z.string(),
  run_id: z.string(),
  errors: z
    .array(z.object({ task_id: z.string(), evaluator: z.string(), error: z.string() }))
    .describe('Evaluations that could not be started.'),
})
export const storedAnnotation = z.object({
  id: z.string(),
  annotation_task: z.string(),
  entity_instance_id: z.string(),
})
export const promptList = z.object({ prompts: z.array(z.unknown()), environment: z.string() })
export const allowList = z.object({ associationPropertyAllowList: z.array(z.string()) })

/** An answer without a body. */
export const noBody = z.null()
export const column = z.object({
  slug: z.string(),
  name: z.string(),
  type: z.enum(['string', 'number', 'boolean', 'json', 'file']),
  description: z.string().exactOptional(),
})
export const dataset = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  description: z.string(),
  columns: z.record(z.string(), column),
  last_version: z.string().exactOptional(),
  total_columns: z.int(),
  total_rows: z.int(),
  created_at: time,
  updated_at: time,
})
const row = z.object({ id: z.string(), row_index: z.int(), values: object, created_at: time, updated_at: time })
export const rowList = z.object({ rows: z.array(row), total: z.int() })
export const datasetList = z.object({ datasets: z.array(dataset), total: z.int() })
export const datasetWithRows = dataset.extend({
  rows: z.array(row).describe('The first ones, where there are many.'),
})
export const published = dataset.extend({ dataset_id: z.string(), version: z.string(), published: z.literal(true) })
export const versionList = z.object({
  dataset_id: z.string(),
  dataset_slug: z.string(),
  versions: z.array(z.object({ version: z.string(), published_by: z.string(), published_at: time })),
  total: z.int(),
})
export const externalFile = z.object({ storage: z.literal('external'), success: z.literal(true), url: z.string() })
