import { NoScore } from './evaluator.ts'

export interface Within {
  signal?: AbortSignal | undefined
  milliseconds: number
}

/**
 * Waits for work no longer than it may take, and not at all once it was given up. The work gets a signal that says so; work
 * that does not listen goes on unheard.
 *
 * @throws {NoScore} `timeout`, `cancelled`
 */
export async function inTime<T>(within: Within, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const { signal, milliseconds } = within
  const cancelled = () => new NoScore('cancelled', 'The evaluation was cancelled.')
  if (signal?.aborted === true) throw cancelled()
  const ending = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  const end = (error: NoScore) => {
    reject(error)
    ending.abort(error)
  }
  const giveUp = () => end(cancelled())
  signal?.addEventListener('abort', giveUp, { once: true })
  const timer = setTimeout(
    () => end(new NoScore('timeout', `The evaluator took longer than ${milliseconds / 1_000} seconds.`)),
    milliseconds,
  )
  try {
    const worked = Promise.resolve(work(ending.signal))
    return await Promise.race([worked, promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
}
