import type {
  AgentTrace,
  AttemptResult,
  Baseline,
  CaseResult,
  Change,
  CheckResult,
  Quarantine,
  TestCase,
} from '@llm-eval/protocol'
import { mean, welch } from '@llm-eval/statistics'
import type { Engine } from '../engine.ts'
import { type Nearest, nearestTo, stateRanks } from './nearest.ts'
import { forbiddenCalled } from './tool-assertions.ts'

/** From where on a case counts as changed. */
export interface CheckThresholds {
  /** Points of 100 that a score may fall. */
  scoreDrop: number
  /** In 0..1: outputs less alike have changed. */
  outputSimilarity: number
  /** Outputs that differ in letter case only are alike; runs of spaces never count. */
  ignoreCase: boolean
}

export const checkDefaults: CheckThresholds = { scoreDrop: 5, outputSimilarity: 0.9, ignoreCase: false }

export interface CheckOptions {
  engine: Engine
  signal: AbortSignal
  thresholds?: CheckThresholds | undefined
  quarantine?: Quarantine | undefined
  /** What somebody said need not be known. */
  waived?: { tools: boolean } | undefined
  /** Milliseconds since 1970: a quarantine that is over does not count. */
  now: number
}

/**
 * Holds the result of a case against what was accepted of it: each attempt counts against what is nearest to it, of whatever
 * variant, and the attempt that is farthest from all of them counts for the case. A case that does not pass, or whose score fell,
 * is a regression whatever its tools did.
 */
export async function checkCase(
  one: TestCase,
  known: { result: CaseResult; baselines: readonly Baseline[] },
  options: CheckOptions,
): Promise<CheckResult> {
  const found = await compared(one, known, options)
  const { quarantine } = options
  if (!quarantine || found.quarantine !== null || found.state === 'PASSED') return found
  const over = `Its quarantine by ${quarantine.owner} is over since ${quarantine.expires_at}.`
  return { ...found, reasons: [...found.reasons, over] }
}

async function compared(
  one: TestCase,
  { result, baselines }: { result: CaseResult; baselines: readonly Baseline[] },
  options: CheckOptions,
): Promise<CheckResult> {
  const { thresholds = checkDefaults, engine, signal, waived } = options
  const none = uncompared(one, result, options)
  const forbidden = forbiddenReasons(none.forbidden_tools)
  if (result.outcome === 'faulted' || result.outcome === 'unevaluated')
    return { ...none, state: 'NOT_EVALUATED', reasons: [...forbidden, ...whyNot(result)] }
  const isFailed = result.outcome === 'failed'
  if (baselines.length === 0) {
    const reasons = isFailed ? failures(result) : ['Nothing was accepted of this case yet.']
    return { ...none, state: isFailed ? 'REGRESSION' : 'NO_BASELINE', reasons: [...forbidden, ...reasons] }
  }
  const { outputSimilarity, ignoreCase } = thresholds
  const nearness = { engine, signal, outputSimilarity, ignoreCase, withoutTools: waived?.tools === true }
  const held: Held[] = []
  for (const attempt of countingAttempts(result)) {
    const { trace } = result.attempts[attempt] ?? {}
    if (trace) held.push({ attempt, trace, nearest: await nearestTo(trace, baselines, nearness) })
  }
  const [farthest] = held.toSorted((a, b) => rankOf(b.nearest) - rankOf(a.nearest))
  return farthest ? against(held, farthest, { none, thresholds }) : none
}

/** An attempt that counts, beside what is nearest to it. */
interface Held {
  attempt: number
  trace: AgentTrace
  nearest: Nearest
}

/** Indexes of the attempts that say how a case did: those that passed, and where it failed those that failed. */
function countingAttempts({ outcome, attempts }: CaseResult): number[] {
  const indexes = (wanted: AttemptResult['outcome']) =>
    attempts.flatMap((attempt, index) => (attempt.outcome === wanted ? [index] : []))
  const found = indexes(outcome === 'failed' ? 'failed' : 'passed')
  return found.length > 0 ? found : [...attempts.keys()]
}

function rankOf({ state }: Nearest): number {
  return stateRanks.indexOf(state)
}

/** All that is known of a case before it is held against anything. */
function uncompared(one: TestCase, result: CaseResult, { quarantine, now }: CheckOptions): CheckResult {
  const { attempts } = result
  const traces = attempts.map(({ trace }) => trace)
  const shown = attempts.find(({ outcome }) => outcome === 'passed') ?? attempts[0]
  return {
    case_id: one.case_id,
    name: one.name,
    suite: one.suite,
    state: 'NO_BASELINE',
    variant: null,
    steps: [],
    output_similarity: null,
    score: changeOf([], scoresOf(attempts)),
    cost: changeOf([], costsOf(traces)),
    latency: changeOf([], latenciesOf(traces)),
    model: { before: null, after: shown?.trace.model ?? null },
    forbidden_tools: [...new Set(traces.flatMap((trace) => forbiddenIn(one, trace)))],
    quarantine: quarantine && Date.parse(quarantine.expires_at) > now ? quarantine : null,
    reasons: [],
    shown: null,
    result,
  }
}

