/** Words of conversations that are kept in memory go with their conversations, whoever deletes those, and on whichever server. */
import type { Store } from '@llm-eval/store'

/** A thread of which something is kept in memory. */
export interface KeptThread {
  projectId: number
  threadId: string
  /** Of the thread that it was made of; null where that is not known. */
  ref: number | null
}

/** Keeps something of threads in memory. */
export interface Keeper {
  kept(): readonly KeptThread[]
  /** Drops what is kept of a thread. */
  forget(thread: Pick<KeptThread, 'projectId' | 'threadId'>): void
  /** Drops what was not asked for in a while. */
  tidy(): void
}

export interface ForgettingOptions {
  store: Pick<Store, 'read'>
  keepers: readonly Keeper[]
  /** Milliseconds between two looks. */
  everyMs: number
  onError: (error: unknown) => void
}

/** Looks now and then which threads are still there; does not keep the process alive. */
export class Forgetting {
  readonly #options: ForgettingOptions
  readonly #timer: NodeJS.Timeout
  #looking: Promise<void> | undefined

  constructor(options: ForgettingOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.look().catch(options.onError), options.everyMs)
    this.#timer.unref()
  }

  /** Drops what is kept of a thread that was deleted here. */
  forget(thread: Pick<KeptThread, 'projectId' | 'threadId'>): void {
    for (const keeper of this.#options.keepers) keeper.forget(thread)
  }

  /** Drops what is kept of threads that are gone; one look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Ends after the look that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking?.catch(() => undefined)
  }

  async #look(): Promise<void> {
    const { keepers, store } = this.#options
    for (const keeper of keepers) keeper.tidy()
    const kept = keepers.flatMap((keeper) => keeper.kept().map((thread) => ({ keeper, thread })))
    for (const [projectId, own] of Map.groupBy(kept, ({ thread }) => thread.projectId)) {
      const threadIds = [...new Set(own.map(({ thread }) => thread.threadId))]
      const there = await store.read(projectId, 'conversationRefs', { threadIds })
      const refs = new Map(there.map(({ threadId, ref }) => [threadId, ref]))
      for (const { keeper, thread } of own) {
        const ref = refs.get(thread.threadId)
        if (ref === undefined || (thread.ref !== null && thread.ref !== ref)) keeper.forget(thread)
      }
    }
  }
}
