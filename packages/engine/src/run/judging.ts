import { isObject, type RunMetric, type Score } from '@llm-eval/protocol'
import { evidenceOf, isOwnField } from '../evidence.ts'
import { NoScore } from '../evaluator.ts'
import { LazySignal } from '../lazy-signal.ts'
import type { Clock } from '../models/clock.ts'
import { synonymsOf } from '../names.ts'
import { noScoreOf } from '../verdict.ts'
import type { Answer } from './asking.ts'
import type { Flight } from './flight.ts'
import type { Scorer } from './plan.ts'
import type { Slot } from './source.ts'

/** How answers are judged. */
export interface Judging {
  metrics: readonly RunMetric[]
  evaluate: Scorer
  timeoutMs: number
  clock: Clock
}

type Scores = Record<string, Score>

/**
 * The scores of an answer, at once where all evaluators say so at once. Those that take too long, throw or reject are `errored`
 * and spoil no other. Never settles once the flight was given up.
 */
export function judge(
  inputOfAnswer: () => Record<string, unknown>,
  flight: Flight,
  { metrics, evaluate, timeoutMs, clock }: Judging,
): Scores | Promise<Scores> {
  const ending = new LazySignal()
  const options = {
    get signal() {
      return ending.signal
    },
  }
  const scores: Scores = {}
  const open = new Map<string, Promise<Score>>()
  // A case is somebody's object, and may throw when it is looked at.
  let input: Record<string, unknown> | undefined
  for (const metric of metrics) {
    try {
      const score = evaluate(metric, (input ??= inputOfAnswer()), options)
      // Each has its place from the start, so that scores stand in the order of the metrics.
      scores[metric.name] = score instanceof Promise ? unsettled : score
      if (score instanceof Promise) open.set(metric.name, score)
    } catch (error) {
      scores[metric.name] = errored(error)
    }
  }
  return open.size === 0 ? scores : whenSettled({ scores, open, ending, flight }, { timeoutMs, clock })
}

function whenSettled(
  {
    scores,
    open,
    ending,
    flight,
  }: { scores: Scores; open: Map<string, Promise<Score>>; ending: LazySignal; flight: Flight },
  { timeoutMs, clock }: Pick<Judging, 'timeoutMs' | 'clock'>,
): Promise<Scores> {
  return new Promise((resolve) => {
    const settle = (name: string, score: Score) => {
      if (!open.delete(name)) return
      scores[name] = score
      if (open.size > 0) return
      callOff()
      take()
      resolve(scores)
    }
    const callOff = clock.after(timeoutMs, () => {
      const late = new NoScore('timeout', `The evaluator took longer than ${timeoutMs / 1_000} seconds.`)
      for (const name of open.keys()) settle(name, errored(late))
      ending.abort(late)
    })
    const take = flight.onGivenUp((why) => {
      open.clear()
      callOff()
      ending.abort(why)
    })
    for (const [name, score] of open)
      score.then(
        (came) => settle(name, came),
        (error: unknown) => settle(name, errored(error)),
      )
  })
}

function errored(error: unknown): Score {
  return { ...noScoreOf(error), duration_ms: 0 }
}

const unsettled = errored(new NoScore('timeout', 'The evaluator is not done.'))

/** What evaluators are given of a case and its answer. */
export function inputOf({ case: { values = {} }, input, expected }: Slot, answer: Answer): Record<string, unknown> {
  const { evidence } = answer
  const given = isObject(input) ? input : {}
  const own: Record<string, unknown> = {}
  for (const fields of [given, values, evidence])
    for (const name in fields) if (isOwnField(name)) own[name] = fields[name]
  const history = Array.isArray(input) && input.every(isMessage) ? input : undefined
  const seen = evidenceOf({
    query: history ? lastQuestion(history) : queryOf(input),
    response: answer.output,
    systemPrompt: textOf(evidence['system_prompt'] ?? given['system_prompt']),
    history,
    toolCalls: evidence['tool_calls'],
    latency: answer.responseTimeMs,
    cost: answer.cost,
    tokens: answer.tokens,
    reference: expected,
    expected,
  })
  return { ...own, ...seen }
}

/** What was asked: the member of an input that is named so, else all of it. */
function queryOf(input: unknown): unknown {
  if (!isObject(input)) return input
  for (const name of queryNames) if (name in input) return input[name]
  return input
}

const queryNames = ['query', ...synonymsOf('query')]

function lastQuestion(history: readonly Message[]): unknown {
  return history.findLast(({ role }) => role === 'user')?.content ?? history
}

interface Message {
  role: string
  content: unknown
}

function isMessage(value: unknown): value is Message {
  return isObject(value) && typeof value['role'] === 'string' && 'content' in value
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
