import type { EvaluatorOptions, Task, TaskContext } from './options.ts'

/** What of an `Evaluator` an evaluation says itself; where the server is, and who listens, is said by whoever runs it. */
type Described = Pick<
  EvaluatorOptions,
  | 'metrics'
  | 'dataset'
  | 'datasetVersion'
  | 'datasetName'
  | 'description'
  | 'tags'
  | 'metadata'
  | 'config'
  | 'modelName'
  | 'modelVersion'
  | 'taskType'
  | 'environment'
  | 'createdBy'
  | 'concurrency'
  | 'timeoutMs'
  | 'retries'
  | 'repetitions'
  | 'limits'
  | 'decision'
>

/** What a run must reach to pass. What cannot be told is no pass. */
export interface EvaluationGate {
  /** Metric -> the least that its mean may be. */
  min?: Readonly<Record<string, number>> | undefined
  /** Metric -> the most that its mean may be. */
  max?: Readonly<Record<string, number>> | undefined
  /** `regression`: no metric may be worse than in the baseline. */
  failOn?: 'regression' | undefined
  /** Id of the run to hold this one against; the newest whole run of the same name if absent. */
  baseline?: string | undefined
}

/** An evaluation in a file of its own, as `llm-eval run` takes it. */
export interface EvaluationDefinition<Input = unknown> extends Described {
  /** The same in every run of it, which is how earlier runs are found. */
  name: string
  /** A function that answers a case, as that of an `Evaluator`. */
  task(input: Input, context: TaskContext): ReturnType<Task>
  gate?: EvaluationGate | undefined
}

/**
 * Describes an evaluation for `llm-eval run`: `export default defineEvaluation({ … })`. It gives what it is given, with its type
 * checked; `llm-eval run` looks at the values. In `dataset` a path that ends in `.jsonl`, `.json` or `.csv` is a file, beside the
 * file that names it; any other text is a dataset on the server.
 */
export function defineEvaluation<Input = unknown>(definition: EvaluationDefinition<Input>): EvaluationDefinition {
  return definition
}
