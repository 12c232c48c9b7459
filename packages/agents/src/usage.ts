import type { Prices } from '@llm-eval/pricing'
import type { AgentTokens } from '@llm-eval/protocol'
import { record, textIn } from './told.ts'

/** Prices, or some that are loaded when they are first asked for. */
export interface AskedPrices {
  cost(...asked: Parameters<Prices['cost']>): number | null | Promise<number | null>
}

/** Tokens and cost of a part of an answer; null where it is not told. */
export interface Usage {
  input: number | null
  output: number | null
  cached: number | null
  total: number | null
  /** US dollars. */
  cost: number | null
  model: string | null
}

/** Reads usage under any of the names in use: OpenAI's, Anthropic's, Google's, the AI SDK's, and the seed's. */
export function usageIn(value: unknown): Usage | null {
  // A bare number says how many, but not of which kind.
  if (count(value) !== null)
    return { input: null, output: null, cached: null, total: count(value), cost: null, model: null }
  const told = record(value)
  if (!told) return null
  const input = first(told, [
    'input_tokens',
    'input',
    'prompt_tokens',
    'inputTokens',
    'promptTokens',
    'promptTokenCount',
  ])
  const output = first(told, [
    'output_tokens',
    'output',
    'completion_tokens',
    'outputTokens',
    'completionTokens',
    'candidatesTokenCount',
  ])
  const details = record(told['prompt_tokens_details']) ?? record(told['input_tokens_details'])
  const cached =
    first(told, [
      'cached_tokens',
      'cached',
      'cachedInputTokens',
      'cache_read_input_tokens',
      'cachedContentTokenCount',
    ]) ?? (details ? first(details, ['cached_tokens']) : null)
  const total = first(told, ['total_tokens', 'total', 'totalTokens', 'tokens', 'totalTokenCount'])
  const cost = dollarsIn(told)
  if (input === null && output === null && total === null && cost === null) return null
  return { input, output, cached, total, cost, model: textIn(told, ['model', 'model_id', 'model_name']) ?? null }
}

/** A cost in US dollars, under any of its names; null where none is told. Zero is a cost. */
export function dollarsIn(told: Readonly<Record<string, unknown>>): number | null {
  for (const name of ['cost', 'total_cost', 'totalCost', 'cost_usd', 'total_cost_usd', 'costUsd']) {
    const value = told[name]
    const dollars = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof dollars === 'number' && Number.isFinite(dollars) && dollars >= 0) return dollars
  }
  return null
}

/** Two usages as one; what is unknown of either is unknown of both. */
export function joinUsage(first: Usage, second: Usage): Usage {
  const [a, b] = [whole(first), whole(second)]
  const sum = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y)
  return {
    input: sum(a.input, b.input),
    output: sum(a.output, b.output),
    cached: a.cached === null && b.cached === null ? null : (a.cached ?? 0) + (b.cached ?? 0),
    total: sum(a.total, b.total),
    cost: sum(a.cost, b.cost),
    model: a.model === b.model ? a.model : null,
  }
}

/** The tokens of all parts together; null where a part does not say. Cached ones beyond the input came on top of it. */
export function tokensOf(usages: readonly Usage[]): AgentTokens | null {
  if (usages.length === 0) return null
  const { input, output, cached, total } = usages.map(whole).reduce(joinUsage)
  return total === null ? null : { input, output, cached, total }
}

/**
 * The cost of all parts, in US dollars: as each was reported, or by the price of exactly its model. One part that has neither
 * makes the sum unknown.
 */
export async function costOf(
  usages: readonly Usage[],
  { model, prices }: { model: string | null; prices: AskedPrices },
): Promise<{ cost: number; source: 'reported' | 'priced' } | null> {
  if (usages.length === 0) return null
  let sum = 0
  let source: 'reported' | 'priced' = 'reported'
  for (const usage of usages) {
    const part = usage.cost ?? (await priced(usage, { model: usage.model ?? model, prices }))
    if (part === null) return null
    if (usage.cost === null) source = 'priced'
    sum += part
  }
  return { cost: sum, source }
}

async function priced(
  { input, output, cached }: Usage,
  { model, prices }: { model: string | null; prices: AskedPrices },
): Promise<number | null> {
  if (model === null || input === null || output === null) return null
  const nano = await prices.cost({ model }, { input, output, cachedInput: cached ?? 0 })
  return nano === null ? null : nano / 1e9
}

/** Usage whose input holds what was cached, and whose parts are summed. */
function whole(usage: Usage): Usage {
  const { input: told, output, cached } = usage
  const input = told !== null && cached !== null && cached > told ? told + cached : told
  return { ...usage, input, total: input === null || output === null ? usage.total : input + output }
}

function first(told: Readonly<Record<string, unknown>>, names: readonly string[]): number | null {
  for (const name of names) {
    const value = count(told[name])
    if (value !== null) return value
  }
  return null
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}
