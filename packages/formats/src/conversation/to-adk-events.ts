import type { ConversationEvent } from '@llm-eval/protocol'
import type { AdkEvent } from '../adk/index.ts'
import { hear, type HearingOptions } from './heard.ts'

/**
 * All that was recorded of a thread as events of ADK, whoever told it, in order: users' messages too, each with the invocation that
 * it began. From here on there is one way to a page, an eval file or a comparison.
 *
 * Messages that one request brought are one event. A message that was answered again, which is recorded once, is repeated. The
 * result of a tool that an earlier request ended with comes from the user.
 */
export function toAdkEvents(
  events: readonly ConversationEvent[],
  options?: HearingOptions,
): { events: AdkEvent[]; warnings: string[] } {
  const { heard, warnings } = hear(events, options)
  return { events: heard.map(({ event }) => event), warnings }
}
