import type { Interval, Score } from './evaluation.ts'

/**
 * `queued` until a worker takes it, `running` while items finish, then one of the rest. `cancelled` and `abandoned` (its
 * worker was not heard of again) keep what was finished, and can be resumed.
 */
export const runStatuses = ['queued', 'running', 'completed', 'failed', 'cancelled', 'abandoned'] as const
export type RunStatus = (typeof runStatuses)[number]

/** Why a run ended before every item was finished, though nothing went wrong; what is there is a valid partial result. */
export const runStops = ['cost_limit', 'time_limit', 'decided', 'cancelled'] as const
export type RunStop = (typeof runStops)[number]

/** What answers the cases of a run. `client`: user code does, and sends what it made; `outputs`: the answers stand in the dataset. */
export type RunTask =
  | { kind: 'client' }
  | { kind: 'outputs'; column: string }
  | { kind: 'http'; url: string; headers?: Record<string, string> | undefined; output?: string | undefined }
  | { kind: 'prompt'; template: string; system?: string | undefined; model?: string | undefined }

/** An evaluator of a run, under the name that its scores have there. */
export interface RunMetric {
  name: string
  evaluator: string
  config?: Record<string, unknown> | undefined
}

/** When a run ends by itself. */
export interface RunLimits {
  /** US dollars of tasks and judges together. Costs that are unknown end a limited run too: it fails closed. */
  cost?: number | undefined
  duration_ms?: number | undefined
}

/** Ends a run once the confidence sequence of a metric's mean, which holds while one looks on, excludes the threshold. */
export interface RunDecision {
  metric: string
  /** Within the range 0 to 1, which the metric must have. */
  threshold: number
  /** Such as 0.95, which is the default. */
  level?: number | undefined
}

/** How the cases of a run are worked off. */
export interface RunSettings {
  concurrency: number
  /** Of one attempt at one item, task and evaluators each. */
  timeout_ms: number
  /** Attempts after the first, at a task that failed. */
  retries: number
  /** Times that every case is asked. */
  repetitions: number
  limits: RunLimits
  decision: RunDecision | null
}

/** A mean that is told while the run goes on: over `scored` items alone, with what is left out beside it. */
export interface RunningMetric {
  /** Null while nothing is scored. */
  mean: number | null
  /** Of the mean, at 95 %; null with fewer than two values. */
  ci: [low: number, high: number] | null
  /** Items with a value. */
  n: number
  skipped: number
  errored: number
  /** Of the items with a verdict. */
  passed: number
  failed: number
}

/** Numbers of a run at one moment; they add up from its items alone. */
export interface RunProgress {
  /** Null while the dataset is still read. */
  total_items: number | null
  completed_items: number
  /** Finished without an error of the task; what evaluators say of them is another matter. */
  successful_items: number
  /** successful / completed, in 0..1; null while nothing is completed. */
  success_rate: number | null
  /** US dollars of what is known, and how many items hold an unknown cost. */
  cost: number
  unknown_costs: number
  metrics: Record<string, RunningMetric>
}

/** What people decided about a run. */
export interface RunApproval {
  state: 'approved' | 'rejected'
  note: string | null
  by: string | null
  at: string
}

/** A task evaluated over a dataset. */
export interface Run extends RunProgress {
  run_id: string
  name: string
  description: string | null
  status: RunStatus
  stopped_by: RunStop | null
  /** Why it failed. */
  error: { code: string; message: string } | null
  /** Id of the dataset in this project, and the version that is evaluated; null where user code brought its own cases. */
  dataset_id: string | null
  dataset_name: string
  dataset_version: string | null
  task: RunTask
  metrics_used: RunMetric[]
  settings: RunSettings
  /** What was evaluated, in its owner's words, such as the temperature of a model. */
  config: Record<string, unknown>
  model_name: string | null
  model_version: string | null
  task_type: string | null
  environment: string | null
  tags: string[]
  metadata: Record<string, unknown>
  created_by: string | null
  approval: RunApproval | null
  created_at: string
  updated_at: string
  started_at: string | null
  ended_at: string | null
  /** Time that it was worked on, of every attempt. */
  duration_ms: number | null
}

