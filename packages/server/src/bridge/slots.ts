import { Failure } from '@llm-eval/protocol'

/** Room for so much work at the same time, which whoever closes can wait for. */
export class Slots {
  readonly #most: number
  readonly #taken = new Set<Promise<void>>()

  constructor(most: number) {
    this.#most = most
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken.size
  }

  /**
   * Takes a slot before the work begins, and gives what frees it again, once or more often.
   *
   * @throws {Failure} `too_many_streams` when there is none
   */
  take(): () => void {
    if (this.#taken.size >= this.#most) throw new Failure('too_many_streams', { retryAfter: 5 })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#taken.add(promise)
    return () => {
      this.#taken.delete(promise)
      resolve()
    }
  }

  /** Resolves when all are free. */
  async settled(): Promise<void> {
    while (this.#taken.size > 0) await Promise.all(this.#taken)
  }
}
