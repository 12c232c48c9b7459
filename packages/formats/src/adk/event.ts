/** A call of a tool. `args` that are not there are something else than `{}`. */
export interface AdkFunctionCall {
  id?: string | undefined
  name?: string | undefined
  args?: Record<string, unknown> | undefined
  /** Pieces of arguments that are still being written; only in partial events. */
  partialArgs?: unknown[] | undefined
  willContinue?: boolean | undefined
}

export interface AdkFunctionResponse {
  id?: string | undefined
  name?: string | undefined
  response?: Record<string, unknown> | undefined
  willContinue?: boolean | undefined
  scheduling?: string | undefined
}

/** A part of a message, as google-genai knows it: what is set says what it is. Bytes are URL-safe base64 with padding. */
export interface AdkPart {
  text?: string | undefined
  thought?: boolean | undefined
  thoughtSignature?: string | undefined
  functionCall?: AdkFunctionCall | undefined
  functionResponse?: AdkFunctionResponse | undefined
  inlineData?:
    | { data?: string | undefined; mimeType?: string | undefined; displayName?: string | undefined }
    | undefined
  fileData?:
    | { fileUri?: string | undefined; mimeType?: string | undefined; displayName?: string | undefined }
    | undefined
  executableCode?: { code?: string | undefined; language?: string | undefined; id?: string | undefined } | undefined
  codeExecutionResult?:
    | { outcome?: string | undefined; output?: string | undefined; id?: string | undefined }
    | undefined
  [newer: string]: unknown
}

export interface AdkContent {
  role?: string | undefined
  parts?: AdkPart[] | undefined
}

export interface AdkUsage {
  promptTokenCount?: number | undefined
  candidatesTokenCount?: number | undefined
  thoughtsTokenCount?: number | undefined
  cachedContentTokenCount?: number | undefined
  toolUsePromptTokenCount?: number | undefined
  totalTokenCount?: number | undefined
  [newer: string]: unknown
}

/** What an event of ADK asks its runner to do. Keys inside of the deltas are users' own. */
export interface AdkActions {
  skipSummarization?: boolean | undefined
  stateDelta?: Record<string, unknown> | undefined
  artifactDelta?: Record<string, number> | undefined
  transferToAgent?: string | undefined
  escalate?: boolean | undefined
  requestedAuthConfigs?: Record<string, unknown> | undefined
  requestedToolConfirmations?: Record<string, unknown> | undefined
  [newer: string]: unknown
}

/**
 * An event of ADK in one normal form, whoever sent it: keys in camel case, `timestamp` in seconds, bytes in URL-safe base64,
 * empty collections absent. Opaque data (arguments, responses, state) is as it was.
 */
export interface AdkEvent {
  id: string
  invocationId: string
  /** `user`, or the name of an agent. */
  author: string
  /** Seconds since 1970. */
  timestamp: number
  content?: AdkContent | undefined
  partial?: boolean | undefined
  actions?: AdkActions | undefined
  longRunningToolIds?: string[] | undefined
  branch?: string | undefined
  modelVersion?: string | undefined
  finishReason?: string | undefined
  usageMetadata?: AdkUsage | undefined
  turnComplete?: boolean | undefined
  interrupted?: boolean | undefined
  errorCode?: string | undefined
  errorMessage?: string | undefined
  [newer: string]: unknown
}
