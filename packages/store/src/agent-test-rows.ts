import {
  agentCommands,
  attemptOutcomes,
  type AttemptOutcome,
  checkStates,
  type ReleaseVerdict,
  releaseVerdicts,
} from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import type {
  AgentBaselineHead,
  AgentReportHead,
  AgentResultRow,
  StoredAgentReport,
  StoredQuarantine,
} from './agent-tests.ts'
import { named } from './run-events.ts'
import type { AgentTestTables } from './steps/agent-test-tables.ts'

// Commands, verdicts, outcomes and states are stored as their places in their lists; never change one.

/** What of the tests of a project changed, as the journal numbers it; never change a place. */
export const agentSubjects = ['report', 'suite', 'baseline', 'quarantine'] as const
export type AgentSubject = (typeof agentSubjects)[number]

/** The event of a new report. */
export function encodeAgentReport(
  ref: number,
  { verdict, exitCode, counts }: Pick<StoredAgentReport, 'verdict' | 'exitCode' | 'counts'>,
): string {
  const number = verdict === null ? null : releaseVerdicts.indexOf(verdict)
  return `[${ref},${number},${exitCode},${counts.passed},${counts.cases}]`
}

/** The event of anything else that changed: what, and whether it was removed. */
export function encodeAgentChange(subject: AgentSubject, removed: 0 | 1): string {
  return `[${agentSubjects.indexOf(subject)},${removed}]`
}

function toExitCode(code: number): 0 | 1 | 2 {
  return code === 0 ? 0 : code === 1 ? 1 : 2
}

export function decodeAgentReport(d: readonly (number | null)[]): {
  report: number
  verdict: ReleaseVerdict | null
  exitCode: 0 | 1 | 2
  passed: number
  cases: number
} {
  const [report, verdict = null, exitCode, passed, cases] = d
  return {
    report: report ?? 0,
    verdict: verdict === null ? null : named(releaseVerdicts, verdict),
    exitCode: toExitCode(exitCode ?? 2),
    passed: passed ?? 0,
    cases: cases ?? 0,
  }
}

export function decodeAgentChange(d: readonly (number | null)[]): { subject: AgentSubject; removed: boolean } {
  return { subject: named(agentSubjects, d[0] ?? 0), removed: d[1] === 1 }
}

/** How many cases of a report ended in each way. */
export function countOutcomes(cases: readonly { outcome: AttemptOutcome }[]): StoredAgentReport['counts'] {
  const counts = { cases: cases.length, passed: 0, failed: 0, faulted: 0, unevaluated: 0 }
  for (const { outcome } of cases) counts[outcome]++
  return counts
}

type HeadRow = Pick<
  Selectable<AgentTestTables['agent_reports']>,
  'id' | 'suite' | 'at' | 'command' | 'verdict' | 'exit_code' | 'made_by' | 'commit_id' | 'branch' | 'note' | 'run_id'
>

export const headColumns = [
  'agent_reports.id',
  'agent_reports.suite',
  'agent_reports.at',
  'agent_reports.command',
  'agent_reports.verdict',
  'agent_reports.exit_code',
  'agent_reports.made_by',
  'agent_reports.commit_id',
  'agent_reports.branch',
  'agent_reports.note',
  'agent_reports.run_id',
] as const

export function toReportHead(row: HeadRow): AgentReportHead {
  return {
    id: row.id,
    suite: row.suite,
    at: row.at,
    command: named(agentCommands, row.command),
    verdict: row.verdict === null ? null : named(releaseVerdicts, row.verdict),
    exitCode: toExitCode(row.exit_code),
    by: row.made_by,
    commit: row.commit_id,
    branch: row.branch,
    note: row.note,
    runId: row.run_id,
  }
}

export function toReport(row: Selectable<AgentTestTables['agent_reports']>): StoredAgentReport {
  const { hash, cases, passed, failed, faulted, unevaluated } = row
  return { ...toReportHead(row), hash, counts: { cases, passed, failed, faulted, unevaluated } }
}

export const resultColumns = [
  'agent_results.case_id',
  'agent_results.name',
  'agent_results.outcome',
  'agent_results.state',
  'agent_results.score',
  'agent_results.cost_nano',
  'agent_results.latency_ms',
  'agent_results.model',
  'agent_results.passed',
  'agent_results.n',
  'agent_results.flaky',
] as const

export function toResult(
  row: Omit<Selectable<AgentTestTables['agent_results']>, 'report_ref' | 'project_id'>,
): AgentResultRow {
  return {
    caseId: row.case_id,
    name: row.name,
    outcome: named(attemptOutcomes, row.outcome),
    state: row.state === null ? null : named(checkStates, row.state),
    score: row.score,
    costNano: row.cost_nano,
    latencyMs: row.latency_ms,
    model: row.model,
    passed: row.passed,
    n: row.n,
    flaky: row.flaky === 1,
  }
}

export const baselineColumns = [
  'case_id',
  'variant',
  'accepted_at',
  'accepted_by',
  'note',
  'model',
  'attempts',
] as const

export function toBaselineHead(
  row: Omit<Selectable<AgentTestTables['agent_baselines']>, 'body' | 'project_id' | 'suite'>,
): AgentBaselineHead {
  return {
    caseId: row.case_id,
    variant: row.variant,
    acceptedAt: row.accepted_at,
    acceptedBy: row.accepted_by,
    note: row.note,
    model: row.model,
    attempts: row.attempts,
  }
}

export function toQuarantine(row: Selectable<AgentTestTables['agent_quarantines']>): StoredQuarantine {
  return {
    caseId: row.case_id,
    owner: row.owner,
    reason: row.reason,
    expiresAt: row.expires_at,
    setAt: row.set_at,
    setBy: row.set_by,
  }
}
