import { type ConversationEventInput, conversationRoutes, limits } from '@llm-eval/protocol'
import { conversationReceipt } from '@llm-eval/protocol/conversation-answers'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** A thread to be told. */
export interface ToldConversation {
  thread: string
  head: { app_name?: string; user_id?: string; replay_of?: string }
  events: readonly ConversationEventInput[]
}

/** Bytes of one request; its limit is larger. */
const requestBytes = 8 * 1_024 * 1_024

/** Tells a server of a conversation, in as many requests as that takes. Gives how many events were new, and what was lost. */
export async function tellConversation(
  { signal }: Pick<Terminal, 'signal'>,
  server: Target,
  { thread, head, events }: ToldConversation,
): Promise<{ stored: number; duplicates: number; warnings: string[] }> {
  const told = { stored: 0, duplicates: 0, warnings: [] as string[] }
  for (const part of parted(events)) {
    const request = { route: conversationRoutes.sendConversationEvents, values: { thread }, signal }
    const response = await ask(server, { ...request, body: { ...head, events: part } })
    const { stored, duplicates, warnings } = await readAnswer(response, conversationReceipt)
    told.stored += stored
    told.duplicates += duplicates
    told.warnings.push(...warnings)
  }
  return told
}

/** Events in as few requests as they fit into. */
function* parted(events: readonly ConversationEventInput[]): Generator<ConversationEventInput[]> {
  let part: ConversationEventInput[] = []
  let bytes = 0
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event))
    if (part.length > 0 && (part.length === limits.requestConversationEvents || bytes + size > requestBytes)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(event)
    bytes += size
  }
  if (part.length > 0) yield part
}
