/** Milliseconds of writing after which others get their turn. */
const breathMs = 5

/** Lets the event loop go round while a crowd is told something: whoever brings the next result shall not wait for all of them. */
export class Breath {
  readonly #elapsed: () => number
  #began: number
  #next: Promise<void> | undefined

  /** @param elapsed milliseconds of a clock that is never set */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
    this.#began = elapsed()
  }

  /** Whether others have waited long enough. */
  get due(): boolean {
    return this.#elapsed() - this.#began > breathMs
  }

  /** Resolves when others had their turn; at once where they have not waited for long. */
  async take(): Promise<void> {
    while (this.due) await (this.#next ??= this.#round())
  }

  async #round(): Promise<void> {
    await new Promise(setImmediate)
    this.#next = undefined
    this.#began = this.#elapsed()
  }
}
