import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ensureFirstKey } from '../src/access/first-key.ts'
import { generateKey } from '../src/access/keys.ts'
import { firstKey, type Ground, type GroundOptions, openShelf, type Shelf, startGround, trace } from './ground.ts'

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
afterEach(() => ground.close())

const start = async (options: GroundOptions = {}) => {
  ground = await startGround({ shelf, ...options })
}

describe('a loopback server without keys', () => {
  it('lets everybody do everything, and ignores what they show', async () => {
    await start()
    const session = await ground.send({ path: '/api/v1/session' })
    expect(session.json).toMatchObject({ auth_required: false, scopes: ['ingest', 'read', 'write', 'admin'] })
    for (const key of [undefined, 'nonsense', generateKey()]) {
      expect((await ground.send({ path: '/api/v1/keys', ...(key ? { key } : {}) })).status).toBe(200)
    }
    expect((await ground.send({ path: '/webhook/trace', body: trace() })).status).toBe(200)
    expect((await ground.send({ path: '/docs/' })).status).toBe(200)
  })

  it.each([
    ['a rebound DNS name', { host: 'evil.example' }],
    ['another site', { origin: 'https://evil.example' }],
    ['an opaque origin', { origin: 'null' }],
    ['a hidden image on another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ])('refuses %s everywhere, pages and errors included', async (_name, headers) => {
    await start()
    for (const path of ['/health', '/api/v1/keys', '/openapi.json', '/docs/', '/nowhere']) {
      const answer = await ground.send({ path, headers })
      expect(answer.status, path).toBe(403)
      expect(answer.json.code).toBe('origin_refused')
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
    const before = (await ground.send({ path: '/webhook/stats' })).json.total_traces
    const body = trace({ trace_id: 'from elsewhere' })
    expect((await ground.send({ path: '/webhook/trace', body, headers })).status).toBe(403)
    expect((await ground.send({ path: '/webhook/stats' })).json.total_traces).toBe(before)
  })

  it('answers loopback pages on any port, preflight included', async () => {
    await start()
    const headers = { origin: 'http://localhost:5173' }
    const answer = await ground.send({ path: '/api/v1/keys', headers })
    expect(answer.headers['access-control-allow-origin']).toBe('http://localhost:5173')
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
    expect(String(answer.headers['access-control-expose-headers'])).toContain('X-Request-Id')
    const preflight = await ground.send({
      method: 'OPTIONS',
      path: '/webhook/trace',
      headers: {
        ...headers,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:5173',
      'access-control-allow-headers': 'content-type',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
    })
  })

  it('answers under the names it was given', async () => {
    await start({ config: { allowed_hosts: ['box.lan'], public_url: 'https://eval.example' } })
    for (const host of ['box.lan:8000', 'eval.example']) {
      expect((await ground.send({ path: '/health', headers: { host } })).status).toBe(200)
    }
  })

  it('has no rate limits', async () => {
    await start({ config: { rate_limits: { traces_per_minute: 1, reads_per_minute: 1, streams_per_minute: 1 } } })
    for (let i = 0; i < 5; i++) {
      const answer = await ground.send({ path: '/api/v1/keys' })
      expect(answer.status).toBe(200)
      expect(answer.headers['ratelimit']).toBeUndefined()
    }
  })

  it('closes with the first key, which has to be one that can make others', async () => {
    await start()
    const make = (body: object) => ground.send({ path: '/api/v1/keys', body })
    for (const wrong of [
      { name: 'x' },
      { name: 'x', scopes: ['read', 'write', 'ingest'] },
      { name: 'x', scopes: ['admin'], project: 'other' },
      { name: 'x', scopes: ['admin'], expires_at: '2030-01-01T00:00:00Z' },
    ]) {
      expect((await make(wrong)).json, JSON.stringify(wrong)).toMatchObject({
        code: 'invalid_request',
        errors: [{ path: 'scopes' }],
      })
    }
    expect((await make({ name: 'x', scopes: ['admin'] })).status).toBe(201)
    expect((await ground.send({ path: '/api/v1/keys' })).status).toBe(401)
    expect((await ground.send({ path: '/webhook/trace', body: trace() })).status).toBe(401)
    expect((await ground.send({ path: '/api/v1/session' })).json).toMatchObject({
      auth_required: true,
      authenticated: false,
    })
  })

  it('keeps the page signed in that made the first key, and no other', async () => {
    await start()
    const body = { name: 'x', scopes: ['admin'] }
    const made = await ground.send({ path: '/api/v1/keys', body, headers: { 'sec-fetch-site': 'same-origin' } })
    const cookie = String(made.headers['set-cookie']).split(';', 1)[0] ?? ''
    expect((await ground.send({ path: '/api/v1/keys', headers: { cookie } })).status).toBe(200)
    await ground.close()
    await start()
    expect((await ground.send({ path: '/api/v1/keys', body })).headers['set-cookie']).toBeUndefined()
  })

  it('ends the streams of everybody when it closes', async () => {
    await start()
    const anybody = ground.access.admit({} as never, { scope: 'read', limit: null })
    if (anybody instanceof Promise) throw new Error('it asked the store')
    expect(await ground.access.stillValid(anybody)).toBe(true)
    await firstKey(ground)
    expect(await ground.access.stillValid(anybody)).toBe(false)
  })

  it('closes within seconds when another server on its database makes the first key', async () => {
    await start()
    await ground.store.apply(ground.access.home, {
      kind: 'createKey',
      id: 'k1',
      name: 'elsewhere',
      project: 'default',
      hash: 'h1',
      prefix: '',
      scopes: ['admin'],
      at: 1,
      expiresAt: null,
    })
    ground.clock.now += 5_001
    // This request makes it look; the answer is there for a later one.
    await ground.send({ path: '/api/v1/keys' })
    await expect.poll(async () => (await ground.send({ path: '/api/v1/keys' })).status, { timeout: 20_000 }).toBe(401)
  })
})

describe('a server that others can reach', () => {
  const reachable = { host: '0.0.0.0' }
  const ensure = () => ensureFirstKey({ access: ground.access, config: ground.deps.config, log: ground.deps.log })

  it('answers nothing without a key but its health and the sign-in', async () => {
    await start({ config: reachable })
    expect((await ground.send({ path: '/health', headers: { host: 'anything.example' } })).status).toBe(200)
    expect((await ground.send({ path: '/api/v1/session' })).json).toMatchObject({
      auth_required: true,
      authenticated: false,
    })
    for (const path of ['/api/v1/keys', '/api/v1/settings', '/metrics', '/openapi.json', '/docs/', '/webhook/stats']) {
      expect((await ground.send({ path })).status, path).toBe(401)
    }
    expect((await ground.send({ path: '/webhook/trace', body: trace() })).status).toBe(401)
  })

  it('makes an admin key in a file that its owner alone can read, and a link that signs in', async () => {
    await start({ config: reachable })
    const { path, token } = await ensure()
    if (path === undefined || token === undefined) throw new Error('nothing was made')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const key = (await readFile(path, 'utf8')).trim()
    expect((await ground.send({ path: '/api/v1/keys', key })).status).toBe(200)
    const session = await ground.send({ path: '/api/v1/session', body: { token } })
    expect(session.json).toMatchObject({ authenticated: true, scopes: ['admin'] })
    expect(ground.lines.join('')).not.toContain(key)
    expect(ground.lines.join('')).not.toContain(token)
  })

  it('makes nothing while a key exists', async () => {
    await start({ config: reachable })
    await ensure()
    expect(await ensure()).toEqual({})
  })

  it('goes on with the key in the file when the database is a new one', async () => {
    await start({ config: reachable })
    const path = join(ground.deps.config.data, 'admin.key')
    const key = generateKey()
    await writeFile(path, `${key}\n`, { mode: 0o644 })
    expect((await ensure()).path).toBe(path)
    expect((await readFile(path, 'utf8')).trim()).toBe(key)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await ground.send({ path: '/api/v1/keys', key })).status).toBe(200)
  })

  it('makes another key when the one in the file was revoked, or is none', async () => {
    await start({ config: reachable })
    const { path } = await ensure()
    if (path === undefined) throw new Error('nothing was made')
    const old = (await readFile(path, 'utf8')).trim()
    const [listed] = (await ground.access.keys.list(ground.access.home)).filter((key) => key.revoked_at === null)
    await ground.access.keys.revoke(String(listed?.id), ground.access.home)
    await ensure()
    const next = (await readFile(path, 'utf8')).trim()
    expect(next).not.toBe(old)
    expect((await ground.send({ path: '/api/v1/keys', key: next })).status).toBe(200)
    expect((await ground.send({ path: '/api/v1/keys', key: old })).status).toBe(401)
  })

  it('takes the admin key that its operator chose, in any form, and makes none', async () => {
    const chosen = 'a passphrase of the operator 123'
    await start({ config: { ...reachable, admin_key: chosen } })
    expect(await ensure()).toEqual({})
    await expect(stat(join(ground.deps.config.data, 'admin.key'))).rejects.toThrow('ENOENT')
    const headers = { 'x-api-key': chosen }
    expect((await ground.send({ path: '/api/v1/keys', headers })).status).toBe(200)
    expect((await ground.send({ path: '/api/v1/keys', headers: { 'x-api-key': `${chosen}4` } })).status).toBe(401)
    expect((await ground.send({ path: '/api/v1/keys', headers })).text).not.toContain('passphrase')
  })

  it('revokes the key that its operator chose before', async () => {
    const first = generateKey()
    await start({ config: { ...reachable, admin_key: first } })
    await ensure()
    expect((await ground.send({ path: '/api/v1/keys', key: first })).status).toBe(200)
    const config = { ...ground.deps.config, admin_key: generateKey() }
    await ensureFirstKey({ access: ground.access, config, log: ground.deps.log })
    expect((await ground.send({ path: '/api/v1/keys', key: first })).status).toBe(401)
    expect((await ground.send({ path: '/api/v1/keys', key: config.admin_key })).status).toBe(200)
  })

  it('asks for a key even on loopback once its operator chose one', async () => {
    await start({ config: { admin_key: generateKey() } })
    await ensure()
    expect((await ground.send({ path: '/api/v1/keys' })).status).toBe(401)
  })

  it('lets only configured origins read its answers', async () => {
    await start({ config: { ...reachable, cors_origins: ['https://app.example'] } })
    const allowed = (origin: string) =>
      ground
        .send({ path: '/health', headers: { origin } })
        .then(({ headers }) => headers['access-control-allow-origin'])
    expect(await allowed('https://app.example')).toBe('https://app.example')
    expect(await allowed('http://localhost:3000')).toBeUndefined()
    expect(await allowed('https://evil.example')).toBeUndefined()
  })

  it('warns an operator whose public URL leads to an open server', async () => {
    await start({ config: { public_url: 'https://eval.example' } })
    await ensure()
    expect(ground.lines.join('')).toContain('whoever reaches that URL may do everything')
  })
})

describe('forwarded headers', () => {
  it('count only from trusted proxies', async () => {
    const open = { host: '127.0.0.1' }
    await start({ config: open })
    const headers = { host: 'localhost', 'x-forwarded-host': 'evil.example', 'x-forwarded-for': '10.0.0.9' }
    expect((await ground.send({ path: '/health', headers })).status).toBe(200)
    await ground.close()
    await start({ config: { ...open, trusted_proxies: ['127.0.0.1'] } })
    expect((await ground.send({ path: '/health', headers })).status).toBe(403)
    await ground.close()
    await start({ config: { ...open, trusted_proxies: ['10.0.0.0/8'] } })
    expect((await ground.send({ path: '/health', headers })).status).toBe(200)
  })

  it('tell a trusted proxy that the browser came encrypted', async () => {
    const proxied = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '10.0.0.9' }
    for (const [trusted_proxies, secure] of [
      [['127.0.0.1'], true],
      [[], false],
    ] as const) {
      await start({ config: { trusted_proxies: [...trusted_proxies] } })
      const key = await firstKey(ground)
      const answer = await ground.send({ path: '/api/v1/session', body: { key }, headers: proxied })
      expect(String(answer.headers['set-cookie']).includes('Secure')).toBe(secure)
      if (secure) await ground.close()
    }
  })
})
