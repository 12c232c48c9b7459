import type { StoreStats } from './store.ts'

/** Most commit times kept between two looks. */
const keptTimes = 1_000

/** Counts commits and keeps their durations until somebody looks. */
export class CommitMeter {
  #ms: number[] = []
  #traces = 0
  #commits = 0

  note(ms: number, traces: number): void {
    this.#commits++
    this.#traces += traces
    if (this.#ms.length === keptTimes) this.#ms.shift()
    this.#ms.push(ms)
  }

  take(): Pick<StoreStats, 'commitMs' | 'committedTraces' | 'commits'> {
    const commitMs = this.#ms
    this.#ms = []
    return { commitMs, committedTraces: this.#traces, commits: this.#commits }
  }
}
