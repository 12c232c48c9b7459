import type { AdkContent, AdkFunctionCall, AdkFunctionResponse, AdkPart, AdkUsage } from './event.ts'

// ADK's eval files in one strict form: what all their versions and both casings mean. What is not set is absent.

/** Something that an agent did in a turn. */
export interface InvocationEvent {
  author: string
  content?: AdkContent | undefined
  /** The next three are known to ADK 2 only. */
  groundingMetadata?: unknown
  usageMetadata?: AdkUsage | undefined
  modelVersion?: string | undefined
}

/** What agents did in a turn, event by event. ADK knows it since 1.16. */
export interface InvocationEvents {
  invocationEvents: InvocationEvent[]
}

/** What agents did in a turn, by kinds, as all versions know it. */
export interface IntermediateData {
  toolUses: AdkFunctionCall[]
  toolResponses: AdkFunctionResponse[]
  /** Author and parts. */
  intermediateResponses: [string, AdkPart[]][]
}

export interface Rubric {
  rubricId: string
  rubricContent: { textProperty?: string | undefined }
  description?: string | undefined
  type?: string | undefined
}

export interface AppDetails {
  agentDetails?:
    | Record<string, { name: string; instructions?: string | undefined; toolDeclarations?: unknown[] | undefined }>
    | undefined
}

/** A user's turn: what was said, what the agents did, what they answered in the end. */
export interface Invocation {
  invocationId: string
  userContent: AdkContent
  finalResponse?: AdkContent | undefined
  intermediateData?: InvocationEvents | IntermediateData | undefined
  /** Seconds since 1970. */
  creationTimestamp?: number | undefined
  rubrics?: Rubric[] | undefined
  appDetails?: AppDetails | undefined
  /** Seconds; the next three are known to ADK 2 only. */
  duration?: number | undefined
  modelDuration?: number | undefined
  toolDuration?: number | undefined
}

/** What a simulated user wants. */
export interface ConversationScenario {
  startingPrompt: string
  conversationPlan: string
  /** The id of a persona, or one that is described. */
  userPersona?: unknown
}

export interface SessionInput {
  appName: string
  userId: string
  sessionId?: string | undefined
  /** Before the first turn. */
  state?: Record<string, unknown> | undefined
}

/** Exactly one of `conversation` and `conversationScenario` is set. */
export interface EvalCase {
  evalId: string
  conversation?: Invocation[] | undefined
  conversationScenario?: ConversationScenario | undefined
  sessionInput?: SessionInput | undefined
  /** Seconds since 1970. */
  creationTimestamp?: number | undefined
  rubrics?: Rubric[] | undefined
  finalSessionState?: Record<string, unknown> | undefined
}

export interface EvalSet {
  evalSetId: string
  name?: string | undefined
  description?: string | undefined
  evalCases: EvalCase[]
  /** Seconds since 1970. */
  creationTimestamp?: number | undefined
}
