import { limits } from '@llm-eval/protocol'
import type { RunEvent } from '@llm-eval/store'
import type { Breath } from './breath.ts'
import { progressFrame, type RunShape } from './frames.ts'
import type { SocketOutlet } from './outlet.ts'
import type { Page, Pages } from './pages.ts'
import { messageOf, type View } from './view.ts'

/** One run, or the statuses of all, on one socket. */
export interface Subscription {
  readonly outlet: SocketOutlet
  readonly view: View
  /** Number of the last read that began before it joined. */
  since: number
  /** Sequence number of the last event that it was given, or that its view passed over. */
  position: number
  /** Of the last progress: the event that its numbers come from, and when it was sent. */
  progress: { seq: number; sentAt: number }
  /** The run was deleted, and this was told. */
  onDeleted: () => void
}

export interface ChannelParts {
  pages: Pages
  breath: Breath
  /** Milliseconds of a clock that is never set. */
  elapsed: () => number
  onError: (error: unknown) => void
}

/** Milliseconds that a progress waits for results that it could go out with. */
const progressWaitMs = 50

/** How a run stood right after an event. */
export type Numbers = Pick<RunEvent, 'seq' | 'at' | 'data'>

/** What goes out to all who are live. */
interface Delivery {
  page: Page
  /** That go along. */
  numbers: Numbers | undefined
  /** When it began. */
  at: number
  /** The page and the progress as one piece, for each view. */
  bundles: Map<string, Buffer>
}

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
  /** The messages of numbers. */
  readonly #written = new WeakMap<Numbers, Buffer>()
  /** That all who are live have come to, or are coming to. */
  #position = 0
  /** That the journal has come to, and the last read that began before it was known. */
  #announced = 0
  #stale = 0
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
    const { pages } = this.#parts
    this.#announced = Math.max(this.#announced, seq)
    this.#stale = pages.reads
    while (this.#live.size > 0 && this.#position < this.#announced) {
      const read = await pages.after(this.#shape, { position: this.#position, since: 0, stale: this.#stale })
      if (!read) this.#position = Math.max(this.#position, this.#announced)
      // Those who were behind may have left meanwhile.
      else if (read.page.last > this.#position) await this.#deliver(read.page.after(this.#position), read.numbers)
    }
  }

  async #deliver(page: Page, numbers: Numbers): Promise<void> {
    const { breath, elapsed } = this.#parts
    this.#position = page.last
    this.#learn(numbers)
    const at = elapsed()
    const isDue = this.#shape !== null && at - this.#progressAt >= limits.runProgressMs
    if (isDue) {
      this.#progressAt = at
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    const delivery: Delivery = { page, numbers: isDue ? this.#latest : undefined, at, bundles: new Map() }
    for (const subscription of this.#live) {
      if (subscription.position >= page.last) continue
      if (subscription.outlet.full) {
        this.#live.delete(subscription)
        this.add(subscription)
        continue
      }
      this.#hand(subscription, delivery)
      if (breath.due) await breath.take()
    }
    this.#schedule()
  }

  #hand(subscription: Subscription, { page, numbers, at, bundles }: Delivery): void {
    const { view, position } = subscription
    // One that joined in the middle of this page gets the rest of it.
    const rest = page.after(position)
    // What ends a run brings its last numbers along, and comes last.
    const lacks = numbers && numbers.seq > page.ends ? this.#lacks(subscription, numbers, at) : 'never'
    if (rest !== page || !numbers || lacks !== 'now') return this.#give(subscription, rest)
    const bundle = bundles.get(view.key) ?? Buffer.concat([page.encode(view) ?? Buffer.of(), this.#write(numbers)])
    bundles.set(view.key, bundle)
    this.#give(subscription, page, bundle)
    subscription.progress = { seq: numbers.seq, sentAt: at }
  }

  /** @param messages of the page, with what goes along */
  #give(subscription: Subscription, page: Page, messages = page.encode(subscription.view)): void {
    const { outlet, progress } = subscription
    if (messages) outlet.write(messages)
    subscription.position = page.last
    progress.seq = Math.max(progress.seq, page.ends)
    if (page.deletes) subscription.onDeleted()
  }

  /** Gives pages to one subscription alone, as fast as its socket drains, until it stands where the others are. */
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
        if (this.#latest) this.#tellProgress(subscription, this.#latest)
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
    const { outlet } = subscription
    const { pages, breath } = this.#parts
    await outlet.drained()
    await breath.take()
    if (outlet.closed || !this.#pulling.has(subscription)) return false
    const announced = this.#announced
    const read = await pages.after(this.#shape, { ...subscription, stale: this.#stale })
    if (!this.#pulling.has(subscription)) return false
    if (!read) {
      subscription.position = Math.max(subscription.position, announced)
      return false
    }
    this.#learn(read.numbers)
    this.#give(subscription, read.page.after(subscription.position))
    this.#tellProgress(subscription, read.numbers)
    return true
  }

  /** Numbers that a progress may be made of. */
  #learn(numbers: Numbers | undefined): void {
    if (numbers && numbers.seq > (this.#latest?.seq ?? 0)) this.#latest = numbers
  }

  /** The progress of these numbers, written once for all. */
  #write(numbers: Numbers): Buffer {
    const [shape, known] = [this.#shape, this.#written.get(numbers)]
    if (known || shape === null) return known ?? Buffer.of()
    const message = messageOf(progressFrame(numbers, shape))
    this.#written.set(numbers, message)
    return message
  }

  /** Whether somebody shall hear of numbers. Who has had some just now, or does not keep up, gets later ones. */
  #lacks({ outlet, view, progress }: Subscription, { seq }: Numbers, now: number): 'now' | 'later' | 'never' {
    if (this.#shape === null || !view.shows('progress') || progress.seq >= seq) return 'never'
    return outlet.full || now - progress.sentAt < limits.runProgressMs ? 'later' : 'now'
  }

  #tellProgress(subscription: Subscription, numbers: Numbers): 'now' | 'later' | 'never' {
    const now = this.#parts.elapsed()
    const lacks = this.#lacks(subscription, numbers, now)
    if (lacks !== 'now') return lacks
    subscription.outlet.write(this.#write(numbers))
    subscription.progress = { seq: numbers.seq, sentAt: now }
    return lacks
  }

  /** Sends the newest numbers to all who are live, soon, unless they go out with the next results. */
  #schedule(): void {
    if (this.#shape === null || this.#latest === undefined || this.#timer !== undefined) return
    const rest = Math.max(0, this.#progressAt + limits.runProgressMs - this.#parts.elapsed())
    this.#timer = setTimeout(() => void this.#tellAll(), rest + progressWaitMs)
    this.#timer.unref()
  }

  async #tellAll(): Promise<void> {
    this.#timer = undefined
    const { breath, elapsed } = this.#parts
    const numbers = this.#latest
    if (!numbers) return
    let isLeft = false
    for (const subscription of this.#live) {
      const told = this.#tellProgress(subscription, numbers)
      if (told === 'now') this.#progressAt = elapsed()
      isLeft ||= told === 'later'
      if (breath.due) await breath.take()
    }
    if (isLeft) this.#schedule()
  }
}
