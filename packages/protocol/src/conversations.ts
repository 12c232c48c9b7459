// Words of conversations: threads that people have with agents, recorded event by event.

/**
 * What is recorded, in order. The first two say where a request to the agent begins and ends; the next five are how anybody can
 * tell of a conversation; the last two are what ADK agents and AG-UI agents said, in their own words.
 */
export const conversationEventKinds = [
  'run_start',
  'run_end',
  'user_message',
  'assistant_message',
  'tool_call',
  'tool_result',
  'thinking',
  'adk_event',
  'agui_event',
] as const
export type ConversationEventKind = (typeof conversationEventKinds)[number]

/** How a request to an agent ended. `truncated`: its answer broke off; `waiting`: it asks for the result of a tool that takes long. */
export const conversationRunStatuses = ['finished', 'waiting', 'failed', 'cancelled', 'truncated'] as const
export type ConversationRunStatus = (typeof conversationRunStatuses)[number]

/** A part of a message that is no text: what it is, and its bytes or where they are. */
export interface ConversationFile {
  mime_type: string
  /** Base64; null where only the address is known. */
  data: string | null
  uri: string | null
}

/** What each kind of event says. Null is unknown. */
export interface ConversationPayloads {
  /** `session_id`: of the agent's own server, where that names its sessions itself. */
  run_start: { parent_run_id: string | null; target: string | null; session_id?: string | null }
  run_end: { status: ConversationRunStatus; code: string | null; message: string | null }
  user_message: { id: string | null; text: string; files: ConversationFile[]; author: string | null }
  assistant_message: {
    id: string | null
    text: string
    author: string | null
    usage: ConversationTokens | null
    model: string | null
  }
  tool_call: {
    id: string
    name: string
    /** An object; what has none has `{}`. */
    args: Record<string, unknown>
    author: string | null
    /** Base64. */
    thought_signature: string | null
  }
  /** `result` is an object; anything else stands in it as `result`. */
  tool_result: { id: string; name: string | null; result: Record<string, unknown>; author: string | null }
  thinking: {
    text: string | null
    /** Base64. */
    thought_signature: string | null
    author: string | null
    usage: ConversationTokens | null
    model: string | null
  }
  /** An event of ADK in the one form that `formats/adk` gives it: camel case, seconds, URL-safe base64. */
  adk_event: Record<string, unknown>
  /** An event of AG-UI as it came. */
  agui_event: Record<string, unknown>
}

/** One thing that happened in a thread. */
export type ConversationEvent<K extends ConversationEventKind = ConversationEventKind> = {
  [P in K]: {
    /** From 1, without gaps, in the order in which events of the thread were stored. */
    seq: number
    /** When it happened, as far as that is known: RFC 3339. */
    at: string
    kind: P
    run_id: string | null
    /** Of ADK: the turn that it belongs to. Null until it is known. */
    invocation_id: string | null
    /** Sent again with the same id, it is the same event. */
    event_id: string | null
    payload: ConversationPayloads[P]
  }
}[K]

/** An event as it is sent: without its place, which the store gives. */
export type ConversationEventInput<K extends ConversationEventKind = ConversationEventKind> = {
  [P in K]: Omit<ConversationEvent<P>, 'seq'>
}[K]

/** Tokens as far as they were told; null is unknown, never 0. `output` includes `thoughts`. */
export interface ConversationTokens {
  input: number | null
  output: number | null
  thoughts: number | null
  cached: number | null
  total: number | null
}

/** What a thread is doing: `running` while a request to its agent is under way, else how the newest one ended. */
export const conversationStates = ['running', ...conversationRunStatuses] as const
export type ConversationState = (typeof conversationStates)[number]

/** A thread in short. */
export interface Conversation {
  thread_id: string
  /** Name of the bridge's target; null of what was sent from elsewhere. */
  target: string | null
  app_name: string
  user_id: string
  /** First words of its first user. */
  title: string
  state: ConversationState
  /** Of the newest request that failed. */
  error: string | null
  started_at: string
  updated_at: string
  events: number
  /** User's turns. */
  turns: number
  tool_calls: number
  tokens: ConversationTokens
  /** Who spoke, without users, in the order in which they first did. */
  agents: string[]
  models: string[]
  /** The thread whose user's turns it says again. */
  replay_of: string | null
}

/** A thread with its numbers, by the names of seed 003. */
export interface ConversationDetail extends Conversation {
  /** How long it took is null where all of it was told at one time. */
  session_stats: { totalThinkingTokens: number | null; totalToolCalls: number; durationSeconds: number | null }
  thinking: { thoughtsTokenCount: number | null; totalTokenCount: number | null; model: string | null }[]
}

/** Something an agent did in a turn, in order. Times are milliseconds after the turn began; null is unknown. */
export type ConversationStep = { author: string; at_ms: number | null } & (
  | { kind: 'text'; text: string; final: boolean; partial: boolean }
  | { kind: 'thought'; text: string; partial: boolean; signed: boolean }
  | {
      kind: 'tool'
      id: string
      name: string
      args: Record<string, unknown>
      /** Null while no result came. */
      result: Record<string, unknown> | null
      ended_ms: number | null
      /** Its result comes in a later turn. */
      long_running: boolean
      signed: boolean
    }
  | { kind: 'file'; file: Omit<ConversationFile, 'data'> & { bytes: number | null } }
  | { kind: 'code'; language: string | null; code: string; output: string | null; outcome: string | null }
  | { kind: 'transfer'; to: string }
)

/** A user's turn and all that came of it. */
export interface ConversationTurn {
  /** From 0. */
  index: number
  invocation_id: string
  run_ids: string[]
  at: string
  /** Null of a turn that only brings results of tools. */
  user: { text: string; files: (Omit<ConversationFile, 'data'> & { bytes: number | null })[] } | null
  steps: ConversationStep[]
  state: ConversationState
  error: string | null
  /** Null while it runs, and where all of it was told at one time, as are its other times then. */
  duration_ms: number | null
  first_token_ms: number | null
  tokens: ConversationTokens
  models: string[]
}

/** Formats in which a thread is exported. */
export const conversationFormats = ['evalset', 'evalcase', 'legacy', 'trace', 'jsonl'] as const
export type ConversationFormat = (typeof conversationFormats)[number]

/** How a turn did against the same turn of a recording. A score is null where there is nothing to hold it against. */
export interface TurnComparison {
  index: number
  user: string
  expected: { calls: { name: string; args: Record<string, unknown> }[]; response: string }
  actual: { calls: { name: string; args: Record<string, unknown> }[]; response: string } | null
  tool_trajectory_avg_score: number | null
  response_match_score: number | null
  tool_parameter_match: number | null
}

/** A replay beside its recording, by ADK's measures: each the mean over the turns that have it. */
export interface ConversationComparison {
  recording: string
  replay: string
  scores: Record<'tool_trajectory_avg_score' | 'response_match_score' | 'tool_parameter_match', number | null>
  turns: TurnComparison[]
  /** Turns that cannot be said again, and why. */
  warnings: string[]
}
