import {
  agentCommands,
  agentDialects,
  type AgentBaseline,
  type AgentCase,
  type AgentCaseDetail,
  agentFaults,
  type AgentFlakiness,
  type AgentLevel,
  type AgentOutcome,
  agentParts,
  type AgentQuarantine,
  type AgentReport,
  agentRoutes,
  type AgentSuite,
  type AgentSuiteDetail,
  type AgentTokens,
  type AgentToolCall,
  type AgentTrace,
  type ArgumentDifference,
  type Assertion,
  attemptOutcomes,
  type AttemptResult,
  type Baseline,
  type CaseCheck,
  type CaseResult,
  type Change,
  checkStates,
  type PartScore,
  releaseVerdicts,
  type ToolStep,
} from '@llm-eval/protocol'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { exitCode } from './answers.ts'
import { anything, type Check, flag, list, nullable, number, oneOf, record, shape, text, Unreadable } from './checks.ts'
import type { Api } from './client.ts'
import { keys } from './queries.ts'

const level: Check<AgentLevel> = (value, path) => {
  if (value === 1 || value === 2 || value === 3) return value
  throw new Unreadable(path, '1, 2 or 3')
}
const versionOne: Check<1> = (value, path) => {
  if (value === 1) return value
  throw new Unreadable(path, '1')
}

const report = shape<AgentReport>({
  report_id: text,
  suite: text,
  command: oneOf(agentCommands),
  at: text,
  by: nullable(text),
  commit: nullable(text),
  branch: nullable(text),
  note: nullable(text),
  verdict: nullable(oneOf(releaseVerdicts)),
  exit_code: exitCode,
  run_id: nullable(text),
  cases: number,
  passed: number,
  failed: number,
  faulted: number,
  unevaluated: number,
})

const suite = shape<AgentSuite>({ suite: text, reports: number, updated_at: text, last: nullable(report) })

const outcome = shape<AgentOutcome>({
  report_id: text,
  at: text,
  outcome: oneOf(attemptOutcomes),
  state: nullable(oneOf(checkStates)),
  score: nullable(number),
  cost: nullable(number),
  latency_ms: nullable(number),
  model: nullable(text),
  passed: number,
  n: number,
  commit: nullable(text),
  branch: nullable(text),
  run_id: nullable(text),
})

const flakiness = shape<AgentFlakiness>({ flaky: flag, changes: number, of: number, p: nullable(number) })

const quarantine = shape<AgentQuarantine>({
  owner: text,
  reason: text,
  expires_at: text,
  expired: flag,
  set_at: text,
  set_by: nullable(text),
})

const agentCase = shape<AgentCase>({
  case_id: text,
  name: text,
  last: outcome,
  current: flag,
  history: list(
    shape<AgentCase['history'][number]>({
      report_id: text,
      at: text,
      outcome: oneOf(attemptOutcomes),
      state: nullable(oneOf(checkStates)),
      score: nullable(number),
    }),
  ),
  flakiness,
  quarantine: nullable(quarantine),
  variants: list(text),
})

const suiteDetail = shape<AgentSuiteDetail>({ suite: text, reports: list(report), cases: list(agentCase) })

const toolCall = shape<AgentToolCall>({
  id: nullable(text),
  name: text,
  args: anything,
  result: anything,
  succeeded: nullable(flag),
  error: nullable(text),
  started_ms: nullable(number),
  ended_ms: nullable(number),
  turn: number,
})

const trace = shape<AgentTrace>({
  dialect: nullable(oneOf(agentDialects)),
  level,
  captured: list(oneOf(agentParts)),
  output: text,
  tool_calls: list(toolCall),
  turns: list(
    shape<AgentTrace['turns'][number]>({
      query: text,
      output: text,
      latency_ms: number,
      first_token_ms: nullable(number),
      attempts: number,
    }),
  ),
  tokens: nullable(
    shape<AgentTokens>({ input: nullable(number), output: nullable(number), cached: nullable(number), total: number }),
  ),
  cost: nullable(number),
  cost_source: nullable(oneOf(['reported', 'priced'])),
  model: nullable(text),
  session_id: nullable(text),
  latency_ms: number,
  first_token_ms: nullable(number),
  notes: list(
    shape<AgentTrace['notes'][number]>({
      kind: oneOf(['status', 'narration', 'unknown']),
      text,
      at_ms: number,
      turn: number,
    }),
  ),
  fault: (value, path) =>
    value === null || value === undefined
      ? null
      : shape<{ code: (typeof agentFaults)[number]; message: string }>({ code: oneOf(agentFaults), message: text })(
          value,
          path,
        ),
  warnings: list(text),
})

