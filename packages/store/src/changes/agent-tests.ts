import { agentCommands, attemptOutcomes, checkStates, limits, releaseVerdicts } from '@llm-eval/protocol'
import { countOutcomes, encodeAgentChange, encodeAgentReport } from '../agent-test-rows.ts'
import type { AgentTestChanges, NewAgentReport } from '../agent-tests.ts'
import { bury, isBuried } from '../tombstones.ts'
import type { Transaction } from '../transaction.ts'

/** Rows of one statement, far from what a database takes of them. */
const rowsAtOnce = 500

/** Stores a report, or finds the same one. */
export async function putAgentReport(
  tx: Transaction,
  { report, at }: AgentTestChanges['putAgentReport']['in'],
): Promise<AgentTestChanges['putAgentReport']['out']> {
  const known = await findReport(tx, report.id)
  if (known) return { result: known.hash === report.hash ? 'exists' : 'conflict' }
  if (await isBuried(tx, 'agent_tombstones', report.id)) return { result: 'deleted' }
  if (!(await openSuite(tx, { suite: report.suite, at: report.at }))) return { result: 'too_many' }
  const ref = await insertReport(tx, report)
  if (ref === undefined)
    return { result: (await findReport(tx, report.id))?.hash === report.hash ? 'exists' : 'conflict' }
  await insertCases(tx, ref, report.cases)
  const data = encodeAgentReport(ref, { ...report, counts: countOutcomes(report.cases) })
  tx.ledger.emit('agent_tested', { at, ref: null, data })
  await makeRoom(tx, { suite: report.suite, at })
  return { result: 'created' }
}

/** Undefined where somebody else has stored one of this id in the meantime. */
async function insertReport(tx: Transaction, report: NewAgentReport): Promise<number | undefined> {
  const row = await tx.db
    .insertInto('agent_reports')
    .values({
      project_id: tx.projectId,
      id: report.id,
      hash: report.hash,
      suite: report.suite,
      at: report.at,
      command: agentCommands.indexOf(report.command),
      verdict: report.verdict === null ? null : releaseVerdicts.indexOf(report.verdict),
      exit_code: report.exitCode,
      made_by: report.by,
      commit_id: report.commit,
      branch: report.branch,
      note: report.note,
      run_id: report.runId,
      ...countOutcomes(report.cases),
    })
    .onConflict((conflict) => conflict.columns(['project_id', 'id']).doNothing())
    .returning('ref')
    .executeTakeFirst()
  return row?.ref
}

async function findReport(tx: Transaction, id: string) {
  return tx.db
    .selectFrom('agent_reports')
    .select(['ref', 'id', 'hash', 'suite'])
    .where('project_id', '=', tx.projectId)
    .where('id', '=', id)
    .executeTakeFirst()
}

interface SuiteChange {
  suite: string
  at: number
}

