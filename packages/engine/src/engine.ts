import type { EvaluatorInfo, Fault, Score } from '@llm-eval/protocol'
import type { Definition } from './definition.ts'

/** What is to be evaluated. */
export interface Evaluation {
  /** A slug or alias of the catalogue, or a definition of a project's own. */
  evaluator: string | { slug: string; definition: Definition }
  input: Record<string, unknown>
  /** Laid over the evaluator's own configuration. Null members are absent. */
  config?: Record<string, unknown> | null | undefined
}

export interface EvaluateOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
  /** `input`: a missing required field is a fault of the request. `trace`: it makes the score `skipped`. */
  evidence?: 'input' | 'trace' | undefined
}

/** An evaluator with its configuration, looked up and checked once to score many inputs. */
export interface Prepared {
  /** With the version that its scores carry. */
  info: EvaluatorInfo
  /**
   * As `Engine.evaluate` does; the score comes at once where the evaluator gives it at once.
   *
   * @throws {Failure} `invalid_request`, `overloaded`; or rejects with them
   */
  evaluate(input: Record<string, unknown>, options?: PreparedOptions): Score | Promise<Score>
}

export interface PreparedOptions extends Omit<EvaluateOptions, 'signal'> {
  /** Asked for where the score does not come at once: a signal is dearer than most scores are. */
  signal?: (() => AbortSignal) | undefined
}

/** Judges: holds the catalogue, checks what is asked, and scores it. Opens no socket but by the `fetch` it was given. */
export interface Engine {
  /** The built-in evaluators and those of the configured modules, by slug. */
  catalogue(): EvaluatorInfo[]
  /**
   * Undefined when there is none of this slug or alias, or when the definition is faulty. With a configuration the version is
   * that of the evaluator under it: what a score made with it carries.
   */
  info(evaluator: Evaluation['evaluator'], config?: Evaluation['config']): EvaluatorInfo | undefined
  /** Checks a definition as far as it can be without running it: its schema, its base, its address, its model. */
  inspect(slug: string, definition: Definition): { info: EvaluatorInfo } | { faults: Fault[] }
  /** Undefined when there is no such evaluator. */
  prepare(
    evaluator: Evaluation['evaluator'],
    config?: Evaluation['config'],
  ): { prepared: Prepared } | { faults: Fault[] } | undefined
  /** What is wrong with the input and the configuration; empty when it can be evaluated. */
  check(evaluation: Evaluation): Fault[]
  /**
   * Scores. Resolves whatever the evaluator does: throwing, hanging, refusing and nonsense all become an `errored` score.
   *
   * @throws {Failure} `evaluator_not_found`, `invalid_request`, and `overloaded` when too many wait for a thread
   */
  evaluate(evaluation: Evaluation, options?: EvaluateOptions): Promise<Score>
  /** Ends its threads. */
  close(): Promise<void>
}