const part: Check<PartScore> = (value, path) => {
  const given = record(value, path)
  const detail = () => text(given.detail, `${path}.detail`)
  switch (given.outcome) {
    case 'scored':
      return { outcome: 'scored', value: number(given.value, `${path}.value`), detail: detail() }
    case 'not_expected':
      return { outcome: 'not_expected' }
    case 'skipped': {
      const reason = oneOf(['no_judge', 'not_captured', 'fault'])(given.reason, `${path}.reason`)
      return { outcome: 'skipped', reason, detail: detail() }
    }
    case 'errored':
      return { outcome: 'errored', detail: detail() }
    default:
      throw new Unreadable(`${path}.outcome`, 'an outcome')
  }
}

const attempt = shape<AttemptResult>({
  outcome: oneOf(attemptOutcomes),
  score: nullable(number),
  complete: flag,
  parts: shape<AttemptResult['parts']>({ tool_accuracy: part, output_quality: part, sequence_correctness: part }),
  assertions: list(
    shape<Assertion>({
      kind: text,
      turn: nullable(number),
      outcome: oneOf(['passed', 'failed', 'unknown']),
      expected: anything,
      actual: anything,
      message: text,
    }),
  ),
  trace,
  judged: list(
    shape<AttemptResult['judged'][number]>({
      evaluator: text,
      value: nullable(number),
      explanation: nullable(text),
      cost: nullable(number),
    }),
  ),
})

const powers = list(shape<{ k: number; value: number }>({ k: number, value: number }))
type Repeated = NonNullable<CaseResult['repeated']>
const range = { low: number, high: number, level: number }

const caseResult = shape<CaseResult>({
  case_id: text,
  name: text,
  suite: text,
  outcome: oneOf(attemptOutcomes),
  attempts: list(attempt),
  repeated: nullable(
    shape<Repeated>({
      n: number,
      passed: number,
      pass_rate: shape<Repeated['pass_rate']>({ estimate: number, ...range }),
      pass_at_k: powers,
      pass_hat_k: powers,
      mean_score: nullable(number),
      standard_deviation: nullable(number),
      flaky: flag,
      flaky_p: number,
    }),
  ),
})

const change = shape<Change>({
  before: nullable(number),
  after: nullable(number),
  interval: nullable(shape<NonNullable<Change['interval']>>(range)),
  detectable: nullable(flag),
})

const step = shape<ToolStep>({
  kind: oneOf(['same', 'arguments', 'moved', 'added', 'removed']),
  name: text,
  before: nullable(number),
  after: nullable(number),
  differences: list(
    shape<ArgumentDifference>({
      path: text,
      kind: oneOf(['missing', 'added', 'type', 'value']),
      before: anything,
      after: anything,
    }),
  ),
})

const check = shape<CaseCheck>({
  case_id: text,
  name: text,
  suite: text,
  state: oneOf(checkStates),
  variant: nullable(text),
  steps: list(step),
  output_similarity: nullable(number),
  score: change,
  cost: change,
  latency: change,
  model: shape<CaseCheck['model']>({ before: nullable(text), after: nullable(text) }),
  forbidden_tools: list(text),
  quarantine: nullable(
    shape<NonNullable<CaseCheck['quarantine']>>({ case_id: text, owner: text, reason: text, expires_at: text }),
  ),
  reasons: list(text),
})

const baseline = shape<AgentBaseline>({
  variant: text,
  accepted_at: text,
  accepted_by: nullable(text),
  note: nullable(text),
  model: nullable(text),
  attempts: number,
})

const wholeBaseline = shape<Baseline>({
  version: versionOne,
  case_id: text,
  name: text,
  suite: text,
  variant: text,
  accepted_at: text,
  accepted_by: nullable(text),
  note: nullable(text),
  model: nullable(text),
  attempts: list(shape<Baseline['attempts'][number]>({ score: nullable(number), trace })),
})

