import { rule } from '@llm-eval/protocol/evaluation-schemas'
import { limits } from '@llm-eval/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registerEvaluators } from '../src/evaluators/evaluators.ts'
import { registerExecutions } from '../src/executions/executions.ts'
import { registerRules } from '../src/rules/rules.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { type TestEvaluators, testEvaluators } from './evaluators-of-tests.ts'
import { allSlices, type Ground, startGround, trace } from './ground.ts'
import { until } from './faults/audit.ts'

const slices = [...allSlices, registerEvaluators, registerExecutions, registerTraces, registerRules]

let ground: Ground
let evaluators: TestEvaluators
beforeEach(async () => {
  evaluators = testEvaluators()
  evaluators.open()
  ground = await startGround({ slices, engine: evaluators.engine })
})
afterEach(() => {
  ground.closing.abort()
  return ground.close()
})

const make = (fields: object = {}) =>
  ground.send({ path: '/api/v1/rules', body: { name: 'r', evaluators: [{ slug: 'paid' }], ...fields } })
const send = (id: string, fields: object = {}) =>
  ground.send({ path: '/webhook/trace', body: trace({ trace_id: id, ...fields }) })

/** Evaluators that a trace has scores of, once there are so many. */
async function scoresOf(id: string, count: number): Promise<string[]> {
  const read = async () => {
    const { json } = await ground.send({ path: `/api/v1/traces/${id}` })
    return json.scores.map(({ evaluator }: { evaluator: string }) => evaluator) as string[]
  }
  return (await until(read, (scores) => scores.length >= count)).sort()
}

/** Evaluators that were asked for a trace, whatever became of them. */
async function askedFor(id: string): Promise<string[]> {
  const { json } = await ground.send({ path: `/api/v1/executions?trace_id=${id}` })
  return json.items.map(({ evaluator }: { evaluator: string }) => evaluator) as string[]
}

const today = async (id: string) => (await ground.send({ path: `/api/v1/rules/${id}` })).json.today

