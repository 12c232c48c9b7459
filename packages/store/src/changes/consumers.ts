import { sql } from '#kysely'
import type { Changes, Effect } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { queueExecutions } from './executions.ts'
import { addRollups } from './rollups.ts'
import { addRuleDays } from './rules.ts'

/** Takes or keeps the lease of a consumer, which is made when it is new. */
export async function claimConsumer(
  tx: Transaction,
  change: Changes['claimConsumer']['in'],
): Promise<Changes['claimConsumer']['out']> {
  const { name } = change
  const claimed = await claim(tx, change)
  if (claimed) return claimed
  const seq = change.begin === 'end' ? await presentEnd(tx) : 0
  await tx.db
    .insertInto('consumers')
    .values({ project_id: tx.projectId, name, seq, owner: null, lease_until: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return claim(tx, change)
}

async function presentEnd(tx: Transaction): Promise<number> {
  const head = await tx.db.selectFrom('heads').select('seq').where('project_id', '=', tx.projectId).executeTakeFirst()
  return head?.seq ?? 0
}

async function claim(
  tx: Transaction,
  { name, owner, at, leaseMs }: Changes['claimConsumer']['in'],
): Promise<Changes['claimConsumer']['out']> {
  const taken = await tx.db
    .updateTable('consumers')
    .set({ owner, lease_until: at + leaseMs })
    .where('project_id', '=', tx.projectId)
    .where('name', '=', name)
    .where((eb) => eb.or([eb('owner', '=', owner), eb('owner', 'is', null), eb('lease_until', '<=', at)]))
    .returning('seq')
    .executeTakeFirst()
  return taken ? { seq: taken.seq } : null
}

/** Moves a consumer on together with what it made of the events, so that each event counts exactly once. */
export async function advanceConsumer(
  tx: Transaction,
  change: Changes['advanceConsumer']['in'],
): Promise<Changes['advanceConsumer']['out']> {
  const moved = await tx.db
    .updateTable('consumers')
    .set({ seq: change.to })
    .where('project_id', '=', tx.projectId)
    .where('name', '=', change.name)
    .where('owner', '=', change.owner)
    .where('seq', '=', change.from)
    .executeTakeFirst()
  if (moved.numUpdatedRows !== 1n) return { advanced: false }
  for (const effect of change.effects) await apply(tx, effect)
  return { advanced: true }
}

async function apply(tx: Transaction, effect: Effect): Promise<void> {
  if (effect.kind === 'rollups') {
    await addRollups(tx, effect.rows)
    return
  }
  if (effect.kind === 'executions') {
    await queueExecutions(tx, effect.executions, effect.at)
    await addRuleDays(
      tx,
      effect.limited.map(({ ruleId, day, count }) => ({
        ruleId,
        day,
        executions: 0,
        costNano: 0,
        unknownCosts: 0,
        limited: count,
      })),
    )
    return
  }
  if (effect.removed.length > 0) {
    await tx.db
      .deleteFrom('search_documents')
      .where('project_id', '=', tx.projectId)
      .where('ref', 'in', effect.removed)
      .execute()
  }
  const { documents } = effect
  if (documents.length === 0) return
  // The tokens of a document travel as one text, parted by spaces (which no token holds): Postgres takes no ragged arrays.
  await sql`INSERT INTO search_documents (project_id, ref, tokens)
    SELECT ${tx.projectId}, d.ref, array_to_tsvector(string_to_array(d.tokens, ' '))
    FROM unnest(${documents.map((d) => d.ref)}::bigint[], ${documents.map((d) => [...new Set(d.tokens)].join(' '))}::text[]) AS d(ref, tokens)
    ON CONFLICT (project_id, ref) DO UPDATE SET tokens = excluded.tokens`.execute(tx.db)
}
