import type {
  AgentTrace,
  AttemptResult,
  Baseline,
  CaseResult,
  Change,
  CheckResult,
  CheckState,
  Quarantine,
  TestCase,
} from '@llm-eval/protocol'
import { mean, welch } from '@llm-eval/statistics'
import type { Engine } from '../engine.ts'
import { alignCalls } from './align.ts'
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
  /** Milliseconds since 1970: a quarantine that is over does not count. */
  now: number
}

/** Letters of an answer that are compared. */
const comparedChars = 100_000

/**
 * Holds the result of a case against what was accepted of it: the variant that is nearest counts. A case that does not pass, or
 * whose score fell, is a regression whatever its tools did.
 */
export async function checkCase(
  one: TestCase,
  { result, baselines }: { result: CaseResult; baselines: readonly Baseline[] },
  options: CheckOptions,
): Promise<CheckResult> {
  const { thresholds = checkDefaults } = options
  const quarantine =
    options.quarantine && Date.parse(options.quarantine.expires_at) > options.now ? options.quarantine : null
  const shown = result.attempts.find(({ outcome }) => outcome === 'passed') ?? result.attempts[0]
  const forbidden = [...new Set(result.attempts.flatMap(({ trace }) => forbiddenIn(one, trace)))]
  const none: CheckResult = {
    case_id: one.case_id,
    name: one.name,
    suite: one.suite,
    state: 'NO_BASELINE',
    variant: null,
    steps: [],
    output_similarity: null,
    score: changeOf([], scoresOf(result.attempts)),
    cost: changeOf([], costsOf(result.attempts.map(({ trace }) => trace))),
    latency: changeOf([], latenciesOf(result.attempts.map(({ trace }) => trace))),
    model: { before: null, after: shown?.trace.model ?? null },
    forbidden_tools: forbidden,
    quarantine,
    reasons: [],
    result,
  }
  if (result.outcome === 'faulted' || result.outcome === 'unevaluated') {
    return { ...none, state: 'NOT_EVALUATED', reasons: [...forbiddenReasons(forbidden), ...whyNot(result)] }
  }
  if (baselines.length === 0 || !shown) {
    const state = result.outcome === 'failed' ? 'REGRESSION' : 'NO_BASELINE'
    const reason = result.outcome === 'failed' ? failures(result) : ['Nothing was accepted of this case yet.']
    return { ...none, state, reasons: [...forbiddenReasons(forbidden), ...reason] }
  }
  const held = await Promise.all(baselines.map((baseline) => against(baseline, { none, shown, thresholds, options })))
  return nearest(held)
}

interface Held {
  none: CheckResult
  shown: AttemptResult
  thresholds: CheckThresholds
  options: CheckOptions
}

async function against(baseline: Baseline, { none, shown, thresholds, options }: Held): Promise<CheckResult> {
  const [first] = baseline.attempts
  const steps = first ? alignCalls(first.trace.tool_calls, shown.trace.tool_calls) : []
  const similarity = first ? await similarityOf(first.trace.output, shown.trace.output, { thresholds, options }) : null
  const { attempts } = none.result
  const traces = attempts.map(({ trace }) => trace)
  const known = baseline.attempts.map(({ trace }) => trace)
  const score = changeOf(scoresOf(baseline.attempts), scoresOf(attempts))
  const compared: CheckResult = {
    ...none,
    variant: baseline.variant,
    steps,
    output_similarity: similarity,
    score,
    cost: changeOf(costsOf(known), costsOf(traces)),
    latency: changeOf(latenciesOf(known), latenciesOf(traces)),
    model: { before: baseline.model, after: none.model.after },
  }
  const fell = fellBy(score, thresholds.scoreDrop)
  const changed = steps.filter(({ kind }) => kind !== 'same')
  const isOtherModel = baseline.model !== null && none.model.after !== null && baseline.model !== none.model.after
  const outputChanged = similarity === null || similarity < thresholds.outputSimilarity
  const reasons = [
    ...forbiddenReasons(none.forbidden_tools),
    ...(none.result.outcome === 'failed' ? failures(none.result) : []),
    ...(fell === null ? [] : [`The score fell by ${fell} points.`]),
    ...(changed.length > 0 ? [toolsChanged(changed)] : []),
    ...(outputChanged
      ? [`The answer is ${similarity === null ? 'not comparable' : `${Math.round(similarity * 100)} % alike`}.`]
      : []),
    ...(isOtherModel ? [`The model is ${none.model.after}, and was ${baseline.model}.`] : []),
  ]
  const isRegression = none.result.outcome === 'failed' || fell !== null || none.forbidden_tools.length > 0
  return {
    ...compared,
    state: stateOf({ isRegression, tools: changed.length > 0, outputChanged, isOtherModel }),
    reasons,
  }
}

function stateOf(found: {
  isRegression: boolean
  tools: boolean
  outputChanged: boolean
  isOtherModel: boolean
}): CheckState {
  if (found.isRegression) return 'REGRESSION'
  if (found.tools) return 'TOOLS_CHANGED'
  if (found.outputChanged) return 'OUTPUT_CHANGED'
  return found.isOtherModel ? 'MODEL_CHANGED' : 'PASSED'
}

const ranks: readonly CheckState[] = ['PASSED', 'MODEL_CHANGED', 'OUTPUT_CHANGED', 'TOOLS_CHANGED', 'REGRESSION']

/** The variant with the mildest state; of those the one whose tools, and then whose words, are nearest. */
function nearest(held: readonly CheckResult[]): CheckResult {
  const changes = ({ steps }: CheckResult) => steps.filter(({ kind }) => kind !== 'same').length
  const [best] = held.toSorted(
    (a, b) =>
      ranks.indexOf(a.state) - ranks.indexOf(b.state) ||
      changes(a) - changes(b) ||
      (b.output_similarity ?? 0) - (a.output_similarity ?? 0),
  )
  if (!best) throw new RangeError('There is no baseline to be near to.')
  return best
}

async function similarityOf(
  before: string,
  after: string,
  { thresholds, options }: { thresholds: CheckThresholds; options: CheckOptions },
): Promise<number | null> {
  const folded = (text: string) => text.replace(/\s+/g, ' ').trim().slice(0, comparedChars)
  const [reference, response] = [folded(before), folded(after)]
  if (reference === response) return 1
  const config = { ignore_case: thresholds.ignoreCase }
  const { engine, signal } = options
  const score = await engine.evaluate({ evaluator: 'levenshtein', input: { response, reference }, config }, { signal })
  return score.outcome === 'scored' ? score.value : null
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

function toolsChanged(changed: CheckResult['steps']): string {
  const words = { arguments: 'other arguments of', moved: 'moved', added: 'added', removed: 'gone', same: '' }
  const told = changed.slice(0, 5).map(({ kind, name }) => `${words[kind]} ${name}`)
  return `Tools changed: ${told.join(', ')}${changed.length > 5 ? `, and ${changed.length - 5} more` : ''}.`
}
