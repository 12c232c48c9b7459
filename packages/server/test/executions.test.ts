import { limits } from '@llm-eval/protocol'
import { execution, executionPage, startedExecution, startedExecutions } from '@llm-eval/protocol/evaluation-schemas'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { registerEvaluators } from '../src/evaluators/evaluators.ts'
import { registerExecutions } from '../src/executions/executions.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { type TestEvaluators, testEvaluators } from './evaluators-of-tests.ts'
import { allSlices, type Ground, startGround, trace } from './ground.ts'

const slices = [...allSlices, registerEvaluators, registerExecutions, registerTraces]

describe.each([
  ['in memory', false],
  ['over a socket', true],
])('executions %s', (_, overSocket) => {
  let ground: Ground
  let evaluators: TestEvaluators
  beforeAll(async () => {
    evaluators = testEvaluators()
    ground = await startGround({ slices, overSocket, engine: evaluators.engine })
  })
  afterAll(() => ground.close())
  beforeEach(() => evaluators.open())

  const execute = (slug: string, body: object) => ground.send({ path: `/api/v1/evaluators/${slug}/execute`, body })
  const get = (id: unknown, query = '') => ground.send({ path: `/api/v1/executions/${String(id)}${query}` })

  it('an evaluator is executed, and its result is fetched any number of times', async () => {
    const input = { response: 'Paris', reference: 'Paris' }
    const answer = await execute('exact_match', { input, wait: 30 })
    expect(answer.status).toBe(200)
    const { stream_url, events_url, ...told } = startedExecution.parse(answer.json)
    expect(told).toMatchObject({
      evaluator: 'exact-match',
      status: 'completed',
      error: null,
      trace_id: null,
      batch_id: null,
      score: {
        outcome: 'scored',
        value: 1,
        passed: true,
      },
    })
    expect(stream_url).toBe(`/executions/events/${told.execution_id}`)
    expect(events_url).toBe(`/api/v1/executions/${told.execution_id}/events`)
    for (let time = 0; time < 3; time++) expect((await get(told.execution_id)).json).toEqual(told)
  })

  it('whoever does not wait is told that it runs, and may wait later', async () => {
    evaluators.shut()
    const answer = await execute('gated', { input: { text: 'a' } })
    expect(answer.status).toBe(202)
    expect(answer.json).toMatchObject({ status: 'running', score: null, completed_at: null })
    const early = await get(answer.json.execution_id, '?wait=0')
    expect(execution.parse(early.json).status).toBe('running')
    const late = get(answer.json.execution_id, '?wait=60')
    evaluators.open()
    expect((await late).json).toMatchObject({ status: 'completed', score: { value: 1 } })
  })

  it('an evaluator that fails ends its execution as failed, with the reason, and never with a score of 0', async () => {
    const answer = await execute('failing', { input: { text: 'a' }, wait: 30 })
    expect(answer.json).toMatchObject({
      status: 'failed',
      error: { code: 'provider_error', message: 'The provider answered 500.' },
      score: { outcome: 'errored', value: null, passed: null, fault: 'provider_error' },
    })
  })

  it('a configuration makes a version of its own, and null members are none', async () => {
    const plain = await execute('gated', { input: { text: 'a' }, wait: 30 })
    const none = await execute('gated', { input: { text: 'a' }, config: { bonus: null }, wait: 30 })
    const more = await execute('gated', { input: { text: 'a' }, config: { bonus: 2 }, wait: 30 })
    expect(none.json.evaluator_version).toBe(plain.json.evaluator_version)
    expect(more.json.evaluator_version).not.toBe(plain.json.evaluator_version)
    expect(more.json.score.value).toBe(3)
  })

  it.each([
    ['an unknown slug', 'nobody', { input: { text: 'a' } }, 404, 'evaluator_not_found', []],
    ['an unknown version', 'gated', { input: { text: 'a' }, version: 'v0' }, 404, 'version_not_found', []],
    ['a missing field', 'gated', { input: {} }, 422, 'invalid_request', ['input.text']],
    ['no input at all', 'gated', {}, 422, 'invalid_request', ['input']],
    [
      'a wrong configuration',
      'gated',
      { input: { text: 'a' }, config: { bonus: 'x', more: 1 } },
      422,
      'invalid_request',
      ['config.bonus', 'config.more'],
    ],
    [
      'too long a wait',
      'gated',
      { input: { text: 'a' }, wait: limits.waitSeconds + 1 },
      422,
      'invalid_request',
      ['wait'],
    ],
    ['a trace that is not there', 'gated', { trace_id: 'gone' }, 404, 'trace_not_found', []],
  ])('%s is refused, and nothing is stored', async (...[, slug, body, status, code, paths]) => {
    const before = await ground.send({ path: '/api/v1/executions?limit=1' })
    const answer = await execute(slug, body)
    expect(answer.status, answer.text).toBe(status)
    expect(answer.json.code).toBe(code)
    expect((answer.json.errors ?? []).map(({ path }: { path: string }) => path)).toEqual(paths)
    expect((await ground.send({ path: '/api/v1/executions?limit=1' })).json.items).toEqual(before.json.items)
  })

  it('an input may hold as many bytes as the limit says, and not one more', async () => {
    const around = JSON.stringify({ text: '' }).length
    const fits = 'x'.repeat(limits.evaluationInputBytes - around)
    const most = await execute('char-count', { input: { text: fits }, wait: 30 })
    expect(most.json.score?.value).toBe(fits.length)
    const more = await execute('char-count', { input: { text: `${fits}x` } })
    expect([more.status, more.json.code]).toEqual([413, 'body_too_large'])
  })

  it('several are started together, all or none', async () => {
    const executions = [
      { evaluator: 'char-count', input: { text: 'four' } },
      { evaluator: 'gated', input: { text: 'a' } },
    ]
    const answer = await ground.send({ path: '/api/v1/executions', body: { executions, wait: 30 } })
    expect(answer.status).toBe(200)
    const { batch_id, executions: told } = startedExecutions.parse(answer.json)
    expect(told.map(({ score }) => score?.value)).toEqual([4, 1])
    const listed = await ground.send({ path: `/api/v1/executions?batch_id=${batch_id}` })
    expect(executionPage.parse(listed.json).items).toEqual([...told].reverse())

    const broken = [...executions, { evaluator: 'gated', input: {} }, { evaluator: 'gated', trace_id: 'gone' }]
    const refused = await ground.send({ path: '/api/v1/executions', body: { executions: broken } })
    expect(refused.json.errors).toEqual([{ path: 'executions[2].input.text', message: 'is required' }])
    const gone = [...executions, { evaluator: 'gated', trace_id: 'gone' }]
    const missing = await ground.send({ path: '/api/v1/executions', body: { executions: gone } })
    expect(missing.json.code).toBe('trace_not_found')
    const newest = await ground.send({ path: '/api/v1/executions?limit=1' })
    expect(newest.json.items[0].batch_id).toBe(batch_id)
  })

  it.each([
    ['as many as the limit says', limits.batchExecutions, 202],
    ['one more', limits.batchExecutions + 1, 422],
  ])('%s of a batch', async (_name, count, status) => {
    const executions = Array.from({ length: count }, () => ({ evaluator: 'char-count', input: { text: '' } }))
    const answer = await ground.send({ path: '/api/v1/executions', body: { executions } })
    expect(answer.status).toBe(status)
    if (status !== 202) return
    const { executions: started } = startedExecutions.parse(answer.json)
    await Promise.all(started.map(({ execution_id }) => get(execution_id, '?wait=60')))
  })

  it('a stored trace is evaluated, and the scores stand on it, in lists and filters', async () => {
    const id = `scored-${overSocket}`
    await ground.send({
      path: '/webhook/trace',
      body: trace({ trace_id: id, session_id: id, metadata: { reference: 'x' } }),
    })
    const answer = await ground.send({
      path: `/api/v1/traces/${id}/evaluate`,
      body: { evaluators: [{ slug: 'exact_match' }, { slug: 'char_count' }, { slug: 'latency' }], wait: 30 },
    })
    expect(answer.status).toBe(200)
    expect(answer.json.executions.map((one: { score: { outcome: string } }) => one.score.outcome)).toEqual([
      'scored',
      'scored',
      'skipped',
    ])
    const page = await ground.send({ path: `/api/v1/traces/${id}` })
    const scores: { evaluator: string; value: number | null; execution_id: string }[] = page.json.scores
    expect(Object.fromEntries(scores.map(({ evaluator, value }) => [evaluator, value]))).toEqual({
      'char-count': 'A subset of AI.'.length,
      'exact-match': 0,
      latency: null,
    })
    expect(scores.map((score) => score.execution_id).sort()).toEqual(
      answer.json.executions.map((one: { execution_id: string }) => one.execution_id).sort(),
    )
    const list = (query: string) => ground.send({ path: `/api/v1/traces?session_id=${id}&${query}` })
    expect((await list('evaluator=exact_match&passed=false')).json.items).toHaveLength(1)
    expect((await list('evaluator=exact_match&min_score=0.5')).json.items).toHaveLength(0)
    expect((await list('min_score=0.5')).json.errors[0].path).toBe('min_score')
    const stored = await ground.store.read(ground.access.home, 'execution', { id: scores[0]?.execution_id ?? '' })
    expect(stored?.input).toBeNull()
  })

  it('given fields are laid over what the trace gives', async () => {
    const id = `laid-${overSocket}`
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: id }) })
    const answer = await execute('exact-match', { trace_id: id, input: { reference: 'A subset of AI.' }, wait: 30 })
    expect(answer.json).toMatchObject({ trace_id: id, score: { value: 1 } })
  })

  it('one that runs is cancelled, stops, and stays cancelled', async () => {
    evaluators.shut()
    const { json: started } = await execute('gated', { input: { text: 'a' } })
    const { judge, access } = ground.deps
    const { signal } = new AbortController()
    const waiting = judge.executions.result(access.home, started.execution_id, { signal })
    const path = `/api/v1/executions/${started.execution_id}/cancel`
    const answer = await ground.send({ method: 'POST', path })
    expect([answer.status, answer.json.status, answer.json.score]).toEqual([200, 'cancelled', null])
    expect(await waiting).toEqual(answer.json)
    const again = await ground.send({ method: 'POST', path })
    expect([again.status, again.json.code]).toEqual([409, 'execution_over'])
    evaluators.open()
    expect((await get(started.execution_id)).json.status).toBe('cancelled')
    const unknown = await ground.send({ method: 'POST', path: '/api/v1/executions/nobody/cancel' })
    expect(unknown.json.code).toBe('execution_not_found')
  })

  it('lists go on by cursor, newest first, with filters', async () => {
    const page = await ground.send({ path: '/api/v1/executions?evaluator=char_count&status=completed&limit=2' })
    const first = executionPage.parse(page.json)
    expect(first.items.map(({ evaluator }) => evaluator)).toEqual(['char-count', 'char-count'])
    const next = await ground.send({
      path: `/api/v1/executions?evaluator=char_count&status=completed&limit=2&cursor=${first.next_cursor}`,
    })
    const second = executionPage.parse(next.json)
    expect(second.items).toHaveLength(2)
    expect(first.items.map((one) => one.execution_id)).not.toContain(second.items[0]?.execution_id)
    const wrong = await ground.send({ path: '/api/v1/executions?cursor=nonsense' })
    expect(wrong.json.errors[0].path).toBe('cursor')
  })

  it('they are counted by evaluator and outcome, with users own evaluators under one name', async () => {
    const metrics = await ground.send({ path: '/metrics' })
    expect(metrics.text).toMatch(/llm_eval_executions_total\{evaluator="exact-match",outcome="scored"\} [1-9]/)
    expect(metrics.text).toMatch(/llm_eval_executions_total\{evaluator="custom",outcome="errored"\} [1-9]/)
    expect(metrics.text).toMatch(/llm_eval_executions_in_flight 0/)
    expect(metrics.text).not.toContain('evaluator="gated"')
  })
})
