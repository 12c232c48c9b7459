import { isObject, limits, type TaskFault } from '@llm-eval/protocol'
import { type Clock, pause } from '../models/clock.ts'
import { backoffMs } from '../backoff.ts'
import type { Flight } from './flight.ts'
import { LazySignal } from '../lazy-signal.ts'
import { messageOf, plainOf } from './plain.ts'
import { type Answerer, isLater, type RunAnswer, TaskFailed } from './plan.ts'
import type { Slot } from './source.ts'

/** How a task is asked. */
export interface Asking {
  answer: Answerer
  timeoutMs: number
  retries: number
  clock: Clock
  random: () => number
}

/** What came of asking. */
export interface Asked {
  answer: Answer | null
  error: { code: TaskFault; message: string } | null
  attempts: number
  /** US dollars of all attempts; null when what one of them cost is unknown. */
  cost: number | null
  /** Of the last attempt; null where its answer says that nobody took the time. */
  responseTimeMs: number | null
}

/** An answer that was looked through. */
export interface Answer {
  output: unknown
  tokens: number | null
  cost: number | null
  responseTimeMs: number | null
  traceId: string | null
  evidence: Readonly<Record<string, unknown>>
}

/** What came of one attempt. */
type Attempt =
  | { answer: Answer }
  | { fault: TaskFault; message: string; cost: number | null; retry: boolean; afterMs?: number }

/** Milliseconds that a task may ask to be left alone; who asks for more is asked too soon. */
const longestAskedMs = 60_000

/** Asks until there is an answer, or no use in asking. Never settles once the flight was given up. */
export async function ask(slot: Slot, flight: Flight, asking: Asking): Promise<Asked> {
  const { clock, random, retries } = asking
  let cost: number | null = 0
  for (let attempts = 1; ; attempts++) {
    const began = clock.now()
    const tried = attempt({ slot, flight, attempts, began }, asking)
    const came = tried instanceof Promise ? await tried : tried
    const responseTimeMs = elapsed(clock, began)
    const spent: number | null = 'answer' in came ? came.answer.cost : came.cost
    cost = cost === null || spent === null ? null : cost + spent
    if ('answer' in came)
      return { answer: came.answer, error: null, attempts, cost, responseTimeMs: came.answer.responseTimeMs }
    if (!came.retry || attempts > retries)
      return { answer: null, error: { code: came.fault, message: came.message }, attempts, cost, responseTimeMs }
    await rest(Math.max(backoffMs(attempts, random), Math.min(came.afterMs ?? 0, longestAskedMs)), clock, flight)
  }
}

interface Trial {
  slot: Slot
  flight: Flight
  attempts: number
  began: number
}

/** One attempt: at once where the task answers at once. */
function attempt(trial: Trial, asking: Asking): Attempt | Promise<Attempt> {
  const { slot, flight, attempts } = trial
  const ending = new LazySignal()
  try {
    const answer = asking.answer({
      case: slot.case,
      repetition: slot.repetition,
      attempt: attempts,
      get signal() {
        return ending.signal
      },
    })
    return isLater(answer) ? inTime(answer, { ...trial, ending }, asking) : readAnswer(answer, trial, asking.clock)
  } catch (error) {
    return flight.over ? new Promise<never>(() => undefined) : threw(error)
  }
}

/** Waits for an answer as long as it may take. A task that goes on nevertheless is left alone: what it says later is lost. */
function inTime(
  answering: PromiseLike<RunAnswer>,
  trial: Trial & { ending: LazySignal },
  { clock, timeoutMs }: Asking,
): Promise<Attempt> {
  const { flight, ending } = trial
  return new Promise((resolve) => {
    let open = true
    const settle = (came: () => Attempt) => {
      if (!open) return
      open = false
      callOff()
      take()
      resolve(came())
    }
    const callOff = clock.after(timeoutMs, () => {
      settle(() => late(timeoutMs))
      ending.abort(new DOMException(`It took longer than ${timeoutMs / 1_000} seconds.`, 'TimeoutError'))
    })
    const take = flight.onGivenUp((why) => {
      open = false
      callOff()
      ending.abort(why)
    })
    // What is no promise of the language may throw when it is asked to wait.
    Promise.resolve(answering).then(
      (answer) => settle(() => readAnswer(answer, trial, clock)),
      (error: unknown) => settle(() => threw(error)),
    )
  })
}

function late(timeoutMs: number): Attempt {
  const message = `The task took longer than ${timeoutMs / 1_000} seconds.`
  return { fault: 'timeout', message, cost: null, retry: true }
}

function threw(error: unknown): Attempt {
  const known = error instanceof TaskFailed ? error : { cost: null, retry: true, afterMs: null }
  const { retry } = known
  const afterMs = countOf(known.afterMs) ?? 0
  return { fault: 'execution_failed', message: messageOf(error), cost: countOf(known.cost), retry, afterMs }
}

/** Takes an answer for what it is: anything, for a task is somebody's code. What JSON cannot say would fail again. */
function readAnswer(answer: unknown, { began }: Trial, clock: Clock): Attempt {
  try {
    if (typeof answer !== 'object' || answer === null)
      return { fault: 'invalid_output', message: 'The task gave no answer.', cost: null, retry: false }
    const told: Partial<RunAnswer> = answer
    const cost = countOf(told.cost)
    const output = plainOf(told.output, "The task's output")
    if ('fault' in output) return { ...output, cost, retry: false }
    const evidence = told.evidence === undefined ? { value: {} } : plainOf(told.evidence, "The answer's evidence")
    if ('fault' in evidence) return { ...evidence, cost, retry: false }
    return {
      answer: {
        output: output.value,
        tokens: countOf(told.tokens),
        cost,
        responseTimeMs: told.responseTimeMs === undefined ? elapsed(clock, began) : countOf(told.responseTimeMs),
        traceId: idOf(told.traceId),
        evidence: isObject(evidence.value) ? evidence.value : {},
      },
    }
  } catch (error) {
    // A getter of somebody's object threw.
    return { fault: 'invalid_output', message: messageOf(error), cost: null, retry: false }
  }
}

/** Unknown unless it is a number of at least 0. */
function countOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= limits.countMax ? value : null
}

function idOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= limits.nameChars ? value : null
}

function elapsed(clock: Clock, began: number): number {
  return Math.max(0, Math.round((clock.now() - began) * 1_000) / 1_000)
}

async function rest(ms: number, clock: Clock, flight: Flight): Promise<void> {
  const ending = new AbortController()
  const take = flight.onGivenUp((why) => ending.abort(why))
  try {
    await pause(ms, clock, ending.signal)
  } catch {
    await new Promise<never>(() => undefined)
  } finally {
    take()
  }
}
