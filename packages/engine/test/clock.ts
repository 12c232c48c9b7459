import type { Clock } from '../src/models/clock.ts'

interface Timer {
  due: number
  fire: () => void
}

/** A clock that stands still, but for short waits: those are over as soon as they begin, and it goes on by as much. */
export class TestClock implements Clock {
  /** Milliseconds of each short wait. */
  readonly waits: number[] = []
  readonly #timers = new Set<Timer>()
  readonly #short: number
  #now = Date.UTC(2026, 0, 27, 12)

  constructor({ short = 30_000 }: { short?: number } = {}) {
    this.#short = short
  }

  now(): number {
    return this.#now
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { due: this.#now + ms, fire }
    this.#timers.add(timer)
    if (ms <= this.#short) {
      this.waits.push(ms)
      setImmediate(() => {
        if (this.#timers.has(timer)) this.advance(Math.max(0, timer.due - this.#now))
      })
    }
    return () => void this.#timers.delete(timer)
  }

  /** Goes on, and fires what is due then. */
  advance(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) {
      if (timer.due > this.#now) continue
      this.#timers.delete(timer)
      timer.fire()
    }
  }

  get pending(): number {
    return this.#timers.size
  }
}
