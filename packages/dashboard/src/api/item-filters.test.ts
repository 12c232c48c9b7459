import { limits } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { itemsQueryOf, readItemSearch } from './item-filters.ts'

test('filters of items are read out of an address, and what cannot be used is left out', () => {
  expect(readItemSearch({ status: 'failed', q: ' x ', metric: 'm', below: '0.5' })).toEqual({
    status: 'failed',
    q: 'x',
    metric: 'm',
    below: '0.5',
  })
  expect(readItemSearch({ status: 'lost', q: ' ', metric: 'm', error: 'none', errored: '' })).toEqual({})
  expect(readItemSearch({ below: '0.5' })).toEqual({})
  expect(readItemSearch({ metric: 'm', below: '1e5', above: '-2' })).toEqual({ metric: 'm', above: '-2' })
  expect(readItemSearch({ q: 'x'.repeat(1_000) }).q).toHaveLength(limits.searchChars)
})

test('the API is asked in its own words', () => {
  const query = itemsQueryOf({ q: 'a b', error: 'timeout', metric: 'm', above: '0' })
  expect(Object.fromEntries(query)).toEqual({ search: 'a b', error: 'timeout', metric: 'm', above: '0' })
})
