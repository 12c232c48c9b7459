/** Suites and their cases as they are looked at. */
import { alignCalls } from '@llm-eval/engine'
import { type AgentCase, type AgentCaseDetail, type AgentSuiteDetail, type Baseline, Failure } from '@llm-eval/protocol'
import { baselineSchema } from '@llm-eval/protocol/agent-schemas'
import { keptResult } from '@llm-eval/protocol/agent-test-schemas'
import type { Store } from '@llm-eval/store'
import { toBaseline, toFlakiness, toOutcome, toQuarantine, toReport } from './wire.ts'

/** Reports that a suite tells of. */
const suiteReports = 30
/** Results that it tells, about: of a suite with many cases it goes less far back. */
const suiteResults = 20_000
/** Reports that the history of one case goes back. */
const caseReports = 100

/** The same order wherever a server runs; case 9 stands before case 10. */
const byName = new Intl.Collator('en', { numeric: true })

/** Where a case is looked for. */
export interface CasePlace {
  projectId: number
  suite: string
  caseId: string
}

type Parts = { store: Store; now: () => number }

/** A suite as its page shows it. @throws {Failure} `agent_suite_not_found` */
export async function suiteDetail(
  { store, now }: Parts,
  { projectId, suite }: Omit<CasePlace, 'caseId'>,
): Promise<AgentSuiteDetail> {
  const found = await store.read(projectId, 'agentSuite', {
    suite,
    reports: suiteReports,
    results: suiteResults,
  })
  if (found === null) throw new Failure('agent_suite_not_found', { values: { suite } })
  const reports = new Map(found.reports.map((report) => [report.id, report]))
  const order = [...reports.keys()]
  const rows = new Map<string, typeof found.results>()
  for (const row of found.results) {
    const others = rows.get(row.caseId)
    if (others) others.push(row)
    else rows.set(row.caseId, [row])
  }
  const quarantines = new Map(found.quarantines.map((one) => [one.caseId, one]))
  const variants = Map.groupBy(found.baselines, ({ caseId }) => caseId)
  const place = new Map(order.map((id, at) => [id, at]))
  const cases: AgentCase[] = []
  for (const [caseId, unordered] of rows) {
    const own = unordered.toSorted((a, b) => (place.get(a.reportId) ?? 0) - (place.get(b.reportId) ?? 0))
    const outcomes = own.flatMap((row) => {
      const report = reports.get(row.reportId)
      return report ? [toOutcome(row, report)] : []
    })
    const [last] = outcomes
    if (!last) continue
    cases.push({
      case_id: caseId,
      name: own[0]?.name ?? caseId,
      last,
      current: last.report_id === order[0],
      history: outcomes.map(({ report_id, at, outcome, state, score }) => ({ report_id, at, outcome, state, score })),
      flakiness: toFlakiness(own),
      quarantine: toQuarantine(quarantines.get(caseId), now()),
      variants: (variants.get(caseId) ?? []).map(({ variant }) => variant),
    })
  }
  return {
    suite,
    reports: found.reports.map(toReport),
    cases: cases.toSorted((a, b) => byName.compare(a.name, b.name)),
  }
}

/** What of a case is looked at. */
export interface CaseLook {
  report_id?: string | undefined
  variant?: string | undefined
  attempt?: number | undefined
}

/**
 * A case as its page shows it.
 *
 * @throws {Failure} `agent_case_not_found`, `agent_report_not_found`, `agent_baseline_not_found`
 */
export async function caseDetail(
  { store, now }: Parts,
  { projectId, ...key }: CasePlace,
  look: CaseLook,
): Promise<AgentCaseDetail> {
  const history = await store.read(projectId, 'agentHistory', { ...key, limit: caseReports })
  const [newest] = history
  if (!newest) throw new Failure('agent_case_not_found')
  const reportId = look.report_id ?? newest.report.id
  const report = await store.read(projectId, 'agentReport', { id: reportId })
  if (report === null || report.suite !== key.suite) throw new Failure('agent_report_not_found')
  const kept = await readResult(store, { projectId, ...key }, reportId)
  if (kept === null) throw new Failure('agent_case_not_found')
  const baselines = await store.read(projectId, 'agentBaselines', key)
  const quarantine = await store.read(projectId, 'agentQuarantine', key)
  return {
    suite: key.suite,
    case_id: key.caseId,
    name: newest.name,
    history: history.map((row) => toOutcome(row, row.report)),
    flakiness: toFlakiness(history.slice(0, suiteReports)),
    quarantine: toQuarantine(quarantine, now()),
    baselines: baselines.map(toBaseline),
    report: toReport(report),
    ...kept,
    compared: compared(kept, baselines.map(readBaseline), look),
  }
}

type KeptResult = Pick<AgentCaseDetail, 'result' | 'check' | 'shortened'>

/**
 * The whole result of a case in a report, with nulls where it was too large to be kept.
 *
 * @returns null where the report has no such case
 */
export async function readResult(
  store: Store,
  { projectId, caseId }: CasePlace,
  reportId: string,
): Promise<KeptResult | null> {
  const found = await store.read(projectId, 'agentResult', { reportId, caseId })
  if (found === null) return null
  if (found.body === null) return { result: null, check: null, shortened: false }
  const body: unknown = JSON.parse(found.body)
  return keptResult.parse(body)
}

/** What was accepted, as the store kept it. */
export function readBaseline({ body }: { body: string }): Baseline {
  const value: unknown = JSON.parse(body)
  return baselineSchema.parse(value)
}

/** The variant that was asked for; else the one that `check` found nearest, the default one, or any. */
function compared(
  { result, check, shortened }: KeptResult,
  baselines: readonly Baseline[],
  look: CaseLook,
): AgentCaseDetail['compared'] {
  const named = (variant: string | null | undefined) => baselines.find((one) => one.variant === variant)
  if (look.variant !== undefined && !named(look.variant))
    throw new Failure('agent_baseline_not_found', { values: { variant: look.variant } })
  const baseline = named(look.variant ?? check?.variant) ?? named('default') ?? baselines[0]
  // Of what was left out it cannot be told whether it differs.
  if (!baseline || !result || shortened) return null
  const passed = result.attempts.findIndex(({ outcome }) => outcome === 'passed')
  const attempt = Math.min(look.attempt ?? Math.max(0, passed), result.attempts.length - 1)
  const before = baseline.attempts[0]?.trace.tool_calls ?? []
  const after = result.attempts[attempt]?.trace.tool_calls ?? []
  return { attempt, baseline, steps: alignCalls(before, after) }
}
