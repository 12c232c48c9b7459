import { routes } from '@llm-eval/protocol'
import type { Store } from '@llm-eval/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { maintain, repeat } from '../src/maintenance.ts'
import { firstKey, type Ground, type GroundOptions, noon, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { watched } from './watched-store.ts'

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

describe('health', () => {
  it('is told to everybody, and readiness with it', async () => {
    await start()
    await firstKey(ground)
    expect((await ground.send({ path: '/health' })).json).toEqual({ status: 'healthy', version: '1.2.3' })
    expect((await ground.send({ path: '/ready' })).json).toEqual({ status: 'ready' })
  })

  it('goes on while the database does not answer, and readiness does not', async () => {
    const broken = (store: Store): Store => ({
      ...watched(store, []),
      ping: () => Promise.reject(new Error('the disk is gone')),
    })
    await start({ wrap: broken })
    expect((await ground.send({ path: '/health' })).status).toBe(200)
    const answer = await ground.send({ path: '/ready' })
    expect(answer.status).toBe(503)
    expect(answer.json.code).toBe('storage_unavailable')
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.text).not.toContain('the disk is gone')
    expect(ground.lines.join('')).toContain('the disk is gone')
  })

  it('goes on while the server shuts down; everything else is refused with the time to come back', async () => {
    await start()
    ground.closing.abort()
    expect((await ground.send({ path: '/health' })).status).toBe(200)
    for (const path of ['/ready', '/api/v1/keys', '/docs/']) {
      const answer = await ground.send({ path })
      expect(answer.json).toMatchObject({ status: 503, code: 'shutting_down' })
      expect(answer.headers).toMatchObject({ 'retry-after': expect.any(String), connection: 'close' })
    }
    const trace503 = await ground.send({ path: '/webhook/trace', body: trace() })
    expect(trace503.json).toMatchObject({ success: false, code: 'shutting_down' })
  })
})

describe('the measurements', () => {
  it('need a key that may read', async () => {
    await start()
    const key = await firstKey(ground)
    expect((await ground.send({ path: '/metrics' })).status).toBe(401)
    const answer = await ground.send({ path: '/metrics', key })
    expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4')
  })

  it('are none of the business of another project than the default one', async () => {
    await start()
    const admin = await firstKey(ground)
    const body = { name: 'other', scopes: ['read'], project: 'other' }
    const made = await ground.send({ path: '/api/v1/keys', key: admin, body })
    const answer = await ground.send({ path: '/metrics', key: String(made.json['key']) })
    expect(answer).toMatchObject({ status: 403, json: { code: 'not_this_project' } })
  })

  it('count traces by what became of them, commits, failures and requests by route', async () => {
    await start()
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'measured' }) })
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'measured' }) })
    await ground.send({ path: '/webhook/trace', body: {} })
    await ground.send({ path: '/api/v1/keys?x=1' })
    const { text } = await ground.send({ path: '/metrics' })
    const value = (line: string) =>
      Number(
        text
          .split('\n')
          .find((one) => one.startsWith(`${line} `))
          ?.slice(line.length),
      )
    expect(value('llm_eval_ingested_traces_total{outcome="created"}')).toBe(1)
    expect(value('llm_eval_ingested_traces_total{outcome="duplicate"}')).toBe(1)
    expect(value('llm_eval_failures_total{code="invalid_query"}')).toBe(1)
    expect(value('llm_eval_commit_seconds_count')).toBeGreaterThanOrEqual(1)
    expect(value('llm_eval_http_request_seconds_count{method="POST",route="/webhook/trace",status="200"}')).toBe(2)
    expect(text).toMatch(/llm_eval_queue_traces \d/)
    expect(text).toMatch(/llm_eval_event_lag\{consumer="search"\} \d/)
  })
})

