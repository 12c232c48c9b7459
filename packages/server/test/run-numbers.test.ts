import { limits } from '@llm-eval/protocol'
import { runComparison, runMetrics } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tooMany } from '../src/running/numbers.ts'
import { type RunServer, startRunServer } from './runs-of-tests.ts'

let runs: RunServer
beforeAll(async () => {
  runs = await startRunServer()
  await made('before', (n) => n % 2)
  await made('after', (n) => (n < 30 ? 1 : 0))
})
afterAll(() => runs[Symbol.asyncDispose]())

/** A run of 40 cases with a metric of its client's. */
async function made(id: string, valueOf: (n: number) => number): Promise<void> {
  const metrics_used = [{ evaluator: 'mine', direction: 'higher', evaluator_version: '1' }]
  expect((await runs.send('POST', '/api/v1/runs', { run_id: id, name: id, metrics_used })).status).toBe(201)
  const items = Array.from({ length: 40 }, (_, n) => ({
    event_id: `${n}`,
    sequence: n,
    type: 'item_finished',
    item_index: n,
    case_id: `case-${n}`,
    status: n === 39 ? 'failed' : 'success',
    input: n,
    cost: 0.5,
    response_time_ms: 10 + n,
    scores: n === 39 ? {} : { mine: { value: valueOf(n), passed: valueOf(n) === 1 } },
  }))
  const events = [...items, { event_id: 'end', sequence: 40, type: 'run_ended' }]
  expect((await runs.send('POST', `/api/v1/runs/${id}/events`, { schema_version: 1, events })).status).toBe(200)
}

const compared = (query: string) => runs.send('GET', `/api/v1/comparisons?${query}`)

describe('the numbers of a run', () => {
  it('are those of its scored items alone', async () => {
    const { json } = await runs.send('GET', '/api/v1/runs/before/metrics')
    const { items } = runMetrics.parse(json)
    expect(items).toMatchObject([
      { name: 'mine', evaluator_version: '1', direction: 'higher', scored: 39, skipped: 0, errored: 0, min: 0, max: 1 },
    ])
    expect(items[0]?.mean?.estimate).toBeCloseTo(19 / 39, 12)
    expect(items[0]?.pass_rate?.n).toBe(39)
    expect((await runs.send('GET', '/api/v1/runs/nobody/metrics')).status).toBe(404)
  })

  it('are there while nothing is finished', async () => {
    await runs.send('POST', '/api/v1/runs', { run_id: 'empty', name: 'e', metrics_used: ['mine'] })
    const { json } = await runs.send('GET', '/api/v1/runs/empty/metrics')
    expect(runMetrics.parse(json).items).toMatchObject([{ name: 'mine', mean: null, scored: 0, percentiles: null }])
  })
})

describe('a comparison', () => {
  it('pairs runs by case, and gives a verdict', async () => {
    const { status, json } = await compared('run_ids=before,after&cases=3')
    expect(status).toBe(200)
    const told = runComparison.parse(json)
    expect(told).toMatchObject({ runs: ['before', 'after'], cases_total: 40, cases_shared: 40 })
    const [mine] = told.compared[0]?.metrics ?? []
    expect(mine).toMatchObject({ name: 'mine', evaluator: 'same', n: 39, improved: 15, regressed: 4, unchanged: 20 })
    expect(mine?.difference?.estimate).toBeCloseTo(11 / 39, 12)
    expect(told.cases).toHaveLength(3)
    expect(told.cases[0]).toMatchObject({ regression: 1, values: { mine: [1, 0] } })
    expect(told.compared[0]?.usage.map(({ name }) => name)).toEqual(['response_time_ms', 'cost'])
  })

  it('takes ids with commas where each stands alone, and many at the same time', async () => {
    await made('with,comma', () => 1)
    const all = await Promise.all(
      Array.from({ length: 8 }, () => compared('run_ids=before&run_ids=with,comma&run_ids=after&cases=0')),
    )
    for (const { json } of all) expect(runComparison.parse(json).runs).toEqual(['before', 'with,comma', 'after'])
  })

  it('is not sent again while nothing changed', async () => {
    const url = `${runs.server.url}/api/v1/comparisons?run_ids=before,after`
    const first = await fetch(url)
    const etag = first.headers.get('etag') ?? ''
    await first.arrayBuffer()
    const ask = async () => {
      const answer = await fetch(url, { headers: { 'if-none-match': etag } })
      await answer.arrayBuffer()
      return answer.status
    }
    expect(await ask()).toBe(304)
    await runs.send('PATCH', '/api/v1/runs/after', { name: 'renamed' })
    expect(await ask()).toBe(200)
  })

  it.each([
    ['one run', 'run_ids=before', 'run_ids'],
    ['a run twice', 'run_ids=before,before', 'run_ids'],
    [
      'more runs than it may have',
      `run_ids=${Array.from({ length: limits.comparedRuns + 1 }, (_, n) => n).join()}`,
      'run_ids',
    ],
    ['more cases than it may list', `run_ids=before,after&cases=${limits.comparedCases + 1}`, 'cases'],
    ['a metric that no run has', 'run_ids=before,after&sort_by=nope', 'sort_by'],
    ['a level that is none', 'run_ids=before,after&level=1', 'level'],
  ])('is refused of %s', async (_, query, path) => {
    const { status, json } = await compared(query)
    expect({ status, json }).toMatchObject({ status: 400, json: { errors: [{ path }] } })
  })

  it('looks at so many items and not one more', () => {
    expect(tooMany([{ completed: limits.comparedItems - 1 }, { completed: 1 }])).toBe(false)
    expect(tooMany([{ completed: limits.comparedItems }, { completed: 1 }])).toBe(true)
  })

  it('of a run that is not there is refused, and lists as many cases as it may', async () => {
    expect((await compared('run_ids=before,nobody')).json).toMatchObject({ code: 'run_not_found' })
    expect((await compared(`run_ids=before,after&cases=${limits.comparedCases}`)).status).toBe(200)
  })
})
