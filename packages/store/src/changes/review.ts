import { encodeReview, minuteOf, statusName } from '../events.ts'
import type { Changes } from '../store.ts'
import { statusNumbers, type Transaction } from '../transaction.ts'

/** A person's verdict: history, counters and event in one transaction, guarded by the version the reviewer saw. */
export async function review(tx: Transaction, change: Changes['review']['in']): Promise<Changes['review']['out']> {
  let find = tx.db
    .selectFrom('traces')
    .select(['ref', 'status', 'version', 'model_id', 'ts'])
    .where('project_id', '=', tx.projectId)
    .where('trace_id', '=', change.traceId)
  // Two reviewers on two nodes wait for each other here; on SQLite there is one writer anyway.
  if (tx.dialect === 'postgres') find = find.forUpdate()
  const trace = await find.executeTakeFirst()
  if (!trace) return { result: 'not_found' }
  const holder = await tx.db
    .selectFrom('reviews')
    .select('reviewer')
    .where('ref', '=', trace.ref)
    .where('version', '=', trace.version)
    .executeTakeFirst()
  if (change.expectedVersion !== null && change.expectedVersion !== trace.version) {
    return {
      result: 'version_conflict',
      version: trace.version,
      status: statusName(trace.status),
      reviewer: holder?.reviewer ?? null,
    }
  }
  const claimed = change.status === 'in_review' && trace.status === statusNumbers.in_review
  if (claimed && holder?.reviewer && holder.reviewer !== change.reviewer) {
    return { result: 'already_claimed', reviewer: holder.reviewer }
  }
  const version = trace.version + 1
  const to = statusNumbers[change.status]
  await tx.db.updateTable('traces').set({ status: to, version }).where('ref', '=', trace.ref).execute()
  const { reason, note, reviewer, at } = change
  await tx.db
    .insertInto('reviews')
    .values({ ref: trace.ref, version, status: to, reason, note, reviewer, at })
    .execute()
  tx.ledger.countStatus(trace.status, -1)
  tx.ledger.countStatus(to, 1)
  const data = encodeReview({
    modelId: trace.model_id,
    minute: minuteOf(trace.ts),
    from: trace.status,
    to,
    version,
    reason,
  })
  tx.ledger.emit('reviewed', { at, ref: trace.ref, data })
  return { result: 'ok', version, previous: statusName(trace.status) }
}
