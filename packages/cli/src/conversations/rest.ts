import type { ConversationEventInput, ConversationEventKind } from '@llm-eval/protocol'

/** What is needed of an event to find the place where a recording broke off. */
export interface Spoken {
  kind: ConversationEventKind
  payload: Readonly<Record<string, unknown>>
}

/** How far a recording came: events that are whole, and characters of the text that was under way after the last of them. */
export interface Progress {
  whole: number
  chars: number
}

export const noProgress: Progress = { whole: 0, chars: 0 }

/** The progress after one more event. Pieces of a text count by their characters, as neighbours are recorded as one. */
export function advanced({ whole, chars }: Progress, event: Spoken): Progress {
  const text = pieceOf(event)
  return text === null ? { whole: whole + 1, chars: 0 } : { whole, chars: chars + text.length }
}

/** What follows in a log after the place that a recording of the same came to; a piece that was recorded in part is cut. */
export function restAfter(
  events: readonly ConversationEventInput[],
  { whole, chars }: Progress,
): ConversationEventInput[] {
  const rest: ConversationEventInput[] = []
  let seen = 0
  let left = chars
  for (const event of events) {
    const text = pieceOf(event)
    if (seen < whole) {
      if (text === null) seen++
      continue
    }
    if (text === null) {
      // The text under way is told again as a whole.
      left = 0
      rest.push(event)
    } else if (text.length > left) {
      rest.push(left === 0 ? event : withText(event, text.slice(left)))
      left = 0
    } else left -= text.length
  }
  return rest
}

/** The text of a piece; null of what is whole. */
function pieceOf({ kind, payload }: Spoken): string | null {
  if (kind === 'agui_event') return typeof payload['delta'] === 'string' ? payload['delta'] : null
  const text = kind === 'adk_event' && payload['partial'] === true ? partOf(payload)?.['text'] : undefined
  return typeof text === 'string' ? text : null
}

/** The only part of an event of ADK. */
function partOf({ content }: Spoken['payload']): Record<string, unknown> | undefined {
  const parts: unknown = isRecord(content) ? content['parts'] : undefined
  const [part, ...others] = Array.isArray(parts) ? (parts as unknown[]) : []
  return isRecord(part) && others.length === 0 ? part : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withText(event: ConversationEventInput, text: string): ConversationEventInput {
  if (event.kind === 'agui_event') return { ...event, payload: { ...event.payload, delta: text } }
  if (event.kind !== 'adk_event') return event
  const content = isRecord(event.payload['content']) ? event.payload['content'] : {}
  return {
    ...event,
    payload: { ...event.payload, content: { ...content, parts: [{ ...partOf(event.payload), text }] } },
  }
}
