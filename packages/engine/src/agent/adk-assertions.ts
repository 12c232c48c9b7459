import {
  type AdkCriterion,
  type AdkExpected,
  type AgentTrace,
  type Assertion,
  isObject,
  type PartScore,
  type ScorePart,
} from '@llm-eval/protocol'
import { type AdkMeasure, adkMeasures, compareInvocations, type InvocationDone } from '../adk/compare-invocations.ts'

/** How a case of an eval set of ADK did by ADK's own measures. */
export interface AdkMeasured {
  assertions: Assertion[]
  parts: Record<ScorePart, PartScore>
}

/**
 * Holds what an agent did against an eval set of ADK: each criterion is the mean of its measure over the turns, and passes from its
 * threshold on. What cannot be measured, or seen, is unknown and keeps the case from passing.
 */
export function adkAssertions(expected: AdkExpected, trace: AgentTrace): AdkMeasured {
  const measured = expected.criteria.map((criterion) => measure(criterion, expected, trace))
  const assertions = measured.flatMap(({ assertion }) => assertion ?? [])
  const part = (...names: AdkMeasure[]) => {
    const known = measured.find(({ metric }) => names.some((name) => name === metric))
    return known?.part ?? ({ outcome: 'not_expected' } as const)
  }
  const parts = {
    tool_accuracy: part('tool_trajectory_avg_score', 'tool_parameter_match'),
    output_quality: part('response_match_score'),
    sequence_correctness: { outcome: 'not_expected' } as const,
  }
  return { assertions: assertions.length > 0 ? assertions : [nothing], parts }
}

const nothing: Assertion = {
  kind: 'adk.criteria',
  turn: null,
  outcome: 'unknown',
  expected: null,
  actual: null,
  message: 'None of the criteria says anything of this case.',
}

interface Measured {
  metric: string
  /** Null where ADK would not evaluate it either, as there is nothing to hold against. */
  assertion: Assertion | null
  part: PartScore
}

function measure(criterion: AdkCriterion, expected: AdkExpected, trace: AgentTrace): Measured {
  const { metric, threshold, match, ignore_args: ignoreArgs, judged, fault } = criterion
  const kind = `${judged ? 'judged' : 'adk'}.${metric}`
  const told = { kind, turn: null, expected: threshold }
  const name = adkMeasures.find((known) => known === metric)
  const unseen = name === 'response_match_score' ? undefined : unseenIn(trace, ignoreArgs)
  const why =
    name === undefined || fault !== null ? `${metric} cannot be measured: ${fault ?? 'it is not known'}.` : unseen
  if (name === undefined || why !== undefined) {
    const part: PartScore = unseen
      ? { outcome: 'skipped', reason: 'not_captured', detail: unseen }
      : { outcome: 'not_expected' }
    return { metric, part, assertion: { ...told, outcome: 'unknown', actual: null, message: why ?? '' } }
  }
  const { scores, turns } = compareInvocations(expected.turns, doneIn(trace, expected.turns.length), {
    match,
    ignoreArgs,
  })
  const score = scores[name]
  if (score === null) return { metric, assertion: null, part: { outcome: 'not_expected' } }
  const low = turns.flatMap((turn, index) => ((turn[name] ?? 1) < threshold ? [index + 1] : []))
  const where = low.length > 0 && turns.length > 1 ? ` Below it: turn ${low.slice(0, 10).join(', ')}.` : ''
  const message = `${metric} is ${rounded(score)}; it must be at least ${threshold}.${where}`
  const outcome = score >= threshold ? 'passed' : 'failed'
  const part: PartScore = { outcome: 'scored', value: score, detail: message }
  return { metric, part, assertion: { ...told, outcome, actual: score, message } }
}

function unseenIn(trace: AgentTrace, ignoreArgs: boolean): string | undefined {
  if (!trace.captured.includes('tools')) return 'The agent does not show its tools.'
  const isHidden = trace.tool_calls.length > 0 && !trace.captured.includes('tool_arguments')
  return isHidden && !ignoreArgs ? 'The agent does not show the arguments of its tools.' : undefined
}

/** What was done in each turn; null for those that were not reached. */
function doneIn({ turns, tool_calls: calls }: AgentTrace, length: number): (InvocationDone | null)[] {
  return Array.from({ length }, (_, index) => {
    const turn = turns[index]
    if (!turn) return null
    const own = calls.filter((call) => call.turn === index + 1)
    return { calls: own.map(({ name, args }) => ({ name, args: argumentsOf(args) })), response: turn.output }
  })
}

function argumentsOf(args: unknown): Record<string, unknown> | null {
  if (args === null || args === undefined) return null
  // What is no object is none of the expected arguments.
  return isObject(args) ? args : { '': args }
}

function rounded(score: number): number {
  return Number(score.toFixed(4))
}
