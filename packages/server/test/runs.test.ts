import { limits } from '@llm-eval/protocol'
import { run, runItem } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunServer, startRunServer, startTask, type TaskServer } from './runs-of-tests.ts'

const rows = ['one', 'two', 'three'].map((question) => ({ question, answer: question.toUpperCase() }))

let runs: RunServer
let task: TaskServer
beforeAll(async () => {
  runs = await startRunServer()
  task = await startTask(({ input }) => ({ output: String(input).toUpperCase(), tokens: 3, cost: 0.5 }))
  await runs.dataset('three', rows)
})
afterAll(async () => {
  await runs[Symbol.asyncDispose]()
  await task[Symbol.asyncDispose]()
})

const make = async (fields: object) =>
  run.parse((await runs.send('POST', '/api/v1/runs', { name: 'r', metrics_used: ['exact-match'], ...fields })).json)
const http = (fields: object) => ({ task: { kind: 'http', url: 'http://127.0.0.1:1/', ...fields } })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 'y']))
const asks = () => ({ dataset: 'three', task: { kind: 'http', url: task.url } })

describe('how many items a run of user code has', () => {
  it.each([
    [null, 6],
    [2, 2],
    [99, 6],
  ])('is what it says it will do, of those there are: of %s, %s', async (total_items, told) => {
    const fields = { run_id: `of-${total_items}`, dataset: 'three', total_items, settings: { repetitions: 2 } }
    expect(await make(fields)).toMatchObject({ total_items: told })
    // It may go on with more of them.
    expect(await make({ ...fields, total_items: 4 })).toMatchObject({ run_id: `of-${total_items}`, total_items: told })
  })
})

