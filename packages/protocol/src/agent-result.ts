import type { AgentTrace } from './agent-trace.ts'

/** The parts of a score. */
export const scoreParts = ['tool_accuracy', 'output_quality', 'sequence_correctness'] as const
export type ScorePart = (typeof scoreParts)[number]

/** A part of a score, in 0..1, or why there is none. */
export type PartScore =
  | { outcome: 'scored'; value: number; detail: string }
  | { outcome: 'not_expected' }
  | { outcome: 'skipped'; reason: 'no_judge' | 'not_captured' | 'fault'; detail: string }
  | { outcome: 'errored'; detail: string }

/** One thing that a case demands. Those that `failed` or `unknown` keep the case from passing. */
export interface Assertion {
  /** Such as `output.contains`, `tools.forbidden`, `thresholds.max_cost`. */
  kind: string
  /** From 1; null where it is about the whole conversation. */
  turn: number | null
  outcome: 'passed' | 'failed' | 'unknown'
  expected: unknown
  actual: unknown
  /** A sentence that says what was found, and with what would be right. */
  message: string
}

/** What became of one attempt at a case. `unevaluated`: something that its verdict needs could not be seen or judged. */
export const attemptOutcomes = ['passed', 'failed', 'faulted', 'unevaluated'] as const
export type AttemptOutcome = (typeof attemptOutcomes)[number]

export interface AttemptResult {
  outcome: AttemptOutcome
  /** In 0..100, over the parts that are known, re-weighted; null when none is. */
  score: number | null
  /** Whether every weighted part is in the score. */
  complete: boolean
  parts: Record<ScorePart, PartScore>
  assertions: Assertion[]
  trace: AgentTrace
  /** Evaluations by a judge, with what they cost in US dollars; null is unknown. */
  judged: { evaluator: string; value: number | null; explanation: string | null; cost: number | null }[]
}

/** A case, asked once or several times. */
export interface CaseResult {
  case_id: string
  name: string
  suite: string
  outcome: AttemptOutcome
  attempts: AttemptResult[]
  /** Over the attempts that were evaluated. */
  repeated: {
    n: number
    passed: number
    /** Wilson. */
    pass_rate: { estimate: number; low: number; high: number; level: number }
    /** Chance that at least one of k attempts passes, and that all do: without bias, for each k up to n. */
    pass_at_k: { k: number; value: number }[]
    pass_hat_k: { k: number; value: number }[]
    mean_score: number | null
    standard_deviation: number | null
    /** Whether it passes and fails by turns. */
    flaky: boolean
    /** How likely so many of the rarer outcome are of a case that changes its outcome once in a hundred times. */
    flaky_p: number
  } | null
}

/** How a case may be otherwise than what was accepted before: what a gate can fail for. A `REGRESSION` fails it always. */
export const failStates = [
  'OUTPUT_CHANGED',
  'TOOLS_CHANGED',
  'REGRESSION',
  'MODEL_CHANGED',
  'NO_BASELINE',
  'NOT_EVALUATED',
] as const

/** How a case did against what was accepted before. */
export const checkStates = ['PASSED', ...failStates] as const
export type CheckState = (typeof checkStates)[number]

/** Whether to ship. Not evaluated is never safe. */
export const releaseVerdicts = ['SAFE_TO_SHIP', 'SHIP_WITH_QUARANTINE', 'INVESTIGATE', 'BLOCK_RELEASE'] as const
export type ReleaseVerdict = (typeof releaseVerdicts)[number]

/** What a variant of a baseline may be called: it is part of a file's name. */
export const variantPattern = /^[A-Za-z0-9_-]{1,60}$/

/** Behaviour of a case that somebody accepted. */
export interface Baseline {
  version: 1
  case_id: string
  name: string
  suite: string
  /** `default`, or the name of another accepted way. */
  variant: string
  accepted_at: string
  accepted_by: string | null
  note: string | null
  model: string | null
  /** Of each accepted attempt; the first is shown, all of them say how much cost, latency and score spread. */
  attempts: { score: number | null; trace: AgentTrace }[]
}

/** How an argument differs from the one before. */
export interface ArgumentDifference {
  /** Such as `filter.date`; empty for the arguments as a whole. */
  path: string
  kind: 'missing' | 'added' | 'type' | 'value'
  before: unknown
  after: unknown
}

/** One step of aligned tool calls, baseline beside now. `moved`: the same call, earlier or later than before. */
export interface ToolStep {
  kind: 'same' | 'arguments' | 'moved' | 'added' | 'removed'
  name: string
  /** Index among the calls; null where it has none. */
  before: number | null
  after: number | null
  differences: ArgumentDifference[]
}

/** A quantity then and now: means over the attempts that know it. */
export interface Change {
  before: number | null
  after: number | null
  /** Of after minus before; null with fewer than two attempts on a side, or without any spread. */
  interval: { low: number; high: number; level: number } | null
  /** Whether it is more than chance, as far as can be told: null where it cannot. */
  detectable: boolean | null
}

export interface CheckResult {
  case_id: string
  name: string
  suite: string
  state: CheckState
  /** The variant that is nearest; null without a baseline. */
  variant: string | null
  steps: ToolStep[]
  /** In 0..1, letter by letter, of the answers that are least alike; null where it cannot be told. */
  output_similarity: number | null
  score: Change
  cost: Change
  latency: Change
  model: { before: string | null; after: string | null }
  forbidden_tools: string[]
  quarantine: Quarantine | null
  /** One sentence each. */
  reasons: string[]
  /** Which attempt, and which accepted one, the steps and the likeness are of, from 0; null where nothing was compared. */
  shown: { attempt: number; accepted: number } | null
  result: CaseResult
}

/** Whether to ship, and why. */
export interface ReleaseReport {
  verdict: ReleaseVerdict
  /** 0 pass, 1 failed gate, 2 could not evaluate. */
  exit_code: 0 | 1 | 2
  /** One line. */
  headline: string
  reasons: string[]
  /** The command that helps most now; null where there is nothing to do. */
  next: string | null
  counts: Record<CheckState, number>
}

/** Explicit, owned, and over at a date. */
export interface Quarantine {
  case_id: string
  owner: string
  reason: string
  /** RFC 3339. From then on it is as if it were not there. */
  expires_at: string
}
