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
  await made('all-right', () => 1, { failed: null })
  await made('none-right', () => 0, { failed: null })
  await made('half', () => 1, { failed: null, items: 20, ends: false })
})
afterAll(() => runs[Symbol.asyncDispose]())

interface Making {
  items?: number
  /** The item that fails. */
  failed?: number | null
  prefix?: string
  ends?: boolean
}

/** A run of 40 cases with a metric of its client's. */
async function made(
  id: string,
  valueOf: (n: number) => number,
  { items: length = 40, failed = 39, prefix = 'case', ends = true }: Making = {},
): Promise<void> {
  const metrics_used = [{ evaluator: 'mine', direction: 'higher', evaluator_version: '1' }]
  expect((await runs.send('POST', '/api/v1/runs', { run_id: id, name: id, metrics_used })).status).toBe(201)
  const items = Array.from({ length }, (_, n) => ({
    event_id: `${n}`,
    sequence: n,
    type: 'item_finished',
    item_index: n,
    case_id: `${prefix}-${n}`,
    status: n === failed ? 'failed' : 'success',
    input: n,
    cost: 0.5,
    response_time_ms: 10 + n,
    scores: n === failed ? {} : { mine: { value: valueOf(n), passed: valueOf(n) === 1 } },
  }))
  const events = ends ? [...items, { event_id: 'end', sequence: length, type: 'run_ended' }] : items
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

  it('of the same runs asked again is the same, sorted and gated otherwise too, and counts items that came since', async () => {
    await made('growing', () => 1, { failed: null, items: 20, ends: false })
    const told = async (query: string) =>
      runComparison.parse((await compared(`run_ids=all-right,growing&cases=3${query}`)).json)
    const first = await told('')
    expect(await told('')).toEqual(first)
    expect((await told('&sort_by=mine&min=mine:1&allow_partial=true')).gate?.passed).toBe(true)
    expect((await runs.send('GET', '/api/v1/runs/growing/metrics')).json).toMatchObject({ items: [{ scored: 20 }] })
    const item = { type: 'item_finished', event_id: 'late', sequence: 20, item_index: 20, case_id: 'case-20' }
    const events = [{ ...item, status: 'success', input: 1, scores: { mine: { value: 0 } } }]
    await runs.send('POST', '/api/v1/runs/growing/events', { schema_version: 1, events })
    const second = await told('')
    expect([first, second].map((one) => one.compared[0]?.metrics[0]?.n)).toEqual([20, 21])
    expect(second.cases[0]).toMatchObject({ case_id: 'case-20', values: { mine: [1, 0] } })
    expect((await told('&min=mine:1&allow_partial=true')).gate?.outcome).toBe('fail')
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

  it('takes two runs by one parameter each', async () => {
    const { json } = await compared('run1=after&run2=before&cases=0')
    expect(runComparison.parse(json).runs).toEqual(['after', 'before'])
  })

  it('lists the cases with the change that is asked for, says where their items are, and draws a sample', async () => {
    const listed = async (query: string) => runComparison.parse((await compared(`run_ids=before,after&${query}`)).json)
    const regressed = await listed('change=regressed&cases=2')
    expect([regressed.cases_matching, regressed.cases.map(({ values }) => values)]).toEqual([
      4,
      [{ mine: [1, 0] }, { mine: [1, 0] }],
    ])
    expect(regressed.cases[0]?.items).toEqual([31, 31])
    expect((await listed('change=improved')).cases_matching).toBe(15)
    expect((await listed('change=unchanged')).cases_matching).toBe(20)
    const { points } = await listed('points=10&cases=0')
    expect(points).toHaveLength(10)
    expect((await listed('points=10&cases=0')).points).toEqual(points)
    expect((await listed(`points=${limits.comparedPoints}`)).points).toHaveLength(40)
  })

  it.each([
    ['one run', 'run_ids=before', 'run_ids'],
    ['no run', '', 'run_ids'],
    ['two spellings', 'run_ids=before,after&run1=before', 'run1'],
    ['the same run in both', 'run1=before&run2=before', 'run2'],
    ['one of two', 'run1=before', 'run_ids'],
    ['a change that is none', 'run_ids=before,after&change=other', 'change'],
    ['more points than it may draw', `run_ids=before,after&points=${limits.comparedPoints + 1}`, 'points'],
    ['a bound without a number', 'run_ids=before,after&min=mine', 'min[0]'],
    ['a bound without a metric', 'run_ids=before,after&max=:1', 'max[0]'],
    ['two bounds of one metric', 'run_ids=before,after&min=mine:1&min=mine:0', 'min'],
    [
      'more bounds than it may have',
      `run_ids=before,after&${Array.from({ length: limits.gateBounds + 1 }, (_, n) => `min=m${n}:1`).join('&')}`,
      'min',
    ],
    ['something else to fail on', 'run_ids=before,after&fail_on=cost', 'fail_on'],
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

describe('a gate', () => {
  const gated = async (query: string) => {
    const { status, json } = await compared(`cases=0&${query}`)
    expect({ status, json }).toMatchObject({ status: 200 })
    return runComparison.parse(json)
  }

  it('is asked for, or there is none', async () => {
    expect((await gated('run_ids=before,after')).gate).toBeNull()
  })

  it('says why it is not green, and how the command line would end', async () => {
    // One item failed in both: nobody can tell whether it became worse.
    expect((await gated('run_ids=before,after&fail_on=regression')).gate).toEqual({
      outcome: 'cannot_tell',
      passed: false,
      exit_code: 3,
      reasons: [
        {
          outcome: 'cannot_tell',
          metric: 'mine',
          message: 'mine of after: 1 case could not be scored, before or now.',
        },
      ],
    })
    expect((await gated('run_ids=all-right,none-right&fail_on=regression')).gate).toMatchObject({
      outcome: 'fail',
      passed: false,
      exit_code: 1,
      reasons: [{ outcome: 'fail', metric: 'mine', message: expect.stringContaining('worse, from 1 to 0,') }],
    })
  })

  it('holds bounds, of a single run too, and of names with colons', async () => {
    const { gate } = await gated('run_ids=before,after&min=mine:0.9&max=a:b:1e3')
    expect(gate).toMatchObject({
      outcome: 'fail',
      exit_code: 1,
      reasons: [
        { outcome: 'fail', metric: 'mine' },
        { outcome: 'cannot_tell', metric: 'a:b', message: 'a:b: the run has no such metric.' },
      ],
    })
    const bounds = Array.from({ length: limits.gateBounds }, (_, n) => `max=m${n}:1`).join('&')
    const alone = await gated(`run_ids=all-right&min=mine:1&${bounds.replaceAll('max=m0:1&', '')}`)
    expect(alone).toMatchObject({ runs: ['all-right'], compared: [], cases: [], cases_total: 40 })
    expect((await gated('run_ids=all-right&min=mine:1')).gate).toMatchObject({ passed: true, exit_code: 0 })
  })

  it('is not green with a run that is not complete, unless it is asked to be', async () => {
    const query = 'run_ids=all-right,half&fail_on=regression&min=mine:1'
    const { gate, warnings } = await gated(query)
    expect(warnings).toEqual([
      {
        run_id: 'half',
        code: 'not_finished',
        message: 'the run is running, with 20 of an unknown number of items done.',
      },
    ])
    expect(gate).toMatchObject({ outcome: 'cannot_tell', reasons: [{ metric: null }, {}, { outcome: 'pass' }] })
    expect((await gated(`${query}&allow_partial=true`)).gate).toMatchObject({ passed: true })
    const reversed = await gated('run_ids=half,all-right&fail_on=regression')
    expect(reversed.gate).toMatchObject({ outcome: 'cannot_tell', reasons: [{ metric: null }, { outcome: 'pass' }] })
  })

  it('warns where runs have no case in common', async () => {
    await made('elsewhere', () => 1, { prefix: 'other' })
    const { warnings, cases_shared: shared } = await gated('run_ids=all-right,elsewhere')
    expect([shared, warnings]).toEqual([0, [expect.objectContaining({ code: 'no_shared_cases' })]])
  })
})
