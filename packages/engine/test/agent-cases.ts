import type { AgentToolCall, AgentTrace, Expected, TestCase } from '@llm-eval/protocol'

/** No expectation at all. */
export const nothing: Expected = {
  tools: [],
  tool_categories: [],
  sequence: [],
  sequence_mode: 'subsequence',
  forbidden_tools: [],
  forbidden_sequences: [],
  arguments: [],
  calls: [],
  output: {
    contains: [],
    not_contains: [],
    regex: [],
    not_regex: [],
    json_schema: null,
    must_acknowledge_uncertainty: false,
    no_pii: false,
  },
  metrics: {},
}

/** A case that expects this, and is like any other else. */
export function caseWith(expected: Partial<Expected>, other: Partial<TestCase> = {}): TestCase {
  return {
    case_id: 'a',
    name: 'A',
    description: null,
    suite: 's',
    file: 'a.yaml',
    line: 1,
    tags: [],
    turns: [{ query: 'Analyze AAPL', context: null, expected: null }],
    expected: { ...nothing, ...expected },
    rubric: null,
    thresholds: {
      min_score: 70,
      max_cost: null,
      max_latency: null,
      weights: { tool_accuracy: 0.3, output_quality: 0.5, sequence_correctness: 0.2 },
      variance: null,
    },
    repetitions: 1,
    checks: { hallucination: 'off', safety: 'off', pii: 'off' },
    agent: { endpoint: null, headers: {}, timeout_ms: null, tools: [] },
    model: null,
    difficulty: null,
    suite_type: null,
    meta: {},
    ...other,
  }
}

/** A call of a tool, without a result. */
export function call(name: string, args: unknown = {}, other: Partial<AgentToolCall> = {}): AgentToolCall {
  const none = { id: null, result: null, succeeded: null, error: null, started_ms: null, ended_ms: null, turn: 1 }
  return { ...none, name, args, ...other }
}

/** What an agent of level 3 was seen to do. */
export function traceOf(
  output: string,
  calls: (string | AgentToolCall)[] = [],
  other: Partial<AgentTrace> = {},
): AgentTrace {
  return {
    dialect: 'events',
    level: 3,
    captured: ['output', 'tools', 'tool_arguments', 'tool_results'],
    output,
    tool_calls: calls.map((one) => (typeof one === 'string' ? call(one) : one)),
    turns: [{ query: 'Analyze AAPL', output, latency_ms: 10, first_token_ms: null, attempts: 1 }],
    tokens: null,
    cost: null,
    cost_source: null,
    model: null,
    session_id: null,
    latency_ms: 10,
    first_token_ms: null,
    notes: [],
    fault: null,
    warnings: [],
    ...other,
  }
}
