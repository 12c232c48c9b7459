import type { AgentFlakiness, AttemptOutcome } from '@llm-eval/protocol'
import { binomialCdf } from '@llm-eval/statistics'

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
  // At least so many of them that each have this chance (a one-sided binomial test).
  const p = of === 0 ? null : changes === 0 ? 1 : 1 - binomialCdf(changes - 1, { n: of, p: changeRate })
  // Broken and mended is what reports are for, however short the history is.
  return { flaky: p !== null && p < flakyLevel && changes > 2, changes, of, p }
}
