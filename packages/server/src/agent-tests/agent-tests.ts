/** Reports of agent tests, and what teams accept of them: `/api/v1/agent-tests`. */
import { baselineOf } from '@llm-eval/engine'
import { agentRoutes, Failure, limits } from '@llm-eval/protocol'
import {
  agentBaseline,
  agentBaselineList,
  agentCaseDetail,
  agentCaseQuery,
  agentQuarantine,
  agentReport,
  agentReportInput,
  agentSuiteDetail,
  agentSuiteList,
  baselineInput,
  baselineRemoval,
  quarantineInput,
  quarantineRemoval,
  variantName,
} from '@llm-eval/protocol/agent-test-schemas'
import { deletion } from '@llm-eval/protocol/answers'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredAgentReport } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { caseDetail, readBaseline, readResult, suiteDetail } from './cases.ts'
import { toBaseline, toModelName, toQuarantine, toReport, toStored } from './wire.ts'

const day = 86_400_000
/** Reports that one commit of a deletion removes. */
const deletionStep = 20

const byReport = z.object({ report_id: name })
const bySuite = z.object({ suite: name })
const byCase = z.object({ suite: name, case_id: name })
const byVariant = z.object({ suite: name, case_id: name, variant: variantName })

/** Serves the routes of agent tests. */
export function registerAgentTests(app: App, deps: Deps): void {
  registerReports(app, deps)
  registerSuites(app, deps)
  registerBaselines(app, deps)
  registerQuarantine(app, deps)
}

function registerReports(app: App, { store, now }: Deps): void {
  const find = async (projectId: number, id: string): Promise<StoredAgentReport> => {
    const found = await store.read(projectId, 'agentReport', { id })
    if (found === null) throw new Failure('agent_report_not_found')
    return found
  }
  mount(app, agentRoutes.sendAgentReport, {
    schema: { body: agentReportInput, response: { 200: agentReport, 201: agentReport } },
    bodyLimit: limits.agentReportBytes,
    bodyDepth: limits.agentReportDepth,
    handler: async ({ principal: { projectId }, body }, reply) => {
      // A time far ahead would stand before all that comes.
      if (Date.parse(body.at) > now() + day) throw refused('at', 'must not be more than a day ahead')
      const { result } = await store.apply(projectId, { kind: 'putAgentReport', report: toStored(body), at: now() })
      if (result === 'conflict') throw new Failure('agent_report_conflict')
      if (result === 'deleted') throw new Failure('agent_report_deleted')
      if (result === 'too_many') throw tooManySuites()
      const stored = await find(projectId, body.report_id)
      return reply.code(result === 'created' ? 201 : 200).send(toReport(stored))
    },
  })
  mount(app, agentRoutes.getAgentReport, {
    schema: { params: byReport, response: { 200: agentReport } },
    handler: async ({ principal, params }) => toReport(await find(principal.projectId, params.report_id)),
  })
  mount(app, agentRoutes.deleteAgentReport, {
    schema: { params: byReport, response: { 200: deletion } },
    handler: async ({ principal, params }) => {
      const change = { kind: 'deleteAgentReport', id: params.report_id, at: now() } as const
      const { found } = await store.apply(principal.projectId, change)
      if (!found) throw new Failure('agent_report_not_found')
      return { deleted: 1 }
    },
  })
}

function registerSuites(app: App, deps: Deps): void {
  const { store, now } = deps
  mount(app, agentRoutes.listAgentSuites, {
    schema: { response: { 200: agentSuiteList } },
    handler: async ({ principal }) => {
      const suites = await store.read(principal.projectId, 'agentSuites', {})
      return {
        items: suites.map(({ suite, reports, updatedAt, last }) => ({
          suite,
          reports,
          updated_at: new Date(updatedAt).toISOString(),
          last: last && toReport(last),
        })),
      }
    },
  })
  mount(app, agentRoutes.getAgentSuite, {
    schema: { params: bySuite, response: { 200: agentSuiteDetail } },
    handler: ({ principal: { projectId }, params }) => suiteDetail(deps, { projectId, ...params }),
  })
  mount(app, agentRoutes.deleteAgentSuite, {
    schema: { params: bySuite, response: { 200: deletion } },
    handler: async ({ principal, params: { suite } }) => {
      const step = () =>
        store.apply(principal.projectId, { kind: 'deleteAgentSuite', suite, at: now(), limit: deletionStep })
      let { found, more } = await step()
      if (!found) throw new Failure('agent_suite_not_found', { values: { suite } })
      while (more) ({ more } = await step())
      return { deleted: 1 }
    },
  })
  mount(app, agentRoutes.getAgentCase, {
    schema: { params: byCase, querystring: agentCaseQuery, response: { 200: agentCaseDetail } },
    handler: ({ principal: { projectId }, params: { suite, case_id: caseId }, query }) =>
      caseDetail(deps, { projectId, suite, caseId }, query),
  })
}