describe('a rule', () => {
  it('evaluates new traces that fit its filter, and no older ones', async () => {
    await send('before')
    ground.clock.now += 1
    const { json, status } = await make({
      filter: { source: 'app' },
      evaluators: [{ slug: 'paid' }, { slug: 'char_count' }],
    })
    expect(status).toBe(201)
    rule.parse(json)
    await send('other', { source: 'elsewhere' })
    await send('fits', { source: 'app' })
    expect(await scoresOf('fits', 2)).toEqual(['char-count', 'paid'])
    const { json: page } = await ground.send({ path: '/api/v1/traces/fits' })
    expect(page.scores.map((score: { rule: string }) => score.rule)).toEqual(['r', 'r'])
    expect(await askedFor('other')).toEqual([])
    expect(await askedFor('before')).toEqual([])
    expect(await today(json.id)).toEqual({ executions: 2, cost: 0.25, unknown_costs: 0, limited: 0 })
  })

  it('changes take effect at once: disabled, changed and deleted', async () => {
    const { json } = await make()
    const path = `/api/v1/rules/${json.id}`
    await ground.send({ method: 'PATCH', path, body: { evaluators: [{ slug: 'char-count' }] } })
    await send('changed')
    expect(await scoresOf('changed', 1)).toEqual(['char-count'])
    const second = await make({ name: 'marker', evaluators: [{ slug: 'word-count' }] })
    const disabled = await ground.send({ method: 'PATCH', path, body: { enabled: false } })
    expect(disabled.json).toMatchObject({ enabled: false, sampling_rate: 1, evaluators: [{ slug: 'char-count' }] })
    await send('disabled')
    // The marker is of the same step, so what the other rule wants would be there.
    await scoresOf('disabled', 1)
    expect(await askedFor('disabled')).toEqual(['word-count'])
    expect((await ground.send({ method: 'DELETE', path })).json).toEqual({ deleted: 1 })
    expect((await ground.send({ path })).json.code).toBe('rule_not_found')
    const { json: list } = await ground.send({ path: '/api/v1/rules' })
    expect(list.items.map((one: { id: string }) => one.id)).toEqual([second.json.id])
  })

  it('takes the share of the traces that it is told, the same ones whoever asks', async () => {
    await make({ sampling_rate: 0.3, evaluators: [{ slug: 'char-count' }] })
    await make({ name: 'marker', evaluators: [{ slug: 'word-count' }] })
    const ids = Array.from({ length: 100 }, (_, index) => `s${index}`)
    const traces = ids.map((id) => trace({ trace_id: id }))
    await ground.send({ path: '/webhook/batch', body: { source: 'test', traces } })
    const scored = await Promise.all(ids.map((id) => scoresOf(id, 1)))
    await until(
      async () => (await ground.send({ path: '/api/v1/executions?status=running' })).json.items.length,
      (running) => running === 0,
    )
    const taken = (await Promise.all(ids.map((id) => scoresOf(id, 1)))).filter((one) => one.includes('char-count'))
    expect(scored).toHaveLength(100)
    // Of 100 with a share of 0.3, 1 in 10 million lies outside.
    expect(taken.length).toBeGreaterThan(6)
    expect(taken.length).toBeLessThan(56)
  })

  it('spends no more than its day allows, and says how many it passed over; the next day it goes on', async () => {
    const { json } = await make({ daily_cost_limit: 0.2 })
    await send('paid')
    expect(await scoresOf('paid', 1)).toEqual(['paid'])
    await send('late')
    await until(
      async () => (await today(json.id)).limited,
      (limited) => limited === 1,
    )
    expect(await today(json.id)).toEqual({ executions: 1, cost: 0.25, unknown_costs: 0, limited: 1 })
    ground.clock.now += 86_400_000
    await send('tomorrow')
    expect(await scoresOf('tomorrow', 1)).toEqual(['paid'])
    expect(await askedFor('late')).toEqual([])
  })

  it('with a limit, a cost that nobody knows ends the day; without one it does not', async () => {
    evaluators.usage.cost = null
    const { json } = await make({ daily_cost_limit: 100 })
    await send('unknown')
    await scoresOf('unknown', 1)
    await send('late')
    await until(
      async () => (await today(json.id)).limited,
      (limited) => limited === 1,
    )
    expect(await today(json.id)).toEqual({ executions: 1, cost: 0, unknown_costs: 1, limited: 1 })
    await ground.send({ method: 'PATCH', path: `/api/v1/rules/${json.id}`, body: { daily_cost_limit: null } })
    await send('free')
    expect(await scoresOf('free', 1)).toEqual(['paid'])
  })

  it('with a limit, a judge that was given up ends the day: nobody knows what it spent', async () => {
    const { json } = await make({ daily_cost_limit: 100, evaluators: [{ slug: 'silent' }] })
    await send('given-up')
    await scoresOf('given-up', 1)
    await send('late')
    await until(
      async () => (await today(json.id)).limited,
      (limited) => limited === 1,
    )
    expect(await today(json.id)).toEqual({ executions: 1, cost: 0, unknown_costs: 1, limited: 1 })
  })

  it('executions that are under way look at the limit when their turn comes', async () => {
    const { json } = await make({ daily_cost_limit: 1 })
    const ids = Array.from({ length: 60 }, (_, index) => `m${index}`)
    const traces = ids.map((id) => trace({ trace_id: id }))
    await ground.send({ path: '/webhook/batch', body: { source: 'test', traces } })
    await until(
      async () => (await today(json.id)).executions,
      (executions) => executions === 60,
    )
    // Four for the limit, and as many more as judges run at the same time (4 here).
    expect((await today(json.id)).cost).toBeLessThanOrEqual(2)
    const { json: skipped } = await ground.send({
      path: '/api/v1/traces?evaluator=paid&score_outcome=skipped&limit=200',
    })
    expect(skipped.items.length).toBeGreaterThanOrEqual(52)
  })

  const paid = (count: number) => Array.from({ length: count }, () => ({ slug: 'paid' }))
  const wrong = [{ slug: 'gated', config: { bonus: 'x' } }]
  it.each([
    ['an evaluator that is not there', { evaluators: [{ slug: 'nobody' }] }, [404, undefined]],
    ['a wrong configuration', { evaluators: wrong }, [422, 'evaluators[0].config.bonus']],
    ['no share at all', { sampling_rate: 0 }, [422, 'sampling_rate']],
    ['a share above all', { sampling_rate: 1.01 }, [422, 'sampling_rate']],
    ['as many evaluators as it may', { evaluators: paid(limits.ruleEvaluators) }, [201, undefined]],
    ['one more', { evaluators: paid(limits.ruleEvaluators + 1) }, [422, 'evaluators']],
  ])('with %s', async (_name, fields, expected) => {
    const answer = await make(fields)
    expect([answer.status, answer.json.errors?.[0]?.path]).toEqual(expected)
  })

  it('there may be so many of a project, and not one more', async () => {
    for (let index = 0; index < limits.rules; index++) await make({ name: `r${index}`, enabled: false })
    const more = await make()
    expect([more.status, more.json.code]).toEqual([409, 'limit_reached'])
  })
})
