import { limits, type RunSettings } from '@llm-eval/protocol'
import { type ChosenMetrics, chooseMetrics } from './metrics.ts'
import { checkNames } from './option-names.ts'
import type { EvaluationResult, EvaluatorOptions } from './options.ts'
import { Evaluation } from './evaluation.ts'

/**
 * Evaluates a task over a dataset. Everybody who watches the run on the server sees each item as it is finished.
 *
 * - Built-in evaluators of code and functions score here; judges and evaluators of a project score on the server.
 * - A server that is away is no reason to wait: items are delivered when it is back. One that is never there leaves a warning and
 *   a result, of what can be scored here.
 * - The same `runId` again does only what the server does not have, whoever did the rest.
 */
export class Evaluator {
  readonly #options: EvaluatorOptions
  readonly #settings: RunSettings

  /** @throws {TypeError} for options that make no sense, or that nobody knows */
  constructor(options: EvaluatorOptions) {
    checkNames(options)
    check(options)
    this.#options = options
    this.#settings = settingsOf(options)
  }

  /**
   * Runs it. What a task or an evaluator does wrong stands with its item.
   *
   * @throws {LLMEvalError} when the server refuses the run, or has the dataset and cannot be reached
   * @throws the reason of `signal` when that is aborted before there is a run
   * @throws {TypeError} when two metrics have one name
   * @throws {Error} with the code `invalid_request` for settings or a configuration that do not fit
   */
  async run(): Promise<EvaluationResult> {
    const metrics: ChosenMetrics = chooseMetrics(this.#options.metrics)
    try {
      const decided = this.#settings.decision?.metric
      if (decided !== undefined && !metrics.here.some(({ name }) => name === decided))
        throw new TypeError(`decision.metric must be a metric that is computed here: ${decided} is not`)
      return await new Evaluation(this.#options, this.#settings, metrics).run()
    } finally {
      await metrics.close()
    }
  }

  /** The same as `run`. */
  async arun(): Promise<EvaluationResult> {
    return await this.run()
  }
}

function check({ task, dataset, runId, maxCases }: EvaluatorOptions): void {
  if (typeof task !== 'function') throw new TypeError('task must be a function')
  const isList = typeof dataset === 'object' && dataset !== null
  if (typeof dataset === 'string' ? dataset.trim() === '' : !isList || !isIterable(dataset))
    throw new TypeError('dataset must be the name of a dataset, or a list of cases')
  if (runId !== undefined && (runId.trim() === '' || runId.length > limits.nameChars))
    throw new TypeError(`runId must be a text of 1 to ${limits.nameChars} characters`)
  if (maxCases !== undefined && !(Number.isSafeInteger(maxCases) && maxCases > 0))
    throw new TypeError('maxCases must be a whole number of 1 or more')
}

function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

function settingsOf(options: EvaluatorOptions): RunSettings {
  const { concurrency = 10, timeoutMs = 120_000, retries = 0, repetitions = 1, limits: most = {}, decision } = options
  return {
    concurrency,
    timeout_ms: timeoutMs,
    retries,
    repetitions,
    limits: {
      ...(most.cost === undefined ? {} : { cost: most.cost }),
      ...(most.durationMs === undefined ? {} : { duration_ms: most.durationMs }),
    },
    decision: decision ? { level: 0.95, ...decision } : null,
  }
}
