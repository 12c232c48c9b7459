import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { ApiKey, CreatedKey, Scope } from '@llm-eval/protocol'
import type { Store, StoredKey } from '@llm-eval/store'
import type { Logger } from 'pino'
import { believed, createKeyCache } from './key-cache.ts'
import { generateKey, hashSecret, isWellFormedKey, keyPrefix } from './keys.ts'
import type { Principal } from './principal.ts'

/** What a new key should be. */
export interface KeyWish {
  name: string
  project: string
  scopes: Scope[]
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null
}

/** The API keys of all projects: finds callers by them, makes and revokes them. */
export interface KeyRing {
  /** The owner of a key as it was sent; null when it is malformed, unknown, revoked or expired. A promise only when the store has to be asked. */
  byKey(key: string): Principal | null | Promise<Principal | null>
  byId(id: string): Principal | null | Promise<Principal | null>
  /** Whether a key exists that was not revoked; at most a few seconds old. */
  anyKeys(): boolean
  /** Asks the store anew. */
  refresh(): Promise<void>
  /** The keys of a project; of every project when it is the default one. */
  list(projectId: number): Promise<ApiKey[]>
  create(wish: KeyWish): Promise<CreatedKey>
  /** Stores a key that was made elsewhere; undefined when this very key exists already, be it revoked. */
  adopt(wish: KeyWish, key: string): Promise<CreatedKey | undefined>
  /**
   * From then on this process knows the key no more; others within seconds.
   *
   * @param within the caller's project: keys of others are not found, but from the default one
   */
  revoke(id: string, within: number): Promise<boolean>
}

/** What a key ring is made of. */
export interface KeyRingParts {
  store: Store
  now: () => number
  log: Logger
  /** The id of the project `default`. */
  home: number
  /** A key that is accepted although it was not made by us; its form is the operator's choice. */
  foreignKey: string | null
}

/** Milliseconds between two notes of a key's last use. */
const touchEvery = 60_000

/** Makes the key ring; `refresh` it before the first request. */
export function createKeyRing(parts: KeyRingParts): KeyRing {
  const { store, now, home } = parts
  const cache = createKeyCache(now, createToucher(parts))
  const exists = createExistence(parts)
  const isForeign = foreignTest(parts.foreignKey)
  const byHash = (hash: string) => cache.find(hash, () => store.read(home, 'keyByHash', { hash }))

  async function create(wish: KeyWish, given?: string): Promise<CreatedKey | undefined> {
    const key = given ?? generateKey()
    const at = now()
    const prefix = given === undefined ? keyPrefix(key) : '(given)'
    const made = { id: `key_${randomBytes(9).toString('base64url')}`, prefix, ...wish }
    const outcome = await store.apply(home, { kind: 'createKey', ...made, hash: hashSecret(key), at })
    if (!outcome.created) return undefined
    cache.clear()
    exists.sure()
    const { expiresAt, ...shown } = made
    return {
      ...shown,
      created_at: new Date(at).toISOString(),
      expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      revoked_at: null,
      last_used_at: null,
      key,
    }
  }

  return {
    // A malformed key is told by its checksum, without asking the store.
    byKey: (key) => (isWellFormedKey(key) || isForeign(key) ? byHash(hashSecret(key)) : null),
    byId: (id) => cache.find(id, () => store.read(home, 'keyById', { id })),
    anyKeys: () => exists.any(),
    refresh: exists.refresh,
    list: (projectId) => store.read(projectId, 'keys', {}),
    async create(wish) {
      const made = await create(wish)
      if (made === undefined) throw new Error('a random key existed already')
      return made
    },
    adopt: create,
    async revoke(id, within) {
      const key = await store.read(home, 'keyById', { id })
      if (key === null || (within !== home && within !== key.projectId)) return false
      const { found } = await store.apply(key.projectId, { kind: 'revokeKey', id, at: now() })
      cache.clear()
      await exists.refresh()
      return found
    },
  }
}

/** Notes the last use of keys, at most once a minute for each and never while a request waits. */
function createToucher({ store, now, log }: KeyRingParts) {
  const touched = new Map<string, number>()
  return (key: StoredKey): void => {
    const at = now()
    const last = touched.get(key.id) ?? (key.last_used_at === null ? 0 : Date.parse(key.last_used_at))
    if (at - last < touchEvery) return
    touched.set(key.id, at)
    store.apply(key.projectId, { kind: 'touchKey', id: key.id, at }).catch((error: unknown) => {
      log.warn({ err: error }, 'the last use of a key could not be noted')
    })
  }
}

/** Keeps in mind whether any key exists; another server on the same database may make the first one. */
function createExistence({ store, now, log, home }: KeyRingParts) {
  let any = false
  let askedAt = Number.NEGATIVE_INFINITY
  // Only the newest question's answer counts: an older one may be from before a change.
  let newest = 0

  async function refresh(): Promise<void> {
    const question = ++newest
    askedAt = now()
    const keys = await store.read(home, 'keys', {})
    if (question === newest) any = keys.some((key) => key.revoked_at === null)
  }

  return {
    refresh,
    sure(): void {
      newest++
      any = true
      askedAt = now()
    },
    any(): boolean {
      if (now() - askedAt > believed) {
        refresh().catch((error: unknown) => log.warn({ err: error }, 'the keys could not be read'))
      }
      return any
    },
  }
}

function foreignTest(foreign: string | null): (key: string) => boolean {
  if (foreign === null) return () => false
  const expected = Buffer.from(hashSecret(foreign))
  return (key) => key.length <= 1_000 && timingSafeEqual(Buffer.from(hashSecret(key)), expected)
}
