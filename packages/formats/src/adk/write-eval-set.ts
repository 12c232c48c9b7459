import type { EvalCase, EvalSet, IntermediateData, Invocation, InvocationEvents } from './eval-model.ts'
import { evalCase as caseShape, evalSet as setShape } from './eval-shape.ts'
import type { AdkPart } from './event.ts'
import { Telling } from './telling.ts'
import { wellFormed } from './well-formed.ts'

/** `events`: as ADK since 1.16 has it. `legacy`: what agents did by kinds, as all versions read it. */
export type EvalFlavour = 'events' | 'legacy'

export interface WriteEvalOptions {
  flavour?: EvalFlavour
}

/** What is written, and by path what has no place in it. */
export interface WrittenEval {
  json: unknown
  lost: string[]
}

/** The JSON of an eval set as `adk eval` loads it: snake case, nothing unset, no key that ADK does not know. */
export function writeEvalSet(set: EvalSet, { flavour = 'events' }: WriteEvalOptions = {}): WrittenEval {
  const telling = new Telling('lost')
  const evalCases = set.evalCases.map((one, index) => {
    telling.enter(`eval_cases[${index}]`)
    const told = inFlavour(one, flavour, telling)
    telling.leave()
    return told
  })
  return written(setShape.write({ ...set, evalCases }, telling), telling)
}

/**
 * The JSON of a bare case, as ADK's REST interface exchanges it and as seed files have it. `adk eval` does not load it: that wants a
 * set around it.
 */
export function writeEvalCase(one: EvalCase, { flavour = 'events' }: WriteEvalOptions = {}): WrittenEval {
  const telling = new Telling('lost')
  return written(caseShape.write(inFlavour(one, flavour, telling), telling), telling)
}

function written(json: unknown, { lost }: Telling): WrittenEval {
  const told = [...lost]
  return { json: wellFormed(json, told), lost: told }
}

function inFlavour(one: EvalCase, flavour: EvalFlavour, telling: Telling): EvalCase {
  if (flavour === 'events' || !one.conversation) return one
  const conversation = one.conversation.map((invocation, index): Invocation => {
    telling.enter(`conversation[${index}]`)
    const told = legacyInvocation(invocation, telling)
    telling.leave()
    return told
  })
  return { ...one, conversation }
}

function legacyInvocation(invocation: Invocation, telling: Telling): Invocation {
  const { duration, modelDuration, toolDuration, intermediateData, ...known } = invocation
  if (duration !== undefined || modelDuration !== undefined || toolDuration !== undefined)
    telling.lose('has durations, which older versions do not know')
  if (!intermediateData) return known
  return { ...known, intermediateData: toIntermediateData(intermediateData, telling) }
}

/** Events by kinds. What has no kind there is told. */
function toIntermediateData(data: InvocationEvents | IntermediateData, telling: Telling): IntermediateData {
  if (!('invocationEvents' in data)) return data
  const sorted: IntermediateData = { toolUses: [], toolResponses: [], intermediateResponses: [] }
  for (const { author, content, usageMetadata, groundingMetadata } of data.invocationEvents) {
    if (usageMetadata !== undefined) telling.lose('has usage, which older versions do not know')
    if (groundingMetadata !== undefined) telling.lose('has grounding, which older versions do not know')
    const said: AdkPart[] = []
    for (const part of content?.parts ?? []) {
      if (part.functionCall) sorted.toolUses.push(part.functionCall)
      if (part.functionResponse) sorted.toolResponses.push(part.functionResponse)
      if (!part.functionCall && !part.functionResponse) said.push(part)
      else if (part.thoughtSignature !== undefined)
        telling.lose('has thought signatures of calls, which have no place here')
    }
    if (said.length > 0) sorted.intermediateResponses.push([author, said])
  }
  return sorted
}
