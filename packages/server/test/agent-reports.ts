import { randomUUID } from 'node:crypto'
import type { AgentReportInput, AgentTrace, AttemptResult, CaseCheck, CaseResult } from '@llm-eval/protocol'

/** A call of a tool that took a tenth of a second, one after the other. */
export function toolCall(name: string, args: unknown = {}, at = 0): AgentTrace['tool_calls'][number] {
  return {
    id: null,
    name,
    args,
    result: 'ok',
    succeeded: true,
    error: null,
    started_ms: at * 100,
    ended_ms: at * 100 + 90,
    turn: 1,
  }
}

/** What an agent did that answers one question with one tool. */
export function agentTrace(fields: Partial<AgentTrace> = {}): AgentTrace {
  const output = fields.output ?? 'AAPL stands at 189.84.'
  return {
    dialect: 'events',
    level: 3,
    captured: ['output', 'tools', 'tool_arguments', 'tool_results', 'tokens', 'cost', 'model'],
    output,
    tool_calls: [toolCall('get_quote', { symbol: 'AAPL' })],
    turns: [{ query: 'How is Apple?', output, latency_ms: 120, first_token_ms: 20, attempts: 1 }],
    tokens: { input: 10, output: 20, cached: null, total: 30 },
    cost: 0.002,
    cost_source: 'reported',
    model: 'gpt-4o',
    session_id: null,
    latency_ms: 120,
    first_token_ms: 20,
    notes: [],
    fault: null,
    warnings: [],
    ...fields,
  }
}

export function attemptResult(fields: Partial<AttemptResult> = {}): AttemptResult {
  return {
    outcome: 'passed',
    score: 90,
    complete: false,
    parts: {
      tool_accuracy: { outcome: 'scored', value: 1, detail: 'All of 1 expected tools were called.' },
      output_quality: { outcome: 'skipped', reason: 'no_judge', detail: 'No judge is configured.' },
      sequence_correctness: { outcome: 'not_expected' },
    },
    assertions: [
      { kind: 'output.contains', turn: null, outcome: 'passed', expected: 'AAPL', actual: null, message: 'Says AAPL.' },
    ],
    trace: agentTrace(),
    judged: [],
    ...fields,
  }
}

export function caseResult(id: string, fields: Partial<CaseResult> = {}): CaseResult {
  const attempts = fields.attempts ?? [attemptResult()]
  return {
    case_id: id,
    name: `case ${id}`,
    suite: 'stocks',
    outcome: attempts[0]?.outcome ?? 'unevaluated',
    attempts,
    repeated: null,
    ...fields,
  }
}

const unchanged = { before: null, after: null, interval: null, detectable: null }

export function caseCheck(id: string, fields: Partial<CaseCheck> = {}): CaseCheck {
  return {
    case_id: id,
    name: `case ${id}`,
    suite: 'stocks',
    state: 'PASSED',
    variant: null,
    steps: [],
    output_similarity: null,
    score: unchanged,
    cost: unchanged,
    latency: unchanged,
    model: { before: null, after: 'gpt-4o' },
    forbidden_tools: [],
    quarantine: null,
    reasons: [],
    ...fields,
  }
}

/** A report of one passing case, unless told otherwise. */
export function agentReportOf(fields: Partial<AgentReportInput> = {}): AgentReportInput {
  return {
    report_id: `rep_${randomUUID()}`,
    suite: 'stocks',
    command: 'test',
    at: '2025-01-27T11:00:00.000Z',
    by: null,
    commit: null,
    branch: null,
    note: null,
    verdict: null,
    exit_code: 0,
    run_id: null,
    cases: [{ result: caseResult('a'), check: null }],
    ...fields,
  }
}
