import type { Fault } from '@llm-eval/protocol'
import type * as z from 'zod'

/** Faults that are told at most. */
const most = 100

/** What zod found, in words for users; `path` is written as in JavaScript, below `base`. */
export function faultsOf(base: string, issues: readonly z.core.$ZodIssue[]): Fault[] {
  return issues
    .slice(0, most)
    .flatMap((issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.slice(0, most).map((key) => ({
          path: pathText(base, [...issue.path, key.slice(0, 100)]),
          message: 'is not known',
        }))
      return [{ path: pathText(base, issue.path), message: wording(issue.message) }]
    })
    .slice(0, most)
}

function pathText(base: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    base,
  )
}

function wording(message: string): string {
  const match = /^Invalid input: expected (\w+), received (\w+)$/.exec(message)
  if (!match) return message
  return match[2] === 'undefined' ? 'is required' : `must be of type ${match[1]}, not ${match[2]}`
}
