import { type CaseProblem, closest, isObject } from '@llm-eval/protocol'
import * as z from 'zod'
import type { FileDocument } from './documents.ts'

/** A value of a file, before anything was understood of it. */
export interface Found {
  value: unknown
  path: PropertyKey[]
  document: FileDocument
}

/** Who hears what is wrong with a file. */
export interface Listening {
  /** Whether keys that are not known are passed over, as EvalView does. */
  lenient: boolean
  tell: (problem: Omit<CaseProblem, 'file'>) => void
}

/** What fits the schema. Keys that it does not know are told, and in files of EvalView passed over. */
export function validated<T>(schema: z.ZodType<T>, found: Found, { lenient, tell }: Listening): T | undefined {
  const fits = schema.safeParse(found.value)
  if (fits.success) return fits.data
  const unknown: PropertyKey[][] = []
  let errors = 0
  for (const issue of fits.error.issues) {
    const told = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : []
    for (const path of told) {
      unknown.push(path)
      tellAt(path, { level: lenient ? 'warning' : 'error', message: unknownKey(schema, path) })
    }
    if (told.length > 0) continue
    errors++
    tellAt(issue.path, { level: 'error', message: wordsOf(issue, found.value) })
  }
  if (errors > 0 || !lenient) return undefined
  const again = schema.safeParse(without(found.value, unknown))
  return again.success ? again.data : undefined

  function tellAt(path: readonly PropertyKey[], problem: Pick<CaseProblem, 'level' | 'message'>): void {
    const whole = [...found.path, ...path]
    tell({ ...problem, line: found.document.lineOf(whole), path: pathText(whole) })
  }
}

function wordsOf(issue: z.core.$ZodIssue, value: unknown): string {
  const isMissing = issue.code === 'invalid_type' && issue.path.length > 0 && valueAt(value, issue.path) === undefined
  return isMissing ? `is missing: it must be ${issue.expected}` : issue.message
}

function unknownKey(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const key = String(path.at(-1))
  const keys = keysAt(schema, path.slice(0, -1))
  const meant = closest(key, keys)
  return `is not known${meant === undefined ? `. Known are ${keys.join(', ')}.` : `; did you mean ${meant}?`}`
}

/** The keys that an object of a schema may have. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema
  for (const step of [...path, undefined]) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodNullable || at instanceof z.ZodDefault) at = at.unwrap()
    if (at instanceof z.ZodUnion) at = at.options.find((option) => option instanceof z.ZodObject)
    if (step === undefined) break
    if (at instanceof z.ZodArray) at = at.element
    else if (at instanceof z.ZodRecord) at = at.valueType
    else if (at instanceof z.ZodObject) at = (at.shape as Record<string, unknown>)[String(step)]
    else return []
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function without(value: unknown, paths: readonly PropertyKey[][]): unknown {
  const copy = structuredClone(value)
  for (const path of paths) {
    const holder = valueAt(copy, path.slice(0, -1))
    const key = path.at(-1)
    if (isObject(holder) && key !== undefined) Reflect.deleteProperty(holder, key)
  }
  return copy
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value
  for (const step of path)
    at = (isObject(at) || Array.isArray(at)) && Object.hasOwn(at, step) ? Reflect.get(at, step) : undefined
  return at
}

/** Such as `cases[2].expected.tools[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`))
    .join('')
}
