import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { whenIdle } from './idle.ts'

let client: QueryClient
let calls: number
const called = (): void => void calls++

beforeEach(() => {
  vi.useFakeTimers()
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  calls = 0
})
afterEach(() => {
  client.clear()
  vi.useRealTimers()
})

/** Begins a reading; returns what ends it. */
function read(name: string): (answer: string) => void {
  const { promise, resolve } = Promise.withResolvers<string>()
  void client.prefetchQuery({ queryKey: [name], queryFn: () => promise })
  return resolve
}

test('what may wait is done once nothing is read any more, and once only', async () => {
  const first = read('first')
  whenIdle(client, called)
  await vi.advanceTimersByTimeAsync(1_000)
  const second = read('second')
  first('done')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(calls).toBe(0)
  second('done')
  await vi.advanceTimersByTimeAsync(500)
  expect(calls).toBe(1)
  read('third')('done')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(calls).toBe(1)
})

test('a page that reads without end keeps nothing back for long', async () => {
  read('endless')
  whenIdle(client, called)
  await vi.advanceTimersByTimeAsync(2_999)
  expect(calls).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(calls).toBe(1)
})

test('what was called off is not done', async () => {
  whenIdle(client, called)()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(calls).toBe(0)
})
