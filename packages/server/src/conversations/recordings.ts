import { GrowingTurns } from '@llm-eval/formats/conversation'
import {
  type ConversationEvent,
  type ConversationPayloads,
  type ConversationTurn,
  Failure,
  limits,
} from '@llm-eval/protocol'
import type { Store, StoredConversation, StoredConversationEvent } from '@llm-eval/store'
import { type Keeper, type KeptThread, keyOfThread, type ThreadPlace } from '../recording/forgetting.ts'
import { stateOf } from './wire.ts'

/** Bytes of payloads that are kept to be looked at again, and for how long, in milliseconds. */
const keptBytes = 64 * 1024 * 1024
const keptMs = 300_000
/** Rows and bytes of one page. */
const pageRows = 2_000
const pageBytes = 4 * 1024 * 1024

interface Kept extends ThreadPlace {
  ref: number
  events: ConversationEvent[]
  bytes: number
  /** Of the last use. */
  at: number
  /** What is over of them is not read again. */
  growing: GrowingTurns
  /** Made of as many events as this says. */
  turns: { of: number; list: ConversationTurn[] } | undefined
  /** Whoever reads on now. */
  reading: Promise<void>
}

export interface RecordingsOptions {
  store: Store
  /** Milliseconds since 1970. */
  now: () => number
  /** Bytes of payloads of one conversation that are read into memory, at most. */
  mostBytes?: number
}

/** Whole conversations, as they are exported and shown. Those that were looked at lately are kept: of them only what is new is read. */
export class Recordings implements Keeper {
  readonly #store: Store
  readonly #now: () => number
  readonly #mostBytes: number
  readonly #kept = new Map<string, Kept>()

  constructor({ store, now, mostBytes = limits.conversationReadBytes }: RecordingsOptions) {
    this.#store = store
    this.#now = now
    this.#mostBytes = mostBytes
  }

  /**
   * All events of a conversation.
   *
   * @throws Failure `conversation_too_large`
   */
  async events(projectId: number, conversation: StoredConversation): Promise<readonly ConversationEvent[]> {
    return (await this.#read(projectId, conversation)).events.slice(0, conversation.events)
  }

  /**
   * A conversation as people read it. One that is truncated has no turn that runs.
   *
   * @throws Failure `conversation_too_large`
   */
  async turns(projectId: number, conversation: StoredConversation): Promise<readonly ConversationTurn[]> {
    const turns = await this.#turnsOf(projectId, conversation)
    if (stateOf(conversation, this.#now()) !== 'truncated') return turns
    return turns.map((turn) => (turn.state === 'running' ? { ...turn, state: 'truncated' } : turn))
  }

  kept(): readonly KeptThread[] {
    return [...this.#kept.values()]
  }

  forget(thread: ThreadPlace): void {
    this.#kept.delete(keyOfThread(thread))
  }

  /** The oldest go when there are too many, and each after a while. */
  tidy(): void {
    const old = this.#now() - keptMs
    let bytes = [...this.#kept.values()].reduce((sum, one) => sum + one.bytes, 0)
    for (const [key, one] of this.#kept) {
      if (bytes <= keptBytes && one.at >= old) return
      this.#kept.delete(key)
      bytes -= one.bytes
    }
  }

  async #turnsOf(projectId: number, conversation: StoredConversation): Promise<readonly ConversationTurn[]> {
    const kept = await this.#read(projectId, conversation)
    if (kept.turns?.of !== kept.events.length) {
      const list = kept.growing.list(kept.events, { now: this.#now() })
      // What still runs may be truncated in a moment, though nothing is told.
      const isOver = list.every(({ state }) => state !== 'running')
      kept.turns = isOver ? { of: kept.events.length, list } : undefined
      return list
    }
    return kept.turns.list
  }

  async #read(projectId: number, conversation: StoredConversation): Promise<Kept> {
    if (conversation.bytes > this.#mostBytes)
      throw new Failure('conversation_too_large', { values: { max: this.#mostBytes } })
    const { ref, threadId } = conversation
    const key = keyOfThread({ projectId, threadId })
    const known = this.#kept.get(key)
    // An id that retention has freed may be that of another thread by now.
    const kept = known?.ref === ref ? known : nothingOf({ projectId, threadId, ref })
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    kept.at = this.#now()
    // One after the other: who comes second finds what the first has read.
    const reading = kept.reading.catch(() => undefined).then(() => this.#readOn(projectId, conversation, kept))
    kept.reading = reading
    try {
      await reading
    } catch (error) {
      this.#kept.delete(key)
      throw error
    }
    this.tidy()
    return kept
  }

  async #readOn(projectId: number, { ref, events: wanted }: StoredConversation, kept: Kept): Promise<void> {
    while (kept.events.length < wanted) {
      const page = { ref, after: kept.events.length, limit: pageRows, bytes: pageBytes }
      const { events, more } = await this.#store.read(projectId, 'conversationEvents', page)
      for (const event of events) {
        kept.bytes += event.payload.length
        kept.events.push(toEvent(event))
      }
      if (!more) return
    }
  }
}

function nothingOf(thread: Pick<Kept, 'projectId' | 'threadId' | 'ref'>): Kept {
  return {
    ...thread,
    events: [],
    bytes: 0,
    at: 0,
    growing: new GrowingTurns(),
    turns: undefined,
    reading: Promise.resolve(),
  }
}

type Payload = ConversationPayloads[ConversationEvent['kind']]

function toEvent(stored: StoredConversationEvent): ConversationEvent {
  const { seq, at, kind, runId: run_id, invocationId: invocation_id, eventId: event_id } = stored
  // The store wrote this text itself, of an event that was checked; the kind says what it holds.
  const payload = JSON.parse(stored.payload) as Payload
  return { seq, at: new Date(at).toISOString(), kind, run_id, invocation_id, event_id, payload } as ConversationEvent
}
