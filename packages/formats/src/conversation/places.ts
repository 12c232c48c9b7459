import type { ConversationEvent } from '@llm-eval/protocol'

/**
 * The invocation of each event, as far as anybody said it: the event itself, its request, or what an agent says next. What nobody
 * numbered begins with a user's message, or is one request.
 */
export function invocationsOf(events: readonly ConversationEvent[]): string[] {
  const ofRuns = new Map<string, string>()
  for (const event of events) {
    const told = toldBy(event)
    if (event.run_id !== null && told !== null && !ofRuns.has(event.run_id)) ofRuns.set(event.run_id, told)
  }
  const found = events.map(
    (event) => toldBy(event) ?? (event.run_id === null ? null : (ofRuns.get(event.run_id) ?? null)),
  )
  let next: string | null = null
  for (let index = events.length - 1; index >= 0; index--) {
    const event = events[index]
    if (event?.kind === 'adk_event') next = found[index] ?? next
    if (event?.kind !== 'user_message') continue
    if (event.run_id === null) found[index] ??= next
    // Several messages in a row are answered together.
    if (events[index - 1]?.kind !== 'user_message') next = null
  }
  let current = ''
  return events.map((event, index) => {
    const begins = event.kind === 'user_message' && events[index - 1]?.kind !== 'user_message'
    const told = found[index] ?? (event.run_id === null ? null : `e-${event.run_id}`)
    if (told !== null) current = told
    else if (begins || current === '') current = `e-${event.event_id ?? event.seq}`
    return current
  })
}

function toldBy({ invocation_id: id, kind, payload }: ConversationEvent): string | null {
  const own = kind === 'adk_event' ? payload['invocationId'] : id
  return typeof own === 'string' && own !== '' ? own : id
}
