import type { TraceDetail } from '@llm-eval/protocol'

/** A stored trace as it can be sent again. What was unknown is left out, so that it stays unknown. */
export function asSent(trace: TraceDetail): Record<string, unknown> {
  const sent: [string, unknown][] = [
    ['trace_id', trace.trace_id],
    ['timestamp', trace.timestamp],
    ['model_name', trace.model_name],
    ['user_query', trace.user_query],
    ['system_prompt', trace.captured.includes('system_prompt') ? trace.system_prompt : null],
    ['ai_response', trace.ai_response],
    ['functions_called', trace.captured.includes('tools') ? trace.functions_called : null],
    ['metadata', Object.keys(trace.metadata).length > 0 ? trace.metadata : null],
    ['tokens_used', trace.tokens_used],
    ['response_time_ms', trace.response_time_ms],
    ['cost', trace.cost],
    ['session_id', trace.session_id],
    ['user_id', trace.user_id],
    ['source', trace.source],
    ...Object.entries(trace.extra),
  ]
  // Not by assignment: that would lose a key named __proto__.
  return Object.fromEntries(sent.filter(([, value]) => value !== null))
}
