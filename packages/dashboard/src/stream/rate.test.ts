import { expect, test } from 'vitest'
import { createRate } from './rate.ts'

const second = (at: number): number => 1_000_000_000 + at * 1000

test('the rate is the mean of the last ten whole seconds', () => {
  const rate = createRate()
  for (let at = 0; at < 10; at++) rate.record(at < 5 ? 4 : 2, second(at))
  expect(rate.perSecond(second(10))).toBe(3)
})

test('the second that is still running does not count, so the rate does not flicker', () => {
  const rate = createRate()
  rate.record(50, second(0))
  expect(rate.perSecond(second(0))).toBe(0)
  expect(rate.perSecond(second(1))).toBe(5)
})

test('seconds without arrivals count as none, also after a long silence', () => {
  const rate = createRate()
  rate.record(30, second(0))
  expect(rate.history(second(3)).slice(-5)).toEqual([0, 30, 0, 0, 0])
  expect(rate.history(second(500))).toEqual(Array.from({ length: 60 }, () => 0))
  expect(rate.perSecond(second(500))).toBe(0)
})

test('the history is one minute long, oldest first', () => {
  const rate = createRate()
  for (let at = 0; at < 90; at++) rate.record(at, second(at))
  const history = rate.history(second(89))
  expect(history).toHaveLength(60)
  expect(history.at(0)).toBe(30)
  expect(history.at(-1)).toBe(89)
})
