import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

describe('turns', () => {
  it('let so many run at the same time, in the order in which they came', async () => {
    const turns = new Turns(2)
    const { signal } = new AbortController()
    const began: number[] = []
    const ends: (() => void)[] = []
    const works = Array.from({ length: 5 }, (_, n) =>
      turns.take(signal, () => {
        began.push(n)
        return new Promise<void>((resolve) => void ends.push(resolve))
      }),
    )
    for (let done = 0; done < 5; done++) {
      expect(began).toHaveLength(Math.min(5, 2 + done))
      ends[done]?.()
      await works[done]
    }
    expect(began).toEqual([0, 1, 2, 3, 4])
  })

  it('are lost by who gives up, and kept by work that fails', async () => {
    const turns = new Turns(1)
    const leaving = new AbortController()
    const { promise, reject } = Promise.withResolvers<void>()
    const first = turns.take(leaving.signal, () => promise)
    const second = turns.take(leaving.signal, () => 'second')
    const third = turns.take(new AbortController().signal, () => 'third')
    leaving.abort(new Error('no more patience'))
    await expect(second).rejects.toThrow('no more patience')
    await expect(turns.take(leaving.signal, () => 'late')).rejects.toThrow('no more patience')
    reject(new Error('broken'))
    await expect(first).rejects.toThrow('broken')
    expect(await third).toBe('third')
    expect(await turns.take(leaving.signal, () => 'free')).toBe('free')
  })
})
