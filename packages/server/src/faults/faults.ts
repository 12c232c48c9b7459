import { closest, type Fault } from '@llm-eval/protocol'
import * as z from 'zod'

/** Faults that are told at most: an answer must not be many times as large as what it answers. */
const most = 100
/** Characters of an unknown name that are told. */
const nameChars = 100

/** What zod found, in words for users; `path` is written as in JavaScript: `traces[3].cost`. */
export function faultsOf(issues: readonly z.core.$ZodIssue[], schema?: z.core.$ZodType): Fault[] {
  return issues
    .slice(0, most)
    .flatMap((issue) => faultsOfIssue(issue, schema))
    .slice(0, most)
}

function faultsOfIssue(issue: z.core.$ZodIssue, schema: z.core.$ZodType | undefined): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
    return issue.keys
      .slice(0, most)
      .map((key) => ({ path: pathText([...issue.path, key.slice(0, nameChars)]), message: unknownName(key, known) }))
  }
  if (issue.code === 'invalid_union') {
    // The branch that came nearest says most about what is wrong.
    const branches = issue.errors.filter((branch) => branch.length > 0).sort((a, b) => a.length - b.length)
    const nearest = branches[0]
    if (nearest)
      return nearest.flatMap((inner) => faultsOfIssue({ ...inner, path: [...issue.path, ...inner.path] }, undefined))
  }
  return [{ path: pathText(issue.path), message: wording(issue.message) }]
}

/** Says that a name is not known, with the known name that it resembles. */
export function unknownName(given: string, known: readonly string[]): string {
  const suggestion = closest(given, known)
  return suggestion === undefined ? 'is not known' : `is not known; did you mean ${suggestion}?`
}

/** Writes a path as in JavaScript. */
function pathText(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? String(part) : `.${String(part)}`
  }
  return text
}

function wording(message: string): string {
  const match = /^Invalid input: expected (\w+), received (\w+)$/.exec(message)
  if (!match) return message
  return match[2] === 'undefined' ? 'is required' : `must be of type ${match[1]}, not ${match[2]}`
}
