import type {
  AdkActions,
  AdkContent,
  AdkEvent,
  AdkFunctionCall,
  AdkFunctionResponse,
  AdkPart,
  AdkUsage,
} from './event.ts'
import {
  bytes,
  count,
  flag,
  list,
  map,
  number,
  object,
  opaque,
  opaqueObject,
  seconds,
  structured,
  text,
} from './shape.ts'

// What google-genai and ADK know, newest first read with ADK 2.13. Where user data begins, the shape is opaque.

export const functionCall = object<AdkFunctionCall>({
  id: text,
  args: opaqueObject('value'),
  name: text,
  partialArgs: list(structured, 'absent'),
  willContinue: flag,
})

export const functionResponse = object<AdkFunctionResponse>({
  id: text,
  name: text,
  response: opaqueObject('result'),
  willContinue: flag,
  scheduling: text,
})

export const part = object<AdkPart>(
  {
    text,
    thought: flag,
    functionCall,
    functionResponse,
    inlineData: object({ data: bytes, mimeType: text, displayName: text }),
    fileData: object({ fileUri: text, mimeType: text, displayName: text }),
    executableCode: object({ code: text, language: text, id: text }),
    codeExecutionResult: object({ outcome: text, output: text, id: text }),
    thoughtSignature: bytes,
  },
  {
    more: {
      videoMetadata: structured,
      mediaResolution: structured,
      toolCall: object<{ id?: string; toolType?: string; args?: Record<string, unknown> }>({
        id: text,
        toolType: text,
        args: opaqueObject('value'),
      }),
      toolResponse: object<{ id?: string; toolType?: string; response?: Record<string, unknown> }>({
        id: text,
        toolType: text,
        response: opaqueObject('result'),
      }),
      partMetadata: opaque,
      audioTranscription: structured,
      mediaProcessing: structured,
      speechMetadata: structured,
    },
    open: 'newer',
  },
)

export const content = object<AdkContent>({ parts: list(part), role: text })

export const usage = object<AdkUsage>(
  {
    promptTokenCount: count,
    candidatesTokenCount: count,
    thoughtsTokenCount: count,
    cachedContentTokenCount: count,
    toolUsePromptTokenCount: count,
    totalTokenCount: count,
  },
  {
    more: {
      promptTokensDetails: structured,
      candidatesTokensDetails: structured,
      cacheTokensDetails: structured,
      toolUsePromptTokensDetails: structured,
      trafficType: text,
    },
    open: 'newer',
    empty: 'absent',
  },
)

const actions = object<AdkActions>(
  {
    skipSummarization: flag,
    stateDelta: opaqueObject('value', 'absent'),
    artifactDelta: map(count, 'absent'),
    transferToAgent: text,
    escalate: flag,
    requestedAuthConfigs: opaqueObject('value', 'absent'),
    requestedToolConfirmations: opaqueObject('value', 'absent'),
  },
  {
    more: {
      transferReason: text,
      agentState: opaque,
      customMetadata: opaque,
      endOfAgent: flag,
      rewindBeforeInvocationId: text,
      route: opaque,
      renderUiWidgets: opaque,
      setModelResponse: opaque,
      compaction: object<{ startTimestamp?: number; endTimestamp?: number; compactedContent?: AdkContent }>(
        { startTimestamp: seconds, endTimestamp: seconds, compactedContent: content },
        { open: 'newer' },
      ),
    },
    open: 'newer',
    empty: 'absent',
  },
)

export const event = object<AdkEvent>(
  {
    id: text,
    invocationId: text,
    author: text,
    timestamp: seconds,
    content,
    partial: flag,
    actions,
    longRunningToolIds: list(text, 'absent'),
    branch: text,
    modelVersion: text,
    finishReason: text,
    usageMetadata: usage,
    turnComplete: flag,
    interrupted: flag,
    errorCode: text,
    errorMessage: text,
  },
  {
    defaults: { id: '', invocationId: '', author: 'agent', timestamp: 0 },
    more: {
      turnId: text,
      output: opaque,
      route: opaque,
      nodeInfo: structured,
      isolationScope: text,
      groundingMetadata: structured,
      citationMetadata: structured,
      turnCompleteReason: text,
      interactionStatus: text,
      customMetadata: opaque,
      liveSessionResumptionUpdate: structured,
      liveSessionId: text,
      goAway: structured,
      liveSetupComplete: structured,
      voiceActivity: structured,
      inputTranscription: structured,
      outputTranscription: structured,
      avgLogprobs: number,
      logprobsResult: structured,
      // Its keys are in snake case even where all others are not.
      cacheMetadata: opaque,
      interactionId: text,
      environmentId: text,
    },
    open: 'newer',
  },
)