describe('the API description', () => {
  it('is OpenAPI 3.1 with each mounted route of the table once, its scope, and the shape of its errors', async () => {
    await start()
    const { json } = await ground.send({ path: '/openapi.json' })
    expect(json).toMatchObject({ openapi: '3.1.0', info: { title: 'llm-eval', version: '1.2.3' } })
    const described = Object.entries(json.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    const mounted = new Set(ground.app.mounted.map(({ method, path }) => `${method} ${path}`))
    const wanted = Object.values(routes).map(({ method, path }) => `${method} ${path}`)
    expect(described.toSorted()).toEqual(wanted.filter((one) => mounted.has(one)).toSorted())
    expect(json.paths['/api/v1/keys'].post).toMatchObject({
      operationId: 'createKey',
      security: [{ bearer: [] }, { header: [] }, { session: [] }],
      requestBody: { content: { 'application/json': { schema: { required: ['name'] } } } },
      responses: {
        201: { content: { 'application/json': { schema: { properties: { key: { type: 'string' } } } } } },
        default: { content: { 'application/problem+json': { schema: { properties: { code: {} } } } } },
      },
    })
    expect(json.paths['/health'].get.security).toEqual([])
    const ingest = json.paths['/webhook/trace'].post
    expect(ingest.requestBody.content['application/json'].schema.required).toContain('trace_id')
    expect(ingest.responses.default.content['application/json'].schema.properties.success).toBeDefined()
  })

  it('can be browsed without anything from elsewhere, under a policy that allows nothing else', async () => {
    await start()
    const page = await ground.send({ path: '/docs/' })
    expect(page.status).toBe(200)
    expect(page.text).not.toMatch(/(src|href)="https?:/)
    expect(page.headers['content-security-policy']).toContain("script-src 'self';")
    for (const [, path] of page.text.matchAll(/(?:src|href)="\.?\/?([^"]+)"/g)) {
      const answer = await ground.send({ path: `/docs/${path?.replace(/^docs\//, '')}` })
      expect(answer.status, path).toBe(200)
    }
  })

  it('is answered with headers that keep browsers from guessing', async () => {
    await start()
    const { headers } = await ground.send({ path: '/api/v1/keys' })
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
  })
})

describe('what is done every minute', () => {
  const total = async () => Number((await ground.send({ path: '/webhook/stats' })).json.total_traces)

  it('drops expired tokens, traces past their retention and events past theirs', async () => {
    const seen: string[] = []
    const config = { retention_days: 30, event_retention_days: 7 }
    await start({ config, wrap: (store) => watched(store, seen) })
    const old = new Date(noon - 31 * 86_400_000).toISOString()
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'old', timestamp: old }) })
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'new' }) })
    await ground.access.tokens.issue('ticket', null)
    const before = await total()
    await maintain(ground.deps)
    expect(seen).toEqual(expect.arrayContaining(['sweep', 'expireTraces', 'trimEvents']))
    expect(await total()).toBe(before - 1)
    ground.clock.now += 100_000
    expect(await ground.store.apply(ground.access.home, { kind: 'sweep', at: noon, messagesBefore: 0 })).toEqual({
      dropped: 0,
    })
    await maintain(ground.deps)
    const swept = await ground.store.apply(ground.access.home, {
      kind: 'sweep',
      at: ground.clock.now,
      messagesBefore: 0,
    })
    expect(swept).toEqual({ dropped: 0 })
  })

  it('drops results of evaluations that stand on no trace when they are past the retention', async () => {
    await start({ config: { retention_days: 30 } })
    const { store, access, clock } = ground
    const parts = { evaluator: 'exact-match', version: 'v', config: null, traceId: null, ruleId: null, taskId: null }
    const startedAt = async (id: string, at: number) => {
      const executions = [{ ...parts, id, input: '{"secret":"zitherplum"}', batchId: null }]
      const held = { owner: 'a test', at, leaseMs: 1_000 }
      const { refs } = await store.apply(access.home, { kind: 'startExecutions', executions, ...held })
      const end = { status: 'completed', score: null, error: null } as const
      await store.apply(access.home, { kind: 'finishExecution', ref: refs[0] ?? 0, owner: 'a test', end, at })
    }
    await startedAt('exe_old', clock.now - 31 * 86_400_000)
    await startedAt('exe_new', clock.now)
    await maintain(ground.deps)
    expect(await store.read(access.home, 'execution', { id: 'exe_old' })).toBeNull()
    expect(await store.read(access.home, 'execution', { id: 'exe_new' })).not.toBeNull()
  })

  it('drops runs that ended before the retention, with their items', async () => {
    await start({ config: { retention_days: 30 } })
    const { store, access, clock } = ground
    const endedAt = async (id: string, at: number) => {
      const title = {
        name: id,
        description: null,
        tags: [],
        metadata: '{}',
        config: '{}',
        modelName: null,
        modelVersion: null,
      }
      const about = { taskType: null, environment: null, datasetId: null, datasetName: 'd', datasetVersion: null }
      const what = { task: '{}', settings: '{}', metrics: '[]', metricNames: [], createdBy: null, total: null }
      const run = { id, hash: id, worker: 'client' as const, ...title, ...about, ...what }
      await store.apply(access.home, { kind: 'createRun', run, owner: 'a test', at, leaseMs: 1_000 })
      const end = { status: 'completed', stoppedBy: null, error: null } as const
      await store.apply(access.home, { kind: 'endRun', id, owner: 'a test', ...end, at })
    }
    await endedAt('run_old', clock.now - 31 * 86_400_000)
    await endedAt('run_new', clock.now)
    await maintain(ground.deps)
    expect(await store.read(access.home, 'run', { id: 'run_old' })).toBeNull()
    expect(await store.read(access.home, 'run', { id: 'run_new' })).not.toBeNull()
  })

  it('keeps every trace where no retention is set', async () => {
    await start()
    const old = new Date(noon - 3_000 * 86_400_000).toISOString()
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'old', timestamp: old }) })
    const before = await total()
    await maintain(ground.deps)
    expect(await total()).toBe(before)
  })

  it('goes on after an error, and never runs twice at once', async () => {
    await start()
    const errors: unknown[] = []
    let running = 0
    let most = 0
    let rounds = 0
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const loop = repeat(
      async () => {
        most = Math.max(most, ++running)
        await ticks(5)
        running--
        if (++rounds === 3) resolve()
        throw new Error(`round ${rounds}`)
      },
      { everyMs: 1, onError: (error) => errors.push(error) },
    )
    await enough
    await loop.stop()
    expect(errors.length).toBeGreaterThanOrEqual(3)
    expect(most).toBe(1)
  })
})

/** Resolves after a timer of one millisecond fired so many times. */
function ticks(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = count
  const timer = setInterval(() => {
    if (--left > 0) return
    clearInterval(timer)
    resolve()
  }, 1)
  return promise
}
