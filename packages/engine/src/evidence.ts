import { folded, synonymsOf } from './names.ts'

/** What was seen of one request to an LLM application. Null and undefined are unknown. */
export interface Seen {
  query: unknown
  response: unknown
  systemPrompt?: string | null | undefined
  /** A whole conversation before the response; without it the query is all of it. */
  history?: readonly unknown[] | undefined
  toolCalls?: unknown
  /** Milliseconds. */
  latency?: number | null | undefined
  /** US dollars. */
  cost?: number | null | undefined
  tokens?: number | null | undefined
  /** What should have been. */
  reference?: unknown
  expected?: unknown
  context?: unknown
  expectedToolCalls?: unknown
}

/** The fields that evaluators take, under the names of evidence. What is unknown is absent. */
export function evidenceOf(seen: Seen): Record<string, unknown> {
  const all: Record<string, unknown> = {
    query: seen.query,
    response: seen.response,
    system_prompt: seen.systemPrompt,
    messages: messagesOf(seen),
    tool_calls: seen.toolCalls,
    latency: seen.latency,
    cost: seen.cost,
    tokens: seen.tokens,
    reference: seen.reference,
    expected: seen.expected,
    context: seen.context,
    expected_tool_calls: seen.expectedToolCalls,
  }
  for (const name in all) if (all[name] === null || all[name] === undefined) delete all[name]
  return all
}

function messagesOf({ systemPrompt, query, response, history }: Seen): unknown[] {
  const messages: unknown[] = []
  const add = (role: string, content: unknown) => {
    if (content !== null && content !== undefined && content !== '') messages.push({ role, content })
  }
  add('system', systemPrompt)
  if (history) messages.push(...history)
  else add('user', query)
  add('assistant', response)
  return messages
}

/** Names of what should have been that stand for themselves, though they stand in for others too. */
const expectations = new Set(['context', 'expectedtoolcalls'])

/**
 * Whether a field of somebody's own is handed on to evaluators as it is. Those that could be taken for what was seen are not: a
 * column `answer` of a dataset is no answer of the application.
 */
export function isOwnField(name: string): boolean {
  return expectations.has(folded(name)) || synonymsOf(name).length === 0
}
