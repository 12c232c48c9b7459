import type { BatchSize } from './batch.ts'
import type { Parcel } from './trace-data.ts'

/** A parcel with its place in the order of calls. */
export interface Queued extends Parcel {
  seq: number
}

/** Parcels that wait to be sent, oldest first. */
export class Outbox {
  #items: (Queued | undefined)[] = []
  #head = 0
  #bytes = 0

  get traces(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  push(item: Queued): void {
    this.#items.push(item)
    this.#bytes += item.bytes
  }

  /** Takes the oldest out. */
  shift(): Queued | undefined {
    const item = this.#items[this.#head]
    if (!item) return undefined
    this.#items[this.#head++] = undefined
    this.#bytes -= item.bytes
    // Moving the rest down once in a while keeps taking cheap and the memory small.
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Takes the next batch out: at least one parcel, if there is any. */
  take(size: BatchSize): Queued[] {
    const batch: Queued[] = []
    let bytes = 0
    while (batch.length < size.traces) {
      const next = this.#items[this.#head]
      if (!next || (batch.length > 0 && bytes + next.bytes > size.bytes)) break
      bytes += next.bytes
      batch.push(next)
      this.shift()
    }
    return batch
  }

  /** Puts a batch back where it was taken from. */
  putBack(batch: Queued[]): void {
    this.#items = [...batch, ...this.#items.slice(this.#head)]
    this.#head = 0
    for (const item of batch) this.#bytes += item.bytes
  }
}
