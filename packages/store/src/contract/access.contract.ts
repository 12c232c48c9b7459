import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Change } from '../store.ts'
import { now, type Room } from './room.contract.ts'

/** Keys and tokens: hashed at rest, used once where once is the rule. */
export function accessContract(room: () => Promise<Room>): void {
  describe('keys', () => {
    test('a key is found by its hash with its project and scopes, and listed without the hash', async () => {
      const r = await room()
      const key = newKey({ name: 'CI', scopes: ['ingest', 'read'], expiresAt: now + 1_000 })
      expect(await r.store.apply(1, key)).toEqual({ created: true })
      const found = await r.read('keyByHash', { hash: key.hash })
      expect(found).toEqual({
        id: key.id,
        name: 'CI',
        project: key.project,
        projectId: expect.any(Number) as number,
        scopes: ['ingest', 'read'],
        prefix: 'llm_abc',
        created_at: new Date(now).toISOString(),
        expires_at: new Date(now + 1_000).toISOString(),
        revoked_at: null,
        last_used_at: null,
      })
      expect(await r.read('project', { name: key.project })).toEqual({ id: found?.projectId })
      expect(await r.read('keyById', { id: key.id })).toEqual(found)
      const listed = await r.store.read(found?.projectId ?? 0, 'keys', {})
      expect(listed.map((one) => one.id)).toEqual([key.id])
      expect(JSON.stringify(listed)).not.toContain(key.hash)
      expect((await r.store.read(1, 'keys', {})).map((one) => one.id)).toContain(key.id)
      expect(await r.read('keyByHash', { hash: 'none' })).toBeNull()
      expect(await r.read('keyById', { id: 'none' })).toBeNull()
      expect(await r.read('project', { name: 'none' })).toBeNull()
    })

    test('the same key twice is made once', async () => {
      const r = await room()
      const key = newKey()
      const all = await Promise.all(Array.from({ length: 8 }, () => r.store.apply(1, key)))
      expect(all.filter((one) => one.created)).toHaveLength(1)
    })

    test('many new projects at once all come into being, each once', async () => {
      const r = await room()
      const names = Array.from({ length: 12 }, () => `p-${randomUUID()}`)
      await Promise.all([...names, ...names].map((project) => r.store.apply(1, newKey({ project }))))
      const projects = await r.read('projects', {})
      for (const name of names) expect(projects.filter((project) => project.name === name)).toHaveLength(1)
      expect(new Set(projects.map((project) => project.id)).size).toBe(projects.length)
    })

    test('a revoked key says so, once, and its sessions end', async () => {
      const r = await room()
      const key = newKey()
      await r.store.apply(1, key)
      const session = { hash: randomUUID(), tokenKind: 'session' as const, keyId: key.id, expiresAt: now + 9_000 }
      await r.apply({ kind: 'createToken', ...session })
      expect(await r.store.apply(1, { kind: 'revokeKey', id: key.id, at: now + 1 })).toEqual({ found: true })
      expect(await r.store.apply(1, { kind: 'revokeKey', id: key.id, at: now + 2 })).toEqual({ found: false })
      expect((await r.read('keyById', { id: key.id }))?.revoked_at).toBe(new Date(now + 1).toISOString())
      expect(await r.read('token', { hash: session.hash, kind: 'session', at: now })).toBeNull()
    })

    test('a key of another project can be revoked from the default project only', async () => {
      const r = await room()
      const key = newKey()
      await r.store.apply(1, key)
      expect(await r.apply({ kind: 'revokeKey', id: key.id, at: now })).toEqual({ found: false })
      expect((await r.read('keyById', { id: key.id }))?.revoked_at).toBeNull()
    })

    test('when a key was last used is kept', async () => {
      const r = await room()
      const key = newKey()
      await r.store.apply(1, key)
      expect(await r.apply({ kind: 'touchKey', id: key.id, at: now + 60_000 })).toEqual({ found: true })
      expect((await r.read('keyById', { id: key.id }))?.last_used_at).toBe(new Date(now + 60_000).toISOString())
      expect(await r.apply({ kind: 'touchKey', id: 'none', at: now })).toEqual({ found: false })
    })
  })

  describe('tokens', () => {
    test('a single-use token is redeemed by one of many that try at once', async () => {
      const r = await room()
      for (let round = 0; round < 5; round++) {
        const hash = randomUUID()
        await r.apply({ kind: 'createToken', hash, tokenKind: 'ticket', keyId: null, expiresAt: now + 1_000 })
        const all = await Promise.all(
          Array.from({ length: 16 }, () => r.apply({ kind: 'redeemToken', hash, tokenKind: 'ticket', at: now })),
        )
        expect(all.filter((one) => one !== null)).toEqual([{ keyId: null }])
      }
    })

    test('a token is of use for its kind and until it expires', async () => {
      const r = await room()
      const hash = randomUUID()
      await r.apply({ kind: 'createToken', hash, tokenKind: 'signin', keyId: 'k', expiresAt: now + 1_000 })
      const redeem = (tokenKind: 'signin' | 'ticket', at: number) =>
        r.apply({ kind: 'redeemToken', hash, tokenKind, at })
      expect(await redeem('ticket', now)).toBeNull()
      expect(await redeem('signin', now + 1_000)).toBeNull()
      expect(await r.read('token', { hash, kind: 'signin', at: now + 999 })).toEqual({ keyId: 'k' })
      expect(await r.read('token', { hash, kind: 'session', at: now })).toBeNull()
      expect(await r.read('token', { hash, kind: 'signin', at: now + 1_000 })).toBeNull()
      expect(await redeem('signin', now + 999)).toEqual({ keyId: 'k' })
    })

    test('a session can be ended', async () => {
      const r = await room()
      const hash = randomUUID()
      await r.apply({ kind: 'createToken', hash, tokenKind: 'session', keyId: null, expiresAt: now + 1_000 })
      expect(await r.read('token', { hash, kind: 'session', at: now })).toEqual({ keyId: null })
      expect(await r.apply({ kind: 'deleteToken', hash })).toEqual({ found: true })
      expect(await r.apply({ kind: 'deleteToken', hash })).toEqual({ found: false })
      expect(await r.read('token', { hash, kind: 'session', at: now })).toBeNull()
    })

    test('sweeping drops tokens that have expired, and only those', async () => {
      const r = await room()
      const [old, young] = [randomUUID(), randomUUID()]
      await r.apply({ kind: 'createToken', hash: old, tokenKind: 'session', keyId: null, expiresAt: now - 1 })
      await r.apply({ kind: 'createToken', hash: young, tokenKind: 'session', keyId: null, expiresAt: now + 1 })
      expect((await r.apply({ kind: 'sweep', at: now, messagesBefore: 0 })).dropped).toBeGreaterThanOrEqual(1)
      expect(await r.apply({ kind: 'deleteToken', hash: old })).toEqual({ found: false })
      expect(await r.apply({ kind: 'deleteToken', hash: young })).toEqual({ found: true })
    })
  })
}

function newKey(more: Partial<Change<'createKey'>> = {}): Change<'createKey'> {
  return {
    kind: 'createKey',
    id: randomUUID(),
    name: 'key',
    project: `p-${randomUUID()}`,
    hash: randomUUID(),
    prefix: 'llm_abc',
    scopes: ['admin'],
    at: now,
    expiresAt: null,
    ...more,
  }
}
