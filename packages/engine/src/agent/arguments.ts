import type { ArgumentDifference, ArgumentsExpected } from '@llm-eval/protocol'

/** Differences of one call that are told at most. */
const differencesMax = 50

/** What is not looked at. */
interface PassedOver {
  /** Paths such as `filter.date`, with all below them. */
  paths?: ReadonlySet<string>
  /** `members`: those of objects that were not there before. Entries of a list always count. */
  further?: 'members'
}

/** Where two arguments differ, by path; those nearest the top first. */
export function argumentDifferences(
  before: unknown,
  after: unknown,
  { paths = new Set(), further }: PassedOver = {},
): ArgumentDifference[] {
  const found: ArgumentDifference[] = []
  const open: { path: string; before: unknown; after: unknown }[] = [{ path: '', before, after }]
  // It grows while it is walked; taking from its front would move all the rest each time.
  for (const { path, before: was, after: is } of open) {
    if (found.length >= differencesMax) break
    if (was === is) continue
    if (!isHolder(was) || !isHolder(is) || Array.isArray(was) !== Array.isArray(is)) {
      const kind = kindOf(was) === kindOf(is) ? 'value' : 'type'
      found.push({ path, kind, before: was, after: is })
      continue
    }
    const added = further === 'members' && !Array.isArray(is) ? [] : Object.keys(is)
    for (const key of new Set([...Object.keys(was), ...added])) {
      const below = path === '' ? key : `${path}.${key}`
      if (paths.has(below)) continue
      const [old, now]: unknown[] = [Reflect.get(was, key), Reflect.get(is, key)]
      if (!Object.hasOwn(is, key)) found.push({ path: below, kind: 'missing', before: old, after: null })
      else if (!Object.hasOwn(was, key)) found.push({ path: below, kind: 'added', before: null, after: now })
      else open.push({ path: below, before: old, after: now })
    }
  }
  return found.slice(0, differencesMax)
}

/** What of some arguments is not as expected, as sentences; empty when all is. */
export function argumentFaults(args: unknown, { args: expected, match, ignore }: ArgumentsExpected): string[] {
  const over: PassedOver = { paths: new Set(ignore), ...(match === 'partial' ? { further: 'members' } : {}) }
  return argumentDifferences(expected, args, over).map(({ path, kind, before, after }) => {
    const where = path === '' ? 'it' : path
    if (kind === 'missing') return `${where} is missing`
    return kind === 'added' ? `${where} was not expected` : `${where} is ${shown(after)}, not ${shown(before)}`
  })
}

function isHolder(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
