import { createEngine, evaluator } from '@llm-eval/engine'
import { limits } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { registerTraceloop } from '../src/traceloop/traceloop.ts'
import { allSlices, firstKey, type Ground, startGround, trace } from './ground.ts'

/** Runs until the test lets it end. */
let hold = Promise.withResolvers<void>()

/** Does as its input says: scores, gives no verdict, throws, or waits. */
const obedient = evaluator({
  slug: 'obedient',
  name: 'Obedient',
  description: 'Does as it is told.',
  kind: 'custom',
  category: 'custom',
  needs: [],
  input: [{ name: 'what', type: 'string', description: '', required: true }],
  output: [],
  config: z.object({}),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { what: 'pass' }, value: 1, passed: true },
  runs: 'inline',
  async score({ what }) {
    if (what === 'throw') throw new Error('it broke')
    if (what === 'wait') await hold.promise
    if (what === 'none') return { value: 0.5, label: 'so so' }
    return { value: what === 'fail' ? 0 : 1, passed: what !== 'fail', explanation: `I was told to ${String(what)}.` }
  },
})

let ground: Ground
beforeAll(async () => {
  ground = await startGround({
    slices: [...allSlices, registerTraceloop],
    engine: createEngine({ evaluators: [obedient] }),
  })
})
afterAll(() => ground.close())

const mapping = (input: Record<string, unknown>) => ({
  input_schema_mapping: Object.fromEntries(Object.entries(input).map(([field, source]) => [field, { source }])),
})

async function start(what: string): Promise<string> {
  const { json } = await ground.send({ path: '/v2/evaluators/obedient/executions', body: mapping({ what }) })
  return `/v2${json.stream_url}`
}

describe('the result of an evaluator', () => {
  it('has its verdict, its score and its reason where it has no fields of its own', async () => {
    const { json } = await ground.send({ path: await start('pass') })
    expect(json.result.evaluator_result).toEqual({ score: 1, reason: 'I was told to pass.', pass: true })
    const run = await ground.send({ path: '/v2/evaluators/obedient/execute', body: { input: { what: 'fail' } } })
    expect(run.json).toEqual({
      score: 0,
      reason: 'I was told to fail.',
      pass: false,
      execution_id: expect.stringMatching(/^exe_/),
    })
  })

  it('has no verdict where none was given, and lets pass as a guard', async () => {
    const { json } = await ground.send({ path: await start('none') })
    expect(json.result.evaluator_result).toEqual({ score: 0.5, label: 'so so' })
    const guard = await ground.send({ path: '/v2/guardrails/obedient/execute', body: { input: { what: 'none' } } })
    expect(guard.json).toMatchObject({ result: { score: 0.5 }, pass: true })
  })

  it('that there is not, because it failed, is an error everywhere and never a document', async () => {
    const input = { what: 'throw' }
    for (const answer of [
      await ground.send({ path: await start('throw') }),
      await ground.send({ path: '/v2/evaluators/obedient/execute', body: { input } }),
      await ground.send({ path: '/v2/guardrails/obedient/execute', body: { input } }),
    ]) {
      expect(answer.status).toBe(500)
      expect(answer.json).toMatchObject({ error: expect.stringContaining('it broke'), code: 'execution_failed' })
    }
  })

  it('is computed though nobody waits for it, and found later', async () => {
    hold = Promise.withResolvers()
    const path = await start('wait')
    const early = ground.send({ path })
    hold.resolve()
    expect((await early).json.result.evaluator_result).toMatchObject({ pass: true })
    expect((await ground.send({ path })).text).toBe((await early).text)
    expect((await ground.send({ path, method: 'HEAD' })).status).toBe(200)
  })

  it('of a stored trace takes its input by paths, and stands on the trace', async () => {
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 't-9', metadata: { asked: ['fail'] } }) })
    const body = { ...mapping({ what: 'metadata.asked[0]' }), trace_id: 't-9' }
    const { json } = await ground.send({ path: '/v2/evaluators/slug/obedient/execute', body })
    const result = await ground.send({ path: `/v2${json.stream_url}` })
    expect(result.json.result.evaluator_result).toMatchObject({ pass: false })
    const stored = await ground.store.read(ground.access.home, 'trace', { traceId: 't-9' })
    expect(stored?.scores).toMatchObject([{ evaluator: 'obedient', passed: false, execution_id: json.execution_id }])
    const none = await ground.send({ path: '/v2/evaluators/obedient/executions', body: { ...body, trace_id: 'gone' } })
    expect(none).toMatchObject({ status: 404, json: { code: 'trace_not_found' } })
  })
})

