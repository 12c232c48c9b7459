import { newEpoch } from '../epoch.ts'
import type { Session } from './connection.ts'
import { Unavailable } from './failures.ts'

/** The server's own identity and branch of history; a role may lack the right to ask. */
const identity =
  "SELECT c.system_identifier || '.' || t.timeline_id AS id FROM pg_control_system() c, pg_control_checkpoint() t"
/** Which database of the server, and which creation of the table: a dump that is restored makes the table anew. */
const place =
  "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()) || '.' || 'meta'::regclass::oid AS id"

/**
 * A database that was restored continues from an older place, so cursors of its former life could fit it by chance, and
 * their owners would miss events. Where the tables lie tells: the server, its timeline (which changes when a standby takes
 * over or a backup is recovered), the database and the table. When that is not as it was noted, the journal gets a new
 * epoch, and every follower takes a new snapshot. (A dump restored with `--data-only` into the same tables goes unnoticed.)
 */
export async function renewEpoch(session: Session): Promise<void> {
  const server = await session.run<{ id: string }>(identity).catch((error: unknown) => {
    if (error instanceof Unavailable && error.disconnected) throw error
    return { rows: [{ id: 'unknown' }] }
  })
  const table = await session.run<{ id: string }>(place)
  const home = `${server.rows[0]?.id}.${table.rows[0]?.id}`
  // Of several processes that start together one finds the old place; the row is locked until the epoch is renewed too.
  await session.db.transaction().execute(async (tx) => {
    await tx
      .insertInto('meta')
      .values({ name: 'home', value: home })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    const moved = await tx
      .updateTable('meta')
      .set({ value: home })
      .where('name', '=', 'home')
      .where('value', '<>', home)
      .executeTakeFirst()
    if (moved.numUpdatedRows === 0n) return
    await tx.updateTable('meta').set({ value: newEpoch() }).where('name', '=', 'epoch').execute()
  })
}
