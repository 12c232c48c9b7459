import type { EvalCase, Invocation } from './eval-model.ts'
import type { AdkFunctionCall, AdkPart } from './event.ts'
import { list, object, opaqueObject, type Shape, text } from './shape.ts'
import type { Telling } from './telling.ts'

/** One turn as the first versions of ADK wrote it. */
interface LegacyTurn {
  query: string
  reference?: string | undefined
  expectedToolUse?: { toolName?: string | undefined; toolInput?: Record<string, unknown> | undefined }[] | undefined
  expectedIntermediateAgentResponses?: { author?: string | undefined; text?: string | undefined }[] | undefined
}

interface LegacyCase {
  name?: string | undefined
  data: LegacyTurn[]
  initialSession?:
    | { appName?: string | undefined; userId?: string | undefined; state?: Record<string, unknown> | undefined }
    | undefined
}

const turn = object<LegacyTurn>(
  {
    query: text,
    reference: text,
    expectedToolUse: list(object({ toolName: text, toolInput: opaqueObject('value') })),
    expectedIntermediateAgentResponses: list(object({ author: text, text })),
  },
  { required: ['query'] },
)

const legacyCase: Shape<LegacyCase> = object<LegacyCase>(
  {
    name: text,
    data: list(turn),
    initialSession: object(
      { appName: text, userId: text, state: opaqueObject('value', 'absent') },
      { empty: 'absent' },
    ),
  },
  { required: ['data'] },
)

/**
 * The cases of a list `[{name, data, initial_session}]`, and of the still older list of turns alone, which is one case. Ids of turns
 * are made of their places, so that the same file is always read the same.
 */
export function readLegacyCases(value: unknown, telling: Telling): EvalCase[] {
  const items = Array.isArray(value) ? value : []
  const isTurns =
    items.length > 0 && items.every((item) => typeof item === 'object' && item !== null && 'query' in item)
  if (isTurns) return [caseOf({ data: list(turn).read(items, telling) ?? [] }, 0)]
  return (list(legacyCase).read(items, telling) ?? []).map(caseOf)
}

function caseOf({ name, data, initialSession }: LegacyCase, index: number): EvalCase {
  const evalId = name ?? `case_${index + 1}`
  const { appName = '', userId = '', state } = initialSession ?? {}
  return {
    evalId,
    conversation: data.map((one, at) => invocationOf(one, `${evalId}-${at + 1}`)),
    ...(initialSession && { sessionInput: { appName, userId, ...(state && { state }) } }),
  }
}

function invocationOf(legacy: LegacyTurn, invocationId: string): Invocation {
  const toolUses = (legacy.expectedToolUse ?? []).map(
    ({ toolName, toolInput }): AdkFunctionCall => ({
      ...(toolName !== undefined && { name: toolName }),
      ...(toolInput && { args: toolInput }),
    }),
  )
  const said = legacy.expectedIntermediateAgentResponses ?? []
  return {
    invocationId,
    userContent: { role: 'user', parts: [{ text: legacy.query }] },
    finalResponse: { role: 'model', parts: [{ text: legacy.reference ?? '' }] },
    intermediateData: {
      toolUses,
      toolResponses: [],
      intermediateResponses: said.map((one): [string, AdkPart[]] => [
        one.author ?? 'agent',
        [{ text: one.text ?? '' }],
      ]),
    },
  }
}
