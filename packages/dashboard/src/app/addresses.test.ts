import { expect, test } from 'vitest'
import { readLive, readReview, readSignIn, readTab, readTestCase, readTestSuite } from './addresses.ts'

test.each(['//host/', '/\\host', 'https://host/', 'javascript:alert(1)', 'traces', '', 7])(
  'nobody is sent to %j after signing in',
  (next) => expect(readSignIn({ next })).toEqual({}),
)

test('a place on this site is returned to after signing in', () => {
  expect(readSignIn({ next: '/traces?q=a', token: 't' })).toEqual({ next: '/traces?q=a', token: 't' })
})

test('what is not a window, a view or a filter is left out', () => {
  expect(readLive({ window: '7d', model: 'gpt-4', other: '1' })).toEqual({ window: '7d', model: 'gpt-4' })
  expect(readLive({ window: 'constructor', model: '' })).toEqual({})
  expect([readTab({ tab: 'metadata' }), readTab({ tab: 'x' })]).toEqual([{ tab: 'metadata' }, {}])
  expect(readReview({ model: 'm', source: 's', status: 'accepted' })).toEqual({ model: 'm', source: 's' })
})

test('which cases of a suite, and which result of a case, is read from the address as far as it makes sense', () => {
  expect(readTestSuite({ q: 'price', show: 'flaky', other: '1' })).toEqual({ q: 'price', show: 'flaky' })
  expect(readTestSuite({ q: '', show: 'all' })).toEqual({})
  expect(readTestSuite({ q: 'x'.repeat(300) })).toEqual({ q: 'x'.repeat(200) })
  const look = { report: 'rep-1', variant: 'short', attempt: '12' }
  expect(readTestCase({ ...look, other: '1' })).toEqual(look)
  expect(readTestCase({ report: '', variant: '../x', attempt: '-1' })).toEqual({})
})
