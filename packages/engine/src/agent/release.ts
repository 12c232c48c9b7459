import { type CheckResult, type CheckState, checkStates, type ReleaseReport } from '@llm-eval/protocol'

export interface ReleaseOptions {
  /** States that fail the gate. */
  failOn: readonly CheckState[]
  /** Cases or files that could not even be read, in words. */
  unreadable: readonly string[]
}

/** What fails a gate whatever it is told: a case that fails is no matter of taste. */
export const failOnAlways: readonly CheckState[] = ['REGRESSION']

/**
 * Whether to ship. A forbidden tool blocks whatever is said of it; a quarantine takes a case out of the gate until its date, and
 * is always told; what was not tested is never green. A gate that fails exits with 1 even where other cases could not be told.
 */
export function release(checks: readonly CheckResult[], { failOn, unreadable }: ReleaseOptions): ReleaseReport {
  const counts = countsOf(checks)
  const forbidden = checks.filter(({ forbidden_tools: tools }) => tools.length > 0)
  const isFailing = ({ state }: CheckResult) => failOn.includes(state)
  const failing = checks.filter((one) => isFailing(one) && one.quarantine === null && !forbidden.includes(one))
  const quarantined = checks.filter(
    (one) => one.state !== 'PASSED' && one.quarantine !== null && !forbidden.includes(one),
  )
  const untested = checks.filter(
    (one) => (one.state === 'NOT_EVALUATED' || one.state === 'NO_BASELINE') && one.quarantine === null,
  )
  const changed = checks.filter(
    (one) => !isFailing(one) && !untested.includes(one) && one.state !== 'PASSED' && one.quarantine === null,
  )
  const reasons = [
    ...forbidden.map(reasonOf),
    ...failing.map(reasonOf),
    ...unreadable,
    ...untested.map(reasonOf),
    ...changed.map(reasonOf),
    ...quarantined.map(
      (one) => `${reasonOf(one)} Quarantined by ${one.quarantine?.owner} until ${one.quarantine?.expires_at}.`,
    ),
  ]
  const told = { reasons, counts }
  if (forbidden.length + failing.length > 0) {
    const headline = `${plural(forbidden.length + failing.length, 'case')} of ${checks.length} must not ship.`
    return { ...told, verdict: 'BLOCK_RELEASE', exit_code: 1, headline, next: next(forbidden[0] ?? failing[0]) }
  }
  const isTested = checks.some(({ state }) => state !== 'NOT_EVALUATED' && state !== 'NO_BASELINE')
  if (!isTested || untested.length + unreadable.length > 0) {
    const missing = untested.length + unreadable.length
    const headline = missing === 0 ? 'No case was tested.' : `${plural(missing, 'case')} could not be told.`
    const isNew = untested.length > 0 && untested.every(({ state }) => state === 'NO_BASELINE')
    return {
      ...told,
      verdict: 'INVESTIGATE',
      exit_code: 2,
      headline,
      next: isNew ? 'llm-eval snapshot' : next(untested[0]),
    }
  }
  if (changed.length > 0) {
    const headline = `${plural(changed.length, 'case')} changed, within what the gate allows.`
    return { ...told, verdict: 'INVESTIGATE', exit_code: 0, headline, next: next(changed[0]) }
  }
  if (quarantined.length > 0) {
    const headline = `All is well but for ${plural(quarantined.length, 'case')} in quarantine.`
    return { ...told, verdict: 'SHIP_WITH_QUARANTINE', exit_code: 0, headline, next: null }
  }
  return {
    ...told,
    verdict: 'SAFE_TO_SHIP',
    exit_code: 0,
    headline: `All ${plural(checks.length, 'case')} as accepted.`,
    next: null,
  }
}

function countsOf(checks: readonly CheckResult[]): Record<CheckState, number> {
  const counts = new Map(checkStates.map((state) => [state, 0]))
  for (const { state } of checks) counts.set(state, (counts.get(state) ?? 0) + 1)
  // Every state has its count.
  return Object.fromEntries(counts) as Record<CheckState, number>
}

function reasonOf({ name, state, reasons }: CheckResult): string {
  return `${name}: ${reasons.length === 0 ? state : reasons.join(' ')}`
}

function next(check: CheckResult | undefined): string | null {
  return check ? `llm-eval check --test ${JSON.stringify(check.name)}` : 'llm-eval test'
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
