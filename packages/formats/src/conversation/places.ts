import type { ConversationEvent } from '@llm-eval/protocol'

/** Where events belong. */
export interface Places {
  /** The invocation of each event. */
  of: string[]
  /** Invocations that somebody named; the others are made up. */
  told: ReadonlySet<string>
}

/**
 * The invocation of each event, as far as anybody said it: the event itself, its request, or what an agent says next. What nobody
 * numbered begins with a user's message, or is one request.
 */
export function placesOf(events: readonly ConversationEvent[]): Places {
  const told = events.map(toldBy)
  const ofRuns = new Map<string, string>()
  for (const [index, { run_id }] of events.entries()) {
    const own = told[index] ?? null
    if (run_id !== null && own !== null && !ofRuns.has(run_id)) ofRuns.set(run_id, own)
  }
  const found = events.map(
    ({ run_id }, index) => told[index] ?? (run_id === null ? null : (ofRuns.get(run_id) ?? null)),
  )
  lookAhead(events, found)
  let current = ''
  const of = events.map((event, index) => {
    const before = events[index - 1]
    const begins = isUsers(event) && !(before && isUsers(before))
    const named = found[index] ?? (event.run_id === null ? null : `e-${event.run_id}`)
    if (named !== null) current = named
    else if (begins || current === '') current = `e-${event.event_id ?? event.seq}`
    return current
  })
  return { of, told: new Set(told.filter((one) => one !== null)) }
}

/** Messages of users that belong to no request belong to what an agent says next. */
function lookAhead(events: readonly ConversationEvent[], found: (string | null)[]): void {
  let next: string | null = null
  for (let index = events.length - 1; index >= 0; index--) {
    const event = events[index]
    if (event?.kind === 'adk_event') next = found[index] ?? next
    if (event?.kind !== 'user_message') continue
    if (event.run_id === null) found[index] ??= next
    // Several messages in a row are answered together.
    if (events[index - 1]?.kind !== 'user_message') next = null
  }
}

function isUsers({ kind, payload }: ConversationEvent): boolean {
  return kind === 'user_message' || (kind === 'adk_event' && payload['author'] === 'user')
}

function toldBy({ invocation_id, kind, payload }: ConversationEvent): string | null {
  const own = kind === 'adk_event' ? payload['invocationId'] : kind === 'agui_event' ? inMetadata(payload) : null
  return typeof own === 'string' && own !== '' ? own : invocation_id
}

/** What the bridge says beside an event of AG-UI. */
function inMetadata({ metadata }: Record<string, unknown>): unknown {
  const adk: unknown = typeof metadata === 'object' && metadata !== null && 'adk' in metadata ? metadata.adk : null
  return typeof adk === 'object' && adk !== null && 'invocationId' in adk ? adk.invocationId : null
}
