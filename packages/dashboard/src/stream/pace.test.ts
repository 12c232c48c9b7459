import { expect, test } from 'vitest'
import { observe, type Pace, perSecond, remainingMs } from './pace.ts'

const counted = (...samples: [at: number, completed: number][]): Pace =>
  samples.reduce<Pace>((pace, [at, completed]) => observe(pace, { at, completed }), [])

test('the speed is that of the last half minute', () => {
  expect(perSecond(counted([0, 0], [2_000, 20]), 2_000)).toBe(10)
  const slower = counted([0, 0], [10_000, 1_000], [40_000, 1_030], [60_000, 1_050])
  expect(perSecond(slower, 60_000)).toBe(1)
})

test('too short a look says nothing, nor does a run that stands still', () => {
  expect(perSecond([], 0)).toBeNull()
  expect(perSecond(counted([0, 0], [500, 20]), 500)).toBeNull()
  expect(perSecond(counted([0, 7], [5_000, 7]), 5_000)).toBeNull()
})

test('a run that stops answering gets slower with every moment', () => {
  const pace = counted([0, 0], [2_000, 20])
  expect(perSecond(pace, 20_000)).toBe(1)
})

test('many counts in a moment are one, and what is kept has a bound', () => {
  let pace: Pace = []
  for (let at = 0; at < 600_000; at += 100) pace = observe(pace, { at, completed: at })
  expect(pace.length).toBeLessThan(200)
  expect(perSecond(pace, 600_000)).toBeCloseTo(1_000, -2)
})

test('a count that falls begins anew', () => {
  expect(counted([0, 0], [2_000, 20], [3_000, 5])).toEqual([{ at: 3_000, completed: 5 }])
})

test('what is left takes as long as the last items say, or all of them, or nobody knows', () => {
  const run = { total_items: 100, completed_items: 40, duration_ms: 20_000 }
  expect(remainingMs(run, 6)).toBe(10_000)
  expect(remainingMs(run, null)).toBe(30_000)
  expect(remainingMs({ ...run, duration_ms: 100 }, null)).toBeNull()
  expect(remainingMs({ ...run, completed_items: 0 }, null)).toBeNull()
  expect(remainingMs({ ...run, total_items: null }, 6)).toBeNull()
  expect(remainingMs({ ...run, completed_items: 100 }, null)).toBe(0)
})
