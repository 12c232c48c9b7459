import { evidenceOf } from '@llm-eval/engine'
import type { TraceDetail } from '@llm-eval/protocol'

/**
 * What a trace gives to an evaluator, under the names of evidence. What its source could not observe is absent, and so is what
 * is unknown. References come from the metadata: `reference` (or `expected`), `context`, `expected_tool_calls`.
 */
export function inputOf(trace: TraceDetail): Record<string, unknown> {
  const { metadata, captured } = trace
  const saw = (part: TraceDetail['captured'][number]) => captured.includes(part)
  return evidenceOf({
    query: trace.user_query === '' ? null : trace.user_query,
    response: saw('response') ? trace.ai_response : null,
    systemPrompt: saw('system_prompt') ? trace.system_prompt : null,
    toolCalls: saw('tools') ? trace.functions_called : null,
    latency: trace.response_time_ms,
    cost: trace.cost,
    tokens: trace.tokens_used,
    reference: metadata['reference'] ?? metadata['expected'],
    expected: metadata['expected'],
    context: metadata['context'],
    expectedToolCalls: metadata['expected_tool_calls'],
  })
}
