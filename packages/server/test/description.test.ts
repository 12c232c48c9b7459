import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { askAboutAgentTests } from './description/agent-tests.ts'
import { type Described, startDescribed } from './description/described-server.ts'
import { askAboutConversations } from './description/conversations.ts'
import { askAboutCalibrations, askAboutEvaluators } from './description/evaluators.ts'
import { askAboutEvaluations, askAboutExecutions, followExecutions } from './description/executions.ts'
import { askAboutRules } from './description/rules.ts'
import { followRuns } from './description/run-sockets.ts'
import { askAboutRuns } from './description/runs.ts'
import {
  askAboutExperiments,
  askAsTraceloopRuns,
  askForTraceloopCatalogue,
  askForTraceloopRest,
} from './description/traceloop.ts'
import { askAboutTraceloopDatasets } from './description/traceloop-datasets.ts'
import { trace } from './ground.ts'

let described: Described
const ask: Described['ask'] = (call) => described.ask(call)
beforeAll(async () => {
  described = await startDescribed()
})
afterAll(() => described[Symbol.asyncDispose]())

describe('the API description', () => {
  it('has no reference that leads nowhere', async () => {
    const text = await (await fetch(`${described.server.url}/openapi.json`)).text()
    const { components } = z.object({ components: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text))
    const there = new Set(Object.keys(z.record(z.string(), z.unknown()).parse(components['schemas'] ?? {})))
    const named = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !there.has(name))).toEqual([])
  })

  it('fits what the webhook routes answer', async () => {
    const whole = trace({
      trace_id: 'whole',
      user_id: 'ada',
      cost: 0.0012,
      tokens_used: 245,
      functions_called: [{ name: 'search', parameters: { q: 1 }, result: 'found', took: 3 }],
      metadata: { deep: [{ a: null }] },
      unheard_of: true,
    })
    await ask({ of: 'POST /webhook/trace', body: whole })
    await ask({ of: 'POST /webhook/trace', body: { ...whole, cost: 1 }, status: 409 })
    await ask({ of: 'POST /webhook/trace', body: {}, status: 422 })
    const batch = (traces: unknown[]) => ({ source: 'test', batch_id: 'b', traces, note: 'unknown' })
    await ask({ of: 'POST /webhook/batch', body: batch([trace({ trace_id: 'one' })]) })
    await ask({ of: 'POST /webhook/batch', body: batch([trace({ trace_id: 'two' }), {}, 7]), status: 207 })
    await ask({ of: 'POST /webhook/batch', body: batch([{}]), status: 422 })
    await ask({ of: 'POST /webhook/batch', body: { traces: [] }, status: 422 })
    const conflict = batch([trace({ trace_id: 'one', cost: 9 })])
    await ask({ of: 'POST /webhook/batch', body: conflict, status: 409 })
    await ask({ of: 'POST /webhook/batch', body: batch(Array.from({ length: 101 }, () => ({}))), status: 413 })
    await ask({ of: 'GET /webhook/stats' })
    await ask({ of: 'GET /webhook/health' })
    await ask({ of: 'GET /webhook/batches/{batch_id}', at: '/webhook/batches/b' })
    await ask({ of: 'GET /webhook/batches/{batch_id}', at: '/webhook/batches/none', status: 404 })
  })

  it('fits what is answered about traces and their reviews', async () => {
    await ask({ of: 'GET /api/v1/traces/{trace_id}', at: '/api/v1/traces/whole' })
    const review = { of: 'PATCH /api/v1/traces/{trace_id}/review', at: '/api/v1/traces/whole/review' }
    await ask({ ...review, body: { status: 'rejected', reason: 'other', note: 'so', reviewer: 'ada' } })
    await ask({ ...review, body: { status: 'accepted', expected_version: 0 }, status: 409 })
    await ask({ ...review, body: { status: 'rejected' }, status: 422 })
    await ask({ of: 'GET /api/v1/traces/{trace_id}', at: '/api/v1/traces/whole' })
    await ask({ of: 'GET /api/v1/traces' })
    await ask({ of: 'GET /api/v1/traces', at: '/api/v1/traces?q=machine&limit=1' })
    await ask({ of: 'GET /api/v1/traces', at: '/api/v1/traces?limit=0', status: 400 })
    await ask({ of: 'GET /api/v1/exports/traces', at: '/api/v1/exports/traces?format=jsonl&user_id=ada' })
    await ask({ of: 'GET /api/v1/exports/traces', at: '/api/v1/exports/traces?format=csv' })
    await ask({ of: 'GET /api/v1/metrics' })
    const range = 'from=2025-01-27T00:00:00Z&to=2025-01-27T01:00:00Z'
    await ask({ of: 'GET /api/v1/metrics/series', at: `/api/v1/metrics/series?${range}` })
    await ask({ of: 'GET /api/v1/facets' })
  })

  it('fits the frames of streams', async () => {
    const traces = { of: 'GET /stream/traces', at: '/stream/traces?after=gone.1' }
    const started = await described.frames({ ...traces, until: 'initial_traces' })
    expect(started).toEqual(['connected', 'resync_required', 'initial_traces'])
    expect(
      await described.frames({ of: 'GET /stream/metrics', at: '/stream/metrics', until: 'metrics_update' }),
    ).toContain('metrics_update')
    await ask({ of: 'DELETE /api/v1/traces/{trace_id}', at: '/api/v1/traces/two' })
    await ask({ of: 'DELETE /api/v1/users/{user_id}', at: '/api/v1/users/ada' })
    const { epoch } = await described.server.store.read(1, 'head', {})
    const all = `/stream/events?summaries=true&after=${epoch}.0`
    const kinds = await described.frames({ of: 'GET /stream/events', at: all, until: 'system_updates' })
    expect(new Set(kinds)).toEqual(new Set(['connected', 'trace_updates', 'evaluation_updates', 'system_updates']))
  })

  it('fits what is answered about datasets', async () => {
    const one = (method: string, rest: string, at = rest) => ({
      of: `${method} /api/v1/datasets/{dataset}${rest}`,
      at: `/api/v1/datasets/qa${at}`,
    })
    const made = { name: 'QA', columns: [{ name: 'q' }, { name: 'j', type: 'json' }] }
    await ask({ of: 'POST /api/v1/datasets', body: made, status: 201 })
    await ask({ of: 'POST /api/v1/datasets', body: made, status: 409 })
    await ask({ of: 'GET /api/v1/datasets' })
    await ask(one('GET', ''))
    await ask({ ...one('PATCH', ''), body: { description: 'questions' } })
    await ask({ ...one('POST', '/columns'), body: { name: 'Score', type: 'number' }, status: 201 })
    await ask({ ...one('PATCH', '/columns/{column}', '/columns/score'), body: { name: 'Points' } })
    await ask(one('DELETE', '/columns/{column}', '/columns/score'))
    const rows = await ask({ ...one('POST', '/rows'), body: { rows: [{ q: 'a', j: [1] }, {}] }, status: 201 })
    const { items } = z.object({ items: z.array(z.object({ id: z.string() })) }).parse(rows)
    await ask({ ...one('POST', '/rows'), body: { rows: [{ none: 1 }] }, status: 422 })
    const row = (n: number) => `/rows/${items[n]?.id ?? ''}`
    await ask({ ...one('PATCH', '/rows/{row_id}', row(0)), body: { values: { q: null } } })
    await ask({ ...one('DELETE', '/rows/{row_id}', row(1)), status: 204 })
    await ask({ of: 'POST /webhook/trace', body: trace({ trace_id: 'a-case' }) })
    await ask({ ...one('POST', '/rows/from-trace'), body: { trace_id: 'a-case' }, status: 201 })
    await ask({ ...one('POST', '/rows/from-trace'), body: { trace_id: 'a-case' } })
    await ask({ ...one('POST', '/import', '/import?format=json'), body: [{ q: 'b' }, { none: 1 }] })
    const file = (type: string, body: string) => ({
      ...one('POST', '/import'),
      body,
      headers: { 'content-type': type },
    })
    await ask(file('text/csv', 'q,j\nc,[1]\n'))
    await ask(file('application/jsonl', '{"q": "d"}\n{"q": "e", "j": null}\n'))
    await ask({ ...file('text/html', 'f'), status: 400 })
    await ask({ ...one('POST', '/publish'), body: {}, status: 201 })
    await ask({ ...one('POST', '/publish'), body: { version: 'v1' } })
    await ask(one('GET', '/versions'))
    await ask(one('GET', '/rows', '/rows?version=v1&limit=1'))
    await ask({ ...one('GET', '/rows', '/rows?version=v9'), status: 404 })
    for (const format of ['csv', 'jsonl', 'json']) await ask(one('GET', '/export', `/export?format=${format}`))
    await ask({ ...one('DELETE', ''), status: 204 })
  })

  it('fits what is answered about evaluators and how they agree with people', async () => {
    await askAboutEvaluators(described)
    await askAboutCalibrations(described)
  })

  it('fits what is answered about executions, and the frames that tell of them', async () => {
    await askAboutExecutions(described)
    await askAboutEvaluations(described)
    await followExecutions(described)
  })

  it('fits what is answered about rules', () => askAboutRules(described))

  it('fits what is answered about agent tests', () => askAboutAgentTests(described))

  it('fits what is answered about conversations', () => askAboutConversations(described))

  it('fits what is answered about runs', () => askAboutRuns(described))

  it('fits what sockets tell of runs', () => followRuns(described))

  it("fits what Traceloop's SDKs are answered about evaluators and experiments", async () => {
    await askAsTraceloopRuns(described)
    await askForTraceloopCatalogue(described)
    await askAboutExperiments(described)
    await askForTraceloopRest(described)
  })

  it("fits what Traceloop's SDKs are answered about datasets", () => askAboutTraceloopDatasets(described))

  it('fits what is answered about the server, its keys and its callers', async () => {
    await ask({ of: 'GET /health' })
    await ask({ of: 'GET /ready' })
    await ask({ of: 'GET /metrics' })
    await ask({ of: 'GET /api/v1/settings' })
    await ask({ of: 'POST /stream/ticket', status: 201 })
    const made = await ask({ of: 'POST /api/v1/keys', body: { name: 'first', scopes: ['admin'] }, status: 201 })
    const { key, id } = z.object({ key: z.string(), id: z.string() }).parse(made)
    const headers = { authorization: `Bearer ${key}` }
    await ask({ of: 'GET /api/v1/keys', headers })
    await ask({ of: 'GET /api/v1/keys', status: 401 })
    await ask({ of: 'GET /api/v1/session', headers })
    await ask({ of: 'POST /api/v1/session', body: { key } })
    await ask({ of: 'DELETE /api/v1/session', status: 204 })
    await ask({ of: 'DELETE /api/v1/keys/{key_id}', at: `/api/v1/keys/${id}`, headers, status: 204 })
  })

  it('was held to a success of every operation', () => {
    expect([...described.seen].toSorted()).toEqual(described.operations.toSorted())
  })
})
