import { describe, expect, it } from 'vitest'
import { refine } from './refine.ts'

/** Drafts whose quality is known; each attempt makes the next of them. */
function drafts(...qualities: number[]) {
  let next = 0
  const draft = () => Promise.resolve(qualities[next++] ?? 0)
  return { start: draft, improve: draft, isBetter: (candidate: number, best: number) => candidate > best }
}

describe('refining', () => {
  it('ends when the best is good enough, before another attempt', async () => {
    const good = await refine({ ...drafts(0.5, 0.9, 1), shouldStop: (best) => best >= 0.9 })
    expect(good).toEqual({ result: 0.9, iterations: 1, stopped: 'done' })
    const atOnce = await refine({ ...drafts(0.95), shouldStop: (best) => best >= 0.9 })
    expect(atOnce).toEqual({ result: 0.95, iterations: 0, stopped: 'done' })
  })

  it('ends after so many attempts, three unless told', async () => {
    const all = drafts(1, 2, 3, 4, 5, 6)
    expect(await refine(all)).toEqual({ result: 4, iterations: 3, stopped: 'max_iterations' })
    expect(await refine({ ...drafts(1, 2), maxIterations: 0 })).toEqual({
      result: 1,
      iterations: 0,
      stopped: 'max_iterations',
    })
  })

  it('ends when it gets no better, and gives the best back', async () => {
    expect(await refine(drafts(1, 3, 2, 9))).toEqual({ result: 3, iterations: 2, stopped: 'no_improvement' })
    expect(await refine({ ...drafts(1, 3, 2, 9), patience: 2 })).toEqual({
      result: 9,
      iterations: 3,
      stopped: 'max_iterations',
    })
  })

  it('ends when its time is up, though an attempt hangs, which is told', async () => {
    let told: unknown
    const hanging = refine({
      ...drafts(1),
      maxMs: 50,
      improve: (_best, { signal }) =>
        new Promise<number>(() => signal.addEventListener('abort', () => (told = signal.aborted))),
    })
    expect(await hanging).toEqual({ result: 1, iterations: 0, stopped: 'max_time' })
    expect(told).toBe(true)
  })

  it('begins no attempt when the clock says that time is up', async () => {
    let clock = 0
    const slow = drafts(1, 2, 3)
    const improve = () => {
      clock += 20_000
      return slow.improve()
    }
    expect(await refine({ ...slow, improve, now: () => clock })).toEqual({
      result: 3,
      iterations: 2,
      stopped: 'max_time',
    })
  })

  it('gives back what it has when an attempt fails, with its error', async () => {
    const error = new Error('no model')
    const failing = await refine({ ...drafts(1), improve: () => Promise.reject(error) })
    expect(failing).toEqual({ result: 1, iterations: 1, stopped: 'failed', error })
  })

  it('throws what the first answer throws: there is nothing to give back', async () => {
    await expect(refine({ ...drafts(1), start: () => Promise.reject(new Error('no model')) })).rejects.toThrow(
      'no model',
    )
  })

  it('ends when nobody waits any more', async () => {
    const asking = new AbortController()
    const gone = refine({
      ...drafts(1),
      signal: asking.signal,
      improve: () => {
        asking.abort()
        return new Promise<number>(() => {})
      },
    })
    expect(await gone).toEqual({ result: 1, iterations: 0, stopped: 'aborted' })
  })

  it('says how far it is before each attempt', async () => {
    const said: string[] = []
    await refine({ ...drafts(1, 2, 3, 4), onStatus: (text) => void said.push(text) })
    expect(said).toEqual(['Refinement 1/3', 'Refinement 2/3', 'Refinement 3/3'])
  })

  it('has bounds that are some', async () => {
    for (const bounds of [
      { maxIterations: -1 },
      { maxIterations: 1.5 },
      { maxMs: 0 },
      { maxMs: Number.NaN },
      { patience: 0 },
    ])
      await expect(refine({ ...drafts(1), ...bounds })).rejects.toThrow(RangeError)
  })
})