describe('an error of the foreign routes', () => {
  it('has all there is to say in its one text', async () => {
    const answer = await ground.send({ path: '/v2/evaluators', body: { name: 7, provider: 'openai' } })
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.json).toEqual({
      error: expect.stringMatching(
        /^The request does not fit the schema\. .*name: must be of type string.*; model: is required/,
      ),
      code: 'invalid_request',
      next: expect.any(String),
      request_id: answer.headers['x-request-id'],
    })
  })

  it.each(['/v2/nothing', '/api/v1/v2/nothing', '/v1/nothing', '//v2//nothing'])(
    'at %s is in their form',
    async (path) => {
      expect((await ground.send({ path })).json).toMatchObject({ error: expect.any(String), code: expect.any(String) })
    },
  )

  it('for traces says that they cannot be taken yet, whatever their encoding', async () => {
    const headers = { 'content-type': 'application/x-protobuf' }
    const answer = await ground.send({ path: '/v1/traces', body: Buffer.from([10, 0]), headers })
    expect(answer).toMatchObject({ status: 501, json: { error: 'OpenTelemetry ingest is not available yet.' } })
  })
})

describe('a key', () => {
  it('needs the scope of what it is used for, and everybody else is refused', async () => {
    const own = await startGround({ slices: [...allSlices, registerTraceloop] })
    try {
      const admin = await firstKey(own)
      const made = await own.send({ path: '/api/v1/keys', key: admin, body: { name: 'reader', scopes: ['read'] } })
      const reader = String(made.json.key)
      const body = { input: { text: 'a' } }
      expect((await own.send({ path: '/v2/evaluators', key: reader })).status).toBe(200)
      expect(await own.send({ path: '/v2/guardrails/word-count/execute', key: reader, body })).toMatchObject({
        status: 403,
        json: { error: 'This key lacks the scope write.', code: 'forbidden' },
      })
      expect((await own.send({ path: '/v2/evaluators' })).status).toBe(401)
      const twice = { authorization: `Bearer Bearer ${admin}` }
      expect((await own.send({ path: '/v2/guardrails/word-count/execute', headers: twice, body })).status).toBe(200)
    } finally {
      await own.close()
    }
  })

  it('that asks more often than it may is kept waiting instead of being refused', async () => {
    const config = { rate_limits: { traces_per_minute: 0, reads_per_minute: 60, streams_per_minute: 0 } }
    const own = await startGround({ slices: [...allSlices, registerTraceloop], config })
    try {
      const key = await firstKey(own)
      // The server's clock stands still until it is moved, and so does the refilling of the limit.
      const { promise: refused, resolve: tell } = Promise.withResolvers<void>()
      const charge = own.access.charge.bind(own.access)
      own.access.charge = (request, reply, cost) => {
        try {
          return charge(request, reply, cost)
        } catch (error) {
          tell()
          throw error
        }
      }
      const ask = () => own.send({ path: '/v2/evaluators/word-count', key })
      const first = await Promise.all(Array.from({ length: 60 }, ask))
      expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200]))
      const late = ask()
      await refused
      own.clock.now += 1_000
      expect((await late).status).toBe(200)
    } finally {
      await own.close()
    }
  })
})

