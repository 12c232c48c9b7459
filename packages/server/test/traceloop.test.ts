import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerTraceloop } from '../src/traceloop/traceloop.ts'
import { allSlices, type Ground, startGround } from './ground.ts'

let ground: Ground
beforeAll(async () => {
  ground = await startGround({ slices: [...allSlices, registerTraceloop] })
})
afterAll(() => ground.close())

const mapping = (input: Record<string, unknown>) => ({
  input_schema_mapping: Object.fromEntries(Object.entries(input).map(([field, source]) => [field, { source }])),
})

describe('an evaluator', () => {
  it.each(['/v2/evaluators/exact-match/executions', '/v2/evaluators/slug/exact-match/execute'])(
    'is started at %s with literal values, and its result is one JSON document',
    async (path) => {
      const begun = await ground.send({ path, body: mapping({ response: 'a', reference: 'a', unknown: { deep: 1 } }) })
      expect(begun.status, begun.text).toBe(200)
      const { execution_id: id, stream_url: url } = begun.json
      expect(url).toBe(`/executions/events/${id}`)
      for (const accept of ['text/event-stream', 'application/json']) {
        const result = await ground.send({ path: `/v2${url}`, headers: { accept } })
        expect(result.status).toBe(200)
        expect(result.json).toMatchObject({ execution_id: id, result: { evaluator_result: { pass: true } } })
      }
    },
  )
})
