import type { Execution, ExecutionStatus, Rule, Score, ScoreOutcome } from '@llm-eval/protocol'

// What the store keeps of evaluators, executions, scores, rules and calibrations. Definitions, inputs and outputs are JSON
// texts here: what is in them is their owners' business.

/** An evaluator of a project's own, or one of its versions. */
export interface StoredEvaluator {
  id: string
  slug: string
  name: string
  description: string
  /** Hash of what its scores depend on. */
  version: string
  /** JSON. */
  definition: string
  createdAt: number
  updatedAt: number
}

/** An execution to be started. */
export interface NewExecution {
  /** Given by the caller, so that it can be named before it is stored. */
  id: string
  evaluator: string
  version: string
  /** JSON; null where the input is the trace itself: then no copy of its texts is kept. */
  input: string | null
  /** JSON; null is the evaluator's own. */
  config: string | null
  /** The trace that the score will stand on. */
  traceId: string | null
  ruleId: string | null
  batchId: string | null
  /** The task of an experiment's run. */
  taskId: string | null
}

/** An execution with what it takes to run it. */
export interface StoredExecution extends NewExecution {
  /** Names it in events. */
  ref: number
  status: ExecutionStatus
  /** Counted from 1. */
  attempt: number
  score: Score | null
  error: { code: string; message: string } | null
  createdAt: number
  completedAt: number | null
}

/** How an execution ended. */
export interface ExecutionEnd {
  status: 'completed' | 'failed' | 'cancelled'
  score: Score | null
  error: { code: string; message: string } | null
}

export type NewRule = Omit<Rule, 'created_at' | 'updated_at' | 'today' | 'daily_cost_limit'> & {
  /** Nano-dollars. */
  dailyCostLimitNano: number | null
}

export interface StoredRule extends NewRule {
  createdAt: number
  updatedAt: number
}

/** What a rule has spent on one UTC day. */
export interface RuleDay {
  executions: number
  costNano: number
  unknownCosts: number
  /** Traces that were passed over because of the limit. */
  limited: number
}

export interface EvaluationChanges {
  /**
   * A first version under a new slug, or a new version of an evaluator that is there. The same version again replaces its
   * names and its definition: what versions do not depend on, such as a secret, may have changed in it.
   */
  putEvaluator: {
    in: Omit<StoredEvaluator, 'createdAt' | 'updatedAt'> & { at: number; mode: 'create' | 'update' }
    out: { result: 'ok'; evaluator: StoredEvaluator } | { result: 'slug_taken' | 'not_found' | 'too_many' }
  }
  /** Its versions, executions and scores stay; its slug can be used again. Versions are found by slug, whoever lives under it. */
  deleteEvaluator: { in: { slug: string; at: number }; out: { found: boolean } }
  /** Stores executions as running, held by `owner` until `at + leaseMs`. Those whose trace does not exist are not stored. */
  startExecutions: {
    in: { executions: NewExecution[]; owner: string; at: number; leaseMs: number }
    out: { refs: (number | null)[] }
  }
  /** Takes executions whose holder let go or let the time run out; those that ran out of attempts end as failed (`interrupted`). */
  takeExecutions: {
    in: { owner: string; at: number; leaseMs: number; limit: number; maxAttempts: number }
    out: { executions: StoredExecution[]; abandoned: number }
  }
  /** Keeps those of the executions that the owner holds for longer. */
  holdExecutions: { in: { refs: number[]; owner: string; at: number; leaseMs: number }; out: { held: number } }
  /**
   * Lets go of all of the owner's executions, so that whoever comes next need not wait. After a `stop` in good order the
   * attempt is not counted; after the `death` of their process, which they may have caused, it is.
   */
  releaseExecutions: { in: { owner: string; after: 'stop' | 'death' }; out: { released: number } }
  noteProgress: { in: { ref: number; owner: string; done: number; total: number; at: number }; out: { held: boolean } }
  /**
   * Ends an execution that `owner` holds: result, score on the trace, rule's costs and events in one transaction. A cost is
   * unknown where the usage says so, or where there is no score; what an interrupted attempt before it spent is not counted.
   */
  finishExecution: { in: { ref: number; owner: string; end: ExecutionEnd; at: number }; out: { held: boolean } }
  cancelExecution: {
    in: { id: string; at: number }
    out: { result: 'cancelled' } | { result: 'over'; status: ExecutionStatus } | { result: 'not_found' }
  }
  /** Deletes up to `limit` finished executions that stand on no trace and no task, and ended before `before`. */
  expireExecutions: { in: { before: number; limit: number }; out: { deleted: number; more: boolean } }
  putRule: {
    in: { rule: NewRule; at: number; mode: 'create' | 'update' }
    out: { result: 'ok' } | { result: 'not_found' | 'too_many' }
  }
  deleteRule: { in: { id: string }; out: { found: boolean } }
  putCalibration: { in: { evaluator: string; version: string; data: string; at: number }; out: { stored: true } }
}

export interface ExecutionFilter {
  evaluator?: string | undefined
  status?: ExecutionStatus | undefined
  batchId?: string | undefined
  traceId?: string | undefined
}

/** What a rule decides by. */
export interface RuleTrace {
  ref: number
  traceId: string
  model: string
  source: string | null
  sessionId: string | null
  userId: string | null
  state: 'open' | 'closed'
}

/** Both verdicts on one trace. */
export interface JudgedTrace {
  traceId: string
  /** Null where the evaluator has not looked at it. */
  outcome: ScoreOutcome | null
  passed: boolean | null
  value: number | null
  /** As the provider of a judge said. */
  model: string | null
  accepted: boolean | null
}

export interface EvaluationQueries {
  evaluators: { in: object; out: StoredEvaluator[] }
  /** By slug or id. */
  evaluator: { in: { key: string; version?: string | undefined }; out: StoredEvaluator | null }
  /** Newest first. */
  evaluatorVersions: { in: { slug: string }; out: { version: string; createdAt: number; definition: string }[] }
  execution: { in: { id: string }; out: StoredExecution | null }
  /** Without inputs, newest first. The cursor is opaque; a page may end before it is full, and go on nevertheless. */
  executions: {
    in: { filter: ExecutionFilter; limit: number; cursor: string | null }
    out: { items: Execution[]; nextCursor: string | null } | { invalidCursor: true }
  }
  /** Projects with executions that are not over and that nobody holds. The same whatever project asks. */
  freeExecutions: { in: { at: number }; out: number[] }
  /** Every execution of a batch, in the order they were asked for. */
  batchExecutions: { in: { batchId: string }; out: { id: string; ref: number; status: ExecutionStatus }[] }
  rules: { in: object; out: StoredRule[] }
  ruleDay: { in: { ruleId: string; day: number }; out: RuleDay }
  /** What rules look at. Traces that are gone are left out. */
  ruleTraces: { in: { refs: number[] }; out: RuleTrace[] }
  calibration: { in: { evaluator: string }; out: { version: string; data: string; at: number } | null }
  /** Traces with this evaluator's newest score of this version, a verdict, or both; newest first, for calibration. */
  judgedTraces: { in: { evaluator: string; version: string; limit: number }; out: JudgedTrace[] }
}

/** Numbers of an execution in the journal. Outcome, value and passed are those of the score, where there is one. */
export interface ExecutionNumbers {
  status: ExecutionStatus
  done: number | null
  total: number | null
}
