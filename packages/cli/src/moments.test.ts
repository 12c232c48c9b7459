import { expect, test } from 'vitest'
import { amount, moment, timeSpan, wholeNumber } from './moments.ts'

const now = () => Date.parse('2025-01-27T12:00:00Z')

test('spans are counted from now, backwards or forwards', () => {
  expect(moment('ago', now)('24h')).toBe('2025-01-26T12:00:00.000Z')
  expect(moment('ahead', now)('2w')).toBe('2025-02-10T12:00:00.000Z')
})

test('dates and times stand for themselves; anything else is refused', () => {
  expect(moment('ago', now)('2025-01-01')).toBe('2025-01-01T00:00:00.000Z')
  expect(moment('ago', now)('2025-01-01T10:00:00+02:00')).toBe('2025-01-01T08:00:00.000Z')
  expect(moment('ago', now)('2025-01-01T10:00:00')).toBe('2025-01-01T10:00:00.000Z')
  for (const text of ['', 'yesterday', '5', '24', '-1d', '2025-13-01', '1e3h'])
    expect(() => moment('ago', now)(text), text).toThrow('Give a span')
})

test('numbers outside their bounds are refused', () => {
  expect(wholeNumber(1, 100)('100')).toBe(100)
  for (const text of ['0', '101', '1.5', 'x', '', '-1'])
    expect(() => wholeNumber(1, 100)(text), text).toThrow('1 to 100')
  expect(amount('0.5')).toBe(0.5)
  for (const text of ['-1', 'x', '', 'Infinity']) expect(() => amount(text), text).toThrow('0 or more')
})

test('a time to wait is a span or seconds, from a second to a week', () => {
  expect(['90s', '5m', '30', '7d', '1s'].map(timeSpan)).toEqual([90_000, 300_000, 30_000, 604_800_000, 1_000])
  for (const text of ['0', '0s', '8d', '604801', '1.5', '5 minutes', '', '-1'])
    expect(() => timeSpan(text), text).toThrow('from 1s to 7d')
})
