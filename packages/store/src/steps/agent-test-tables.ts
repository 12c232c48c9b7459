import type { Generated } from 'kysely'

/** Rows of the tables that `0007-agent-tests.ts` and `0009-agent-tombstones.ts` make. Commands, verdicts, outcomes and states are places in their lists. */
export interface AgentTestTables {
  agent_suites: { project_id: number; suite: string; reports: number; updated_at: number }
  agent_tombstones: { project_id: number; id_hash: string; at: number }
  agent_reports: {
    ref: Generated<number>
    project_id: number
    id: string
    hash: string
    suite: string
    at: number
    command: number
    verdict: number | null
    exit_code: number
    made_by: string | null
    commit_id: string | null
    branch: string | null
    note: string | null
    run_id: string | null
    cases: number
    passed: number
    failed: number
    faulted: number
    unevaluated: number
  }
  agent_results: {
    report_ref: number
    project_id: number
    case_id: string
    name: string
    outcome: number
    state: number | null
    score: number | null
    cost_nano: number | null
    latency_ms: number | null
    model: string | null
    passed: number
    n: number
    flaky: number
  }
  agent_bodies: { report_ref: number; case_id: string; body: string }
  agent_baselines: {
    project_id: number
    suite: string
    case_id: string
    variant: string
    accepted_at: number
    accepted_by: string | null
    note: string | null
    model: string | null
    attempts: number
    body: string
  }
  agent_quarantines: {
    project_id: number
    suite: string
    case_id: string
    owner: string
    reason: string
    expires_at: number
    set_at: number
    set_by: string | null
  }
}
