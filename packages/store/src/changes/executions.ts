import { sql } from '#kysely'
import type { NewExecution, StoredExecution } from '../evaluation.ts'
import { encodeExecution, executionStatus } from '../events.ts'
import { isOpen, selectExecutions, toStored } from '../executions.ts'
import { joinRecords, records } from '../records.ts'
import type { Changes } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { endAll, findOpen } from './endings.ts'

/** Inputs written with one statement: their texts may be large. */
const inputRows = 50

/** An execution to be stored, and who holds it; nobody does until it is taken from the queue. */
interface Starting {
  execution: NewExecution
  at: number
  lease: { owner: string; until: number } | null
}

/** Stores executions of several callers, with few statements however many they are. */
export async function startExecutions(
  tx: Transaction,
  changes: readonly Changes['startExecutions']['in'][],
): Promise<Changes['startExecutions']['out'][]> {
  const starting = changes.flatMap(({ executions, owner, at, leaseMs }) =>
    executions.map((execution) => ({ execution, at, lease: { owner, until: at + leaseMs } })),
  )
  const refs = (await insertExecutions(tx, starting)).values()
  return changes.map(({ executions }) => ({ refs: executions.map(() => refs.next().value ?? null) }))
}

/** Stores executions that nobody holds yet. */
export async function queueExecutions(tx: Transaction, executions: readonly NewExecution[], at: number): Promise<void> {
  await insertExecutions(
    tx,
    executions.map((execution) => ({ execution, at, lease: null })),
  )
}

/** The ref of each; null where the trace it is to stand on does not exist. */
async function insertExecutions(tx: Transaction, starting: readonly Starting[]): Promise<(number | null)[]> {
  if (starting.length === 0) return []
  const traces = await refsOfTraces(
    tx,
    starting.flatMap(({ execution }) => execution.traceId ?? []),
  )
  const rows = starting.flatMap(({ execution, at, lease }) => {
    const traceRef = execution.traceId === null ? null : traces.get(execution.traceId)
    if (traceRef === undefined) return []
    return {
      id: execution.id,
      evaluator: execution.evaluator,
      version: execution.version,
      trace_ref: traceRef,
      rule_id: execution.ruleId,
      batch_id: execution.batchId,
      task_id: execution.taskId,
      status: lease ? 1 : 0,
      attempt: lease ? 1 : 0,
      owner: lease?.owner ?? null,
      lease_until: lease?.until ?? 0,
      created_at: at,
    }
  })
  const refs = await insertRows(tx, rows)
  await insertInputs(tx, starting, refs)
  return starting.map(({ execution, at, lease }) => {
    const ref = refs.get(execution.id)
    if (ref === undefined) return null
    tx.ledger.emit('execution_started', { at, ref: null, data: encodeExecution(ref, lease ? 'running' : 'queued') })
    return ref
  })
}

async function refsOfTraces(tx: Transaction, traceIds: readonly string[]): Promise<Map<string, number>> {
  if (traceIds.length === 0) return new Map()
  const wanted = [...new Set(traceIds)].map((trace_id) => ({ trace_id }))
  const { rows } = await sql<{ trace_id: string; ref: number }>`
    SELECT t.trace_id, t.ref FROM ${records(tx.dialect, { trace_id: 'text' }, wanted)} AS w
    ${joinRecords(tx.dialect)} traces AS t ON t.project_id = ${tx.projectId} AND t.trace_id = w.trace_id`.execute(tx.db)
  return new Map(rows.map((row) => [row.trace_id, row.ref]))
}

const executionColumns = {
  id: 'text',
  evaluator: 'text',
  version: 'text',
  trace_ref: 'bigint',
  rule_id: 'text',
  batch_id: 'text',
  task_id: 'text',
  status: 'bigint',
  attempt: 'bigint',
  owner: 'text',
  lease_until: 'bigint',
  created_at: 'bigint',
} as const