function against(
  held: readonly Held[],
  { attempt, trace, nearest }: Held,
  { none, thresholds }: { none: CheckResult; thresholds: CheckThresholds },
): CheckResult {
  const { attempts } = none.result
  const traces = attempts.map((one) => one.trace)
  // Of all ways that were gone: what they cost and how they scored together is what these are held against.
  const accepted = [...new Set(held.map(({ nearest: { baseline } }) => baseline))].flatMap((one) => one.attempts)
  const known = accepted.map((one) => one.trace)
  const score = changeOf(scoresOf(accepted), scoresOf(attempts))
  const fell = fellBy(score, thresholds.scoreDrop)
  const isFailed = none.result.outcome === 'failed'
  const isRegression = isFailed || fell !== null || none.forbidden_tools.length > 0
  const { baseline, state, steps, similarity } = nearest
  return {
    ...none,
    state: isRegression ? 'REGRESSION' : state,
    variant: baseline.variant,
    steps,
    output_similarity: similarity,
    score,
    cost: changeOf(costsOf(known), costsOf(traces)),
    latency: changeOf(latenciesOf(known), latenciesOf(traces)),
    model: { before: baseline.model, after: trace.model },
    reasons: [
      ...forbiddenReasons(none.forbidden_tools),
      ...(isFailed ? failures(none.result) : []),
      ...(fell === null ? [] : [`The score fell by ${fell} points.`]),
      ...nearest.reasons,
      ...howMany(held),
    ],
    shown: { attempt, accepted: nearest.accepted },
  }
}

function howMany(held: readonly Held[]): string[] {
  const changed = held.filter(({ nearest }) => nearest.state !== 'PASSED').length
  if (held.length < 2 || changed === 0) return []
  return [`${changed} of ${held.length} attempts ${changed === 1 ? 'is' : 'are'} not as accepted.`]
}

/** By how many points a score fell, when that is more than is allowed and, as far as can be told, more than chance. */
function fellBy({ before, after, detectable }: Change, allowed: number): number | null {
  if (before === null || after === null || before - after <= allowed || detectable === false) return null
  return Math.round((before - after) * 100) / 100
}

function changeOf(before: readonly number[], after: readonly number[]): Change {
  const test = welch(after, before)
  const interval = test?.interval ?? null
  return {
    before: before.length === 0 ? null : mean(before),
    after: after.length === 0 ? null : mean(after),
    interval: interval && { low: interval.low, high: interval.high, level: interval.level },
    detectable: interval && !(interval.low <= 0 && interval.high >= 0),
  }
}

function scoresOf(attempts: readonly { score: number | null }[]): number[] {
  return attempts.flatMap(({ score }) => (score === null ? [] : [score]))
}

function costsOf(traces: readonly AgentTrace[]): number[] {
  return traces.flatMap(({ cost }) => (cost === null ? [] : [cost]))
}

function latenciesOf(traces: readonly AgentTrace[]): number[] {
  return traces.filter(({ fault }) => fault === null).map(({ latency_ms: ms }) => ms)
}

/** Tools that were called though the case, or the turn they were called in, forbids them. */
function forbiddenIn(one: TestCase, trace: AgentTrace): string[] {
  const inTurns = one.turns.flatMap(({ expected }, index) => {
    const calls = trace.tool_calls.filter(({ turn }) => turn === index + 1)
    return expected ? forbiddenCalled(calls, expected) : []
  })
  return [...forbiddenCalled(trace.tool_calls, one.expected), ...inTurns]
}

function forbiddenReasons(tools: readonly string[]): string[] {
  return tools.length === 0 ? [] : [`Called though forbidden: ${tools.join(', ')}.`]
}

function failures({ attempts }: CaseResult): string[] {
  const messages = attempts.flatMap(({ assertions }) =>
    assertions
      .filter(({ outcome, kind }) => outcome === 'failed' && kind !== 'tools.forbidden')
      .map(({ message }) => message),
  )
  return [...new Set(messages)].slice(0, 5)
}

function whyNot({ attempts }: CaseResult): string[] {
  const messages = attempts.flatMap(({ trace, assertions }) => [
    ...(trace.fault ? [trace.fault.message] : []),
    ...assertions.filter(({ outcome }) => outcome === 'unknown').map(({ message }) => message),
  ])
  return [...new Set(messages)].slice(0, 5)
}
