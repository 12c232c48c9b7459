import { limits } from '@llm-eval/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { firstKey, type Ground, noon, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { removeTraces, traceSlices } from './trace-slices.ts'
import { registerKeys } from '../src/settings/keys.ts'

let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
  server = await startGround({ shelf, slices: traceSlices })
})
afterAll(async () => {
  await server.close()
  await shelf.close()
})

const get = (path: string) => server.send({ path })
const list = async (query: string) => {
  const answer = await get(`/api/v1/traces?${query}`)
  expect(answer.status).toBe(200)
  return answer.json
}
const ids = async (query: string) =>
  (await list(query)).items.map((item: { trace_id: string }) => item.trace_id) as string[]
const send = async (...traces: Record<string, unknown>[]) => {
  const answer = await server.send({ path: '/webhook/batch', body: { traces, source: 'app' } })
  expect(answer.status).toBe(200)
}
const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString()

describe('the list of traces', () => {
  beforeAll(async () => {
    await send(
      trace({ trace_id: 'a', timestamp: at(1), cost: 0.5, response_time_ms: 100, session_id: 's-1', user_id: 'u-1' }),
      trace({ trace_id: 'b', timestamp: at(3), model_name: 'other', source: 'web', response_time_ms: 200 }),
      trace({ trace_id: 'c', timestamp: at(2), cost: 2, session_id: 's-1', user_query: 'Where do the penguins live?' }),
    )
  })
  afterAll(async () => removeTraces(shelf.store))

  it('is newest first, with previews, and ends with a null cursor', async () => {
    const page = await list('')
    expect(page.items.map((item: { trace_id: string }) => item.trace_id)).toEqual(['b', 'c', 'a'])
    expect(page).toMatchObject({ next_cursor: null, searched_to: null })
    expect(page.items[2]).toEqual({
      trace_id: 'a',
      ref: expect.any(Number) as number,
      timestamp: at(1),
      model_name: 'gpt-4',
      user_query: 'What is ML?',
      ai_response: 'A subset of AI.',
      evaluation_status: 'pending',
      tokens_used: null,
      response_time_ms: 100,
      cost: 0.5,
      session_id: 's-1',
      user_id: 'u-1',
      source: 'app',
      version: 0,
      scores: [],
    })
  })

  it.each([
    ['model_name=other', ['b']],
    ['model_name=unheard', []],
    ['source=app', ['c', 'a']],
    ['session_id=s-1&min_cost=1', ['c']],
    ['user_id=u-1', ['a']],
    ['evaluation_status=pending', ['b', 'c', 'a']],
    ['evaluation_status=accepted', []],
    [`from=${at(2)}`, ['b', 'c']],
    [`to=${at(2)}`, ['a']],
    ['min_latency=100&max_latency=199.5', ['a']],
    ['max_cost=0.5', ['a']],
    ['min_cost=99999999999999999999', []],
    ['max_cost=99999999999999999999', ['c', 'a']],
    ['min_latency=-99999999999999999999', ['b', 'a']],
  ])('holds with %s only what fits', async (query, expected) => {
    expect(await ids(query)).toEqual(expected)
  })

  it('finds words, and says how far the index lags', async () => {
    await expect.poll(async () => (await list('q=penguins')).search_lag, { timeout: 10_000 }).toBe(0)
    expect(await ids('q=penguin*%20live')).toEqual(['c'])
    expect(await ids('q=walrus')).toEqual([])
    expect(await ids('q=%20')).toHaveLength(3)
    expect(await list('')).not.toHaveProperty('search_lag')
  })

  it('pages by cursor without a gap or a repeat', async () => {
    const first = await list('limit=2')
    expect(first.items).toHaveLength(2)
    const second = await list(`limit=2&cursor=${encodeURIComponent(first.next_cursor)}`)
    expect(second.items.map((item: { trace_id: string }) => item.trace_id)).toEqual(['a'])
    expect(second.next_cursor).toBeNull()
  })

  it.each([
    ['cursor=made-up', 'cursor'],
    ['limit=0', 'limit'],
    [`limit=${limits.pageRows + 1}`, 'limit'],
    ['evaluation_status=good', 'evaluation_status'],
    ['from=yesterday', 'from'],
    ['min_cost=cheap', 'min_cost'],
    [`q=${'x'.repeat(limits.searchChars + 1)}`, 'q'],
    ['modle_name=x', 'modle_name'],
  ])('refuses %s', async (query, path) => {
    const answer = await get(`/api/v1/traces?${query}`)
    expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_query', errors: [{ path }] } })
  })

  it('accepts the largest page and the longest query', async () => {
    await list(`limit=${limits.pageRows}&q=${'x'.repeat(limits.searchChars)}`)
  })
})

