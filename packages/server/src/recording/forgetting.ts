/** Words of conversations that are kept in memory go with their conversations, whoever deletes those, and on whichever server. */
import type { Store } from '@llm-eval/store'

/** Which thread. */
export interface ThreadPlace {
  projectId: number
  threadId: string
}

/** The same as a text, by which a Map finds it. */
export function keyOfThread({ projectId, threadId }: ThreadPlace): string {
  return `${projectId}\n${threadId}`
}

/** A thread of which something is kept in memory. */
export interface KeptThread extends ThreadPlace {
  /** Of the thread that it was made of; null where that is not known. */
  ref: number | null
}

/** Keeps something of threads in memory. */
export interface Keeper {
  kept(): readonly KeptThread[]
  /** Drops what is kept of a thread. */
  forget(thread: ThreadPlace): void
  /** Drops what was not asked for in a while. */
  tidy(): void
}

export interface ForgettingOptions {
  store: Pick<Store, 'read'>
  keepers: readonly Keeper[]
  /** Milliseconds between two looks. */
  everyMs: number
  /** Told of the first look that fails, until one does not. */
  onError: (error: unknown) => void
}

/** Where the journal of a project ended, and which threads were there then. */
interface Looked {
  epoch: string
  seq: number
  there: ReadonlySet<string>
}

/** Looks now and then which threads are still there, where something is kept and anything happened since; does not keep the process alive. */
export class Forgetting {
  readonly #options: ForgettingOptions
  readonly #timer: NodeJS.Timeout
  readonly #looked = new Map<number, Looked>()
  #looking: Promise<void> | undefined
  #isAway = false

  constructor(options: ForgettingOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#lookByItself(), options.everyMs)
    this.#timer.unref()
  }

  /** Drops what is kept of a thread that was deleted here. */
  forget(thread: ThreadPlace): void {
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

  async #lookByItself(): Promise<void> {
    try {
      await this.look()
      this.#isAway = false
    } catch (error) {
      if (!this.#isAway) this.#options.onError(error)
      this.#isAway = true
    }
  }

  async #look(): Promise<void> {
    const { keepers } = this.#options
    for (const keeper of keepers) keeper.tidy()
    const kept = keepers.flatMap((keeper) => keeper.kept().map((thread) => ({ keeper, thread })))
    const projects = Map.groupBy(kept, ({ thread }) => thread.projectId)
    for (const projectId of this.#looked.keys()) if (!projects.has(projectId)) this.#looked.delete(projectId)
    for (const [projectId, own] of projects) await this.#lookInto(projectId, own)
  }

  async #lookInto(projectId: number, kept: readonly { keeper: Keeper; thread: KeptThread }[]): Promise<void> {
    const { store } = this.#options
    // First, so that what is deleted meanwhile is looked at the next time.
    const { epoch, seq } = await store.read(projectId, 'head', {})
    const before = this.#looked.get(projectId)
    const known = before?.epoch === epoch && before.seq === seq ? before.there : new Set<string>()
    const asked = kept.filter(({ thread }) => !known.has(keyOf(thread)))
    const threadIds = [...new Set(asked.map(({ thread }) => thread.threadId))]
    const found = threadIds.length === 0 ? [] : await store.read(projectId, 'conversationRefs', { threadIds })
    const refs = new Map(found.map(({ threadId, ref }) => [threadId, ref]))
    const gone = new Set(asked.filter(({ thread }) => !isThere(thread, refs.get(thread.threadId))))
    for (const { keeper, thread } of gone) keeper.forget(thread)
    const there = kept.filter((one) => !gone.has(one)).map(({ thread }) => keyOf(thread))
    this.#looked.set(projectId, { epoch, seq, there: new Set(there) })
  }
}

function isThere(thread: KeptThread, ref: number | undefined): boolean {
  return ref !== undefined && (thread.ref === null || thread.ref === ref)
}

function keyOf({ ref, threadId }: KeptThread): string {
  return `${ref ?? ''}\n${threadId}`
}
