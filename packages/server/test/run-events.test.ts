import { limits } from '@llm-eval/protocol'
import { runEventsReceipt } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunServer, startRunServer } from './runs-of-tests.ts'

const clock = { now: Date.parse('2025-01-27T12:00:00Z') }
let runs: RunServer
beforeAll(async () => {
  runs = await startRunServer({}, { now: () => clock.now })
})
afterAll(() => runs[Symbol.asyncDispose]())

let id: string
let sequence = 0
beforeEach(async () => {
  id = `run-${++sequence}`
  const metrics_used = ['exact-match', { evaluator: 'mine', direction: 'higher', evaluator_version: '1' }]
  const { status } = await runs.send('POST', '/api/v1/runs', { run_id: id, name: 'r', metrics_used, total_items: 2 })
  expect(status).toBe(201)
})

const item = (item_index: number, fields: object = {}) => {
  const said = { input: 'q', expected: 'yes', output: 'yes', scores: { mine: { value: 0.5 } } }
  return { type: 'item_finished', item_index, case_id: `case-${item_index}`, status: 'success', ...said, ...fields }
}
const post = (events: object[], fields: object = {}, path = id) => {
  const numbered = events.map((event, at) => ({ event_id: `e${at}`, sequence: at, ...event }))
  return runs.send('POST', `/api/v1/runs/${path}/events`, { schema_version: 1, events: numbered, ...fields })
}
const tell = async (events: object[], fields: object = {}) => {
  const { json } = await post(events, fields)
  const { applied, status, results } = runEventsReceipt.parse(json)
  return { applied, status, fates: results.map((one) => one.status) }
}

