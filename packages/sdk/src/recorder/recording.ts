import { type ConversationEvent, type ConversationEventInput, limits } from '@llm-eval/protocol'
import { isObject } from '../inside.ts'

/** Whether a server is told of an event: `held` until it is known whether the bridge tells of it anyway. */
export type Telling = 'told' | 'untold' | 'held'

/** An event with its place, and what becomes of it. */
export interface Kept {
  event: ConversationEvent
  telling: Telling
  bytes: number
}

/** What a recording holds at most. */
export interface RecordingBounds {
  events: number
  bytes: number
}

/** Room for a long day of talking; the server keeps as many events of one thread. */
export const usualBounds: RecordingBounds = { events: limits.conversationEvents, bytes: 64 * 1024 * 1024 }

/** Events that say the same thing in pieces, and what they are pieces of. */
const pieces: Record<string, string> = {
  TEXT_MESSAGE_CONTENT: 'messageId',
  REASONING_MESSAGE_CONTENT: 'messageId',
  TOOL_CALL_ARGS: 'toolCallId',
}

/**
 * What happened in one thread, in order. Pieces of one text that come after each other are kept as one, so that a long answer is
 * a few events and not thousands. When it is full it says so, and keeps the beginning: a conversation without it is none.
 */
export class Recording {
  readonly #bounds: RecordingBounds
  readonly #kept: Kept[] = []
  /** Before it nothing may change any more: it is on its way. */
  #sealed = 0
  #bytes = 0
  #lost = 0

  constructor(bounds: RecordingBounds) {
    this.#bounds = bounds
  }

  get events(): readonly ConversationEvent[] {
    return this.#kept.map(({ event }) => event)
  }

  /** Events that were not kept because it was full. */
  get lost(): number {
    return this.#lost
  }

  get length(): number {
    return this.#kept.length
  }

  /** Gives what was kept, or null where there is no room. */
  add(input: ConversationEventInput, telling: Telling): Kept | null {
    const bytes = JSON.stringify(input).length
    if (this.#joins(input, bytes)) return this.#kept.at(-1) ?? null
    if (this.#kept.length >= this.#bounds.events || this.#bytes + bytes > this.#bounds.bytes) {
      this.#lost++
      return null
    }
    const kept = { event: { seq: this.#kept.length + 1, ...input }, telling, bytes }
    this.#kept.push(kept)
    this.#bytes += bytes
    return kept
  }

  /** The next events to tell after a place, until one that is held: no more than so many, of so many bytes. */
  take(from: number, size: RecordingBounds): { events: ConversationEventInput[]; next: number } {
    const events: ConversationEventInput[] = []
    let bytes = 0
    let next = from
    for (; next < this.#kept.length; next++) {
      const kept = this.#kept[next]
      if (!kept || kept.telling === 'held' || events.length >= size.events) break
      if (events.length > 0 && bytes + kept.bytes > size.bytes) break
      if (kept.telling === 'untold') continue
      bytes += kept.bytes
      events.push(withoutPlace(kept.event))
    }
    this.#sealed = Math.max(this.#sealed, next)
    return { events, next }
  }

  /** The first place from one on whose event is to be told, or will be. */
  past(from: number): number {
    let at = from
    while (this.#kept[at]?.telling === 'untold') at++
    return at
  }

  /** Whether the event at a place may be told. */
  isTold(at: number): boolean {
    return this.#kept[at]?.telling === 'told'
  }

  /** How many events are to be told from a place on, with those of which it is not known yet. */
  countFrom(from: number): number {
    return this.#kept.slice(from).filter(({ telling }) => telling !== 'untold').length
  }

  /** Adds a piece of text to the piece before it. */
  #joins(input: ConversationEventInput, bytes: number): boolean {
    const last = this.#kept.at(-1)
    if (!last || this.#sealed >= this.#kept.length || this.#bytes + bytes > this.#bounds.bytes) return false
    const grown = joined(last.event, input)
    if (grown === null) return false
    last.event.payload = grown.payload
    last.bytes += grown.bytes
    this.#bytes += grown.bytes
    return true
  }
}

/** The server gives it a place of its own. */
function withoutPlace(event: ConversationEvent): ConversationEventInput {
  const { seq: _, ...input } = event
  return input
}

/** Adds an event of AG-UI to the one before it, where it goes on with its text and says nothing else; with the bytes that it adds. */
function joined(
  last: ConversationEvent,
  next: ConversationEventInput,
): { payload: Record<string, unknown>; bytes: number } | null {
  if (last.kind !== 'agui_event' || next.kind !== 'agui_event' || last.run_id !== next.run_id) return null
  const before = last.payload
  const { type, delta, timestamp: _, ...rest } = next.payload
  const piece = typeof type === 'string' ? pieces[type] : undefined
  if (piece === undefined || before['type'] !== type || before[piece] !== rest[piece]) return null
  if (typeof before['delta'] !== 'string' || typeof delta !== 'string') return null
  if (!Object.entries(rest).every(([name, value]) => sameJson(value, before[name]))) return null
  // Without its quotes.
  return { payload: { ...before, delta: before['delta'] + delta }, bytes: JSON.stringify(delta).length - 2 }
}

function sameJson(one: unknown, other: unknown): boolean {
  return one === other || (isObject(one) && JSON.stringify(one) === JSON.stringify(other))
}
