/**
 * Checks for data that comes from outside: each returns the value with its type, or throws an {@link Unreadable} that
 * names the place. Small on purpose: a schema library would weigh more than everything else on the page.
 */
export type Check<T> = (value: unknown, path: string) => T

/** Data from outside that is not what it has to be. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
  constructor(path: string, wanted: string) {
    super(`The answer of the server is not understood: ${path || 'it'} should be ${wanted}.`)
  }
}

export const text: Check<string> = (value, path) => {
  if (typeof value === 'string') return value
  throw new Unreadable(path, 'a text')
}

export const number: Check<number> = (value, path) => {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Unreadable(path, 'a number')
}

export const flag: Check<boolean> = (value, path) => {
  if (typeof value === 'boolean') return value
  throw new Unreadable(path, 'true or false')
}

export const anything: Check<unknown> = (value) => value

export const record: Check<Record<string, unknown>> = (value, path) => {
  if (isRecord(value)) return value
  throw new Unreadable(path, 'an object')
}

/** The value, or null when it is null or absent. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null || value === undefined ? null : check(value, path))
}

/** The value, or undefined when it is null or absent. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, path) => (value === null || value === undefined ? undefined : check(value, path))
}

/** What to take when the field is absent. */
export function absent<T>(check: Check<T>, fallback: T): Check<T> {
  return (value, path) => (value === undefined ? fallback : check(value, path))
}

export function list<T>(check: Check<T>): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Unreadable(path, 'a list')
    return value.map((item, at) => check(item, `${path}[${at}]`))
  }
}

export function oneOf<const T extends string>(words: readonly T[]): Check<T> {
  const known: ReadonlySet<unknown> = new Set<unknown>(words)
  return (value, path) => {
    if (known.has(value)) return value as T
    throw new Unreadable(path, `one of ${words.join(', ')}`)
  }
}

/** An object with these fields. What it holds beside them is left out, so nothing unchecked gets further. */
export function shape<T extends object>(fields: { [K in keyof T]-?: Check<T[K]> }): Check<T> {
  const entries = Object.entries<Check<unknown>>(fields)
  return (value, path) => {
    if (!isRecord(value)) throw new Unreadable(path, 'an object')
    const result: Record<string, unknown> = {}
    for (const [name, check] of entries) result[name] = check(value[name], path ? `${path}.${name}` : name)
    return result as T
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
