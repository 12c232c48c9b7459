import { isObject, limits } from '@llm-eval/protocol'
import { normalBytes } from './bytes.ts'
import { camelCase, recased, snakeCase } from './casing.ts'
import { harmless, isPrototype } from './harmless.ts'
import type { Telling } from './telling.ts'

/** How a value of ADK is read, in either casing, and how it is written in snake case. */
export interface Shape<T> {
  /** @returns undefined where there is nothing to keep; why is told unless it was empty */
  read(json: unknown, telling: Telling): T | undefined
  write(value: T, telling: Telling): unknown
}

/** Keys of a type that it names; those of newer versions are not among them. */
type Named<T> = keyof { [K in keyof T as string extends K ? never : K]: true }
export type Fields<T> = { [K in Named<T>]-?: Shape<Exclude<T[K], undefined>> }

export const text: Shape<string> = {
  read(json, telling) {
    if (typeof json === 'string') return json
    if (typeof json === 'number' || typeof json === 'boolean') return String(json)
    telling.lose('is no text')
    return undefined
  },
  write: (value) => value,
}

export const flag: Shape<boolean> = {
  read(json, telling) {
    if (typeof json === 'boolean') return json
    telling.lose('is neither true nor false')
    return undefined
  },
  write: (value) => value,
}

/** Numbers; also written as text, as protocol buffers do. */
export const number: Shape<number> = {
  read(json, telling) {
    const value = typeof json === 'string' && /^-?\d/.test(json) ? Number(json) : json
    if (typeof value === 'number' && Number.isFinite(value)) return value
    telling.lose('is no number')
    return undefined
  },
  write: (value) => value,
}

/** Tokens and versions. */
export const count: Shape<number> = {
  read(json, telling) {
    const value = number.read(json, telling)
    if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= limits.countMax)) return value
    telling.lose('is no count')
    return undefined
  },
  write: (value) => value,
}

/** A point in time: seconds since 1970. Whatever is beyond the year 5138 is milliseconds, as ADK for JavaScript has them. */
export const seconds: Shape<number> = {
  read(json, telling) {
    const isNumber = typeof json === 'number' || (typeof json === 'string' && /^\d+(\.\d+)?$/.test(json))
    const value = isNumber ? Number(json) : typeof json === 'string' ? Date.parse(json) : Number.NaN
    const told = value > 1e11 || !isNumber ? value / 1000 : value
    if (told >= 0 && told <= 1e11) return told
    telling.lose('is no time')
    return undefined
  },
  write: (value) => value,
}

export const bytes: Shape<string> = {
  read(json, telling) {
    const normal = typeof json === 'string' ? normalBytes(json) : null
    if (normal !== null) return normal
    telling.lose('is no base64')
    return undefined
  },
  write: (value) => value,
}

/** What belongs to users: its keys are never re-cased. */
export const opaque: Shape<unknown> = {
  read: (json, telling) => harmless(json, telling),
  write: (value) => value,
}

/** An object of users. Anything else stands in it under `key`, as ADK does with results of tools. */
export function opaqueObject(key: string, empty: 'kept' | 'absent' = 'kept'): Shape<Record<string, unknown>> {
  return {
    read(json, telling) {
      const value = harmless(json, telling)
      if (!isObject(value)) {
        telling.lose(`is no object: it is kept as {"${key}": …}`)
        return { [key]: value ?? null }
      }
      return empty === 'absent' && Object.keys(value).length === 0 ? undefined : value
    },
    write: (value) => value,
  }
}

/** What has no opaque data in it, all the way down: keys are re-cased without being known one by one. */
export const structured: Shape<unknown> = {
  read: (json, telling) => recased(harmless(json, telling), camelCase),
  write: (value) => recased(value, snakeCase),
}

export function list<T>(of: Shape<T>, empty: 'kept' | 'absent' = 'kept'): Shape<T[]> {
  return {
    read(json, telling) {
      if (!Array.isArray(json)) {
        telling.lose('is no list')
        return undefined
      }
      const items: T[] = []
      for (const [index, item] of json.entries()) {
        telling.enter(index)
        const value = item === null || item === undefined ? undefined : of.read(item, telling)
        if (value !== undefined) items.push(value)
        telling.leave()
      }
      return items.length === 0 && empty === 'absent' ? undefined : items
    },
    write: (value, telling) =>
      value.map((item, index) => {
        telling.enter(index)
        const written = of.write(item, telling)
        telling.leave()
        return written
      }),
  }
}

