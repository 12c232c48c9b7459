import { isObject } from '@llm-eval/protocol'

/** JSON with all its keys in another casing; null is the same as absent. */
export function recased(value: unknown, key: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => recased(item, key))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (member === null ? [] : [[key(name), recased(member, key)]])),
  )
}

/** `thought_signature` -> `thoughtSignature`; what is in no such form stays. */
export function camelCase(name: string): string {
  return /^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)+$/.test(name)
    ? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : name
}

/** The way back. */
export function snakeCase(name: string): string {
  return /^[a-z][a-zA-Z0-9]*$/.test(name) ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name
}
