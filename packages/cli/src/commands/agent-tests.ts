import { relative } from 'node:path'
import { checkCase, checkDefaults, type CheckThresholds, failOnDefault, release } from '@llm-eval/engine'
import { type Baseline, type CaseResult, type CheckResult, type CheckState, checkStates } from '@llm-eval/protocol'
import { readBaselines, readQuarantine, writeBaseline } from '../agents/baseline-files.ts'
import { runCases } from '../agents/run-cases.ts'
import { scoreOf, showChecks, showRelease, showResults } from '../agents/show.ts'
import { openSuite, problemLine, type Suite } from '../agents/suite.ts'
import { type TestTools, testTools } from '../agents/tools.ts'
import { Complaint, exitCodes } from '../complaint.ts'
import { count } from '../display/amounts.ts'
import { ProgressBar } from '../display/progress.ts'
import { oneLine, safeJson } from '../display/width.ts'
import type { GlobalOptions } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'

/** Options that all commands about cases have. */
export interface CaseOptions extends GlobalOptions {
  agent?: string
  agentConfig?: string
  test?: string[]
  tag?: string[]
  repeat?: number
  concurrency?: number
  /** False: judged parts are left out, and the rest is weighed anew. */
  judge: boolean
  /** False: what is expected of tools is left out. */
  tools: boolean
  json?: boolean
}

export interface CheckCommandOptions extends CaseOptions {
  failOn?: CheckState[]
  strict?: boolean
}

export interface SnapshotOptions extends CaseOptions {
  variant: string
  note?: string
  by?: string
  preview?: boolean
}

/** A suite whose cases were asked. */
interface Tested {
  suite: Suite
  results: CaseResult[]
  tools: TestTools
}

/** `llm-eval test`: asks the agent all cases. 0 when all pass, 1 when one fails, 2 when one could not be told. */
export function testAgent(terminal: Stage, paths: string[], options: CaseOptions): Promise<number> {
  return withResults(terminal, { paths, options }, ({ suite, results }) => {
    const code = exitCodeOf(suite, results)
    if (options.json) {
      const told = { exit_code: code, problems: suite.problems, cases: results }
      terminal.out.line(safeJson(JSON.stringify(told)))
      return code
    }
    showResults(terminal, results)
    terminal.out.line()
    terminal.out.line(headline(terminal, results, code))
    terminal.out.line(`Next: ${code === 0 ? 'llm-eval snapshot' : nextAfter(results)}`)
    return code
  })
}

/** `llm-eval snapshot`: accepts what passes as it is now. */
export function snapshotAgent(terminal: Stage, paths: string[], options: SnapshotOptions): Promise<number> {
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(options.variant))
    throw new Complaint('A variant is called by letters, digits, _ and -, such as --variant short.')
  return withResults(terminal, { paths, options }, async ({ suite, results }) => {
    const passing = results.filter(({ outcome }) => outcome === 'passed')
    const files: string[] = []
    if (!options.preview)
      for (const result of passing) files.push(await writeBaseline(suite.baselines, baselineOf(result, options)))
    const code = exitCodeOf(suite, results)
    if (options.json) {
      const told = { exit_code: code, accepted: passing.map(({ name }) => name), files }
      terminal.out.line(safeJson(JSON.stringify(told)))
      return code
    }
    showResults(terminal, results)
    terminal.out.line()
    const verb = options.preview ? 'would be accepted' : `accepted into ${relative(terminal.cwd, suite.baselines)}`
    terminal.out.line(`${count(passing.length)} of ${count(results.length)} cases ${verb}.`)
    if (passing.length < results.length) terminal.out.line('Cases that do not pass are not accepted.')
    terminal.out.line(`Next: ${passing.length > 0 ? 'llm-eval check' : nextAfter(results)}`)
    return code
  })
}

/** `llm-eval check`: holds the agent against what was accepted, and says whether to ship. */
export function checkAgent(terminal: Stage, paths: string[], options: CheckCommandOptions): Promise<number> {
  return withResults(terminal, { paths, options }, async (tested) => {
    const { suite, results } = tested
    const checks = await checked(terminal, tested)
    const changes = checkStates.filter((state) => state !== 'PASSED')
    const failOn = options.strict ? changes : (options.failOn ?? suite.settings.gate?.fail_on ?? failOnDefault)
    const broken = suite.problems.filter(({ level }) => level === 'error').map(problemLine)
    const report = release(checks, { failOn, unreadable: [...broken, ...unfinished(suite, results)] })
    if (options.json) terminal.out.line(safeJson(JSON.stringify({ ...report, checks })))
    else {
      showChecks(terminal, checks)
      showRelease(terminal, report)
    }
    return report.exit_code
  })
}

