import type { Clock } from './clock.ts'
import { LLMEvalError } from './error.ts'

/** How long somebody waits. */
export interface Patience {
  /** Gives up waiting; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Milliseconds; without end if infinite. */
  timeoutMs: number
}

/**
 * A time that can be waited for.
 *
 * @throws {TypeError} if it is none
 */
export function checkTime(time: number, what: string): number {
  if (typeof time === 'number' && time > 0) return time
  throw new TypeError(`${what} above 0, not ${String(time)}`)
}

/** The time somebody waits for something at a URL. Whoever starts one clears it. */
export class Deadline {
  /** What the wait suffers from at the moment; the error of a time that is up names it. */
  trouble: LLMEvalError | undefined
  readonly #clock: Clock
  readonly #patience: Patience
  readonly #url: string
  readonly #controller = new AbortController()
  readonly #giveUp = () => this.#controller.abort(this.#patience.signal?.reason)
  #cancel: () => void = () => undefined

  constructor(clock: Clock, patience: Patience, url: string) {
    this.#clock = clock
    this.#patience = patience
    this.#url = url
    patience.signal?.addEventListener('abort', this.#giveUp, { once: true })
    if (patience.signal?.aborted) this.#giveUp()
    this.restart()
  }

  /** Aborted when the time is up or the caller gives up, with the error of that as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Counts the time anew. */
  restart(): void {
    this.#cancel()
    const { timeoutMs } = this.#patience
    if (timeoutMs < Infinity) this.#cancel = this.#clock.after(timeoutMs, () => this.#controller.abort(this.#late()))
  }

  /** Ends the wait with a reason of one's own. */
  abort(reason: Error): void {
    this.#controller.abort(reason)
  }

  /** Stops the time, and lets go of the caller's signal. */
  clear(): void {
    this.#cancel()
    this.#patience.signal?.removeEventListener('abort', this.#giveUp)
  }

  #late(): LLMEvalError {
    const why = this.trouble ? ` Last trouble: ${this.trouble.message}` : ''
    const message = `No result from ${this.#url} within ${this.#patience.timeoutMs} ms.${why}`
    return new LLMEvalError('timeout', message, { cause: this.trouble })
  }
}
