import { closest } from '@llm-eval/protocol'
import type { EvaluatorOptions } from './options.ts'

/** Each option once, so that the compiler says when one is missing here. */
const known: Record<keyof EvaluatorOptions, true> = {
  task: true,
  dataset: true,
  datasetVersion: true,
  datasetName: true,
  maxCases: true,
  metrics: true,
  runId: true,
  name: true,
  description: true,
  tags: true,
  metadata: true,
  config: true,
  modelName: true,
  modelVersion: true,
  taskType: true,
  environment: true,
  createdBy: true,
  concurrency: true,
  timeoutMs: true,
  retries: true,
  repetitions: true,
  limits: true,
  decision: true,
  signal: true,
  onProgress: true,
  onItem: true,
  onWarning: true,
  items: true,
  deliveryMs: true,
  heartbeatMs: true,
  bufferBytes: true,
  baseUrl: true,
  apiKey: true,
  requestTimeoutMs: true,
  maxWaitMs: true,
  fetch: true,
  clock: true,
  random: true,
}
const names = Object.keys(known)

/** An option that nobody knows would do nothing, and nobody would notice. @throws {TypeError} for one */
export function checkNames(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue
    const meant = closest(name, names)
    throw new TypeError(
      `${name} is no option of an evaluation${meant === undefined ? '.' : `: did you mean ${meant}?`}`,
    )
  }
}
