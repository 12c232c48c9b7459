import type { NewExecution, Store } from '@llm-eval/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registerEvaluators } from '../src/evaluators/evaluators.ts'
import { registerExecutions } from '../src/executions/executions.ts'
import { type TestEvaluators, testEvaluators } from './evaluators-of-tests.ts'
import { until } from './faults/audit.ts'
import { allSlices, type Ground, startGround } from './ground.ts'
import { watched } from './watched-store.ts'

const slices = [...allSlices, registerEvaluators, registerExecutions]

let evaluators: TestEvaluators
let ground: Ground
/** Fails the next reading of versions. */
let broken: boolean
/** Called after the head was read, with what was read. */
let afterHead: (() => Promise<void>) | undefined
beforeEach(async () => {
  evaluators = testEvaluators()
  broken = false
  afterHead = undefined
  ground = await startGround({ slices, engine: evaluators.engine, wrap: faulty })
})
afterEach(() => {
  ground.closing.abort()
  return ground.close()
})

function faulty(store: Store): Store {
  return {
    ...watched(store, []),
    async read(project, query, args) {
      if (query === 'evaluatorVersions' && broken) {
        broken = false
        throw new Error('the database is away')
      }
      const answer = await store.read(project, query, args)
      if (query === 'head') await afterHead?.()
      return answer
    },
  }
}

/** One that a process which is gone has left behind. */
async function leave(more: Partial<NewExecution> = {}): Promise<string> {
  const execution = {
    id: `exe_${crypto.randomUUID()}`,
    evaluator: 'exact-match',
    version: evaluators.engine.info('exact-match')?.version ?? '',
    input: JSON.stringify({ response: 'a', reference: 'a' }),
    config: null,
    traceId: null,
    ruleId: null,
    batchId: null,
    taskId: null,
    ...more,
  }
  const start = { kind: 'startExecutions' as const, executions: [execution], owner: 'gone', at: 0, leaseMs: 0 }
  await ground.store.apply(ground.access.home, start)
  return execution.id
}

const stored = (id: string) => ground.store.read(ground.access.home, 'execution', { id })
const over = (id: string) =>
  until(
    () => stored(id),
    (one) => one?.completedAt !== null,
  )
const metrics = async () => (await ground.send({ path: '/metrics' })).text

describe('an execution that another process left behind', () => {
  it('is run, as it was asked for', async () => {
    expect(await over(await leave())).toMatchObject({ status: 'completed', attempt: 2, score: { value: 1 } })
  })

  it('fails where its evaluator is another version by now: its score would stand under the wrong one', async () => {
    const ended = await over(await leave({ version: 'of before' }))
    expect(ended).toMatchObject({ status: 'failed', score: null, error: { code: 'version_not_found' } })
  })

  it('is cancelled where the rule that asked is gone, and its limit with it', async () => {
    expect(await over(await leave({ ruleId: 'rul_gone' }))).toMatchObject({ status: 'cancelled', score: null })
  })

  it('that could not be taken is taken again when its time is up, whatever else is held', async () => {
    const made = { slug: 'mine', definition: { kind: 'preset', base: 'exact-match' } }
    const { json } = await ground.send({ path: '/api/v1/evaluators', body: made })
    broken = true
    const id = await leave({ evaluator: 'mine', version: json.version })
    const second = await leave()
    await until(
      async () => broken,
      (still) => !still,
    )
    expect(await over(second)).toMatchObject({ status: 'completed' })
    // What is held for longer is what is run here, and this one is not.
    await ground.send({ path: '/api/v1/evaluators/gated/execute', body: { input: { text: 'a' } } })
    ground.clock.now += 31_000
    expect(await over(id)).toMatchObject({ status: 'completed', attempt: 3 })
  })
})

describe('an execution that is held', () => {
  it('is run once, though its time ran out while the machine slept', async () => {
    const { json } = await ground.send({ path: '/api/v1/evaluators/gated/execute', body: { input: { text: 'a' } } })
    const id: string = json.execution_id
    ground.clock.now += 31_000
    await until(
      () => stored(id),
      (one) => one?.attempt === 2,
    )
    evaluators.open()
    expect(await over(id)).toMatchObject({ status: 'completed', score: { value: 1 } })
    expect(evaluators.gatedInputs).toEqual(['a'])
    await until(metrics, (text) => /^llm_eval_executions_in_flight 0$/m.test(text))
  })

  it('is counted when it is cancelled', async () => {
    const { json } = await ground.send({ path: '/api/v1/evaluators/gated/execute', body: { input: { text: 'a' } } })
    await ground.send({ method: 'POST', path: `/api/v1/executions/${json.execution_id}/cancel` })
    expect(await metrics()).toMatch(/llm_eval_executions_total\{evaluator="custom",outcome="cancelled"\} 1/)
  })
})

it('who is told the end while it comes about has nothing more to hear', async () => {
  const { json } = await ground.send({ path: '/api/v1/evaluators/gated/execute', body: { input: { text: 'a' } } })
  const origin = await ground.origin()
  let heads = 0
  afterHead = async () => {
    // The first is that of the request, the second that of the journal; how things stand is told after the third.
    if (++heads !== 3) return
    await ground.send({ method: 'POST', path: `/api/v1/executions/${json.execution_id}/cancel` })
  }
  const told = await (await fetch(`${origin}${json.events_url}`)).text()
  const ids = [...told.matchAll(/^id: ?(.+)$/gm)].map(([, id]) => id ?? '')
  expect(told).toContain('"status":"cancelled"')
  const again = await fetch(`${origin}${json.events_url}`, { headers: { 'last-event-id': ids.at(-1) ?? '' } })
  expect([again.status, await again.text()]).toEqual([204, ''])
})
