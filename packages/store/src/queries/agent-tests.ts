import {
  baselineColumns,
  headColumns,
  resultColumns,
  toBaselineHead,
  toQuarantine,
  toReport,
  toReportHead,
  toResult,
} from '../agent-test-rows.ts'
import type { AgentTestQueries } from '../agent-tests.ts'
import type { Reading } from '../reading.ts'

/** All suites of a project, of which there are at most `limits.agentSuites`. */
export async function agentSuites(reading: Reading): Promise<AgentTestQueries['agentSuites']['out']> {
  const { db, projectId } = reading
  const suites = await db
    .selectFrom('agent_suites')
    .select(['suite', 'reports', 'updated_at'])
    .where('project_id', '=', projectId)
    .orderBy('suite')
    .execute()
  const newest = await db
    .selectFrom('agent_suites')
    .innerJoin('agent_reports', (join) =>
      join.on((eb) =>
        eb(
          'agent_reports.ref',
          '=',
          eb
            .selectFrom('agent_reports as newest')
            .select('newest.ref')
            .whereRef('newest.project_id', '=', 'agent_suites.project_id')
            .whereRef('newest.suite', '=', 'agent_suites.suite')
            .orderBy('newest.at', 'desc')
            .orderBy('newest.ref', 'desc')
            .limit(1),
        ),
      ),
    )
    .selectAll('agent_reports')
    .where('agent_suites.project_id', '=', projectId)
    .execute()
  const last = new Map(newest.map((row) => [row.suite, toReport(row)]))
  return suites.map(({ suite, reports, updated_at: updatedAt }) => ({
    suite,
    reports,
    updatedAt,
    last: last.get(suite) ?? null,
  }))
}

export async function agentSuite(
  { db, projectId }: Reading,
  { suite, reports: most, results: mostResults }: AgentTestQueries['agentSuite']['in'],
): Promise<AgentTestQueries['agentSuite']['out']> {
  const known = await db
    .selectFrom('agent_suites')
    .select('suite')
    .where('project_id', '=', projectId)
    .where('suite', '=', suite)
    .executeTakeFirst()
  if (!known) return null
  const reports = await db
    .selectFrom('agent_reports')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('suite', '=', suite)
    .orderBy('at', 'desc')
    .orderBy('ref', 'desc')
    .limit(most)
    .execute()
  let room = mostResults
  const told = reports.filter(({ cases }, at) => (room -= cases) >= 0 || at === 0)
  const ids = new Map(told.map(({ ref, id }) => [ref, id]))
  const results =
    told.length === 0
      ? []
      : await db
          .selectFrom('agent_results')
          .select([...resultColumns, 'agent_results.report_ref'])
          .where('report_ref', 'in', [...ids.keys()])
          .orderBy('report_ref')
          .orderBy('case_id')
          .execute()
  const baselines = await db
    .selectFrom('agent_baselines')
    .select(baselineColumns)
    .where('project_id', '=', projectId)
    .where('suite', '=', suite)
    .orderBy('case_id')
    .orderBy('variant')
    .execute()
  const quarantines = await db
    .selectFrom('agent_quarantines')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('suite', '=', suite)
    .orderBy('case_id')
    .execute()
  return {
    reports: reports.map(toReport),
    results: results.map((row) => ({ ...toResult(row), reportId: ids.get(row.report_ref) ?? '' })),
    baselines: baselines.map(toBaselineHead),
    quarantines: quarantines.map(toQuarantine),
  }
}

export async function agentReport(
  { db, projectId }: Reading,
  { id }: AgentTestQueries['agentReport']['in'],
): Promise<AgentTestQueries['agentReport']['out']> {
  const row = await db
    .selectFrom('agent_reports')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row ? toReport(row) : null
}

export async function agentHistory(
  { db, projectId }: Reading,
  { suite, caseId, limit }: AgentTestQueries['agentHistory']['in'],
): Promise<AgentTestQueries['agentHistory']['out']> {
  const results = await db
    .selectFrom('agent_results')
    .innerJoin('agent_reports', 'agent_reports.ref', 'agent_results.report_ref')
    .select(resultColumns)
    .select('agent_results.report_ref')
    .where('agent_results.project_id', '=', projectId)
    .where('agent_results.case_id', '=', caseId)
    .where('agent_reports.suite', '=', suite)
    .orderBy('agent_reports.at', 'desc')
    .orderBy('agent_reports.ref', 'desc')
    .limit(limit)
    .execute()
  if (results.length === 0) return []
  const refs = results.map((row) => row.report_ref)
  const heads = await db
    .selectFrom('agent_reports')
    .select([...headColumns, 'agent_reports.ref'])
    .where('ref', 'in', refs)
    .execute()
  const byRef = new Map(heads.map((row) => [row.ref, toReportHead(row)]))
  return results.flatMap((row) => {
    const report = byRef.get(row.report_ref)
    return report ? [{ ...toResult(row), report }] : []
  })
}

export async function agentResult(
  { db, projectId }: Reading,
  { reportId, caseId }: AgentTestQueries['agentResult']['in'],
): Promise<AgentTestQueries['agentResult']['out']> {
  const row = await db
    .selectFrom('agent_reports')
    .innerJoin('agent_results', 'agent_results.report_ref', 'agent_reports.ref')
    .leftJoin('agent_bodies', (join) =>
      join
        .onRef('agent_bodies.report_ref', '=', 'agent_results.report_ref')
        .onRef('agent_bodies.case_id', '=', 'agent_results.case_id'),
    )
    .select('agent_bodies.body')
    .where('agent_reports.project_id', '=', projectId)
    .where('agent_reports.id', '=', reportId)
    .where('agent_results.case_id', '=', caseId)
    .executeTakeFirst()
  return row ? { body: row.body } : null
}

export async function agentBaselines(
  { db, projectId }: Reading,
  { suite, caseId }: AgentTestQueries['agentBaselines']['in'],
): Promise<AgentTestQueries['agentBaselines']['out']> {
  const rows = await db
    .selectFrom('agent_baselines')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('suite', '=', suite)
    .where('case_id', '=', caseId)
    .orderBy('variant')
    .execute()
  return rows.map((row) => ({ ...toBaselineHead(row), body: row.body }))
}

export async function agentQuarantine(
  { db, projectId }: Reading,
  { suite, caseId }: AgentTestQueries['agentQuarantine']['in'],
): Promise<AgentTestQueries['agentQuarantine']['out']> {
  const row = await db
    .selectFrom('agent_quarantines')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('suite', '=', suite)
    .where('case_id', '=', caseId)
    .executeTakeFirst()
  return row ? toQuarantine(row) : null
}
