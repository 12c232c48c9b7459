import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Ground, noon, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { removeTraces, traceSlices } from './trace-slices.ts'

let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
  server = await startGround({ shelf, slices: traceSlices })
})
afterEach(async () => removeTraces(shelf.store))
afterAll(async () => {
  await server.close()
  await shelf.close()
})

const get = (path: string) => server.send({ path })
const send = (traces: object[]) => server.send({ path: '/webhook/batch', body: { traces, source: 'app' } })
const review = (id: string, body: object) => server.send({ method: 'PATCH', path: `/api/v1/traces/${id}/review`, body })

describe('the counters', () => {
  it('follow every trace, verdict and deletion', async () => {
    expect((await get('/api/v1/metrics')).json).toMatchObject({
      total_traces: 0,
      avg_response_time: null,
      acceptance_rate: 0,
    })
    const numbered = Array.from({ length: 20 }, (_, n) =>
      trace({ trace_id: `m-${n}`, response_time_ms: 100 + n, cost: 0.001, tokens_used: 10 }),
    )
    await send([...numbered, trace({ trace_id: 'bare' })])
    for (let n = 0; n < 17; n++) await review(`m-${n}`, { status: 'accepted' })
    for (let n = 17; n < 20; n++) await review(`m-${n}`, { status: 'rejected', reason: 'other' })
    await review('bare', { status: 'in_review', reviewer: 'Ada' })
    expect((await get('/api/v1/metrics')).json).toEqual({
      total_traces: 21,
      accepted_traces: 17,
      rejected_traces: 3,
      pending_traces: 1,
      in_review_traces: 1,
      decided_traces: 20,
      avg_response_time: 109.5,
      response_time_count: 20,
      total_cost: 0.02,
      cost_count: 20,
      total_tokens: 200,
      tokens_count: 20,
      today_traces: 21,
      acceptance_rate: 85,
    })
    await server.send({ method: 'DELETE', path: '/api/v1/traces/m-19' })
    expect((await get('/api/v1/metrics')).json).toMatchObject({
      total_traces: 20,
      rejected_traces: 2,
      total_cost: 0.019,
    })
  })
})

describe('the series', () => {
  const range = `from=${new Date(noon - 120_000).toISOString()}&to=${new Date(noon + 60_000).toISOString()}`

  it('has a point for each step, also where nothing happened', async () => {
    await send([
      trace({ trace_id: 's-1', response_time_ms: 100, cost: 0.5 }),
      trace({ trace_id: 's-2', model_name: 'other' }),
    ])
    await expect
      .poll(async () => (await get(`/api/v1/metrics/series?${range}`)).json.lag_events, { timeout: 10_000 })
      .toBe(0)
    const { json } = await get(`/api/v1/metrics/series?${range}`)
    expect(json).toMatchObject({ step_seconds: 60, model_name: null })
    expect(json.points.map((point: { traces: number }) => point.traces)).toEqual([0, 0, 2])
    expect(json.points[2]).toMatchObject({
      at: new Date(noon).toISOString(),
      cost: 0.5,
      cost_count: 1,
      latency_count: 1,
    })
    expect(json.points[0]).toMatchObject({ latency_p50: null })
    const one = await get(`/api/v1/metrics/series?${range}&model_name=other`)
    expect(one.json.points[2]).toMatchObject({ traces: 1, cost_count: 0 })
  })

  const day = 86_400_000
  it.each([
    ['', 'from'],
    [`from=${new Date(noon).toISOString()}&to=${new Date(noon).toISOString()}`, 'to'],
    [`${range}&step_seconds=59`, 'step_seconds'],
    [`${range}&step_seconds=90`, 'step_seconds'],
    [`from=${new Date(noon).toISOString()}&to=${new Date(noon + 1_501 * 60_000).toISOString()}`, 'step_seconds'],
    [`${range}&model=x`, 'model'],
  ])('refuses %s', async (query, path) => {
    const answer = await get(`/api/v1/metrics/series?${query}`)
    expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_query' } })
    expect(answer.json.errors.map((fault: { path: string }) => fault.path)).toContain(path)
  })

  it('may have as many points as the limit', async () => {
    const { json } = await get(
      `/api/v1/metrics/series?from=${new Date(noon - day).toISOString()}&to=${new Date(noon - day + 1_500 * 60_000).toISOString()}`,
    )
    expect(json.points).toHaveLength(1_500)
  })
})

describe('the facets', () => {
  it('name the models and sources that occur', async () => {
    await send([trace({ trace_id: 'f-1' }), trace({ trace_id: 'f-2', model_name: 'other', source: 'web' })])
    await expect
      .poll(async () => (await get('/api/v1/facets')).json.models.map((model: { name: string }) => model.name).sort(), {
        timeout: 10_000,
      })
      .toEqual(['gpt-4', 'other'])
    expect((await get('/api/v1/facets')).json.sources.toSorted()).toEqual(['app', 'web'])
  })
})
