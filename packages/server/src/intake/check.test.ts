import { limits } from '@llm-eval/protocol'
import { traceInput } from '@llm-eval/protocol/schemas'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkTrace, quickCheck } from './check.ts'

const good = { trace_id: 't', model_name: 'm', user_query: '', ai_response: '' }

const nameLike = fc.oneof(
  fc.constantFrom(
    'a',
    ' a ',
    '',
    ' ',
    'a\0',
    '\ud800',
    'é'.repeat(200),
    '漢'.repeat(170),
    '漢'.repeat(171),
    '😀'.repeat(100),
    'x'.repeat(200),
    'x'.repeat(201),
    'a\u007f',
    '.',
    ' .. ',
    '...',
  ),
  fc.string(),
  fc.string({ unit: 'binary' }),
)
const times = fc.constantFrom(
  '2025-01-27T12:00:00Z',
  '2025-01-27T12:00',
  '2025-01-27 12:00:00Z',
  '2025-02-29T12:00:00Z',
  '2024-02-29T23:59:60Z',
  '2024-02-29T23:59:59.123456789+05:30',
  '0000-01-01T00:00:00-23:59',
  '9999-12-31T23:59:59Z',
  '2025-01-27T24:00:00Z',
  '2025-01-27',
  'yesterday',
  '2025-01-27T12:00:00z',
)
const numbers = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    1.5,
    -1,
    limits.countMax,
    limits.countMax + 1,
    limits.costMax,
    limits.costMax + 0.001,
    Infinity,
    Number.NaN,
    2 ** 53,
  ),
  fc.double(),
)
const calls = fc.array(
  fc.oneof(
    fc.record(
      { name: fc.constantFrom('f', '', 'x'.repeat(200), 'x'.repeat(201), 5), parameters: fc.jsonValue() },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  ),
  { maxLength: 3 },
)
const values = fc.oneof(
  nameLike,
  times,
  numbers,
  calls,
  fc.jsonValue(),
  fc.constant(null),
  fc.constant(undefined),
  fc.object(),
)
const anyTrace = fc
  .dictionary(fc.constantFrom(...Object.keys(traceInput.shape)), values)
  .map((fields): Record<string, unknown> => ({ ...good, ...fields }))

const calledTimes = (times: number) => Array.from({ length: times }, () => ({ name: 'f' }))

/** Equal, where undefined, null and absent are the same. */
function given(trace: object): object {
  return Object.fromEntries(Object.entries(trace).filter(([, value]) => value !== undefined && value !== null))
}

describe('checkTrace', () => {
  it('accepts exactly what the schema accepts, and makes the same of it', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const wanted = traceInput.safeParse(trace)
        const seen = checkTrace(trace, '')
        expect(Array.isArray(seen)).toBe(!wanted.success)
        if (wanted.success) expect(given(seen)).toEqual(given(wanted.data))
      }),
      { numRuns: 3_000 },
    )
  })

  it('checks ordinary traces without asking the schema', () => {
    expect(
      quickCheck({
        ...good,
        timestamp: '2025-01-27T12:00:00Z',
        cost: 0.1,
        functions_called: [{ name: 'f' }],
        metadata: { constructor: 1 },
      }),
    ).toBeDefined()
  })

  it('says for each fault where it is and what is wanted', () => {
    const faults = checkTrace(
      { trace_id: 5, user_query: 'q', ai_response: null, cost: Infinity, tokens_used: 1.5, metadata: [] },
      'traces[3]',
    )
    expect(faults).toEqual([
      { path: 'traces[3].trace_id', message: 'must be of type string, not number' },
      { path: 'traces[3].model_name', message: 'is required' },
      { path: 'traces[3].ai_response', message: 'must be of type string, not null' },
      { path: 'traces[3].metadata', message: 'must be of type object, not array' },
      { path: 'traces[3].tokens_used', message: 'must be a whole number' },
      { path: 'traces[3].cost', message: 'must be of type number, not Infinity' },
    ])
  })

  it.each([
    ['user_query', 'x'.repeat(limits.textChars), 'x'.repeat(limits.textChars + 1)],
    ['ai_response', 'x'.repeat(limits.textChars), 'x'.repeat(limits.textChars + 1)],
    ['system_prompt', 'x'.repeat(limits.textChars), 'x'.repeat(limits.textChars + 1)],
    ['trace_id', 'x'.repeat(limits.nameChars), 'x'.repeat(limits.nameChars + 1)],
    ['model_name', '漢'.repeat(170), '漢'.repeat(171)],
    ['functions_called', calledTimes(limits.functionCalls), calledTimes(limits.functionCalls + 1)],
    ['tokens_used', limits.countMax, limits.countMax + 1],
    ['response_time_ms', limits.countMax, limits.countMax + 1],
    ['response_time_ms', 0, -0.001],
    ['cost', limits.costMax, limits.costMax + 0.001],
  ])('accepts %s at its limit and refuses it one past', (field, atLimit, past) => {
    expect(checkTrace({ ...good, [field]: atLimit }, '')).toMatchObject({ trace_id: expect.any(String) as string })
    expect(checkTrace({ ...good, [field]: past }, '')).toMatchObject([{ path: field }])
  })
})
