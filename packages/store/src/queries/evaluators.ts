import type { RuleFilter } from '@llm-eval/protocol'
import type { RuleTrace, StoredEvaluator, StoredRule } from '../evaluation.ts'
import type { Reading } from '../reading.ts'
import type { Queries } from '../store.ts'

function selectEvaluators(reading: Reading) {
  return reading.db
    .selectFrom('evaluators as e')
    .select(['e.id', 'e.slug', 'e.name', 'e.description', 'e.created_at', 'e.updated_at'])
    .where('e.project_id', '=', reading.projectId)
}

interface EvaluatorRow {
  id: string
  slug: string
  name: string
  description: string
  created_at: number
  updated_at: number
  version: string
  definition: string
}

function toEvaluator(row: EvaluatorRow): StoredEvaluator {
  const { created_at: createdAt, updated_at: updatedAt, ...rest } = row
  return { ...rest, createdAt, updatedAt }
}

/** The project's own evaluators, by slug. */
export async function evaluators(reading: Reading): Promise<Queries['evaluators']['out']> {
  const rows = await selectEvaluators(reading)
    .innerJoin('evaluator_versions as v', (join) =>
      join
        .onRef('v.project_id', '=', 'e.project_id')
        .onRef('v.slug', '=', 'e.slug')
        .onRef('v.version', '=', 'e.version'),
    )
    .select(['v.version', 'v.definition'])
    .where('e.deleted_at', 'is', null)
    .orderBy('e.slug')
    .execute()
  return rows.map(toEvaluator)
}

/** One evaluator, as it is now or as it was in a version; versions of one that was deleted are still there for the executions that name them. */
export async function evaluator(
  reading: Reading,
  { key, version }: Queries['evaluator']['in'],
): Promise<Queries['evaluator']['out']> {
  const rows = await selectEvaluators(reading)
    .innerJoin('evaluator_versions as v', (join) => {
      const ofSlug = join.onRef('v.project_id', '=', 'e.project_id').onRef('v.slug', '=', 'e.slug')
      return version === undefined ? ofSlug.onRef('v.version', '=', 'e.version') : ofSlug.on('v.version', '=', version)
    })
    .select(['v.version', 'v.definition', 'e.deleted_at'])
    .where((eb) => eb.or([eb('e.slug', '=', key), eb('e.id', '=', key)]))
    .execute()
  const row = rows.find((found) => found.deleted_at === null) ?? (version === undefined ? undefined : rows[0])
  if (!row) return null
  const { deleted_at: _, ...found } = row
  return toEvaluator(found)
}

export async function evaluatorVersions(
  reading: Reading,
  { slug }: Queries['evaluatorVersions']['in'],
): Promise<Queries['evaluatorVersions']['out']> {
  const rows = await reading.db
    .selectFrom('evaluator_versions')
    .select(['version', 'created_at', 'definition'])
    .where('project_id', '=', reading.projectId)
    .where('slug', '=', slug)
    .orderBy('created_at', 'desc')
    .orderBy('version')
    .execute()
  return rows.map(({ version, created_at: createdAt, definition }) => ({ version, createdAt, definition }))
}

/** Oldest first. */
export async function rules(reading: Reading): Promise<Queries['rules']['out']> {
  const rows = await reading.db
    .selectFrom('rules')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    enabled: row.enabled === 1,
    filter: JSON.parse(row.filter) as RuleFilter,
    sampling_rate: row.sampling_rate,
    evaluators: JSON.parse(row.evaluators) as StoredRule['evaluators'],
    dailyCostLimitNano: row.daily_cost_limit,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }))
}

export async function ruleDay(
  reading: Reading,
  { ruleId, day }: Queries['ruleDay']['in'],
): Promise<Queries['ruleDay']['out']> {
  const row = await reading.db
    .selectFrom('rule_days')
    .select(['executions', 'cost', 'unknown_costs', 'limited'])
    .where('project_id', '=', reading.projectId)
    .where('rule_id', '=', ruleId)
    .where('day', '=', day)
    .executeTakeFirst()
  return {
    executions: row?.executions ?? 0,
    costNano: row?.cost ?? 0,
    unknownCosts: row?.unknown_costs ?? 0,
    limited: row?.limited ?? 0,
  }
}

export async function calibration(
  reading: Reading,
  query: Queries['calibration']['in'],
): Promise<Queries['calibration']['out']> {
  const row = await reading.db
    .selectFrom('calibrations')
    .select(['version', 'data', 'at'])
    .where('project_id', '=', reading.projectId)
    .where('evaluator', '=', query.evaluator)
    .executeTakeFirst()
  return row ?? null
}

/** What rules look at, of the traces that are still there. */
export async function ruleTraces(
  reading: Reading,
  { refs }: Queries['ruleTraces']['in'],
): Promise<Queries['ruleTraces']['out']> {
  if (refs.length === 0) return []
  const rows = await reading.db
    .selectFrom('traces')
    .select(['ref', 'trace_id', 'model_id', 'source', 'session_id', 'user_id', 'open'])
    .where('project_id', '=', reading.projectId)
    .where('ref', 'in', refs)
    .orderBy('ref')
    .execute()
  const traces: RuleTrace[] = []
  for (const row of rows)
    traces.push({
      ref: row.ref,
      traceId: row.trace_id,
      model: await reading.modelName(row.model_id),
      source: row.source,
      sessionId: row.session_id,
      userId: row.user_id,
      state: row.open === 1 ? 'open' : 'closed',
    })
  return traces
}