async function checked({ signal }: Terminal, { suite, results, tools }: Tested): Promise<CheckResult[]> {
  const baselines = await readBaselines(suite.baselines)
  const quarantine = await readQuarantine(suite.baselines)
  const options = { engine: tools.engine, signal, thresholds: thresholdsOf(suite), now: Date.now() }
  const checks: CheckResult[] = []
  for (const one of suite.cases) {
    const result = results.find(({ case_id: id }) => id === one.case_id)
    const accepted = baselines.get(one.case_id) ?? []
    if (result)
      checks.push(
        await checkCase(one, { result, baselines: accepted }, { ...options, quarantine: quarantine.get(one.case_id) }),
      )
  }
  return checks
}

/** Asks all cases that are meant, and hands what came of it on; the engine is there until that is over. */
async function withResults(
  terminal: Stage,
  { paths, options }: { paths: string[]; options: CaseOptions },
  use: (tested: Tested) => Promise<number> | number,
): Promise<number> {
  const { test: tests = [], tag: tags = [] } = options
  const suite = await openSuite(terminal, { paths, settingsFile: options.agentConfig, tests, tags })
  for (const problem of suite.problems) {
    const paint = problem.level === 'error' ? 'red' : 'yellow'
    terminal.err.line(`${terminal.err.paint(paint, `${problem.level}:`)} ${problemLine(problem)}`)
  }
  const tools = testTools(terminal, suite.settings, { judge: options.judge })
  try {
    const results = await ran(terminal, { suite, tools, options })
    const code = await use({ suite, results, tools })
    return terminal.signal.aborted ? exitCodes.interrupted : code
  } finally {
    await tools.engine.close()
  }
}

async function ran(
  { err, signal }: Terminal,
  { suite, tools, options }: { suite: Suite; tools: TestTools; options: CaseOptions },
): Promise<CaseResult[]> {
  const bar = new ProgressBar(err)
  const total = suite.cases.reduce((sum, one) => sum + (options.repeat ?? one.repetitions), 0)
  const seen = { done: 0, passed: 0 }
  bar.show({ done: 0, total, words: `${count(suite.cases.length)} cases` })
  try {
    return await runCases(suite.cases, {
      settings: suite.settings,
      tools,
      signal,
      agentUrl: options.agent,
      concurrency: options.concurrency ?? suite.settings.concurrency ?? 4,
      repeat: options.repeat,
      waived: { judge: !options.judge, tools: !options.tools },
      onAttempt: (one, { outcome }) => {
        seen.done++
        if (outcome === 'passed') seen.passed++
        const words = `${count(seen.done)} of ${count(total)} asked, ${count(seen.passed)} passed, ${oneLine(one.name)}`
        bar.show({ done: seen.done, total, words })
      },
    })
  } finally {
    bar.end()
  }
}

function exitCodeOf(suite: Suite, results: readonly CaseResult[]): 0 | 1 | 2 {
  if (results.some(({ outcome }) => outcome === 'failed')) return 1
  const untold = results.some(({ outcome }) => outcome !== 'passed') || results.length < suite.cases.length
  const broken = suite.problems.some(({ level }) => level === 'error')
  return untold || broken || results.length === 0 ? 2 : 0
}

function headline({ out }: Terminal, results: readonly CaseResult[], code: 0 | 1 | 2): string {
  const passed = results.filter(({ outcome }) => outcome === 'passed').length
  const scores = results.map(scoreOf).filter((score) => score !== null)
  const mean =
    scores.length === 0
      ? ''
      : `, mean score ${(scores.reduce((a, b) => a + b, 0) / scores.length).toFixed(1)} of ${count(scores.length)} scored`
  const words = { 0: 'PASSED', 1: 'FAILED', 2: 'NOT EVALUATED' }
  const paints = { 0: 'green', 1: 'red', 2: 'yellow' } as const
  return `${out.paint(paints[code], words[code])}  ${count(passed)} of ${count(results.length)} cases passed${mean}.`
}

function nextAfter(results: readonly CaseResult[]): string {
  const faulted = results.find(({ outcome }) => outcome === 'faulted')
  const bad = faulted ?? results.find(({ outcome }) => outcome !== 'passed')
  return bad ? `llm-eval test --test ${JSON.stringify(bad.name)}` : 'llm-eval test'
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

function baselineOf(result: CaseResult, { variant, note, by }: SnapshotOptions): Baseline {
  // An attempt that did not pass is no example of what is right.
  const good = result.attempts.filter(({ outcome }) => outcome === 'passed')
  return {
    version: 1,
    case_id: result.case_id,
    name: result.name,
    suite: result.suite,
    variant,
    accepted_at: new Date().toISOString(),
    accepted_by: by ?? null,
    note: note ?? null,
    model: good[0]?.trace.model ?? null,
    attempts: good.map(({ score, trace }) => ({ score, trace })),
  }
}
