import { limits, routes } from '@llm-eval/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../src/access/keys.ts'
import { firstKey, type Ground, type GroundOptions, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { watched } from './watched-store.ts'

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
afterEach(() => ground.close())

async function start(options: GroundOptions = {}): Promise<string> {
  ground = await startGround({ shelf, ...options })
  return firstKey(ground)
}

async function makeKey(admin: string, body: object): Promise<{ id: string; key: string }> {
  const made = await ground.send({ path: '/api/v1/keys', body, key: admin })
  expect(made.status).toBe(201)
  return made.json as { id: string; key: string }
}

interface Listed {
  id: string
  name: string
  project: string
  revoked_at: string | null
  last_used_at: string | null
}

/** Those that were not revoked: tests share a store. */
async function liveKeys(key: string): Promise<Listed[]> {
  const listed = await ground.send({ path: '/api/v1/keys', key })
  return (listed.json.items as Listed[]).filter((item) => item.revoked_at === null)
}

describe('an API key', () => {
  it('is shown once, when it is made, and never again', async () => {
    const admin = await start()
    const { id, key } = await makeKey(admin, { name: 'ci', scopes: ['ingest', 'read'] })
    const listed = await ground.send({ path: '/api/v1/keys', key: admin })
    expect(listed.text).not.toContain(key.slice(20))
    expect(listed.json.items.find((item: { id: string }) => item.id === id)).toEqual({
      id,
      name: 'ci',
      project: 'default',
      scopes: ['ingest', 'read'],
      prefix: key.slice(0, 14),
      created_at: '2025-01-27T12:00:00.000Z',
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
    })
  })

  it.each([
    ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
    ['authorization: bearer, in any case', (key: string) => ({ authorization: `bearer ${key}` })],
    ['X-API-Key', (key: string) => ({ 'x-api-key': key })],
  ])('opens the server as %s', async (_name, headers) => {
    const admin = await start()
    expect((await ground.send({ path: '/api/v1/settings', headers: headers(admin) })).status).toBe(200)
  })

  it('is asked for at every route of the table that has a scope, and at no other', async () => {
    await start()
    const mounted = new Set(ground.app.mounted.map(({ method, path }) => `${method} ${path}`))
    for (const route of Object.values(routes)) {
      if (!mounted.has(`${route.method} ${route.path}`)) continue
      const path = route.path.replace(/:\w+/g, 'x')
      const { status } = await ground.send({
        method: route.method,
        path,
        ...(route.method === 'POST' ? { body: {} } : {}),
      })
      if (route.scope === null) expect(status, path).not.toBe(401)
      else expect(status, path).toBe(401)
    }
    for (const path of ['/openapi.json', '/docs/', '/docs/json', '/docs/static/index.html']) {
      expect((await ground.send({ path })).status, path).toBe(401)
    }
  })

  it('that is unknown, cut or malformed is refused as such', async () => {
    const admin = await start()
    for (const key of [generateKey(), admin.slice(0, -1), 'hello', 'llmeval_']) {
      const answer = await ground.send({ path: '/api/v1/keys', key })
      expect(answer.status).toBe(401)
      expect(answer.json.code).toBe('invalid_key')
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
  })

  it('with a wrong checksum costs no question to the store', async () => {
    const asked: string[] = []
    await start({ wrap: (store) => watched(store, asked) })
    asked.length = 0
    const right = generateKey()
    const wrong = right.slice(0, -1) + (right.endsWith('A') ? 'B' : 'A')
    expect((await ground.send({ path: '/api/v1/keys', key: wrong })).status).toBe(401)
    expect(asked.filter((query) => query === 'keyByHash')).toEqual([])
  })

  it('is looked up at most every five seconds, and its use noted at most every minute', async () => {
    const seen: string[] = []
    const count = (name: string) => seen.filter((one) => one === name).length
    const calls = () => ({ looked: count('keyByHash'), touched: count('touchKey') })
    const admin = await start({ wrap: (store) => watched(store, seen) })
    const use = () => ground.send({ path: '/api/v1/settings', key: admin })
    for (let i = 0; i < 20; i++) expect((await use()).status).toBe(200)
    expect(calls()).toEqual({ looked: 1, touched: 1 })
    ground.clock.now += 5_001
    await use()
    expect(calls()).toEqual({ looked: 2, touched: 1 })
    ground.clock.now += 60_000
    await use()
    expect(calls()).toEqual({ looked: 3, touched: 2 })
    // Nobody waits for a use to be noted.
    const noted = async () => (await liveKeys(admin))[0]?.last_used_at
    await expect.poll(noted, { timeout: 30_000 }).toBe(new Date(ground.clock.now).toISOString())
  })

  it('that is revoked is refused from that moment on, though it was used a moment ago', async () => {
    const admin = await start()
    const { id, key } = await makeKey(admin, { name: 'ci', scopes: ['read'] })
    const use = () => ground.send({ path: '/api/v1/settings', key })
    expect((await use()).status).toBe(200)
    expect((await ground.send({ method: 'DELETE', path: `/api/v1/keys/${id}`, key: admin })).status).toBe(204)
    expect((await use()).json.code).toBe('invalid_key')
    const again = await ground.send({ method: 'DELETE', path: `/api/v1/keys/${id}`, key: admin })
    expect(again.json.code).toBe('key_not_found')
  })

  it('that expires is refused from that moment on', async () => {
    const admin = await start()
    const { key } = await makeKey(admin, { name: 'ci', scopes: ['read'], expires_at: '2025-01-27T12:00:02Z' })
    const use = () => ground.send({ path: '/api/v1/settings', key })
    expect((await use()).status).toBe(200)
    ground.clock.now += 1_999
    expect((await use()).status).toBe(200)
    ground.clock.now += 1
    expect((await use()).json.code).toBe('invalid_key')
  })

  it('cannot be made to expire in the past', async () => {
    const admin = await start()
    const body = { name: 'ci', expires_at: '2025-01-27T11:59:59Z' }
    const made = await ground.send({ path: '/api/v1/keys', key: admin, body })
    expect(made.json).toMatchObject({ code: 'invalid_request', errors: [{ path: 'expires_at' }] })
  })

  it('does only what its scopes say; admin does everything', async () => {
    const admin = await start()
    const ingest = await makeKey(admin, { name: 'a' })
    const read = await makeKey(admin, { name: 'b', scopes: ['read'] })
    const send = (key: string) =>
      ground.send({ path: '/webhook/trace', body: trace({ trace_id: key.slice(8, 20) }), key })
    const look = (key: string) => ground.send({ path: '/api/v1/settings', key })
    const manage = (key: string) => ground.send({ path: '/api/v1/keys', key })
    expect((await send(ingest.key)).status).toBe(200)
    expect((await look(ingest.key)).json).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('read') })
    expect((await send(read.key)).status).toBe(403)
    expect((await look(read.key)).status).toBe(200)
    expect((await manage(read.key)).status).toBe(403)
    for (const call of [send, look, manage]) expect((await call(admin)).status).toBeLessThan(300)
  })

  it('belongs to one project: it sees the keys of that alone, and can revoke no others', async () => {
    const admin = await start()
    const theirs = await makeKey(admin, { name: 'boss', scopes: ['admin'], project: 'other' })
    const ours = await makeKey(admin, { name: 'ours', scopes: ['read'] })
    const listed = await ground.send({ path: '/api/v1/keys', key: theirs.key })
    expect(listed.json.items.map((item: { id: string }) => item.id)).toEqual([theirs.id])
    const revoked = await ground.send({ method: 'DELETE', path: `/api/v1/keys/${ours.id}`, key: theirs.key })
    expect(revoked.status).toBe(404)
    const reach = await ground.send({ path: '/api/v1/keys', key: theirs.key, body: { name: 'x', project: 'default' } })
    expect(reach.json).toMatchObject({ code: 'invalid_request', errors: [{ path: 'project' }] })
    const inside = await ground.send({ path: '/api/v1/keys', key: theirs.key, body: { name: 'x' } })
    expect(inside.json.project).toBe('other')
    const projects = (await liveKeys(admin)).map(({ project }) => project)
    expect(projects.toSorted()).toEqual(['default', 'default', 'other', 'other'])
    expect((await ground.send({ method: 'DELETE', path: `/api/v1/keys/${theirs.id}`, key: admin })).status).toBe(204)
  })

  it('that is the last admin key stays, while others are there', async () => {
    const admin = await start()
    const { id } = await makeKey(admin, { name: 'ci' })
    const adminId = String((await liveKeys(admin)).find((item) => item.name === 'first')?.id)
    const remove = (key: string) => ground.send({ method: 'DELETE', path: `/api/v1/keys/${key}`, key: admin })
    expect((await remove(adminId)).json).toMatchObject({ code: 'invalid_request' })
    expect((await remove(id)).status).toBe(204)
    expect((await remove(adminId)).status).toBe(204)
    expect((await ground.send({ path: '/api/v1/session' })).json).toMatchObject({ auth_required: false })
  })

  it('that is the last admin key stays, also when another one is there that has expired', async () => {
    const admin = await start()
    const soon = new Date(ground.clock.now + 60_000).toISOString()
    await makeKey(admin, { name: 'for a minute', scopes: ['admin'], expires_at: soon })
    const adminId = String((await liveKeys(admin)).find((item) => item.name === 'first')?.id)
    ground.clock.now += 60_000
    const removed = await ground.send({ method: 'DELETE', path: `/api/v1/keys/${adminId}`, key: admin })
    expect(removed.json).toMatchObject({ code: 'invalid_request', errors: [{ path: 'key_id' }] })
  })

  it('can be had a thousand times in a project, and no more', async () => {
    const admin = await start()
    const { access, store } = ground
    await Promise.all(
      Array.from({ length: limits.keys - 2 }, (_, i) =>
        store.apply(access.home, {
          kind: 'createKey',
          id: `k${i}`,
          name: 'many',
          project: 'default',
          hash: `h${i}`,
          prefix: '',
          scopes: ['read'],
          at: 1,
          expiresAt: null,
        }),
      ),
    )
    await makeKey(admin, { name: 'the thousandth' })
    const oneMore = await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'one more' } })
    expect(oneMore.json.errors[0].message).toContain('1000 keys')
  })

  it('that speaks for a stream is known to be valid until it is revoked', async () => {
    const admin = await start()
    const { id, key } = await makeKey(admin, { name: 'ci', scopes: ['read'] })
    const principal = await ground.access.keys.byKey(key)
    if (!principal) throw new Error('the key is unknown')
    expect(await ground.access.stillValid(principal)).toBe(true)
    await ground.access.keys.revoke(id, ground.access.home)
    expect(await ground.access.stillValid(principal)).toBe(false)
  })

  it('made by another server on the same database is found, and one revoked there is forgotten in seconds', async () => {
    const admin = await start()
    const { id, key } = await makeKey(admin, { name: 'ci', scopes: ['read'] })
    const use = () => ground.send({ path: '/api/v1/settings', key })
    expect((await use()).status).toBe(200)
    await ground.store.apply(ground.access.home, { kind: 'revokeKey', id, at: ground.clock.now })
    ground.clock.now += 5_001
    expect((await use()).status).toBe(401)
  })
})