/** An item is kept once it is finished: none that is answered is `pending`, which clients of other servers know. */
export const runItemStatuses = ['success', 'failed', 'pending'] as const
export type RunItemStatus = (typeof runItemStatuses)[number]

/**
 * Why there is no output. `invalid_case`: the task was not asked, because the case cannot be told apart from an earlier one, or
 * is no JSON. `invalid_output`: it gave nothing, or what JSON cannot say. `too_large`: more than `limits.runOutputBytes`.
 */
export const taskFaults = ['timeout', 'execution_failed', 'invalid_output', 'too_large', 'invalid_case'] as const
export type TaskFault = (typeof taskFaults)[number]

/** One case of a run, asked once. */
export interface RunItem {
  /** Case and repetition: the same in every run over the same cases, which is how runs are paired. */
  item_id: string
  /** From 0, in the order of the dataset. */
  item_index: number
  case_id: string
  /** From 1. */
  repetition: number
  status: RunItemStatus
  input: unknown
  expected: unknown
  output: unknown
  scores: Record<string, Score>
  error: { code: TaskFault; message: string } | null
  attempts: number
  /** Of the attempt that counted. */
  response_time_ms: number | null
  tokens: number | null
  /** US dollars of all attempts; null when what any of them cost is unknown. Judges are not in it: their scores say. */
  cost: number | null
  trace_id: string | null
  started_at: string | null
  completed_at: string | null
}

/** One metric of a run, over all of its items. */
export interface RunMetricSummary {
  name: string
  evaluator: string
  /** Null where its code is not under a version: it scores, but cannot gate. */
  evaluator_version: string | null
  direction: 'higher' | 'lower' | null
  /** Over scored items; clustered by case where cases are repeated. */
  mean: Interval | null
  /** Share of passed among those with a verdict (Wilson). */
  pass_rate: Interval | null
  standard_deviation: number | null
  min: number | null
  max: number | null
  percentiles: { p5: number; p25: number; p50: number; p75: number; p95: number } | null
  /** Twenty cells of equal width from min to max; counts. */
  distribution: { from: number; to: number; count: number }[]
  scored: number
  skipped: number
  errored: number
}

/**
 * The verdict of a comparison. `different`: more than chance, in a metric of which neither more nor less is better;
 * `no_detectable_difference`: no more than chance; `not_enough_data`: fewer pairs than tell anything.
 */
export const comparisonVerdicts = [
  'better',
  'worse',
  'different',
  'no_detectable_difference',
  'not_enough_data',
] as const
export type ComparisonVerdict = (typeof comparisonVerdicts)[number]

/** What one run does otherwise than the one it is compared to, in one metric, over the cases that both have. */
export interface MetricComparison {
  name: string
  direction: 'higher' | 'lower' | null
  /** Whether both were scored by the same version of the evaluator: if not, the difference may be the evaluator's. */
  evaluator: 'same' | 'changed' | 'unknown'
  /** Means over the pairs. */
  before: number | null
  after: number | null
  /** after − before, with its interval. */
  difference: Interval | null
  test: string | null
  p: number | null
  /** Holm's, over all metrics of the comparison. */
  adjusted_p: number | null
  n: number
  /** The smallest difference that so many pairs would show four times out of five. */
  minimal_detectable_effect: number | null
  verdict: ComparisonVerdict
  /** Cases. Without a direction none is improved or regressed. */
  improved: number
  regressed: number
  unchanged: number
  /** Cases that only one of both runs scored. */
  unpaired: number
  /** Of these, those that the run before scored: here they are missing. */
  missing: number
  /** Of these, those of which this run has no item at all: it is another dataset, or the run did not come to them. */
  absent: number
  /** Cases of either run that were to be scored and were not, wholly or in a repetition: the task or the evaluator failed. */
  unmeasured: number
}

