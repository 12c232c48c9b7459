import { expect, test } from 'vitest'
import { createCell } from './cell.ts'
import { paced } from './paced.ts'

/** Timers that go off by hand. */
function clock() {
  const waiting = new Set<() => void>()
  return {
    later: (callback: () => void) => {
      waiting.add(callback)
      return () => void waiting.delete(callback)
    },
    pass: () => {
      const now = [...waiting]
      waiting.clear()
      for (const callback of now) callback()
    },
    waiting,
  }
}

test('many changes are told once, and the last of them is shown', () => {
  const { later, pass } = clock()
  const cell = createCell(0)
  const slow = paced(cell, { ms: 100, later })
  const seen: number[] = []
  slow.subscribe(() => seen.push(slow.get()))
  for (let value = 1; value <= 1_000; value++) cell.set(value)
  expect([slow.get(), seen]).toEqual([0, []])
  pass()
  expect([slow.get(), seen]).toEqual([1_000, [1_000]])
  pass()
  expect(seen).toEqual([1_000])
})

test('what changed and changed back is not told', () => {
  const { later, pass } = clock()
  const cell = createCell('a')
  const slow = paced(cell, { ms: 100, later })
  let told = 0
  slow.subscribe(() => told++)
  cell.set('b')
  cell.set('a')
  pass()
  expect(told).toBe(0)
})

test('what was known by the first who follows is shown at once, and nobody waits when all have left', () => {
  const { later, waiting } = clock()
  const cell = createCell(1)
  const slow = paced(cell, { ms: 100, later })
  cell.set(2)
  const leave = [slow.subscribe(() => {}), slow.subscribe(() => {})]
  expect(slow.get()).toBe(2)
  cell.set(3)
  expect(waiting.size).toBe(1)
  for (const one of leave) one()
  expect(waiting.size).toBe(0)
})
