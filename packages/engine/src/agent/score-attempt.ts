import type {
  AgentTrace,
  Assertion,
  AttemptOutcome,
  AttemptResult,
  Expected,
  PartScore,
  ScorePart,
  TestCase,
} from '@llm-eval/protocol'
import { scoreParts } from '@llm-eval/protocol'
import type { Engine } from '../engine.ts'
import { adkAssertions } from './adk-assertions.ts'
import { judge } from './judged.ts'
import { fromScore, outputAssertions } from './output-assertions.ts'
import { forbiddenAssertions, sequenceScore, toolAccuracy, toolAssertions } from './tool-assertions.ts'

export interface AttemptScoring {
  engine: Engine
  signal: AbortSignal
  /** Null where no judge is at hand; else its model, which is null for the configured one. */
  judge: { model: string | null } | null
  /** What a case may need and go without, because somebody said so: the rest is weighed anew. */
  waived: { judge: boolean; tools: boolean }
}

/**
 * Scores one attempt at a case. It passes when its score reaches what the case asks for, and everything that the case demands
 * holds. What cannot be seen or judged is unknown: it neither passes nor counts as zero, and the attempt is `unevaluated`.
 */
export async function scoreAttempt(one: TestCase, trace: AgentTrace, scoring: AttemptScoring): Promise<AttemptResult> {
  if (trace.fault) return faulted(one, trace)
  const adk = one.adk ? adkAssertions(one.adk, trace) : null
  const [others, judged] = await Promise.all([
    demandsOf(one, trace, scoring),
    scoring.judge && !adk ? judge(one, trace, { ...scoring, model: scoring.judge.model }) : null,
  ])
  const demanded = [...others, ...(adk?.assertions ?? [])]
  const parts = adk?.parts ?? partsOf(one, trace, { demanded, judged: judged?.output ?? null })
  const score = weighed(parts, one)
  const unjudged = judged ? judged.assertions : withoutJudge(one)
  const told = [...demanded, ...unjudged, ...thresholds(one, trace, { score, parts, demanded })]
  const assertions = told.map((assertion) => waivedOr(assertion, { told, waived: scoring.waived }))
  return {
    outcome: outcomeOf(assertions),
    score,
    complete: scoreParts.every((part) => ['scored', 'not_expected'].includes(parts[part].outcome)),
    parts,
    assertions,
    trace,
    judged: judged?.judged ?? [],
  }
}

/** Without a whole answer nothing is scored; what must never be called and was is a failure all the same. */
function faulted(one: TestCase, trace: AgentTrace): AttemptResult {
  const assertions = forbiddenAssertions(one, trace).filter(({ outcome }) => outcome === 'failed')
  const outcome = assertions.length > 0 ? 'failed' : 'faulted'
  const detail = trace.fault?.message ?? ''
  const part: PartScore = { outcome: 'skipped', reason: 'fault', detail }
  const parts = { tool_accuracy: part, output_quality: part, sequence_correctness: part }
  return { outcome, score: null, complete: false, parts, assertions, trace, judged: [] }
}

async function demandsOf(one: TestCase, trace: AgentTrace, { engine, signal }: AttemptScoring): Promise<Assertion[]> {
  const shows = {
    tools: trace.captured.includes('tools'),
    args: trace.captured.includes('tool_arguments') || trace.tool_calls.length === 0,
  }
  const scenes: { expected: Expected; turn: number | null; output: string }[] = [
    { expected: one.expected, turn: null, output: trace.output },
    ...one.turns.flatMap(({ expected }, index) =>
      expected ? [{ expected, turn: index + 1, output: trace.turns[index]?.output ?? '' }] : [],
    ),
  ]
  const told = await Promise.all(
    scenes.map(async ({ expected, turn, output }) => {
      const calls = trace.tool_calls.filter((call) => turn === null || call.turn === turn)
      return [
        ...toolAssertions({ calls, expected, turn, shows }),
        ...(await outputAssertions({ output, expected, turn, trace }, { engine, signal })),
      ]
    }),
  )
  return [...told.flat(), ...(await personalData(one, trace, { engine, signal }))]
}

async function personalData(
  one: TestCase,
  trace: AgentTrace,
  { engine, signal }: { engine: Engine; signal: AbortSignal },
): Promise<Assertion[]> {
  if (one.checks.pii === 'off') return []
  const input = { text: trace.turns.map(({ output }) => output).join('\n\n') }
  const score = await engine.evaluate({ evaluator: 'pii-detector', input, config: {} }, { signal })
  return [
    fromScore(score, { kind: 'checks.pii', turn: null, expected: true, fault: 'The answer holds personal data.' }),
  ]
}

function partsOf(
  { expected }: TestCase,
  trace: AgentTrace,
  { demanded, judged }: { demanded: readonly Assertion[]; judged: PartScore | null },
): Record<ScorePart, PartScore> {
  const scene = { calls: trace.tool_calls, expected }
  const tools = (wanted: number, score: () => { value: number; detail: string }): PartScore => {
    if (wanted === 0) return { outcome: 'not_expected' }
    if (trace.captured.includes('tools')) return { outcome: 'scored', ...score() }
    return { outcome: 'skipped', reason: 'not_captured', detail: 'The agent does not show its tools.' }
  }
  return {
    tool_accuracy: tools(expected.tools.length + expected.tool_categories.length, () => toolAccuracy(scene)),
    output_quality: judged ?? fromAssertions(demanded),
    sequence_correctness: tools(expected.sequence.length, () => sequenceScore(scene)),
  }
}

