import { run, runMetrics } from '@llm-eval/protocol/run-schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Provider, prose, refuses, startProvider, truncated } from '../../engine/test/provider.ts'
import { until } from './faults/audit.ts'
import { type RunServer, startRunServer, startTask } from './runs-of-tests.ts'

let provider: Provider
let runs: RunServer
beforeAll(async () => {
  provider = await startProvider({
    answer: ({ prompt }) => prose(/one|two|three/.exec(prompt)?.[0].toUpperCase() ?? 'none'),
  })
  const test = { api: 'openai', base_url: provider.base('openai'), api_key: 'test' }
  runs = await startRunServer({ providers: { test }, default_model: 'test/writer' })
  await runs.dataset(
    'texts',
    ['one', 'two', 'three'].map((input) => ({ id: input, input, tone: 'loud', expected: input.toUpperCase() })),
  )
})
afterAll(async () => {
  await runs[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const make = async (fields: object) => {
  const body = { name: 'r', dataset: 'texts', metrics_used: ['exact-match'], ...fields }
  return run.parse((await runs.send('POST', '/api/v1/runs', body)).json)
}

describe('a prompt', () => {
  it('is filled with the values of each case, and what the model says is scored', async () => {
    const task = { kind: 'prompt', system: 'Be {{tone}}.', template: '{{ input }}{{nothing}}' }
    const { run_id: id } = await make({ task })
    expect(await runs.until(id)).toMatchObject({
      status: 'completed',
      successful_items: 3,
      metrics: { 'exact-match': { mean: 1, n: 3 } },
    })
    const items = await runs.items(id)
    expect(items.map(({ output }) => output)).toEqual(['ONE', 'TWO', 'THREE'])
    for (const { prompt } of provider.asked) expect(prompt).toMatch(/^Be loud\.\s*(one|two|three)$/)
  })

  it('is all that the model is told: it may say what it likes, JSON too, and none of it is put right', async () => {
    const said = 'Sure! {"a": 1} and {"output": "no"}\n'
    provider.next(prose(said), prose('{"output":"one"}'), prose(''))
    const asked = provider.asked.length
    const task = { kind: 'prompt', template: 'All of {{input}}.' }
    const { run_id: id } = await make({ task, settings: { concurrency: 1 } })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', successful_items: 3 })
    expect((await runs.items(id)).map(({ output }) => output)).toEqual([said, '{"output":"one"}', ''])
    const told = provider.asked.slice(asked)
    expect(told.map(({ prompt, schema }) => [prompt, schema])).toEqual([
      ['All of one.', null],
      ['All of two.', null],
      ['All of three.', null],
    ])
    for (const { body } of told) expect(Object.keys(body).sort()).toEqual(['messages', 'model'])
  })

  it('is asked anew in every run: what was said before is not the answer of this one', async () => {
    const asked = provider.asked.length
    const task = { kind: 'prompt', template: 'Again {{input}}.' }
    for (const again of [1, 2]) {
      const { run_id: id } = await make({ task, settings: { repetitions: 2 } })
      expect(await runs.until(id)).toMatchObject({ status: 'completed', completed_items: 6, unknown_costs: 6 })
      expect(provider.asked).toHaveLength(asked + 6 * again)
    }
  })

  it('that is refused, or whose answer is cut off, is an item that failed', async () => {
    provider.next(refuses('Not with me.'), truncated({ output: 'half' }))
    const task = { kind: 'prompt', template: 'Fail {{input}}.' }
    const { run_id: id } = await make({ task, settings: { concurrency: 1 } })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', completed_items: 3, successful_items: 1 })
    expect((await runs.items(id)).map(({ error }) => error?.message ?? null)).toEqual([
      expect.stringContaining('refused to answer. It said: Not with me.'),
      expect.stringContaining('was cut off'),
      null,
    ])
  })

  it('takes values as they are: what looks like a place in them is none', async () => {
    const input = '{{tone}} $& {{input}} one'
    await runs.dataset('tricky', [{ id: 'a', input, tone: 'loud' }])
    const template = '{{input}}|{{ tone }}|{{constructor}}|{{ nothing }}|{{{tone}}}|{{}}'
    const { run_id: id } = await make({ dataset: 'tricky', task: { kind: 'prompt', template } })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', successful_items: 1 })
    const filled = '{{tone}} $& {{input}} one|loud|||{loud}|{{}}'
    expect(provider.asked.some(({ prompt }) => prompt.includes(filled))).toBe(true)
  })

  it('finds its places however they are spelled', async () => {
    const columns = [
      { name: 'Question of the user', type: 'string' },
      { name: 'last_week', type: 'string' },
    ]
    await runs.send('POST', '/api/v1/datasets', { name: 'spelled', slug: 'spelled', columns })
    await runs.send('POST', '/api/v1/datasets/spelled/rows', {
      rows: [{ 'Question of the user': 'one?', last_week: 'ONE' }],
    })
    const template = '{{Question of the user}} {{question-of-the-user}} {{ question_of_the_user }} {{lastWeek}}'
    const { run_id: id } = await make({ dataset: 'spelled', task: { kind: 'prompt', template } })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', successful_items: 1 })
    expect(provider.asked.some(({ prompt }) => prompt.includes('one? one? one? ONE'))).toBe(true)
    for (const column of ['last_week', 'last-week']) {
      const task = { kind: 'outputs', column }
      const { run_id: there, task: kept } = await make({ dataset: 'spelled', task, metrics_used: ['char-count'] })
      expect(kept).toEqual({ kind: 'outputs', column: 'last-week' })
      await runs.until(there)
      expect((await runs.items(there)).map(({ output }) => output)).toEqual(['ONE'])
    }
  })

  it('is asked of no more models at the same time than the server may', async () => {
    let [now, most] = [0, 0]
    await using slow = await startProvider({
      answer: async () => {
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now--
        return prose('ONE')
      },
    })
    const test = { api: 'openai', base_url: slow.base('openai'), api_key: 'test' }
    const own = { providers: { test }, default_model: 'test/writer', judge_concurrency: 2 }
    await using server = await startRunServer(own)
    await server.dataset(
      'many',
      Array.from({ length: 20 }, (_, input) => ({ input })),
    )
    const body = { name: 'r', dataset: 'many', metrics_used: ['char-count'], settings: { concurrency: 20 } }
    const task = { kind: 'prompt', template: '{{input}}' }
    for (const run_id of ['a', 'b', 'c']) await server.send('POST', '/api/v1/runs', { ...body, run_id, task })
    for (const run_id of ['a', 'b', 'c'])
      expect(await server.until(run_id)).toMatchObject({ status: 'completed', successful_items: 20 })
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(2)
  })

  it('of a model that is not configured is refused', async () => {
    const task = { kind: 'prompt', template: 'x', model: 'nobody/none' }
    const body = { name: 'r', dataset: 'texts', metrics_used: ['exact-match'], task }
    expect((await runs.send('POST', '/api/v1/runs', body)).json).toMatchObject({ errors: [{ path: 'task.model' }] })
  })
})

describe('the limits of a run', () => {
  it('end it once its money is spent, with what is finished', async () => {
    await using task = await startTask(({ input }) => ({ output: input, cost: 1 }))
    const settings = { concurrency: 1, limits: { cost: 2 } }
    const { run_id: id } = await make({ task: { kind: 'http', url: task.url }, settings })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', stopped_by: 'cost_limit', completed_items: 2 })
  })

  it('end it at a cost that nobody knows', async () => {
    await using task = await startTask(({ input }) => ({ output: input }))
    const settings = { concurrency: 1, limits: { cost: 2 } }
    const { run_id: id } = await make({ task: { kind: 'http', url: task.url }, settings })
    expect(await runs.until(id)).toMatchObject({ stopped_by: 'cost_limit', completed_items: 1, unknown_costs: 1 })
  })

  it('end it once its time is up', async () => {
    await using task = await startTask(() => undefined)
    const settings = { limits: { duration_ms: 50 } }
    const { run_id: id } = await make({ task: { kind: 'http', url: task.url }, settings })
    expect(await runs.until(id)).toMatchObject({ status: 'completed', stopped_by: 'time_limit', completed_items: 0 })
  })
})

describe('an evaluator of a project', () => {
  it('scores a run in the version that the run was made with, whatever becomes of it', async () => {
    const definition = { kind: 'preset', base: 'contains', config: { values: ['ONE'] } }
    await runs.send('POST', '/api/v1/evaluators', { slug: 'has-one', definition })
    await using task = await startTask(({ input }) => ({ output: String(input).toUpperCase() }))
    const asked = { task: { kind: 'http', url: task.url }, metrics_used: ['has-one'] }
    const { run_id: id } = await make(asked)
    await runs.until(id)
    const change = { definition: { ...definition, config: { values: ['TWO', 'THREE'] } } }
    expect((await runs.send('PATCH', '/api/v1/evaluators/has-one', change)).status).toBe(200)
    const other = await make(asked)
    await runs.until(other.run_id)
    const versionOf = async (run_id: string) => {
      const { json } = await runs.send('GET', `/api/v1/runs/${run_id}/metrics`)
      return runMetrics.parse(json).items[0]
    }
    const [before, after] = [await versionOf(id), await versionOf(other.run_id)]
    expect(before?.evaluator_version).not.toBe(after?.evaluator_version)
    const { json } = await runs.send('GET', `/api/v1/comparisons?run_ids=${id},${other.run_id}`)
    expect(json).toMatchObject({ compared: [{ metrics: [{ name: 'has-one', evaluator: 'changed' }] }] })
  })

  it('that is gone makes a run fail, and says so', async () => {
    await runs.send('POST', '/api/v1/evaluators', {
      slug: 'soon-gone',
      definition: { kind: 'preset', base: 'contains', config: { values: ['a'] } },
    })
    await using task = await startTask(() => ({ output: 'a' }))
    const { run_id: id } = await make({ task: { kind: 'http', url: task.url }, metrics_used: ['soon-gone'] })
    await runs.until(id)
    await runs.send('DELETE', '/api/v1/evaluators/soon-gone')
    await runs.send('POST', `/api/v1/runs/${id}/resume`)
    expect(await runs.until(id)).toMatchObject({ status: 'failed', error: { code: 'evaluator_not_found' } })
  })
})

describe('a dataset that is deleted while a run reads it', () => {
  it('makes the run fail with what is finished, and says so', async () => {
    const held: (() => void)[] = []
    let open = false
    await using task = await startTask(({ input }, reply) => {
      const answer = () => reply.end(JSON.stringify({ output: input }))
      if (open) answer()
      else held.push(answer)
      return undefined
    })
    await runs.dataset(
      'doomed',
      Array.from({ length: 510 }, (_, input) => ({ id: `case-${input}`, input })),
    )
    const asked = { dataset: 'doomed', task: { kind: 'http', url: task.url }, settings: { concurrency: 2 } }
    const { run_id: id } = await make({ ...asked, metrics_used: ['char-count'] })
    await until(
      async () => held.length,
      (count) => count === 2,
    )
    expect((await runs.send('DELETE', '/api/v1/datasets/doomed')).status).toBe(204)
    open = true
    for (const answer of held) answer()
    const error = { code: 'dataset_unreadable', message: expect.stringContaining('There is no dataset') }
    // A page of it was read already.
    expect(await runs.until(id)).toMatchObject({ status: 'failed', error, completed_items: 500, total_items: 510 })
    await runs.send('POST', `/api/v1/runs/${id}/resume`)
    expect(await runs.until(id)).toMatchObject({ status: 'failed', error, completed_items: 500 })
  })
})

describe('a task on a private address', () => {
  it('is refused by a server that does not allow it, also where a name leads there', async () => {
    await using strict = await startRunServer({ allow_private_evaluators: false })
    await strict.dataset('one', [{ input: 'a' }])
    const body = { name: 'r', dataset: 'one', metrics_used: ['char-count'] }
    for (const url of ['http://127.0.0.1:1/', 'http://localhost:1/', 'http://[::1]:1/', 'http://169.254.169.254/'])
      expect((await strict.send('POST', '/api/v1/runs', { ...body, task: { kind: 'http', url } })).json).toMatchObject({
        code: 'address_refused',
      })
    const file = { ...body, task: { kind: 'http', url: 'file:///etc/passwd' } }
    expect((await strict.send('POST', '/api/v1/runs', file)).status).toBe(422)
  })
})
