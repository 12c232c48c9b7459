import {
  type Conversation,
  type ConversationDetail,
  type ConversationState,
  durationSeconds,
  Failure,
  limits,
} from '@llm-eval/protocol'
import type { Store, StoredConversation, StoredConversationEvent } from '@llm-eval/store'

const timeOf = (ms: number): string => new Date(ms).toISOString()

/** Before when one that runs must have been heard of last, to count as truncated. */
export function silentBefore(now: number): number {
  return now - limits.conversationSilenceSeconds * 1_000
}

/** What a thread is doing: one that runs and was silent for long has lost its end. */
export function stateOf(
  { state, heardAt }: Pick<StoredConversation, 'state' | 'heardAt'>,
  now: number,
): ConversationState {
  return state === 'running' && heardAt < silentBefore(now) ? 'truncated' : state
}

export function toConversation(stored: StoredConversation, now: number): Conversation {
  return {
    thread_id: stored.threadId,
    target: stored.target,
    app_name: stored.appName,
    user_id: stored.userId,
    title: stored.title,
    state: stateOf(stored, now),
    error: stored.error,
    started_at: timeOf(stored.startedAt),
    updated_at: timeOf(stored.updatedAt),
    events: stored.events,
    turns: stored.turns,
    tool_calls: stored.toolCalls,
    tokens: stored.tokens,
    agents: stored.agents,
    models: stored.models,
    replay_of: stored.replayOf,
  }
}

type Thinking = { thoughts: number | null; total: number | null; model: string | null }[]

export function toDetail(stored: StoredConversation, thinking: Thinking, now: number): ConversationDetail {
  return {
    ...toConversation(stored, now),
    session_stats: {
      totalThinkingTokens: stored.tokens.thoughts,
      totalToolCalls: stored.toolCalls,
      durationSeconds: durationSeconds(stored.startedAt, stored.updatedAt),
    },
    thinking: thinking.map(({ thoughts, total, model }) => ({
      thoughtsTokenCount: thoughts,
      totalTokenCount: total,
      model,
    })),
  }
}

/** An event as it is told, as JSON text: its payload is written as it was stored. */
export function eventText(event: StoredConversationEvent): string {
  const { seq, at, kind, runId: run_id, invocationId: invocation_id, eventId: event_id, payload } = event
  const head = JSON.stringify({ seq, at: timeOf(at), kind, run_id, invocation_id, event_id })
  return `${head.slice(0, -1)},"payload":${payload}}`
}

/** The thread of an id. Throws `conversation_not_found`, `conversation_deleted`. */
export async function findConversation(store: Store, projectId: number, threadId: string): Promise<StoredConversation> {
  const found = await store.read(projectId, 'conversation', { threadId })
  if (found === null) throw new Failure('conversation_not_found')
  if (found === 'deleted') throw new Failure('conversation_deleted')
  return found
}
