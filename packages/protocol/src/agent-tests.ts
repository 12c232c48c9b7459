import type {
  AttemptOutcome,
  Baseline,
  CaseResult,
  CheckResult,
  CheckState,
  ReleaseVerdict,
  ToolStep,
} from './agent-result.ts'

// Results of agent tests as a server keeps them.

/** What asked the cases. */
export const agentCommands = ['test', 'check'] as const
export type AgentCommand = (typeof agentCommands)[number]

/** How a case did against its baselines. */
export type CaseCheck = Omit<CheckResult, 'result' | 'shown'>

/** What a suite of agent tests gave, as it is sent. */
export interface AgentReportInput {
  /** The same id again with the same content changes nothing. */
  report_id: string
  suite: string
  command: AgentCommand
  /** RFC 3339; when it was sent, unless given. */
  at: string
  by: string | null
  commit: string | null
  branch: string | null
  note: string | null
  /** Of `check`; null of `test`. */
  verdict: ReleaseVerdict | null
  exit_code: 0 | 1 | 2
  /** The run that holds the same results; null without one. */
  run_id: string | null
  cases: {
    result: CaseResult
    check: CaseCheck | null
    /** Whether what is long was cut or left out, so that the report could be sent: nothing can be accepted of it. */
    shortened?: boolean | undefined
  }[]
}

/** A report in short. */
export interface AgentReport extends Omit<AgentReportInput, 'cases'> {
  cases: number
  passed: number
  failed: number
  faulted: number
  unevaluated: number
}

/** A suite, with its newest report; null when none is left. */
export interface AgentSuite {
  suite: string
  /** That are kept. */
  reports: number
  updated_at: string
  last: AgentReport | null
}

/** What became of a case in one report. Null is unknown. */
export interface AgentOutcome {
  report_id: string
  at: string
  outcome: AttemptOutcome
  state: CheckState | null
  /** In 0..100, a mean over its attempts. */
  score: number | null
  /** US dollars, a mean over its attempts. */
  cost: number | null
  latency_ms: number | null
  model: string | null
  /** Attempts that passed, of all. */
  passed: number
  n: number
  commit: string | null
  branch: string | null
  run_id: string | null
}

/** Whether a case passes and fails by turns from report to report. */
export interface AgentFlakiness {
  flaky: boolean
  /** Changes between passed and failed, of so many that could be. */
  changes: number
  of: number
  /** How likely so many changes are of a case that changes once in twenty reports; null with fewer than two reports. */
  p: number | null
}

/** A case that somebody took out of the gate for a while. */
export interface AgentQuarantine {
  owner: string
  reason: string
  expires_at: string
  /** Whether it is over. */
  expired: boolean
  set_at: string
  set_by: string | null
}

/** A case of a suite. */
export interface AgentCase {
  case_id: string
  name: string
  /** In its newest report. */
  last: AgentOutcome
  /** Whether the newest report of the suite holds it. */
  current: boolean
  /** Newest first, of the newest reports of the suite. */
  history: Pick<AgentOutcome, 'report_id' | 'at' | 'outcome' | 'state' | 'score'>[]
  flakiness: AgentFlakiness
  quarantine: AgentQuarantine | null
  /** Names of what was accepted. */
  variants: string[]
}

/** A suite with its newest reports and all of their cases. */
export interface AgentSuiteDetail {
  suite: string
  /** Newest first. */
  reports: AgentReport[]
  cases: AgentCase[]
}

/** What was accepted of a case, without its traces. */
export interface AgentBaseline {
  variant: string
  accepted_at: string
  accepted_by: string | null
  note: string | null
  model: string | null
  attempts: number
}

/** A case with its history, one of its results whole, and that result beside a baseline. */
export interface AgentCaseDetail {
  suite: string
  case_id: string
  name: string
  /** Newest first. */
  history: AgentOutcome[]
  flakiness: AgentFlakiness
  quarantine: AgentQuarantine | null
  baselines: AgentBaseline[]
  /** The newest, or that of the report that was asked for. */
  report: AgentReport
  /** Null where it was too large to be kept. */
  result: CaseResult | null
  /** As `llm-eval check` found it; null where nothing was checked. */
  check: CaseCheck | null
  /** Whether what is long was cut or left out of the result before it was sent. */
  shortened: boolean
  /** An attempt beside the first attempt of a baseline; null without either, and of what was shortened. */
  compared: { attempt: number; baseline: Baseline; steps: ToolStep[] } | null
}
