import type { EvaluationUpdate, Metrics, ScoreUpdate, StreamFrame, TraceDetail, TraceSummary } from '@llm-eval/protocol'

/** A row as the server lists it. */
export function row(ref: number, parts: Partial<TraceSummary> = {}): TraceSummary {
  return {
    trace_id: `trace-${ref}`,
    ref,
    timestamp: new Date(Date.UTC(2025, 0, 27, 12, 0, ref % 60)).toISOString(),
    model_name: 'gpt-4',
    user_query: `question ${ref}`,
    ai_response: `answer ${ref}`,
    evaluation_status: 'pending',
    tokens_used: 10,
    response_time_ms: 100,
    cost: 0.01,
    session_id: null,
    user_id: null,
    source: null,
    version: 0,
    scores: [],
    ...parts,
  }
}

export function detail(ref: number, parts: Partial<TraceDetail> = {}): TraceDetail {
  return {
    ...row(ref),
    scores: [],
    system_prompt: '',
    functions_called: [],
    metadata: {},
    extra: {},
    captured: ['response'],
    state: 'closed',
    received_at: '2025-01-27T12:00:00.000Z',
    batch_id: null,
    review: { reason: null, note: null, reviewer: null, at: null },
    reviews: [],
    spans: [],
    ...parts,
  }
}

export function arrived(trace: TraceSummary): StreamFrame {
  const { trace_id, ref, model_name, evaluation_status } = trace
  return {
    event: 'trace_updates',
    data: { action: 'new_trace', trace_id, ref, model_name, evaluation_status, trace },
    timestamp: trace.timestamp,
  }
}

export function deleted(ref: number): StreamFrame {
  return {
    event: 'trace_updates',
    data: { action: 'trace_deleted', trace_id: null, ref, model_name: 'gpt-4', evaluation_status: 'pending' },
    timestamp: '2025-01-27T12:00:00.000Z',
  }
}

export function judged(ref: number, parts: Partial<EvaluationUpdate> = {}): StreamFrame {
  return {
    event: 'evaluation_updates',
    data: {
      trace_id: `trace-${ref}`,
      ref,
      status: 'accepted',
      previous_status: 'pending',
      model_name: 'gpt-4',
      reason: null,
      reviewer: null,
      version: 1,
      ...parts,
    },
    timestamp: '2025-01-27T12:00:00.000Z',
  }
}

export function scored(ref: number, parts: Partial<ScoreUpdate> = {}): StreamFrame {
  return {
    event: 'score_updates',
    data: {
      trace_id: `trace-${ref}`,
      ref,
      model_name: 'gpt-4',
      execution_id: `execution-${ref}`,
      evaluator: 'exact-match',
      outcome: 'scored',
      value: 1,
      label: null,
      passed: true,
      ...parts,
    },
    timestamp: '2025-01-27T12:00:00.000Z',
  }
}

export function metrics(parts: Partial<Metrics> = {}): Metrics {
  return {
    total_traces: 1_500,
    accepted_traces: 850,
    rejected_traces: 150,
    pending_traces: 500,
    in_review_traces: 0,
    decided_traces: 1_000,
    avg_response_time: 1_250.5,
    response_time_count: 1_180,
    total_cost: 15.67,
    cost_count: 1_500,
    total_tokens: 0,
    tokens_count: 0,
    today_traces: 45,
    acceptance_rate: 85,
    ...parts,
  }
}