describe('a run', () => {
  const github = (tasks: unknown[], evaluators: string[] = ['obedient']) => ({
    path: '/v2/experiments/run-in-github',
    body: {
      experiment_slug: 'pr',
      evaluator_slugs: evaluators,
      task_results: tasks,
      github_context: { repository: 'o/r' },
    },
  })

  it('of a pull request names what could not be started, and evaluates the rest', async () => {
    const outputs = [{ what: 'pass' }, { other: 1 }, { what: 'fail' }, 'no object', null]
    const answer = await ground.send(github(outputs.map((output) => ({ input: {}, output }))))
    expect(answer.status, answer.text).toBe(200)
    expect(answer.json.errors).toEqual([
      { task_id: expect.any(String), evaluator: 'obedient', error: expect.stringContaining('what') },
    ])
    const exported = `/v2/experiments/pr/runs/${answer.json.run_id}/export/json`
    await expect
      .poll(
        async () => {
          const { json } = await ground.send({ path: exported })
          return json.tasks.map((task: { evaluations: { result: { pass: boolean } | null }[] }) =>
            task.evaluations.map(({ result }) => result?.pass ?? null),
          )
        },
        { timeout: 30_000 },
      )
      .toEqual([[true], [], [false], [], []])
    expect((await ground.send({ path: exported.replace('/pr/', '/other/') })).status).toBe(404)
  })

  it('may have as many tasks and evaluators as the limits say, and none more', async () => {
    const many = (count: number) => Array.from({ length: count }, () => ({ error: 'x' }))
    expect((await ground.send(github(many(limits.runTasks)))).status).toBe(200)
    expect((await ground.send(github(many(limits.runTasks + 1)))).status).toBe(422)
    const all = (count: number) => Array.from({ length: count }, () => 'obedient')
    expect((await ground.send(github([], all(limits.runEvaluators)))).status).toBe(200)
    expect((await ground.send(github([], all(limits.runEvaluators + 1)))).status).toBe(422)
  })

  it('takes no task of another run, and none for a run that is not there', async () => {
    const begin = async (slug: string) => {
      const { json } = await ground.send({ method: 'PUT', path: '/v2/experiments/initialize', body: { slug } })
      return `/v2/experiments/${slug}/runs/${json.run.id}/tasks`
    }
    const [one, two] = [await begin('one'), await begin('two')]
    const made = await ground.send({ path: one, body: { input: {}, output: {} } })
    const ask = { evaluator_slug: 'obedient', ...mapping({ what: 'pass' }) }
    expect((await ground.send({ path: `${one}/${made.json.id}`, body: ask })).status).toBe(200)
    expect(await ground.send({ path: `${two}/${made.json.id}`, body: ask })).toMatchObject({
      status: 404,
      json: { code: 'task_not_found' },
    })
    const nowhere = one.replace(/run_\w+/, 'run_none')
    expect((await ground.send({ path: nowhere, body: { input: {}, output: {} } })).status).toBe(404)
  })
})

describe('rows', () => {
  const add = (path: string, rows: number) =>
    ground.send({ path, body: { rows: Array.from({ length: rows }, () => ({ n: 1 })) } })

  it('come with the dataset up to the limit, and by pages up to another', async () => {
    const { json } = await ground.send({
      path: '/v2/datasets',
      body: { name: 'big', columns: [{ name: 'n', type: 'number' }] },
    })
    const path = `/v2/datasets/${json.slug}/rows`
    expect((await add(path, limits.foreignDatasetRows)).status).toBe(201)
    expect((await ground.send({ path: '/v2/datasets/big' })).json.rows).toHaveLength(limits.foreignDatasetRows)
    await add(path, limits.foreignPageRows)
    const whole = await ground.send({ path: '/v2/datasets/big' })
    expect(whole.json.rows).toHaveLength(limits.foreignDatasetRows)
    expect(whole.json.total_rows).toBe(limits.foreignDatasetRows + limits.foreignPageRows)
    const page = async (limit: number) => (await ground.send({ path: `${path}?limit=${limit}` })).json.rows.length
    expect(await page(limits.foreignPageRows)).toBe(limits.foreignPageRows)
    expect(await page(limits.foreignPageRows + 1)).toBe(limits.foreignPageRows)
  })

  it('are added as many at once as the limit says, and none more', async () => {
    await ground.send({ path: '/v2/datasets', body: { name: 'many', columns: [{ name: 'n', type: 'number' }] } })
    expect((await add('/v2/datasets/many/rows', limits.foreignRequestRows)).status).toBe(201)
    expect((await add('/v2/datasets/many/rows', limits.foreignRequestRows + 1)).status).toBe(422)
  })

  it('of one request may hold as many bytes as the limit says, and none more', async () => {
    await ground.send({ path: '/v2/datasets', body: { name: 'fat', columns: [{ name: 'n' }] } })
    const body = (bytes: number) => `{"rows":[]${' '.repeat(bytes - '{"rows":[]}'.length)}}`
    const path = '/v2/datasets/fat/rows'
    expect((await ground.send({ path, body: body(limits.foreignBodyBytes) })).status).toBe(201)
    expect((await ground.send({ path, body: body(limits.foreignBodyBytes + 1) })).status).toBe(413)
  })
})