describe('a run of the server', () => {
  it('asks an endpoint for every case, scores what it answers, and ends with its numbers', async () => {
    const made = await make({ ...asks(), settings: { repetitions: 2 } })
    expect(made).toMatchObject({ dataset_name: 'three', dataset_version: 'v1', total_items: 6 })
    const ended = await runs.until(made.run_id)
    expect(ended).toMatchObject({
      status: 'completed',
      completed_items: 6,
      successful_items: 6,
      success_rate: 1,
      cost: 3,
      unknown_costs: 0,
      metrics: { 'exact-match': { mean: 1, n: 6, passed: 6 } },
    })
    const items = await runs.items(made.run_id)
    expect(items.map(({ item_index }) => item_index)).toEqual([0, 1, 2, 3, 4, 5])
    expect(items[0]).toMatchObject({ input: 'one', expected: 'ONE', output: 'ONE', tokens: 3, cost: 0.5, attempts: 1 })
    const { json } = await runs.send('GET', `/api/v1/runs/${made.run_id}/items/5`)
    expect(runItem.parse(json)).toMatchObject({ item_index: 5, repetition: 2, input: 'three' })
  })

  it('scores answers that stand in the dataset without asking anybody', async () => {
    const made = await make({
      dataset: 'three',
      task: { kind: 'outputs', column: 'answer' },
      metrics_used: ['char-count'],
    })
    const ended = await runs.until(made.run_id)
    expect(ended).toMatchObject({ status: 'completed', successful_items: 3, cost: 0, unknown_costs: 0 })
    expect((await runs.items(made.run_id)).map(({ output }) => output)).toEqual(['ONE', 'TWO', 'THREE'])
  })

  it('of no rows is over at once', async () => {
    await runs.dataset('none', [])
    const made = await make({ dataset: 'none', task: { kind: 'http', url: task.url } })
    expect(await runs.until(made.run_id)).toMatchObject({ status: 'completed', total_items: 0, success_rate: null })
  })

  it('has an item that failed for each case whose id is taken, and does not ask it', async () => {
    await runs.dataset('twice', [
      { id: 'a', input: 1 },
      { id: 'a', input: 2 },
      { id: 'b', input: 3 },
    ])
    const made = await make({ dataset: 'twice', task: { kind: 'http', url: task.url } })
    expect(await runs.until(made.run_id)).toMatchObject({ completed_items: 3, successful_items: 2 })
    const failed = await runs.items(made.run_id, '&status=failed')
    // Items are there once they are finished.
    expect(await runs.items(made.run_id, '&status=pending')).toEqual([])
    expect(failed.map(({ item_index, error }) => [item_index, error?.code])).toEqual([[1, 'invalid_case']])
  })

  it('names what each task did wrong, and goes on', async () => {
    await using odd = await startTask(({ input }, reply) => {
      if (input === 'breaks') return void reply.destroy()
      if (input === 'throws') return void reply.writeHead(500).end('no')
      if (input === 'refuses') return void reply.writeHead(404).end('no')
      if (input === 'large') return { output: 'x'.repeat(10 * 1024 * 1024) }
      return { output: input }
    })
    const inputs = ['breaks', 'throws', 'refuses', 'large', 'answers']
    await runs.dataset(
      'odd',
      inputs.map((input) => ({ id: input, input })),
    )
    const made = await make({ dataset: 'odd', task: { kind: 'http', url: odd.url }, settings: { retries: 1 } })
    expect(await runs.until(made.run_id)).toMatchObject({
      status: 'completed',
      completed_items: 5,
      successful_items: 1,
    })
    const items = await runs.items(made.run_id)
    const outcomes = items.map(({ case_id, error, attempts }) => [case_id, [error?.code ?? null, attempts]])
    expect(Object.fromEntries(outcomes)).toEqual({
      breaks: ['execution_failed', 2],
      throws: ['execution_failed', 2],
      refuses: ['execution_failed', 1],
      large: ['too_large', 1],
      answers: [null, 1],
    })
  })

  it('gives up a task that hangs, and goes on', async () => {
    await using hanging = await startTask(() => undefined)
    const made = await make({
      dataset: 'three',
      task: { kind: 'http', url: hanging.url },
      settings: { timeout_ms: 50 },
    })
    expect(await runs.until(made.run_id)).toMatchObject({
      status: 'completed',
      completed_items: 3,
      successful_items: 0,
    })
    expect((await runs.items(made.run_id)).map(({ error }) => error?.code)).toEqual(Array(3).fill('timeout'))
  })

  it('takes the output out of an answer by its path', async () => {
    await using deep = await startTask(() => ({ choices: [{ text: 'ONE' }] }))
    const made = await make({ dataset: 'three', task: { kind: 'http', url: deep.url, output: 'choices.0.text' } })
    await runs.until(made.run_id)
    expect((await runs.items(made.run_id)).map(({ output }) => output)).toEqual(['ONE', 'ONE', 'ONE'])
    const lost = await make({ dataset: 'three', task: { kind: 'http', url: deep.url, output: 'choices.1.text' } })
    expect(await runs.until(lost.run_id)).toMatchObject({ successful_items: 0 })
  })

  it('shows no secret of its task', async () => {
    const made = await make({
      ...asks(),
      task: { kind: 'http', url: task.url, headers: { authorization: 'Bearer secret' } },
    })
    expect(made.task).toMatchObject({ headers: { authorization: '***' } })
    await runs.until(made.run_id)
  })

  it('may hold as much as the limits say', async () => {
    const made = await make({
      task: { kind: 'client' },
      tags: Array.from({ length: limits.runTags }, (_, n) => `${n}`),
      metadata: { a: 'x'.repeat(limits.runMetadataChars - 8) },
      config: { a: 'x'.repeat(limits.runMetadataChars - 8) },
    })
    expect(made.tags).toHaveLength(limits.runTags)
    const asked = await make({ dataset: 'none', ...http({ headers: many(limits.runHeaders) }) })
    await runs.until(asked.run_id)
  })

  it('is refused when it is too large', async () => {
    const body = { name: 'r', metrics_used: ['mine'], task: { kind: 'prompt', template: 'x'.repeat(limits.runBytes) } }
    expect((await runs.send('POST', '/api/v1/runs', body)).status).toBe(413)
  })

  it('keeps what was evaluated in the words of who made it', async () => {
    const config = { temperature: 0.1, stop: ['\n'], nested: { top_p: null } }
    const made = await make({ task: { kind: 'client' }, config })
    expect(made.config).toEqual(config)
    const changed = await runs.send('PATCH', `/api/v1/runs/${made.run_id}`, { name: 'other' })
    expect(changed).toMatchObject({ status: 200, json: { name: 'other', config } })
    expect((await make({ task: { kind: 'client' } })).config).toEqual({})
    expect((await runs.send('PATCH', `/api/v1/runs/${made.run_id}`, { config: {} })).status).toBe(422)
  })

  it('is made once, however often it is sent', async () => {
    const body = { run_id: 'once', name: 'r', metrics_used: ['exact-match'], ...asks() }
    expect((await runs.send('POST', '/api/v1/runs', body)).status).toBe(201)
    expect((await runs.send('POST', '/api/v1/runs', body)).status).toBe(200)
    expect(await runs.send('POST', '/api/v1/runs', { ...body, name: 'other' })).toMatchObject({
      status: 409,
      json: { code: 'run_conflict' },
    })
    await runs.until('once')
  })

  it('is found again whatever became of its dataset', async () => {
    await runs.dataset('short-lived', rows)
    const body = { ...asks(), run_id: 'outlives', name: 'r', metrics_used: ['exact-match'], dataset: 'short-lived' }
    expect((await runs.send('POST', '/api/v1/runs', body)).status).toBe(201)
    await runs.until('outlives')
    await runs.send('DELETE', '/api/v1/datasets/short-lived')
    expect(await runs.send('POST', '/api/v1/runs', body)).toMatchObject({ status: 200, json: { completed_items: 3 } })
    const other = await runs.send('POST', '/api/v1/runs', { ...body, name: 'other' })
    expect(other).toMatchObject({ status: 409, json: { code: 'run_conflict' } })
    await runs.send('DELETE', '/api/v1/runs/outlives')
    expect((await runs.send('POST', '/api/v1/runs', body)).status).toBe(410)
  })

  it.each([
    ['an evaluator that nobody knows', { metrics_used: ['nobody'] }, 'metrics_used[0].evaluator'],
    ['two metrics of one name', { metrics_used: ['exact-match', 'exact-match'] }, 'metrics_used[1].name'],
    ['no metrics', { metrics_used: [] }, 'metrics_used'],
    ['a configuration of no metric', { metric_configs: { nobody: {} } }, 'metric_configs.nobody'],
    [
      'a configuration that does not fit',
      { metric_configs: { 'exact-match': { nope: 1 } } },
      'metrics_used[0].config.nope',
    ],
    ['a column that is none', { task: { kind: 'outputs', column: 'nope' } }, 'task.column'],
    ['no name of a column', { task: { kind: 'outputs', column: '--' } }, 'task.column'],
    ['no dataset', { dataset: null }, 'dataset'],
    ['a model that nobody provides', { task: { kind: 'prompt', template: 'x' } }, 'task.model'],
    [
      'a decision by no metric',
      { settings: { decision: { metric: 'x', threshold: 0.5 } } },
      'settings.decision.metric',
    ],
    [
      'one more at a time than may be',
      { settings: { concurrency: limits.runConcurrency + 1 } },
      'settings.concurrency',
    ],
    ['a header that is set by the server', http({ headers: { Host: 'x' } }), 'task.headers.Host'],
    ['a header that breaks the line', http({ headers: { a: 'b\r\nc: d' } }), 'task.headers.a'],
    ['one header more than may be', http({ headers: many(limits.runHeaders + 1) }), 'task.headers'],
    ['more metadata than may be', { metadata: { a: 'x'.repeat(limits.runMetadataChars - 7) } }, 'metadata'],
    ['more configuration than may be', { config: { a: 'x'.repeat(limits.runMetadataChars - 7) } }, 'config'],
    ['one tag more than may be', { tags: Array.from({ length: limits.runTags + 1 }, (_, n) => `${n}`) }, 'tags'],
  ])('is refused with %s', async (_, fields, path) => {
    const { status, json } = await runs.send('POST', '/api/v1/runs', {
      name: 'r',
      metrics_used: ['exact-match'],
      ...asks(),
      ...fields,
    })
    expect({ status, json }).toMatchObject({ status: 422, json: { errors: [{ path }] } })
  })
})

