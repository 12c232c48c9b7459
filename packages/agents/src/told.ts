// Reads what an agent told, of which nothing can be relied on.
import { parsedJson } from './json.ts'

/** The value as an object, if it is one. */
export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return value as Record<string, unknown>
}

/** The first of the fields that holds text. */
export function textIn(told: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(told, name) ? told[name] : undefined
    if (typeof value === 'string') return value
  }
  return undefined
}

/** The first of the fields that holds an id: text, or a number. */
export function idIn(told: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(told, name) ? told[name] : undefined
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return undefined
}

/** The first of the fields that is there at all and not null. */
export function valueIn(told: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  for (const name of names) {
    const value = Object.hasOwn(told, name) ? told[name] : undefined
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

/** Arguments as they were meant: some agents write them as JSON inside a text. */
export function argumentsOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const text = value.trim()
  if (!text.startsWith('{') && !text.startsWith('[')) return value
  return parsedJson(text) ?? value
}

/** What an agent says of its failure, in whatever form. */
export function errorText(value: unknown): string {
  let at = value
  for (let deep = 0; deep < 5; deep++) {
    if (typeof at === 'string') return at
    const told = record(at)
    if (!told) break
    const text = textIn(told, ['message', 'error', 'detail', 'text', 'errorText'])
    if (text !== undefined) return text
    at = told['error']
  }
  return 'it did not say why'
}
