import type { Run } from '@llm-eval/protocol'
import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { beforeEach, expect, test, vi } from 'vitest'
import { type ListedRuns, runKeys } from '../api/runs.ts'
import { createRunCache, type RunCache } from './run-cache.ts'
import type { RunUpdate } from './run-frames.ts'

/** As long as a busy machine may take. */
const patient = { timeout: 20_000 }

let client: QueryClient
let cache: RunCache
let timers: (() => void)[]
let pauses: number[]

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } } })
  timers = []
  pauses = []
  cache = createRunCache({ queryClient: client, later })
})

const later = (callback: () => void, ms: number) => {
  timers.push(callback)
  pauses.push(ms)
}

function run(id: string): Run {
  return {
    run_id: id,
    name: id,
    description: null,
    status: 'running',
    stopped_by: null,
    error: null,
    dataset_id: null,
    dataset_name: 'questions',
    dataset_version: null,
    task: { kind: 'client' },
    metrics_used: [],
    settings: { concurrency: 1, timeout_ms: 1, retries: 0, repetitions: 1, limits: {}, decision: null },
    config: {},
    model_name: null,
    model_version: null,
    task_type: null,
    environment: null,
    tags: [],
    metadata: {},
    created_by: null,
    approval: null,
    created_at: '',
    updated_at: '',
    started_at: null,
    ended_at: null,
    duration_ms: null,
    total_items: null,
    completed_items: 0,
    successful_items: 0,
    success_rate: null,
    cost: 0,
    unknown_costs: 0,
    metrics: {},
  }
}

function update(type: RunUpdate['type'], runId: string | null, ref = 1): RunUpdate {
  const status = type === 'run_completed' ? 'completed' : 'running'
  const numbers = { total: 4, completed: 4, successful: 3, successRate: 0.75 }
  return { type, runId, ref, status, stoppedBy: null, name: 'Renamed', ...numbers }
}

const lists = { all: runKeys.list({}), running: runKeys.list({ status: 'running' }) }

function fill(...ids: string[]): void {
  for (const key of Object.values(lists))
    client.setQueryData(key, { pages: [{ items: ids.map(run), next_cursor: null, at: 0 }], pageParams: [''] })
  for (const id of ids) client.setQueryData(runKeys.detail(id), run(id))
}

const shown = (key: readonly unknown[]): Run[] =>
  client.getQueryData<{ pages: ListedRuns[] }>(key)?.pages.flatMap(({ items }) => items) ?? []
const isOld = (key: readonly unknown[]): boolean => client.getQueryState(key)?.isInvalidated ?? false

test('what becomes of a run shows at once in every list and on its page, and is read again', () => {
  fill('a', 'b')
  cache.update(update('run_completed', 'a'), null)
  for (const key of Object.values(lists)) {
    expect(shown(key)[0]).toMatchObject({
      status: 'completed',
      name: 'Renamed',
      completed_items: 4,
      success_rate: 0.75,
    })
    expect(shown(key)[1]).toEqual(run('b'))
    expect(isOld(key)).toBe(true)
  }
  expect(client.getQueryData(runKeys.detail('a'))).toMatchObject({ status: 'completed' })
  expect([isOld(runKeys.detail('a')), isOld(runKeys.detail('b'))]).toEqual([true, false])
})

test('numbers that were told last stay until newer ones are read', () => {
  fill('a')
  const metrics = { exact: { mean: 0.5, ci: null, n: 2, skipped: 0, errored: 0, passed: 1, failed: 1 } }
  const numbers = { total_items: 4, completed_items: 4, successful_items: 3, success_rate: 0.75 }
  cache.update(update('run_completed', 'a'), { ...numbers, cost: 0.1, unknown_costs: 2, metrics })
  expect(shown(lists.all)[0]).toMatchObject({ cost: 0.1, unknown_costs: 2, metrics })
})

test('a deleted run leaves the lists, also when only its number is told', () => {
  fill('a', 'b', 'c')
  cache.update(update('run_updated', 'b', 2), null)
  cache.update(update('run_deleted', 'a', 1), null)
  expect(shown(lists.all).map(({ run_id: id }) => id)).toEqual(['b', 'c'])
  cache.update(update('run_deleted', null, 2), null)
  expect(shown(lists.all).map(({ run_id: id }) => id)).toEqual(['c'])
  // Nobody knows which one this was: all are looked at.
  cache.update(update('run_deleted', null, 99), null)
  expect(isOld(runKeys.detail('c'))).toBe(true)
})

test('a comparison is read again when one of its runs changed, and no other', () => {
  const [of, other] = [
    [...runKeys.comparisons, ['a', 'b']],
    [...runKeys.comparisons, ['b', 'c']],
  ]
  for (const key of [of, other]) client.setQueryData(key, {})
  cache.update(update('run_completed', 'a'), null)
  expect([isOld(of), isOld(other)]).toEqual([true, false])
})

test('however much happens, the lists are read one time after the other, and after the last of it', async () => {
  let [begun, open] = [0, 0]
  let most = 0
  const stop = new QueryObserver(client, {
    queryKey: lists.all,
    async queryFn() {
      begun++
      most = Math.max(most, ++open)
      await Promise.resolve()
      open--
      return { pages: [{ items: [run('a')], next_cursor: null, at: 0 }], pageParams: [''] }
    },
  }).subscribe(() => {})
  await vi.waitFor(() => expect(open).toBe(0), patient)
  const before = begun
  for (let at = 0; at < 50; at++) cache.update(update('run_updated', 'a'), null)
  await vi.waitFor(() => expect(timers).toHaveLength(1), patient)
  expect(begun).toBe(before + 1)
  timers.pop()?.()
  await vi.waitFor(() => expect(timers).toHaveLength(1), patient)
  expect(begun).toBe(before + 2)
  timers.pop()?.()
  expect([begun, most, timers.length]).toEqual([before + 2, 1, 0])
  stop()
})

test('after a gap everything about runs is read again, or what is about the one that has it', () => {
  fill('a', 'b')
  cache.gap('a')
  expect([isOld(runKeys.detail('a')), isOld(runKeys.detail('b')), isOld(lists.all)]).toEqual([true, false, false])
  cache.gap(null)
  expect([isOld(runKeys.detail('b')), isOld(lists.all)]).toEqual([true, true])
})

const longList = () => {
  const pages = Array.from({ length: 30 }, (_, at) => ({ items: [run(`r${at}`)], next_cursor: 'more', at: 0 }))
  return { pages, pageParams: pages.map(() => '') }
}

test('of a long list that nobody looks at only the beginning is kept', () => {
  client.setQueryData(lists.all, longList())
  cache.gap(null)
  expect(shown(lists.all)).toHaveLength(10)
})

test('a long list that somebody looks at keeps its length, and is read again less often', async () => {
  client.setQueryData(lists.all, longList())
  const read = vi.fn(async () => longList())
  const stop = new QueryObserver(client, { queryKey: lists.all, queryFn: read }).subscribe(() => {})
  cache.update(update('run_updated', 'r0'), null)
  expect(shown(lists.all)).toHaveLength(30)
  await vi.waitFor(() => expect(timers).toHaveLength(1), patient)
  expect(read).toHaveBeenCalledTimes(1)
  expect(shown(lists.all)).toHaveLength(30)
  expect(pauses).toEqual([1_200])
  stop()
})
