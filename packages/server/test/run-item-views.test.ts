import { limits, type RunErrors } from '@llm-eval/protocol'
import { runErrors, runItemPage, runItemPreviewPage } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunServer, startRunServer } from './runs-of-tests.ts'

let runs: RunServer
beforeAll(async () => {
  runs = await startRunServer()
})
afterAll(() => runs[Symbol.asyncDispose]())

interface Sent {
  item_index: number
  [field: string]: unknown
}

/** A run of user code with these items. */
async function made(id: string, items: Sent[]): Promise<void> {
  await runs.send('POST', '/api/v1/runs', { run_id: id, name: id, metrics_used: ['mine', 'theirs'] })
  for (let first = 0; first < items.length; first += limits.runEvents) {
    const events = items.slice(first, first + limits.runEvents).map((item, at) => ({
      event_id: `${first + at}`,
      sequence: first + at,
      type: 'item_finished',
      case_id: `case-${item.item_index}`,
      status: 'success',
      input: 'q',
      output: 'a',
      ...item,
    }))
    const { status, json } = await runs.send('POST', `/api/v1/runs/${id}/events`, { schema_version: 1, events })
    expect([status, json]).toMatchObject([200, { applied: events.length }])
  }
}

const errorsOf = async (id: string): Promise<RunErrors> =>
  runErrors.parse((await runs.send('GET', `/api/v1/runs/${id}/errors`)).json)
const previews = async (id: string, query: string) =>
  runItemPreviewPage.parse((await runs.send('GET', `/api/v1/runs/${id}/item-previews?${query}`)).json)
const failed = (code: string, message: string) => ({ status: 'failed', output: null, error: { code, message } })
const erred = (explanation: string | null) => ({ outcome: 'errored', fault: 'timeout', explanation })

it('groups errors of tasks and of evaluators by code and by what their messages have in common', async () => {
  const items: Sent[] = [
    { item_index: 0, scores: { mine: { value: 2 } } },
    ...[1, 2, 3, 4].map((item_index) => ({ item_index, ...failed('timeout', `No answer after ${item_index} s`) })),
    { item_index: 5, ...failed('execution_failed', 'No answer after 5 s') },
    { item_index: 6, scores: { mine: erred('asked "x" 1 time'), theirs: erred(null) } },
    { item_index: 7, scores: { mine: erred('asked "yz" 22 time') } },
    { item_index: 8, scores: { mine: { outcome: 'skipped', fault: 'missing_evidence' } } },
  ]
  await made('grouped', items)
  const example = (at: number) => ({ item_index: at, case_id: `case-${at}`, message: `No answer after ${at} s` })
  expect(await errorsOf('grouped')).toEqual({
    items: [
      {
        metric: null,
        code: 'timeout',
        pattern: 'No answer after … s',
        count: 4,
        examples: [example(1), example(2), example(3)],
      },
      {
        metric: 'mine',
        code: 'timeout',
        pattern: 'asked … … time',
        count: 2,
        examples: [
          { item_index: 6, case_id: 'case-6', message: 'asked "x" 1 time' },
          { item_index: 7, case_id: 'case-7', message: 'asked "yz" 22 time' },
        ],
      },
      {
        metric: null,
        code: 'execution_failed',
        pattern: 'No answer after … s',
        count: 1,
        examples: [example(5)],
      },
      {
        metric: 'theirs',
        code: 'timeout',
        pattern: '',
        count: 1,
        examples: [{ item_index: 6, case_id: 'case-6', message: '' }],
      },
    ],
    others: 0,
    examined: 8,
    complete: true,
  })
})

it('tells the most frequent groups, and counts the errors of the others', async () => {
  const words = Array.from({ length: limits.runErrorGroups + 1 }, (_, at) => 'x'.repeat(at + 1))
  const items = [...words, 'x'].map((word, item_index) => ({ item_index, ...failed('execution_failed', word) }))
  await made('many-groups', items)
  const { items: groups, others, examined } = await errorsOf('many-groups')
  expect(groups).toHaveLength(limits.runErrorGroups)
  expect(groups[0]).toMatchObject({ pattern: 'x', count: 2 })
  expect([others, examined]).toEqual([1, limits.runErrorGroups + 2])
  await made('as-many-groups', items.slice(0, limits.runErrorGroups))
  expect((await errorsOf('as-many-groups')).others).toBe(0)
})

it('looks at so many errors and no more, and says so', async () => {
  const items = (count: number): Sent[] =>
    Array.from({ length: count }, (_, item_index) => ({ item_index, ...failed('timeout', 'late') }))
  await made('too-many', items(limits.runErrors + 1))
  expect(await errorsOf('too-many')).toMatchObject({
    items: [{ count: limits.runErrors }],
    examined: limits.runErrors,
    complete: false,
  })
  await made('just-so-many', items(limits.runErrors))
  expect(await errorsOf('just-so-many')).toMatchObject({ examined: limits.runErrors, complete: true })
}, 240_000)

