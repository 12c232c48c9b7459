import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveDashboard } from '../src/http/dashboard.ts'
import { allSlices, firstKey, type Ground, openShelf, type Received, type Shelf, startGround, trace } from './ground.ts'
import { watched } from './watched-store.ts'

const page = `<!doctype html><title>llm-eval</title>${'<p>text</p>'.repeat(200)}`
const script = `export const x = ${JSON.stringify('y'.repeat(5_000))}`
const asPage = { accept: 'text/html,application/xhtml+xml' }

let directory: string
let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llm-eval-dist-'))
  await mkdir(join(directory, 'assets'))
  await writeFile(join(directory, 'index.html'), page)
  await writeFile(join(directory, 'assets', 'app-abc123.js'), script)
  await writeFile(join(directory, 'assets', 'built-abc123.js'), script)
  await writeFile(join(directory, 'assets', 'built-abc123.js.gz'), gzipSync('// from the build'))
  await writeFile(join(directory, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeFile(join(directory, 'secret.key'), 'not to be served')
  shelf = await openShelf()
  ground = await startGround({ shelf, slices: [...allSlices, serveDashboard(directory)] })
})
afterAll(async () => {
  await ground.close()
  await shelf.close()
  await rm(directory, { recursive: true, force: true })
})

describe('the dashboard', () => {
  it.each(['/', '/traces', '/traces/some.id%2Fwith', '/signin?token=abc', '/review'])(
    'has its page at %s',
    async (path) => {
      const answer = await ground.send({ path, headers: asPage })
      expect(answer.status).toBe(200)
      expect(answer.text).toBe(page)
      expect(answer.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'private, no-cache',
      })
    },
  )

  it('needs no key: it is the page that asks for one', async () => {
    const other = await startGround({ shelf, slices: [...allSlices, serveDashboard(directory)] })
    await firstKey(other)
    expect((await other.send({ path: '/signin', headers: asPage })).status).toBe(200)
    expect((await other.send({ path: '/assets/app-abc123.js' })).status).toBe(200)
    await other.close()
  })

  it('does not cover up what is missing in the API, or among its own files', async () => {
    for (const path of [
      '/api/v1/nothing',
      '/webhook/nothing',
      '/stream/nothing',
      '/assets/gone.js',
      '/v2/x',
      '/docs/x',
    ]) {
      expect((await ground.send({ path, headers: asPage })).status, path).toBe(404)
    }
    expect((await ground.send({ path: '/traces', headers: { accept: 'application/json' } })).status).toBe(404)
    expect((await ground.send({ path: '/webhook/trace', headers: asPage })).status).toBe(405)
    expect((await ground.send({ method: 'POST', path: '/traces', headers: asPage })).status).toBe(404)
  })

  it('keeps hashed files for ever, and answers 304 to who has a file already', async () => {
    const first = await ground.send({ path: '/assets/app-abc123.js' })
    expect(first.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    const tag = String(first.headers['etag'])
    for (const tags of [tag, `"other", W/${tag}`]) {
      const again = await ground.send({ path: '/assets/app-abc123.js', headers: { 'if-none-match': tags } })
      expect(again.status).toBe(304)
      expect(again.text).toBe('')
    }
    expect((await ground.send({ path: '/favicon.svg' })).headers['cache-control']).toBe('no-cache')
  })

  it('is sent compressed to who takes it, and each form has its own tag', async () => {
    const get = (encoding: string) =>
      ground.send({ path: '/assets/app-abc123.js', headers: { 'accept-encoding': encoding } })
    const [br, gzip, plain] = await Promise.all([get('gzip, deflate, br'), get('gzip;q=0.5, br;q=0'), get('zstd')])
    expect(br.headers['content-encoding']).toBe('br')
    expect(brotliDecompressSync(br.bytes).toString()).toBe(script)
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzip.bytes).toString()).toBe(script)
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.text).toBe(script)
    expect(new Set([br, gzip, plain].map(({ headers }) => headers['etag'])).size).toBe(3)
    for (const { headers } of [br, gzip, plain]) expect(headers['vary']).toContain('accept-encoding')
  })

  it('prefers what the build compressed', async () => {
    const answer = await ground.send({ path: '/assets/built-abc123.js', headers: { 'accept-encoding': 'gzip' } })
    expect(gunzipSync(answer.bytes).toString()).toBe('// from the build')
  })

  it('serves nothing else from its directory, and nothing from outside', async () => {
    for (const path of [
      '/secret.key',
      '/../package.json',
      '/%2e%2e/package.json',
      '/assets/..%2f..%2fpackage.json',
      '//etc/passwd',
    ]) {
      const answer = await ground.send({ path })
      expect(answer.status, path).toBe(404)
    }
  })

  it('runs under a policy that lets it load from this server alone', async () => {
    const { headers } = await ground.send({ path: '/', headers: asPage })
    const policy = String(headers['content-security-policy']).replaceAll(' ', '')
    expect(policy.split(';').toSorted()).toEqual(
      [
        "default-src'self'",
        "script-src'self'",
        "style-src'self''unsafe-inline'",
        "img-src'self'data:",
        "connect-src'self'",
        "worker-src'self'",
        "object-src'none'",
        "base-uri'none'",
        "frame-ancestors'none'",
      ].toSorted(),
    )
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    expect(headers['strict-transport-security']).toBeUndefined()
  })

  it('has its first page for whoever asks, such as curl', async () => {
    const answer = await ground.send({ path: '/', headers: { accept: '*/*' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect((await ground.send({ path: '/' })).status).toBe(200)
  })

  it('answers HEAD', async () => {
    const answer = await ground.send({ method: 'HEAD', path: '/', headers: asPage })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe('')
  })

  it('that was not built says so calmly, and the rest of the server works', async () => {
    const bare = await startGround({ shelf, slices: [...allSlices, serveDashboard(join(directory, 'nowhere'))] })
    const answer = await bare.send({ path: '/', headers: asPage })
    expect(answer.status).toBe(503)
    expect(answer.text).toContain('npm run build')
    expect((await bare.send({ path: '/health' })).status).toBe(200)
    expect((await bare.send({ path: '/x', headers: { accept: '*/*' } })).status).toBe(404)
    await bare.close()
  })

  it('promises encryption only where the public URL has it', async () => {
    const config = { public_url: 'https://eval.example' }
    const other = await startGround({ shelf, config, slices: [...allSlices, serveDashboard(directory)] })
    const { headers } = await other.send({ path: '/', headers: asPage })
    expect(headers['strict-transport-security']).toContain('max-age=31536000')
    await other.close()
  })
})

describe('where the journal stands', () => {
  const start = (options: Parameters<typeof startGround>[0] = {}) =>
    startGround({ shelf, slices: [...allSlices, serveDashboard(directory)], ...options })
  const placeOf = (answer: Received) => /^journal;desc="([^"]*)"$/.exec(String(answer.headers['server-timing']))?.[1]
  const open = (on: Ground, headers: Record<string, string> = {}) =>
    on.send({ path: '/traces', headers: { ...asPage, ...headers } })

  async function standing(on: Ground, name: string): Promise<string> {
    const project = await on.store.read(0, 'project', { name })
    const { epoch, seq } = await on.store.read(project?.id ?? 0, 'head', {})
    return `${epoch}.${seq}`
  }

  async function signIn(on: Ground, key: string): Promise<{ cookie: string }> {
    const answer = await on.send({ path: '/api/v1/session', body: { key } })
    return { cookie: String(answer.headers['set-cookie']).split(';', 1)[0] ?? '' }
  }

  async function makeKey(on: Ground, admin: string, body: object): Promise<string> {
    const made = await on.send({ path: '/api/v1/keys', key: admin, body: { name: 'x', ...body } })
    expect(made.status).toBe(201)
    return String(made.json.key)
  }

  it('is told with the page of an open server, also to who has the page already, and with nothing else', async () => {
    const before = await open(ground)
    expect(placeOf(before)).toBe(`${await standing(ground, 'default')} default`)
    expect((await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'moves-it' }) })).status).toBe(200)
    const after = await open(ground, { 'if-none-match': String(before.headers['etag']) })
    expect(after.status).toBe(304)
    expect(placeOf(after)).toBe(`${await standing(ground, 'default')} default`)
    expect(placeOf(after)).not.toBe(placeOf(before))
    // What is told to one reader must not be kept for another.
    for (const { headers } of [before, after]) expect(headers['cache-control']).toBe('private, no-cache')
    for (const path of ['/assets/app-abc123.js', '/favicon.svg', '/api/v1/nothing'])
      expect((await ground.send({ path })).headers['server-timing'], path).toBeUndefined()
  })

  it('is told to who is signed in, of their own project, and to nobody who may not read', async () => {
    const other = await start()
    const admin = await firstKey(other)
    const [mine, theirs, deaf] = [
      await makeKey(other, admin, { scopes: ['read'] }),
      await makeKey(other, admin, { scopes: ['read', 'ingest'], project: 'Grün & Co' }),
      await makeKey(other, admin, { scopes: ['ingest'] }),
    ]
    await other.send({ path: '/webhook/trace', key: theirs, body: trace({ trace_id: 'theirs' }) })
    expect(placeOf(await open(other, await signIn(other, mine)))).toBe(`${await standing(other, 'default')} default`)
    const place = `${await standing(other, 'Grün & Co')} Gr%C3%BCn%20%26%20Co`
    expect(placeOf(await open(other, await signIn(other, theirs)))).toBe(place)
    const strangers = [
      {},
      { cookie: 'llm_eval_session=nonsense' },
      { cookie: `llm_eval_session=${'x'.repeat(43)}` },
      { authorization: 'Bearer llmeval_wrong' },
      await signIn(other, deaf),
    ]
    for (const headers of strangers) {
      const answer = await open(other, headers)
      expect(answer.status).toBe(200)
      expect(answer.text).toBe(page)
      expect(answer.headers['server-timing']).toBeUndefined()
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
    await other.close()
  })

  it('ends with the session, and costs nobody a request', async () => {
    const other = await start({ config: { rate_limits: { ...ground.deps.config.rate_limits, reads_per_minute: 20 } } })
    const session = await signIn(other, await firstKey(other))
    for (let count = 0; count < 25; count++) {
      const answer = await open(other, session)
      expect([answer.status, placeOf(answer) !== undefined]).toEqual([200, true])
      expect(answer.headers['ratelimit']).toBeUndefined()
    }
    const left = await other.send({
      method: 'DELETE',
      path: '/api/v1/session',
      headers: { ...session, 'sec-fetch-site': 'same-origin' },
    })
    expect(left.status).toBeLessThan(300)
    expect((await open(other, session)).headers['server-timing']).toBeUndefined()
    await other.close()
  })

  it.each<[string, () => Promise<never>]>([
    ['fails', () => Promise.reject(new Error('the database is gone'))],
    ['does not answer', () => new Promise<never>(() => {})],
  ])('is left out when the store %s, and the page is there all the same', async (_what, head) => {
    const other = await start({
      wrap: (store) => ({
        ...watched(store, []),
        read: (project, query, args) => (query === 'head' ? head() : store.read(project, query, args)),
      }),
    })
    const answer = await open(other)
    expect([answer.status, answer.text]).toEqual([200, page])
    expect(answer.headers['server-timing']).toBeUndefined()
    await other.close()
  })
})
