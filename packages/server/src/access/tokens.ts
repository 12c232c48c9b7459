import { limits } from '@llm-eval/protocol'
import type { Store, TokenKind } from '@llm-eval/store'
import { generateToken, hashSecret } from './keys.ts'

/** Sessions, stream tickets and sign-in links: random tokens that stand for a key, kept hashed. */
export interface Tokens {
  /** Makes a token that stands for a key. `keyId` null stands for the unrestricted caller of an open server. */
  issue(kind: TokenKind, keyId: string | null): Promise<{ token: string; expiresAt: number }>
  /** Takes a single-use token; undefined when it is unknown, used or expired. Of several callers at once one gets it. */
  redeem(kind: 'ticket' | 'signin', token: string): Promise<string | null | undefined>
  /** Whose session this is; undefined when it is unknown or expired. A promise only when the store has to be asked. */
  session(token: string): string | null | undefined | Promise<string | null | undefined>
  endSession(token: string): Promise<void>
}

const seconds: Record<TokenKind, number> = {
  session: limits.sessionSeconds,
  ticket: limits.ticketSeconds,
  signin: limits.signinSeconds,
}

/** Milliseconds that a session which was found is believed to be there. */
const believed = 5_000
const maxCached = 10_000
const shape = /^[\w-]{43}$/

/** Makes the tokens over a store. `home` is the id of the project `default`. */
export function createTokens({ store, now, home }: { store: Store; now: () => number; home: number }): Tokens {
  const sessions = new Map<string, { keyId: string | null; until: number }>()

  async function find(hash: string): Promise<string | null | undefined> {
    const at = now()
    const found = await store.read(home, 'token', { hash, kind: 'session', at })
    if (found === null) return undefined
    const oldest = sessions.size >= maxCached ? sessions.keys().next() : undefined
    if (oldest && !oldest.done) sessions.delete(oldest.value)
    sessions.set(hash, { keyId: found.keyId, until: at + believed })
    return found.keyId
  }

  return {
    async issue(kind, keyId) {
      const token = generateToken()
      const expiresAt = now() + seconds[kind] * 1000
      await store.apply(home, { kind: 'createToken', hash: hashSecret(token), tokenKind: kind, keyId, expiresAt })
      return { token, expiresAt }
    },
    async redeem(kind, token) {
      if (!shape.test(token)) return undefined
      const taken = await store.apply(home, {
        kind: 'redeemToken',
        hash: hashSecret(token),
        tokenKind: kind,
        at: now(),
      })
      return taken === null ? undefined : taken.keyId
    },
    session(token) {
      if (!shape.test(token)) return undefined
      const hash = hashSecret(token)
      const known = sessions.get(hash)
      if (known && known.until > now()) return known.keyId
      sessions.delete(hash)
      return find(hash)
    },
    async endSession(token) {
      const hash = hashSecret(token)
      await store.apply(home, { kind: 'deleteToken', hash })
      sessions.delete(hash)
    },
  }
}
