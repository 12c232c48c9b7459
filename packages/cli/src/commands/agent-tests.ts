import { relative } from 'node:path'
import {
  baselineOf,
  checkCase,
  checkDefaults,
  type CheckThresholds,
  failOnAlways,
  release,
} from '@llm-eval/engine/agent'
import { type CaseResult, type CheckResult, type CheckState, failStates, variantPattern } from '@llm-eval/protocol'
import { again } from '../agents/again.ts'
import { type CaseOptions, type Tested, withResults } from '../agents/ask-suite.ts'
import { checkReport, nextAfter, type SuiteReport, testExitCode, testReport } from '../agents/report.ts'
import { saveAgentReports } from '../agents/save-reports.ts'
import type { Accepted } from '../agents/server-baselines.ts'
import { showChecks, showResults, showVerdict } from '../agents/show.ts'
import { problemLine, type Suite } from '../agents/suite.ts'
import { showTraces } from '../agents/traces.ts'
import { Complaint, exitCodes } from '../complaint.ts'
import { count } from '../display/amounts.ts'
import { safeJson } from '../display/width.ts'
import type { Stage, Terminal } from '../terminal.ts'

export interface TestOptions extends CaseOptions {
  watch?: boolean
  schema?: boolean
}

/** Where what is accepted is kept: in files beside the cases unless said. */
interface BaselineOptions {
  baselines?: 'files' | 'server'
}

export interface CheckCommandOptions extends CaseOptions, BaselineOptions {
  failOn?: CheckState[]
  strict?: boolean
}

export interface SnapshotOptions extends CaseOptions, BaselineOptions {
  variant: string
  note?: string
  by?: string
  preview?: boolean
}

/** `llm-eval test`: asks the agent all cases. 0 when all pass, 1 when one fails, 2 when one could not be told. */
export async function testAgent(terminal: Stage, paths: string[], options: TestOptions): Promise<number> {
  if (options.schema) {
    const { caseFileSchema } = await import('@llm-eval/formats')
    terminal.out.line(JSON.stringify(caseFileSchema(), null, 2))
    return exitCodes.ok
  }
  if (options.watch) return (await import('../agents/watch-cases.ts')).watchCases(terminal, paths, options)
  return withResults(terminal, { paths, options }, async ({ suite, results, at }) => {
    const report = testReport(suite, results, at)
    if (options.adkResults !== undefined)
      await (await import('../agents/adk-results.ts')).saveAdkResults(terminal, options.adkResults, { suite, results })
    return finish(
      terminal,
      { paths, options },
      {
        report,
        results,
        json: { exit_code: report.exitCode, problems: suite.problems, cases: results },
        show: () => showResults(terminal, results),
      },
    )
  })
}

/** `llm-eval snapshot`: accepts what passes as it is now. */
export function snapshotAgent(terminal: Stage, paths: string[], options: SnapshotOptions): Promise<number> {
  if (!variantPattern.test(options.variant))
    throw new Complaint('A variant is called by letters, digits, _ and -, such as --variant short.')
  return withResults(terminal, { paths, options }, async (tested) => {
    const { suite, results } = tested
    const passing = results.filter(({ outcome }) => outcome === 'passed')
    const { files, where } = options.preview ? nothing : await accept(terminal, { tested, passing, options })
    const code = testExitCode(suite, results)
    if (options.json) {
      const told = { exit_code: code, accepted: passing.map(({ name }) => name), files }
      terminal.out.line(safeJson(JSON.stringify(told)))
      return code
    }
    if (options.verbose) for (const result of results) showTraces(terminal.out, result)
    showResults(terminal, results)
    terminal.out.line()
    const verb = options.preview ? 'would be accepted' : `accepted ${where}`
    terminal.out.line(`${count(passing.length)} of ${count(results.length)} cases ${verb}.`)
    if (passing.length < results.length) terminal.out.line('Cases that do not pass are not accepted.')
    const next = passing.length > 0 ? 'llm-eval check' : nextAfter(results)
    terminal.out.line(`Next: ${again(next, { paths, options })}`)
    return code
  })
}

const nothing = { files: [] as string[], where: '' }

interface Accepting {
  tested: Tested
  passing: readonly CaseResult[]
  options: SnapshotOptions
}

/** Keeps what passes where it is wished, and says where that is. */
async function accept(terminal: Stage, { tested, passing, options }: Accepting): Promise<typeof nothing> {
  const { suite, results, at } = tested
  const { variant, note = null, by = null } = options
  if (options.baselines !== 'server') {
    const baselines = passing.flatMap((result) => baselineOf(result, { variant, at: Date.now(), by, note }) ?? [])
    const { writeBaseline } = await import('../agents/baseline-files.ts')
    const files: string[] = []
    for (const baseline of baselines) files.push(await writeBaseline(suite.baselines, baseline))
    return { files, where: `into ${relative(terminal.cwd, suite.baselines)}` }
  }
  const { acceptOnServer } = await import('../agents/server-baselines.ts')
  const { openPlace } = await import('../place.ts')
  const place = await openPlace(terminal, options)
  await acceptOnServer(terminal, place.target, { suite, results, accepted: passing, variant, note, by, at })
  return { files: [], where: `by ${place.where}` }
}

