import { type RunStatus, runStatuses } from '@llm-eval/protocol'
import type { Updateable } from 'kysely'
import { encodeRun, named, runStatusNumber } from '../run-events.ts'
import { numbersOf, type RunRow, selectRuns, toStoredRun } from '../run-rows.ts'
import type { StoredRun } from '../runs.ts'
import type { Tables } from '../tables.ts'
import { isBuried } from '../tombstones.ts'
import type { EventKind, Transaction } from '../transaction.ts'

// What all changes of runs are made of. They take turns with each other and with those of traces (see `postgres/writer.ts`),
// so that what is read here stays as it is until the transaction ends.

/** The run of an id; why there is none. */
export async function findRun(tx: Transaction, id: string): Promise<RunRow | { result: 'not_found' | 'deleted' }> {
  const row = await tx.db
    .selectFrom('runs')
    .selectAll()
    .where('project_id', '=', tx.projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (row) return { ...row, id }
  return { result: (await isBuried(tx, 'run_tombstones', id)) ? 'deleted' : 'not_found' }
}

/** Changes a run and tells of it. */
export async function changeRun(
  tx: Transaction,
  row: RunRow,
  { set, at, event }: { set: Updateable<Tables['runs']>; at: number; event: EventKind },
): Promise<void> {
  const changed = { ...set, updated_at: at }
  await tx.db.updateTable('runs').set(changed).where('ref', '=', row.ref).execute()
  Object.assign(row, changed)
  tellOf(tx, row, { event, at })
}

export function tellOf(tx: Transaction, row: RunRow, { event, at }: { event: EventKind; at: number }): void {
  tx.ledger.emit(event, { at, ref: null, run: row.ref, data: encodeRun(numbersOf(row), null) })
}

export function statusOf(row: RunRow): RunStatus {
  return named(runStatuses, row.status)
}

/** Milliseconds that a run was worked on, up to now, or to when its worker was heard of last. */
export function workedUntil(row: RunRow, at: number): number {
  if (row.began_at === null) return row.worked_ms
  const until = row.lease_until <= at ? (row.heard_at ?? row.began_at) : at
  return row.worked_ms + Math.max(0, until - row.began_at)
}

/** What a run becomes when somebody begins to work on it. */
export function begun(row: RunRow, by: { owner: string; at: number; leaseMs: number }) {
  const { owner, at, leaseMs } = by
  return {
    status: runStatusNumber('running'),
    owner,
    lease_until: at + leaseMs,
    worked_ms: workedUntil(row, at),
    started_at: row.started_at ?? at,
    began_at: at,
    heard_at: at,
    ended_at: null,
    stopped_by: null,
    error: null,
  }
}

/** What a run becomes when nobody works on it any more. */
export function ended(row: RunRow, at: number) {
  return { owner: null, lease_until: 0, worked_ms: workedUntil(row, at), began_at: null, ended_at: at }
}

/** The run as it is now, for whoever asked for the change. */
export async function readRun(tx: Transaction, ref: number): Promise<StoredRun> {
  return toStoredRun(await selectRuns(tx.db).where('runs.ref', '=', ref).executeTakeFirstOrThrow())
}
