import type { AgentFlakiness, AttemptOutcome } from '@llm-eval/protocol'
import { binomialCdf } from '@llm-eval/statistics'

/** How often attempts at a case end otherwise than the rest, of a case that nobody would call flaky. */
const steadyRate = 0.01
/** How often a case changes its outcome from report to report because its agent changed, and not by chance. */
const changeRate = 0.05
/** Below this p a case counts as flaky. */
const flakyLevel = 0.05

/**
 * Whether a case passes and fails by turns. Only reports in which it passed or failed count; a case that broke once, or broke
 * and was mended, is not flaky.
 *
 * @param outcomes one for each report, in the order of time or against it
 */
export function flakinessOf(outcomes: readonly AttemptOutcome[]): AgentFlakiness {
  const told = outcomes.filter((outcome) => outcome === 'passed' || outcome === 'failed')
  const of = Math.max(0, told.length - 1)
  const changes = told.filter((outcome, at) => at > 0 && outcome !== told[at - 1]).length
  const p = of === 0 ? null : chanceOf(changes, { n: of, p: changeRate })
  // Broken and mended is what reports are for, however short the history is.
  return { flaky: p !== null && p < flakyLevel && changes > 2, changes, of, p }
}

/** Whether attempts at a case pass and fail by turns, of `n` at the same agent that did one or the other. */
export function attemptsFlakiness(n: number, passed: number): { flaky: boolean; p: number } {
  const p = chanceOf(Math.min(passed, n - passed), { n, p: steadyRate })
  return { flaky: p < flakyLevel, p }
}

/** At least so many of n that each have this chance (a one-sided binomial test). */
function chanceOf(count: number, of: { n: number; p: number }): number {
  return count === 0 ? 1 : 1 - binomialCdf(count - 1, of)
}
