import { describe, expect, test } from 'vitest'
import { arrived, detail, judged, metrics, row, scored } from '../../test/sample-traces.ts'
import * as answers from './answers.ts'
import { Unreadable } from './checks.ts'

describe('an answer of the server', () => {
  test('that has the right shape passes unchanged', () => {
    const page = { items: [row(2), row(1)], next_cursor: 'abc', searched_to: null, search_lag: 0 }
    expect(answers.tracePage(page, '')).toEqual(page)
    expect(answers.traceDetail(detail(1), '')).toEqual(detail(1))
    expect(answers.metrics(metrics({ avg_response_time: null }), '').avg_response_time).toBeNull()
  })

  test('that is not what it should be is refused, and the place is named', () => {
    const page = { items: [row(1), { ...row(2), cost: '0.1' }], next_cursor: null, searched_to: null }
    expect(() => answers.tracePage(page, '')).toThrow(Unreadable)
    expect(() => answers.tracePage(page, '')).toThrow('items[1].cost should be a number')
    expect(() => answers.metrics('<html>', '')).toThrow('it should be an object')
    expect(() => answers.session({ authenticated: true }, '')).toThrow('auth_required')
  })

  test('may hold fields that this page does not know; they go no further', () => {
    expect(
      answers.tracePage({ items: [{ ...row(1), later: 1 }], next_cursor: null, searched_to: null }, '').items,
    ).toEqual([row(1)])
  })

  test('keeps what users put into their function calls, hostile keys too', () => {
    const call = JSON.parse('{"name":"f","__proto__":{"polluted":true},"result":null}') as { name: string }
    const [kept] = answers.traceDetail({ ...detail(1), functions_called: [call] }, '').functions_called
    expect(Object.keys(kept ?? {})).toEqual(['name', '__proto__', 'result'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('a frame of the stream', () => {
  test('of a kind that is known is checked', () => {
    expect(answers.streamFrame(arrived(row(1)), '')).toEqual(arrived(row(1)))
    expect(answers.streamFrame(judged(1), '')).toEqual(judged(1))
    expect(answers.streamFrame(scored(1), '')).toEqual(scored(1))
    expect(() => answers.streamFrame({ event: 'score_updates', data: {}, timestamp: '' }, '')).toThrow(Unreadable)
    expect(() => answers.streamFrame({ event: 'metrics_update', data: {}, timestamp: '' }, '')).toThrow(Unreadable)
  })

  test('of a kind that a later server invented is passed over', () => {
    expect(answers.streamFrame({ event: 'weather_updates', data: {}, timestamp: '' }, '')).toBeNull()
  })
})