describe('one trace', () => {
  afterEach(async () => removeTraces(shelf.store))

  it('is found under its URL-encoded id, whatever characters it has', async () => {
    for (const id of ['a/b', 'ü 漢?#&', '%2F', 'x'.repeat(200)]) {
      await send(trace({ trace_id: id }))
      expect((await get(`/api/v1/traces/${encodeURIComponent(id)}`)).json).toMatchObject({ trace_id: id })
    }
  })

  it.each(['never', encodeURIComponent('漢'.repeat(100))])('is not found under %s', async (id) => {
    expect(await get(`/api/v1/traces/${id}`)).toMatchObject({ status: 404, json: { code: 'trace_not_found' } })
  })

  it('is not asked for under what can be no id', async () => {
    expect(await get('/api/v1/traces/%00')).toMatchObject({ status: 400, json: { code: 'invalid_query' } })
    expect(await get(`/api/v1/traces/${'x'.repeat(201)}`)).toMatchObject({ status: 400 })
  })

  it('goes out with the numbers it came in with, also those that a double cannot hold', async () => {
    const metadata = '{"id":12345678901234567890,"tiny":1e-400,"list":[0.10000000000000000000001,1.5]}'
    const body = `${JSON.stringify(trace()).slice(0, -1)},"metadata":${metadata}}`
    await server.send({ path: '/webhook/trace', body })
    expect((await get('/api/v1/traces/t-1')).text).toContain(`"metadata":${metadata}`)
    expect((await get('/api/v1/exports/traces')).text).toContain(`"metadata":${metadata}`)
    expect((await get('/api/v1/exports/traces?format=csv')).text).toContain(`"${metadata.replaceAll('"', '""')}"`)
    expect((await get('/api/v1/traces/t-1')).text).not.toContain('exactBody')
  })

  it('is deleted for good, once', async () => {
    await send(trace({ trace_id: 'to-go' }))
    const remove = () => server.send({ method: 'DELETE', path: '/api/v1/traces/to-go' })
    expect(await remove()).toMatchObject({ status: 200, json: { deleted: 1 } })
    expect(await remove()).toMatchObject({ status: 404, json: { code: 'trace_not_found' } })
    expect((await get('/api/v1/traces/to-go')).status).toBe(404)
    expect(await ids('')).toEqual([])
  })

  it('goes with all others of a user when the user is erased', async () => {
    const many = (prefix: string, count: number, fields: object) =>
      Array.from({ length: count }, (_, n) => trace({ trace_id: `${prefix}-${n}`, ...fields }))
    for (let round = 0; round < 6; round++) await send(...many(`m${round}`, 100, { metadata: { user_id: 'leaving' } }))
    await send(trace({ trace_id: 'stays', user_id: 'staying' }))
    const erase = () => server.send({ method: 'DELETE', path: '/api/v1/users/leaving' })
    expect((await erase()).json).toEqual({ deleted: 600 })
    expect((await erase()).json).toEqual({ deleted: 0 })
    expect(await ids('')).toEqual(['stays'])
    const again = await server.send({ path: '/webhook/trace', body: trace({ trace_id: 'm0-1' }) })
    expect(again.status).toBe(410)
  })
})

