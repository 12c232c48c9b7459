import type { Generated } from 'kysely'

/** Rows of the tables that `0008-conversations.ts` makes. Kinds and states are places in their lists. */
export interface ConversationTables {
  /** One row a project: how many threads it has. */
  conversation_counts: { project_id: number; conversations: number }
  conversations: {
    ref: Generated<number>
    project_id: number
    /** Null: it was deleted, and its events are being removed. */
    thread_id: string | null
    target: string | null
    app_name: string
    user_id: string
    title: string
    /** The title as it is searched. */
    searched: string
    state: number
    /** The request that is under way; empty where it has no name, null where there is none. */
    open_run: string | null
    /** Of the user's turn that was counted last; empty where it has none and nobody has answered, null where somebody has. */
    turn_key: string | null
    error: string | null
    started_at: number
    updated_at: number
    heard_at: number
    events: number
    /** Of the payloads of all events. */
    bytes: Generated<number>
    turns: number
    tool_calls: number
    input_tokens: number | null
    output_tokens: number | null
    thoughts_tokens: number | null
    cached_tokens: number | null
    total_tokens: number | null
    /** JSON arrays of names. */
    agents: string
    models: string
    replay_of: string | null
    /** The user whose words a replay says again; null where that is not known, and of what is no replay. */
    words_of: string | null
    /** The server on which a request is under way, and until when that is sure. */
    held_by: Generated<string | null>
    held_until: Generated<number>
  }
  conversation_events: {
    conversation_ref: number
    seq: number
    at: number
    kind: number
    run_id: string | null
    invocation_id: string | null
    event_id: string | null
    /** JSON of what it tells of a thought: tokens of thoughts, all tokens, model. */
    thinking: string | null
    /** Of the payload. */
    bytes: number
    /** JSON. Last, so that what is before it is read without it. */
    payload: string
  }
  conversation_tombstones: { project_id: number; id_hash: string; at: number }
}
