import { limits } from '@llm-eval/protocol'
import type { StoredEvaluator } from '../evaluation.ts'
import type { Changes } from '../store.ts'
import type { Transaction } from '../transaction.ts'

/** Makes an evaluator, or changes one: its names, and where its definition is another, a new version beside those before. */
export async function putEvaluator(
  tx: Transaction,
  change: Changes['putEvaluator']['in'],
): Promise<Changes['putEvaluator']['out']> {
  const { slug, name, description, version, definition, at } = change
  const there = await liveEvaluator(tx, slug)
  if (change.mode === 'create') {
    if (there) return { result: 'slug_taken' }
    if (await isFull(tx, 'evaluators')) return { result: 'too_many' }
  } else if (!there) return { result: 'not_found' }
  if (!(await putVersion(tx, { slug, version, definition, at }))) return { result: 'too_many' }
  if (there) {
    await tx.db
      .updateTable('evaluators')
      .set({ name, description, version, updated_at: at })
      .where('project_id', '=', tx.projectId)
      .where('id', '=', there.id)
      .execute()
  } else {
    await tx.db
      .insertInto('evaluators')
      .values({
        project_id: tx.projectId,
        id: change.id,
        slug,
        name,
        description,
        version,
        created_at: at,
        updated_at: at,
        deleted_at: null,
      })
      .execute()
  }
  const id = there?.id ?? change.id
  const createdAt = there?.created_at ?? at
  const evaluator: StoredEvaluator = { id, slug, name, description, version, definition, createdAt, updatedAt: at }
  return { result: 'ok', evaluator }
}

async function liveEvaluator(tx: Transaction, slug: string) {
  let find = tx.db
    .selectFrom('evaluators')
    .select(['id', 'created_at'])
    .where('project_id', '=', tx.projectId)
    .where('slug', '=', slug)
    .where('deleted_at', 'is', null)
  if (tx.dialect === 'postgres') find = find.forUpdate()
  return find.executeTakeFirst()
}

/** False when the evaluator has as many versions as it may. In one that is there, what it does not depend on may have changed. */
async function putVersion(
  tx: Transaction,
  given: { slug: string; version: string; definition: string; at: number },
): Promise<boolean> {
  const { slug, version, definition, at } = given
  const known = await tx.db
    .selectFrom('evaluator_versions')
    .select('version')
    .where('project_id', '=', tx.projectId)
    .where('slug', '=', slug)
    .execute()
  const full = known.length >= limits.evaluatorVersions
  if (full && !known.some((row) => row.version === version)) return false
  await tx.db
    .insertInto('evaluator_versions')
    .values({ project_id: tx.projectId, slug, version, definition, created_at: at })
    .onConflict((conflict) => conflict.columns(['project_id', 'slug', 'version']).doUpdateSet({ definition }))
    .execute()
  return true
}

/** Whether the project has as many as it may. */
export async function isFull(tx: Transaction, table: 'evaluators' | 'rules'): Promise<boolean> {
  let rows = tx.db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number | string>().as('rows'))
    .where('project_id', '=', tx.projectId)
  if (table === 'evaluators') rows = rows.where('deleted_at', 'is', null)
  const row = await rows.executeTakeFirstOrThrow()
  return Number(row.rows) >= limits[table]
}

/** Takes it out of the catalogue. The row stays, so that its versions keep a name for the executions that refer to them. */
export async function deleteEvaluator(
  tx: Transaction,
  change: Changes['deleteEvaluator']['in'],
): Promise<Changes['deleteEvaluator']['out']> {
  // One that was deleted before makes room: of a slug, the last life is remembered.
  const there = await liveEvaluator(tx, change.slug)
  if (!there) return { found: false }
  await tx.db
    .deleteFrom('evaluators')
    .where('project_id', '=', tx.projectId)
    .where('slug', '=', change.slug)
    .where('deleted_at', 'is not', null)
    .execute()
  await tx.db
    .updateTable('evaluators')
    .set({ deleted_at: change.at })
    .where('project_id', '=', tx.projectId)
    .where('id', '=', there.id)
    .execute()
  return { found: true }
}

/** Keeps what was measured last. */
export async function putCalibration(
  tx: Transaction,
  { evaluator, version, data, at }: Changes['putCalibration']['in'],
): Promise<Changes['putCalibration']['out']> {
  await tx.db
    .insertInto('calibrations')
    .values({ project_id: tx.projectId, evaluator, version, data, at })
    .onConflict((conflict) => conflict.columns(['project_id', 'evaluator']).doUpdateSet({ version, data, at }))
    .execute()
  return { stored: true }
}
