import type { ConversationEventKind, ConversationState } from '@llm-eval/protocol'

// Threads of people with agents, recorded event by event.

/** Tokens as far as they were told; null is unknown. */
export interface TokenNumbers {
  input: number | null
  output: number | null
  thoughts: number | null
  cached: number | null
  total: number | null
}

/** What a request to an agent does to its thread. */
export type ConversationTurning =
  /** A request begins: what comes is of it, until it ends. */
  | { kind: 'begins' }
  /** It ends, and so does what the thread was doing; unless a newer one has begun. */
  | { kind: 'ends'; state: ConversationState }
  /** Nobody said that a request began or ended: what the thread does then, as far as this tells. */
  | { kind: 'tells'; state: ConversationState }

/** An event ready to be stored: checked, redacted, and with what it adds to the numbers of its thread. */
export interface NewConversationEvent {
  /** Milliseconds since 1970. */
  at: number
  kind: ConversationEventKind
  runId: string | null
  invocationId: string | null
  eventId: string | null
  /** JSON text. */
  payload: string
  adds: {
    /** A user's turn: of several with one key, and of several without one that follow at once, one is counted. */
    turn: { key: string | null } | null
    toolCalls: number
    tokens: TokenNumbers | null
    /** Of a thought: its tokens and all. */
    thinking: { thoughts: number | null; total: number | null; model: string | null } | null
    /** Who spoke, unless it was a user. */
    agent: string | null
    model: string | null
    turning: ConversationTurning | null
    /** What went wrong with a request. */
    error: string | null
    /** Words of a user that may become the title. */
    title: string | null
  }
}

/** What a thread is of. Only its first events say so. */
export interface ConversationOrigin {
  threadId: string
  target: string | null
  appName: string
  userId: string
  replayOf: string | null
  /** The user whose words a replay says again; where it is not said, that of the conversation `replayOf`, as far as it is there. */
  wordsOf?: string | null | undefined
}

/** A thread in short. Times are milliseconds. */
export interface StoredConversation extends ConversationOrigin {
  ref: number
  /** The user whose words stand in it: of a replay the one who first said them. Null where that is not known. */
  wordsOf: string | null
  title: string
  /** As it was told last: one that runs and is silent is not known to be truncated here. */
  state: ConversationState
  error: string | null
  startedAt: number
  updatedAt: number
  /** When something of it was stored last, by the clock of the server. */
  heardAt: number
  events: number
  /** Of the payloads of all events, as JSON. */
  bytes: number
  turns: number
  toolCalls: number
  tokens: TokenNumbers
  agents: string[]
  models: string[]
}

/** An event as it is read. */
export interface StoredConversationEvent {
  seq: number
  at: number
  kind: ConversationEventKind
  runId: string | null
  invocationId: string | null
  eventId: string | null
  /** JSON text. */
  payload: string
}

/** What a change of a thread is told by in the journal. */
export interface ConversationNumbers {
  /** The number of the thread. */
  conversation: number
  /** Place of its last event, and how many came. */
  lastSeq: number
  count: number
  state: ConversationState
}

export interface ConversationFilter {
  target?: string | undefined
  userId?: string | undefined
  appName?: string | undefined
  state?: ConversationState | undefined
  /** Stands in the title. */
  q?: string | undefined
}

/**
 * What an append does to the right to ask the agent of a thread, which one server has at a time: `take` it, where nobody else has
 * it until a time after `at`, and nothing stands after the place `last` up to which the thread was read (0: it is not there);
 * `keep` it until at least a time, or `release` it, where nobody else took it in the meantime.
 *
 * Times are those of the server that appends. Of servers whose clocks differ, one that is ahead by more than what is left of
 * another one's time takes the right early: the other one's next append is then refused, so that what is stored stays whole.
 * One that is behind waits for that much longer.
 */
export type ConversationHold =
  | { kind: 'take'; owner: string; until: number; last: number }
  | { kind: 'keep'; owner: string; until: number }
  | { kind: 'release'; owner: string }

export interface ConversationChanges {
  /**
   * Stores events after those that are there, all or none, and makes the thread with its first ones. Events with an id that
   * the thread has are passed over. `held`: another server has the right that was to be taken, or took the one that was to be
   * kept or released; `stale`: it was to be taken by one that has not read all of the thread. Nothing is stored then.
   */
  appendConversation: {
    in: { origin: ConversationOrigin; events: NewConversationEvent[]; at: number; hold?: ConversationHold | undefined }
    out:
      | { result: 'ok'; created: boolean; first: number | null; last: number; duplicates: number }
      | { result: 'deleted' | 'too_many' | 'full' | 'held' | 'stale' }
  }
  /** Keeps the right to ask the agents of threads, as far as this server has it: of which it answers. */
  holdConversations: { in: { threadIds: readonly string[]; owner: string; until: number }; out: { held: string[] } }
  /** Takes the thread out of sight at once, with a tombstone, and removes up to `limit` events; call again until `more` is false. */
  deleteConversation: { in: { threadId: string; at: number; limit: number }; out: { found: boolean; more: boolean } }
  /** Removes threads in which nothing happened since a time, up to `limit` of them and of their events. Their ids can be used again. */
  expireConversations: { in: { before: number; at: number; limit: number }; out: { deleted: number; more: boolean } }
}

export interface ConversationQueries {
  /**
   * The one in which something happened last first. Looks at a bounded number of threads: a page may be short, or empty, and
   * still have a next one. `silentBefore`: one that runs and was heard of last before that counts as truncated.
   */
  conversations: {
    in: { filter: ConversationFilter; limit: number; cursor: string | null; silentBefore: number }
    out: { items: StoredConversation[]; nextCursor: string | null } | { invalidCursor: true }
  }
  /** `deleted`: its id has a tombstone. */
  conversation: { in: { threadId: string }; out: StoredConversation | 'deleted' | null }
  /** Those of some threads that are there, by their ids. */
  conversationRefs: { in: { threadIds: readonly string[] }; out: { threadId: string; ref: number }[] }
  /** Events after a place, oldest first; at most `limit` of them, and about `bytes` of their texts (one, if that is larger). */
  conversationEvents: {
    in: { ref: number; after: number; limit: number; bytes: number }
    out: { events: StoredConversationEvent[]; more: boolean }
  }
  /** What was told of thoughts, the newest `limit` of them, oldest first. */
  conversationThinking: {
    in: { ref: number; limit: number }
    out: { thoughts: number | null; total: number | null; model: string | null }[]
  }
}
