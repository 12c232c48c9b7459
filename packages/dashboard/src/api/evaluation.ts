import {
  type Calibration,
  evaluationRoutes,
  type EvaluatorInfo,
  evaluatorCategories,
  evaluatorKinds,
  evidences,
  type Execution,
  executionStatuses,
  type Field,
  type Interval,
  type Rule,
  type RuleFilter,
} from '@llm-eval/protocol'
import { queryOptions } from '@tanstack/react-query'
import { score } from './answers.ts'
import {
  absent,
  anything,
  type Check,
  flag,
  isRecord,
  list,
  nullable,
  number,
  oneOf,
  optional,
  record,
  shape,
  text,
} from './checks.ts'
import type { Api } from './client.ts'

const field: Check<Field> = (value, path) => {
  const { enum_values, ...rest } = shape<Omit<Field, 'enum_values'> & { enum_values: string[] | undefined }>({
    name: text,
    type: oneOf(['string', 'number', 'integer', 'boolean', 'enum', 'array', 'object', 'any']),
    description: text,
    required: flag,
    enum_values: optional(list(text)),
  })(value, path)
  return enum_values ? { ...rest, enum_values } : rest
}

const example: Check<NonNullable<EvaluatorInfo['example']>> = (value, path) => {
  const { config, ...rest } = shape<{
    input: Record<string, unknown>
    config: Record<string, unknown> | undefined
    value: number | null
    passed: boolean | null
  }>({ input: record, config: optional(record), value: nullable(number), passed: nullable(flag) })(value, path)
  return config ? { ...rest, config } : rest
}

const infoFields = {
  slug: text,
  name: text,
  description: text,
  kind: oneOf(evaluatorKinds),
  category: oneOf(evaluatorCategories),
  source: oneOf(['builtin', 'custom']),
  version: text,
  pinned: flag,
  aliases: list(text),
  needs: list(oneOf(evidences)),
  provider: oneOf(['none', 'chat', 'embedding']),
  input_schema: list(field),
  output_schema: list(field),
  config_schema: record,
  range: shape<EvaluatorInfo['range']>({ min: nullable(number), max: nullable(number) }),
  direction: nullable(oneOf(['higher', 'lower'])),
  example: nullable(example),
  created_at: nullable(text),
  updated_at: nullable(text),
} as const
const evaluatorInfo = shape<EvaluatorInfo>(infoFields)

/** One evaluator, with how it is defined when it is one of the project's own. */
export type EvaluatorDetail = EvaluatorInfo & {
  definition: Record<string, unknown> | null
  /** When it was last measured against people. */
  calibrated_at: string | null
}
const evaluatorDetail = shape<EvaluatorDetail>({
  ...infoFields,
  definition: nullable(record),
  calibrated_at: nullable(text),
})

export interface EvaluatorVersion {
  version: string
  created_at: string | null
  definition: Record<string, unknown> | null
}

const version = shape<EvaluatorVersion>({ version: text, created_at: nullable(text), definition: nullable(record) })

/** An execution and its score. */
const execution: Check<Execution> = shape<Execution>({
  execution_id: text,
  evaluator: text,
  evaluator_version: text,
  status: oneOf(executionStatuses),
  trace_id: nullable(text),
  batch_id: nullable(text),
  score: nullable(score),
  error: nullable(shape<{ code: string; message: string }>({ code: text, message: text })),
  created_at: text,
  completed_at: nullable(text),
})

const interval = shape<Interval>({ estimate: number, low: number, high: number, level: number, n: number })

const calibration = shape<Calibration>({
  evaluator: text,
  evaluator_version: text,
  state: oneOf(['current', 'expired', 'drifted', 'not_pinned']),
  made_at: text,
  n: number,
  judge_only: number,
  human_only: number,
  confusion: shape<Calibration['confusion']>({
    true_positive: number,
    false_positive: number,
    true_negative: number,
    false_negative: number,
  }),
  agreement: nullable(interval),
  kappa: nullable(interval),
  raw_rate: nullable(interval),
  corrected_rate: nullable(interval),
  false_positives: list(text),
  false_negatives: list(text),
})

const chosen: Check<Rule['evaluators'][number]> = (value, path) => {
  const { slug, config } = shape<{ slug: string; config: Record<string, unknown> | undefined }>({
    slug: text,
    config: optional(record),
  })(value, path)
  return config ? { slug, config } : { slug }
}

const rule = shape<Rule>({
  id: text,
  name: text,
  enabled: flag,
  filter: (value, path): RuleFilter => {
    const given = record(value, path)
    const filter: RuleFilter = {}
    for (const name of ['model_name', 'source', 'session_id', 'user_id'] as const) {
      const word = given[name]
      if (typeof word === 'string') filter[name] = word
    }
    return filter
  },
  sampling_rate: number,
  evaluators: list(chosen),
  daily_cost_limit: nullable(number),
  created_at: text,
  updated_at: text,
  today: shape<Rule['today']>({ executions: number, cost: number, unknown_costs: number, limited: number }),
})

