import type { RawBuilder } from 'kysely'
import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { runStatusNumber } from '../run-events.ts'
import { isOpenRun, searchable, selectRuns, toStoredRun } from '../run-rows.ts'
import { type RunFilter, type RunOrder, runOrders, type RunQueries } from '../run-queries.ts'
import { isBuried } from '../tombstones.ts'

export async function run(reading: Reading, { id }: RunQueries['run']['in']): Promise<RunQueries['run']['out']> {
  const row = await selectRuns(reading.db)
    .where('runs.project_id', '=', reading.projectId)
    .where('runs.id', '=', id)
    .executeTakeFirst()
  if (row) return toStoredRun(row)
  const salt = await reading.db.selectFrom('meta').select('value').where('name', '=', 'salt').executeTakeFirst()
  const { db, projectId } = reading
  return (await isBuried({ db, projectId, salt: salt?.value ?? '' }, 'run_tombstones', id)) ? 'deleted' : null
}

const successRate = sql<number>`CASE WHEN runs.completed = 0 THEN -1.0 ELSE CAST(runs.successful AS DOUBLE PRECISION) / runs.completed END`

/** What runs are ordered by; the ref decides between equals. Runs without a success rate come as if they had less than none. */
const keys: Record<RunOrder, RawBuilder<string | number>> = {
  created_at: sql<number>`runs.created_at`,
  name: sql<string>`runs.name`,
  status: sql<number>`runs.status`,
  success_rate: successRate,
  duration: sql<number>`runs.worked_ms`,
}

/** A page of the runs of a project, of which there are at most `limits.runs`. */
export async function runs(
  reading: Reading,
  { filter, order, direction, limit, cursor }: RunQueries['runs']['in'],
): Promise<RunQueries['runs']['out']> {
  const after = cursor === null ? undefined : decodeCursor(cursor)
  if (cursor !== null && (!after || after.order !== order || after.direction !== direction))
    return { invalidCursor: true }
  const way = direction === 'ascending' ? 'asc' : 'desc'
  let page = check(reading, filter)
    .select(keys[order].as('sorted_by'))
    .orderBy(keys[order], way)
    .orderBy('runs.ref', way)
    .limit(limit + 1)
  if (after) {
    const beyond = sql.raw(way === 'asc' ? '>' : '<')
    page = page.where(sql<boolean>`(${keys[order]}, runs.ref) ${beyond} (${after.key}, ${after.ref})`)
  }
  const rows = await page.execute()
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const next = rows.length > limit && last ? { order, direction, key: last.sorted_by, ref: last.ref } : null
  return { items: items.map(toStoredRun), nextCursor: next && encodeCursor(next) }
}

/** The runs of the project that fit. */
function check(reading: Reading, filter: RunFilter) {
  let query = selectRuns(reading.db).where('runs.project_id', '=', reading.projectId)
  const equal = (column: 'dataset_name' | 'model_name' | 'created_by', value: string | undefined) => {
    if (value !== undefined) query = query.where(`runs.${column}`, '=', value)
  }
  equal('dataset_name', filter.datasetName)
  equal('model_name', filter.modelName)
  equal('created_by', filter.createdBy)
  if (filter.status !== undefined) query = query.where('runs.status', '=', runStatusNumber(filter.status))
  if (filter.createdAfter !== undefined) query = query.where('runs.created_at', '>', filter.createdAfter)
  if (filter.createdBefore !== undefined) query = query.where('runs.created_at', '<', filter.createdBefore)
  if (filter.minSuccessRate !== undefined) query = query.where(successRate, '>=', filter.minSuccessRate)
  if (filter.maxWorkedMs !== undefined)
    query = query.where('runs.started_at', 'is not', null).where('runs.worked_ms', '<=', filter.maxWorkedMs)
  // In the JSON of the tags a quote never stands alone but at the ends of one.
  for (const tag of filter.tags ?? []) query = query.where(contains(reading, 'run_texts.tags', JSON.stringify(tag)))
  if (filter.search !== undefined)
    query = query.where(contains(reading, 'run_texts.searched', searchable(filter.search)))
  return query
}

/** Whether a text stands in a column, character by character. */
export function contains(reading: Reading, column: string, text: string) {
  const place = sql.raw(reading.dialect === 'sqlite' ? 'instr' : 'strpos')
  return sql<boolean>`${place}(${sql.ref(column)}, ${text}) > 0`
}

interface Place {
  order: RunOrder
  direction: 'ascending' | 'descending'
  key: string | number
  ref: number
}

function encodeCursor({ order, direction, key, ref }: Place): string {
  return Buffer.from(JSON.stringify([order, direction, key, ref])).toString('base64url')
}

function decodeCursor(text: string): Place | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(parts)) return undefined
    const [named, direction, key, ref] = parts as unknown[]
    const order = runOrders.find((one) => one === named)
    if (order === undefined || (direction !== 'ascending' && direction !== 'descending')) return undefined
    if (typeof key !== (order === 'name' ? 'string' : 'number') || !Number.isSafeInteger(ref)) return undefined
    return { order, direction, key: key as string | number, ref: ref as number }
  } catch {
    return undefined
  }
}

/** Projects with runs for whoever has time, or that were given up by their workers. */
export async function freeRuns(
  reading: Reading,
  { at }: RunQueries['freeRuns']['in'],
): Promise<RunQueries['freeRuns']['out']> {
  const rows = await reading.db
    .selectFrom('projects')
    .select('id')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('runs')
          .select('ref')
          .whereRef('runs.project_id', '=', 'projects.id')
          .where(isOpenRun)
          .where('runs.lease_until', '<=', at),
      ),
    )
    .orderBy('id')
    .execute()
  return rows.map((row) => row.id)
}
