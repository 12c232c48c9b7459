import { type ReportedUsage, sumKnown } from '@llm-eval/protocol'

/** ADK's `token_usage_v1`, by its names. Each is null where no call of a model reported it: unknown, not 0. */
export interface TokenUsageDetails {
  /** Input and output together, not what a model reported as its total: ADK's own measure, other than the numbers of a conversation. */
  total_tokens: number | null
  /** Prompt and results of tools that run at the model's. */
  input_tokens: number | null
  prompt_tokens: number | null
  cached_tokens: number | null
  tool_use_tokens: number | null
  /** Candidates and reasoning. */
  output_tokens: number | null
  candidates_tokens: number | null
  reasoning_tokens: number | null
}

/** ADK's `token_usage_v1` of one turn (`_efficiency_evaluators.py` of google-adk 2.13.0): sums over the calls of models that reported. */
export function tokenUsage(calls: readonly ReportedUsage[]): TokenUsageDetails {
  const sum = (of: (usage: ReportedUsage) => number | null | undefined) => sumKnown(calls.map(of))
  const prompt = sum((usage) => usage.promptTokenCount)
  const tools = sum((usage) => usage.toolUsePromptTokenCount)
  const candidates = sum((usage) => usage.candidatesTokenCount)
  const thoughts = sum((usage) => usage.thoughtsTokenCount)
  const input = sumKnown([prompt, tools])
  const output = sumKnown([candidates, thoughts])
  return {
    total_tokens: sumKnown([input, output]),
    input_tokens: input,
    prompt_tokens: prompt,
    cached_tokens: sum((usage) => usage.cachedContentTokenCount),
    tool_use_tokens: tools,
    output_tokens: output,
    candidates_tokens: candidates,
    reasoning_tokens: thoughts,
  }
}

/** Turns taken together as ADK does: means over all turns, also those that report nothing, as long as one reports; else null. */
export function meanTokenUsage(turns: readonly TokenUsageDetails[]): TokenUsageDetails {
  const mean = (name: keyof TokenUsageDetails) => {
    const sum = sumKnown(turns.map((turn) => turn[name]))
    return sum === null ? null : sum / turns.length
  }
  return {
    total_tokens: mean('total_tokens'),
    input_tokens: mean('input_tokens'),
    prompt_tokens: mean('prompt_tokens'),
    cached_tokens: mean('cached_tokens'),
    tool_use_tokens: mean('tool_use_tokens'),
    output_tokens: mean('output_tokens'),
    candidates_tokens: mean('candidates_tokens'),
    reasoning_tokens: mean('reasoning_tokens'),
  }
}
