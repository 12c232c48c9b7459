import type { RawBuilder } from 'kysely'
import { sql } from '#kysely'
import { outcomeNumber } from '../events.ts'
import type { Reading } from '../reading.ts'
import type { Filter } from '../store.ts'
import type { Tables } from '../tables.ts'
import { statusNumbers } from '../transaction.ts'

/** One comparison of a column of traces. */
export type Condition = { column: keyof Tables['traces']; op: '=' | '>=' | '<=' | '<'; value: string | number }

/** Which index a list walks along (`drive`, with the time range), and what is checked row by row on the way. */
export interface Plan {
  drive: Condition[]
  /** Set where the walk is along the scores of an evaluator, which are in the order of their traces. */
  along: string | undefined
  residual: Condition[]
  /** What is asked of scores. */
  scored: RawBuilder<boolean> | undefined
}

/** The first equality given drives, most selective kind first; undefined when nothing can match. */
export async function planOf(reading: Reading, filter: Filter): Promise<Plan | undefined> {
  const equalities: Condition[] = []
  const equal = (column: keyof Tables['traces'], value: string | number | undefined) => {
    if (value !== undefined) equalities.push({ column, op: '=', value })
  }
  equal('user_id', filter.user_id)
  equal('session_id', filter.session_id)
  equal('source', filter.source)
  if (filter.model_name !== undefined) {
    const model = await reading.db
      .selectFrom('models')
      .select('id')
      .where('project_id', '=', reading.projectId)
      .where('name', '=', filter.model_name)
      .executeTakeFirst()
    if (!model) return undefined
    equal('model_id', model.id)
  }
  if (filter.evaluation_status !== undefined) equal('status', statusNumbers[filter.evaluation_status])
  const [first, ...others] = equalities
  const drive: Condition[] = first ? [first] : []
  if (filter.from !== undefined) drive.push({ column: 'ts', op: '>=', value: filter.from })
  if (filter.to !== undefined) drive.push({ column: 'ts', op: '<', value: filter.to })
  const residual = [...others]
  if (filter.min_latency !== undefined) residual.push({ column: 'latency_ms', op: '>=', value: filter.min_latency })
  if (filter.max_latency !== undefined) residual.push({ column: 'latency_ms', op: '<=', value: filter.max_latency })
  if (filter.min_cost !== undefined)
    residual.push({ column: 'cost_nano', op: '>=', value: Math.round(filter.min_cost * 1e9) })
  if (filter.max_cost !== undefined)
    residual.push({ column: 'cost_nano', op: '<=', value: Math.round(filter.max_cost * 1e9) })
  const along = first === undefined && filter.q === undefined ? filter.evaluator : undefined
  const scored = scoreConditions(filter)
  // Whoever walks along the scores of an evaluator need not be asked whether there is one.
  const asked = scored.length > (along === undefined ? 0 : 1)
  return { drive, along, residual, scored: asked ? hasScore(scored) : undefined }
}

/** What the newest score of an evaluator has to be; without one, that of any. */
function scoreConditions(filter: Filter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = []
  if (filter.evaluator !== undefined) conditions.push(sql`s.evaluator = ${filter.evaluator}`)
  if (filter.min_score !== undefined) conditions.push(sql`s.value >= ${filter.min_score}`)
  if (filter.max_score !== undefined) conditions.push(sql`s.value <= ${filter.max_score}`)
  if (filter.passed !== undefined) conditions.push(sql`s.passed = ${filter.passed ? 1 : 0}`)
  if (filter.score_outcome !== undefined) conditions.push(sql`s.outcome = ${outcomeNumber(filter.score_outcome)}`)
  return conditions
}

function hasScore(conditions: RawBuilder<unknown>[]): RawBuilder<boolean> {
  return sql`EXISTS (SELECT 1 FROM scores AS s WHERE s.project_id = traces.project_id AND s.ref = traces.ref AND ${sql.join(conditions, sql` AND `)})`
}
