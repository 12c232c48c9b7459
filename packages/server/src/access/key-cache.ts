import type { StoredKey } from '@llm-eval/store'
import type { Principal } from './principal.ts'

/** Milliseconds that what the store said about keys is believed. */
export const believed = 5_000
const maxEntries = 10_000

interface Entry {
  /** Null when there is no such key, or it was revoked. */
  principal: Principal | null
  expiresAt: number
  until: number
}

/** What the store said about keys lately, so that it is not asked for each request. */
export interface KeyCache {
  /**
   * The owner of the key that is cached under a name, or else that `ask` finds; null when there is none, or it was revoked
   * or expired. A promise only when the store has to be asked; callers at the same time share one question.
   */
  find(name: string, ask: () => Promise<StoredKey | null>): Principal | null | Promise<Principal | null>
  /** Forgets everything, and what is being asked right now too: the answers may be from before a change. */
  clear(): void
}

/** @param onFound is told of each usable key that the store was asked for */
export function createKeyCache(now: () => number, onFound: (key: StoredKey) => void): KeyCache {
  const entries = new Map<string, Entry>()
  const questions = new Map<string, Promise<Principal | null>>()
  // Grows when everything is forgotten: what was asked in an earlier life is not remembered in this one.
  let lives = 0

  function answer(entry: Entry): Principal | null {
    return entry.expiresAt > now() ? entry.principal : null
  }

  function remember(name: string, entry: Entry): void {
    entries.delete(name)
    const oldest = entries.size >= maxEntries ? entries.keys().next() : undefined
    if (oldest && !oldest.done) entries.delete(oldest.value)
    entries.set(name, entry)
  }

  async function question(name: string, ask: () => Promise<StoredKey | null>): Promise<Principal | null> {
    const asked = lives
    try {
      const key = await ask()
      const entry = toEntry(key, now())
      if (asked === lives) remember(name, entry)
      const principal = answer(entry)
      if (key && principal) onFound(key)
      return principal
    } finally {
      if (asked === lives) questions.delete(name)
    }
  }

  return {
    find(name, ask) {
      const known = entries.get(name)
      if (known && known.until > now()) return answer(known)
      const pending = questions.get(name)
      if (pending) return pending
      const asked = question(name, ask)
      questions.set(name, asked)
      return asked
    },
    clear() {
      entries.clear()
      questions.clear()
      lives++
    },
  }
}

function toEntry(key: StoredKey | null, at: number): Entry {
  const until = at + believed
  if (key === null || key.revoked_at !== null) return { principal: null, expiresAt: Number.POSITIVE_INFINITY, until }
  return {
    principal: { projectId: key.projectId, project: key.project, keyId: key.id, name: key.name, scopes: key.scopes },
    expiresAt: key.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(key.expires_at),
    until,
  }
}
