import { assign } from '../text/assignment.ts'
import type { ToolCall } from './calls.ts'

/** How the arguments of two calls must agree. */
export const argumentMatches = ['full', 'partial', 'ignore'] as const
export interface ArgumentMatch {
  /** `full`: the same members; `partial`: those of the expected call; `ignore`: arguments say nothing. */
  arguments: (typeof argumentMatches)[number]
  /** Members that say nothing, such as ids and times. */
  ignore: readonly string[]
}

/** Whether a call is the expected one. An expected call that names no arguments is content with any. */
export function isCall(actual: ToolCall, expected: ToolCall, match: ArgumentMatch): boolean {
  if (actual.name !== expected.name) return false
  if (match.arguments === 'ignore' || expected.args === null) return true
  const kept = (args: Record<string, unknown> | null) =>
    new Map(Object.entries(args ?? {}).filter(([name]) => !match.ignore.includes(name)))
  const given = kept(actual.args)
  const wanted = kept(expected.args)
  if (match.arguments === 'full' && given.size !== wanted.size) return false
  return [...wanted].every(([name, value]) => given.has(name) && isSame(given.get(name), value))
}

/** Whether two JSON values are equal, whatever the order of members. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item: unknown, place) => isSame(item, b[place]))
  if (!isObject(a) || !isObject(b) || Array.isArray(a) || Array.isArray(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** How many calls can be paired with an expected one each, the order aside: as many as possible. */
export function paired(actual: readonly ToolCall[], expected: readonly ToolCall[], match: ArgumentMatch): number {
  if (actual.length === 0 || expected.length === 0) return 0
  const gains = expected.map((wanted) => actual.map((call) => (isCall(call, wanted, match) ? 1 : 0)))
  return assign(gains).reduce<number>((sum, column, row) => sum + (gains[row]?.[column] ?? 0), 0)
}

/** How many calls can be paired with an expected one each when both keep their order: the longest common subsequence. */
export function pairedInOrder(
  actual: readonly ToolCall[],
  expected: readonly ToolCall[],
  match: ArgumentMatch,
): number {
  let last = new Int32Array(actual.length + 1)
  for (const wanted of expected) {
    const row = new Int32Array(actual.length + 1)
    for (const [place, call] of actual.entries())
      row[place + 1] = isCall(call, wanted, match)
        ? (last[place] ?? 0) + 1
        : Math.max(last[place + 1] ?? 0, row[place] ?? 0)
    last = row
  }
  return last[actual.length] ?? 0
}
