import { type CaseProblem, isObject, limits, type TestCase } from '@llm-eval/protocol'
import { canonicalCase } from './canonical.ts'
import { type FileDocument, readDocuments } from './documents.ts'
import { withEnvironment } from './environment.ts'
import { caseSchema, suiteSchema } from './schema.ts'
import { type Found, type Listening, pathText, validated } from './validate.ts'

export interface ReadCasesOptions {
  /** Relative to the suite's folder, with `/`; tells the format. */
  file: string
  /** Of cases that do not name their own. */
  suite: string
  env: Readonly<Record<string, string | undefined>>
  /** Whether files are written for EvalView: what it ignores is then a warning, and not an error. */
  evalview: boolean
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
  tell: Listening['tell']
}

function casesIn(document: FileDocument, { options, tell }: Context): Found[] {
  const { value } = document
  if (Array.isArray(value)) return value.map((one: unknown, index) => ({ value: one, path: [index], document }))
  const isSuite = isObject(value) && (Array.isArray(value['cases']) || Array.isArray(value['tests']))
  if (!isSuite || value['name'] !== undefined) return [{ value, path: [], document }]
  const suite = validated(suiteSchema, { value, path: [], document }, { lenient: options.evalview, tell })
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
  const written = validated(caseSchema, { ...found, value }, { lenient: options.evalview, tell })
  if (!written || missing.length > 0) return undefined
  const place = { suite: options.suite, file: options.file, line: lineOf([]), evalview: options.evalview }
  const { case: one, faults } = canonicalCase(written, place)
  for (const [path, message] of faults) {
    const steps = path.split('.')
    tell({ level: 'error', line: lineOf(steps), path: pathText([...found.path, ...steps]), message })
  }
  return faults.length === 0 ? one : undefined
}

/** Objects member by member; anything else is replaced. */
function merged(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const both = Object.entries(above).map(([key, value]) => {
    const under = below[key]
    return [key, isObject(value) && isObject(under) ? merged(under, value) : value] as const
  })
  return { ...below, ...Object.fromEntries(both) }
}
