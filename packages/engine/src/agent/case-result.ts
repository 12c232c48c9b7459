import type { AttemptOutcome, AttemptResult, CaseResult, TestCase } from '@llm-eval/protocol'
import { mean, passAtK, passHatK, proportion, standardDeviation } from '@llm-eval/statistics'
import { attemptsFlakiness } from './flakiness.ts'

/**
 * Sums up the attempts at a case. One that could not be asked or evaluated is none of the good ones, and never left out: a case
 * passes when all attempts pass, or as many as its variance asks for.
 *
 * @throws RangeError without any attempt
 */
export function caseResult(one: TestCase, attempts: readonly AttemptResult[]): CaseResult {
  if (attempts.length === 0) throw new RangeError('A case without an attempt has no result.')
  const named = { case_id: one.case_id, name: one.name, suite: one.suite, attempts: [...attempts] }
  if (attempts.length === 1 && one.thresholds.variance === null)
    return { ...named, outcome: attempts[0]?.outcome ?? 'unevaluated', repeated: null }
  const repeated = repeatedOf(one, attempts)
  return { ...named, outcome: outcomeOf(one, attempts, repeated), repeated }
}

type Repeated = NonNullable<CaseResult['repeated']>

function repeatedOf({ thresholds: { variance } }: TestCase, attempts: readonly AttemptResult[]): Repeated {
  const n = attempts.length
  const passed = attempts.filter(({ outcome }) => outcome === 'passed').length
  const level = variance?.confidence_level ?? 0.95
  const rate = proportion(passed, n, { level })
  const scores = attempts.flatMap(({ score }) => (score === null ? [] : [score]))
  // What got no answer or could not be told is no failure of the agent.
  const failed = attempts.filter(({ outcome }) => outcome === 'failed').length
  const { flaky, p } = attemptsFlakiness(passed + failed, passed)
  const ks = Array.from({ length: Math.min(n, 10) }, (_, index) => index + 1)
  return {
    n,
    passed,
    pass_rate: { estimate: passed / n, low: rate?.low ?? 0, high: rate?.high ?? 1, level },
    pass_at_k: ks.map((k) => ({ k, value: passAtK({ n, c: passed }, k) ?? 0 })),
    pass_hat_k: ks.map((k) => ({ k, value: passHatK({ n, c: passed }, k) ?? 0 })),
    mean_score: scores.length === 0 ? null : mean(scores),
    standard_deviation: scores.length < 2 ? null : standardDeviation(scores),
    flaky,
    flaky_p: p,
  }
}

function outcomeOf(
  { thresholds: { variance } }: TestCase,
  attempts: readonly AttemptResult[],
  { n, passed, mean_score, standard_deviation }: Repeated,
): AttemptOutcome {
  // However few attempts have to pass, in none of them may a forbidden tool be called.
  if (attempts.some(isForbidden)) return 'failed'
  const evaluated = attempts.filter(({ outcome }) => outcome === 'passed' || outcome === 'failed').length
  const untold = attempts.some(({ outcome }) => outcome === 'faulted') ? 'faulted' : 'unevaluated'
  // However little is asked for, what was not evaluated at all has not passed.
  if (evaluated === 0) return untold
  const enough = passed / n >= (variance?.pass_rate ?? 1)
  const meanHolds = variance?.min_mean_score == null || (mean_score !== null && mean_score >= variance.min_mean_score)
  const spread = variance?.max_std_dev
  const spreadHolds = spread == null || (standard_deviation !== null && standard_deviation <= spread)
  if (enough && meanHolds && spreadHolds) return 'passed'
  // With what could not be evaluated it might have passed: that is not known to be a failure.
  const couldPass = (passed + n - evaluated) / n >= (variance?.pass_rate ?? 1)
  return evaluated === n || !couldPass ? 'failed' : untold
}

function isForbidden({ assertions }: AttemptResult): boolean {
  return assertions.some(({ kind, outcome }) => kind === 'tools.forbidden' && outcome === 'failed')
}
