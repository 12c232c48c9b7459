import type { Change, ChangeKind, ChangeOutcome } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { createKey, createToken, deleteToken, redeemToken, revokeKey, sweep, touchKey } from './access.ts'
import { advanceConsumer, claimConsumer } from './consumers.ts'
import { deleteTrace, eraseUser, expireTraces, trimEvents } from './deletion.ts'
import { completeJob, enqueueJob, extendJob, failJob, leaseJobs } from './jobs.ts'
import { review } from './review.ts'
import { putSpans } from './spans.ts'

type Appliers = { [K in ChangeKind]: (tx: Transaction, change: Change<K>) => Promise<ChangeOutcome<K>> }

const appliers: Appliers = {
  review,
  deleteTrace,
  eraseUser,
  expireTraces,
  trimEvents,
  putSpans,
  createKey,
  revokeKey,
  touchKey,
  createToken,
  redeemToken,
  deleteToken,
  sweep,
  enqueueJob,
  leaseJobs,
  extendJob,
  completeJob,
  failJob,
  claimConsumer,
  advanceConsumer,
}

/** Applies one change inside an open transaction. */
export function applyChange<K extends ChangeKind>(tx: Transaction, change: Change<K>): Promise<ChangeOutcome<K>> {
  // The table is complete by its type; the compiler cannot follow that the kind picks the matching entry.
  const applier = appliers[change.kind] as (tx: Transaction, change: Change<K>) => Promise<ChangeOutcome<K>>
  return applier(tx, change)
}