/** Values by names of users, which are never re-cased. */
export function map<T>(of: Shape<T>, empty: 'kept' | 'absent' = 'kept'): Shape<Record<string, T>> {
  return {
    read(json, telling) {
      if (!isObject(json)) {
        telling.lose('is no object')
        return undefined
      }
      const values: Record<string, T> = {}
      for (const [key, item] of Object.entries(json)) {
        telling.enter(key)
        const value = item === null || isPrototype(key, telling) ? undefined : of.read(item, telling)
        if (value !== undefined) values[key] = value
        telling.leave()
      }
      return empty === 'absent' && Object.keys(values).length === 0 ? undefined : values
    },
    write: (value, telling) =>
      Object.fromEntries(
        Object.entries(value).map(([key, item]) => {
          telling.enter(key)
          const written = of.write(item, telling)
          telling.leave()
          return [key, written]
        }),
      ),
  }
}

export interface ObjectOptions<T> {
  /** Fields that the type does not name, but that are known. */
  more?: Record<string, Shape<unknown>>
  /** What stands for fields that are not there. */
  defaults?: Partial<T>
  /** Without these it is a fault. */
  required?: (keyof T & string)[]
  /** Keys that are not known here: of newer versions, which are kept where that is wished, or users' own, which stay as they are. */
  open?: 'newer' | 'own'
  /** Written as null where they are absent. */
  nulls?: (keyof T & string)[]
  empty?: 'kept' | 'absent'
}

/** An object whose keys are ADK's own, in either casing, key by key. Null is the same as absent. */
export function object<T extends object>(fields: Fields<T>, options: ObjectOptions<T> = {}): Shape<T> {
  const members = new Map<string, Member>()
  for (const [name, shape] of Object.entries<Shape<unknown>>({
    ...(fields as Record<string, Shape<unknown>>),
    ...options.more,
  }))
    members.set(name, { name, snake: snakeCase(name), shape })
  const spelled = new Map(members)
  for (const member of members.values()) spelled.set(member.snake, member)
  return {
    read: (json, telling) => readObject({ json, telling, spelled, options: options as ObjectOptions<object> }) as T,
    write(value, telling) {
      // In the order of the table: the same value is always the same text.
      const written: Record<string, unknown> = {}
      for (const { name, snake, shape } of members.values()) {
        const told: unknown = Reflect.get(value, name)
        if (told === undefined) continue
        telling.enter(name)
        written[snake] = shape.write(told, telling)
        telling.leave()
      }
      for (const [name, told] of Object.entries(value)) {
        if (members.has(name) || told === undefined) continue
        telling.enter(name)
        if (options.open === 'own') written[name] = told
        else telling.lose('is not known to the format and left out')
        telling.leave()
      }
      for (const name of options.nulls ?? []) written[snakeCase(name)] ??= null
      return written
    },
  }
}

/** A field by the name that it has here, and the one that it has in files. */
interface Member {
  name: string
  snake: string
  shape: Shape<unknown>
}

interface ObjectReading {
  json: unknown
  telling: Telling
  /** By both spellings. */
  spelled: ReadonlyMap<string, Member>
  options: ObjectOptions<object>
}

function readObject({ json, telling, spelled, options }: ObjectReading): object | undefined {
  if (!isObject(json)) {
    telling.lose('is no object')
    return undefined
  }
  const found: Record<string, unknown> = { ...options.defaults }
  for (const key of Object.keys(json)) {
    const told = json[key]
    if (told === null || told === undefined) continue
    telling.enter(key)
    const member = spelled.get(key)
    if (!member) readNewer(key, told)
    else if (key !== member.name && (json[member.name] ?? null) !== null)
      telling.lose(`is given as ${member.name} too, which counts`)
    else {
      const value = member.shape.read(told, telling)
      if (value !== undefined) found[member.name] = value
    }
    telling.leave()
  }
  const missing = (options.required ?? []).filter((name) => found[name] === undefined)
  for (const name of missing) {
    telling.enter(snakeCase(name))
    telling.fail('is missing')
    telling.leave()
  }
  if (missing.length > 0) return undefined
  return options.empty === 'absent' && Object.keys(found).length === 0 ? undefined : found

  function readNewer(key: string, told: unknown): void {
    if (isPrototype(key, telling)) return
    if (options.open === 'own') found[key] = opaque.read(told, telling)
    else if (options.open && telling.newer === 'kept') found[camelCase(key)] = opaque.read(told, telling)
    else telling.lose('is not known')
  }
}
