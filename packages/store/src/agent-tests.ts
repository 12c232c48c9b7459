import type { AgentCommand, AttemptOutcome, CheckState, ReleaseVerdict } from '@llm-eval/protocol'

// What agents under test were seen to do, report by report, and what their teams accepted of it.

/** A case of a report, in short. Null is unknown. */
export interface AgentResultRow {
  caseId: string
  name: string
  outcome: AttemptOutcome
  /** Against its baselines; null where it was held against none. */
  state: CheckState | null
  score: number | null
  /** Nano-dollars, a mean over its attempts. */
  costNano: number | null
  latencyMs: number | null
  model: string | null
  /** Attempts that passed, of all. */
  passed: number
  n: number
  flaky: boolean
}

/** A report of agent tests, without its cases. Times in milliseconds. */
export interface AgentReportHead {
  id: string
  suite: string
  at: number
  command: AgentCommand
  verdict: ReleaseVerdict | null
  exitCode: 0 | 1 | 2
  by: string | null
  commit: string | null
  branch: string | null
  note: string | null
  runId: string | null
}

export interface NewAgentReport extends AgentReportHead {
  /** Of what was sent: decides between the same report and another. */
  hash: string
  /** `body` is JSON of the whole result; null where it is too large to be kept. */
  cases: (AgentResultRow & { body: string | null })[]
}

export interface StoredAgentReport extends AgentReportHead {
  hash: string
  counts: Record<AttemptOutcome, number> & { cases: number }
}

/** What became of a case in one report. */
export interface StoredAgentResult extends AgentResultRow {
  report: AgentReportHead
}

/** An accepted behaviour, without its traces. */
export interface AgentBaselineHead {
  caseId: string
  variant: string
  acceptedAt: number
  acceptedBy: string | null
  note: string | null
  model: string | null
  attempts: number
}

export interface StoredQuarantine {
  caseId: string
  owner: string
  reason: string
  expiresAt: number
  setAt: number
  setBy: string | null
}

interface CaseKey {
  suite: string
  caseId: string
}

export interface AgentTestChanges {
  /** It came `at`. The oldest report of its suite makes room where there are `limits.agentSuiteReports`. */
  putAgentReport: {
    in: { report: NewAgentReport; at: number }
    out: { result: 'created' | 'exists' | 'conflict' | 'deleted' | 'too_many' }
  }
  /** It does not come back, nor do those of a suite that is deleted; one that made room or reached its age may. */
  deleteAgentReport: { in: { id: string; at: number }; out: { found: boolean } }
  /** Removes a suite with all that is known of it, up to `limit` reports at once; call again until `more` is false. */
  deleteAgentSuite: { in: { suite: string; at: number; limit: number }; out: { found: boolean; more: boolean } }
  /** Removes up to `limit` reports of before a time. What was accepted stays. */
  expireAgentReports: { in: { before: number; at: number; limit: number }; out: { deleted: number; more: boolean } }
  /** `expected` is when what is replaced was accepted, null where nothing may be there, undefined where it does not matter. */
  putAgentBaseline: {
    in: CaseKey & {
      baseline: Omit<AgentBaselineHead, 'caseId'> & { body: string }
      expected?: number | null | undefined
    }
    out: { result: 'ok' | 'too_many' | 'changed' | 'no_suite' }
  }
  deleteAgentBaseline: {
    in: CaseKey & { variant: string; at: number; expected?: number | undefined }
    out: { result: 'ok' | 'changed' | 'not_found' }
  }
  /** `expected` is when what is replaced was set; as of baselines. */
  putAgentQuarantine: {
    in: CaseKey & { quarantine: Omit<StoredQuarantine, 'caseId'>; expected?: number | null | undefined }
    out: { result: 'ok' | 'changed' | 'no_suite' }
  }
  deleteAgentQuarantine: {
    in: CaseKey & { at: number; expected?: number | undefined }
    out: { result: 'ok' | 'changed' | 'not_found' }
  }
}

export interface AgentTestQueries {
  /** By name, with the newest report of each. */
  agentSuites: {
    in: object
    out: { suite: string; reports: number; updatedAt: number; last: StoredAgentReport | null }[]
  }
  /**
   * The newest `reports` reports, newest first, with what became of each case in the newest of them, as far back as about
   * `results` go; null where there is no such suite.
   */
  agentSuite: {
    in: { suite: string; reports: number; results: number }
    out: {
      reports: StoredAgentReport[]
      results: (AgentResultRow & { reportId: string })[]
      baselines: AgentBaselineHead[]
      quarantines: StoredQuarantine[]
    } | null
  }
  agentReport: { in: { id: string }; out: StoredAgentReport | null }
  /** Newest first. */
  agentHistory: { in: CaseKey & { limit: number }; out: StoredAgentResult[] }
  /** The whole result of a case in one report; null where the report has no such case. */
  agentResult: { in: { reportId: string; caseId: string }; out: { body: string | null } | null }
  /** What was accepted of a case, by variant. */
  agentBaselines: { in: CaseKey; out: (AgentBaselineHead & { body: string })[] }
  agentQuarantine: { in: CaseKey; out: StoredQuarantine | null }
}
