import { limits } from '@llm-eval/protocol'
import { run } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunServer, startRunServer } from './runs-of-tests.ts'

let runs: RunServer
beforeAll(async () => {
  runs = await startRunServer()
})
afterAll(() => runs[Symbol.asyncDispose]())

const make = (fields: object) =>
  runs.send('POST', '/api/v1/runs', { name: 'r', metrics_used: ['mine'], task: { kind: 'client' }, ...fields })
const text = (length: number) => 'x'.repeat(length)
const metrics = (count: number) => Array.from({ length: count }, (_, n) => `metric-${n}`)

describe('a run is made with as much as the limits say, and not with more:', () => {
  it.each<[string, (most: number) => object, number]>([
    ['name', (length) => ({ name: text(length) }), limits.nameChars],
    ['run_id', (length) => ({ run_id: text(length) }), limits.nameChars],
    ['dataset_name', (length) => ({ dataset_name: text(length) }), limits.nameChars],
    ['metrics_used', (count) => ({ metrics_used: metrics(count) }), limits.runEvaluators],
    ['total_items', (total_items) => ({ total_items }), limits.runItems],
    ['settings.concurrency', (concurrency) => ({ settings: { concurrency } }), limits.runConcurrency],
    ['settings.timeout_ms', (timeout_ms) => ({ settings: { timeout_ms } }), limits.runTimeoutMs],
    ['settings.retries', (retries) => ({ settings: { retries } }), limits.runRetries],
    ['settings.repetitions', (repetitions) => ({ settings: { repetitions } }), limits.runRepetitions],
    ['settings.limits.cost', (cost) => ({ settings: { limits: { cost } } }), limits.costMax],
  ])('%s', async (path, fields, most) => {
    expect((await make(fields(most))).status).toBe(201)
    const { status, json } = await make(fields(most + 1))
    expect({ status, json }).toMatchObject({ status: 422, json: { errors: [{ path }] } })
  })

  it('items of a dataset, each case as often as it is asked', async () => {
    const rows = Math.ceil(limits.runItems / limits.runRepetitions)
    await runs.dataset('large', [{ input: 1 }])
    const send = async (count: number) => {
      const some = { rows: Array.from({ length: count }, () => ({ input: 1 })) }
      expect((await runs.send('POST', '/api/v1/datasets/large/rows', some)).status).toBeLessThan(300)
    }
    for (let left = rows - 1; left > 0; left -= limits.requestRows) await send(Math.min(left, limits.requestRows))
    const wish = { dataset: 'large', settings: { repetitions: limits.runRepetitions } }
    await runs.send('POST', '/api/v1/datasets/large/publish', {})
    expect(run.parse((await make(wish)).json).total_items).toBe(limits.runItems)
    await send(1)
    await runs.send('POST', '/api/v1/datasets/large/publish', {})
    expect(await make(wish)).toMatchObject({ status: 422, json: { errors: [{ path: 'dataset' }] } })
  })
})

describe('a verdict', () => {
  it.each(['approve', 'reject'])('may have a note as long as the limit says, and not longer (%s)', async (verdict) => {
    const { run_id: id } = run.parse((await make({})).json)
    await runs.send('POST', `/api/v1/runs/${id}/cancel`)
    const say = (note: string) => runs.send('POST', `/api/v1/runs/${id}/${verdict}`, { note, by: 'ann' })
    const note = text(limits.noteChars)
    expect(await say(note)).toMatchObject({ status: 200, json: { approval: { note, by: 'ann' } } })
    expect(await say(`${note}x`)).toMatchObject({ status: 422, json: { errors: [{ path: 'note' }] } })
  })
})