describe('the end of a run', () => {
  it('comes when it is cancelled, keeps what is finished, and is no end when it is resumed', async () => {
    let open = false
    const waiting: (() => void)[] = []
    await using slow = await startTask(({ input }, reply) => {
      const answer = () => reply.end(JSON.stringify({ output: input }))
      if (open || input === 'one') answer()
      else waiting.push(answer)
      return undefined
    })
    const made = await make({ dataset: 'three', task: { kind: 'http', url: slow.url } })
    const id = made.run_id
    await runs.until(id, ({ completed_items }) => completed_items === 1)
    expect((await runs.send('POST', `/api/v1/runs/${id}/approve`)).status).toBe(409)
    expect((await runs.send('POST', `/api/v1/runs/${id}/resume`)).json).toMatchObject({ code: 'run_held' })
    expect((await runs.send('POST', `/api/v1/runs/${id}/cancel`)).json).toMatchObject({
      status: 'cancelled',
      stopped_by: 'cancelled',
    })
    expect((await runs.send('POST', `/api/v1/runs/${id}/cancel`)).json).toMatchObject({ code: 'run_over' })
    expect((await runs.send('POST', `/api/v1/runs/${id}/reject`, { note: 'half' })).json).toMatchObject({
      approval: { state: 'rejected', note: 'half' },
    })
    open = true
    expect((await runs.send('POST', `/api/v1/runs/${id}/resume`)).json).toMatchObject({ approval: null })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', completed_items: 3, stopped_by: null })
    // The item that was finished is not asked again.
    expect(slow.came.filter(({ input }) => input === 'one')).toHaveLength(1)
  })

  it('can be approved, renamed and deleted for good', async () => {
    const { run_id: id } = await make(asks())
    await runs.until(id)
    const path = `/api/v1/runs/${id}`
    expect((await runs.send('POST', `${path}/approve`)).json).toMatchObject({ approval: { state: 'approved' } })
    expect((await runs.send('PATCH', path, { name: 'new', tags: ['x'] })).json).toMatchObject({
      name: 'new',
      tags: ['x'],
    })
    expect((await runs.send('PUT', path, { description: 'd' })).json).toMatchObject({ name: 'new', description: 'd' })
    expect((await runs.send('DELETE', path)).json).toEqual({ deleted: 1 })
    expect((await runs.send('GET', path)).status).toBe(410)
    expect((await runs.send('DELETE', path)).status).toBe(410)
    expect((await runs.send('GET', '/api/v1/runs/nobody')).status).toBe(404)
  })
})

