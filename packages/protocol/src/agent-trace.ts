/** How an agent speaks; told from what it answers, unless a mapping is given. */
export const agentDialects = ['json', 'events', 'openai_chat', 'openai_responses', 'ai_sdk', 'ag_ui', 'mapped'] as const
export type AgentDialect = (typeof agentDialects)[number]

/**
 * What can be tested of an agent (seed 004). 1: what it answers and how fast. 2: also cost, tokens or the names of its tools.
 * 3: a stream of events, with arguments and results of tools.
 */
export type AgentLevel = 1 | 2 | 3

/** What an agent let be seen. What is not captured is unknown: never zero, and never "no tool was called". */
export const agentParts = [
  'output',
  'tools',
  'tool_arguments',
  'tool_results',
  'tokens',
  'cost',
  'model',
  'first_token',
  'session',
] as const
export type AgentPart = (typeof agentParts)[number]

/**
 * Why there is no whole answer. `cut_off`: the stream ended before it said that the message is complete; `agent_error`: the agent
 * itself said that it failed; `invalid_request`: the request could not be written, as a template names what is not there; `unreadable`: an answer of a kind that no dialect knows, such as a page of HTML.
 */
export const agentFaults = [
  'refused',
  'dns',
  'tls',
  'network',
  'timeout',
  'http_status',
  'redirect',
  'blocked_address',
  'invalid_request',
  'invalid_json',
  'invalid_encoding',
  'unreadable',
  'too_large',
  'too_many_events',
  'cut_off',
  'agent_error',
  'cancelled',
] as const
export type AgentFaultCode = (typeof agentFaults)[number]

export interface AgentFault {
  code: AgentFaultCode
  /** What happened, where, and what to do about it; without secrets. */
  message: string
  /** Of an answer with a status of 400 or more. */
  status?: number | undefined
  /** The line of a stream, from 1. */
  line?: number | undefined
  /** What the agent answered instead, cut to `limits.agentExcerptChars`. */
  excerpt?: string | undefined
}

/** A call of a tool, as far as the agent shows it. */
export interface AgentToolCall {
  /** As the agent numbers it; null where it does not. */
  id: string | null
  name: string
  /** Null where arguments are not shown. */
  args: unknown
  /** Null where no result is shown, or none came. */
  result: unknown
  /** Null where the agent does not say. */
  succeeded: boolean | null
  error: string | null
  /** Milliseconds after its turn was sent; null where answers come in one piece. */
  started_ms: number | null
  ended_ms: number | null
  /** From 1. */
  turn: number
}

/** Tokens as far as they are told apart; null where only their sum is known. */
export interface AgentTokens {
  input: number | null
  output: number | null
  /** Part of `input`. */
  cached: number | null
  total: number
}

/** Anything else that an agent said while it worked: progress, narration, events that no dialect knows. */
export interface AgentNote {
  kind: 'status' | 'narration' | 'unknown'
  text: string
  at_ms: number
  turn: number
}

/** One message to an agent and what came back. */
export interface AgentTurn {
  query: string
  output: string
  /** From the request until the last byte, milliseconds, of the attempt that counted. */
  latency_ms: number
  first_token_ms: number | null
  /** Requests that were sent: 1 and the retries. */
  attempts: number
}

/** What an agent was seen to do, from its first turn to its last, or to the fault that ended it. */
export interface AgentTrace {
  dialect: AgentDialect | null
  level: AgentLevel
  captured: AgentPart[]
  /** Of the last turn. With a fault: what had come until then. */
  output: string
  tool_calls: AgentToolCall[]
  turns: AgentTurn[]
  /** Summed over all that was reported; null where nothing was. */
  tokens: AgentTokens | null
  /** US dollars. Null is unknown; a part that is unknown makes the sum unknown. */
  cost: number | null
  /** Where the cost is from. */
  cost_source: 'reported' | 'priced' | null
  /** As the agent names it. */
  model: string | null
  session_id: string | null
  /** Summed over the turns. */
  latency_ms: number
  /** Of the first turn. */
  first_token_ms: number | null
  notes: AgentNote[]
  fault: AgentFault | null
  /** What looks like a mistake of the agent, and what to mend. */
  warnings: string[]
}
