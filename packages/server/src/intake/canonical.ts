import { hash } from 'node:crypto'
import { normalNumber } from './numbers.ts'

/**
 * JSON in one spelling: keys sorted by code unit, no white space, numbers as JavaScript writes them (or in normal form, where
 * they were parsed exactly). For values of bounded depth.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value))
}

/** 128 bits of SHA-256 over canonical JSON, as hex. `JSON.stringify` escapes lone surrogates, so they hash apart too. */
export function hashOf(canonical: string): string {
  return hash('sha256', canonical, 'hex').slice(0, 32)
}

/** The same value with sorted keys; what is in order already is not copied. */
export function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? value.map(sorted) : sortedObject(value as Record<string, unknown>)
}

function sortedObject(object: Record<string, unknown>): object {
  if (JSON.isRawJSON(object)) return JSON.rawJSON(normalNumber(object.rawJSON))
  const keys = Object.keys(object)
  if (inOrder(object, keys)) return object
  const copy: Record<string, unknown> = {}
  for (const key of keys.sort()) {
    // Assigning to `__proto__` would set the prototype instead.
    if (key === '__proto__') {
      Object.defineProperty(copy, key, { value: sorted(object[key]), enumerable: true })
    } else copy[key] = sorted(object[key])
  }
  return copy
}

/** Whether an object holds only scalars, by ascending keys. */
function inOrder(object: Record<string, unknown>, keys: string[]): boolean {
  let before = ''
  for (const key of keys) {
    if (key < before || typeof object[key] === 'object') return false
    before = key
  }
  return true
}
