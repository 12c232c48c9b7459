import type { RunItem, RunProgress, RunStop } from '@llm-eval/protocol'
import type { EvaluationServer } from '../inside.ts'

/** One case of a dataset, as a task sees it. */
export interface EvaluationCase {
  id: string
  input: unknown
  /** What the output should be; null or absent where nobody knows. */
  expected?: unknown
  /** All that the row says, by column. */
  values?: Readonly<Record<string, unknown>> | undefined
}

/** What a task is told beside its input. */
export interface TaskContext {
  case: EvaluationCase
  /** Which asking of the case, from 1. */
  repetition: number
  /** Which attempt at it, from 1. */
  attempt: number
  /** Aborted when the attempt is given up. What is answered then is not heard. */
  readonly signal: AbortSignal
}

/** An output with what is known of how it was made. An object that has other members too is an output itself. */
export interface TaskOutput {
  output: unknown
  tokens?: number | null | undefined
  /** US dollars; absent is unknown. */
  cost?: number | null | undefined
  tool_calls?: unknown
  trace_id?: string | null | undefined
  /** What the output was made from, for evaluators that look at it. */
  context?: unknown
}

/** What is evaluated. It may throw, and may give its output at once. */
export type Task = (input: unknown, context: TaskContext) => unknown

/** What a function of one's own sees of an answer. */
export interface MetricInput {
  input: unknown
  output: unknown
  expected: unknown
  case: EvaluationCase
  /** Milliseconds. */
  latency: number | null
  cost: number | null
  tokens: number | null
  tool_calls: unknown
  readonly signal: AbortSignal
}

/** Scores an answer: a number from 0 to 1, a yes or no, or `{score, passed, label, explanation, output}`. */
export type MetricFunction = (answer: MetricInput) => unknown

/** An evaluator under the name that its scores shall have. */
export interface MetricOptions {
  /** That of the evaluator if absent. */
  name?: string | undefined
  /** Slug or alias of an evaluator, built in or of the server; or a function. */
  evaluator: string | MetricFunction
  /** Laid over the evaluator's own configuration. */
  config?: Record<string, unknown> | undefined
  /** Of a function: goes up when it scores otherwise. Without one its scores gate nothing. */
  version?: string | undefined
}

/** A slug, a function with a name, or more about either. */
export type Metric = string | MetricFunction | MetricOptions

/** Rows: `{id?, input, expected?, …}`, or columns of that meaning; anything that is no object is an input itself. */
export type Cases = Iterable<unknown> | AsyncIterable<unknown>

/** Options of an `Evaluator`. */
export interface EvaluatorOptions extends Omit<EvaluationServer, 'retries'> {
  task: Task
  /** Slug or id of a dataset on the server, or the cases themselves. */
  dataset: string | Cases
  /** A published version; the newest if absent, and the draft where there is none. */
  datasetVersion?: string | undefined
  /** What a dataset that is not on the server is called. */
  datasetName?: string | undefined
  /** Only so many cases, the first ones; all if absent. */
  maxCases?: number | undefined
  /** At least one. */
  metrics: readonly Metric[]
  /** The same id again goes on with that run; made if absent. */
  runId?: string | undefined
  name?: string | undefined
  description?: string | undefined
  tags?: readonly string[] | undefined
  metadata?: Record<string, unknown> | undefined
  /** What is evaluated, in your words, such as the temperature of a model: shown with the run. */
  config?: Record<string, unknown> | undefined
  modelName?: string | undefined
  modelVersion?: string | undefined
  taskType?: string | undefined
  environment?: string | undefined
  createdBy?: string | undefined
  /** Items that are worked on at a time; 10 if absent. */
  concurrency?: number | undefined
  /** Milliseconds of one attempt; 120,000 if absent. */
  timeoutMs?: number | undefined
  /** Attempts after the first, at a task that failed; none if absent. */
  retries?: number | undefined
  /** Times that every case is asked; once if absent. */
  repetitions?: number | undefined
  /** When the run ends by itself. `cost` (US dollars) counts what is spent here, not what the server's judges cost. */
  limits?: { cost?: number | undefined; durationMs?: number | undefined } | undefined
  /** Ends the run once it is certain on which side of the threshold the mean of a metric is that is computed here. */
  decision?: { metric: string; threshold: number; level?: number | undefined } | undefined
  /** Ends the run when aborted; what is finished stays. */
  signal?: AbortSignal | undefined
  onProgress?: ((progress: RunProgress) => unknown) | undefined
  /** Is handed each item as it is finished here. */
  onItem?: ((item: RunItem) => unknown) | undefined
  /** Is told what goes wrong without ending the evaluation; to `console.warn` if absent. */
  onWarning?: ((message: string) => unknown) | undefined
  /** Keeps the items for the result, beside handing them out; none are kept if absent. */
  items?: 'kept' | undefined
  /** Milliseconds that the end waits for a server that was there before and is away; 60,000 if absent. */
  deliveryMs?: number | undefined
  /** Milliseconds without an event after which the server is told that the run goes on; 10,000 if absent. */
  heartbeatMs?: number | undefined
  /** Bytes of items that wait in memory for the server; what is more waits in a file. 16 MiB if absent. */
  bufferBytes?: number | undefined
}

/** One metric over all items of the run. */
export interface MetricResult {
  /** Over items that are scored; null without any, or while only the server could tell. */
  mean: number | null
  /** Of the mean, at 95 %; null with fewer than two values. */
  ci: [low: number, high: number] | null
  /** Items with a value. */
  n: number
  skipped: number
  errored: number
  passed: number
  failed: number
  /** n of all finished items, 0 to 1; null without items. */
  coverage: number | null
  /** Where it is scored. */
  by: 'client' | 'server'
}

/** What came of an evaluation, earlier parts of the same run included. */
export interface EvaluationResult {
  runId: string
  /** Where people look at the run; null where the server does not have it. */
  runUrl: string | null
  status: 'completed' | 'cancelled' | 'failed'
  /** Why it ended before every item was finished, though nothing went wrong. */
  stoppedBy: RunStop | null
  error: { code: string; message: string } | null
  totalItems: number | null
  completedItems: number
  /** Finished without an error of the task. */
  successfulItems: number
  /** successful / completed, 0 to 1; null without items. */
  successRate: number | null
  /** US dollars of what is known, and how many items hold a cost that is not. */
  cost: number
  unknownCosts: number
  metrics: Record<string, MetricResult>
  /** Milliseconds that were worked, by this process. */
  durationMs: number
  /** Events that the server took, those it does not have, and those it refused. */
  delivery: { delivered: number; undelivered: number; refused: number }
  warnings: string[]
  /** Those that were finished here, where they were to be kept. */
  items: RunItem[] | null
}
