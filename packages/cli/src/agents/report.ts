import type { Baseline, CaseProblem, CaseResult, CheckResult, CheckState, ReleaseReport } from '@llm-eval/protocol'
import { count } from '../display/amounts.ts'
import type { JunitTest } from '../reports/junit-xml.ts'
import type { Baselines } from './baseline-files.ts'
import { isWaived } from '@llm-eval/engine/agent'
import { reasonsOf, scoreOf } from './reasons.ts'
import type { Suite } from './suite.ts'

/** A case as reports tell it. */
export interface ReportedCase {
  name: string
  /** Where it is written, such as `agent-tests/a.yaml:3`. */
  place: string
  /** What a gate makes of it. */
  outcome: JunitTest['outcome']
  /** In a word or two, such as `failed` or `TOOLS_CHANGED`. */
  state: string
  reasons: string[]
  result: CaseResult
  /** Null where nothing is held against anything. */
  check: CheckResult | null
  /** What `check` held it against. */
  baseline: Baseline | null
}

/** Whether it passes the gate, though it is not as it was. */
export function isChanged({ outcome, state }: ReportedCase): boolean {
  return outcome === 'pass' && state !== 'passed' && state !== 'PASSED'
}

/** What `llm-eval test` and `check` found, for files that tell it. */
export interface SuiteReport {
  command: 'test' | 'check'
  suite: string
  /** RFC 3339. */
  at: string
  exitCode: 0 | 1 | 2
  /** One word. */
  verdict: string
  /** One sentence. */
  headline: string
  /** The command that helps most now. */
  next: string | null
  problems: CaseProblem[]
  /** Cases that were to be asked, and were not. */
  unasked: number
  /** Those that did not pass first. */
  cases: ReportedCase[]
}

const words = { 0: 'PASSED', 1: 'FAILED', 2: 'NOT EVALUATED' } as const

/** What came of a suite that is tested by itself. */
export function testReport(suite: Suite, results: readonly CaseResult[], at: string): SuiteReport {
  const exitCode = testExitCode(suite, results)
  const passed = results.filter(({ outcome }) => outcome === 'passed').length
  const scores = results.map(scoreOf).filter((score) => score !== null)
  const mean =
    scores.length === 0
      ? ''
      : `, mean score ${(scores.reduce((a, b) => a + b, 0) / scores.length).toFixed(1)} of ${count(scores.length)} scored`
  const cases = results.map(
    (result): ReportedCase => ({
      name: result.name,
      place: placeOf(suite, result),
      outcome: result.outcome === 'passed' ? 'pass' : result.outcome === 'failed' ? 'fail' : 'cannot_tell',
      state: result.outcome,
      reasons: reasonsOf(result),
      result,
      check: null,
      baseline: null,
    }),
  )
  return {
    command: 'test',
    ...commonOf(suite, results),
    at,
    exitCode,
    verdict: words[exitCode],
    headline: `${count(passed)} of ${count(results.length)} cases passed${mean}${mistakesIn(suite)}.${waivedIn(results)}`,
    next: exitCode === 0 ? 'llm-eval snapshot' : nextAfter(results),
    cases: badFirst(cases),
  }
}

export interface Checked {
  release: ReleaseReport
  checks: readonly CheckResult[]
  failOn: readonly CheckState[]
  baselines: Baselines
}

/** What came of a suite that is held against its baselines. */
export function checkReport(suite: Suite, { release, checks, failOn, baselines }: Checked, at: string): SuiteReport {
  const cases = checks.map((check): ReportedCase => {
    const accepted = baselines.get(check.case_id) ?? []
    return {
      name: check.name,
      place: placeOf(suite, check),
      outcome: checkOutcome(check, failOn),
      state: check.quarantine === null ? check.state : `${check.state} (quarantined)`,
      reasons: [
        ...check.reasons,
        ...(check.quarantine === null
          ? []
          : [
              `Quarantined by ${check.quarantine.owner} until ${check.quarantine.expires_at}: ${check.quarantine.reason}`,
            ]),
      ],
      result: check.result,
      check,
      baseline: accepted.find(({ variant }) => variant === check.variant) ?? null,
    }
  })
  const results = checks.map(({ result }) => result)
  return {
    command: 'check',
    ...commonOf(suite, results),
    at,
    exitCode: release.exit_code,
    verdict: release.verdict,
    headline: `${release.headline}${waivedIn(results)}`,
    next: release.next,
    cases: badFirst(cases),
  }
}

/** Files that cannot be read as they are keep a suite from being green, however well the others do. */
function mistakesIn({ problems }: Suite): string {
  const errors = problems.filter(({ level }) => level === 'error').length
  return errors === 0 ? '' : `, and ${count(errors)} mistake${errors === 1 ? '' : 's'} in files`
}

/** What somebody said need not be known is told with the verdict: it is green without it. */
function waivedIn(results: readonly CaseResult[]): string {
  const waived = results.filter(({ attempts }) => attempts.some(({ assertions }) => assertions.some(isWaived))).length
  return waived === 0 ? '' : ` In ${count(waived)} case${waived === 1 ? '' : 's'} demands were waived.`
}

/** 1 when a case fails, 2 when one could not be told, 0 only when all that was to be tested passed. */
export function testExitCode(suite: Suite, results: readonly CaseResult[]): 0 | 1 | 2 {
  if (results.some(({ outcome }) => outcome === 'failed')) return 1
  const untold = results.some(({ outcome }) => outcome !== 'passed') || results.length < suite.cases.length
  const broken = suite.problems.some(({ level }) => level === 'error')
  return untold || broken || results.length === 0 ? 2 : 0
}

/** The command that looks closer at what went wrong. */
export function nextAfter(results: readonly CaseResult[]): string {
  const faulted = results.find(({ outcome }) => outcome === 'faulted')
  const bad = faulted ?? results.find(({ outcome }) => outcome !== 'passed')
  return bad ? `llm-eval test --test ${JSON.stringify(bad.name)} --verbose` : 'llm-eval test'
}

/** A forbidden tool fails whatever is said of it; a quarantine takes a case out of the gate, and is told as such. */
function checkOutcome(check: CheckResult, failOn: readonly CheckState[]): ReportedCase['outcome'] {
  if (check.forbidden_tools.length > 0) return 'fail'
  if (check.state === 'PASSED') return 'pass'
  if (check.quarantine !== null) return 'skip'
  if (failOn.includes(check.state)) return 'fail'
  return check.state === 'NOT_EVALUATED' || check.state === 'NO_BASELINE' ? 'cannot_tell' : 'pass'
}

function commonOf(suite: Suite, results: readonly unknown[]) {
  return { suite: suite.name, problems: suite.problems, unasked: suite.cases.length - results.length }
}

function placeOf(suite: Suite, { case_id: id }: { case_id: string }): string {
  const one = suite.cases.find(({ case_id: known }) => known === id)
  return one ? `${one.file}:${one.line}` : ''
}

const order = { fail: 0, cannot_tell: 1, skip: 2, pass: 4 } as const

function badFirst(cases: readonly ReportedCase[]): ReportedCase[] {
  // A case that changed within what the gate allows comes before those that are as they were.
  const rank = (one: ReportedCase) => order[one.outcome] * 2 - (isChanged(one) ? 1 : 0)
  return cases.toSorted((a, b) => rank(a) - rank(b))
}
