import type { AgentReport, AttemptOutcome, CheckState, PartScore, ReleaseVerdict, ScorePart } from '@llm-eval/protocol'
import { unknown } from './numbers.ts'

export type AgentMood = 'good' | 'bad' | 'wait' | 'plain'
export interface Said {
  word: string
  mood: AgentMood
}

export const outcomeWords: Record<AttemptOutcome, Said> = {
  passed: { word: 'passed', mood: 'good' },
  failed: { word: 'failed', mood: 'bad' },
  faulted: { word: 'no answer', mood: 'wait' },
  unevaluated: { word: 'cannot tell', mood: 'wait' },
}

const stateWords: Record<CheckState, Said> = {
  PASSED: { word: 'as accepted', mood: 'good' },
  OUTPUT_CHANGED: { word: 'answer changed', mood: 'wait' },
  TOOLS_CHANGED: { word: 'tools changed', mood: 'wait' },
  REGRESSION: { word: 'regression', mood: 'bad' },
  MODEL_CHANGED: { word: 'model changed', mood: 'wait' },
  NO_BASELINE: { word: 'no baseline', mood: 'plain' },
  NOT_EVALUATED: { word: 'cannot tell', mood: 'wait' },
}

const verdictWords: Record<ReleaseVerdict, Said> = {
  SAFE_TO_SHIP: { word: 'safe to ship', mood: 'good' },
  SHIP_WITH_QUARANTINE: { word: 'ship with quarantine', mood: 'wait' },
  INVESTIGATE: { word: 'investigate', mood: 'wait' },
  BLOCK_RELEASE: { word: 'block release', mood: 'bad' },
}

const exitWords: Record<AgentReport['exit_code'], Said> = {
  0: { word: 'passed', mood: 'good' },
  1: { word: 'failed', mood: 'bad' },
  2: { word: 'not evaluated', mood: 'wait' },
}

/** What a report says of its suite. */
export function reportSaid({ verdict, exit_code: code }: Pick<AgentReport, 'verdict' | 'exit_code'>): Said {
  return verdict === null ? exitWords[code] : verdictWords[verdict]
}

/** How a case stands: against its baselines where it was held against any. */
export function caseSaid({ outcome, state }: { outcome: AttemptOutcome; state: CheckState | null }): Said {
  return state === null ? outcomeWords[outcome] : stateWords[state]
}

export const partNames: Record<ScorePart, string> = {
  tool_accuracy: 'Tools',
  sequence_correctness: 'Order of tools',
  output_quality: 'Answer',
}

const skipWords = { no_judge: 'no judge', not_captured: 'not shown by the agent', fault: 'no answer' } as const

/** A part of a score; what is not known is said to be unknown. */
export function partSaid(part: PartScore): { value: string; says: string } {
  switch (part.outcome) {
    case 'scored':
      return { value: `${Math.round(part.value * 100)} %`, says: part.detail }
    case 'not_expected':
      return { value: unknown, says: 'Nothing is expected of it.' }
    case 'skipped':
      return { value: 'unknown', says: `${skipWords[part.reason]}: ${part.detail}` }
    case 'errored':
      return { value: 'unknown', says: part.detail }
  }
}

/** Of 100. */
export function formatPoints(score: number | null): string {
  return score === null ? unknown : score.toFixed(1).replace(/\.0$/, '')
}

/** How often something came of so many, in words. */
export function tally(outcomes: readonly AttemptOutcome[]): string {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) {
    const { word } = outcomeWords[outcome]
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
}
