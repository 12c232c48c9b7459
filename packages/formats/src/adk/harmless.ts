import { limits } from '@llm-eval/protocol'
import type { Telling } from './telling.ts'

/** JSON without what would make trouble elsewhere. The value itself where it is harmless. */
export function harmless(value: unknown, telling: Telling, depth = 0): unknown {
  if (depth === 0 && isHarmless(value, 0)) return value
  if (typeof value === 'number' && !Number.isFinite(value)) {
    telling.lose(`is ${value}, which JSON has not: it is kept as text`)
    return String(value)
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (depth >= limits.agentJsonDepth) {
    telling.lose(`is nested deeper than ${limits.agentJsonDepth} levels`)
    return null
  }
  return Array.isArray(value) ? harmlessList(value, telling, depth) : harmlessObject(value, telling, depth)
}

/** Whether nothing has to be taken out: by far the most is so. */
function isHarmless(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth >= limits.agentJsonDepth) return false
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, depth + 1))
  for (const key of Object.keys(value))
    if (key === '__proto__' || !isHarmless(Reflect.get(value, key), depth + 1)) return false
  return true
}

function harmlessList(value: unknown[], telling: Telling, depth: number): unknown[] {
  let copy: unknown[] | undefined
  for (const [index, item] of value.entries()) {
    telling.enter(index)
    const kept = harmless(item, telling, depth + 1)
    telling.leave()
    if (kept === item) continue
    copy ??= [...value]
    copy[index] = kept
  }
  return copy ?? value
}

function harmlessObject(value: object, telling: Telling, depth: number): object {
  const kept: [string, unknown][] = []
  let isSame = true
  for (const [key, member] of Object.entries(value)) {
    telling.enter(key)
    const safe = isPrototype(key, telling) ? undefined : harmless(member, telling, depth + 1)
    telling.leave()
    if (safe !== member) isSame = false
    if (safe !== undefined) kept.push([key, safe])
  }
  return isSame ? value : Object.fromEntries(kept)
}

/** A key that would change what an object is, wherever it is copied carelessly. */
export function isPrototype(key: string, telling: Telling): boolean {
  if (key !== '__proto__') return false
  telling.lose('is left out: no object may be given another prototype')
  return true
}
