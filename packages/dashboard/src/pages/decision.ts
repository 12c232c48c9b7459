import { type RejectReason, type ReviewStatus, rejectReasons, type TraceDetail } from '@llm-eval/protocol'

/** What a person decides. */
export interface Decision {
  status: ReviewStatus
  reason: RejectReason | null
  note: string | null
}

export const reasonCodes = Object.keys(rejectReasons) as RejectReason[]

/** How a trace stood, to go back to. */
export function decisionOf(trace: Pick<TraceDetail, 'evaluation_status' | 'review'>): Decision {
  const { reason, note } = trace.review
  return { status: trace.evaluation_status, reason: trace.evaluation_status === 'rejected' ? reason : null, note }
}
