import { routes } from '@llm-eval/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../src/config/config.ts'
import { mount } from '../src/http/mount.ts'
import { allSlices, firstKey, type Ground, openShelf, type Shelf, startGround, trace } from './ground.ts'

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
afterEach(() => ground.close())

async function start(rates: Partial<Config['rate_limits']>, config: Partial<Config> = {}): Promise<string> {
  const rate_limits = { traces_per_minute: 0, reads_per_minute: 0, streams_per_minute: 0, ...rates }
  ground = await startGround({
    shelf,
    config: { rate_limits, ...config },
    slices: [...allSlices, (app) => mount(app, routes.streamMetrics, { handler: () => ({}) })],
  })
  return firstKey(ground)
}

let made = 0
const batch = (size: number) => ({
  source: 'test',
  traces: Array.from({ length: size }, () => trace({ trace_id: `limited-${++made}` })),
})

describe('rate limits', () => {
  it('count reads by key, tell what is left, and when to come back', async () => {
    const key = await start({ reads_per_minute: 3 })
    const read = () => ground.send({ path: '/api/v1/settings', key })
    expect((await read()).headers).toMatchObject({
      'ratelimit-policy': '"default";q=3;w=60',
      ratelimit: '"default";r=2;t=20',
      'x-rate-limit': '3',
      'x-rate-limit-remaining': '2',
      'x-rate-limit-reset': String(ground.clock.now / 1000 + 20),
    })
    await read()
    await read()
    const refused = await read()
    expect(refused.status).toBe(429)
    expect(refused.json).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining('3 per minute') })
    expect(refused.headers).toMatchObject({ 'retry-after': '20', 'x-rate-limit-remaining': '0' })
    ground.clock.now += 20_000
    expect((await read()).status).toBe(200)
    expect((await read()).status).toBe(429)
  })

  it('give each key its own budget', async () => {
    const admin = await start({ reads_per_minute: 2 })
    const other = await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'x', scopes: ['read'] } })
    const read = (key: string) => ground.send({ path: '/api/v1/settings', key })
    await read(admin)
    expect((await read(admin)).status).toBe(429)
    expect((await read(other.json.key)).status).toBe(200)
  })

  it('count traces, not requests, on ingest', async () => {
    const key = await start({ traces_per_minute: 10 })
    const send = (size: number) => ground.send({ path: '/webhook/batch', key, body: batch(size) })
    expect((await send(6)).headers['x-rate-limit-remaining']).toBe('4')
    const refused = await send(5)
    expect(refused.status).toBe(429)
    expect(refused.json).toMatchObject({ success: false, code: 'rate_limited', processed_count: 0 })
    expect((await send(4)).status).toBe(200)
    const stats = await ground.send({ path: '/webhook/stats', key })
    expect(stats.json.total_traces).toBe(10)
  })

  it('count opened streams on their own', async () => {
    const key = await start({ reads_per_minute: 100, streams_per_minute: 1 })
    const open = () => ground.send({ path: '/stream/metrics', key })
    expect((await open()).status).toBe(200)
    expect((await open()).status).toBe(429)
    expect((await ground.send({ path: '/api/v1/settings', key })).status).toBe(200)
  })

  it('give callers without a key a tenth, by their address', async () => {
    await start({ reads_per_minute: 20 }, { trusted_proxies: ['127.0.0.1'] })
    const ask = (address: string) =>
      ground.send({ path: '/api/v1/session', headers: { 'x-forwarded-for': address } }).then(({ status }) => status)
    expect([await ask('10.0.0.1'), await ask('10.0.0.1'), await ask('10.0.0.1')]).toEqual([200, 200, 429])
    expect(await ask('10.0.0.2')).toBe(200)
    expect([await ask('2001:db8::1'), await ask('2001:db8::2'), await ask('2001:db8::3')]).toEqual([200, 200, 429])
  })

  it('cannot be escaped by claiming another address', async () => {
    await start({ reads_per_minute: 20 })
    const ask = (address: string) =>
      ground.send({ path: '/api/v1/session', headers: { 'x-forwarded-for': address } }).then(({ status }) => status)
    expect([await ask('10.0.0.1'), await ask('10.0.0.2'), await ask('10.0.0.3')]).toEqual([200, 200, 429])
  })

  it('leave health checks alone', async () => {
    await start({ reads_per_minute: 10 })
    for (let i = 0; i < 5; i++) expect((await ground.send({ path: '/health' })).status).toBe(200)
    expect((await ground.send({ path: '/ready' })).headers['ratelimit']).toBeUndefined()
  })

  it('are off at zero', async () => {
    const key = await start({})
    const answer = await ground.send({ path: '/api/v1/settings', key })
    expect(answer.status).toBe(200)
    expect(answer.headers['ratelimit']).toBeUndefined()
  })
})
