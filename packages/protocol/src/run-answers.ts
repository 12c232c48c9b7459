/** Runs as zod schemas: what their routes answer, for the API description and the tests. */
import * as z from 'zod'
import { interval, score } from './evaluation-schemas.ts'
import {
  type CaseComparison,
  comparisonVerdicts,
  gateOutcomes,
  type GateVerdict,
  type MetricComparison,
  type Run,
  type RunApproval,
  type RunComparison,
  type RunItem,
  type RunMetricSummary,
  type RunningMetric,
  type RunSettings,
  runStatuses,
  runStops,
  type RunTask,
  runWarnings,
  taskFaults,
} from './runs.ts'

const object = z.record(z.string(), z.unknown())
const time = z.string().describe('RFC 3339, UTC')
const whole = z.int().nonnegative()

const running = z.object({
  mean: z.number().nullable(),
  ci: z.tuple([z.number(), z.number()]).nullable().describe('Of the mean, at 95 %.'),
  n: whole,
  skipped: whole,
  errored: whole,
  passed: whole,
  failed: whole,
}) satisfies z.ZodType<RunningMetric>

const approval = z.object({
  state: z.enum(['approved', 'rejected']),
  note: z.string().nullable(),
  by: z.string().nullable(),
  at: time,
}) satisfies z.ZodType<RunApproval>

const shownTask = z.union([
  z.object({ kind: z.literal('client') }),
  z.object({ kind: z.literal('outputs'), column: z.string() }),
  z.object({
    kind: z.literal('http'),
    url: z.string(),
    headers: z.record(z.string(), z.string()).exactOptional(),
    output: z.string().exactOptional(),
  }),
  z.object({
    kind: z.literal('prompt'),
    template: z.string(),
    system: z.string().exactOptional(),
    model: z.string().exactOptional(),
  }),
]) satisfies z.ZodType<RunTask>

const shownSettings = z.object({
  concurrency: whole,
  timeout_ms: whole,
  retries: whole,
  repetitions: whole,
  limits: z.object({ cost: z.number().exactOptional(), duration_ms: z.number().exactOptional() }),
  decision: z.object({ metric: z.string(), threshold: z.number(), level: z.number().exactOptional() }).nullable(),
}) satisfies z.ZodType<RunSettings>

/** A run. */
export const run = z.object({
  run_id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  status: z.enum(runStatuses),
  stopped_by: z.enum(runStops).nullable().describe('Why it ended before every item was finished.'),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  dataset_id: z.string().nullable(),
  dataset_name: z.string(),
  dataset_version: z.string().nullable(),
  task: shownTask,
  metrics_used: z.array(z.object({ name: z.string(), evaluator: z.string(), config: object.exactOptional() })),
  settings: shownSettings,
  config: object,
  model_name: z.string().nullable(),
  model_version: z.string().nullable(),
  task_type: z.string().nullable(),
  environment: z.string().nullable(),
  tags: z.array(z.string()),
  metadata: object,
  created_by: z.string().nullable(),
  approval: approval.nullable(),
  created_at: time,
  updated_at: time,
  started_at: time.nullable(),
  ended_at: time.nullable(),
  duration_ms: z.number().nullable().describe('Time that it was worked on.'),
  total_items: whole.nullable(),
  completed_items: whole,
  successful_items: whole,
  success_rate: z.number().nullable().describe('successful / completed, 0 to 1; null while nothing is completed.'),
  cost: z.number().describe('US dollars of what is known.'),
  unknown_costs: whole.describe('Items that hold a cost which is not known.'),
  metrics: z.record(z.string(), running),
}) satisfies z.ZodType<Run>

/** Answer of `GET /api/v1/runs`. */
export const runPage = z.object({ items: z.array(run), next_cursor: z.string().nullable() })

/** An item of a run. */
export const runItem = z.object({
  item_id: z.string(),
  item_index: whole,
  case_id: z.string(),
  repetition: whole,
  status: z.enum(['success', 'failed', 'pending']),
  input: z.unknown(),
  expected: z.unknown(),
  output: z.unknown(),
  scores: z.record(z.string(), score),
  error: z.object({ code: z.enum(taskFaults), message: z.string() }).nullable(),
  attempts: whole,
  response_time_ms: z.number().nullable(),
  tokens: z.number().nullable(),
  cost: z.number().nullable(),
  trace_id: z.string().nullable(),
  started_at: time.nullable(),
  completed_at: time.nullable(),
}) satisfies z.ZodType<RunItem>

