import {
  type AgentReportInput,
  type CaseCheck,
  type CaseResult,
  type CheckResult,
  limits,
  releaseVerdicts,
} from '@llm-eval/protocol'
import { cutText } from '../reports/gather.ts'
import type { SuiteReport } from './report.ts'

interface Sender {
  /** Of the report, and of the run with the same results. */
  id: string
  /** Where CI says what is tested. */
  env: NodeJS.ProcessEnv
}

/**
 * A report as a server takes it. With more cases than one may hold it has those that did not pass first. Where it would be too
 * large the largest results are shortened, then all, and said to be.
 */
export function reportBody(report: SuiteReport, { id, env }: Sender): AgentReportInput {
  const { suite, command, at, exitCode, verdict } = report
  const whole = report.cases
    .slice(0, limits.agentReportCases)
    .map(({ result, check }) => ({ result, check: check && withoutResult(check) }))
  const common = {
    report_id: id,
    suite,
    command,
    at,
    by: named(env['GITHUB_ACTOR'] ?? env['GITLAB_USER_LOGIN']),
    commit: named(env['GITHUB_SHA'] ?? env['CI_COMMIT_SHA']),
    branch: named(env['GITHUB_HEAD_REF']) ?? named(env['GITHUB_REF_NAME'] ?? env['CI_COMMIT_REF_NAME']),
    note: null,
    verdict: releaseVerdicts.find((one) => one === verdict) ?? null,
    exit_code: exitCode,
    run_id: id,
  }
  return { ...common, cases: fitting(whole) }
}

type SentCase = AgentReportInput['cases'][number]

/** Cases that fit into one request, as whole as may be. */
function fitting(whole: SentCase[]): SentCase[] {
  const sizes = whole.map(sizeOf)
  // Added up: all of them as one text may be longer than a text can be.
  const fits = (cases: readonly SentCase[]) =>
    cases.reduce((sum, one, at) => sum + (one === whole[at] ? (sizes[at] ?? 0) : sizeOf(one)), 0) <= room
  const share = room / whole.length
  const shortened = (one: SentCase) => ({ ...one, result: brief(one.result, mostBrief), shortened: true })
  const ladder = [
    () => whole,
    // What is within its share leaves room for all others.
    () => whole.map((one, at) => ((sizes[at] ?? 0) <= share ? one : shortened(one))),
    () => whole.map(shortened),
  ]
  for (const step of ladder) {
    const cases = step()
    if (fits(cases)) return cases
  }
  return whole.map(({ result, check }) => ({
    result: brief(result, leastBrief),
    check: check && { ...check, steps: [] },
    shortened: true,
  }))
}

/** Bytes of a report for its cases: the rest is for what is said of all. */
const room = limits.agentReportBytes - 100_000

function sizeOf(one: SentCase): number {
  return Buffer.byteLength(JSON.stringify(one)) + 1
}

/** Arrays and objects inside each other that a run takes of one value: its own are around them. */
const deepest = 40

/** A value of an agent as a run takes it: one that is deeper becomes its JSON. */
export function shallowValue(value: unknown): unknown {
  return goesDeeper(value, deepest) ? JSON.stringify(value) : value
}

function goesDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((member) => goesDeeper(member, levels - 1))
}

function withoutResult({ result: _result, shown: _shown, ...check }: CheckResult): CaseCheck {
  return check
}

interface Brevity {
  chars: number
  calls: number
  turns: number
  attempts: number
}

const mostBrief: Brevity = { chars: 500, calls: 100, turns: 50, attempts: 1_000 }
const leastBrief: Brevity = { chars: 100, calls: 0, turns: 0, attempts: 2 }

/** A result without the long texts of its traces. */
function brief(result: CaseResult, { chars, calls, turns, attempts }: Brevity): CaseResult {
  const cut = (text: string) => cutText(text, chars)
  return {
    ...result,
    attempts: result.attempts.slice(0, attempts).map((attempt) => {
      const { trace, assertions } = attempt
      return {
        ...attempt,
        assertions: assertions
          .slice(0, 50)
          .map((one) => ({ ...one, expected: null, actual: null, message: cut(one.message) })),
        trace: {
          ...trace,
          output: cut(trace.output),
          tool_calls: trace.tool_calls.slice(0, calls).map((call) => ({ ...call, args: null, result: null })),
          turns: trace.turns
            .slice(0, turns)
            .map((turn) => ({ ...turn, query: cut(turn.query), output: cut(turn.output) })),
          notes: [],
        },
      }
    }),
  }
}

function named(text: string | undefined): string | null {
  const trimmed = text?.trim().slice(0, limits.nameChars) ?? ''
  return trimmed === '' ? null : trimmed
}
