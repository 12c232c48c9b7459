/** What became of every trace handed to `send` so far; the six numbers sum up to the number of calls. */
export interface Receipt {
  /** Stored. */
  sent: number
  /** Stored before with the same content, for instance because an answer was lost on the way. */
  duplicates: number
  /** Refused: another trace has this id. */
  conflicts: number
  /** Refused by the server, or impossible to write as JSON. */
  invalid: number
  /** Given up: memory was full, or the sender was closed. */
  dropped: number
  /** Still waiting, or under way. */
  pending: number
}

/** How a trace can end. */
export type Outcome = Exclude<keyof Receipt, 'pending'>

interface Waiter {
  /** Waits for the calls up to this one. */
  upTo: number
  left: number
  done(): void
}

/** Keeps the accounts of a sender: every call is entered once and settled at most once. */
export class Ledger {
  readonly #counts: Record<Outcome, number> = { sent: 0, duplicates: 0, conflicts: 0, invalid: 0, dropped: 0 }
  readonly #waiters = new Set<Waiter>()
  #calls = 0

  /** Enters a call and gives it its number. */
  enter(): number {
    return ++this.#calls
  }

  /** Settles the call with this number. */
  settle(call: number, outcome: Outcome): void {
    this.#counts[outcome]++
    for (const waiter of this.#waiters) {
      if (call <= waiter.upTo && --waiter.left === 0) waiter.done()
    }
  }

  receipt(): Receipt {
    const { sent, duplicates, conflicts, invalid, dropped } = this.#counts
    return { ...this.#counts, pending: this.#calls - sent - duplicates - conflicts - invalid - dropped }
  }

  /** Whether somebody waits. */
  get awaited(): boolean {
    return this.#waiters.size > 0
  }

  /** Lets everybody go who waits. */
  release(): void {
    for (const waiter of this.#waiters) waiter.done()
  }

  /**
   * Resolves when every call entered so far is settled, or on `release`.
   *
   * @param limit starts a time limit: calls what it is given when the time is up, and returns how to call that off
   */
  whenSettled(limit: (release: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const left = this.receipt().pending
      if (left === 0) return resolve()
      const done = () => {
        this.#waiters.delete(waiter)
        cancel()
        resolve()
      }
      const waiter: Waiter = { upTo: this.#calls, left, done }
      this.#waiters.add(waiter)
      const cancel = limit(done)
    })
  }
}