function registerBaselines(app: App, { store, now }: Deps): void {
  mount(app, agentRoutes.listAgentBaselines, {
    schema: { params: byCase, response: { 200: agentBaselineList } },
    handler: async ({ principal, params: { suite, case_id: caseId } }) => {
      const kept = await store.read(principal.projectId, 'agentBaselines', { suite, caseId })
      const quarantine = await store.read(principal.projectId, 'agentQuarantine', { suite, caseId })
      return { items: kept.map(readBaseline), quarantine: toQuarantine(quarantine, now()) }
    },
  })
  mount(app, agentRoutes.putAgentBaseline, {
    schema: { params: byVariant, body: baselineInput, response: { 200: agentBaseline } },
    handler: async ({ principal, params, body }) => {
      const { suite, case_id: caseId, variant } = params
      const { projectId } = principal
      const by = body.by ?? principal.name
      const report = await store.read(projectId, 'agentReport', { id: body.report_id })
      if (report === null || report.suite !== suite) throw new Failure('agent_report_not_found')
      const kept = await readResult(store, { projectId, suite, caseId }, body.report_id)
      if (kept === null) throw new Failure('agent_case_not_found')
      if (kept.result === null) throw unusable('it was too large to be kept')
      if (kept.shortened) throw unusable('it was shortened before it was sent')
      const at = now()
      const accepted = baselineOf(kept.result, { variant, at, by, note: body.note })
      if (!accepted) throw unusable('no attempt got an answer')
      const head = {
        variant,
        acceptedAt: at,
        acceptedBy: by,
        note: body.note,
        model: toModelName(accepted.model),
        attempts: accepted.attempts.length,
      }
      const baseline = { ...head, body: JSON.stringify(accepted) }
      const expected = body.expected_accepted_at
      const { result } = await store.apply(projectId, { kind: 'putAgentBaseline', suite, caseId, baseline, expected })
      if (result === 'changed') throw new Failure('agent_baseline_changed', { values: { variant } })
      if (result === 'no_suite') throw new Failure('agent_report_not_found')
      if (result === 'too_many')
        throw new Failure('limit_reached', { values: { max: limits.agentVariants, what: 'variants of a case' } })
      return toBaseline({ caseId, ...head })
    },
  })
  mount(app, agentRoutes.deleteAgentBaseline, {
    schema: { params: byVariant, querystring: baselineRemoval, response: { 200: deletion } },
    handler: async ({ principal, params: { suite, case_id: caseId, variant }, query }) => {
      const expected = query.expected_accepted_at
      const change = { kind: 'deleteAgentBaseline', suite, caseId, variant, at: now(), expected } as const
      const { result } = await store.apply(principal.projectId, change)
      if (result === 'changed') throw new Failure('agent_baseline_changed', { values: { variant } })
      if (result === 'not_found') throw new Failure('agent_baseline_not_found', { values: { variant } })
      return { deleted: 1 }
    },
  })
}

function registerQuarantine(app: App, { store, now }: Deps): void {
  mount(app, agentRoutes.putAgentQuarantine, {
    schema: { params: byCase, body: quarantineInput, response: { 200: agentQuarantine } },
    handler: async ({ principal, params: { suite, case_id: caseId }, body }) => {
      const { projectId, name: setBy } = principal
      const at = now()
      const { owner, reason, expires_at: expiresAt } = body
      if (expiresAt <= at) throw refused('expires_at', 'must be in the future')
      if (expiresAt > at + limits.agentQuarantineDays * day)
        throw refused('expires_at', `must be at most ${limits.agentQuarantineDays} days ahead`)
      const [known] = await store.read(projectId, 'agentHistory', { suite, caseId, limit: 1 })
      if (!known) throw new Failure('agent_case_not_found')
      const quarantine = { owner, reason, expiresAt, setAt: at, setBy }
      const expected = body.expected_set_at
      const change = { kind: 'putAgentQuarantine', suite, caseId, quarantine, expected } as const
      const { result } = await store.apply(projectId, change)
      if (result === 'changed') throw new Failure('agent_quarantine_changed')
      if (result === 'no_suite') throw new Failure('agent_case_not_found')
      return toQuarantine({ caseId, ...quarantine }, at)
    },
  })
  mount(app, agentRoutes.deleteAgentQuarantine, {
    schema: { params: byCase, querystring: quarantineRemoval, response: { 200: deletion } },
    handler: async ({ principal, params: { suite, case_id: caseId }, query }) => {
      const expected = query.expected_set_at
      const change = { kind: 'deleteAgentQuarantine', suite, caseId, at: now(), expected } as const
      const { result } = await store.apply(principal.projectId, change)
      if (result === 'changed') throw new Failure('agent_quarantine_changed')
      if (result === 'not_found') throw new Failure('agent_quarantine_not_found')
      return { deleted: 1 }
    },
  })
}

function refused(path: string, message: string): Failure {
  return new Failure('invalid_request', { errors: [{ path, message }] })
}

function unusable(detail: string): Failure {
  return new Failure('agent_result_unusable', { values: { detail } })
}

function tooManySuites(): Failure {
  return new Failure('limit_reached', { values: { max: limits.agentSuites, what: 'suites of agent tests' } })
}