describe('the events of a run of a client', () => {
  it('store its items, with the scores that it left to the server, and its end', async () => {
    const { status } = await post([{ type: 'item_started', item_index: 0, case_id: 'case-0' }])
    expect(status).toBe(200)
    expect(await runs.until(id, () => true)).toMatchObject({ status: 'running', completed_items: 0 })
    const fates = await tell([item(0), item(1, { output: 'no' }), { type: 'run_ended' }])
    expect(fates).toEqual({ applied: 3, status: 'completed', fates: ['applied', 'applied', 'applied'] })
    expect(await runs.until(id)).toMatchObject({
      status: 'completed',
      completed_items: 2,
      unknown_costs: 2,
      metrics: { 'exact-match': { mean: 0.5, n: 2 }, mine: { mean: 0.5, n: 2 } },
    })
    const [first] = await runs.items(id)
    expect(first?.scores).toMatchObject({ 'exact-match': { value: 1, passed: true }, mine: { value: 0.5 } })
  })

  it('sent again change nothing, and another item in the place of one is a conflict', async () => {
    const events = [item(0), item(1), { type: 'run_ended' }]
    await tell(events)
    expect(await tell(events)).toEqual({
      applied: 0,
      status: 'completed',
      fates: ['duplicate', 'duplicate', 'duplicate'],
    })
    expect(await tell([item(0, { output: 'other' }), item(2)])).toMatchObject({ fates: ['conflict', 'run_over'] })
    expect(await runs.items(id)).toHaveLength(2)
  })

  it('that cannot be used leave the others alone', async () => {
    const events = [
      item(0),
      item(1, { scores: { unheard: { value: 1 } } }),
      item(1, { output: 'x'.repeat(limits.runOutputBytes) }),
      item(limits.runItems),
      { type: 'unheard' },
      item(1, { output: 'x'.repeat(limits.runOutputBytes - 2) }),
    ]
    const { fates } = await tell(events)
    expect(fates).toEqual(['applied', 'invalid', 'invalid', 'invalid', 'invalid', 'applied'])
  })

  it('name cases as they are called, and know them again', async () => {
    const ids = ['two\nlines', ' a', 'a ', 'a', '.', '..']
    const events = ids.map((case_id, at) => item(at, { case_id }))
    expect((await tell(events)).fates).toEqual(ids.map(() => 'applied'))
    expect((await runs.items(id)).map(({ case_id }) => case_id)).toEqual(ids)
    expect((await tell([item(6, { case_id: '' }), item(6, { case_id: 'x'.repeat(201) })])).fates).toEqual([
      'invalid',
      'invalid',
    ])
  })

  it('leave a metric without a score that has none, also one that is called like a member of objects', async () => {
    const metrics_used = ['constructor', 'toString']
    const metric_configs = { toString: { a: 1 } }
    const body = { run_id: `${id}-names`, name: 'r', metrics_used, metric_configs }
    expect(await runs.send('POST', '/api/v1/runs', body)).toMatchObject({
      status: 201,
      json: { metrics_used: [{ name: 'constructor' }, { name: 'toString', config: { a: 1 } }] },
    })
    await post([item(0, { scores: {} }), item(1, { scores: { toString: { value: 1 } } })], {}, `${id}-names`)
    expect(await runs.until(`${id}-names`, () => true)).toMatchObject({
      metrics: { constructor: { n: 0, errored: 0 }, toString: { n: 1, errored: 0 } },
    })
    expect((await runs.items(`${id}-names`)).map(({ scores }) => Object.keys(scores))).toEqual([[], ['toString']])
    const file = await fetch(`${runs.server.url}/api/v1/runs/${id}-names/export?format=csv`)
    expect((await file.text()).split('\r\n').slice(1)).toEqual([
      expect.stringContaining(',,,,,'),
      expect.stringContaining(',,,1,scored,'),
      '',
    ])
    const refused = await runs.send('POST', '/api/v1/runs', { name: 'r', metrics_used: ['__proto__'] })
    expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'metrics_used[0]' }] } })
  })

  it('are stored also when an evaluator of the run is gone, with an error where its score should be', async () => {
    const definition = { kind: 'preset', base: 'contains', config: { values: ['yes'] } }
    await runs.send('POST', '/api/v1/evaluators', { slug: `gone-${id}`, definition })
    const body = { run_id: `${id}-gone`, name: 'r', metrics_used: [`gone-${id}`, 'exact-match'] }
    await runs.send('POST', '/api/v1/runs', body)
    await post([item(0, { scores: {} })], {}, `${id}-gone`)
    await runs.send('DELETE', `/api/v1/evaluators/gone-${id}`)
    const told = await post([item(1, { scores: {} }), { type: 'run_ended' }], {}, `${id}-gone`)
    expect(told).toMatchObject({ status: 200, json: { applied: 2, status: 'completed' } })
    expect((await runs.items(`${id}-gone`)).map(({ scores }) => scores)).toMatchObject([
      { [`gone-${id}`]: { outcome: 'scored' }, 'exact-match': { outcome: 'scored' } },
      { [`gone-${id}`]: { outcome: 'errored', value: null }, 'exact-match': { outcome: 'scored' } },
    ])
  })

  it('that do not say how long an answer took leave that unknown', async () => {
    await runs.send('POST', '/api/v1/runs', { run_id: `${id}-times`, name: 'r', metrics_used: ['latency'] })
    const told = await post([item(0, { scores: {} }), item(1, { scores: {}, response_time_ms: 12 })], {}, `${id}-times`)
    expect(told).toMatchObject({ json: { applied: 2 } })
    expect((await runs.items(`${id}-times`)).map(({ scores }) => scores['latency']?.outcome)).toEqual([
      'skipped',
      'scored',
    ])
  })

  it('may be as many as the limit says, and not one more', async () => {
    const beats = Array.from({ length: limits.runEvents }, () => ({ type: 'heartbeat' }))
    expect((await tell(beats)).applied).toBe(limits.runEvents)
    expect((await post([...beats, { type: 'heartbeat' }])).status).toBe(422)
  })

  it('of one that failed, or was cancelled, end it so', async () => {
    const error = { code: 'broken', message: 'The dataset went away.' }
    await tell([item(0), { type: 'run_ended', status: 'failed', error, total_items: 7 }])
    expect(await runs.until(id)).toMatchObject({ status: 'failed', error, total_items: 7, completed_items: 1 })
    expect(await tell([{ type: 'run_ended', status: 'completed' }])).toMatchObject({ fates: ['run_over'] })
    expect((await runs.send('POST', `/api/v1/runs/${id}/resume`, { worker: 'client' })).status).toBe(200)
    expect(await tell([{ type: 'run_ended', status: 'cancelled' }])).toMatchObject({ status: 'cancelled' })
  })

  it('of two workers are stored once, and the run is that of the first', async () => {
    await tell([{ type: 'heartbeat' }], { worker: 'a' })
    expect(await tell([item(0)], { worker: 'b' })).toMatchObject({ fates: ['applied'] })
    expect(await tell([item(0)], { worker: 'a' })).toMatchObject({ fates: ['duplicate'] })
    expect(await tell([{ type: 'run_ended' }], { worker: 'b' })).toMatchObject({ fates: ['conflict'] })
    expect(await tell([{ type: 'run_ended' }], { worker: 'a' })).toMatchObject({ fates: ['applied'] })
  })

  it('of a worker that another one took the run from cannot end it', async () => {
    await tell([item(0)], { worker: 'a' })
    await runs.send('POST', `/api/v1/runs/${id}/resume`, { worker: 'b' })
    for (const status of ['cancelled', 'failed', 'completed'])
      expect(await tell([{ type: 'run_ended', status }], { worker: 'a' })).toMatchObject({
        fates: ['conflict'],
        status: 'running',
      })
    const cancelled = { type: 'run_ended', status: 'cancelled', stopped_by: null }
    expect(await tell([cancelled], { worker: 'b' })).toMatchObject({ fates: ['applied'], status: 'cancelled' })
    expect(await runs.until(id)).toMatchObject({ status: 'cancelled', stopped_by: 'cancelled', completed_items: 1 })
    expect(await tell([cancelled], { worker: 'b' })).toMatchObject({ fates: ['duplicate'] })
  })

  it('that do not come for long make it abandoned, and the next item goes on', async () => {
    await tell([item(0)])
    clock.now += (limits.runSilenceSeconds - 1) * 1_000
    await tell([{ type: 'heartbeat' }])
    clock.now += (limits.runSilenceSeconds - 1) * 1_000
    expect(await runs.until(id, () => true)).toMatchObject({ status: 'running' })
    clock.now += 2_000
    expect(await runs.until(id)).toMatchObject({ status: 'abandoned', completed_items: 1 })
    expect(await tell([item(1), { type: 'run_ended' }])).toMatchObject({ status: 'completed' })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', completed_items: 2 })
  })

  it('that come again after long, though nothing is finished yet, bring an abandoned run back', async () => {
    await tell([item(0)])
    clock.now += 2 * limits.runSilenceSeconds * 1_000
    await runs.until(id, ({ status }) => status === 'abandoned')
    // Only the items that are there already: that is no work.
    expect(await tell([item(0)])).toMatchObject({ fates: ['duplicate'], status: 'abandoned' })
    expect(await tell([{ type: 'heartbeat' }])).toMatchObject({ fates: ['applied'], status: 'running' })
    const going = await runs.until(id, () => true)
    expect(going).toMatchObject({ status: 'running', ended_at: null, completed_items: 1 })
    clock.now += 2 * limits.runSilenceSeconds * 1_000
    expect(await runs.until(id)).toMatchObject({ status: 'abandoned' })
    expect((await runs.send('POST', `/api/v1/runs/${id}/cancel`)).status).toBe(200)
    expect(await tell([{ type: 'heartbeat' }])).toMatchObject({ fates: ['run_over'], status: 'cancelled' })
  })

  it('come after it was cancelled, whatever state it was in', async () => {
    const cancel = () => runs.send('POST', `/api/v1/runs/${id}/cancel`)
    const resume = () => runs.send('POST', `/api/v1/runs/${id}/resume`, { worker: 'client' })
    // Queued.
    expect((await cancel()).json).toMatchObject({ status: 'cancelled', completed_items: 0 })
    expect(await tell([item(0), { type: 'heartbeat' }])).toMatchObject({ fates: ['run_over', 'run_over'] })
    expect((await cancel()).json).toMatchObject({ code: 'run_over' })
    await resume()
    // Running.
    await tell([item(0)])
    expect((await cancel()).json).toMatchObject({ status: 'cancelled', completed_items: 1 })
    await resume()
    // Abandoned.
    clock.now += 2 * limits.runSilenceSeconds * 1_000
    await runs.until(id, ({ status }) => status === 'abandoned')
    expect((await cancel()).json).toMatchObject({ status: 'cancelled', stopped_by: 'cancelled' })
    await resume()
    // Failed, and completed.
    for (const status of ['failed', 'completed']) {
      await tell([{ type: 'run_ended', status }])
      expect((await cancel()).json).toMatchObject({ code: 'run_over' })
      await resume()
    }
    expect((await tell([item(0), item(1), { type: 'run_ended' }])).fates).toEqual(['duplicate', 'applied', 'applied'])
  })

  it('are refused when they are too large', async () => {
    const text = 'x'.repeat(limits.runEventsBytes)
    expect((await runs.send('POST', `/api/v1/runs/${id}/events`, JSON.stringify({ text }))).status).toBe(413)
  })

  it('are refused of runs that are deleted, unknown, or worked off by the server', async () => {
    expect((await post([{ type: 'heartbeat' }], {}, 'nobody')).status).toBe(404)
    await runs.send('DELETE', `/api/v1/runs/${id}`)
    expect((await post([item(0)])).status).toBe(410)
    await runs.dataset(id, [{ answer: 'a' }])
    const made = { run_id: `own-${id}`, name: 'r', metrics_used: ['char-count'], dataset: id }
    await runs.send('POST', '/api/v1/runs', { ...made, task: { kind: 'outputs', column: 'answer' } })
    expect((await post([item(0)], {}, `own-${id}`)).json).toMatchObject({ code: 'run_held' })
  })
})
