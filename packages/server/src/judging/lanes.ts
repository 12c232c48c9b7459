import { Failure } from '@llm-eval/protocol'

/** What runs side by side: code, which uses the processor, and judges, which wait for others. */
export type Lane = 'code' | 'judge'

export interface LaneSettings {
  /** Executions that run at the same time, by lane. */
  width: Record<Lane, number>
  /** Executions that may wait or run, and bytes of their inputs. */
  most: number
  mostBytes: number
}

interface Waiting {
  count: number
  bytes: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** Bounded work: a place has to be reserved for each piece before it may wait for its turn. */
export class Lanes {
  readonly #settings: LaneSettings
  readonly #queues: Record<Lane, (() => Promise<void>)[]> = { code: [], judge: [] }
  readonly #running: Record<Lane, number> = { code: 0, judge: 0 }
  readonly #waiting: Waiting[] = []
  #places = 0
  #bytes = 0

  constructor(settings: LaneSettings) {
    this.#settings = settings
  }

  /** Pieces that wait or run. */
  get places(): number {
    return this.#places
  }

  running(lane: Lane): number {
    return this.#running[lane]
  }

  /**
   * Takes places, waiting for them up to `patienceMs`.
   *
   * @throws {Failure} `overloaded`
   */
  async reserve(wanted: { count: number; bytes: number }, patienceMs = 0): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(wanted)) return this.take(wanted)
    const overloaded = () => new Failure('overloaded', { retryAfter: 1 })
    if (patienceMs <= 0) throw overloaded()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { ...wanted, resolve, reject }
    this.#waiting.push(waiting)
    const timer = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      reject(overloaded())
      // Whoever stood behind may want less.
      this.#admit()
    }, patienceMs)
    await promise.finally(() => clearTimeout(timer))
  }

  /** Takes places, be there any or not: for what cannot be refused any more. */
  take({ count, bytes }: { count: number; bytes: number }): void {
    this.#places += count
    this.#bytes += bytes
  }

  /** Gives places back. */
  free({ count, bytes }: { count: number; bytes: number }): void {
    this.#places -= count
    this.#bytes -= bytes
    this.#admit()
  }

  /** Runs a piece when its turn comes. It must not reject. */
  run(lane: Lane, work: () => Promise<void>): void {
    this.#queues[lane].push(work)
    this.#next(lane)
  }

  /** Forgets what has not begun, and refuses who waits for a place. */
  clear(): void {
    for (const lane of ['code', 'judge'] as const) this.#queues[lane].length = 0
    for (const { reject } of this.#waiting.splice(0)) reject(new Failure('shutting_down', { retryAfter: 1 }))
  }

  #fits({ count, bytes }: { count: number; bytes: number }): boolean {
    // What is larger than everything there may be goes alone.
    if (this.#places === 0) return true
    return this.#places + count <= this.#settings.most && this.#bytes + bytes <= this.#settings.mostBytes
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first); first = this.#waiting[0]) {
      this.#waiting.shift()
      this.take(first)
      first.resolve()
    }
  }

  #next(lane: Lane): void {
    while (this.#running[lane] < this.#settings.width[lane]) {
      const work = this.#queues[lane].shift()
      if (work === undefined) return
      this.#running[lane]++
      void work().finally(() => {
        this.#running[lane]--
        this.#next(lane)
      })
    }
  }
}
