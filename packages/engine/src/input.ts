import type { Fault, Field } from '@llm-eval/protocol'
import type { Input } from './evaluator.ts'
import { folded, foldedGroup, synonymsOf } from './names.ts'

/** An input as an evaluator wants it, and what stands in its way. */
export interface Resolved {
  input: Input
  /** Required fields that are absent. */
  missing: Field[]
  /** Fields of a wrong type. */
  faults: Fault[]
}

/**
 * Finds each field of an evaluator in what was sent: by its exact name, then however it is spelled (`userQuery`, `user-query`),
 * then under a synonym that no other field goes by. What is null counts as absent, what nobody asked for is ignored.
 */
export function resolveInput(fields: readonly Field[], raw: Readonly<Record<string, unknown>>): Resolved {
  // Most fields come by their exact names: how else they may be spelled is looked at only when one does not.
  let sent: Sent | undefined
  const input: Record<string, unknown> = {}
  const resolved: Resolved = { input, missing: [], faults: [] }
  for (const field of fields) {
    const exact = Object.hasOwn(raw, field.name) ? raw[field.name] : undefined
    const value = exact ?? find(field, (sent ??= sentIn(fields, raw)))
    if (value === undefined) {
      if (field.required) resolved.missing.push(field)
      continue
    }
    const fitted = fit(field, value)
    if ('message' in fitted) resolved.faults.push({ path: `input.${field.name}`, message: fitted.message })
    else input[field.name] = fitted.value
  }
  return resolved
}

interface Sent {
  /** What was sent, by the folded name. */
  byName: ReadonlyMap<string, unknown>
  /** Folded names that stand for a field. */
  taken: Set<string>
}

function sentIn(fields: readonly Field[], raw: Readonly<Record<string, unknown>>): Sent {
  const taken = new Set(fields.map(({ name }) => folded(name)))
  // Whoever sends a hundred thousand names that say nothing is not to hold everybody up.
  const heard = new Set([...taken, ...fields.flatMap(({ name }) => foldedGroup(name))])
  const byName = new Map<string, unknown>()
  for (const name of Object.keys(raw)) {
    const key = folded(name)
    if (!heard.has(key)) continue
    const value = raw[name]
    if (value !== null && value !== undefined && !(byName.has(key) && !Object.hasOwn(raw, key))) byName.set(key, value)
  }
  return { byName, taken }
}

/** A field that did not come by its exact name. */
function find({ name, required }: Field, { byName, taken }: Sent): unknown {
  const own = byName.get(folded(name))
  // A synonym stands in for what there is no score without, never for what is optional.
  if (own !== undefined || !required) return own
  for (const synonym of synonymsOf(name)) {
    const key = folded(synonym)
    if (taken.has(key) || !byName.has(key)) continue
    taken.add(key)
    return byName.get(key)
  }
  return undefined
}

type Fitted = { value: unknown } | { message: string }

/** Takes a value as the type of its field, also where it comes as a string: Traceloop's clients send everything so. */
function fit(field: Field, value: unknown): Fitted {
  switch (field.type) {
    case 'any':
      return { value }
    case 'string':
      return { value: typeof value === 'string' ? value : textOf(value) }
    case 'enum':
      return typeof value === 'string' && field.enum_values?.includes(value) === true
        ? { value }
        : { message: `must be one of ${field.enum_values?.join(', ')}` }
    case 'boolean':
      return fitted(value === 'true' ? true : value === 'false' ? false : value, 'boolean')
    case 'number':
    case 'integer':
      return fitNumber(value, field.type)
    case 'array':
    case 'object':
      return fitted(typeof value === 'string' ? parsed(value) : value, field.type)
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value)
}

function fitNumber(value: unknown, type: 'number' | 'integer'): Fitted {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  const fits = typeof number === 'number' && Number.isFinite(number) && (type === 'number' || Number.isInteger(number))
  return fits ? { value: number } : { message: `must be of type ${type}, not ${typeName(value)}` }
}

function fitted(value: unknown, type: 'boolean' | 'array' | 'object'): Fitted {
  return typeName(value) === type ? { value } : { message: `must be of type ${type}, not ${typeName(value)}` }
}

/** The JSON inside a string; the string itself where it holds none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function typeName(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
}
