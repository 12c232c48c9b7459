/** What answers about runs have to look like. The shapes themselves are declared in protocol. */
import {
  type Interval,
  type Run,
  type RunApproval,
  type RunItem,
  runItemStatuses,
  type RunMetric,
  type RunMetricSummary,
  type RunningMetric,
  type RunProgress,
  type RunSettings,
  runStatuses,
  runStops,
  type RunTask,
  taskFaults,
} from '@llm-eval/protocol'
import { score } from './answers.ts'
import {
  anything,
  type Check,
  list,
  nullable,
  number,
  oneOf,
  optional,
  record,
  shape,
  text,
  Unreadable,
} from './checks.ts'

/** An object whose members are all alike. */
export const each =
  <T>(check: Check<T>): Check<Record<string, T>> =>
  (value, path) =>
    Object.fromEntries(
      Object.entries(record(value, path)).map(([name, member]) => [name, check(member, `${path}.${name}`)]),
    )

/** Leaves out the members that are undefined: protocol tells absent from undefined. */
const given =
  <T extends object>(check: Check<T>): Check<T> =>
  (value, path) =>
    // Only members that may be absent are ever undefined.
    Object.fromEntries(Object.entries(check(value, path)).filter(([, member]) => member !== undefined)) as T

const pair: Check<[number, number]> = (value, path) => {
  const [low, high, ...more] = list(number)(value, path)
  if (low === undefined || high === undefined || more.length > 0) throw new Unreadable(path, 'two numbers')
  return [low, high]
}

const runningMetric = shape<RunningMetric>({
  mean: nullable(number),
  ci: nullable(pair),
  n: number,
  skipped: number,
  errored: number,
  passed: number,
  failed: number,
})

/** The fields of {@link RunProgress}, for whatever shows progress. */
export const progressFields = {
  total_items: nullable(number),
  completed_items: number,
  successful_items: number,
  success_rate: nullable(number),
  cost: number,
  unknown_costs: number,
  metrics: each(runningMetric),
} satisfies { [K in keyof RunProgress]: Check<RunProgress[K]> }

const tasks: { [K in RunTask['kind']]: Check<Extract<RunTask, { kind: K }>> } = {
  client: () => ({ kind: 'client' }),
  outputs: shape<Extract<RunTask, { kind: 'outputs' }>>({ kind: oneOf(['outputs']), column: text }),
  http: given(
    shape<Required<Extract<RunTask, { kind: 'http' }>>>({
      kind: oneOf(['http']),
      url: text,
      headers: optional(each(text)),
      output: optional(text),
    }),
  ),
  prompt: given(
    shape<Required<Extract<RunTask, { kind: 'prompt' }>>>({
      kind: oneOf(['prompt']),
      template: text,
      system: optional(text),
      model: optional(text),
    }),
  ),
}
const taskKind = oneOf(['client', 'outputs', 'http', 'prompt'])

const task: Check<RunTask> = (value, path) => tasks[taskKind(record(value, path).kind, `${path}.kind`)](value, path)

const metric: Check<RunMetric> = given(
  shape<Required<RunMetric>>({ name: text, evaluator: text, config: optional(record) }),
)

const settings = shape<RunSettings>({
  concurrency: number,
  timeout_ms: number,
  retries: number,
  repetitions: number,
  limits: given(shape<Required<RunSettings['limits']>>({ cost: optional(number), duration_ms: optional(number) })),
  decision: nullable(
    given(
      shape<Required<NonNullable<RunSettings['decision']>>>({
        metric: text,
        threshold: number,
        level: optional(number),
      }),
    ),
  ),
})

const approval = shape<RunApproval>({
  state: oneOf(['approved', 'rejected']),
  note: nullable(text),
  by: nullable(text),
  at: text,
})

/** A run with its progress. */
export const run = shape<Run>({
  ...progressFields,
  run_id: text,
  name: text,
  description: nullable(text),
  status: oneOf(runStatuses),
  stopped_by: nullable(oneOf(runStops)),
  error: nullable(shape<{ code: string; message: string }>({ code: text, message: text })),
  dataset_id: nullable(text),
  dataset_name: text,
  dataset_version: nullable(text),
  task,
  metrics_used: list(metric),
  settings,
  config: record,
  model_name: nullable(text),
  model_version: nullable(text),
  task_type: nullable(text),
  environment: nullable(text),
  tags: list(text),
  metadata: record,
  created_by: nullable(text),
  approval: nullable(approval),
  created_at: text,
  updated_at: text,
  started_at: nullable(text),
  ended_at: nullable(text),
  duration_ms: nullable(number),
})

/** A page of the list of runs. */
export interface RunPage {
  items: Run[]
  next_cursor: string | null
}
export const runPage = shape<RunPage>({ items: list(run), next_cursor: nullable(text) })

/** One finished item of a run. */
export const runItem = shape<RunItem>({
  item_id: text,
  item_index: number,
  case_id: text,
  repetition: number,
  status: oneOf(runItemStatuses),
  input: anything,
  expected: anything,
  output: anything,
  scores: each(score),
  error: nullable(shape<NonNullable<RunItem['error']>>({ code: oneOf(taskFaults), message: text })),
  attempts: number,
  response_time_ms: nullable(number),
  tokens: nullable(number),
  cost: nullable(number),
  trace_id: nullable(text),
  started_at: nullable(text),
  completed_at: nullable(text),
})

/** A number that is not certain. */
export const interval = shape<Interval>({ estimate: number, low: number, high: number, level: number, n: number })

/** The metrics of a run, summed up. */
export const runMetrics = shape<{ items: RunMetricSummary[] }>({
  items: list(
    shape<RunMetricSummary>({
      name: text,
      evaluator: text,
      evaluator_version: nullable(text),
      direction: nullable(oneOf(['higher', 'lower'])),
      mean: nullable(interval),
      pass_rate: nullable(interval),
      standard_deviation: nullable(number),
      min: nullable(number),
      max: nullable(number),
      percentiles: nullable(
        shape<NonNullable<RunMetricSummary['percentiles']>>({
          p5: number,
          p25: number,
          p50: number,
          p75: number,
          p95: number,
        }),
      ),
      distribution: list(shape<RunMetricSummary['distribution'][number]>({ from: number, to: number, count: number })),
      scored: number,
      skipped: number,
      errored: number,
    }),
  ),
})
