import type { EvalCase, EvalSet, Invocation } from './eval-model.ts'
import type { AdkContent, AdkFunctionCall } from './event.ts'

/** A case of an eval set as an agent is asked it: what users say, and what is expected of each turn. */
export interface EvalCaseToAsk {
  evalId: string
  appName: string | null
  userId: string | null
  /** Before the first turn. */
  state: Record<string, unknown>
  turns: {
    query: string
    calls: { name: string; args: Record<string, unknown> | null }[]
    /** Text of the final response; empty where none is expected. */
    response: string
  }[]
}

/** A case that cannot be asked, and why. */
export interface EvalCaseFault {
  /** From 0. */
  index: number
  evalId: string
  message: string
}

/**
 * The cases of an eval set that can be asked: what users say is said again, as ADK does it. Those whose users are simulated, or
 * bring results of tools or files, cannot, and are told.
 */
export function casesToAsk({ evalCases }: EvalSet): { cases: EvalCaseToAsk[]; faults: EvalCaseFault[] } {
  const cases: EvalCaseToAsk[] = []
  const faults: EvalCaseFault[] = []
  for (const [index, one] of evalCases.entries()) {
    const message = faultOf(one)
    if (message === undefined) cases.push(caseOf(one))
    else faults.push({ index, evalId: one.evalId, message })
  }
  return { cases, faults }
}

/** The calls of tools in a turn, as ADK's measures count them: those of its events, in their order. */
export function callsOf({ intermediateData }: Invocation): AdkFunctionCall[] {
  if (!intermediateData) return []
  if ('toolUses' in intermediateData) return intermediateData.toolUses
  return intermediateData.invocationEvents.flatMap(({ content }) =>
    (content?.parts ?? []).flatMap(({ functionCall }) => functionCall ?? []),
  )
}

/** The text of a message as ADK's measures read it: its parts line by line, thoughts too. */
export function textOf(content: AdkContent | undefined): string {
  return (content?.parts ?? []).flatMap(({ text }) => (text ? [text] : [])).join('\n')
}

function caseOf({ evalId, conversation, sessionInput }: EvalCase): EvalCaseToAsk {
  return {
    evalId,
    appName: sessionInput?.appName || null,
    userId: sessionInput?.userId || null,
    state: sessionInput?.state ?? {},
    turns: (conversation ?? []).map((turn) => ({
      query: textOf(turn.userContent),
      calls: callsOf(turn).map(({ name = '', args = null }) => ({ name, args })),
      response: textOf(turn.finalResponse),
    })),
  }
}

function faultOf({ conversation, conversationScenario }: EvalCase): string | undefined {
  if (conversationScenario) return 'its user is simulated by a model (conversation_scenario)'
  if (!conversation || conversation.length === 0) return 'its conversation is empty'
  for (const [index, { userContent }] of conversation.entries()) {
    const parts = userContent.parts ?? []
    const turn = `in turn ${index + 1} the user`
    if (parts.some(({ functionResponse }) => functionResponse))
      return `${turn} brings the result of a tool, whose call has another id each time`
    if (parts.some(({ inlineData, fileData }) => inlineData ?? fileData)) return `${turn} sends a file`
    if (textOf(userContent) === '') return `${turn} says nothing`
  }
  return undefined
}
