/** Tenths of a millisecond, up to 30 seconds. */
const buckets = 300_000

/** Milliseconds that deliveries took, counted rather than kept. */
export class Delays {
  readonly #counts = new Uint32Array(buckets)
  count = 0
  max = 0

  add(ms: number): void {
    this.count++
    this.max = Math.max(this.max, ms)
    const bucket = Math.min(buckets - 1, Math.max(0, Math.floor(ms * 10)))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
  }

  clear(): void {
    this.#counts.fill(0)
    this.count = this.max = 0
  }

  /** The delay that this share of them took at most, to a tenth of a millisecond. */
  rank(share: number): number {
    let left = Math.ceil(share * this.count)
    const bucket = this.#counts.findIndex((many) => (left -= many) <= 0)
    return (bucket + 1) / 10
  }
}

/** The same clock in every process of a machine. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
