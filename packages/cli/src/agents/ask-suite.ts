import type { CaseResult } from '@llm-eval/protocol'
import { exitCodes } from '../complaint.ts'
import type { ReportFiles } from '../reports/save.ts'
import type { PlaceOptions } from '../place.ts'
import type { Stage, Terminal } from '../terminal.ts'
import { LiveCases } from './live.ts'
import { runCases } from './run-cases.ts'
import { hiding, secretsOf } from './secrets.ts'
import { openSuite, problemLine, type Suite } from './suite.ts'
import { type TestTools, testTools } from './tools.ts'

/** Options that all commands about cases have. */
export interface CaseOptions extends PlaceOptions, ReportFiles {
  agent?: string
  agentConfig?: string
  /** Criteria of eval files of ADK. */
  adkConfig?: string
  /** Where ADK's result files are written. */
  adkResults?: string
  test?: string[]
  tag?: string[]
  repeat?: number
  concurrency?: number
  /** False: judged parts are left out, and the rest is weighed anew. */
  judge: boolean
  /** False: what is expected of tools is left out. */
  tools: boolean
  json?: boolean
  verbose?: boolean
  send?: boolean
}

/** A suite whose cases were asked. */
export interface Tested {
  suite: Suite
  results: CaseResult[]
  tools: TestTools
  /** When that began, RFC 3339. */
  at: string
}

/**
 * Asks all cases that are meant, and hands what came of it on; the engine is there until that is over.
 *
 * @returns what `use` makes of it, and 130 after Ctrl-C
 */
export async function withResults(
  terminal: Stage,
  { paths, options }: { paths: string[]; options: CaseOptions },
  use: (tested: Tested) => Promise<number> | number,
): Promise<number> {
  const { test: tests = [], tag: tags = [] } = options
  const suite = await openSuite(terminal, {
    paths,
    settingsFile: options.agentConfig,
    tests,
    tags,
    evalConfig: options.adkConfig,
  })
  for (const problem of suite.problems) {
    const paint = problem.level === 'error' ? 'red' : 'yellow'
    terminal.err.line(`${terminal.err.paint(paint, `${problem.level}:`)} ${problemLine(problem)}`)
  }
  const at = new Date().toISOString()
  const tools = await testTools(terminal, suite.settings, { judge: options.judge })
  try {
    const results = await ran(terminal, { suite, tools, options })
    const code = await use({ suite, results, tools, at })
    return terminal.signal.aborted ? exitCodes.interrupted : code
  } finally {
    await tools.engine.close()
  }
}

async function ran(
  { err, signal }: Terminal,
  { suite, tools, options }: { suite: Suite; tools: TestTools; options: CaseOptions },
): Promise<CaseResult[]> {
  const total = suite.cases.reduce((sum, one) => sum + (options.repeat ?? one.repetitions), 0)
  const live = new LiveCases(err, { cases: suite.cases.length, total })
  try {
    return await runCases(suite.cases, {
      settings: suite.settings,
      tools,
      signal,
      hidden: hiding([...suite.secrets, ...secretsOf({ url: options.agent })]),
      agentUrl: options.agent,
      concurrency: options.concurrency ?? suite.settings.concurrency ?? 4,
      repeat: options.repeat,
      waived: { judge: !options.judge, tools: !options.tools },
      onAttempt: (_one, attempt) => live.attempt(attempt),
      onCase: (result) => live.case(result),
    })
  } finally {
    live.end()
  }
}
