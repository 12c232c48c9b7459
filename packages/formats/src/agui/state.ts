import type { AguiEvent } from './events.ts'

/** Keys that no patch may name: clients refuse them, to keep their prototypes. */
const refused = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * A change of state as AG-UI says it: `user:`, `app:` and `temp:` stay in front of the keys, as ADK has them.
 *
 * @param known whether the front end has a state that is an object; without one it gets a snapshot
 */
export function stateEvent(
  delta: Readonly<Record<string, unknown>> | undefined,
  known: 'known' | 'unknown',
): AguiEvent | undefined {
  const entries = Object.entries(delta ?? {}).filter(([key, value]) => !refused.has(key) && value !== undefined)
  if (entries.length === 0) return undefined
  if (known === 'unknown') return { type: 'STATE_SNAPSHOT', snapshot: Object.fromEntries(entries) }
  return {
    type: 'STATE_DELTA',
    delta: entries.map(([key, value]) => ({ op: 'add', path: `/${escaped(key)}`, value })),
  }
}

/** Whether a change of state has keys that cannot be told so. */
export function hasRefused(delta: Readonly<Record<string, unknown>> | undefined): boolean {
  return Object.keys(delta ?? {}).some((key) => refused.has(key))
}

/** The keys that a patch sets at the top; others are not state of ADK. */
export function stateOf(delta: readonly { op: string; path: string; value?: unknown }[]): Record<string, unknown> {
  const entries = delta.flatMap(({ op, path, value }) => {
    const key = path.startsWith('/') ? path.slice(1) : undefined
    if (key === undefined || key.includes('/') || (op !== 'add' && op !== 'replace')) return []
    return [[key.replaceAll('~1', '/').replaceAll('~0', '~'), value] as const]
  })
  return Object.fromEntries(entries)
}

/** RFC 6901. */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
