import type { AgentToolCall, AgentTrace, Baseline, CheckState, ToolStep } from '@llm-eval/protocol'
import type { Engine } from '../engine.ts'
import { alignCalls } from './align.ts'

/** Letters of an answer that are compared one by one; beyond them its rest is alike or not, as a whole. */
const comparedChars = 100_000

/** Accepted answers, all with the tools that are nearest, that one answer is compared with. */
const answersMax = 5

/** An attempt beside what is nearest of all that was accepted. */
export interface Nearest {
  baseline: Baseline
  /** Index among the attempts of the baseline. */
  accepted: number
  state: Exclude<CheckState, 'REGRESSION' | 'NO_BASELINE'>
  steps: ToolStep[]
  /** In 0..1, of the answer that is least alike; null where it cannot be told. */
  similarity: number | null
  /** One sentence each: what is not as accepted. */
  reasons: string[]
}

export interface Nearness {
  engine: Engine
  signal: AbortSignal
  /** In 0..1: answers less alike have changed. */
  outputSimilarity: number
  ignoreCase: boolean
  /** Somebody said that tools do not count. */
  withoutTools: boolean
}

interface Candidate {
  baseline: Baseline
  accepted: number
  trace: AgentTrace
  steps: ToolStep[]
  hidden: string | null
}

/** How far what an attempt did is from what was accepted, from nearest to farthest. */
export const stateRanks: readonly CheckState[] = [
  'PASSED',
  'MODEL_CHANGED',
  'OUTPUT_CHANGED',
  'TOOLS_CHANGED',
  'NOT_EVALUATED',
]

/**
 * Finds what was accepted that an attempt is nearest to: by its tools, then by its words.
 *
 * @throws RangeError without any baseline
 */
export async function nearestTo(now: AgentTrace, baselines: readonly Baseline[], nearness: Nearness): Promise<Nearest> {
  const candidates = candidatesFor(now, baselines, nearness)
  const least = Math.min(...candidates.map(distanceOf))
  // The first attempts of all variants before the second ones.
  const near = candidates.filter((one) => distanceOf(one) === least).toSorted((a, b) => a.accepted - b.accepted)
  const held = await Promise.all(near.slice(0, answersMax).map((one) => heldAgainst(one, now, nearness)))
  const [best] = held.toSorted(
    (a, b) => stateRanks.indexOf(a.state) - stateRanks.indexOf(b.state) || (b.similarity ?? 0) - (a.similarity ?? 0),
  )
  if (!best) throw new RangeError('There is no baseline to be near to.')
  return best
}

function candidatesFor(
  now: AgentTrace,
  baselines: readonly Baseline[],
  { withoutTools }: Pick<Nearness, 'withoutTools'>,
): Candidate[] {
  // Attempts that did the same are aligned once.
  const aligned = new Map<string, ToolStep[]>()
  const stepsFrom = (before: AgentTrace): ToolStep[] => {
    const key = JSON.stringify(before.tool_calls.map(({ name, args }) => [name, args]))
    const known = aligned.get(key) ?? alignCalls(before.tool_calls, now.tool_calls)
    aligned.set(key, known)
    return known
  }
  return baselines.flatMap((baseline) =>
    baseline.attempts.map(({ trace }, accepted): Candidate => {
      const isShown = now.captured.includes('tools') || trace.tool_calls.length === 0
      if (!isShown) {
        const hidden = 'The agent does not show its tools any more, and they were accepted.'
        return { baseline, accepted, trace, steps: [], hidden: withoutTools ? null : hidden }
      }
      const steps = stepsFrom(trace)
      const hidden = withoutTools ? null : hiddenArguments(steps, { before: trace.tool_calls, now: now.tool_calls })
      return { baseline, accepted, trace, steps, hidden }
    }),
  )
}

/** Changed calls, and more than any number of them where it cannot be told. */
function distanceOf({ steps, hidden }: Candidate): number {
  return hidden === null ? changedOf(steps).length : Number.MAX_SAFE_INTEGER
}

