import type { TraceDetail } from '@llm-eval/protocol'

/**
 * What a trace gives to an evaluator, under the names of evidence. What its source could not observe is absent, and so is what
 * is unknown. References come from the metadata: `reference` (or `expected`), `context`, `expected_tool_calls`.
 */
export function inputOf(trace: TraceDetail): Record<string, unknown> {
  const { metadata, captured } = trace
  const saw = (part: TraceDetail['captured'][number]) => captured.includes(part)
  const all: Record<string, unknown> = {
    query: trace.user_query === '' ? null : trace.user_query,
    response: saw('response') ? trace.ai_response : null,
    system_prompt: saw('system_prompt') ? trace.system_prompt : null,
    messages: messagesOf(trace),
    tool_calls: saw('tools') ? trace.functions_called : null,
    latency: trace.response_time_ms,
    cost: trace.cost,
    tokens: trace.tokens_used,
    reference: metadata['reference'] ?? metadata['expected'],
    expected: metadata['expected'],
    context: metadata['context'],
    expected_tool_calls: metadata['expected_tool_calls'],
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined))
}

function messagesOf({ system_prompt, user_query, ai_response, captured }: TraceDetail) {
  const messages = [
    { role: 'system', content: system_prompt },
    { role: 'user', content: user_query },
    { role: 'assistant', content: captured.includes('response') ? ai_response : '' },
  ]
  return messages.filter(({ content }) => content !== '')
}
