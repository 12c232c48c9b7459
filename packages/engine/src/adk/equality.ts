import { isObject } from '@llm-eval/protocol'

/**
 * Whether two JSON values are equal as Python compares them, which is how ADK compares arguments: 10 and 10.0 are the same, True
 * is 1, the order of members says nothing, that of items does, None is not {}. However deep the values are, it ends.
 */
export function isEqualInPython(one: unknown, other: unknown): boolean {
  const left: [unknown, unknown][] = [[one, other]]
  for (let pair = left.pop(); pair; pair = left.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (isNumeric(a) && isNumeric(b)) {
      if (Number(a) !== Number(b)) return false
      continue
    }
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length !== b.length) return false
      for (let place = 0; place < a.length; place++) left.push([a[place], b[place]])
      continue
    }
    if (!isObject(a) || !isObject(b)) return false
    const names = Object.keys(a)
    if (names.length !== Object.keys(b).length) return false
    for (const name of names) {
      if (!Object.hasOwn(b, name)) return false
      left.push([a[name], b[name]])
    }
  }
  return true
}

function isNumeric(value: unknown): value is number | boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}
