import { expect, test } from 'vitest'
import { linkWords } from './link-words.ts'

const now = 1_700_000_000_000

test('a connection that works is called live', () => {
  expect(linkWords({ state: 'live', since: now }, true, now)).toEqual({ mood: 'good', words: 'Live', retry: false })
})

test('a lost connection says when it is tried again, and counts down', () => {
  const waiting = { state: 'waiting', since: now, retryAt: now + 4_200 } as const
  expect(linkWords(waiting, true, now)).toMatchObject({ words: 'Reconnecting in 5 s', retry: true })
  expect(linkWords(waiting, true, now + 3_000)).toMatchObject({ words: 'Reconnecting in 2 s' })
})

test('after half a minute without a connection it is called offline, and still tried', () => {
  const waiting = { state: 'waiting', since: now - 31_000, retryAt: now + 9_000 } as const
  expect(linkWords(waiting, true, now)).toEqual({ mood: 'bad', words: 'Offline, trying in 9 s', retry: true })
})

test('a browser without network is offline, whatever the stream believes', () => {
  expect(linkWords({ state: 'live', since: now }, false, now)).toMatchObject({ mood: 'bad', words: 'Offline' })
})
