/** Milliseconds; a timer that should run longer is over at once. */
const longestTimer = 2 ** 31 - 1

/** Gives somebody up who says nothing for too long. */
export class Quiet {
  /** Aborted by the other signal, or after so much silence. */
  readonly signal: AbortSignal
  readonly #silence = new AbortController()
  readonly #timer: NodeJS.Timeout

  /** @param ms of silence */
  constructor(other: AbortSignal, ms: number) {
    this.signal = AbortSignal.any([other, this.#silence.signal])
    this.#timer = setTimeout(() => this.#silence.abort(), Math.min(ms, longestTimer))
  }

  /** Whether it was silence that ended it. */
  get isOver(): boolean {
    return this.#silence.signal.aborted
  }

  /** Something was said. */
  heard(): void {
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
