import { type RunStatus, runStatuses } from '@llm-eval/protocol'
import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { decodeRun, named } from '../run-events.ts'
import type { RunQueries } from '../run-queries.ts'

export async function runStatusBefore(
  { db, dialect, projectId }: Reading,
  { ref, seq }: RunQueries['runStatusBefore']['in'],
): Promise<RunStatus | null> {
  const source = sql.raw(dialect === 'sqlite' ? 'events INDEXED BY events_by_run' : 'events')
  const { rows } = await sql<{ data: string }>`
    SELECT data FROM ${source}
    WHERE project_id = ${projectId} AND run IS NOT NULL AND run = ${ref} AND seq < ${seq}
    ORDER BY seq DESC LIMIT 1`.execute(db)
  const [row] = rows
  return row ? decodeRun(JSON.parse(row.data) as (number | null)[]).data.status : null
}

export async function runCounts({ db, projectId }: Reading): Promise<Record<RunStatus, number>> {
  const rows = await db
    .selectFrom('runs')
    .select(['status', (eb) => eb.fn.countAll<number | string>().as('count')])
    .where('project_id', '=', projectId)
    .where('id', 'is not', null)
    .groupBy('status')
    .execute()
  const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0, abandoned: 0 }
  for (const { status, count } of rows) counts[named(runStatuses, status)] = Number(count)
  return counts
}