function hiddenArguments(
  steps: readonly ToolStep[],
  { before, now }: { before: readonly AgentToolCall[]; now: readonly AgentToolCall[] },
): string | null {
  const names = steps.flatMap(({ name, before: a, after: b }) => {
    if (a === null || b === null) return []
    const isGone = before[a]?.args !== null && now[b]?.args === null
    return isGone ? [name] : []
  })
  const told = [...new Set(names)]
  if (told.length === 0) return null
  const list = `${told.slice(0, 5).join(', ')}${told.length > 5 ? ', …' : ''}`
  return `The agent does not show the arguments of ${list} any more, and they were accepted.`
}

async function heldAgainst(
  { baseline, accepted, trace, steps, hidden }: Candidate,
  now: AgentTrace,
  nearness: Nearness,
): Promise<Nearest> {
  const { similarity, turn } = await likenessOf(trace, now, nearness)
  const changed = changedOf(steps)
  const isOtherModel = baseline.model !== null && now.model !== null && baseline.model !== now.model
  const isOtherOutput = similarity === null || similarity < nearness.outputSimilarity
  const which = now.turns.length > 1 || trace.turns.length > 1 ? `The answer of turn ${turn}` : 'The answer'
  const reasons = [
    ...(hidden === null ? [] : [hidden]),
    ...(changed.length > 0 ? [toolsChanged(changed)] : []),
    ...(isOtherOutput
      ? [`${which} is ${similarity === null ? 'not comparable' : `${Math.floor(similarity * 100)} % alike`}.`]
      : []),
    ...(isOtherModel ? [`The model is ${now.model}, and was ${baseline.model}.`] : []),
  ]
  const state =
    hidden !== null
      ? 'NOT_EVALUATED'
      : changed.length > 0
        ? 'TOOLS_CHANGED'
        : isOtherOutput
          ? 'OUTPUT_CHANGED'
          : isOtherModel
            ? 'MODEL_CHANGED'
            : 'PASSED'
  return { baseline, accepted, state, steps, similarity, reasons }
}

function changedOf(steps: readonly ToolStep[]): ToolStep[] {
  return steps.filter(({ kind }) => kind !== 'same')
}

function toolsChanged(changed: readonly ToolStep[]): string {
  const words = { arguments: 'other arguments of', moved: 'moved', added: 'added', removed: 'gone', same: '' }
  const told = changed.slice(0, 5).map(({ kind, name }) => `${words[kind]} ${name}`)
  return `Tools changed: ${told.join(', ')}${changed.length > 5 ? `, and ${changed.length - 5} more` : ''}.`
}

interface Likeness {
  similarity: number | null
  /** Of the answer that is least alike, from 1. */
  turn: number
}

/** How alike two conversations are: as much as their answers that are least so. */
async function likenessOf(before: AgentTrace, now: AgentTrace, nearness: Nearness): Promise<Likeness> {
  const [was, is] = [answersOf(before), answersOf(now)]
  let least: Likeness = { similarity: 1, turn: 1 }
  for (let turn = 1; turn <= Math.max(was.length, is.length); turn++) {
    const [first, second] = [was[turn - 1], is[turn - 1]]
    const similarity = first === undefined || second === undefined ? 0 : await similarityOf(first, second, nearness)
    if (similarity === null) return { similarity, turn }
    if (similarity < (least.similarity ?? 0)) least = { similarity, turn }
  }
  return least
}

function answersOf({ turns, output }: AgentTrace): string[] {
  return [...turns.slice(0, -1).map((turn) => turn.output), output]
}

async function similarityOf(
  before: string,
  after: string,
  { engine, signal, ignoreCase }: Nearness,
): Promise<number | null> {
  const fold = (text: string) => {
    const folded = text.replace(/\s+/g, ' ').trim()
    return ignoreCase ? folded.toLowerCase() : folded
  }
  const [reference, response] = [fold(before), fold(after)]
  if (reference === response) return 1
  const input = { response: response.slice(0, comparedChars), reference: reference.slice(0, comparedChars) }
  const score = await engine.evaluate({ evaluator: 'levenshtein', input, config: {} }, { signal })
  if (score.outcome !== 'scored' || score.value === null) return null
  const longer = Math.max(reference.length, response.length)
  if (longer <= comparedChars) return score.value
  const isSameRest = reference.slice(comparedChars) === response.slice(comparedChars)
  return (score.value * comparedChars + (isSameRest ? longer - comparedChars : 0)) / longer
}
