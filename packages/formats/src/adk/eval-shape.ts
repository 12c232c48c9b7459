import { isObject } from '@llm-eval/protocol'
import { content, functionCall, functionResponse, part, usage } from './event-shape.ts'
import type {
  AppDetails,
  ConversationScenario,
  EvalCase,
  EvalSet,
  IntermediateData,
  Invocation,
  InvocationEvent,
  InvocationEvents,
  Rubric,
  SessionInput,
} from './eval-model.ts'
import type { AdkPart } from './event.ts'
import { list, map, number, object, opaque, opaqueObject, seconds, type Shape, structured, text } from './shape.ts'

// ADK's eval files, newest first read with ADK 2.13.

export const rubric = object<Rubric>(
  { rubricId: text, rubricContent: object({ textProperty: text }), description: text, type: text },
  { required: ['rubricId', 'rubricContent'] },
)

const invocationEvents = object<InvocationEvents>(
  {
    invocationEvents: list(
      object<InvocationEvent>(
        { author: text, content, groundingMetadata: structured, usageMetadata: usage, modelVersion: text },
        { required: ['author'] },
      ),
    ),
  },
  { defaults: { invocationEvents: [] } },
)

/** An author and what they said. */
const response: Shape<[string, AdkPart[]]> = {
  read(json, telling) {
    const [author, parts] = Array.isArray(json) ? json : []
    if (typeof author === 'string' && Array.isArray(parts)) return [author, list(part).read(parts, telling) ?? []]
    telling.lose('is no pair of an author and parts')
    return undefined
  },
  write: ([author, parts], telling) => [author, list(part).write(parts, telling)],
}

const intermediateData = object<IntermediateData>(
  {
    toolUses: list(functionCall),
    toolResponses: list(functionResponse),
    intermediateResponses: list(response),
  },
  { defaults: { toolUses: [], toolResponses: [], intermediateResponses: [] } },
)

/** Where neither form can be told it is the older one, as ADK decides it. */
const intermediate: Shape<InvocationEvents | IntermediateData> = {
  read(json, telling) {
    const isEvents = isObject(json) && (json['invocation_events'] ?? json['invocationEvents'] ?? null) !== null
    return isEvents ? invocationEvents.read(json, telling) : intermediateData.read(json, telling)
  },
  write: (value, telling) =>
    'invocationEvents' in value ? invocationEvents.write(value, telling) : intermediateData.write(value, telling),
}

export const invocation = object<Invocation>(
  {
    invocationId: text,
    userContent: content,
    finalResponse: content,
    intermediateData: intermediate,
    creationTimestamp: seconds,
    rubrics: list(rubric),
    appDetails: object<AppDetails>({
      agentDetails: map(
        object<{ name: string; instructions?: string; toolDeclarations?: unknown[] }>(
          { name: text, instructions: text, toolDeclarations: list(opaque) },
          { required: ['name'] },
        ),
      ),
    }),
    duration: number,
    modelDuration: number,
    toolDuration: number,
  },
  { defaults: { invocationId: '' }, required: ['userContent'] },
)

export const evalCase = object<EvalCase>(
  {
    evalId: text,
    conversation: list(invocation),
    conversationScenario: object<ConversationScenario>(
      { startingPrompt: text, conversationPlan: text, userPersona: opaque },
      { required: ['startingPrompt', 'conversationPlan'] },
    ),
    sessionInput: object<SessionInput>(
      { appName: text, userId: text, sessionId: text, state: opaqueObject('value', 'absent') },
      { required: ['appName', 'userId'] },
    ),
    creationTimestamp: seconds,
    rubrics: list(rubric),
    finalSessionState: opaqueObject('value', 'absent'),
  },
  { required: ['evalId'] },
)

export const evalSet = object<EvalSet>(
  { evalSetId: text, name: text, description: text, evalCases: list(evalCase), creationTimestamp: seconds },
  { required: ['evalSetId', 'evalCases'] },
)
