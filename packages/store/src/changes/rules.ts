import type { Changes } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { isFull } from './evaluators.ts'

/** Makes a rule or replaces it. */
export async function putRule(tx: Transaction, change: Changes['putRule']['in']): Promise<Changes['putRule']['out']> {
  const { rule, at } = change
  const row = {
    name: rule.name,
    enabled: rule.enabled ? 1 : 0,
    filter: JSON.stringify(rule.filter),
    sampling_rate: rule.sampling_rate,
    evaluators: JSON.stringify(rule.evaluators),
    daily_cost_limit: rule.dailyCostLimitNano,
    updated_at: at,
  }
  if (change.mode === 'update') {
    const { numUpdatedRows } = await tx.db
      .updateTable('rules')
      .set(row)
      .where('project_id', '=', tx.projectId)
      .where('id', '=', rule.id)
      .executeTakeFirst()
    return { result: numUpdatedRows === 1n ? 'ok' : 'not_found' }
  }
  if (await isFull(tx, 'rules')) return { result: 'too_many' }
  await tx.db
    .insertInto('rules')
    .values({ project_id: tx.projectId, id: rule.id, created_at: at, ...row })
    .execute()
  return { result: 'ok' }
}

/** Deletes a rule with what it is known to have spent; the scores it asked for stay. */
export async function deleteRule(
  tx: Transaction,
  { id }: Changes['deleteRule']['in'],
): Promise<Changes['deleteRule']['out']> {
  const done = await tx.db
    .deleteFrom('rules')
    .where('project_id', '=', tx.projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  await tx.db.deleteFrom('rule_days').where('project_id', '=', tx.projectId).where('rule_id', '=', id).execute()
  return { found: done.numDeletedRows === 1n }
}

/** What rules did on one UTC day. */
export interface RuleSpending {
  ruleId: string
  day: number
  executions: number
  costNano: number
  unknownCosts: number
  limited: number
}

/** Adds to the days of rules. Those of rules that are gone are passed over. */
export async function addRuleDays(tx: Transaction, spent: readonly RuleSpending[]): Promise<void> {
  if (spent.length === 0) return
  const sums = new Map<string, RuleSpending>()
  for (const one of spent) {
    const key = `${one.day}.${one.ruleId}`
    const sum = sums.get(key) ?? { ...one, executions: 0, costNano: 0, unknownCosts: 0, limited: 0 }
    sum.executions += one.executions
    sum.costNano += one.costNano
    sum.unknownCosts += one.unknownCosts
    sum.limited += one.limited
    sums.set(key, sum)
  }
  const ids = [...new Set(spent.map((one) => one.ruleId))]
  const alive = await tx.db
    .selectFrom('rules')
    .select('id')
    .where('project_id', '=', tx.projectId)
    .where('id', 'in', ids)
    .execute()
  const known = new Set(alive.map((rule) => rule.id))
  const rows = [...sums.values()].filter((sum) => known.has(sum.ruleId))
  if (rows.length === 0) return
  await tx.db
    .insertInto('rule_days')
    .values(
      rows.map((row) => ({
        project_id: tx.projectId,
        rule_id: row.ruleId,
        day: row.day,
        executions: row.executions,
        cost: row.costNano,
        unknown_costs: row.unknownCosts,
        limited: row.limited,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'rule_id', 'day']).doUpdateSet((eb) => ({
        executions: eb('rule_days.executions', '+', eb.ref('excluded.executions')),
        cost: eb('rule_days.cost', '+', eb.ref('excluded.cost')),
        unknown_costs: eb('rule_days.unknown_costs', '+', eb.ref('excluded.unknown_costs')),
        limited: eb('rule_days.limited', '+', eb.ref('excluded.limited')),
      })),
    )
    .execute()
}