/** `llm-eval check`: holds the agent against what was accepted, and says whether to ship. */
export function checkAgent(terminal: Stage, paths: string[], options: CheckCommandOptions): Promise<number> {
  return withResults(terminal, { paths, options }, async (tested) => {
    const { suite, results, at } = tested
    const accepted = await acceptedOf(terminal, suite, options)
    const { baselines } = accepted
    const checks = await checked(terminal, { tested, accepted, withoutTools: !options.tools })
    const chosen = options.strict ? failStates : (options.failOn ?? suite.settings.gate?.fail_on ?? [])
    const failOn = [...new Set([...failOnAlways, ...chosen])]
    const broken = suite.problems.filter(({ level }) => level === 'error').map(problemLine)
    const verdict = release(checks, { failOn, unreadable: [...broken, ...unfinished(suite, results)] })
    const report = checkReport(suite, { release: verdict, checks, failOn, baselines }, at)
    return finish(
      terminal,
      { paths, options },
      {
        report,
        results,
        json: { ...verdict, checks },
        show: () => showChecks(terminal, checks),
      },
    )
  })
}

interface Finished {
  report: SuiteReport
  results: readonly CaseResult[]
  /** What `--json` prints. */
  json: object
  /** Shows the cases. */
  show: () => void
}

/** Tells what came of it, here and wherever that is wished. */
async function finish(
  terminal: Stage,
  { paths, options }: { paths: readonly string[]; options: CaseOptions & BaselineOptions },
  { report: found, results, json, show }: Finished,
): Promise<number> {
  const report = { ...found, next: found.next && again(found.next, { paths, options }) }
  if (options.json) terminal.out.line(safeJson(JSON.stringify(json)))
  else {
    if (options.verbose) for (const result of results) showTraces(terminal.out, result)
    show()
    showVerdict(terminal, report)
  }
  await saveAgentReports(terminal, options, report)
  if (options.send) await (await import('../agents/send-results.ts')).sendResults(terminal, options, report)
  return report.exitCode
}

async function acceptedOf(terminal: Stage, suite: Suite, options: CheckCommandOptions): Promise<Accepted> {
  const { quarantineInForce, readBaselines, readQuarantine } = await import('../agents/baseline-files.ts')
  if (options.baselines !== 'server') {
    const quarantine = await quarantineInForce(suite.baselines, Date.now())
    return { baselines: await readBaselines(suite.baselines), quarantine }
  }
  const { readServerBaselines } = await import('../agents/server-baselines.ts')
  const { openPlace } = await import('../place.ts')
  const passedOver = (await readQuarantine(suite.baselines)).size
  if (passedOver > 0)
    terminal.err.line(
      `${terminal.err.paint('yellow', 'note:')} ${count(passedOver)} in quarantine in ${suite.baselines} count all the same: with --baselines server only what the server has in quarantine does not.`,
    )
  return readServerBaselines(terminal, (await openPlace(terminal, options)).target, suite)
}

async function checked(
  { signal }: Terminal,
  {
    tested: { suite, results, tools },
    accepted: { baselines, quarantine },
    withoutTools,
  }: { tested: Tested; accepted: Accepted; withoutTools: boolean },
): Promise<CheckResult[]> {
  const waived = { tools: withoutTools }
  const options = { engine: tools.engine, signal, thresholds: thresholdsOf(suite), waived, now: Date.now() }
  const byId = new Map(results.map((result) => [result.case_id, result]))
  const checks: CheckResult[] = []
  for (const one of suite.cases) {
    const result = byId.get(one.case_id)
    const held = { ...options, quarantine: quarantine.get(one.case_id) }
    if (result) checks.push(await checkCase(one, { result, baselines: baselines.get(one.case_id) ?? [] }, held))
  }
  return checks
}

/** Cases that Ctrl-C left undone are not green either. */
function unfinished({ cases }: Suite, results: readonly CaseResult[]): string[] {
  const left = cases.length - results.length
  return left === 0 ? [] : [`${count(left)} cases were not asked.`]
}

function thresholdsOf({ settings: { gate = {} } }: Suite): CheckThresholds {
  return {
    scoreDrop: gate.score_drop ?? checkDefaults.scoreDrop,
    outputSimilarity: gate.output_similarity ?? checkDefaults.outputSimilarity,
    ignoreCase: gate.ignore_case ?? checkDefaults.ignoreCase,
  }
}