describe('lists of runs', () => {
  it('filter, order and page', async () => {
    const names = ['list-b', 'list-a', 'list-c']
    for (const [n, name] of names.entries()) {
      const { run_id: id } = await make({
        ...asks(),
        name,
        tags: ['listed', `t${n}`],
        model_name: `m${n}`,
        created_by: 'ada',
      })
      await runs.until(id)
    }
    const list = async (query: string) => {
      const { json } = await runs.send('GET', `/api/v1/runs?${query}`)
      return json as { items: { name: string }[]; next_cursor: string | null }
    }
    const namesOf = async (query: string) => (await list(query)).items.map(({ name }) => name)
    expect(await namesOf('tags=listed')).toEqual(['list-c', 'list-a', 'list-b'])
    expect(await namesOf('tags=listed,t1')).toEqual(['list-a'])
    expect(await namesOf('tags=listed&tags=t2')).toEqual(['list-c'])
    expect(await namesOf('tags=listed&order_by=name&descending=false')).toEqual(['list-a', 'list-b', 'list-c'])
    expect(await namesOf('model_name=m0')).toEqual(['list-b'])
    expect(await namesOf('created_by=ada&min_success_rate=1&status=completed&search=LIST-A')).toEqual(['list-a'])
    expect(await namesOf('created_by=ada&dataset_name=three&max_duration=0')).toEqual([])
    expect(await namesOf('created_by=ada&created_before=2020-01-01T00:00:00Z')).toEqual([])
    const first = await list('tags=listed&limit=2')
    expect(first.items).toHaveLength(2)
    expect(await namesOf(`tags=listed&limit=2&cursor=${encodeURIComponent(first.next_cursor ?? '')}`)).toEqual([
      'list-b',
    ])
    expect((await runs.send('GET', '/api/v1/runs?cursor=x')).status).toBe(400)
    expect((await runs.send('GET', '/api/v1/runs?order_by=color')).status).toBe(400)
  })

  it('of items find those below a value, and cases by their id', async () => {
    await runs.dataset('graded', [
      { id: 'good-1', input: 'x', expected: 'X' },
      { id: 'bad-1', input: 'y', expected: 'N' },
    ])
    const { run_id: id } = await make({ dataset: 'graded', task: { kind: 'http', url: task.url } })
    await runs.until(id)
    const cases = async (query: string) => (await runs.items(id, query)).map(({ case_id }) => case_id)
    expect(await cases('&metric=exact-match&below=1')).toEqual(['bad-1'])
    expect(await cases('&case_id=good')).toEqual(['good-1'])
    const { status, json } = await runs.send('GET', `/api/v1/runs/${id}/items?metric=none&below=1`)
    expect({ status, json }).toMatchObject({ status: 400, json: { errors: [{ path: 'metric' }] } })
    expect((await runs.send('GET', `/api/v1/runs/${id}/items?below=1`)).status).toBe(400)
    expect((await runs.send('GET', `/api/v1/runs/${id}/items/2`)).json).toMatchObject({ code: 'run_item_not_found' })
  })
})
