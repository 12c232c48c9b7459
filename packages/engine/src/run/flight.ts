/** An item that is being worked on. Once it is given up nothing that is still done for it is heard. */
export class Flight {
  #over = false
  readonly #endings = new Set<(why: unknown) => void>()

  get over(): boolean {
    return this.#over
  }

  /** Calls `ending` when the flight is given up; the returned function takes that back. */
  onGivenUp(ending: (why: unknown) => void): () => void {
    this.#endings.add(ending)
    return () => void this.#endings.delete(ending)
  }

  giveUp(why: unknown): void {
    this.#over = true
    for (const ending of this.#endings) ending(why)
    this.#endings.clear()
  }
}
