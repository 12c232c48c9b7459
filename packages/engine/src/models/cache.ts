import { cancelled } from './faults.ts'

/** Bounds of a cache of answers. Nothing is kept where `entries` is 0. */
export interface CacheBounds {
  entries: number
  /** Characters of all that is kept. */
  characters: number
}

interface Shared<T> {
  promise: Promise<T>
  waiting: number
  abort: AbortController
}

/**
 * Keeps what was answered, least recently used out first, and has those who ask the same at the same time wait for one answer.
 * What failed is not kept. The work goes on until the last who waits for it gives up.
 */
export class AnswerCache<T> {
  readonly #bounds: CacheBounds
  readonly #size: (value: T) => number
  readonly #kept = new Map<string, T>()
  readonly #running = new Map<string, Shared<T>>()
  #characters = 0

  constructor(bounds: CacheBounds, size: (value: T) => number) {
    this.#bounds = bounds
    this.#size = size
  }

  /** `first` is true for the one whose asking made the answer. */
  async get(
    key: string,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ value: T; first: boolean }> {
    if (signal.aborted) throw cancelled()
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      this.#kept.delete(key)
      this.#kept.set(key, kept)
      return { value: kept, first: false }
    }
    const running = this.#running.get(key)
    const shared = running ?? this.#start(key, make)
    return { value: await this.#wait(key, shared, signal), first: running === undefined }
  }

  #start(key: string, make: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController()
    const promise = make(abort.signal)
    const shared = { promise, waiting: 0, abort }
    this.#running.set(key, shared)
    void promise
      .then((value) => this.#keep(key, value))
      // It is told to those who wait.
      .catch(() => undefined)
      .finally(() => this.#forget(key, shared))
    return shared
  }

  async #wait(key: string, shared: Shared<T>, signal: AbortSignal): Promise<T> {
    shared.waiting++
    const gaveUp = Promise.withResolvers<never>()
    const giveUp = () => gaveUp.reject(cancelled())
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      return await Promise.race([shared.promise, gaveUp.promise])
    } finally {
      signal.removeEventListener('abort', giveUp)
      shared.waiting--
      if (shared.waiting === 0 && signal.aborted) {
        // Who asks from now on must not get what is being given up.
        this.#forget(key, shared)
        shared.abort.abort()
      }
    }
  }

  #forget(key: string, shared: Shared<T>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key)
  }

  #keep(key: string, value: T): void {
    const size = this.#size(value)
    if (this.#bounds.entries === 0 || size > this.#bounds.characters) return
    this.#kept.set(key, value)
    this.#characters += size
    for (const [oldest, old] of this.#kept) {
      if (this.#kept.size <= this.#bounds.entries && this.#characters <= this.#bounds.characters) return
      this.#kept.delete(oldest)
      this.#characters -= this.#size(old)
    }
  }
}
