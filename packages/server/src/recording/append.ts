/** Records what happened in a conversation: checked, without what the configuration says must not be kept, and counted. */
import { type ConversationEventInput, Failure, type Fault, limits } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import type { ConversationHold, ConversationOrigin, NewConversationEvent, Store } from '@llm-eval/store'
import { factsOf } from './facts.ts'
import type { Config } from '../config/config.ts'
import { createRedact, type Redact } from './redact.ts'

/** What recording needs. */
export interface Recording {
  store: Store
  /** Milliseconds since 1970. */
  now: () => number
  redact: Redact
  /** Whether that takes anything out. */
  redacts: boolean
}

/** What recording needs, by a configuration. */
export function createRecording(parts: { store: Store; now: () => number; config: Pick<Config, 'redact'> }): Recording {
  const { store, now, config } = parts
  const { kinds, patterns, paths } = config.redact
  const redacts = kinds.length + patterns.length + paths.length > 0
  return { store, now, redact: createRedact(config.redact), redacts }
}

/** Which thread, and what it is of; only its first events say the latter. */
export interface RecordedThread extends ConversationOrigin {
  projectId: number
  /** What becomes of the right to ask its agent. */
  hold?: ConversationHold | undefined
}

/** Where events were stored. */
export interface Recorded {
  /** Place of the first one that is new; null where none is. */
  first: number | null
  /** Place of the last one of the thread. */
  last: number
  /** Events whose id was stored before. */
  duplicates: number
}

/** Somebody told more of the thread than was read by who takes it: it is to be read once more. */
export class StaleThread extends Failure {
  constructor() {
    super('conversation_busy', { retryAfter: 1 })
  }
}

/**
 * Stores events of a thread after those that are there, all or none, and makes the thread with its first ones. Resolves when
 * they are on disk and everybody who watches is told.
 *
 * @param events as they happened; payloads of `adk_event` in the normal form of `formats/adk`
 * @throws Failure `invalid_request` where the thread could not be named in a path, or an event is larger than `limits.conversationEventBytes`, `conversation_deleted`,
 * `conversation_busy` (`StaleThread` where it was to be taken by somebody who has not read all of it), `conversation_full`, `limit_reached`, `redaction_failed`, and what the store throws
 */
export async function appendEvents(
  { store, now, redact }: Recording,
  { projectId, hold, ...origin }: RecordedThread,
  events: readonly ConversationEventInput[],
): Promise<Recorded> {
  const named = name.safeParse(origin.threadId)
  // What cannot be named could never be read or deleted.
  if (named.data !== origin.threadId) throw unnamed(named.error?.issues[0]?.message)
  const faults: Fault[] = []
  const rows = redact(events).flatMap((event, at) => toRow(event) ?? (faults.push(tooLarge(at)), []))
  if (faults.length > 0) throw new Failure('invalid_request', { errors: faults.slice(0, 20) })
  const change = { kind: 'appendConversation', origin, events: rows, at: now(), hold } as const
  const outcome = await store.apply(projectId, change)
  switch (outcome.result) {
    case 'ok':
      return { first: outcome.first, last: outcome.last, duplicates: outcome.duplicates }
    case 'deleted':
      throw new Failure('conversation_deleted')
    case 'held':
      throw new Failure('conversation_busy', { retryAfter: 1 })
    case 'stale':
      throw new StaleThread()
    case 'full':
      throw new Failure('conversation_full', { values: { max: limits.conversationEvents } })
    case 'too_many':
      throw new Failure('limit_reached', { values: { max: limits.conversations, what: 'conversations in a project' } })
  }
}

function unnamed(message = 'must not begin or end with white space'): Failure {
  return new Failure('invalid_request', { errors: [{ path: 'threadId', message }] })
}

function tooLarge(at: number): Fault {
  return { path: `events[${at}].payload`, message: `may hold at most ${limits.conversationEventBytes} bytes` }
}

/** Undefined where it is too large. */
function toRow(event: ConversationEventInput): NewConversationEvent | undefined {
  const payload = JSON.stringify(event.payload)
  if (Buffer.byteLength(payload) > limits.conversationEventBytes) return undefined
  return {
    at: Date.parse(event.at),
    kind: event.kind,
    runId: event.run_id,
    invocationId: event.invocation_id,
    eventId: event.event_id,
    payload,
    adds: factsOf(event),
  }
}
