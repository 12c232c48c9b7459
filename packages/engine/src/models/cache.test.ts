import { describe, expect, test } from 'vitest'
import { AnswerCache } from './cache.ts'

const { signal } = new AbortController()

function cacheOf(entries: number, characters = 1_000) {
  return new AnswerCache<string>({ entries, characters }, (text) => text.length)
}

/** Asks, and tells whether there was anything to do. */
async function ask(cache: AnswerCache<string>, key: string, answer = key) {
  let worked = false
  const { value, first } = await cache.get(key, signal, async () => {
    worked = true
    return answer
  })
  expect(first).toBe(worked)
  return { value, worked }
}

describe('a cache of answers', () => {
  test('gives an answer again', async () => {
    const cache = cacheOf(2)
    expect(await ask(cache, 'a', 'one')).toEqual({ value: 'one', worked: true })
    expect(await ask(cache, 'a', 'two')).toEqual({ value: 'one', worked: false })
  })

  test('holds as many as it may, and lets go of what was not asked for longest', async () => {
    const cache = cacheOf(2)
    for (const key of ['a', 'b', 'a', 'c']) await ask(cache, key)
    expect((await ask(cache, 'a')).worked).toBe(false)
    expect((await ask(cache, 'c')).worked).toBe(false)
    expect((await ask(cache, 'b')).worked).toBe(true)
  })

  test('holds as many characters as it may, and nothing that is larger', async () => {
    const cache = cacheOf(100, 10)
    await ask(cache, 'a', '12345')
    await ask(cache, 'b', '12345')
    expect((await ask(cache, 'a')).worked).toBe(false)
    await ask(cache, 'c', '1')
    expect((await ask(cache, 'b')).worked).toBe(true)
    await ask(cache, 'big', '12345678901')
    expect((await ask(cache, 'big')).worked).toBe(true)
  })

  test('of no entries keeps nothing', async () => {
    const cache = cacheOf(0)
    await ask(cache, 'a')
    expect((await ask(cache, 'a')).worked).toBe(true)
  })

  test('keeps no failure', async () => {
    const cache = cacheOf(2)
    await expect(cache.get('a', signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect((await ask(cache, 'a')).worked).toBe(true)
  })

  test('lets those who ask the same at once wait for one answer', async () => {
    const cache = cacheOf(2)
    const answer = Promise.withResolvers<string>()
    let worked = 0
    const asking = Array.from({ length: 5 }, () =>
      cache.get('a', signal, () => {
        worked++
        return answer.promise
      }),
    )
    answer.resolve('one')
    const told = await Promise.all(asking)
    expect(worked).toBe(1)
    expect(told.map(({ first }) => first)).toEqual([true, false, false, false, false])
  })

  test('goes on for those who still wait, and ends with the last', async () => {
    const cache = cacheOf(2)
    const [one, other] = [new AbortController(), new AbortController()]
    let ended = false
    const make = (shared: AbortSignal) =>
      new Promise<string>((_, reject) => {
        shared.addEventListener('abort', () => {
          ended = true
          reject(new Error('ended'))
        })
      })
    const first = cache.get('a', one.signal, make)
    const second = cache.get('a', other.signal, make)
    one.abort()
    await expect(first).rejects.toThrow('cancelled')
    expect(ended).toBe(false)
    other.abort()
    await expect(second).rejects.toThrow('cancelled')
    expect(ended).toBe(true)
    expect((await ask(cache, 'a')).worked).toBe(true)
  })
})
