import { describe, expect, test } from 'vitest'
import { row } from '../../test/sample-traces.ts'
import { apiQuery, belongs, readSearch } from './filters.ts'

const now = Date.parse('2025-01-27T13:00:00Z')

describe('a filter in the address', () => {
  test('is read with what can be used, and without the rest', () => {
    expect(
      readSearch({
        q: '  refund ',
        model: 'gpt-4',
        status: 'rejected',
        min_cost: '0.05',
        max_latency: '1e9',
        user: '',
        x: 'y',
      }),
    ).toEqual({ q: 'refund', model: 'gpt-4', status: 'rejected', min_cost: '0.05' })
    expect(readSearch({ status: 'wrong', range: 'toString', from: 'yesterday', q: 7 })).toEqual({})
  })

  test('with a range leaves the times out: the two do not go together', () => {
    expect(readSearch({ range: '1h', from: '2025-01-01T00:00:00Z' })).toEqual({ range: '1h' })
  })

  test('is cut where the server would refuse it', () => {
    expect(readSearch({ q: 'x'.repeat(500) }).q).toHaveLength(200)
    expect(readSearch({ model: 'm'.repeat(500) }).model).toHaveLength(200)
  })

  test('becomes the query of the API, a range counting back from now', () => {
    const query = apiQuery({ q: 'a b', status: 'pending', session: 's', range: '15m', max_cost: '1' }, now)
    expect(Object.fromEntries(query)).toEqual({
      q: 'a b',
      evaluation_status: 'pending',
      session_id: 's',
      from: '2025-01-27T12:45:00.000Z',
      max_cost: '1',
    })
  })
})

describe('a new trace belongs into a filtered list', () => {
  const trace = row(1, {
    model_name: 'gpt-4',
    source: 'bot',
    session_id: 's1',
    user_id: 'u1',
    response_time_ms: 850,
    cost: 0.01,
  })

  test('when it fits every part of the filter', () => {
    expect(belongs(trace, {}, now)).toBe(true)
    expect(
      belongs(
        trace,
        {
          model: 'gpt-4',
          status: 'pending',
          source: 'bot',
          session: 's1',
          user: 'u1',
          range: '6h',
          min_latency: '850',
          max_cost: '0.01',
        },
        now,
      ),
    ).toBe(true)
  })

  test.each([
    { model: 'other' },
    { status: 'accepted' },
    { source: 'other' },
    { session: 'other' },
    { user: 'other' },
    { range: '15m' },
    { from: '2025-01-27T12:30:00Z' },
    { to: '2025-01-27T12:00:00Z' },
    { min_latency: '851' },
    { max_latency: '849' },
    { min_cost: '0.02' },
    { max_cost: '0.009' },
  ] as const)('but not when %o excludes it', (search) => {
    expect(belongs(trace, search, now)).toBe(false)
  })

  test('but not when a limit is set for something that was not measured', () => {
    const unknown = row(2, { response_time_ms: null, cost: null })
    expect(belongs(unknown, { max_latency: '99999' }, now)).toBe(false)
    expect(belongs(unknown, { min_cost: '0' }, now)).toBe(false)
    expect(belongs(unknown, {}, now)).toBe(true)
  })
})
