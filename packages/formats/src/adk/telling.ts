/** Sentences that are kept of what could not be; more are only counted. */
const mostTold = 100

/** Where a value is read or written, and what is told of it: what gets lost, and what makes it useless. */
export class Telling {
  /** Whether keys that no version known here has are kept in what may have newer ones. */
  readonly newer: 'kept' | 'lost'
  readonly #path: (string | number)[] = []
  readonly #lost: string[] = []
  readonly #faults: string[] = []
  #untold = 0

  constructor(newer: 'kept' | 'lost') {
    this.newer = newer
  }

  enter(step: string | number): void {
    this.#path.push(step)
  }

  leave(): void {
    this.#path.pop()
  }

  /** What follows is not as it came. */
  lose(message: string): void {
    if (this.#lost.length < mostTold) this.#lost.push(`${this.#place()} ${message}`.trimStart())
    else this.#untold++
  }

  /** What follows cannot be used at all. */
  fail(message: string): void {
    if (this.#faults.length < mostTold) this.#faults.push(`${this.#place()} ${message}`.trimStart())
  }

  get lost(): string[] {
    return this.#untold === 0 ? [...this.#lost] : [...this.#lost, `and ${this.#untold} more`]
  }

  /** The first faults in one text; undefined where there is none. */
  get fault(): string | undefined {
    if (this.#faults.length === 0) return undefined
    const more = this.#faults.length > 5 ? `; and ${this.#faults.length - 5} more` : ''
    return this.#faults.slice(0, 5).join('; ') + more
  }

  #place(): string {
    return this.#path
      .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step.slice(0, 100)}`))
      .join('')
  }
}