const caseDetail = shape<AgentCaseDetail>({
  suite: text,
  case_id: text,
  name: text,
  history: list(outcome),
  flakiness,
  quarantine: nullable(quarantine),
  baselines: list(baseline),
  report,
  result: nullable(caseResult),
  check: nullable(check),
  shortened: flag,
  compared: nullable(
    shape<NonNullable<AgentCaseDetail['compared']>>({ attempt: number, baseline: wholeBaseline, steps: list(step) }),
  ),
})

/** A case, and what of it is looked at. */
export interface CaseWish {
  suite: string
  caseId: string
  report?: string | undefined
  variant?: string | undefined
  attempt?: string | undefined
}

/** How agent tests are read. The stream says when they changed; see `createFeed`. */
export function agentTestQueries(api: Api) {
  return {
    suites: () =>
      queryOptions({
        queryKey: [...keys.agentTests, 'suites'],
        queryFn: ({ signal }) =>
          api({
            route: agentRoutes.listAgentSuites,
            answer: shape<{ items: AgentSuite[] }>({ items: list(suite) }),
            signal,
          }),
      }),
    suite: (name: string) =>
      queryOptions({
        queryKey: [...keys.agentTests, 'suite', name],
        queryFn: ({ signal }) =>
          api({ route: agentRoutes.getAgentSuite, path: { suite: name }, answer: suiteDetail, signal }),
      }),
    case: ({ suite: name, caseId, ...look }: CaseWish) =>
      queryOptions({
        queryKey: [...keys.agentTests, 'case', name, caseId, look],
        queryFn: ({ signal }) => {
          const query = new URLSearchParams()
          if (look.report !== undefined) query.set('report_id', look.report)
          if (look.variant !== undefined) query.set('variant', look.variant)
          if (look.attempt !== undefined) query.set('attempt', look.attempt)
          const path = { suite: name, case_id: caseId }
          return api({ route: agentRoutes.getAgentCase, path, query, answer: caseDetail, signal })
        },
        placeholderData: keepPreviousData,
      }),
  }
}

export async function deleteSuite(api: Api, name: string): Promise<void> {
  await api({ route: agentRoutes.deleteAgentSuite, path: { suite: name }, answer: anything })
}

interface Place {
  suite: string
  caseId: string
}

const placeOf = ({ suite: name, caseId }: Place) => ({ suite: name, case_id: caseId })

/** Accepts what a case did in a report; `expected` is when what it replaces was accepted, null for a new variant. */
export function acceptResult(
  api: Api,
  place: Place,
  { variant, reportId, note, expected }: { variant: string; reportId: string; note: string; expected: string | null },
): Promise<AgentBaseline> {
  const body = { report_id: reportId, expected_accepted_at: expected, ...(note === '' ? {} : { note }) }
  return api({ route: agentRoutes.putAgentBaseline, path: { ...placeOf(place), variant }, body, answer: baseline })
}

/** Accepts a way of a case no more, if it is still that of then. */
export async function deleteBaseline(
  api: Api,
  place: Place,
  { variant, accepted_at }: Pick<AgentBaseline, 'variant' | 'accepted_at'>,
): Promise<void> {
  const query = new URLSearchParams({ expected_accepted_at: accepted_at })
  await api({ route: agentRoutes.deleteAgentBaseline, path: { ...placeOf(place), variant }, query, answer: anything })
}

/** Quarantines a case; `expected_set_at` is when the quarantine it replaces was set, null for a new one. */
export function putQuarantine(
  api: Api,
  place: Place,
  body: Pick<AgentQuarantine, 'owner' | 'reason' | 'expires_at'> & { expected_set_at: string | null },
): Promise<AgentQuarantine> {
  return api({ route: agentRoutes.putAgentQuarantine, path: placeOf(place), body, answer: quarantine })
}

/** Ends a quarantine, if it is still that of then. */
export async function endQuarantine(
  api: Api,
  place: Place,
  { set_at }: Pick<AgentQuarantine, 'set_at'>,
): Promise<void> {
  const query = new URLSearchParams({ expected_set_at: set_at })
  await api({ route: agentRoutes.deleteAgentQuarantine, path: placeOf(place), query, answer: anything })
}
