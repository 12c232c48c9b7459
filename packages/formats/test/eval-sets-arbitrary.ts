import type {
  AdkContent,
  AdkPart,
  EvalCase,
  EvalSet,
  IntermediateData,
  Invocation,
  InvocationEvents,
  Rubric,
} from '@llm-eval/formats/adk'
import * as fc from 'fast-check'

// Eval sets in the strict form, of all that it can hold.

/** Drops what is not set: in the strict form it is absent. */
function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}

function shape<T extends object>(
  members: { [K in keyof T]-?: fc.Arbitrary<T[K]> },
  required: (keyof T)[],
): fc.Arbitrary<T> {
  const optional = Object.fromEntries(
    Object.entries<fc.Arbitrary<unknown>>(members).map(([key, one]) => [
      key,
      required.some((name) => name === key) ? one : fc.option(one, { nil: undefined }),
    ]),
  )
  return fc.record(optional).map((value) => present(value) as unknown as T)
}

const name = fc.string({ maxLength: 8 })
const seconds = fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1_000)
/** As it comes back from text: without -0, and without the one key that is never kept. */
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))
  .filter((value) => !JSON.stringify(value).includes('__proto__'))
/** Users' own: every casing, and names that mean something elsewhere. */
const opaque = fc.dictionary(
  fc.constantFrom('userId', 'user_id', 'constructor', 'a b', 'Args', 'function_call', 'functionCall', 'toString', 'é'),
  json,
  { maxKeys: 3, noNullPrototype: true },
)
const filled = opaque.filter((value) => Object.keys(value).length > 0)
const bytes = fc.uint8Array({ maxLength: 9 }).map((raw) => {
  const text = Buffer.from(raw).toString('base64url')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
})

const call = shape<NonNullable<AdkPart['functionCall']>>(
  {
    id: name,
    name,
    args: opaque,
    partialArgs: fc.constant([{ jsonPath: '$.a', stringValue: 'x', willContinue: true }]),
    willContinue: fc.boolean(),
  },
  [],
)
const response = shape<NonNullable<AdkPart['functionResponse']>>(
  { id: name, name, response: opaque, willContinue: fc.boolean(), scheduling: name },
  [],
)
const part = fc.oneof(
  fc.record({ text: fc.string() }),
  fc.record({ text: fc.string(), thought: fc.boolean(), thoughtSignature: bytes }),
  fc.record({ functionCall: call, thoughtSignature: bytes }),
  fc.record({ functionResponse: response }),
  fc.record({ inlineData: fc.record({ data: bytes, mimeType: name, displayName: name }) }),
  fc.record({ fileData: fc.record({ fileUri: name, mimeType: name }) }),
  fc.record({ executableCode: fc.record({ code: name, language: name }) }),
  fc.record({ codeExecutionResult: fc.record({ outcome: name, output: name }) }),
  fc.record({ partMetadata: opaque, videoMetadata: fc.constant({ startOffset: '1s', fps: 2 }) }),
)
const content = shape<AdkContent>(
  { role: fc.constantFrom('user', 'model'), parts: fc.array(part, { maxLength: 4 }) },
  [],
)
const usage = fc.record({
  promptTokenCount: fc.nat(),
  totalTokenCount: fc.nat(),
  promptTokensDetails: fc.constant([{ modality: 'TEXT', tokenCount: 1 }]),
})
const events: fc.Arbitrary<InvocationEvents> = fc.record({
  invocationEvents: fc.array(
    shape(
      {
        author: name,
        content,
        groundingMetadata: fc.constant({ webSearchQueries: ['a'] }),
        usageMetadata: usage,
        modelVersion: name,
      },
      ['author'],
    ),
    { maxLength: 3 },
  ),
})
const kinds: fc.Arbitrary<IntermediateData> = fc.record({
  toolUses: fc.array(call, { maxLength: 2 }),
  toolResponses: fc.array(response, { maxLength: 2 }),
  intermediateResponses: fc.array(fc.tuple(name, fc.array(part, { maxLength: 2 })), { maxLength: 2 }),
})
const rubrics = fc.array(
  shape<Rubric>({ rubricId: name, rubricContent: fc.record({ textProperty: name }), description: name, type: name }, [
    'rubricId',
    'rubricContent',
  ]),
  { maxLength: 2 },
)
const agent = fc.record({ name, instructions: name, toolDeclarations: fc.array(opaque, { maxLength: 1 }) })
export const invocation: fc.Arbitrary<Invocation> = shape<Invocation>(
  {
    invocationId: name,
    userContent: content,
    finalResponse: content,
    intermediateData: fc.oneof(events, kinds),
    creationTimestamp: seconds,
    rubrics,
    appDetails: fc.record({
      agentDetails: fc.dictionary(fc.constantFrom('root_agent', 'aB', 'a_b'), agent, { noNullPrototype: true }),
    }),
    duration: fc.nat(),
    modelDuration: fc.nat(),
    toolDuration: fc.nat(),
  },
  ['invocationId', 'userContent'],
)
const head = {
  evalId: name,
  sessionInput: shape<NonNullable<EvalCase['sessionInput']>>(
    { appName: name, userId: name, sessionId: name, state: filled },
    ['appName', 'userId'],
  ),
  creationTimestamp: seconds,
  rubrics,
  finalSessionState: filled,
}
const scenario = fc.record({
  startingPrompt: name,
  conversationPlan: name,
  userPersona: fc.oneof(name, fc.constant({ id: 'x', behaviors: [{ behavior_instructions: ['a'] }] })),
})
const evalCase = fc.oneof(
  shape<EvalCase>(
    { ...head, conversation: fc.array(invocation, { maxLength: 3 }), conversationScenario: fc.constant(undefined) },
    ['evalId', 'conversation'],
  ),
  shape<EvalCase>({ ...head, conversationScenario: scenario, conversation: fc.constant(undefined) }, [
    'evalId',
    'conversationScenario',
  ]),
)

/** Any eval set. */
export const evalSet: fc.Arbitrary<EvalSet> = shape<EvalSet>(
  {
    evalSetId: name,
    name,
    description: name,
    evalCases: fc.array(evalCase, { maxLength: 3 }),
    creationTimestamp: seconds,
  },
  ['evalSetId', 'evalCases'],
)
