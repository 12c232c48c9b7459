/**
 * The value at a path such as `user.name` or `messages[0].content`. A key that is the whole path goes before. Undefined when
 * there is none; what objects inherit is not looked at.
 */
export function valueAt(data: unknown, path: string): unknown {
  const whole = member(data, path)
  if (whole !== undefined) return whole
  let value = data
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    value = member(value, name ?? index ?? '')
    if (value === undefined) return undefined
  }
  return value === data ? undefined : value
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, key)?.value
}
