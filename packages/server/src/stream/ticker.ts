import type { Metrics } from '@llm-eval/protocol'
import { encodeFrame } from './frames.ts'
import { type Outlet, toChunk } from '../outlets/outlet.ts'

export interface TickerOptions {
  intervalMs: number
  now: () => number
  read: () => Promise<Metrics>
  onError: (error: unknown) => void
}

/** Sends the counters to all watchers of one project and interval: read once, serialised once. */
export class MetricsTicker {
  readonly #options: TickerOptions
  readonly #outlets = new Set<Outlet>()
  #timer: NodeJS.Timeout | undefined
  #latest: { at: number; chunk: Promise<Buffer> } | undefined

  constructor(options: TickerOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#outlets.size === 0
  }

  /** Sends the counters to a new watcher at once, then with all others. */
  async add(outlet: Outlet): Promise<void> {
    this.#outlets.add(outlet)
    outlet.onClose(() => this.#remove(outlet))
    this.#timer ??= setInterval(() => void this.#tick(), this.#options.intervalMs)
    try {
      outlet.write(await this.#current())
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #remove(outlet: Outlet): void {
    this.#outlets.delete(outlet)
    if (this.#outlets.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #tick(): Promise<void> {
    try {
      this.#latest = undefined
      const chunk = await this.#current()
      // Who has not taken the last one gets the next: only the newest counters are worth having.
      for (const outlet of this.#outlets) if (!outlet.full) outlet.write(chunk)
    } catch (error) {
      this.#options.onError(error)
    }
  }

  /** A thousand watchers that come at once share one reading; nobody gets counters older than a second. */
  #current(): Promise<Buffer> {
    const now = this.#options.now()
    if (this.#latest && now - this.#latest.at < 1_000) return this.#latest.chunk
    const chunk = this.#options
      .read()
      .then((data) => toChunk(encodeFrame({ event: 'metrics_update', data, timestamp: new Date(now).toISOString() })))
    this.#latest = { at: now, chunk }
    return chunk
  }
}
