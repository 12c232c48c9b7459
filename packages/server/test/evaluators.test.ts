import { calibration, evaluatorDetail, evaluatorList, evaluatorVersions } from '@llm-eval/protocol/evaluation-schemas'
import { limits } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerEvaluators } from '../src/evaluators/evaluators.ts'
import { registerExecutions } from '../src/executions/executions.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { type TestEvaluators, testEvaluators } from './evaluators-of-tests.ts'
import { allSlices, type Ground, startGround, trace } from './ground.ts'

const slices = [...allSlices, registerEvaluators, registerExecutions, registerTraces]
const preset = (config: object = {}) => ({ kind: 'preset', base: 'contains', config })

describe.each([
  ['in memory', false],
  ['over a socket', true],
])('the catalogue %s', (_, overSocket) => {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround({ slices, overSocket, engine: testEvaluators().engine })
  })
  afterAll(() => ground.close())

  const list = async (query = '') => {
    const answer = await ground.send({ path: `/api/v1/evaluators${query}` })
    return evaluatorList.parse(answer.json).items.map(({ slug }) => slug)
  }
  const create = (body: object) => ground.send({ path: '/api/v1/evaluators', body })
  const at = (slug: string, rest = '') => ({ path: `/api/v1/evaluators/${slug}${rest}` })

  it('lists what is built in and what modules bring, by kind, category, source and words', async () => {
    const all = await list()
    expect(all).toEqual(expect.arrayContaining(['exact-match', 'regex-validator', 'gated']))
    expect(await list('?source=custom')).toEqual(['failing', 'gated', 'paid', 'silent'])
    expect(await list('?kind=custom')).toEqual(['failing', 'gated', 'paid', 'silent'])
    expect((await list('?category=safety')).length).toBeGreaterThan(0)
    expect(await list('?q=EXACT+match')).toContain('exact-match')
    expect(await list('?q=nothing-like-this')).toEqual([])
    expect((await ground.send({ path: '/api/v1/evaluators?kind=x' })).json.errors[0].path).toBe('kind')
  })

  it('shows one by slug or alias, however it is spelled', async () => {
    for (const slug of ['exact-match', 'exact_match', 'Exact_Match', 'accuracy']) {
      const { json } = await ground.send(at(slug))
      expect(evaluatorDetail.parse(json)).toMatchObject({ slug: 'exact-match', source: 'builtin', definition: null })
    }
    const { json } = await ground.send(at('exact-match', '/versions'))
    expect(evaluatorVersions.parse(json).items).toHaveLength(1)
    expect((await ground.send(at('nobody'))).json.code).toBe('evaluator_not_found')
  })

  it('takes evaluators of ones own, whose versions never change', async () => {
    const made = await create({ slug: 'says_hello', definition: preset({ values: ['hello'] }) })
    expect(made.status, made.text).toBe(201)
    const first = evaluatorDetail.parse(made.json)
    expect(first).toMatchObject({ slug: 'says-hello', source: 'custom', description: '' })
    const renamed = await ground.send({
      ...at('says-hello'),
      method: 'PATCH',
      body: { name: 'Greets', description: 'It.' },
    })
    expect(renamed.json).toMatchObject({ name: 'Greets', description: 'It.', version: first.version })
    ground.clock.now += 1
    const changed = await ground.send({
      ...at('says-hello'),
      method: 'PATCH',
      body: { definition: preset({ values: ['good day'] }) },
    })
    expect(changed.json.version).not.toBe(first.version)
    const { json: versions } = await ground.send(at('says-hello', '/versions'))
    expect(versions.items.map(({ version }: { version: string }) => version)).toEqual([
      changed.json.version,
      first.version,
    ])

    const run = (version: string | null) =>
      ground.send({ ...at('says-hello', '/execute'), body: { input: { text: 'hello' }, version, wait: 30 } })
    expect((await run(null)).json).toMatchObject({ evaluator_version: changed.json.version, score: { passed: false } })
    expect((await run(first.version)).json).toMatchObject({ evaluator_version: first.version, score: { passed: true } })
    expect((await run('v0')).json.code).toBe('version_not_found')

    expect((await ground.send({ ...at('says-hello'), method: 'DELETE' })).json).toEqual({ deleted: 1 })
    expect((await ground.send(at('says-hello'))).status).toBe(404)
    expect((await create({ slug: 'says-hello', definition: preset() })).status).toBe(201)
  })

  it.each([
    ['the slug of a built-in one', { slug: 'exact_match', definition: preset() }, [409, 'builtin_evaluator']],
    ['an alias of a built-in one', { slug: 'accuracy', definition: preset() }, [409, 'builtin_evaluator']],
    ['the slug of one of a module', { slug: 'gated', definition: preset() }, [409, 'builtin_evaluator']],
    ['a slug that is none', { slug: 'No Slug', definition: preset() }, [422, 'invalid_request']],
    ['a kind that is none', { slug: 'a', definition: { kind: 'x' } }, [422, 'invalid_request']],
    ['a base that is none', { slug: 'a', definition: { kind: 'preset', base: 'nobody' } }, [422, 'invalid_request']],
    ['a wrong configuration', { slug: 'a', definition: preset({ values: 7 }) }, [422, 'invalid_request']],
    [
      'more bytes than a definition may have',
      { slug: 'a', definition: preset({ values: ['x'.repeat(limits.evaluatorBytes)] }) },
      [413, 'body_too_large'],
    ],
  ])('%s is refused', async (_name, body, expected) => {
    const answer = await create(body)
    expect([answer.status, answer.json.code]).toEqual(expected)
    const errors: { path: string }[] = answer.json.errors ?? []
    expect(errors.every(({ path }) => /^(slug|definition)/.test(path))).toBe(true)
  })

  it('a slug that is taken is refused, and built-in ones cannot be changed', async () => {
    const body = { slug: 'twice', definition: preset({ values: ['a'] }) }
    expect((await create(body)).status).toBe(201)
    expect((await create(body)).json.code).toBe('slug_taken')
    for (const method of ['PATCH', 'DELETE'] as const) {
      const answer = await ground.send({ ...at('exact_match'), method, ...(method === 'PATCH' ? { body: {} } : {}) })
      expect([answer.status, answer.json.code]).toEqual([409, 'builtin_evaluator'])
    }
    expect((await ground.send({ ...at('nobody'), method: 'DELETE' })).status).toBe(404)
  })
})

