import { expect, test } from 'vitest'
import {
  advance,
  backToSkipped,
  decided,
  type Done,
  emptyQueue,
  extend,
  type Queue,
  skip,
  step,
  tally,
  undone,
} from './queue.ts'

const start = extend(emptyQueue, ['a', 'b', 'c', 'd'])
const all = (): boolean => true
const current = (queue: Queue): string | undefined => queue.ids[queue.at]

function verdict(traceId: string, status: Done['status'] = 'accepted'): Done {
  return { traceId, status, version: 1, before: { status: 'pending', reason: null, note: null } }
}

const decide = (queue: Queue, status?: Done['status']): Queue =>
  advance(decided(queue, verdict(current(queue) ?? '', status)), all)

test('further pages are added at the end, and what is known keeps its place', () => {
  expect(extend(start, ['b', 'e', 'a', 'f']).ids).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  expect(extend(start, ['a'])).toBe(start)
})

test('a decision moves on to the next that waits', () => {
  expect(current(decide(start))).toBe('b')
})

test('what others have decided meanwhile is passed over', () => {
  expect(current(advance(start, (id) => id !== 'b' && id !== 'c'))).toBe('d')
})

test('next and previous go one by one, also past decided ones, and stop at the ends', () => {
  expect(current(step(decide(start), -1))).toBe('a')
  expect(current(step(start, -1))).toBe('a')
  const end = Array.from({ length: 9 }).reduce<Queue>((queue) => step(queue, 1), start)
  expect(end.at).toBe(4)
  expect(current(end)).toBeUndefined()
  expect(current(step(end, -1))).toBe('d')
})

test('undo goes back to the trace of the last decision, one decision at a time', () => {
  const two = decide(decide(start), 'rejected')
  const one = undone(two)
  expect(current(one)).toBe('b')
  expect(tally(one)).toEqual({ decided: 1, accepted: 1, rejected: 0 })
  expect(current(undone(one))).toBe('a')
  expect(undone(start)).toBe(start)
})

test('skipped traces can be gone back to at the end', () => {
  const end = decide(skip(decide(skip(start, all)), all))
  expect(current(end)).toBeUndefined()
  expect([...end.skipped]).toEqual(['a', 'c'])
  const again = backToSkipped(end)
  expect(again.ids).toEqual(['a', 'c'])
  expect(current(again)).toBe('a')
})

test('a skipped trace that is decided later does not count as skipped any more', () => {
  const back = step(skip(start, all), -1)
  expect([...decide(back).skipped]).toEqual([])
})

test('a trace that is decided twice counts once, by its last decision', () => {
  const again = decided(step(decide(start), -1), verdict('a', 'rejected'))
  expect(tally(again)).toEqual({ decided: 1, accepted: 0, rejected: 1 })
})
