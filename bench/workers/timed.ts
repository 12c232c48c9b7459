/** How much to store, in batches. */
export interface StoreOrder {
  traces: number
  /** Traces of one batch. */
  batch: number
  /** Batches under way at once. */
  concurrency: number
}

/** What came of it: traces a second, and microseconds of CPU of the whole process for each. */
export interface Rate {
  perSecond: number
  cpuMicros: number
}
