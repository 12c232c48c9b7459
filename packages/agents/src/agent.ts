/** Shapes of requests that agents of a known kind expect. `seed`: the one field `message`, and the names it has elsewhere. */
export const requestShapes = ['seed', 'openai_chat', 'openai_responses', 'ai_sdk', 'ag_ui'] as const
export type RequestShape = (typeof requestShapes)[number]

/**
 * Where an answer that follows no known dialect says what: JSONPaths (RFC 9535), such as `$.data.reply`. With several
 * results of `output` their texts are put together; of the others the first counts.
 */
export interface ResponsePaths {
  output: string
  tool_calls?: string | undefined
  cost?: string | undefined
  tokens?: string | undefined
  model?: string | undefined
  session?: string | undefined
  error?: string | undefined
}

/** An agent as it is reached over HTTP. */
export interface Agent {
  /** May hold `{{env.NAME}}`, as may headers. */
  url: string
  method?: string | undefined
  headers?: Readonly<Record<string, string>> | undefined
  /**
   * What is sent: the name of a shape, or a body of one's own with places such as `{{query}}`, `{{history}}`, `{{context.x}}`,
   * `{{session_id}}` and `{{env.NAME}}`. A value that is one place and nothing else becomes what stands there, not text.
   */
  request?: RequestShape | { body: unknown } | undefined
  /** Added to bodies of the known shapes, over what they hold. */
  body?: Readonly<Record<string, unknown>> | undefined
  response?: ResponsePaths | undefined
  /** Milliseconds of wall clock for one turn with all its retries; see `timeoutProfiles`. */
  timeoutMs?: number | undefined
  /** Further requests after one that could not be answered (429, 5xx, no connection). */
  retries?: number | undefined
  /** Sent as `userId`. */
  userId?: string | undefined
  /** The model that answers, where the agent does not say: for its price, and for shapes that must name one. */
  model?: string | undefined
}

/** Milliseconds that agents are given, by how much they do (seed 004, "Response Time Guidelines"). */
export const timeoutProfiles = { simple: 30_000, multi_step: 90_000, orchestration: 120_000 } as const

/** What an agent gets that says nothing else: milliseconds, and requests after the first. */
export const agentDefaults = { timeoutMs: 120_000, retries: 2, userId: 'test-user' } as const

/** What is said to an agent, turn by turn. */
export interface Question {
  query: string
  context?: Readonly<Record<string, unknown>> | null | undefined
}

/** What a request can tell the agent about the turns before it. */
export interface Asked {
  query: string
  context: Readonly<Record<string, unknown>> | null
  history: readonly { role: 'user' | 'assistant'; content: string }[]
  sessionId: string | null
  /** From 1. */
  turn: number
}
