interface Waiting {
  begin: () => void
}

/** Lets so many pieces of work run at the same time, in the order in which they came. */
export class Turns {
  readonly width: number
  readonly #waiting = new Set<Waiting>()
  #running = 0

  constructor(width: number) {
    this.width = width
  }

  /** Does the work when its turn comes. Rejects with the signal's reason when that aborts before. */
  async take<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
    if (this.#running >= this.width) await this.#turn(signal)
    else this.#running++
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(waiting)
        reject(signal.reason as Error)
      }
      const waiting = {
        begin: () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(waiting)
    })
  }

  /** Hands the place on to whoever waits longest. */
  #next(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next.begin()
  }
}