/** A case in all runs of a comparison. */
export interface CaseComparison {
  case_id: string
  /**
   * How much worse it became, in -1..1: its largest step backward in any metric, as a share of the metric's largest step of any
   * case. Of a case that became worse in none it is the largest step forward, as a negative number; 0 where nothing changed,
   * null where no metric tells.
   */
  regression: number | null
  /** Means over its repetitions, in the order of the runs; null where a run has no score of it. */
  values: Record<string, (number | null)[]>
  usage: Record<RunUsage, (number | null)[]>
  /** The index of its first item in each run; null where a run has none. */
  items: (number | null)[]
}

/** Which cases a comparison lists: those that became worse in any metric, only better, or neither. */
export const caseChanges = ['all', 'regressed', 'improved', 'unchanged'] as const
export type CaseChange = (typeof caseChanges)[number]

/** What is compared beside the metrics; less is better. Milliseconds of the items that succeeded, US dollars of all. */
export const runUsages = ['response_time_ms', 'cost'] as const
export type RunUsage = (typeof runUsages)[number]

/** The numbers of two to ten runs, each held against the first, case by case. */
export interface RunsCompared {
  /** Run ids; the first is what the others are held against. */
  runs: string[]
  /** Of each run but the first, in their order. `adjusted_p` counts the metrics and the usage of all of them. */
  compared: { run_id: string; metrics: MetricComparison[]; usage: MetricComparison[] }[]
  /** Cases that any of the runs has, and those that all have. */
  cases_total: number
  cases_shared: number
  /** Cases with the change that was asked for, listed or not. */
  cases_matching: number
  /** The worst first, then the best, then those that did not change; at most as many as were asked for. */
  cases: CaseComparison[]
  /** A sample of all cases, to be drawn: the same as long as the cases are; at most as many as were asked for. */
  points: CaseComparison[]
}

/** What speaks against a run, or against holding it against the first. */
export const runWarnings = [
  'not_finished',
  'failed',
  'cancelled',
  'abandoned',
  'stopped',
  'incomplete',
  'other_dataset',
  'other_version',
  'other_evaluator',
  'no_shared_cases',
] as const
export interface RunWarning {
  run_id: string
  code: (typeof runWarnings)[number]
  /** A sentence for people. */
  message: string
}

/** Runs compared, and what is to be said of it. With a single run, which is held against bounds, nothing is compared. */
export interface RunComparison extends RunsCompared {
  warnings: RunWarning[]
  /** Null unless a gate was asked for. */
  gate: GateVerdict | null
}

/** What a gate says. `cannot_tell` is no pass: scores are missing, or there is too little to tell from. */
export const gateOutcomes = ['pass', 'fail', 'cannot_tell'] as const
export type GateOutcome = (typeof gateOutcomes)[number]

/** How `llm-eval compare` ends. 2 is what could not be tried at all. */
export const gateExitCodes = { pass: 0, fail: 1, cannot_tell: 3 } as const satisfies Record<GateOutcome, number>

/** Whether a run may go on to where it is meant for, and why. */
export interface GateVerdict {
  outcome: GateOutcome
  /** Whether the outcome is `pass`. */
  passed: boolean
  exit_code: (typeof gateExitCodes)[GateOutcome]
  /** One for each thing that was asked; sentences for people. */
  reasons: { outcome: GateOutcome; metric: string | null; message: string }[]
}

/** The frames of `/ws/runs/…`; both `event_type` and `type` say what a frame is. */
export interface RunFrame {
  event_type: RunFrameType
  type: RunFrameType
  run_id: string
  timestamp: string
  /** Place in the journal; absent on frames that are not resumed from, such as a coalesced progress. */
  seq?: string
  data: unknown
}

export const runFrameTypes = ['progress', 'result', 'error', 'completed', 'status_update'] as const
export type RunFrameType = (typeof runFrameTypes)[number]
