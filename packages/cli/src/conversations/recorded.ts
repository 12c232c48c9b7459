import { type ConversationEventInput, conversationRoutes } from '@llm-eval/protocol'
import { conversationEventPage } from '@llm-eval/protocol/conversation-answers'
import { Complaint } from '../complaint.ts'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/**
 * Those events of logs that a server has not recorded itself: of a request that its bridge or a recorder told whole, a log tells
 * nothing new, but under other ids. What an import told before is told by the same ids again, and passed over by the server.
 */
export async function unrecorded(
  terminal: Pick<Terminal, 'signal'>,
  server: Target,
  { thread, events }: { thread: string; events: readonly ConversationEventInput[] },
): Promise<ConversationEventInput[]> {
  const known = await recordedRequests(terminal, server, thread)
  return events.filter(({ run_id, invocation_id, event_id }) => {
    const ids = [run_id, invocation_id, event_id?.replace(/:end$/, '')]
    return !ids.some((id) => typeof id === 'string' && known.has(id))
  })
}

/** Ids of the requests that were recorded as they happened, and of their invocations. */
async function recordedRequests(
  { signal }: Pick<Terminal, 'signal'>,
  server: Target,
  thread: string,
): Promise<Set<string>> {
  const known = new Set<string>()
  const route = conversationRoutes.listConversationEvents
  try {
    for (let after: number | null = 0; after !== null; ) {
      const query = { after: String(after), limit: '1000' }
      const response = await ask(server, { route, values: { thread }, query, signal })
      const page: { items: readonly Recorded[]; next_after: number | null } = await readAnswer(
        response,
        conversationEventPage,
      )
      for (const event of page.items) remember(known, event)
      after = page.next_after
    }
  } catch (error) {
    // A new thread, or a key that may tell and not read: the server passes over what it knows by its ids.
    if (!(error instanceof Complaint)) throw error
  }
  return known
}

interface Recorded {
  kind: string
  run_id: string | null
  invocation_id: string | null
  event_id: string | null
}

function remember(known: Set<string>, { kind, run_id, invocation_id, event_id }: Recorded): void {
  if (run_id === null) return
  if (kind === 'run_start' && event_id !== `${run_id}:start`) known.add(run_id)
  if (known.has(run_id) && invocation_id !== null) known.add(invocation_id)
}
