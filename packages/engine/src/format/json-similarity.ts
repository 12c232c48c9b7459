import { isObject } from '@llm-eval/protocol'
import { levenshteinSimilarity } from '../text/edit-distance.ts'
import { closeness } from '../text/similarity.ts'

/**
 * 1 for equal JSON values, 0 for those with nothing in common, as autoevals' JSONDiff has it: objects average over the members of
 * both, arrays over the longer one, texts are compared by Levenshtein, numbers by closeness, and values of different types as text.
 */
export function jsonSimilarity(a: unknown, b: unknown, options: { preserve_strings: boolean }): number {
  const [left, right] = options.preserve_strings ? [a, b] : [unwrapped(a), unwrapped(b)]
  if (isObject(left) && isObject(right)) {
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])]
    const member = (object: Record<string, unknown>, name: string) =>
      Object.hasOwn(object, name) ? object[name] : null
    return mean(
      names.map((name) => jsonSimilarity(member(left, name), member(right, name), options)),
      names.length,
    )
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    const items: unknown[] = left.slice(0, right.length)
    const scores = items.map((item, place) => jsonSimilarity(item, right[place], options))
    return mean(scores, Math.max(left.length, right.length))
  }
  if (typeof left === 'string' && typeof right === 'string') return levenshteinSimilarity(left, right)
  if (typeof left === 'number' && typeof right === 'number') return closeness(left, right)
  const [noLeft, noRight] = [left ?? null, right ?? null].map((value) => value === null)
  if (noLeft === true || noRight === true) return noLeft === noRight ? 1 : 0
  return levenshteinSimilarity(textOf(left), textOf(right))
}

function mean(scores: readonly number[], size: number): number {
  return size === 0 ? 1 : scores.reduce((sum, score) => sum + score, 0) / size
}

/** The object or array inside a text; the text itself where it holds none. */
function unwrapped(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** JSON with the members of objects by name; a text is as it stands. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1))) : inner,
  )
}
