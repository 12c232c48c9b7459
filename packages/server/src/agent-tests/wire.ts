import {
  type AgentBaseline,
  type AgentFlakiness,
  type AgentOutcome,
  type AgentQuarantine,
  type AgentReport,
  type AgentReportInput,
  limits,
} from '@llm-eval/protocol'
import type {
  AgentBaselineHead,
  AgentReportHead,
  AgentResultRow,
  NewAgentReport,
  StoredAgentReport,
  StoredQuarantine,
} from '@llm-eval/store'
import { flakinessOf } from '@llm-eval/engine'
import { hashItem } from '../running/wire.ts'

const timeOf = (ms: number): string => new Date(ms).toISOString()

/** A report as the store keeps it. */
export function toStored(given: AgentReportInput): NewAgentReport {
  const { report_id: id, exit_code: exitCode, run_id: runId, cases, at, ...rest } = given
  return {
    ...rest,
    id,
    at: Date.parse(at),
    exitCode,
    runId,
    hash: hashItem(given),
    cases: cases.map((one) => {
      const body = JSON.stringify(one)
      return {
        ...rowOf(one),
        body: Buffer.byteLength(body) <= limits.agentResultBytes ? body : null,
      }
    }),
  }
}

function rowOf({ result, check }: AgentReportInput['cases'][number]): AgentResultRow {
  const { attempts, repeated } = result
  // A shortened result may not hold them all: what is not known of all is unknown.
  const all = repeated === null || repeated.n <= attempts.length
  const cost = all ? meanOf(attempts.map(({ trace }) => trace.cost)) : null
  return {
    caseId: result.case_id,
    name: result.name,
    outcome: result.outcome,
    state: check?.state ?? null,
    score: all ? meanOf(attempts.map(({ score }) => score)) : (repeated?.mean_score ?? null),
    costNano: cost === null ? null : Math.round(cost * 1e9),
    latencyMs: all ? meanOf(attempts.map(({ trace }) => (trace.fault === null ? trace.latency_ms : null))) : null,
    model: toModelName(attempts.find(({ trace }) => trace.model !== null)?.trace.model ?? null),
    passed: repeated?.passed ?? attempts.filter(({ outcome }) => outcome === 'passed').length,
    n: repeated?.n ?? attempts.length,
    flaky: repeated?.flaky ?? false,
  }
}

/** The name of a model as databases take it: agents may call theirs anything. */
export function toModelName(name: string | null): string | null {
  return name === null ? null : name.slice(0, limits.nameChars).replaceAll('\0', '\ufffd').toWellFormed()
}

/** Over those that know it; null where none does. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

export function toReport({ counts, ...head }: StoredAgentReport): AgentReport {
  return {
    report_id: head.id,
    suite: head.suite,
    command: head.command,
    at: timeOf(head.at),
    by: head.by,
    commit: head.commit,
    branch: head.branch,
    note: head.note,
    verdict: head.verdict,
    exit_code: head.exitCode,
    run_id: head.runId,
    ...counts,
  }
}

/** What became of a case in a report. */
export function toOutcome(row: AgentResultRow, report: AgentReportHead): AgentOutcome {
  return {
    report_id: report.id,
    at: timeOf(report.at),
    outcome: row.outcome,
    state: row.state,
    score: row.score,
    cost: row.costNano === null ? null : row.costNano / 1e9,
    latency_ms: row.latencyMs,
    model: row.model,
    passed: row.passed,
    n: row.n,
    commit: report.commit,
    branch: report.branch,
    run_id: report.runId,
  }
}

/** Flaky within its newest report counts as well as from report to report. @param rows newest first */
export function toFlakiness(rows: readonly Pick<AgentResultRow, 'outcome' | 'flaky'>[]): AgentFlakiness {
  const found = flakinessOf(rows.map(({ outcome }) => outcome))
  return { ...found, flaky: found.flaky || rows[0]?.flaky === true }
}

export function toQuarantine(stored: StoredQuarantine | null | undefined, now: number): AgentQuarantine | null {
  if (!stored) return null
  const { owner, reason, expiresAt, setAt, setBy } = stored
  return {
    owner,
    reason,
    expires_at: timeOf(expiresAt),
    expired: expiresAt <= now,
    set_at: timeOf(setAt),
    set_by: setBy,
  }
}

export function toBaseline({
  variant,
  acceptedAt,
  acceptedBy,
  note,
  model,
  attempts,
}: AgentBaselineHead): AgentBaseline {
  return { variant, accepted_at: timeOf(acceptedAt), accepted_by: acceptedBy, note, model, attempts }
}
