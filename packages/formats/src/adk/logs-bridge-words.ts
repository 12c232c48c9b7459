import type { ConversationFile, ConversationRunStatus } from '@llm-eval/protocol'

/** What a user said at the beginning of a run. */
export interface BridgeUserMessage {
  id: string | null
  text: string
  files: ConversationFile[]
}

/** A result that a front end brought for a tool that takes long. */
export interface BridgeToolResult {
  id: string
  name: string | null
  content: string
}

/** One request to an agent, as a bridge's log tells of it. */
export interface BridgeRun {
  thread: string
  /** Null where the log does not call it. */
  run: string | null
  /** The log that it is in, as the caller calls it. */
  file: string | null
  line: number
  /** Of the last record that is of it. */
  lastLine: number
  /** As a bridge of llm-eval says; null where nobody does. */
  app: string | null
  user: string | null
  /** Milliseconds since 1970; null where no time stands there. */
  startedAt: number | null
  endedAt: number | null
  /** Null while its end was not seen. */
  status: ConversationRunStatus | null
  code: string | null
  message: string | null
  users: BridgeUserMessage[]
  results: BridgeToolResult[]
  /** Calls of tools that it began. */
  calls: Set<string>
  /** Invocations of ADK that its events name. */
  invocations: Set<string>
  /** AG-UI events in their order. */
  events: { at: number | null; event: Record<string, unknown> }[]
}
