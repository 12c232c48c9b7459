import { NoScore } from './evaluator.ts'
import { LazySignal } from './lazy-signal.ts'

export interface Within {
  /** Asked for where the work is not done at once. */
  signal?: (() => AbortSignal) | undefined
  milliseconds: number
}

/**
 * Waits for work no longer than it may take, and not at all once it was given up. The work gets a signal that says so; work
 * that does not listen goes on unheard. What is done at once is given at once.
 *
 * @throws {NoScore} `timeout`, `cancelled`; or rejects with them
 */
export function inTime<T>(within: Within, work: (ending: LazySignal) => T | Promise<T>): T | Promise<T> {
  const ending = new LazySignal()
  const working = work(ending)
  return isPromise(working) ? waited(working, within, ending) : working
}

function isPromise<T>(working: T | Promise<T>): working is Promise<T> {
  return typeof working === 'object' && working !== null && 'then' in working && typeof working.then === 'function'
}

async function waited<T>(working: Promise<T>, within: Within, ending: LazySignal): Promise<T> {
  const { milliseconds } = within
  const signal = within.signal?.()
  let reject: (error: NoScore) => void = () => undefined
  const promise = new Promise<never>((_, give) => (reject = give))
  const end = (error: NoScore) => {
    reject(error)
    ending.abort(error)
  }
  const giveUp = () => end(cancelled())
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted === true) giveUp()
  const timer = setTimeout(
    () => end(new NoScore('timeout', `The evaluator took longer than ${milliseconds / 1_000} seconds.`)),
    milliseconds,
  )
  try {
    return await Promise.race([working, promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
}

/** Whoever asked gave up. */
export function cancelled(): NoScore {
  return new NoScore('cancelled', 'The evaluation was cancelled.')
}