it('has no errors where none are, and none of a run that is not there', async () => {
  await made('fine', [{ item_index: 0 }])
  expect(await errorsOf('fine')).toEqual({ items: [], others: 0, examined: 0, complete: true })
  expect((await runs.send('GET', '/api/v1/runs/nobody/errors')).status).toBe(404)
  expect((await runs.send('GET', '/api/v1/runs/nobody/item-previews')).status).toBe(404)
})

it('shows items in short, however large they are', async () => {
  const large = 'L'.repeat(limits.runOutputBytes - 2)
  await made('large', [
    { item_index: 0, input: { question: 'why?' }, expected: ['x'], output: large, scores: { mine: { value: 0.5 } } },
    { item_index: 3, ...failed('timeout', 'late'), input: '"' },
  ])
  const { items, next_cursor } = await previews('large', '')
  expect(next_cursor).toBe(null)
  expect(items).toMatchObject([
    {
      item_index: 0,
      input: '{"question":"why?"}',
      expected: '["x"]',
      output: 'L'.repeat(limits.itemPreviewChars),
      scores: { mine: { outcome: 'scored', value: 0.5, passed: null } },
    },
    { item_index: 3, input: '"', expected: null, output: null, error: { code: 'timeout', message: 'late' } },
  ])
})

it('gives all items as a file, whole as JSON and in columns as CSV', async () => {
  await made('exported', [
    { item_index: 0, input: { q: 'why, "so"?' }, expected: 'x', output: '=1+1', scores: { mine: { value: 0.5 } } },
    { item_index: 1, ...failed('timeout', 'late\nand lost'), scores: { theirs: erred('broke') } },
    { item_index: 2, scores: { mine: { value: null, passed: false } } },
  ])
  const file = async (query: string) => {
    const answer = await fetch(`${runs.server.url}/api/v1/runs/exported/export?${query}`)
    return { text: await answer.text(), name: answer.headers.get('content-disposition') }
  }
  const { text, name } = await file('')
  expect(name).toBe('attachment; filename="run-exported.jsonl"')
  const { json } = await runs.send('GET', '/api/v1/runs/exported/items')
  expect(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(runItemPage.parse(json).items)
  expect((await file('format=csv')).text.split('\r\n')).toEqual([
    'item_index,case_id,repetition,status,input,expected,output,mine,mine: outcome,theirs,theirs: outcome,error,error_message,attempts,response_time_ms,tokens,cost,trace_id',
    String.raw`0,case-0,1,success,"{""q"":""why, \""so\""?""}",x,'=1+1,0.5,scored,,,,,1,,,,`,
    '1,case-1,1,failed,q,,,,,,errored,timeout,"late\nand lost",1,,,,',
    '2,case-2,1,success,q,,a,0,scored,,,,,1,,,,',
    '',
  ])
  await made('without-items', [])
  const none = await fetch(`${runs.server.url}/api/v1/runs/without-items/export`)
  expect([none.status, await none.text()]).toEqual([200, ''])
})

it('finds items by score, by error and by what they say, and begins where it is told to', async () => {
  const scored = (value: number) => ({ scores: { mine: { value } } })
  await made('sought', [
    { item_index: 0, ...scored(0.2), input: 'The Capital of France?' },
    { item_index: 1, ...scored(0.8), output: 'It says "Paris"\nand no more' },
    { item_index: 2, ...failed('timeout', 'The upstream was late') },
    { item_index: 3, scores: { theirs: erred('failed') } },
  ])
  const found = async (query: string) => (await previews('sought', query)).items.map(({ item_index: at }) => at)
  expect(await found('metric=mine&above=0.2')).toEqual([1])
  expect(await found('metric=mine&above=0.1&below=0.8')).toEqual([0])
  expect(await found('errored=theirs')).toEqual([3])
  expect(await found('error=timeout')).toEqual([2])
  expect(await found('error=too_large')).toEqual([])
  expect(await found('search=capital%20of')).toEqual([0])
  expect(await found(`search=${encodeURIComponent('"paris"\nAND')}`)).toEqual([1])
  expect(await found('search=UPSTREAM')).toEqual([2])
  expect(await found('search=case-3')).toEqual([3])
  expect(await found(`search=${'x'.repeat(limits.searchChars)}`)).toEqual([])
  expect(await found('from=2')).toEqual([2, 3])
  for (const query of [
    'above=1',
    'metric=mine',
    'metric=none&above=1',
    'errored=none',
    'error=none',
    'from=-1',
    `search=${'x'.repeat(limits.searchChars + 1)}`,
    'search=',
  ])
    expect((await runs.send('GET', `/api/v1/runs/sought/item-previews?${query}`)).status, query).toBe(400)
})
