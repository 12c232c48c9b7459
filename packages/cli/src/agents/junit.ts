import { problemLine } from './suite.ts'
import { type JunitTest, junitXml } from '../reports/junit-xml.ts'
import type { SuiteReport, ReportedCase } from './report.ts'

/** Cases as JUnit XML: a test for each, one for each file that cannot be read, and one for the verdict. None is green that the exit code says is not. */
export function agentJunit(report: SuiteReport): string {
  const { suite, command, at, exitCode, verdict, headline, problems, unasked, cases } = report
  const seconds = cases.reduce((sum, { result }) => sum + secondsOf(result), 0)
  const outcome = exitCode === 0 ? 'pass' : exitCode === 1 ? 'fail' : 'cannot_tell'
  const broken = problems
    .filter(({ level }) => level === 'error')
    .map((problem): JunitTest => {
      const message = problemLine(problem)
      return { name: problem.file, group: `${suite}.files`, seconds: null, outcome: 'cannot_tell', message }
    })
  const tests: JunitTest[] = [
    { name: 'verdict', group: suite, seconds: null, outcome, message: `${verdict}: ${headline}` },
    ...broken,
    ...cases.map((one) => testOf(one, suite)),
  ]
  const facts = [
    ['command', `llm-eval ${command}`],
    ['verdict', verdict],
    ['headline', headline],
    ...(unasked > 0 ? [['cases_not_asked', String(unasked)] as const] : []),
  ] as const
  return junitXml([{ name: suite, seconds, timestamp: at, facts, tests }])
}

function testOf({ name, place, outcome, state, reasons, result }: ReportedCase, suite: string): JunitTest {
  const file = place.replace(/:\d+$/, '')
  return {
    name,
    group: file === '' ? suite : `${suite}.${file}`,
    seconds: secondsOf(result),
    outcome,
    message: [`${state}.`, ...reasons].join(' '),
  }
}

function secondsOf({ attempts }: ReportedCase['result']): number {
  return attempts.reduce((sum, { trace }) => sum + trace.latency_ms, 0) / 1_000
}
