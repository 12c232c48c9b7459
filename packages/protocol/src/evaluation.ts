/** What an evaluator can be given about one request to an LLM application. */
export const evidences = [
  'query',
  'response',
  'reference',
  'context',
  'tool_calls',
  'expected_tool_calls',
  'messages',
  'latency',
  'cost',
  'tokens',
] as const
export type Evidence = (typeof evidences)[number]

/** `code` is deterministic, `judge` asks a language model, `remote` asks a URL, `custom` is a function of a user's module. */
export const evaluatorKinds = ['code', 'judge', 'remote', 'custom'] as const
export type EvaluatorKind = (typeof evaluatorKinds)[number]

export const evaluatorCategories = ['text', 'format', 'safety', 'usage', 'tools', 'quality', 'agent', 'custom'] as const
export type EvaluatorCategory = (typeof evaluatorCategories)[number]

/** One field of what an evaluator takes or gives. */
export interface Field {
  name: string
  type: 'string' | 'number' | 'integer' | 'boolean' | 'enum' | 'array' | 'object' | 'any'
  description: string
  /** Of an input: whether there is no score without it. */
  required: boolean
  /** With the type `enum`. */
  enum_values?: string[]
}

/** An evaluator as the catalogue shows it. */
export interface EvaluatorInfo {
  /** Kebab-case; `_` and `-` are the same when it is looked up. */
  slug: string
  name: string
  description: string
  kind: EvaluatorKind
  category: EvaluatorCategory
  source: 'builtin' | 'custom'
  /** Hash of all that its scores depend on: kind, configuration, prompt, model, declared version. */
  version: string
  /** False where its code is not under a declared version: it scores, but cannot be calibrated or gate. */
  pinned: boolean
  /** Other names it answers to. */
  aliases: string[]
  /** Evidence a trace must hold, else the score is `skipped`. */
  needs: Evidence[]
  /** What else it needs of the server. */
  provider: 'none' | 'chat' | 'embedding'
  input_schema: Field[]
  /** Fields of a score's `output`. */
  output_schema: Field[]
  /** JSON Schema of the configuration. */
  config_schema: Record<string, unknown>
  /** Smallest and largest `value`; null where there is no bound. */
  range: { min: number | null; max: number | null }
  /** Whether more is better; null where neither is. */
  direction: 'higher' | 'lower' | null
  example: {
    input: Record<string, unknown>
    config?: Record<string, unknown>
    value: number | null
    passed: boolean | null
  } | null
  created_at: string | null
  updated_at: string | null
}

/** How a score came about: `skipped` when evidence is missing, `errored` when the evaluator failed. Only `scored` counts in a mean. */
export const scoreOutcomes = ['scored', 'skipped', 'errored'] as const
export type ScoreOutcome = (typeof scoreOutcomes)[number]

/** Why there is no value. */
export const scoreFaults = [
  'missing_evidence',
  'no_provider',
  'refused_value',
  'threw',
  'timeout',
  'provider_error',
  'provider_refused',
  'unparsable_answer',
  'remote_error',
  'too_large',
  'cancelled',
  'cost_limit',
] as const
export type ScoreFault = (typeof scoreFaults)[number]

/** What an evaluation itself consumed; null is unknown, and never counts as 0. */
export interface EvaluationUsage {
  /** As the provider says. */
  model: string | null
  input_tokens: number | null
  output_tokens: number | null
  /** US dollars. */
  cost: number | null
  /** Answered from the cache: nothing was paid. */
  cached: boolean
}

/** What an evaluator thinks of one input. */
export interface Score {
  outcome: ScoreOutcome
  /** Within the evaluator's range; null when it gives none, or nothing was scored. */
  value: number | null
  label: string | null
  passed: boolean | null
  explanation: string | null
  /** Set unless scored. */
  fault: ScoreFault | null
  /** The evaluator's own result fields, as its `output_schema` names them. */
  output: Record<string, unknown>
  usage: EvaluationUsage | null
  duration_ms: number
}

/** A score on a trace. */
export interface TraceScore extends Score {
  evaluator: string
  evaluator_version: string
  execution_id: string
  /** Name of the rule that asked for it; null when somebody did. */
  rule: string | null
  at: string
}

/** A score as lists and streams carry it. */
export interface ScoreSummary {
  evaluator: string
  outcome: ScoreOutcome
  value: number | null
  label: string | null
  passed: boolean | null
}

export const executionStatuses = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const
export type ExecutionStatus = (typeof executionStatuses)[number]

/** One evaluator applied to one input. `completed` means there is a score, whatever its outcome, unless it errored: that is `failed`. */
export interface Execution {
  execution_id: string
  evaluator: string
  evaluator_version: string
  status: ExecutionStatus
  trace_id: string | null
  /** Groups executions that were asked for together. */
  batch_id: string | null
  score: Score | null
  error: { code: string; message: string } | null
  created_at: string
  completed_at: string | null
}

/** A frame of `/api/v1/executions/:id/events` and of a batch: an unnamed SSE message with an id. */
export interface ExecutionFrame {
  event_type: 'progress' | 'result' | 'error'
  data: ExecutionProgress | Execution
  timestamp: string
}

export interface ExecutionProgress {
  execution_id: string
  status: ExecutionStatus
  /** Steps done and to do, such as the samples of a judge; null when it has no steps. */
  done: number | null
  total: number | null
}

/** Answer of every route that starts executions. `stream_url` begins with `/` and is taken after `/v2`. */
export interface ExecutionStarted {
  execution_id: string
  stream_url: string
}

/** Evaluates new traces by itself. */
export interface Rule {
  id: string
  name: string
  enabled: boolean
  filter: RuleFilter
  /** Share of the matching traces that are evaluated, in (0, 1]. */
  sampling_rate: number
  evaluators: { slug: string; config?: Record<string, unknown> }[]
  /** US dollars a UTC day; null is no limit. With a limit, evaluations of unknown cost end the day's work too. */
  daily_cost_limit: number | null
  created_at: string
  updated_at: string
  /** Of the present UTC day. */
  today: { executions: number; cost: number; unknown_costs: number; limited: number }
}

/** Which traces a rule is for; all given fields must fit. */
export interface RuleFilter {
  model_name?: string | undefined
  source?: string | undefined
  session_id?: string | undefined
  user_id?: string | undefined
}

/** How a judge agrees with people, over the traces that both judged. */
export interface Calibration {
  evaluator: string
  evaluator_version: string
  /** `expired`: the evaluator changed since; `drifted`: the provider answers with another model than then. */
  state: 'current' | 'expired' | 'drifted' | 'not_pinned'
  made_at: string
  /** Traces with both verdicts, and those with only one. */
  n: number
  judge_only: number
  human_only: number
  /** Positive means passed and accepted. */
  confusion: { true_positive: number; false_positive: number; true_negative: number; false_negative: number }
  agreement: Interval | null
  kappa: Interval | null
  /** Share that the judge passes, as it is and corrected for its errors (Rogan-Gladen). */
  raw_rate: Interval | null
  corrected_rate: Interval | null
  /** At most 100 each. */
  false_positives: string[]
  false_negatives: string[]
}

/** An estimate with its confidence interval. */
export interface Interval {
  estimate: number
  low: number
  high: number
  /** Such as 0.95. */
  level: number
  n: number
}
