import type { EvalCase, EvalSet, Invocation } from './eval-model.ts'

export interface EvalCaseHead {
  /** A letter, digit or `_` each: everything else becomes `_`, as `adk eval` splits at `:` and `,`. */
  evalId: string
  appName: string
  userId: string
  /** The state before the first turn. */
  state?: Record<string, unknown>
  /** Seconds since 1970. */
  creationTimestamp?: number
}

/** Turns as a case of an eval set. */
export function toEvalCase(invocations: readonly Invocation[], head: EvalCaseHead): EvalCase {
  const { appName, userId, state, creationTimestamp } = head
  return {
    evalId: evalName(head.evalId),
    conversation: [...invocations],
    sessionInput: { appName, userId, ...(state && Object.keys(state).length > 0 && { state }) },
    ...(creationTimestamp !== undefined && { creationTimestamp }),
  }
}

export interface EvalSetHead {
  evalSetId: string
  name?: string
  description?: string
  creationTimestamp?: number
}

/** Cases as an eval set. Ids that occur twice, which ADK refuses, get a number. */
export function toEvalSet(cases: readonly EvalCase[], head: EvalSetHead): { set: EvalSet; warnings: string[] } {
  const warnings: string[] = []
  const taken = new Map<string, number>()
  const evalCases = cases.map((one) => {
    const evalId = freeName(evalName(one.evalId), taken)
    if (evalId !== one.evalId) warnings.push(`${one.evalId} is now ${evalId}: ids are unique, of letters, digits and _`)
    return evalId === one.evalId ? one : { ...one, evalId }
  })
  return { set: { ...head, evalSetId: evalName(head.evalSetId), evalCases }, warnings }
}

/** An id that ADK takes for sets and finds again for cases. */
export function evalName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_') || '_'
}

/** @param taken names, and the number that the next one of the same name tries first */
function freeName(name: string, taken: Map<string, number>): string {
  let free = name
  let number = taken.get(name) ?? 1
  while (taken.has(free)) free = `${name}_${++number}`
  taken.set(name, number)
  if (free !== name) taken.set(free, 1)
  return free
}
