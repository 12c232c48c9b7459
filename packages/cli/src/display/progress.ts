import type { Screen } from '../terminal.ts'
import { count, duration } from './amounts.ts'
import { truncate } from './width.ts'

/** How far something is. `total` null: nobody knows how much there is. */
export interface Progress {
  done: number
  total: number | null
  /** What has been done, in words. */
  words: string
}

/** Milliseconds between two drawings on a terminal, and between two lines elsewhere. */
export const drawEvery = 100
export const lineEvery = 10_000
export const barCells = 24

/** A bar of so many cells, filled by a share in 0..1. */
export function bar(screen: Screen, share: number): string {
  const filled = Math.round(share * barCells)
  return screen.paint('cyan', '━'.repeat(filled)) + screen.paint('dim', '─'.repeat(barCells - filled))
}

/** Shows how far something is: a bar that is redrawn on a terminal, a line now and then elsewhere. */
export class ProgressBar {
  readonly #screen: Screen
  readonly #now: () => number
  readonly #startedAt: number
  #drawnAt: number
  #first: Progress | undefined

  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen
    this.#now = now
    this.#startedAt = now()
    this.#drawnAt = screen.isTTY ? Number.NEGATIVE_INFINITY : this.#startedAt
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return this.#now() - this.#startedAt
  }

  show(progress: Progress): void {
    this.#first ??= progress
    const now = this.#now()
    if (now - this.#drawnAt < (this.#screen.isTTY ? drawEvery : lineEvery)) return
    this.#drawnAt = now
    const text = this.#text(progress)
    if (this.#screen.isTTY) this.#screen.status(text)
    else this.#screen.line(text)
  }

  /** Takes the bar away. */
  end(): void {
    this.#screen.status('')
  }

  #text({ done, total, words }: Progress): string {
    if (total === null || total === 0)
      return this.#screen.isTTY ? truncate(words, Math.max(0, this.#screen.columns - 1)) : words
    const share = Math.min(1, done / total)
    const percent = `${Math.floor(share * 100)} %`.padStart(5)
    const advanced = done - (this.#first?.done ?? 0)
    const left = advanced > 0 && share < 1 ? `, ${duration((this.elapsed * (total - done)) / advanced)} left` : ''
    if (!this.#screen.isTTY) return `${percent.trim()}: ${words}${left}`
    // Never so wide that the terminal breaks the line: it could not be overwritten then.
    const room = Math.max(0, this.#screen.columns - barCells - percent.length - 4)
    return `${bar(this.#screen, share)} ${percent}  ${truncate(`${words}${left}`, room)}`
  }
}

/** How many a second, in words. */
export function perSecond(amount: number, ms: number): string {
  return `${count(ms <= 0 ? 0 : (amount * 1_000) / ms)}/s`
}
