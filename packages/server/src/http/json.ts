import { isUtf8 } from 'node:buffer'
import { Failure, limits } from '@llm-eval/protocol'
import { locateJsonFault } from '../faults/json-fault.ts'

/**
 * Parses the bytes of a JSON body. Throws `malformed_json` (with the position) or `too_deep`; empty bytes are malformed.
 *
 * @param maxDepth levels of objects and arrays inside each other
 */
export function parseJson(raw: Buffer, maxDepth: number = limits.jsonDepth): unknown {
  if (raw.length === 0) throw malformed('it is empty')
  if (!isUtf8(raw)) throw malformed('it is not UTF-8')
  const start = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0
  const text = raw.toString('utf8', start)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed(locateJsonFault(text))
  }
  if (deeperThan(value, maxDepth)) throw new Failure('too_deep', { values: { max: maxDepth } })
  return value
}

function malformed(detail: string): Failure {
  return new Failure('malformed_json', { values: { detail } })
}

/** Never goes deeper than `levels` itself, so that no input can exhaust the stack. */
function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && item !== null && deeperThan(item, levels - 1)) return true
    }
    return false
  }
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object)) {
    const item = object[key]
    if (typeof item === 'object' && item !== null && deeperThan(item, levels - 1)) return true
  }
  return false
}
