import type { ConversationTokens } from './conversations.ts'

/** Tokens that a call of a model reported, by Gemini's names. */
export interface ReportedUsage {
  promptTokenCount?: number | null | undefined
  toolUsePromptTokenCount?: number | null | undefined
  candidatesTokenCount?: number | null | undefined
  thoughtsTokenCount?: number | null | undefined
  cachedContentTokenCount?: number | null | undefined
  totalTokenCount?: number | null | undefined
}

/** Nothing is known. */
export const noTokens: ConversationTokens = { input: null, output: null, thoughts: null, cached: null, total: null }

/** The sum of those that are known; null, not 0, where none is. No more than a number can hold exactly: agents claim anything. */
export function sumKnown(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number')
  if (known.length === 0) return null
  return Math.min(
    known.reduce((sum, value) => sum + value, 0),
    Number.MAX_SAFE_INTEGER,
  )
}

/** Tokens of a call. Results of tools that run at the model's count as input, thoughts as output; the total is what was reported. */
export function tokensOf(usage: ReportedUsage): ConversationTokens {
  return {
    input: sumKnown([usage.promptTokenCount, usage.toolUsePromptTokenCount]),
    output: sumKnown([usage.candidatesTokenCount, usage.thoughtsTokenCount]),
    thoughts: usage.thoughtsTokenCount ?? null,
    cached: usage.cachedContentTokenCount ?? null,
    total: usage.totalTokenCount ?? null,
  }
}

/** What is known of several, one by one. */
export function sumTokens(all: readonly ConversationTokens[]): ConversationTokens {
  const sum = (kind: keyof ConversationTokens) => sumKnown(all.map((one) => one[kind]))
  return {
    input: sum('input'),
    output: sum('output'),
    thoughts: sum('thoughts'),
    cached: sum('cached'),
    total: sum('total'),
  }
}