async function insertRows(
  tx: Transaction,
  rows: Record<keyof typeof executionColumns, string | number | null>[],
): Promise<Map<string, number>> {
  if (rows.length === 0) return new Map()
  const names = Object.keys(executionColumns)
  const inserted = await sql<{ id: string; ref: number }>`
    INSERT INTO executions (project_id, ${sql.raw(names.join(', '))})
    SELECT ${tx.projectId}, ${sql.raw(names.map((name) => `g.${name}`).join(', '))}
    FROM ${records(tx.dialect, executionColumns, rows)} AS g ORDER BY g.n RETURNING id, ref`.execute(tx.db)
  return new Map(inserted.rows.map((row) => [row.id, row.ref]))
}

async function insertInputs(
  tx: Transaction,
  starting: readonly Starting[],
  refs: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = starting.flatMap(({ execution: { id, input, config } }) => {
    const ref = refs.get(id)
    return ref === undefined || (input === null && config === null) ? [] : [{ ref, input, config }]
  })
  for (let at = 0; at < rows.length; at += inputRows)
    await tx.db
      .insertInto('execution_inputs')
      .values(rows.slice(at, at + inputRows))
      .execute()
}

/** Takes executions that nobody holds any more, oldest first. One whose last attempt never came back ends as failed. */
export async function takeExecutions(
  tx: Transaction,
  change: Changes['takeExecutions']['in'],
): Promise<Changes['takeExecutions']['out']> {
  const free = await tx.db
    .selectFrom('executions')
    .select(['ref', 'attempt'])
    .where('project_id', '=', tx.projectId)
    .where(isOpen)
    .where('lease_until', '<=', change.at)
    .orderBy('lease_until')
    .orderBy('ref')
    .limit(change.limit)
    .execute()
  const spent = free.filter((row) => row.attempt >= change.maxAttempts).map((row) => row.ref)
  const message = `It was interrupted ${change.maxAttempts} times, and is not tried again.`
  const end = { status: 'failed', score: null, error: { code: 'interrupted', message } } as const
  await endAll(
    tx,
    (await findOpen(tx, spent)).map((execution) => ({ execution, end, at: change.at })),
  )
  const refs = free.filter((row) => row.attempt < change.maxAttempts).map((row) => row.ref)
  if (refs.length === 0) return { executions: [], abandoned: spent.length }
  await tx.db
    .updateTable('executions')
    .set(({ eb }) => ({
      status: 1,
      owner: change.owner,
      lease_until: change.at + change.leaseMs,
      attempt: eb('attempt', '+', 1),
    }))
    .where('ref', 'in', refs)
    .execute()
  for (const ref of refs)
    tx.ledger.emit('execution_progress', { at: change.at, ref: null, data: encodeExecution(ref, 'running') })
  return { executions: await readExecutions(tx, refs), abandoned: spent.length }
}

async function readExecutions(tx: Transaction, refs: number[]): Promise<StoredExecution[]> {
  const rows = await selectExecutions(tx.db).where('executions.ref', 'in', refs).orderBy('executions.ref').execute()
  return rows.map(toStored)
}

/** Keeps what somebody works on: named one by one, so that what its holder knows nothing of becomes free in time. */
export async function holdExecutions(
  tx: Transaction,
  { refs, owner, at, leaseMs }: Changes['holdExecutions']['in'],
): Promise<Changes['holdExecutions']['out']> {
  if (refs.length === 0) return { held: 0 }
  const wanted = records(
    tx.dialect,
    { ref: 'bigint' },
    refs.map((ref) => ({ ref })),
  )
  const held = await sql`
    UPDATE executions SET lease_until = ${at + leaseMs} FROM ${wanted} AS g
    WHERE executions.ref = g.ref AND executions.project_id = ${tx.projectId} AND executions.owner = ${owner}`.execute(
    tx.db,
  )
  return { held: Number(held.numAffectedRows ?? 0) }
}