/** Notes that something of a suite changed. False where there is none. */
export async function touchSuite(tx: Transaction, { suite, at }: SuiteChange): Promise<boolean> {
  const { numUpdatedRows } = await tx.db
    .updateTable('agent_suites')
    .set({ updated_at: at })
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Makes the suite where it is new. False where there are too many. */
async function openSuite(tx: Transaction, { suite, at }: SuiteChange): Promise<boolean> {
  if (await touchSuite(tx, { suite, at })) return true
  const { count } = await tx.db
    .selectFrom('agent_suites')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('project_id', '=', tx.projectId)
    .executeTakeFirstOrThrow()
  if (count >= limits.agentSuites) return false
  await tx.db
    .insertInto('agent_suites')
    .values({ project_id: tx.projectId, suite, reports: 0, updated_at: at })
    // Of two at once that make it, the second finds that of the first.
    .onConflict((conflict) => conflict.columns(['project_id', 'suite']).doUpdateSet({ updated_at: at }))
    .execute()
  return true
}

async function insertCases(tx: Transaction, ref: number, cases: NewAgentReport['cases']): Promise<void> {
  for (let from = 0; from < cases.length; from += rowsAtOnce) {
    const some = cases.slice(from, from + rowsAtOnce)
    const rows = some.map((one) => ({
      report_ref: ref,
      project_id: tx.projectId,
      case_id: one.caseId,
      name: one.name,
      outcome: attemptOutcomes.indexOf(one.outcome),
      state: one.state === null ? null : checkStates.indexOf(one.state),
      score: one.score,
      cost_nano: one.costNano,
      latency_ms: one.latencyMs,
      model: one.model,
      passed: one.passed,
      n: one.n,
      flaky: one.flaky ? 1 : 0,
    }))
    await tx.db.insertInto('agent_results').values(rows).execute()
    const bodies = some.flatMap(({ caseId, body }) =>
      body === null ? [] : [{ report_ref: ref, case_id: caseId, body }],
    )
    if (bodies.length > 0) await tx.db.insertInto('agent_bodies').values(bodies).execute()
  }
}

/** Counts a new report; the oldest of its suite go where it has more than it may. */
async function makeRoom(tx: Transaction, { suite, at }: { suite: string; at: number }): Promise<void> {
  const row = await tx.db
    .updateTable('agent_suites')
    .set((eb) => ({ reports: eb('reports', '+', 1) }))
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .returning('reports')
    .executeTakeFirstOrThrow()
  const over = row.reports - limits.agentSuiteReports
  if (over > 0) await removeReports(tx, await oldestOf(tx, suite, over), at)
}

interface Doomed {
  ref: number
  id: string
  suite: string
}

async function oldestOf(tx: Transaction, suite: string, limit: number): Promise<Doomed[]> {
  return tx.db
    .selectFrom('agent_reports')
    .select(['ref', 'id', 'suite'])
    .where('project_id', '=', tx.projectId)
    .where('suite', '=', suite)
    .orderBy('at')
    .orderBy('ref')
    .limit(limit)
    .execute()
}

async function removeReports(tx: Transaction, doomed: readonly Doomed[], at: number): Promise<void> {
  if (doomed.length === 0) return
  const refs = doomed.map(({ ref }) => ref)
  for (const table of ['agent_bodies', 'agent_results'] as const)
    await tx.db.deleteFrom(table).where('report_ref', 'in', refs).execute()
  await tx.db.deleteFrom('agent_reports').where('ref', 'in', refs).execute()
  const left = new Map<string, number>()
  for (const { suite } of doomed) left.set(suite, (left.get(suite) ?? 0) + 1)
  for (const [suite, gone] of [...left].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    await tx.db
      .updateTable('agent_suites')
      .set((eb) => ({ reports: eb('reports', '-', gone) }))
      .where('project_id', '=', tx.projectId)
      .where('suite', '=', suite)
      .execute()
  for (const _ of doomed) tx.ledger.emit('agent_tests_changed', { at, ref: null, data: encodeAgentChange('report', 1) })
}

/** Deletes a report with all of its results. */
export async function deleteAgentReport(
  tx: Transaction,
  { id, at }: AgentTestChanges['deleteAgentReport']['in'],
): Promise<AgentTestChanges['deleteAgentReport']['out']> {
  const known = await findReport(tx, id)
  if (!known) return { found: false }
  await bury(tx, 'agent_tombstones', { ids: [known.id], at })
  await removeReports(tx, [known], at)
  return { found: true }
}

/** Deletes a suite with its reports, and what was accepted of it, step by step. */
export async function deleteAgentSuite(
  tx: Transaction,
  { suite, at, limit }: AgentTestChanges['deleteAgentSuite']['in'],
): Promise<AgentTestChanges['deleteAgentSuite']['out']> {
  const of = { project_id: tx.projectId, suite }
  const known = await tx.db
    .selectFrom('agent_suites')
    .select('suite')
    .where('project_id', '=', of.project_id)
    .where('suite', '=', suite)
    .executeTakeFirst()
  if (!known) return { found: false, more: false }
  const doomed = await oldestOf(tx, suite, limit)
  await bury(tx, 'agent_tombstones', { ids: doomed.map(({ id }) => id), at })
  await removeReports(tx, doomed, at)
  if (doomed.length === limit) return { found: true, more: true }
  for (const table of ['agent_baselines', 'agent_quarantines', 'agent_suites'] as const)
    await tx.db.deleteFrom(table).where('project_id', '=', of.project_id).where('suite', '=', suite).execute()
  tx.ledger.emit('agent_tests_changed', { at, ref: null, data: encodeAgentChange('suite', 1) })
  return { found: true, more: false }
}

/** Deletes the oldest reports of before a time. */
export async function expireAgentReports(
  tx: Transaction,
  { before, at, limit }: AgentTestChanges['expireAgentReports']['in'],
): Promise<AgentTestChanges['expireAgentReports']['out']> {
  const old = await tx.db
    .selectFrom('agent_reports')
    .select(['ref', 'id', 'suite'])
    .where('project_id', '=', tx.projectId)
    .where('at', '<', before)
    .orderBy('at')
    .orderBy('ref')
    .limit(limit)
    .execute()
  await removeReports(tx, old, at)
  return { deleted: old.length, more: old.length === limit }
}
