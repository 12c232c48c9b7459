import type { ResyncReason } from '@llm-eval/protocol'

/** The journal of one project: which life of it, its oldest kept and its newest sequence number (0: none yet). */
export interface Head {
  epoch: string
  firstSeq: number
  seq: number
}

/** Why a cursor cannot be resumed from this head; undefined when it can. */
export function resyncReason(head: Head, cursor: { epoch: string; seq: number }): ResyncReason | undefined {
  if (cursor.epoch !== head.epoch) return 'other_epoch'
  if (cursor.seq > head.seq) return 'ahead'
  // The event right after the cursor must still be there, or there would be a gap.
  return cursor.seq + 1 < head.firstSeq ? 'expired' : undefined
}
