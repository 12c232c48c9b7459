import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerEvaluators } from '../src/evaluators/evaluators.ts'
import { registerExecutions } from '../src/executions/executions.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { allSlices, type Ground, startGround, trace } from './ground.ts'

const slices = [...allSlices, registerEvaluators, registerExecutions, registerTraces]

describe.each([
  ['in memory', false],
  ['over a socket', true],
])('executions %s', (_, overSocket) => {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround({ slices, overSocket })
  })
  afterAll(() => ground.close())

  const execute = (slug: string, body: object) => ground.send({ path: `/api/v1/evaluators/${slug}/execute`, body })

  it('an evaluator is executed and its result is there when the request waits for it', async () => {
    const input = { response: 'Paris', reference: 'Paris' }
    const answer = await execute('exact-match', { input, wait: 30 })
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      evaluator: 'exact-match',
      status: 'completed',
      score: { outcome: 'scored', value: 1, passed: true },
      error: null,
    })
    const again = await ground.send({ path: `/api/v1/executions/${answer.json.execution_id}` })
    expect(again.json).toEqual(
      Object.fromEntries(Object.entries(answer.json).filter(([name]) => !name.endsWith('_url'))),
    )
  })

  it('a stored trace is evaluated, and the scores stand on it', async () => {
    await ground.send({ path: '/webhook/trace', body: trace({ trace_id: 'scored', metadata: { reference: 'x' } }) })
    const answer = await ground.send({
      path: '/api/v1/traces/scored/evaluate',
      body: { evaluators: [{ slug: 'exact_match' }, { slug: 'char_count' }], wait: 30 },
    })
    expect(answer.json.executions.map(({ status }: { status: string }) => status)).toEqual(['completed', 'completed'])
    expect(answer.status).toBe(200)
    const page = await ground.send({ path: '/api/v1/traces/scored' })
    expect(page.json.scores.map(({ evaluator }: { evaluator: string }) => evaluator).sort()).toEqual([
      'char-count',
      'exact-match',
    ])
  })
})
