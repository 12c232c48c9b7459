import type { Clock } from '../src/clock.ts'

interface Timer {
  due: number
  fire: () => void
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>()
  readonly #watchers = new Set<() => void>()
  #elapsed = 0
  readonly #epoch: number

  constructor(epoch = Date.UTC(2025, 0, 27, 12)) {
    this.#epoch = epoch
  }

  now(): number {
    return this.#epoch + this.#elapsed
  }

  elapsed(): number {
    return this.#elapsed
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { due: this.#elapsed + ms, fire }
    this.#timers.add(timer)
    for (const watcher of this.#watchers) watcher()
    return () => this.#timers.delete(timer)
  }

  background(ms: number, fire: () => void): () => void {
    return this.after(ms, fire)
  }

  /** Milliseconds until each timer that is set, soonest first. */
  timers(): number[] {
    return [...this.#timers].map((timer) => timer.due - this.#elapsed).sort((a, b) => a - b)
  }

  /** Resolves with the time left of a timer that fits, as soon as there is one. */
  timer(fits: (ms: number) => boolean): Promise<number> {
    return new Promise((resolve) => {
      const look = () => {
        const ms = this.timers().find(fits)
        if (ms === undefined) return
        this.#watchers.delete(look)
        resolve(ms)
      }
      this.#watchers.add(look)
      look()
    })
  }

  /** From now on lets timers fire by themselves whose time has come when they are set. */
  fireDueTimers(): void {
    this.#watchers.add(() => queueMicrotask(() => this.advance(0)))
  }

  /** Moves on, and lets every timer that becomes due fire at its time. */
  advance(ms: number): void {
    const end = this.#elapsed + ms
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)
      if (!next) break
      this.#timers.delete(next)
      this.#elapsed = Math.max(this.#elapsed, next.due)
      next.fire()
    }
    this.#elapsed = end
  }
}
