import { limits } from '@llm-eval/protocol'
import type { RunEvent, Store } from '@llm-eval/store'
import { type FrameMaker, progressFrame, type RunShape } from './frames.ts'
import type { SocketOutlet } from './outlet.ts'
import { messageOf, type Told, type View } from './view.ts'

/** One run, or the statuses of all, on one socket. */
export interface Subscription {
  readonly outlet: SocketOutlet
  readonly view: View
  /** Sequence number of the last event that it was given, or that its view passed over. */
  position: number
  /** Of the last progress: the event that its numbers come from, and when it was sent. */
  progress: { seq: number; sentAt: number }
  /** The run was deleted, and this was told. */
  onDeleted: () => void
}

export interface ChannelParts {
  store: Store
  projectId: number
  maker: FrameMaker
  /** Milliseconds of a clock that is never set. */
  elapsed: () => number
  onError: (error: unknown) => void
}

/** Events of one page, which rarely hold as many bytes as it may. */
const pageRows = 100

/** How a run stood right after an event. */
export type Numbers = Pick<RunEvent, 'seq' | 'at' | 'data'>

/**
 * Tells all who follow one run, or the statuses of all runs (`shape` is null). Its events are read once for all who are live and
 * written once per view. A socket that is still full at the next delivery leaves, pulls pages at its own pace, and joins again
 * when it has caught up: it never holds up the others, and never has more than a page in memory.
 */
export class Channel {
  readonly #parts: ChannelParts
  readonly #shape: RunShape | null
  readonly #live = new Set<Subscription>()
  readonly #pulling = new Set<Subscription>()
  /** That all who are live have come to. */
  #position = 0
  /** That the journal has come to. */
  #announced = 0
  #latest: Numbers | undefined
  #progressAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ChannelParts, shape: RunShape | null) {
    this.#parts = parts
    this.#shape = shape
  }

  get isIdle(): boolean {
    return this.#live.size === 0 && this.#pulling.size === 0
  }

  /**
   * Serves a subscription from its position on, until it is removed.
   *
   * @param known how the run stood at some place in the journal, or later
   */
  add(subscription: Subscription, known?: Numbers): void {
    this.#learn(known)
    this.#pulling.add(subscription)
    void this.#pull(subscription)
  }

  remove(subscription: Subscription): void {
    this.#live.delete(subscription)
    this.#pulling.delete(subscription)
    if (this.isIdle) clearTimeout(this.#timer)
  }

  /** There is an event of this number; resolves when all who are live have been given it. */
  async announce(seq: number): Promise<void> {
    this.#announced = Math.max(this.#announced, seq)
    while (this.#live.size > 0 && this.#position < this.#announced) {
      const { events, told } = await this.#read(this.#position)
      if (told.length === 0) this.#position = this.#announced
      else this.#deliver(events, told)
    }
  }

  async #read(after: number): Promise<{ events: RunEvent[]; told: Told[] }> {
    const { store, projectId, maker } = this.#parts
    const bytes = limits.streamPageBytes / 2
    const query = { ref: this.#shape?.ref ?? null, after, limit: pageRows, bytes }
    const { events } = await store.read(projectId, 'runEvents', query)
    return { events, told: await maker.tell(events, this.#shape) }
  }

  #deliver(events: readonly RunEvent[], told: readonly Told[]): void {
    const [first, last] = [told[0], told.at(-1)]
    if (!first || !last) return
    this.#position = last.seq
    this.#learn(events.at(-1))
    const encoded = new Map<string, Buffer | undefined>()
    for (const subscription of this.#live) {
      const { outlet, view, position } = subscription
      if (position >= last.seq) continue
      if (outlet.full) {
        this.#live.delete(subscription)
        this.add(subscription)
        continue
      }
      // One that joined in the middle of this page gets the rest of it.
      const joined = position >= first.seq
      if (!joined && !encoded.has(view.key)) encoded.set(view.key, view.encode(told))
      const rest = told.filter(({ seq }) => seq > position)
      this.#give(subscription, rest, joined ? view.encode(rest) : encoded.get(view.key))
    }
    this.#schedule()
  }

  #give(subscription: Subscription, told: readonly Told[], messages: Buffer | undefined): void {
    const last = told.at(-1)
    if (!last) return
    if (messages) subscription.outlet.write(messages)
    subscription.position = last.seq
    // What ends a run brings its last numbers along.
    const ended = told.findLast(({ ends }) => ends)
    if (ended) subscription.progress.seq = Math.max(subscription.progress.seq, ended.seq)
    if (told.some(({ deletes }) => deletes)) subscription.onDeleted()
  }

  /** Reads pages for one subscription alone, as fast as its socket drains, until it stands where the others are. */
  async #pull(subscription: Subscription): Promise<void> {
    const { outlet } = subscription
    try {
      while (this.#pulling.has(subscription)) {
        const isMore = await outlet.inTurn(() => this.#pullPage(subscription))
        if (isMore || outlet.full || this.#announced > subscription.position) continue
        if (this.#live.size > 0 && subscription.position < this.#position) continue
        if (!this.#pulling.delete(subscription)) return
        if (this.#live.size === 0) this.#position = subscription.position
        this.#live.add(subscription)
        this.#schedule()
        return
      }
    } catch (error) {
      this.#parts.onError(error)
      // The client comes back with its cursor; nothing is lost.
      outlet.close(1013, 'storage_unavailable')
    }
  }

  async #pullPage(subscription: Subscription): Promise<boolean> {
    const { outlet, view, progress } = subscription
    await outlet.drained()
    if (outlet.closed || !this.#pulling.has(subscription)) return false
    const announced = this.#announced
    const { events, told } = await this.#read(subscription.position)
    if (!this.#pulling.has(subscription)) return false
    const last = events.at(-1)
    if (!last) {
      subscription.position = Math.max(subscription.position, announced)
      return false
    }
    this.#learn(last)
    this.#give(subscription, told, view.encode(told))
    if (this.#parts.elapsed() - progress.sentAt >= limits.runProgressMs) this.#sendProgress([subscription], last)
    return true
  }

  /** Numbers that a progress may be made of. */
  #learn(numbers: Numbers | undefined): void {
    if (numbers && numbers.seq > (this.#latest?.seq ?? 0)) this.#latest = numbers
  }

  /** Sends the newest numbers to all who are live, soon; what comes until then goes into the same progress. */
  #schedule(): void {
    if (this.#shape === null || this.#latest === undefined || this.#timer !== undefined) return
    const rest = this.#progressAt + limits.runProgressMs - this.#parts.elapsed()
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#progressAt = this.#parts.elapsed()
        if (this.#latest) this.#sendProgress([...this.#live], this.#latest)
      },
      Math.max(0, rest),
    )
    this.#timer.unref()
  }

  /** Whoever has had a progress just now, or does not keep up, gets a later one. */
  #sendProgress(subscriptions: readonly Subscription[], numbers: Numbers): void {
    if (this.#shape === null) return
    const now = this.#parts.elapsed()
    let again = false
    let message: Buffer | undefined
    const { seq } = numbers
    const shape = this.#shape
    for (const { outlet, view, progress } of subscriptions) {
      if (!view.shows('progress') || progress.seq >= seq) continue
      if (outlet.full || now - progress.sentAt < limits.runProgressMs) {
        again = true
        continue
      }
      message ??= messageOf(progressFrame(numbers, shape))
      outlet.write(message)
      progress.seq = seq
      progress.sentAt = now
    }
    if (again) this.#schedule()
  }
}
