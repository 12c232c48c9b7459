import { expect, test } from 'vitest'
import { readLive, readReview, readSignIn, readTab } from './addresses.ts'

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
