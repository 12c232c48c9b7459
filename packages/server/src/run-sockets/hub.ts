import { setTimeout as delay } from 'node:timers/promises'
import { limits, parseCursor, type ResyncReason, type RunStatus } from '@llm-eval/protocol'
import { type Head, resyncReason, type Store, type StoredEvent, type StoredRun } from '@llm-eval/store'
import type { WebSocket } from 'ws'
import type { Breath } from './breath.ts'
import { Channel, type ChannelParts, type Numbers, type Subscription } from './channel.ts'
import { FrameMaker, type RunShape, shapeOf } from './frames.ts'
import { Pages } from './pages.ts'

export interface HubOptions {
  store: Store
  projectId: number
  /** Milliseconds between two deliveries while events keep coming; the first one after a pause is immediate. */
  flushMs: number
  elapsed: () => number
  breath: Breath
  onError: (error: unknown) => void
  /** The journal cannot be read, and nothing more will come. */
  onLost: () => void
}

/** Where a subscription begins. */
export interface Start {
  seq: number
  /** The client named a cursor, and it is gone on from. */
  isResumed: boolean
  resync?: ResyncReason
}

/** Ends a subscription, or the waiting for a run. */
export type Leave = () => void

/**
 * Follows the journal of one project, once for all who watch runs of it, and tells the channels of those runs that something
 * happened.
 */
export class RunHub {
  readonly #options: HubOptions
  readonly #channels = new Map<number | null, Channel>()
  readonly #awaited = new Map<string, Set<(seq: number) => void>>()
  readonly #reading = new AbortController()
  readonly #parts: Promise<ChannelParts & { maker: FrameMaker }>
  #counts: Promise<Record<RunStatus, number>> | undefined
  /** Sockets that are here. */
  readonly users = new Set<WebSocket>()

  constructor(options: HubOptions) {
    this.#options = options
    this.#parts = this.#begin()
    this.#parts.catch(() => undefined)
  }

  /** Resolves once it is known where it begins. */
  async begun(): Promise<void> {
    await this.#parts
  }

  close(): void {
    this.#reading.abort()
  }

  /** Where the journal is, as a cursor or a place that a client named has it. */
  async startAt(after: string | undefined): Promise<Start> {
    const head = await this.head()
    if (after === undefined) return { seq: head.seq, isResumed: false }
    const cursor = parseCursor(after)
    const resync = cursor ? resyncReason(head, cursor) : 'other_epoch'
    if (!cursor || resync) return { seq: head.seq, isResumed: false, resync: resync ?? 'other_epoch' }
    return { seq: cursor.seq, isResumed: true }
  }

  head(): Promise<Head> {
    return this.#options.store.read(this.#options.projectId, 'head', {})
  }

  /** How many runs there are of each status: asked once for all, until something becomes of one. */
  counts(): Promise<Record<RunStatus, number>> {
    const { store, projectId } = this.#options
    const counts = (this.#counts ??= store.read(projectId, 'runCounts', {}))
    counts.catch(() => {
      if (this.#counts === counts) this.#counts = undefined
    })
    return counts
  }

  async cursor(seq: number): Promise<string> {
    return (await this.#parts).maker.cursor(seq)
  }

  /** Tells of a run, from the subscription's position on. `known` is the place that the run was read at, or before. */
  async follow(run: StoredRun, subscription: Subscription, known: number): Promise<Leave> {
    return this.#join(shapeOf(run), subscription, { seq: known, at: run.updatedAt, data: run })
  }

  /** Tells what becomes of all runs. */
  followAll(subscription: Subscription): Promise<Leave> {
    return this.#join(null, subscription)
  }

  /** Calls back when a run of this id is made, with the place of that. */
  awaitRun(runId: string, onCreated: (seq: number) => void): Leave {
    const waiting = this.#awaited.get(runId) ?? new Set()
    this.#awaited.set(runId, waiting.add(onCreated))
    return () => {
      waiting.delete(onCreated)
      if (waiting.size === 0 && this.#awaited.get(runId) === waiting) this.#awaited.delete(runId)
    }
  }

  async #join(shape: RunShape | null, subscription: Subscription, known?: Numbers): Promise<Leave> {
    const parts = await this.#parts
    if (shape) parts.maker.remember(shape.ref, shape.runId)
    const ref = shape?.ref ?? null
    const channel = this.#channels.get(ref) ?? new Channel(parts, shape)
    this.#channels.set(ref, channel)
    subscription.since = parts.pages.reads
    channel.add(subscription, known)
    return () => {
      channel.remove(subscription)
      if (channel.isIdle && this.#channels.get(ref) === channel) this.#channels.delete(ref)
    }
  }

  async #begin(): Promise<ChannelParts & { maker: FrameMaker }> {
    const { store, projectId, elapsed, breath, onError } = this.#options
    const { epoch, seq } = await this.head()
    void this.#read(seq)
    const maker = new FrameMaker(store, projectId, epoch)
    return { pages: new Pages({ store, projectId, maker, elapsed }), maker, breath, elapsed, onError }
  }

  async #read(after: number): Promise<void> {
    const { store, projectId, flushMs, elapsed, onError, onLost } = this.#options
    const { signal } = this.#reading
    try {
      const options = { signal, bytes: limits.streamPageBytes / 2 }
      for await (const { events } of store.follow(projectId, after, options)) {
        const began = elapsed()
        await this.#announce(events)
        // What comes meanwhile goes out together: the more readers there are, the less often they are written to.
        await delay(Math.min(2 * flushMs, Math.max(flushMs, elapsed() - began)), undefined, { signal }).catch(
          () => undefined,
        )
      }
    } catch (error) {
      if (signal.aborted) return
      onError(error)
      onLost()
    }
  }

  /** Tells each channel the last place that is of it. */
  async #announce(events: readonly StoredEvent[]): Promise<void> {
    const news = new Map<number | null, number>()
    for (const event of events) {
      if (!isRunEvent(event)) continue
      news.set(event.run, event.seq)
      if (event.kind !== 'run_item') {
        news.set(null, event.seq)
        this.#counts = undefined
      }
      if (event.kind === 'run_created' && this.#awaited.size > 0) await this.#created(event.seq)
    }
    await Promise.all([...news].map(async ([ref, seq]) => this.#channels.get(ref)?.announce(seq)))
  }

  async #created(seq: number): Promise<void> {
    const { store, projectId } = this.#options
    const query = { ref: null, after: seq - 1, limit: 1, bytes: limits.streamPageBytes }
    const [event] = (await store.read(projectId, 'runEvents', query)).events
    if (event?.id == null) return
    const waiting = this.#awaited.get(event.id)
    this.#awaited.delete(event.id)
    for (const tell of waiting ?? []) tell(seq)
  }
}

function isRunEvent(event: StoredEvent): event is Extract<StoredEvent, { kind: `run_${string}` }> {
  return event.kind.startsWith('run_')
}
