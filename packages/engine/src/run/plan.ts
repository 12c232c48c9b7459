import { Failure, type Fault, limits, type RunMetric, type RunSettings, type Score } from '@llm-eval/protocol'
import type { Clock } from '../models/clock.ts'
import { type RunTotals, sizeOf } from './totals.ts'

/** One case of a dataset. */
export interface RunCase {
  /** Tells it apart from all others of its dataset, and finds it again in another run: up to 200 characters. */
  id: string
  input: unknown
  /** What the output should be; absent or null where nobody knows. */
  expected?: unknown
  /** Further evidence by name, such as `context` or `expected_tool_calls`, and fields of one's own. */
  values?: Readonly<Record<string, unknown>> | undefined
}

/** What is to be done. */
export interface RunPlan {
  /** Read one by one, as they are needed. */
  cases: Iterable<RunCase> | AsyncIterable<RunCase>
  /** How many cases there are; null while nobody knows. */
  total: number | null
  metrics: readonly RunMetric[]
  settings: RunSettings
  /** What was done before the run was interrupted, to go on from there. */
  earlier?: Earlier | undefined
}

export interface Earlier {
  /** Whether this item is finished, and its numbers are in the totals: it is not asked again. */
  finished: (itemId: string, itemIndex: number) => boolean
  totals: RunTotals
  /** Milliseconds that were worked. */
  durationMs: number
}

/** One asking of a case. */
export interface Ask {
  case: RunCase
  /** From 1. */
  repetition: number
  /** From 1. */
  attempt: number
  /** Aborted when the attempt is given up: it took too long, or the run ended. What is answered then is not heard. */
  readonly signal: AbortSignal
}

/** What a task answers. All but the output may be left out, where it is not known. */
export interface RunAnswer {
  /** What JSON can say, up to `limits.runOutputBytes`. Null is an answer, undefined is none. */
  output: unknown
  tokens?: number | null | undefined
  /** US dollars. 0 is free, absent is unknown. */
  cost?: number | null | undefined
  /** Milliseconds, where it was answered at another time, and null where nobody took them; else they are measured. */
  responseTimeMs?: number | null | undefined
  traceId?: string | null | undefined
  /** What evaluators see beside: `tool_calls`, `context`, `system_prompt`, and fields of one's own. */
  evidence?: Readonly<Record<string, unknown>> | undefined
}

/** Answers a case. Throwing fails the attempt; {@link TaskFailed} says more about why. */
export type Answerer = (ask: Ask) => RunAnswer | Promise<RunAnswer>

/** Whether something is to be waited for, as promises of any make are. */
export function isLater<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** A task failed, and knows what it cost so far and whether to ask again. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed'
  /** US dollars of the attempt; null when unknown. */
  readonly cost: number | null
  /** False where it would fail again. */
  readonly retry: boolean
  /** Milliseconds after which it wants to be asked again, of which a minute is waited at most; null where it does not say. */
  readonly afterMs: number | null

  constructor(
    message: string,
    {
      cost = null,
      retry = true,
      afterMs = null,
    }: { cost?: number | null; retry?: boolean; afterMs?: number | null } = {},
  ) {
    super(message)
    this.cost = cost
    this.retry = retry
    this.afterMs = afterMs
  }
}

/** Scores an answer in one metric. Throwing makes the score `errored`. */
export type Scorer = (
  metric: RunMetric,
  input: Record<string, unknown>,
  options: { readonly signal: AbortSignal },
) => Score | Promise<Score>

/** What a run is done with. */
export interface RunParts {
  answer: Answerer
  evaluate: Scorer
  /** Ends the run; what is finished stays. */
  signal?: AbortSignal | undefined
  clock?: Clock | undefined
  /** In [0, 1), for the times between attempts. */
  random?: (() => number) | undefined
}

/** @throws {Failure} `invalid_request` when the plan cannot be worked off */
export function checkPlan({ metrics, settings, total, earlier }: RunPlan): void {
  const errors: Fault[] = []
  const whole = (path: string, value: number, [least, most]: readonly [number, number]) => {
    if (!Number.isInteger(value) || value < least || value > most)
      errors.push({ path, message: `must be a whole number of ${least} to ${most}` })
  }
  whole('settings.concurrency', settings.concurrency, [1, limits.runConcurrency])
  whole('settings.timeout_ms', settings.timeout_ms, [1, limits.runTimeoutMs])
  whole('settings.retries', settings.retries, [0, limits.runRetries])
  whole('settings.repetitions', settings.repetitions, [1, limits.runRepetitions])
  if (total !== null) whole('total', total, [0, Number.MAX_SAFE_INTEGER])
  whole('metrics.length', metrics.length, [0, limits.runEvaluators])
  for (const [name, value] of Object.entries(settings.limits))
    if (value !== undefined && !(value > 0))
      errors.push({ path: `settings.limits.${name}`, message: 'must be more than 0' })
  errors.push(...namesAmiss(metrics), ...decisionFaults(metrics, settings))
  if (earlier && earlier.totals.length !== sizeOf(metrics.length))
    errors.push({ path: 'earlier.totals', message: 'must be of the same metrics' })
  if (errors.length > 0) throw new Failure('invalid_request', { errors })
}

function namesAmiss(metrics: readonly RunMetric[]): Fault[] {
  const seen = new Set<string>()
  return metrics.flatMap(({ name }, index) => {
    // Members of objects cannot be called so.
    if (name === '__proto__') return [{ path: `metrics[${index}].name`, message: 'must be another name' }]
    const twice = seen.has(name)
    seen.add(name)
    return twice ? [{ path: `metrics[${index}].name`, message: 'is the name of another metric' }] : []
  })
}

function decisionFaults(metrics: readonly RunMetric[], { decision }: RunSettings): Fault[] {
  if (!decision) return []
  const faults: Fault[] = []
  if (!metrics.some(({ name }) => name === decision.metric))
    faults.push({ path: 'settings.decision.metric', message: 'must be a metric of the run' })
  if (!(decision.threshold >= 0 && decision.threshold <= 1))
    faults.push({ path: 'settings.decision.threshold', message: 'must lie between 0 and 1' })
  if (decision.level !== undefined && !(decision.level > 0 && decision.level < 1))
    faults.push({ path: 'settings.decision.level', message: 'must lie between 0 and 1' })
  return faults
}
