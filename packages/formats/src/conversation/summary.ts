import {
  type Conversation,
  type ConversationDetail,
  type ConversationEvent,
  durationSeconds,
  sumTokens,
  titleOf,
  tokensOf,
} from '@llm-eval/protocol'
import { type AdkEvent, isUser } from '../adk/index.ts'
import { hear, type HearingOptions } from './heard.ts'
import { requestsOf, type Watch } from './requests.ts'
import { turnsOf } from './turns.ts'

/** What is known of a thread from its events alone. */
export type ConversationNumbers = Omit<
  ConversationDetail,
  'thread_id' | 'target' | 'app_name' | 'user_id' | 'replay_of'
>

/**
 * The numbers of a thread, by the same reading as its turns and its exports. Partial events count nothing, as what they say is told
 * again as a whole. Without events `started_at` and `updated_at` are empty.
 */
export function summarise(
  events: readonly ConversationEvent[],
  options: HearingOptions & Watch = {},
): ConversationNumbers {
  const { heard } = hear(events, options)
  const turns = turnsOf(heard, requestsOf(events, options))
  const asked = turns.filter(({ user }) => user !== null)
  const spoken = heard.flatMap(({ event }) => (isUser(event) ? [] : [event]))
  const whole = spoken.filter(({ partial }) => partial !== true)
  const calls = whole.flatMap(callsOf)
  const started_at = events[0]?.at ?? ''
  const updated_at = events.at(-1)?.at ?? started_at
  const tokens = sumTokens(whole.flatMap(({ usageMetadata }) => (usageMetadata ? tokensOf(usageMetadata) : [])))
  const last = turns.at(-1)
  return {
    title: titleOf(asked[0]?.user?.text ?? ''),
    state: last?.state ?? stateless(events),
    error: last?.error ?? null,
    started_at,
    updated_at,
    events: events.length,
    turns: asked.length,
    tool_calls: calls.length,
    tokens,
    agents: [...new Set(spoken.map(({ author }) => author))],
    models: [...new Set(whole.flatMap(({ modelVersion }) => modelVersion ?? []))],
    session_stats: {
      totalThinkingTokens: tokens.thoughts,
      totalToolCalls: calls.length,
      durationSeconds: durationSeconds(Date.parse(started_at), Date.parse(updated_at)),
    },
    thinking: whole.flatMap(thinkingOf),
  }
}

function stateless(events: readonly ConversationEvent[]): Conversation['state'] {
  const end = events.findLast(({ kind }) => kind === 'run_end')
  return end?.kind === 'run_end' ? end.payload.status : 'running'
}

function callsOf({ content }: AdkEvent): string[] {
  return (content?.parts ?? []).flatMap(({ functionCall }) => (functionCall ? [functionCall.name ?? ''] : []))
}

function thinkingOf({ content, modelVersion, usageMetadata }: AdkEvent): ConversationDetail['thinking'] {
  const isSigned = (content?.parts ?? []).some((part) => part.thought === true || part.thoughtSignature !== undefined)
  const thoughtsTokenCount = usageMetadata?.thoughtsTokenCount ?? null
  if (!isSigned && !thoughtsTokenCount) return []
  return [{ thoughtsTokenCount, totalTokenCount: usageMetadata?.totalTokenCount ?? null, model: modelVersion ?? null }]
}
