import type { NewTrace, TraceOutcome } from '@llm-eval/store'
import { describe, expect, it } from 'vitest'
import type { AcceptedTrace } from '../intake/prepare.ts'
import { batchAnswer, type Fate, singleAnswer } from './answers.ts'

const accepted = (traceId: string): AcceptedTrace => ({ trace: { traceId } as NewTrace, warnings: [] })
const fate = (traceId: string, outcome: TraceOutcome): Fate => ({ item: accepted(traceId), outcome })

describe('a trace that the database refuses', () => {
  const outcome: TraceOutcome = { status: 'invalid', error: 'the database cannot store this trace' }

  it('is invalid when it came alone', () => {
    expect(() => singleAnswer(accepted('a'), outcome)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        status: 422,
        errors: [{ path: '', message: 'the database cannot store this trace' }],
      }) as Error,
    )
  })

  it('is invalid in its batch, and its neighbours are not', () => {
    const { status, body } = batchAnswer({
      batchId: 'b',
      fates: [fate('a', outcome), fate('b', { status: 'created' })],
      warnings: [],
    })
    expect(status).toBe(207)
    expect(body).toMatchObject({
      processed_count: 1,
      errors: ['traces[0]: the database cannot store this trace'],
      trace_ids: ['b'],
      results: [
        { trace_id: 'a', status: 'invalid', error: 'the database cannot store this trace' },
        { status: 'created' },
      ],
    })
  })
})
