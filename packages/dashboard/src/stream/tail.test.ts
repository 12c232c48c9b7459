import { expect, test } from 'vitest'
import { arrived, deleted, judged, row } from '../../test/sample-traces.ts'
import { collectChanges } from './changes.ts'
import { arrive, emptyTail, gap, hold, release, seed, shownRows, type Tail, tailRows } from './tail.ts'

const refs = (tail: Tail): number[] => shownRows(tail).map(({ ref }) => ref)
const after = (tail: Tail, ...numbers: number[]): Tail =>
  arrive(tail, collectChanges(numbers.map((ref) => arrived(row(ref)))))

test('new traces stand on top, the newest first', () => {
  expect(refs(after(after(emptyTail, 1, 2), 3))).toEqual([3, 2, 1])
})

test('what the server lists comes under what the stream brought, and nothing stands there twice', () => {
  const tail = seed(after(emptyTail, 3, 4), [row(3), row(2), row(1)])
  expect(refs(tail)).toEqual([4, 3, 2, 1])
  expect(refs(after(tail, 5))).toEqual([5, 4, 3, 2, 1])
})

test('what the stream tells of traces that the list has already moves nothing, whichever comes first', () => {
  const listed = [row(9), row(8), row(7)]
  const told = [3, 4, 7, 8, 9, 10]
  const later = told.reduce((tail, ref) => after(tail, ref), seed(emptyTail, listed))
  expect(refs(later)).toEqual([10, 9, 8, 7, 4, 3])
  expect(refs(seed(after(emptyTail, ...told), listed))).toEqual([10, 9, 8, 7, 4, 3])
  const half = seed(after(emptyTail, 3, 4, 7), listed)
  expect(refs(half)).toEqual([9, 8, 7, 4, 3])
  expect(refs(after(half, 8, 9, 10))).toEqual([10, 9, 8, 7, 4, 3])
})

test('held, it counts as waiting only what would stand on top', () => {
  const held = after(hold(seed(emptyTail, [row(9), row(8)])), 3, 8, 9, 10)
  expect(refs(held)).toEqual([9, 8])
  expect(held.waiting).toBe(1)
})

test('held, it neither grows nor moves, counts what waits, and shows it once released', () => {
  const held = after(hold(after(emptyTail, 1, 2)), 3, 4)
  expect(refs(held)).toEqual([2, 1])
  expect(held.waiting).toBe(2)
  const released = release(held)
  expect(refs(released)).toEqual([4, 3, 2, 1])
  expect(released.waiting).toBe(0)
})

test('held rows still show verdicts, and deleted ones disappear', () => {
  const held = hold(after(emptyTail, 1, 2))
  const revised = arrive(held, collectChanges([judged(2), deleted(1)]))
  expect(shownRows(revised)).toMatchObject([{ ref: 2, evaluation_status: 'accepted' }])
})

test('a held tail outlives everything it shows: the rows stay while thousands pass', () => {
  let tail = hold(after(emptyTail, 1, 2))
  for (let first = 10; first < 10 + tailRows * 2; first += 500) {
    tail = after(tail, ...Array.from({ length: 500 }, (_, at) => first + at))
  }
  expect(refs(tail)).toEqual([2, 1])
  expect(tail.rows).toHaveLength(tailRows)
  expect(tail.waiting).toBe(tailRows * 2)
})

test('it holds at most 2,000 rows, and drops the oldest', () => {
  const full = after(emptyTail, ...Array.from({ length: tailRows }, (_, at) => at + 1))
  expect(refs(full)).toHaveLength(tailRows)
  const over = after(full, tailRows + 1)
  expect(refs(over)).toHaveLength(tailRows)
  expect(refs(over).at(0)).toBe(tailRows + 1)
  expect(refs(over).at(-1)).toBe(2)
})

test('after a gap the old rows stay until the server has listed anew, and then only what it lists is left', () => {
  const broken = after(gap(after(emptyTail, 1, 2)), 9)
  expect(refs(broken)).toEqual([9, 2, 1])
  expect(refs(seed(broken, [row(8), row(7)]))).toEqual([9, 8, 7])
})

test('frames without traces change nothing, not even the object', () => {
  const tail = after(emptyTail, 1)
  expect(arrive(tail, collectChanges([judged(5), deleted(6)]))).toBe(tail)
})
