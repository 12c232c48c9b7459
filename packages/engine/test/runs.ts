import type { RunItem, RunMetric, RunSettings, Score } from '@llm-eval/protocol'
import type { RunEnded, RunEvent } from '../src/run/events.ts'
import type { Answerer, RunCase, RunParts, RunPlan, Scorer } from '../src/run/plan.ts'
import { run } from '../src/run/run.ts'

const settings: RunSettings = {
  concurrency: 4,
  timeout_ms: 60_000,
  retries: 0,
  repetitions: 1,
  limits: {},
  decision: null,
}

export const quality: RunMetric = { name: 'quality', evaluator: 'quality' }

/** So many cases whose input is their number. */
export function numbered(count: number): RunCase[] {
  return Array.from({ length: count }, (_, index) => ({ id: `case-${index}`, input: index, expected: index % 2 }))
}

export function scored(value: number | null, more: Partial<Score> = {}): Score {
  return {
    outcome: 'scored',
    value,
    label: null,
    passed: null,
    explanation: null,
    fault: null,
    output: {},
    usage: null,
    duration_ms: 0,
    ...more,
  }
}

/** Gives what was asked, for nothing. */
export const echo: Answerer = ({ case: { input } }) => ({ output: input, cost: 0 })
/** 1 where the answer is odd, 0 where it is even. */
export const odd: Scorer = (_metric, { response }) => {
  const value = Number(response) % 2
  return scored(value, { passed: value === 1 })
}

/** A plan for a test, with what it does not say filled in. */
export function planOf({
  cases = [],
  ...more
}: Partial<Omit<RunPlan, 'settings'>> & { settings?: Partial<RunSettings> }): RunPlan {
  const total = Array.isArray(cases) ? cases.length : null
  return { total, metrics: [], ...more, cases, settings: { ...settings, ...more.settings } }
}

export interface Ran {
  events: RunEvent[]
  items: RunItem[]
  ended: RunEnded
}

/** Listens until a run has ended, or until `enough`. */
export async function listen(plan: RunPlan, parts: Partial<RunParts> = {}): Promise<Ran> {
  const events: RunEvent[] = []
  for await (const event of run(plan, { answer: echo, evaluate: odd, ...parts })) events.push(event)
  const ended = events.at(-1)
  if (ended?.type !== 'ended') throw new Error('the run ended without saying so')
  return { events, items: itemsOf(events), ended }
}

export function itemsOf(events: readonly RunEvent[]): RunItem[] {
  return events.flatMap((event) => (event.type === 'item' ? [event.item] : []))
}

/** A random number generator that a seed decides. */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)
}