describe('a review', () => {
  beforeEach(async () => send(trace()))
  afterEach(async () => removeTraces(shelf.store))

  const review = (body: object) => server.send({ method: 'PATCH', path: '/api/v1/traces/t-1/review', body })

  it('answers with the trace as it is then, keeps its history and moves the counters', async () => {
    const accepted = await review({ status: 'accepted', note: 'well said', reviewer: 'Ada', expected_version: 0 })
    expect(accepted.status).toBe(200)
    expect(accepted.json).toMatchObject({
      trace_id: 't-1',
      evaluation_status: 'accepted',
      version: 1,
      review: { reason: null, note: 'well said', reviewer: 'Ada', at: at(0) },
    })
    const rejected = await review({ status: 'rejected', reason: 'Hallucinated information', expected_version: 1 })
    expect(rejected.json).toMatchObject({
      evaluation_status: 'rejected',
      version: 2,
      reviews: [
        { version: 1, status: 'accepted', reason: null, note: 'well said', reviewer: 'Ada' },
        { version: 2, status: 'rejected', reason: 'hallucinated', note: null, reviewer: null },
      ],
    })
    expect((await get('/api/v1/metrics')).json).toMatchObject({
      rejected_traces: 1,
      accepted_traces: 0,
      pending_traces: 0,
    })
  })

  it('is refused when somebody decided meanwhile, and tells how it stands', async () => {
    await review({ status: 'accepted', reviewer: 'Ada' })
    const late = await review({ status: 'rejected', reason: 'other', reviewer: 'Bob', expected_version: 0 })
    expect(late).toMatchObject({
      status: 409,
      json: { code: 'version_conflict', version: 1, evaluation_status: 'accepted', reviewer: 'Ada' },
    })
    expect((await get('/api/v1/traces/t-1')).json.evaluation_status).toBe('accepted')
  })

  it('is held by who took it first', async () => {
    expect((await review({ status: 'in_review', reviewer: 'Ada' })).status).toBe(200)
    expect(await review({ status: 'in_review', reviewer: 'Bob' })).toMatchObject({
      status: 409,
      json: { code: 'already_claimed', reviewer: 'Ada', evaluation_status: 'in_review' },
    })
    expect((await review({ status: 'in_review', reviewer: 'Ada' })).status).toBe(200)
  })

  it('is claimed by one of two who take it at the same moment', async () => {
    const both = await Promise.all(['Ada', 'Bob'].map((reviewer) => review({ status: 'in_review', reviewer })))
    expect(both.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 409])
    const versioned = await Promise.all(
      ['accepted', 'pending'].map((status) => review({ status, expected_version: 1 })),
    )
    expect(versioned.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 409])
  })

  it.each([
    [{}, 'status'],
    [{ status: 'good' }, 'status'],
    [{ status: 'rejected' }, 'reason'],
    [{ status: 'rejected', reason: 'bad mood' }, 'reason'],
    [{ status: 'accepted', note: 'x'.repeat(limits.noteChars + 1) }, 'note'],
    [{ status: 'accepted', reviewer: 'x'.repeat(limits.nameChars + 1) }, 'reviewer'],
    [{ status: 'accepted', expected_version: -1 }, 'expected_version'],
    [{ status: 'accepted', notes: 'x' }, 'notes'],
  ])('cannot be %j', async (body, path) => {
    expect(await review(body)).toMatchObject({ status: 422, json: { code: 'invalid_request', errors: [{ path }] } })
  })

  it('may have a note and a reviewer at their limits', async () => {
    const answer = await review({
      status: 'accepted',
      note: 'x'.repeat(limits.noteChars),
      reviewer: 'x'.repeat(limits.nameChars),
    })
    expect(answer.status).toBe(200)
  })

  it('needs a trace', async () => {
    const answer = await server.send({
      method: 'PATCH',
      path: '/api/v1/traces/never/review',
      body: { status: 'accepted' },
    })
    expect(answer).toMatchObject({ status: 404, json: { code: 'trace_not_found' } })
  })
})

describe('a review with a key', () => {
  it('carries the name of the key unless another reviewer is given', async () => {
    const keyed = await startGround({ slices: [...traceSlices, registerKeys] })
    try {
      const key = await firstKey(keyed)
      await keyed.send({ path: '/webhook/trace', body: trace(), key })
      const review = (body: object) => keyed.send({ method: 'PATCH', path: '/api/v1/traces/t-1/review', body, key })
      expect((await review({ status: 'accepted' })).json.review.reviewer).toBe('first')
      expect((await review({ status: 'accepted', reviewer: 'Ada' })).json.review.reviewer).toBe('Ada')
    } finally {
      await keyed.close()
    }
  })
})
