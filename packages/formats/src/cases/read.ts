import { type CaseProblem, limits, type TestCase } from '@llm-eval/protocol'
import { closest, distance } from 'fastest-levenshtein'
import * as z from 'zod'
import { canonicalCase } from './canonical.ts'
import { type FileDocument, readDocuments } from './documents.ts'
import { withEnvironment } from './environment.ts'
import { caseSchema, suiteSchema } from './schema.ts'

export interface ReadCasesOptions {
  /** Relative to the suite's folder, with `/`; tells the format. */
  file: string
  /** Of cases that do not name their own. */
  suite: string
  env: Readonly<Record<string, string | undefined>>
  /** Whether files are written for EvalView: what it ignores is then a warning, and not an error. */
  evalview: boolean
}

/** One case as it was found, before anything was understood of it. */
interface Found {
  value: unknown
  path: PropertyKey[]
  document: FileDocument
}

/**
 * Reads a file of cases: one, several documents, a list, or `cases` with what they have in common. What is wrong is told with
 * its place, and the other cases of the file are read all the same. Never throws for what a file holds.
 */
export function readCases(text: string, options: ReadCasesOptions): { cases: TestCase[]; problems: CaseProblem[] } {
  const problems: CaseProblem[] = []
  const tell = (problem: Omit<CaseProblem, 'file'>) => void problems.push({ file: options.file, ...problem })
  if (Buffer.byteLength(text) > limits.caseFileBytes) {
    const message = `The file is larger than ${limits.caseFileBytes} bytes. Split it.`
    return { cases: [], problems: [{ level: 'error', file: options.file, line: null, path: '', message }] }
  }
  const { documents, faults } = readDocuments(text, options.file)
  for (const { message, line } of faults) tell({ level: 'error', line, path: '', message })
  const cases: TestCase[] = []
  const known = new Map<string, TestCase>()
  for (const found of documents.flatMap((document) => casesIn(document, { options, tell }))) {
    const one = readCase(found, { options, tell })
    if (!one) continue
    const same = known.get(one.case_id)
    if (same) {
      const message = `There are two cases called ${one.name} in ${one.suite}; the other is in line ${same.line}.`
      tell({ level: 'error', line: one.line, path: pathText([...found.path, 'name']), message })
    } else if (cases.length < limits.suiteCases) {
      known.set(one.case_id, one)
      cases.push(one)
    } else {
      tell({ level: 'error', line: one.line, path: '', message: `A file may hold at most ${limits.suiteCases} cases.` })
      break
    }
  }
  const nothing = cases.length === 0 && problems.every(({ level }) => level !== 'error')
  if (nothing) tell({ level: 'error', line: 1, path: '', message: 'The file holds no case.' })
  return { cases, problems }
}

interface Context {
  options: ReadCasesOptions
  tell: (problem: Omit<CaseProblem, 'file'>) => void
}

function casesIn(document: FileDocument, { options, tell }: Context): Found[] {
  const { value } = document
  if (Array.isArray(value)) return value.map((one: unknown, index) => ({ value: one, path: [index], document }))
  const isSuite = isObject(value) && (Array.isArray(value['cases']) || Array.isArray(value['tests']))
  if (!isSuite || value['name'] !== undefined) return [{ value, path: [], document }]
  const suite = parsed(suiteSchema, { value, path: [], document }, { options, tell })
  const key = suite?.cases ? 'cases' : 'tests'
  return (suite?.[key] ?? []).map((one, index) => ({
    value: isObject(one) ? merged(merged({ suite: suite?.suite ?? options.suite }, suite?.defaults ?? {}), one) : one,
    path: [key, index],
    document,
  }))
}

function readCase(found: Found, { options, tell }: Context): TestCase | undefined {
  const { value, missing } = withEnvironment(found.value, options.env)
  const lineOf = (path: PropertyKey[]) => found.document.lineOf([...found.path, ...path])
  for (const { name, path } of missing) {
    const message = `The environment variable ${name} is not set. Set it, or write \${${name}:-otherwise}.`
    tell({ level: 'error', line: lineOf(path), path: pathText([...found.path, ...path]), message })
  }
  const written = parsed(caseSchema, { ...found, value }, { options, tell })
  if (!written || missing.length > 0) return undefined
  const place = { suite: options.suite, file: options.file, line: lineOf([]), evalview: options.evalview }
  const { case: one, faults } = canonicalCase(written, place)
  for (const [path, message] of faults) {
    const steps = path.split('.')
    tell({ level: 'error', line: lineOf(steps), path: pathText([...found.path, ...steps]), message })
  }
  return faults.length === 0 ? one : undefined
}

/** What fits the schema. Keys that it does not know are told, and in files of EvalView passed over. */
function parsed<T>(schema: z.ZodType<T>, found: Found, { options, tell }: Context): T | undefined {
  const fits = schema.safeParse(found.value)
  if (fits.success) return fits.data
  const unknown: PropertyKey[][] = []
  let errors = 0
  for (const issue of fits.error.issues) {
    const told = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : []
    for (const path of told) {
      unknown.push(path)
      tellAt(path, { level: options.evalview ? 'warning' : 'error', message: unknownKey(schema, path) })
    }
    if (told.length > 0) continue
    errors++
    tellAt(issue.path, { level: 'error', message: wordsOf(issue, found.value) })
  }
  if (errors > 0 || !options.evalview) return undefined
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
  const nearest = keys.length > 0 ? closest(key, keys) : undefined
  const isNear = nearest !== undefined && distance(key, nearest) <= Math.max(2, Math.floor(key.length / 3))
  return `${key} is not known${isNear ? `; did you mean ${nearest}?` : `. Known are ${keys.join(', ')}.`}`
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

/** Objects member by member; anything else is replaced. */
function merged(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const both = Object.entries(above).map(([key, value]) => {
    const under = below[key]
    return [key, isObject(value) && isObject(under) ? merged(under, value) : value] as const
  })
  return { ...below, ...Object.fromEntries(both) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Such as `cases[2].expected.tools[0]`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`))
    .join('')
}
