/** How called tools must lie to those that are expected. `superset`: any order, anything beside them. */
export const sequenceModes = ['subsequence', 'exact', 'unordered', 'superset'] as const
export type SequenceMode = (typeof sequenceModes)[number]

/** What the arguments of a call must be: every member given here is there and equal (`partial`), or nothing else is (`exact`). */
export interface ArgumentsExpected {
  tool: string
  args: Record<string, unknown>
  match: 'partial' | 'exact'
  /** Paths such as `filter.date` that are not looked at. */
  ignore: string[]
}

/** How often a tool is called. */
export interface CallCountExpected {
  tool: string
  min: number | null
  max: number | null
}

/** What an answer must say. Everything given must hold: these gate, whatever the score is. */
export interface OutputExpected {
  /** Without regard to case. */
  contains: string[]
  not_contains: string[]
  regex: string[]
  not_regex: string[]
  json_schema: Record<string, unknown> | null
  must_acknowledge_uncertainty: boolean
  no_pii: boolean
}

/** What is expected of a turn, or of a whole conversation. */
export interface Expected {
  /** Names that must be called; anything beside them is no fault. */
  tools: string[]
  /** Of each at least one tool must be called. */
  tool_categories: string[]
  sequence: string[]
  sequence_mode: SequenceMode
  /** A call of one of these fails the case, and blocks a release, whatever else is good. */
  forbidden_tools: string[]
  /** Sequences that must not occur. */
  forbidden_sequences: string[][]
  arguments: ArgumentsExpected[]
  calls: CallCountExpected[]
  output: OutputExpected
  /** Numbers in the answer or its metadata, by name. */
  metrics: Record<string, { value: number; tolerance: number }>
}

export interface TestTurn {
  query: string
  context: Record<string, unknown> | null
  expected: Expected | null
}

/** Shares of a score; they add up to 1. */
export interface ScoreWeights {
  tool_accuracy: number
  output_quality: number
  sequence_correctness: number
}

/** When repeated answers count as good. */
export interface VarianceExpected {
  /** In 0..1. */
  pass_rate: number
  min_mean_score: number | null
  max_std_dev: number | null
  confidence_level: number
}

export interface TestThresholds {
  /** In 0..100. */
  min_score: number
  /** US dollars; a cost that is unknown does not keep it. */
  max_cost: number | null
  /** Milliseconds. */
  max_latency: number | null
  weights: ScoreWeights
  variance: VarianceExpected | null
}

/** What is looked for in an answer beside what a case expects of it. */
export const checkNames = ['hallucination', 'safety', 'pii'] as const
export type CheckName = (typeof checkNames)[number]

/** `demanded`: without it the case cannot be evaluated; `when_judged`: where a judge is at hand. */
export type CheckWish = 'demanded' | 'when_judged' | 'off'

/** How a case's agent is asked where that differs from the others. */
export interface CaseAgent {
  endpoint: string | null
  headers: Record<string, string>
  timeout_ms: number | null
  /** Definitions of tools that are sent with the context. */
  tools: unknown[]
}

/** A call of a tool as an eval file of Google's ADK expects it. Null is a call without arguments, which is not one with empty ones. */
export interface AdkCallExpected {
  name: string
  args: Record<string, unknown> | null
}

/** How called tools must lie to those that are expected, by ADK's names. */
export const adkTrajectoryMatches = ['EXACT', 'IN_ORDER', 'ANY_ORDER'] as const
export type AdkTrajectoryMatch = (typeof adkTrajectoryMatches)[number]

/** A measure of ADK that decides a case. */
export interface AdkCriterion {
  /** Such as `tool_trajectory_avg_score`. */
  metric: string
  /** Scores from here on pass. */
  threshold: number
  /** Of trajectories. */
  match: AdkTrajectoryMatch
  ignore_args: boolean
  /** Whether ADK asks a model for it. */
  judged: boolean
  /** Why it cannot be measured here; null where it can. */
  fault: string | null
}

/** What an eval set of ADK expects, turn by turn, and by which of its measures that is decided. */
export interface AdkExpected {
  eval_set_id: string
  eval_id: string
  app_name: string | null
  user_id: string | null
  turns: { calls: AdkCallExpected[]; response: string }[]
  criteria: AdkCriterion[]
}

/** One case of a suite, whatever format it was written in. */
export interface TestCase {
  /** Of its suite and name, the same on every machine. */
  case_id: string
  name: string
  description: string | null
  suite: string
  /** Relative to the suite, with `/`; and where in it, from 1. */
  file: string
  line: number
  tags: string[]
  turns: TestTurn[]
  expected: Expected
  /** What a judge looks for in this case; null for the general rubric. */
  rubric: string | null
  thresholds: TestThresholds
  /** Times that the case is asked. */
  repetitions: number
  checks: Record<CheckName, CheckWish>
  agent: CaseAgent
  model: string | null
  difficulty: string | null
  suite_type: 'capability' | 'regression' | null
  meta: Record<string, unknown>
  /** Of a case of an eval set of ADK: its measures decide, in place of `expected` and a judge. */
  adk?: AdkExpected | undefined
}

/** What is wrong with a file of cases. An `error` makes the whole run fail, though the other cases go on. */
export interface CaseProblem {
  level: 'error' | 'warning'
  file: string
  line: number | null
  /** Such as `expected.tools[0]`. */
  path: string
  /** What is wrong, and what was probably meant. */
  message: string
}