/** Answer of `GET /api/v1/runs/:run_id/items`. */
export const runItemPage = z.object({
  items: z.array(runItem),
  next_cursor: z.string().nullable(),
  searched_to: whole.nullable().describe('The index up to which the filters looked; null on the last page.'),
})

const metricSummary = z.object({
  name: z.string(),
  evaluator: z.string(),
  evaluator_version: z.string().nullable(),
  direction: z.enum(['higher', 'lower']).nullable(),
  mean: interval.nullable(),
  pass_rate: interval.nullable(),
  standard_deviation: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  percentiles: z
    .object({ p5: z.number(), p25: z.number(), p50: z.number(), p75: z.number(), p95: z.number() })
    .nullable(),
  distribution: z.array(z.object({ from: z.number(), to: z.number(), count: whole })),
  scored: whole,
  skipped: whole,
  errored: whole,
}) satisfies z.ZodType<RunMetricSummary>

/** Answer of `GET /api/v1/runs/:run_id/metrics`. */
export const runMetrics = z.object({ items: z.array(metricSummary) })

/** What became of one event. */
export const eventFates = ['applied', 'duplicate', 'conflict', 'run_over', 'erased', 'invalid'] as const
export type EventFate = (typeof eventFates)[number]

/** Answer of `POST /api/v1/runs/:run_id/events`. */
export const runEventsReceipt = z.object({
  applied: whole.describe('Events that were new.'),
  skipped: whole.describe('Events that changed nothing: `results` says why.'),
  status: z.enum(runStatuses).describe('Of the run, after them.'),
  results: z.array(
    z.object({
      event_id: z.string(),
      sequence: whole,
      status: z
        .enum(eventFates)
        .describe(
          '`conflict`: another item has this index; `run_over`: the run ended without it; `erased`: its trace was deleted.',
        ),
      message: z.string().nullable(),
    }),
  ),
})

const metricComparison = z.object({
  name: z.string(),
  direction: z.enum(['higher', 'lower']).nullable(),
  evaluator: z.enum(['same', 'changed', 'unknown']),
  before: z.number().nullable(),
  after: z.number().nullable(),
  difference: interval.nullable(),
  test: z.string().nullable(),
  p: z.number().nullable(),
  adjusted_p: z.number().nullable(),
  n: whole,
  minimal_detectable_effect: z.number().nullable(),
  verdict: z.enum(comparisonVerdicts),
  improved: whole,
  regressed: whole,
  unchanged: whole,
  unpaired: whole,
  missing: whole,
  absent: whole,
  unmeasured: whole,
}) satisfies z.ZodType<MetricComparison>

const means = z.array(z.number().nullable())
const caseComparison = z.object({
  case_id: z.string(),
  regression: z.number().nullable(),
  values: z.record(z.string(), means),
  usage: z.object({ response_time_ms: means, cost: means }),
  items: z.array(whole.nullable()).describe('The index of its first item in each run.'),
}) satisfies z.ZodType<CaseComparison>

const gateVerdict = z.object({
  outcome: z
    .enum(gateOutcomes)
    .describe('`cannot_tell`: something was not measured, or there is too little to tell from.'),
  passed: z.boolean(),
  exit_code: z.union([z.literal(0), z.literal(1), z.literal(3)]).describe('That of `llm-eval compare`.'),
  reasons: z.array(z.object({ outcome: z.enum(gateOutcomes), metric: z.string().nullable(), message: z.string() })),
}) satisfies z.ZodType<GateVerdict>

/** Answer of `GET /api/v1/comparisons`. */
export const runComparison = z.object({
  runs: z.array(z.string()),
  compared: z.array(
    z.object({ run_id: z.string(), metrics: z.array(metricComparison), usage: z.array(metricComparison) }),
  ),
  cases_total: whole,
  cases_shared: whole,
  cases_matching: whole.describe('Cases with the change that was asked for, listed or not.'),
  cases: z.array(caseComparison),
  points: z.array(caseComparison).describe('A sample of all cases.'),
  warnings: z.array(z.object({ run_id: z.string(), code: z.enum(runWarnings), message: z.string() })),
  gate: gateVerdict.nullable().describe('Null unless a gate was asked for.'),
}) satisfies z.ZodType<RunComparison>
