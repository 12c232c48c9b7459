import { setTimeout as delay } from 'node:timers/promises'
import { encodeSse, formatCursor, limits } from '@llm-eval/protocol'
import type { EventPage, Store, StoredEvent } from '@llm-eval/store'
import { encodeEvents, type View, viewKey } from './frames.ts'
import { type Outlet, toChunk } from '../outlets/outlet.ts'

/** One stream that follows the journal: where it is, and what it shows. */
export interface Follower {
  readonly outlet: Outlet
  readonly view: View
  /** Sequence number of the last event it was given (or that its view passed over). */
  position: number
}

export interface HubOptions {
  projectId: number
  epoch: string
  /** Milliseconds between two deliveries while events keep coming; the first one after a pause is immediate. */
  flushMs: number
  onError: (error: unknown) => void
}

interface Group {
  view: View
  followers: Set<Follower>
}

/**
 * Delivers one project's events to all its streams. While there are any, it reads the journal once for all of them and
 * writes each event once per view. A stream whose socket is still full at the next delivery leaves, pulls pages at its own
 * pace, and joins again when it has caught up: it never holds up the others, and never has more than a page in memory.
 */
export class Hub {
  readonly #store: Store
  readonly #options: HubOptions
  readonly #groups = new Map<string, Group>()
  readonly #pulling = new Set<Follower>()
  #position = 0
  #reading: AbortController | undefined

  constructor(store: Store, options: HubOptions) {
    this.#store = store
    this.#options = options
  }

  /** Serves a stream from its position on, until its outlet closes. */
  add(follower: Follower): void {
    void this.#pull(follower)
    follower.outlet.onClose(() => this.#remove(follower))
  }

  /** Most events that any stream still has to be given. */
  get lag(): number {
    let lag = 0
    for (const follower of this.#pulling) lag = Math.max(lag, this.#position - follower.position)
    return lag
  }

  /** Moves the cursor of every quiet client on: a block with nothing but an `id:`. */
  heartbeat(): void {
    for (const group of this.#groups.values()) {
      for (const follower of group.followers) {
        // A follower that joined ahead of the hub has a later cursor of its own.
        const seq = Math.max(follower.position, this.#position)
        if (!follower.outlet.full) follower.outlet.write(toChunk(this.#beat(seq)))
      }
    }
    for (const follower of this.#pulling)
      if (!follower.outlet.full) follower.outlet.write(toChunk(this.#beat(follower.position)))
  }

  #beat(seq: number): string {
    return encodeSse(undefined, formatCursor({ epoch: this.#options.epoch, seq }))
  }

  close(): void {
    this.#reading?.abort()
  }

  /** Reads pages for one stream alone, as fast as its socket drains, until it stands where the others are. */
  async #pull(follower: Follower): Promise<void> {
    const { outlet, view } = follower
    const { projectId, epoch } = this.#options
    this.#pulling.add(follower)
    try {
      while (!outlet.closed) {
        await outlet.drained()
        const page = await this.#store.read(projectId, 'events', {
          after: follower.position,
          limit: 1_000,
          bytes: limits.streamPageBytes / 2,
        })
        if (outlet.closed) return
        const last = page.events.at(-1)
        if (!last) return this.#join(follower)
        const text = encodeEvents(page.events, view, epoch)
        follower.position = last.seq
        if (text) outlet.write(toChunk(text))
        // Close enough behind the others: the hub's next page begins where this one ended.
        if (this.#reading && follower.position >= this.#position && !outlet.full) return this.#join(follower)
      }
    } catch (error) {
      this.#options.onError(error)
      // The client comes back with its cursor; nothing is lost.
      outlet.end(1_000)
    } finally {
      this.#pulling.delete(follower)
    }
  }

  #join(follower: Follower): void {
    if (follower.outlet.closed) return
    const key = viewKey(follower.view)
    const group = this.#groups.get(key) ?? { view: follower.view, followers: new Set() }
    this.#groups.set(key, group)
    group.followers.add(follower)
    if (!this.#reading) {
      this.#position = follower.position
      void this.#read(follower.position)
    } else if (follower.position < this.#position) {
      // The hub moved on while the last page was being read.
      this.#leave(follower, group, key)
    }
  }

  #leave(follower: Follower, group: Group, key: string): void {
    this.#drop(follower, group, key)
    void this.#pull(follower)
  }

  #drop(follower: Follower, group: Group, key: string): void {
    group.followers.delete(follower)
    if (group.followers.size === 0) this.#groups.delete(key)
  }

  #remove(follower: Follower): void {
    const key = viewKey(follower.view)
    const group = this.#groups.get(key)
    if (group) this.#drop(follower, group, key)
    if (this.#groups.size > 0) return
    this.#reading?.abort()
    this.#reading = undefined
  }

  async #read(after: number): Promise<void> {
    const reading = new AbortController()
    this.#reading = reading
    const { projectId, flushMs } = this.#options
    try {
      for await (const page of this.#store.follow(projectId, after, {
        signal: reading.signal,
        bytes: limits.streamPageBytes / 2,
      })) {
        if (reading.signal.aborted) return
        this.#deliver(page)
        // What comes meanwhile goes out together.
        await delay(flushMs, undefined, { signal: reading.signal }).catch(() => undefined)
      }
    } catch (error) {
      if (reading.signal.aborted) return
      this.#options.onError(error)
      for (const group of this.#groups.values()) for (const { outlet } of group.followers) outlet.end(1_000)
    } finally {
      if (this.#reading === reading) this.#reading = undefined
    }
  }

  #deliver(page: EventPage): void {
    const last = page.events.at(-1)
    if (!last) return
    const first = page.events[0]?.seq ?? last.seq
    this.#position = last.seq
    for (const [key, group] of this.#groups) {
      const text = encodeEvents(page.events, group.view, this.#options.epoch)
      const chunk = text ? toChunk(text) : undefined
      for (const follower of group.followers) {
        if (follower.position >= last.seq) continue
        if (follower.outlet.full) {
          this.#leave(follower, group, key)
          continue
        }
        if (follower.position >= first) this.#deliverRest(follower, page.events)
        else if (chunk) follower.outlet.write(chunk)
        follower.position = last.seq
      }
    }
  }

  /** For a stream that joined in the middle of what the hub reads next. */
  #deliverRest(follower: Follower, events: readonly StoredEvent[]): void {
    const rest = events.filter((event) => event.seq > follower.position)
    const text = encodeEvents(rest, follower.view, this.#options.epoch)
    if (text) follower.outlet.write(toChunk(text))
  }
}
