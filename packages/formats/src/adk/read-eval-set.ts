import { isObject } from '@llm-eval/protocol'
import type { EvalCase, EvalSet } from './eval-model.ts'
import { evalCase, evalSet as shape } from './eval-shape.ts'
import { readLegacyCases } from './legacy-list.ts'
import { snakeCase } from './casing.ts'
import { Telling } from './telling.ts'

/** In which form an eval file was: a set, a bare case, or the list of the first versions. */
export type EvalForm = 'evalset' | 'evalcase' | 'list'

export interface ReadEvalSetOptions {
  /** Stands for the id of what has none: usually the file's name. */
  evalSetId?: string
}

/**
 * An eval file of any version of ADK: an `EvalSet` in either casing, the list of the first versions, a bare `EvalCase` (which ADK
 * itself does not load), or any of them written as JSON text inside of JSON.
 *
 * @param json any JSON; nothing throws
 * @returns the set, its form, and by path what could not be kept; or what is wrong, by path
 */
export function readEvalSet(
  json: unknown,
  { evalSetId = 'evalset' }: ReadEvalSetOptions = {},
): { set: EvalSet; form: EvalForm; lost: string[] } | { fault: string } {
  const value = unwrapped(json)
  const telling = new Telling('lost')
  const form = formOf(value)
  if (form === undefined) return { fault: 'is no eval file of ADK: it has no eval_cases and no conversation' }
  const set = readForm(value, form, { telling, evalSetId })
  for (const [index, one] of (set?.evalCases ?? []).entries()) checkCase(one, index, telling)
  const fault = telling.fault
  if (set === undefined || fault !== undefined) return { fault: fault ?? 'is no eval file of ADK' }
  return { set, form, lost: telling.lost }
}

/** Some versions wrote the text of JSON as JSON. */
export function unwrapped(json: unknown): unknown {
  if (typeof json !== 'string') return json
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

function formOf(value: unknown): EvalForm | undefined {
  if (Array.isArray(value)) return 'list'
  if (!isObject(value)) return undefined
  const has = (name: string): boolean => Object.hasOwn(value, name) || Object.hasOwn(value, snakeCase(name))
  if (has('evalCases')) return 'evalset'
  return has('conversation') || has('conversationScenario') ? 'evalcase' : undefined
}

function readForm(
  value: unknown,
  form: EvalForm,
  { telling, evalSetId }: { telling: Telling; evalSetId: string },
): EvalSet | undefined {
  if (form === 'list') return { evalSetId, name: evalSetId, evalCases: readLegacyCases(value, telling) }
  if (form === 'evalset') {
    if (!isObject(value) || (value['eval_set_id'] ?? value['evalSetId'] ?? null) !== null)
      return shape.read(value, telling)
    telling.lose(`eval_set_id is missing, without which ADK does not load it: it is now ${evalSetId}`)
    return shape.read({ ...value, eval_set_id: evalSetId }, telling)
  }
  const one = evalCase.read(value, telling)
  return one && { evalSetId, evalCases: [one] }
}

function checkCase({ conversation, conversationScenario, evalId }: EvalCase, index: number, telling: Telling): void {
  if ((conversation === undefined) !== (conversationScenario === undefined)) return
  const wrong = conversation ? 'has both a conversation and a scenario' : 'has neither a conversation nor a scenario'
  telling.fail(`eval_cases[${index}] (${evalId.slice(0, 100)}) ${wrong}`)
}