const items = <T extends object>(check: Check<T>): Check<{ items: T[] }> =>
  shape<{ items: T[] }>({ items: list(check) })

const keys = {
  evaluators: ['evaluators'] as const,
  evaluator: (slug: string) => ['evaluator', slug] as const,
  rules: ['rules'] as const,
}

/** How evaluators and rules are read. */
export function evaluationQueries(api: Api) {
  return {
    evaluators: () =>
      queryOptions({
        queryKey: keys.evaluators,
        queryFn: ({ signal }) => api({ route: evaluationRoutes.listEvaluators, answer: items(evaluatorInfo), signal }),
        staleTime: 5_000,
      }),
    evaluator: (slug: string) =>
      queryOptions({
        queryKey: keys.evaluator(slug),
        queryFn: ({ signal }) =>
          api({ route: evaluationRoutes.getEvaluator, path: { slug }, answer: evaluatorDetail, signal }),
        staleTime: 5_000,
      }),
    versions: (slug: string) =>
      queryOptions({
        queryKey: [...keys.evaluator(slug), 'versions'],
        queryFn: ({ signal }) =>
          api({ route: evaluationRoutes.listEvaluatorVersions, path: { slug }, answer: items(version), signal }),
        staleTime: 5_000,
      }),
    calibration: (slug: string) =>
      queryOptions({
        queryKey: [...keys.evaluator(slug), 'calibration'],
        queryFn: ({ signal }) =>
          api({ route: evaluationRoutes.getCalibration, path: { slug }, answer: calibration, signal }),
        retry: false,
        staleTime: 5_000,
      }),
    rules: () =>
      queryOptions({
        queryKey: keys.rules,
        queryFn: ({ signal }) => api({ route: evaluationRoutes.listRules, answer: items(rule), signal }),
        refetchInterval: 15_000,
        staleTime: 5_000,
      }),
  }
}

/** What to apply an evaluator to. */
export interface Trial {
  input: Record<string, unknown>
  config: Record<string, unknown>
}

/** Starts an execution; it may be over already. */
export function startExecution(api: Api, slug: string, trial: Trial): Promise<Execution> {
  return api({ route: evaluationRoutes.executeEvaluator, path: { slug }, body: trial, answer: execution })
}

/** An execution as it stands, after waiting for its end for at most so many seconds. */
export function readExecution(api: Api, id: string, seconds: number): Promise<Execution> {
  const query = new URLSearchParams({ wait: String(seconds) })
  return api({ route: evaluationRoutes.getExecution, path: { execution_id: id }, query, answer: execution })
}

export async function cancelExecution(api: Api, id: string): Promise<void> {
  await api({ route: evaluationRoutes.cancelExecution, path: { execution_id: id }, answer: anything })
}

/** Asks for scores of a trace; they come by the stream. */
export async function evaluateTrace(api: Api, traceId: string, slugs: readonly string[]): Promise<void> {
  const body = { evaluators: slugs.map((slug) => ({ slug })) }
  await api({ route: evaluationRoutes.evaluateTrace, path: { trace_id: traceId }, body, answer: anything })
}

/** Measures an evaluator against people's verdicts. */
export function measure(api: Api, slug: string): Promise<Calibration> {
  return api({ route: evaluationRoutes.calibrate, path: { slug }, body: {}, answer: calibration })
}

/** An evaluator of one's own. */
export interface NewEvaluator {
  slug: string
  name?: string
  description: string
  definition: Record<string, unknown>
}

export function createEvaluator(api: Api, body: NewEvaluator): Promise<EvaluatorInfo> {
  return api({ route: evaluationRoutes.createEvaluator, body, answer: evaluatorInfo })
}

export async function deleteEvaluator(api: Api, slug: string): Promise<void> {
  await api({ route: evaluationRoutes.deleteEvaluator, path: { slug }, answer: anything })
}

export type RuleRequest = Pick<Rule, 'name' | 'filter' | 'sampling_rate' | 'evaluators' | 'daily_cost_limit'>

export function createRule(api: Api, body: RuleRequest): Promise<Rule> {
  return api({ route: evaluationRoutes.createRule, body, answer: rule })
}

export function changeRule(api: Api, id: string, body: Partial<Rule>): Promise<Rule> {
  return api({ route: evaluationRoutes.updateRule, path: { rule_id: id }, body, answer: rule })
}

export async function deleteRule(api: Api, id: string): Promise<void> {
  await api({ route: evaluationRoutes.deleteRule, path: { rule_id: id }, answer: anything })
}

/** The JSON of one message of an execution's stream. */
export function readFrame(
  said: string,
): { progress: { done: number | null; total: number | null } } | { execution: Execution } {
  const frame = record(JSON.parse(said), 'frame')
  if (frame.event_type !== 'progress') return { execution: execution(frame.data, 'data') }
  const { done, total } = isRecord(frame.data) ? frame.data : {}
  return {
    progress: {
      done: absent(nullable(number), null)(done, 'done'),
      total: absent(nullable(number), null)(total, 'total'),
    },
  }
}
