import { limits } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { isFiltered, mergeRuns, readRunSearch, type RunSearch, runsQueryOf } from './run-filters.ts'

test('an address is read, and what cannot be used in it is left out', () => {
  expect(
    readRunSearch({
      q: '  nightly ',
      status: 'completed',
      dataset: 'Questions',
      tags: 'a,b',
      min_success: '0.9',
      max_duration: '60',
      after: '2025-01-27T12:00:00+01:00',
      order: 'success',
      dir: 'up',
      other: 'x',
    }),
  ).toEqual({
    q: 'nightly',
    status: 'completed',
    dataset: 'Questions',
    tags: 'a,b',
    min_success: '0.9',
    max_duration: '60',
    after: '2025-01-27T11:00:00.000Z',
    order: 'success',
    dir: 'up',
  })
  const wrong = {
    q: ' ',
    status: 'over',
    min_success: '1.1',
    max_duration: '-1',
    before: 'soon',
    order: 'x',
    dir: 'down',
  }
  expect(readRunSearch(wrong)).toEqual({})
  expect(readRunSearch({ min_success: '1', order: 'created' })).toEqual({ min_success: '1' })
  expect(readRunSearch({ q: 'x'.repeat(1_000), by: 'y'.repeat(1_000) })).toEqual({
    q: 'x'.repeat(limits.searchChars),
    by: 'y'.repeat(limits.nameChars),
  })
})

test('every filter and order has its parameter of the API', () => {
  const search: Required<RunSearch> = {
    q: 'words',
    status: 'failed',
    dataset: 'Questions',
    model: 'gpt-5',
    by: 'Ana',
    tags: 'a,b',
    min_success: '0.5',
    max_duration: '60',
    after: '2025-01-01T00:00:00.000Z',
    before: '2025-02-01T00:00:00.000Z',
    order: 'duration',
    dir: 'up',
  }
  expect(Object.fromEntries(runsQueryOf(search))).toEqual({
    search: 'words',
    status: 'failed',
    dataset_name: 'Questions',
    model_name: 'gpt-5',
    created_by: 'Ana',
    tags: 'a,b',
    min_success_rate: '0.5',
    max_duration: '60',
    created_after: '2025-01-01T00:00:00.000Z',
    created_before: '2025-02-01T00:00:00.000Z',
    order_by: 'duration_seconds',
    descending: 'false',
  })
  expect(runsQueryOf({}).size).toBe(0)
})

test('an order filters nothing, and empty texts clear', () => {
  expect(isFiltered({ order: 'name', dir: 'up' })).toBe(false)
  expect(isFiltered({ by: 'Ana' })).toBe(true)
  expect(mergeRuns({ by: 'Ana', q: 'x' }, { by: '', status: 'running' })).toEqual({ q: 'x', status: 'running' })
})
