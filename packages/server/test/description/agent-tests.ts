import { agentReportOf, caseCheck, caseResult } from '../agent-reports.ts'
import type { Described } from './described-server.ts'

/** Reports of agent tests, and what is accepted of them. */
export async function askAboutAgentTests({ ask }: Described): Promise<void> {
  const reports = '/api/v1/agent-tests/reports'
  const suites = '/api/v1/agent-tests/suites'
  const cases = [
    { result: caseResult('a'), check: caseCheck('a', { state: 'PASSED' }) },
    { result: caseResult('b'), check: null },
  ]
  const body = agentReportOf({ report_id: 'rep', command: 'check', verdict: 'SAFE_TO_SHIP', cases })
  await ask({ of: `POST ${reports}`, body, status: 201 })
  await ask({ of: `POST ${reports}`, body })
  await ask({ of: `POST ${reports}`, body: { ...body, note: 'other' }, status: 409 })
  await ask({ of: `POST ${reports}`, body: {}, status: 422 })
  await ask({ of: `GET ${reports}/{report_id}`, at: `${reports}/rep` })
  await ask({ of: `GET ${suites}` })
  const suite = `${suites}/{suite}`
  await ask({ of: `GET ${suite}`, at: `${suites}/stocks` })
  await ask({ of: `GET ${suite}`, at: `${suites}/none`, status: 404 })
  const one = `${suite}/cases/{case_id}`
  const at = `${suites}/stocks/cases/a`
  const baseline = { of: `PUT ${one}/baselines/{variant}`, at: `${at}/baselines/default` }
  await ask({ ...baseline, body: { report_id: 'rep', note: 'as it should be' } })
  await ask({ ...baseline, body: { report_id: 'none' }, status: 404 })
  await ask({ ...baseline, body: { report_id: 'rep', expected_accepted_at: null }, status: 409 })
  await ask({ of: `GET ${one}/baselines`, at: `${at}/baselines` })
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  const quarantine = { at: `${at}/quarantine`, body: { owner: 'ann', reason: 'upstream', expires_at } }
  await ask({ of: `PUT ${one}/quarantine`, ...quarantine })
  await ask({ of: `GET ${one}`, at: `${at}?report_id=rep&variant=default&attempt=0` })
  await ask({ of: `GET ${one}`, at: `${at}?variant=none`, status: 404 })
  const old = '2020-01-01T00:00:00Z'
  await ask({ of: `DELETE ${one}/quarantine`, at: `${at}/quarantine?expected_set_at=${old}`, status: 409 })
  await ask({ of: `DELETE ${one}/quarantine`, at: `${at}/quarantine` })
  await ask({ of: `DELETE ${one}/quarantine`, at: `${at}/quarantine`, status: 404 })
  const forget = { of: `DELETE ${one}/baselines/{variant}`, at: `${at}/baselines/default` }
  await ask({ ...forget, at: `${forget.at}?expected_accepted_at=${old}`, status: 409 })
  await ask(forget)
  await ask({ of: `DELETE ${reports}/{report_id}`, at: `${reports}/rep` })
  await ask({ of: `POST ${reports}`, body, status: 410 })
  await ask({ of: `DELETE ${suite}`, at: `${suites}/stocks` })
  await ask({ of: `DELETE ${suite}`, at: `${suites}/stocks`, status: 404 })
}
