/** Whether a member is one that a rule names: `args.card.number`, `content.parts.*.text`, `**.password`. */
export type PathMatcher = (path: readonly string[]) => boolean

/** Reads a path of a rule. `*` is any one member, `**` any number of them. */
export function pathMatcher(rule: string): PathMatcher {
  const wanted = rule.split('.')
  return (path) => fits(wanted, path)
}

/** One row of the table of matches at a time, so that no rule takes more than its length times that of the path. */
function fits(wanted: readonly string[], path: readonly string[]): boolean {
  let row = Array.from({ length: path.length + 1 }, (_, at) => at === 0)
  for (const name of wanted) {
    const next = row.map(() => false)
    if (name === '**') {
      next[0] = row[0] === true
      for (let at = 1; at <= path.length; at++) next[at] = row[at] === true || next[at - 1] === true
    } else
      for (let at = 1; at <= path.length; at++)
        next[at] = row[at - 1] === true && (name === '*' || name === path[at - 1])
    row = next
  }
  return row[path.length] === true
}

/** The value without what stands at one of the paths: words in its place, or nothing in lists and objects. */
export function withoutPaths(value: unknown, matchers: readonly PathMatcher[], path: readonly string[] = []): unknown {
  if (path.length > 0 && matchers.some((matches) => matches(path))) return emptied(value)
  if (matchers.length === 0 || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one, at) => withoutPaths(one, matchers, [...path, String(at)]))
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, withoutPaths(one, matchers, [...path, key])]),
  )
}

function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return []
  return typeof value === 'object' && value !== null ? {} : '[redacted]'
}
