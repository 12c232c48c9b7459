import type { ExecutionFilter } from '../evaluation.ts'
import { executionNumber, executionStatus } from '../events.ts'
import { isOpen, selectExecutions, selectResults, toExecution, toStored } from '../executions.ts'
import type { Reading } from '../reading.ts'
import type { Queries } from '../store.ts'

/** Rows that one step of a page looks at, at first. */
const firstStep = 500
const largestStep = 16_000
/** Milliseconds after which a page ends, though it is not full. */
const pageMs = 200

export async function execution(
  reading: Reading,
  { id }: Queries['execution']['in'],
): Promise<Queries['execution']['out']> {
  const row = await selectExecutions(reading.db)
    .where('executions.project_id', '=', reading.projectId)
    .where('executions.id', '=', id)
    .executeTakeFirst()
  return row ? toStored(row) : null
}

/** A page of executions, newest first; it may hold fewer than there are and go on nevertheless. */
export async function executions(
  reading: Reading,
  { filter, limit, cursor }: Queries['executions']['in'],
): Promise<Queries['executions']['out']> {
  const from = cursor === null ? Number.MAX_SAFE_INTEGER : decodeCursor(cursor)
  if (from === undefined) return { invalidCursor: true }
  const page = await findPage(reading, filter, { limit, below: from })
  if (page.refs.length === 0) return { items: [], nextCursor: page.next === null ? null : encodeCursor(page.next) }
  const rows = await selectResults(reading.db)
    .where('executions.ref', 'in', page.refs)
    .orderBy('executions.ref', 'desc')
    .execute()
  return { items: rows.map(toExecution), nextCursor: page.next === null ? null : encodeCursor(page.next) }
}

const encodeCursor = (ref: number) => Buffer.from(`x${ref}`).toString('base64url')

function decodeCursor(text: string): number | undefined {
  const match = /^x([0-9]{1,15})$/.exec(Buffer.from(text, 'base64url').toString())
  return match ? Number(match[1]) : undefined
}

/** Walks along the index of the most selective filter; the others are checked on the way, for a bounded time. */
async function findPage(
  reading: Reading,
  filter: ExecutionFilter,
  page: { limit: number; below: number },
): Promise<{ refs: number[]; next: number | null }> {
  const traceRef = filter.traceId === undefined ? undefined : await refOf(reading, filter.traceId)
  if (traceRef === null) return { refs: [], next: null }
  const equal = [
    ['trace_ref', traceRef],
    ['batch_id', filter.batchId],
    ['evaluator', filter.evaluator],
    ['status', filter.status === undefined ? undefined : executionNumber(filter.status)],
  ].filter((one): one is ['trace_ref' | 'batch_id' | 'evaluator' | 'status', string | number] => one[1] !== undefined)
  const [drive, rest] = equal[0]?.[0] === 'status' ? [undefined, equal] : [equal[0], equal.slice(1)]
  const deadline = reading.clock() + pageMs
  const refs: number[] = []
  let below = page.below
  for (let step = rest.length === 0 ? page.limit + 1 : firstStep; ; step = Math.min(step * 2, largestStep)) {
    let walk = reading.db
      .selectFrom('executions')
      .select(['ref', 'trace_ref', 'batch_id', 'evaluator', 'status'])
      .where('project_id', '=', reading.projectId)
      .where('ref', '<', below)
      .orderBy('ref', 'desc')
      .limit(step)
    if (drive) walk = walk.where(drive[0], '=', drive[1])
    const piece = await walk.execute()
    for (const row of piece) {
      if (!rest.every(([column, value]) => row[column] === value)) continue
      if (refs.length === page.limit) return { refs, next: refs.at(-1) ?? null }
      refs.push(row.ref)
    }
    const last = piece.at(-1)
    if (!last || piece.length < step) return { refs, next: null }
    below = last.ref
    if (reading.clock() >= deadline) return { refs, next: below }
  }
}

async function refOf(reading: Reading, traceId: string): Promise<number | null> {
  const row = await reading.db
    .selectFrom('traces')
    .select('ref')
    .where('project_id', '=', reading.projectId)
    .where('trace_id', '=', traceId)
    .executeTakeFirst()
  return row?.ref ?? null
}

/** Projects with work for whoever has time. */
export async function freeExecutions(
  reading: Reading,
  { at }: Queries['freeExecutions']['in'],
): Promise<Queries['freeExecutions']['out']> {
  const rows = await reading.db
    .selectFrom('projects')
    .select('id')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('executions')
          .select('ref')
          .whereRef('executions.project_id', '=', 'projects.id')
          .where(isOpen)
          .where('executions.lease_until', '<=', at),
      ),
    )
    .orderBy('id')
    .execute()
  return rows.map((row) => row.id)
}

export async function batchExecutions(
  reading: Reading,
  { batchId }: Queries['batchExecutions']['in'],
): Promise<Queries['batchExecutions']['out']> {
  const rows = await reading.db
    .selectFrom('executions')
    .select(['id', 'ref', 'status'])
    .where('project_id', '=', reading.projectId)
    .where('batch_id', '=', batchId)
    .orderBy('ref')
    .execute()
  return rows.map(({ id, ref, status }) => ({ id, ref, status: executionStatus(status) }))
}
