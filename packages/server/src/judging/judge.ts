import type { Definition, Evaluation } from '@llm-eval/engine'
import type { EvaluatorInfo, Execution } from '@llm-eval/protocol'

/** Keeps the evaluators of every project and runs their executions: what all routes that judge stand on. */
export interface Judge {
  readonly catalogue: Catalogue
  readonly executions: Executions
}

/** An evaluator of the catalogue with what it takes to use it. */
export interface Entry {
  /** Of an evaluator of the project's own; that of a built-in one is its slug. */
  id: string
  info: EvaluatorInfo
  /** Null for built-in evaluators and those of modules. It holds secrets: send out `shownDefinition` of it. */
  definition: Definition | null
  /** For the engine. */
  use: Evaluation['evaluator']
}

/** What makes an evaluator of one's own. */
export interface NewEntry {
  slug: string
  name: string
  description: string
  /** As it came in: it is checked here. */
  definition: unknown
}

/** One version of an evaluator. */
export interface EntryVersion {
  version: string
  /** Null for built-in evaluators. */
  createdAt: number | null
  definition: Definition | null
}

/** The built-in evaluators, those of the configured modules, and those that each project made. */
export interface Catalogue {
  /** By slug: the built-in ones first. */
  list(projectId: number): Promise<Entry[]>
  /**
   * By slug, alias or id; `_` and `-` are the same.
   *
   * @throws {Failure} `evaluator_not_found`, `version_not_found`
   */
  find(projectId: number, key: string, version?: string | null): Promise<Entry>
  /** @throws {Failure} `builtin_evaluator`, `slug_taken`, `invalid_request` with paths below `definition` */
  create(projectId: number, entry: NewEntry): Promise<Entry>
  /**
   * What scores depend on makes a new version; a masked secret stays as it was.
   *
   * @throws {Failure} `evaluator_not_found`, `builtin_evaluator`, `invalid_request`
   */
  update(projectId: number, key: string, change: Partial<Omit<NewEntry, 'slug'>>): Promise<Entry>
  /** @throws {Failure} `evaluator_not_found`, `builtin_evaluator` */
  remove(projectId: number, key: string): Promise<void>
  /** Newest first; a built-in evaluator has one. */
  versions(projectId: number, key: string): Promise<EntryVersion[]>
}

/** One evaluator applied to one input. */
export interface Ask {
  /** Slug, alias or id. */
  evaluator: string
  /** A version of it; the newest unless said. */
  version?: string | null | undefined
  /** Laid over what the trace gives, where there is one. */
  input?: Record<string, unknown> | null | undefined
  /** Laid over the evaluator's own. */
  config?: Record<string, unknown> | null | undefined
  /** The trace that gives the input and gets the score. */
  traceId?: string | null | undefined
  /** The task of an experiment's run. */
  taskId?: string | null | undefined
}

export interface StartOptions {
  /** Groups them. */
  batchId?: string | null | undefined
  /** Milliseconds to wait for a place in a full queue, before `overloaded`. */
  patienceMs?: number | undefined
  /** How faults name the ask of an index, such as `executions[3].`; they begin at `input` or `config` without it. */
  at?: ((index: number) => string) | undefined
}

/** Executions: durable from the moment they are started, run by this process or, if it dies, by the next. */
export interface Executions {
  /**
   * Checks and stores all of them, or none, and begins to run them. Resolves once they are stored, in the order of `asks`.
   *
   * @throws {Failure} `evaluator_not_found`, `version_not_found`, `invalid_request`, `no_provider`, `trace_not_found`,
   *   `body_too_large`, `overloaded`, `shutting_down`
   */
  start(projectId: number, asks: readonly Ask[], options?: StartOptions): Promise<Execution[]>
  /**
   * Waits until an execution is over, and gives it: `completed`, `failed` or `cancelled`. When the signal aborts it gives the
   * execution as it stands then.
   *
   * @throws {Failure} `execution_not_found`, `shutting_down`
   */
  result(projectId: number, id: string, options: { signal: AbortSignal }): Promise<Execution>
  /** Starts one and waits for its end. */
  run(
    projectId: number,
    ask: Ask,
    options: Pick<StartOptions, 'patienceMs'> & { signal: AbortSignal },
  ): Promise<Execution>
  /** @throws {Failure} `execution_not_found`, `execution_over` */
  cancel(projectId: number, id: string): Promise<Execution>
}
