import type { EvalCriterion } from './eval-config.ts'
import type { Invocation } from './eval-model.ts'
import type { AdkEvent } from './event.ts'

// What `adk eval` writes of its results, in one strict form.

/** In ADK's order: its files have 1 to 4. */
export const evalStatuses = ['passed', 'failed', 'not_evaluated', 'informational'] as const
export type EvalStatus = (typeof evalStatuses)[number]

export interface EvalMetricResult {
  metricName: string
  threshold?: number | undefined
  criterion?: EvalCriterion | undefined
  customFunctionPath?: string | undefined
  /** Absent where nothing was measured. */
  score?: number | undefined
  evalStatus: EvalStatus
  details?:
    | {
        rubricScores?: { rubricId: string; rationale?: string | undefined; score?: number | undefined }[] | undefined
        tokenUsageDetails?: unknown
        durationDetails?: unknown
      }
    | undefined
}

export interface EvalMetricResultPerInvocation {
  actualInvocation: Invocation
  expectedInvocation?: Invocation | undefined
  evalMetricResults: EvalMetricResult[]
}

/** A session of ADK with all that happened in it. */
export interface AdkSession {
  id: string
  appName: string
  userId: string
  state?: Record<string, unknown> | undefined
  events: AdkEvent[]
  /** Seconds since 1970. */
  lastUpdateTime?: number | undefined
}

export interface EvalCaseResult {
  evalSetFile?: string | undefined
  evalSetId: string
  evalId: string
  finalEvalStatus: EvalStatus
  overallEvalMetricResults: EvalMetricResult[]
  evalMetricResultPerInvocation: EvalMetricResultPerInvocation[]
  sessionId: string
  sessionDetails?: AdkSession | undefined
  userId?: string | undefined
}

export interface EvalSetResult {
  evalSetResultId: string
  evalSetResultName?: string | undefined
  evalSetId: string
  evalCaseResults: EvalCaseResult[]
  /** Seconds since 1970. */
  creationTimestamp?: number | undefined
}