/** Lets go of everything that somebody works on. */
export async function releaseExecutions(
  tx: Transaction,
  { owner, after }: Changes['releaseExecutions']['in'],
): Promise<Changes['releaseExecutions']['out']> {
  // No number of restarts uses the attempts up; only that it was begun at all is kept, since it may have cost something.
  const calledOff = after === 'stop' ? 1 : 0
  const done = await tx.db
    .updateTable('executions')
    .set((eb) => ({
      owner: null,
      lease_until: 0,
      attempt: eb
        .case()
        .when('attempt', '>', 1)
        .then(eb('attempt', '-', calledOff))
        .else(eb.ref('attempt'))
        .end(),
    }))
    .where('project_id', '=', tx.projectId)
    .where('owner', '=', owner)
    .executeTakeFirst()
  return { released: Number(done.numUpdatedRows) }
}

/** Tells how far an execution is. Nothing of it is kept but the event. */
export async function noteProgress(
  tx: Transaction,
  { ref, owner, done, total, at }: Changes['noteProgress']['in'],
): Promise<Changes['noteProgress']['out']> {
  const held = await tx.db
    .selectFrom('executions')
    .select('ref')
    .where('project_id', '=', tx.projectId)
    .where('ref', '=', ref)
    .where('owner', '=', owner)
    .executeTakeFirst()
  if (!held) return { held: false }
  tx.ledger.emit('execution_progress', { at, ref: null, data: encodeExecution(ref, 'running', { done, total }) })
  return { held: true }
}

/** Ends an execution that is not over, whoever works on it. */
export async function cancelExecution(
  tx: Transaction,
  { id, at }: Changes['cancelExecution']['in'],
): Promise<Changes['cancelExecution']['out']> {
  const row = await tx.db
    .selectFrom('executions')
    .select(['ref', 'status'])
    .where('project_id', '=', tx.projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return { result: 'not_found' }
  const [execution] = await findOpen(tx, [row.ref])
  if (!execution) return { result: 'over', status: executionStatus(row.status) }
  await endAll(tx, [{ execution, end: { status: 'cancelled', score: null, error: null }, at }])
  return { result: 'cancelled' }
}

/** Deletes the oldest results that nobody's trace or task keeps. */
export async function expireExecutions(
  tx: Transaction,
  { before, limit }: Changes['expireExecutions']['in'],
): Promise<Changes['expireExecutions']['out']> {
  const old = await tx.db
    .selectFrom('executions')
    .select('ref')
    .where('project_id', '=', tx.projectId)
    .where('trace_ref', 'is', null)
    .where('task_id', 'is', null)
    .where('completed_at', '<', before)
    .orderBy('completed_at')
    .limit(limit)
    .execute()
  const refs = old.map((row) => row.ref)
  if (refs.length > 0) {
    await tx.db.deleteFrom('execution_inputs').where('ref', 'in', refs).execute()
    await tx.db.deleteFrom('executions').where('ref', 'in', refs).execute()
  }
  return { deleted: refs.length, more: refs.length === limit }
}

/** Deletes what stands on traces: scores, and executions with their inputs and outputs. Those under way end here, for whoever watches. */
export async function deleteEvaluationsOf(tx: Transaction, traceRefs: readonly number[], at: number): Promise<void> {
  const open = await tx.db
    .selectFrom('executions')
    .select('ref')
    .where('project_id', '=', tx.projectId)
    .where('trace_ref', 'in', traceRefs)
    .where('status', '<', 2)
    .orderBy('ref')
    .execute()
  const end = { status: 'cancelled', score: null, error: null } as const
  const refs = open.map((row) => row.ref)
  await endAll(
    tx,
    (await findOpen(tx, refs)).map((execution) => ({ execution, end, at })),
  )
  await tx.db
    .deleteFrom('execution_inputs')
    .where('ref', 'in', (eb) =>
      eb
        .selectFrom('executions')
        .select('ref')
        .where('project_id', '=', tx.projectId)
        .where('trace_ref', 'in', traceRefs),
    )
    .execute()
  for (const [table, column] of [
    ['executions', 'trace_ref'],
    ['scores', 'ref'],
  ] as const)
    await tx.db.deleteFrom(table).where('project_id', '=', tx.projectId).where(column, 'in', traceRefs).execute()
}
