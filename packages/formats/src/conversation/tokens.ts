import type { ConversationTokens } from '@llm-eval/protocol'
import type { AdkUsage } from '../adk/index.ts'

export const noTokens: ConversationTokens = { input: null, output: null, thoughts: null, cached: null, total: null }

/** Tokens of an event. Results of tools count as input, thoughts as output. */
export function tokensOf(usage: AdkUsage): ConversationTokens {
  const thoughts = usage.thoughtsTokenCount ?? null
  return {
    input: sum(usage.promptTokenCount ?? null, usage.toolUsePromptTokenCount ?? null),
    output: sum(usage.candidatesTokenCount ?? null, thoughts),
    thoughts,
    cached: usage.cachedContentTokenCount ?? null,
    total: usage.totalTokenCount ?? null,
  }
}

/** What is known of either. */
export function addTokens(one: ConversationTokens, other: ConversationTokens): ConversationTokens {
  return {
    input: sum(one.input, other.input),
    output: sum(one.output, other.output),
    thoughts: sum(one.thoughts, other.thoughts),
    cached: sum(one.cached, other.cached),
    total: sum(one.total, other.total),
  }
}

function sum(one: number | null, other: number | null): number | null {
  return one === null ? other : one + (other ?? 0)
}