describe('a calibration', () => {
  let ground: Ground
  let evaluators: TestEvaluators
  beforeAll(async () => {
    evaluators = testEvaluators()
    ground = await startGround({ slices, engine: evaluators.engine })
  })
  afterAll(() => ground.close())

  const path = '/api/v1/evaluators/paid/calibration'
  const measure = () => ground.send({ path, method: 'POST' })

  /** A trace that the judge passes or fails and a person accepts or rejects; either may stay away. */
  async function judged(id: string, verdicts: { passed?: boolean; accepted?: boolean }): Promise<void> {
    const ai_response = verdicts.passed === false ? 'a bad answer' : 'a good answer'
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: id, ai_response }) })
    if (verdicts.passed !== undefined)
      await ground.send({ path: `/api/v1/traces/${id}/evaluate`, body: { evaluators: [{ slug: 'paid' }], wait: 30 } })
    if (verdicts.accepted === undefined) return
    const review = verdicts.accepted ? { status: 'accepted' } : { status: 'rejected', reason: 'other' }
    await ground.send({ method: 'PATCH', path: `/api/v1/traces/${id}/review`, body: review })
  }

  it('was never made, then says how the judge agrees with people, then drifts with the model', async () => {
    expect((await ground.send({ path })).json.code).toBe('calibration_not_found')
    for (let index = 0; index < 6; index++) await judged(`tp${index}`, { passed: true, accepted: true })
    for (let index = 0; index < 3; index++) await judged(`tn${index}`, { passed: false, accepted: false })
    await judged('fp', { passed: true, accepted: false })
    await judged('fn', { passed: false, accepted: true })
    await judged('judge-only', { passed: true })
    await judged('human-only', { accepted: true })
    const made = await measure()
    expect(made.status, made.text).toBe(200)
    const told = calibration.parse(made.json)
    expect(told).toMatchObject({
      evaluator: 'paid',
      state: 'current',
      n: 11,
      judge_only: 1,
      human_only: 1,
      confusion: {
        true_positive: 6,
        false_positive: 1,
        true_negative: 3,
        false_negative: 1,
      },
      false_positives: ['fp'],
      false_negatives: ['fn'],
      agreement: {
        estimate: 9 / 11,
        n: 11,
        level: 0.95,
      },
      raw_rate: {
        estimate: 8 / 12,
        n: 12,
      },
    })
    // (9/11 - (7*7 + 4*4)/121) / (1 - (7*7 + 4*4)/121)
    expect(told.kappa?.estimate).toBeCloseTo((9 / 11 - 65 / 121) / (1 - 65 / 121), 10)
    // (8/12 + 3/4 - 1) / (6/7 + 3/4 - 1)
    expect(told.corrected_rate?.estimate).toBeCloseTo((8 / 12 + 3 / 4 - 1) / (6 / 7 + 3 / 4 - 1), 10)
    expect((await ground.send({ path })).json).toEqual(told)

    evaluators.usage.model = 'judge-2'
    await judged('tp0', { passed: true })
    expect((await ground.send({ path })).json.state).toBe('drifted')
    expect((await measure()).json.state).toBe('current')
    expect((await ground.send({ path })).json.state).toBe('current')
  })

  it('expires when the evaluator changes', async () => {
    const make = (method: 'POST' | 'PATCH', values: string[]) => {
      const definition = preset({ values })
      return method === 'POST'
        ? ground.send({ path: '/api/v1/evaluators', body: { slug: 'mine', definition } })
        : ground.send({ path: '/api/v1/evaluators/mine', method, body: { definition } })
    }
    await make('POST', ['good'])
    const own = '/api/v1/evaluators/mine/calibration'
    const empty = await ground.send({ path: own, method: 'POST' })
    expect(empty.json).toMatchObject({ n: 0, kappa: null, agreement: null, raw_rate: null, corrected_rate: null })
    await make('PATCH', ['better'])
    expect((await ground.send({ path: own })).json.state).toBe('expired')
  })
})
