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
    const meant = names.find((other) => isNear(folded(name), folded(other)))
    throw new TypeError(
      `${name} is no option of an evaluation${meant === undefined ? '.' : `: did you mean ${meant}?`}`,
    )
  }
}

function folded(name: string): string {
  return name.replaceAll(/[^a-zA-Z]/g, '').toLowerCase()
}

/** Whether one is the other, begins with it, or is it but for one letter too many. */
function isNear(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one]
  if (short.length >= 4 && long.startsWith(short)) return true
  const differs = Array.from(short).findIndex((letter, at) => letter !== long[at])
  if (differs === -1) return long.length - short.length <= 1
  return short.slice(differs) === long.slice(differs + 1) || short.slice(differs + 1) === long.slice(differs + 1)
}
