import { closest, limits } from '@llm-eval/protocol'
import type { Cases, EvaluationDefinition } from 'llm-eval-sdk/evaluation'
import * as z from 'zod'
import { Complaint } from '../complaint.ts'
import { oneLine } from '../display/width.ts'

/** An evaluation as its file says it, looked at. */
export type ReadDefinition = EvaluationDefinition

const name = z.string().trim().min(1).max(limits.nameChars)
const text = z.string().max(limits.textChars)
const positive = (most: number) => z.int().min(1).max(most)
const aFunction = z.custom<(...given: never[]) => unknown>((value) => typeof value === 'function', 'must be a function')
const bounds = z.record(name, z.number()).exactOptional()

const metric = z.union(
  [
    name,
    aFunction,
    z.strictObject({
      name: name.optional(),
      evaluator: z.union([name, aFunction]),
      config: z.record(z.string(), z.unknown()).optional(),
      version: name.optional(),
    }),
  ],
  'must be the name of an evaluator, a function, or {name, evaluator, config, version}',
)

const datasetWords =
  'must be a list or a generator of cases (of a function what it returns), the path of a .jsonl, .json or .csv file, or the name of a dataset'
const cases = z.custom<Cases>(
  (value) => typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value),
)

const definition = z.strictObject({
  name: name.optional(),
  task: aFunction,
  dataset: z.union([z.string().trim().min(1), cases], datasetWords),
  metrics: z
    .array(metric, 'must be a list of metrics')
    .min(1, 'must name at least one metric')
    .max(limits.runEvaluators),
  gate: z
    .strictObject({ min: bounds, max: bounds, failOn: z.literal('regression').optional(), baseline: name.optional() })
    .optional(),
  datasetVersion: name.optional(),
  datasetName: name.optional(),
  description: text.optional(),
  tags: z.array(name).max(limits.runTags).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  modelName: name.optional(),
  modelVersion: name.optional(),
  taskType: name.optional(),
  environment: name.optional(),
  createdBy: name.optional(),
  concurrency: positive(limits.runConcurrency).optional(),
  timeoutMs: positive(limits.runTimeoutMs).optional(),
  retries: z.int().min(0).max(limits.runRetries).optional(),
  repetitions: positive(limits.runRepetitions).optional(),
  limits: z.strictObject({ cost: z.number().gt(0).optional(), durationMs: z.int().min(1).optional() }).optional(),
  decision: z
    .strictObject({ metric: name, threshold: z.number().min(0).max(1), level: z.number().gt(0).lt(1).optional() })
    .optional(),
})

/** Whether a value is meant as an evaluation. */
export function isMeant(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && ('task' in value || 'metrics' in value)
}

/**
 * Reads an evaluation.
 *
 * @param place where it stands, in words
 * @throws {Complaint} that names each member which is missing, unknown or wrong
 */
export async function readDefinition(value: unknown, place: string): Promise<ReadDefinition> {
  if (!isMeant(value))
    throw new Complaint(`${place} is no evaluation: it must be an object with name, dataset, task and metrics.`)
  const parsed = definition.safeParse(value)
  if (parsed.success) {
    const read: unknown = { ...parsed.data, name: parsed.data.name ?? '' }
    if (isRead(read)) return read
  }
  const faults = (parsed.error?.issues ?? []).slice(0, 10).map(faultOf)
  throw new Complaint(`${place} is no evaluation: ${faults.flat().join('; ')}.`)
}

/** The schema has looked at all of it; what functions take and give shows when they are called. */
function isRead(value: unknown): value is ReadDefinition {
  return definition.extend({ name: z.string() }).safeParse(value).success
}

function faultOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String).join('.')
  const place = path === '' ? '' : `${oneLine(path)} `
  if (issue.code === 'unrecognized_keys') {
    const known =
      path === '' ? Object.keys(definition.shape) : path === 'gate' ? ['min', 'max', 'failOn', 'baseline'] : []
    return issue.keys.map((key) => {
      const meant = closest(key, known)
      return `${place}${oneLine(key)} is not known${meant === undefined ? '' : `, did you mean ${meant}`}`
    })
  }
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('undefined'))
    return [`${place}is missing`]
  return [`${place}${oneLine(issue.message)}`]
}