/** Without a judge the answer is as good as the share of what is demanded of it that holds; of nothing demanded nothing is known. */
function fromAssertions(demanded: readonly Assertion[]): PartScore {
  const known = demanded.filter(({ kind, outcome }) => kind.startsWith('output.') && outcome !== 'unknown')
  if (known.length === 0)
    return {
      outcome: 'skipped',
      reason: 'no_judge',
      detail: 'No judge is configured, and nothing is demanded of the answer.',
    }
  const held = known.filter(({ outcome }) => outcome === 'passed').length
  return {
    outcome: 'scored',
    value: held / known.length,
    detail: `${held} of ${known.length} demands hold; not judged.`,
  }
}

/** Of 100, over the parts that are known. */
function weighed(parts: Record<ScorePart, PartScore>, { thresholds: { weights } }: TestCase): number | null {
  let sum = 0
  let weight = 0
  for (const name of scoreParts) {
    const part = parts[name]
    if (part.outcome !== 'scored') continue
    sum += part.value * weights[name]
    weight += weights[name]
  }
  return weight === 0 ? null : Math.round((sum / weight) * 10_000) / 100
}

function withoutJudge(one: TestCase): Assertion[] {
  const needs = [
    ...(one.rubric === null ? [] : ['rubric']),
    ...(['hallucination', 'safety'] as const)
      .filter((name) => one.checks[name] === 'demanded')
      .map((name) => `checks.${name}`),
  ]
  return needs.map((kind) => ({
    kind,
    turn: null,
    outcome: 'unknown',
    expected: true,
    actual: null,
    message: `${kind} needs a judge: configure one, or go without it (--no-judge).`,
  }))
}

function thresholds(
  { thresholds: { min_score, max_cost, max_latency } }: TestCase,
  trace: AgentTrace,
  {
    score,
    parts,
    demanded,
  }: { score: number | null; parts: Record<ScorePart, PartScore>; demanded: readonly Assertion[] },
): Assertion[] {
  const asked = [
    { kind: 'thresholds.max_cost', actual: trace.cost, bound: max_cost, unit: ' US dollars' },
    { kind: 'thresholds.max_latency', actual: trace.latency_ms, bound: max_latency, unit: ' ms' },
  ]
  const limits = asked.map(({ kind, actual, bound, unit }): Assertion | null => {
    if (bound === null) return null
    const told = { kind, turn: null, expected: bound, actual }
    const unknown = 'The cost is unknown: report it, or usage with a model that has a price.'
    if (actual === null) return { ...told, outcome: 'unknown', message: unknown }
    const message = `${rounded(actual)}${unit}; it may be ${bound}${unit}.`
    return { ...told, outcome: actual <= bound ? 'passed' : 'failed', message }
  })
  return [leastScore(min_score, { score, parts, demanded }), ...limits.filter((one) => one !== null)]
}

function leastScore(
  least: number,
  {
    score,
    parts,
    demanded,
  }: { score: number | null; parts: Record<ScorePart, PartScore>; demanded: readonly Assertion[] },
): Assertion {
  const told = { kind: 'thresholds.min_score', turn: null, expected: least, actual: score }
  if (score !== null) {
    const message = `The score is ${score}; it must be at least ${least}.`
    return { ...told, outcome: score >= least ? 'passed' : 'failed', message }
  }
  const isHidden = scoreParts.some(
    (part) => parts[part].outcome === 'skipped' && 'reason' in parts[part] && parts[part].reason === 'not_captured',
  )
  const hasDemands = demanded.some(({ outcome }) => outcome !== 'unknown')
  return !isHidden && hasDemands
    ? { ...told, outcome: 'passed', message: 'Nothing is weighed: the case stands on its demands.' }
    : { ...told, outcome: 'unknown', message: 'Nothing that is weighed could be seen or judged.' }
}

function rounded(value: number): number {
  return Number(value.toPrecision(6))
}

/** What somebody said the case may go without counts as passed, and says so; but not where nothing else of it was tested. */
function waivedOr(
  assertion: Assertion,
  { told, waived }: { told: readonly Assertion[]; waived: AttemptScoring['waived'] },
): Assertion {
  const { outcome, kind, message } = assertion
  if (outcome !== 'unknown') return assertion
  const isScore = kind === 'thresholds.min_score'
  if (isScore && told.every((one) => one.outcome === 'unknown')) return { ...assertion, message: untested }
  const isJudged = isScore || /^(rubric|checks\.(hallucination|safety)|judged\..+)$/.test(kind)
  const isTools = isScore || /^(tools|adk\.tool)[._]/.test(kind)
  const passes = (waived.judge && isJudged) || (waived.tools && isTools)
  return passes ? { ...assertion, outcome: 'passed', message: `${waivedMark}${message}` } : assertion
}

const waivedMark = 'Waived. '

/** Whether a demand counts as met because somebody said that the case may go without it. */
export function isWaived({ outcome, message }: Assertion): boolean {
  return outcome === 'passed' && message.startsWith(waivedMark)
}

const untested = 'Nothing of it was tested: expect something that can be seen of the answer, or have it judged.'

function outcomeOf(assertions: readonly Assertion[]): AttemptOutcome {
  if (assertions.some(({ outcome }) => outcome === 'failed')) return 'failed'
  return assertions.some(({ outcome }) => outcome === 'unknown') ? 'unevaluated' : 'passed'
}
