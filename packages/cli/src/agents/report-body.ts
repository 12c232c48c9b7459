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

/** Arrays and objects inside each other that a server takes of one value of a trace: its own are around them. */
const deepest = 40

/** A report as a server takes it. With more than one may hold it has the cases that did not pass first, and of long texts the beginnings. */
export function reportBody(report: SuiteReport, { id, env }: Sender): AgentReportInput {
  const { suite, command, at, exitCode, verdict } = report
  const whole = report.cases
    .slice(0, limits.agentReportCases)
    .map(({ result, check }) => ({ result: shallow(result), check: check && withoutResult(check) }))
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
  if (sizeOf(whole) <= limits.agentReportBytes) return { ...common, cases: whole }
  const short = whole.map(({ result, check }) => ({ result: brief(result, mostBrief), check }))
  if (sizeOf(short) <= limits.agentReportBytes) return { ...common, cases: short }
  return {
    ...common,
    cases: whole.map(({ result, check }) => ({
      result: brief(result, leastBrief),
      check: check && { ...check, steps: [] },
    })),
  }
}

function sizeOf(cases: readonly object[]): number {
  return Buffer.byteLength(JSON.stringify(cases))
}

/** A result whose values are no deeper than a server takes: those that are become their JSON. */
function shallow(result: CaseResult): CaseResult {
  const isDeep = ({ assertions, trace }: CaseResult['attempts'][number]) =>
    [...assertions.flatMap(valuesOf), ...trace.tool_calls.flatMap(valuesOf)].some((value) => goesDeeper(value, deepest))
  if (!result.attempts.some(isDeep)) return result
  return {
    ...result,
    attempts: result.attempts.map((attempt) => ({
      ...attempt,
      assertions: attempt.assertions.map((one) => ({
        ...one,
        expected: shallowValue(one.expected),
        actual: shallowValue(one.actual),
      })),
      trace: {
        ...attempt.trace,
        tool_calls: attempt.trace.tool_calls.map((call) => ({
          ...call,
          args: shallowValue(call.args),
          result: shallowValue(call.result),
        })),
      },
    })),
  }
}

/** A value of an agent as a server takes it: one that is deeper becomes its JSON. */
export function shallowValue(value: unknown): unknown {
  return goesDeeper(value, deepest) ? JSON.stringify(value) : value
}

function valuesOf(one: { expected: unknown; actual: unknown } | { args: unknown; result: unknown }): unknown[] {
  return 'args' in one ? [one.args, one.result] : [one.expected, one.actual]
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
